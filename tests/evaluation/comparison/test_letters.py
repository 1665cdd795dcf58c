"""Letters of a column: what shares one is not shown to differ."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.evaluation.comparison.letters import display, letters


def shares(one: str, other: str) -> bool:
    return bool(set(one) & set(other))


def naive_equals(rows: list[dict[int, float]]) -> set[tuple[int, int]]:
    """Pairs that Holm's procedure over SciPy's paired t-tests leaves standing, step by step as the paper has it."""
    pairs = list(combinations(range(len(rows)), 2))
    p = {(a, b): stats.ttest_rel(list(rows[a].values()), list(rows[b].values())).pvalue for a, b in pairs}
    left = sorted(pairs, key=lambda pair: p[pair])
    while left and p[left[0]] <= 0.05 / len(left):
        left = left[1:]
    return set(left)


@given(
    st.integers(2, 7).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.sampled_from(list(combinations(range(n), 2)))))
    )
)
def test_rows_share_a_letter_exactly_where_they_do_not_differ(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    n, different = drawn
    found = display(n, sorted(different))
    assert found is not None and all(found) and found[0].startswith("a")
    assert {pair for pair in combinations(range(n), 2) if not shares(found[pair[0]], found[pair[1]])} == different
    equals = [row for row in range(1, n) if (0, row) not in different]
    assert (found[0] == "a") == (not different & set(combinations(equals, 2)))  # two letters only where need be
    first = [next(k for k, text in enumerate(found) if letter in text) for letter in sorted(set("".join(found)))]
    assert first == sorted(first)  # in the order of their best rows


def test_there_are_no_more_letters_than_scikit_posthocs_has() -> None:
    import scikit_posthocs as posthocs

    draw = np.random.default_rng(0)
    for _ in range(60):
        n = int(draw.integers(2, 8))
        p = np.ones((n, n))
        different = [pair for pair in combinations(range(n), 2) if draw.random() < 0.4]
        for a, b in different:
            p[a, b] = p[b, a] = 0.001
        theirs = [text.replace(" ", "") for text in posthocs.compact_letter_display(p)]
        ours = display(n, different)
        assert ours is not None
        assert all(shares(ours[a], ours[b]) == shares(theirs[a], theirs[b]) for a, b in combinations(range(n), 2))
        assert len(set("".join(ours))) <= len(set("".join(theirs)))


def test_many_pairs_that_differ_one_by_one_take_few_letters() -> None:
    found = display(18, [(k, k + 1) for k in range(0, 18, 2)])
    assert found is not None and len(set("".join(found))) < 20  # every largest set of equals would be 512
    assert display(60, list(combinations(range(60), 2))) is None  # sixty letters are more than there are


def test_a_row_has_no_letter_that_says_nothing() -> None:
    # 0 is equal to all, by two letters already; 1 and 4 are told equal by a third, of which 0 has no need.
    found = display(6, [(1, 5), (2, 4), (2, 5), (3, 4), (3, 5)])
    assert found == ("ab", "ac", "a", "a", "bc", "b")
    assert display(3, [(1, 2)]) == ("ab", "a", "b")  # no single letter says that 0 is equal to two that differ


def test_letters_agree_with_the_naive_twin() -> None:
    draw = np.random.default_rng(1)
    for _ in range(30):
        rows = [dict(enumerate(draw.normal(0.02 * k, 0.02, 6))) for k in range(5)]
        found = letters(rows).letters
        equal = {(a, b) for a, b in combinations(range(5), 2) if shares(found[a], found[b])}
        assert equal == naive_equals(rows)


def test_of_a_table_of_equals_at_most_five_in_a_hundred_tell_any_apart() -> None:
    draw, tables, wrong = np.random.default_rng(2), 2000, 0
    for luck in draw.normal(0, 1, (tables, 1, 5)) + draw.normal(0, 0.5, (tables, 4, 5)):
        found = letters([dict(enumerate(row)) for row in luck]).letters
        wrong += any(not shares(a, b) for a, b in combinations(found, 2))
    assert wrong / tables <= stats.binom.ppf(0.999, tables, 0.05) / tables
    assert wrong > 0


def test_rows_that_differ_clearly_have_different_letters_and_the_best_has_a() -> None:
    draw = np.random.default_rng(3)
    rows = [dict(enumerate(draw.normal(mean, 0.005, 5))) for mean in (0.9, 0.8, 0.8, 0.6)]
    found = letters(rows)
    assert found.letters == ("a", "b", "b", "c") and found.pairs == 6
    assert found.equals_of(1) == (1, 2)


def test_a_row_without_seeds_in_common_has_no_letter() -> None:
    draw = np.random.default_rng(4)
    same = [dict(enumerate(draw.normal(0, 1, 4))) for _ in range(2)]
    apart = {seed + 10: 0.5 + 0.1 * seed for seed in range(4)}
    assert letters([apart, *same]).letters == ("", "a", "a")
    assert letters([{0: 0.5}, {0: 0.4}]).letters == ("", "")  # of one seed nothing can be tested
    assert letters([{0: 0.5, 1: 0.5}, {0: 0.25, 1: 0.25}]).letters == ("", "")  # nor where all differ by the same
    assert letters([]).letters == ()


def test_beyond_sixty_rows_nothing_is_told_apart() -> None:
    rows = [{0: float(k), 1: k + 0.5, 2: k + 0.3} for k in range(61)]
    assert set(letters(rows).letters) == {""}
