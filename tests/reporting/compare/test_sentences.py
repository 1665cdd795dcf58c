"""Sentences that one may print."""

from __future__ import annotations

from sandbox.evaluation.comparison.equal import equivalence
from sandbox.evaluation.comparison.needed import Needed, needed
from sandbox.evaluation.intervals.paired import paired
from sandbox.reporting.compare.seeds import FigureOverSeeds, OverSeeds
from sandbox.reporting.compare.sentences import of_seeds

SEEDS = (0, 1, 2, 3, 4)


def said(a: tuple[float, ...], b: tuple[float, ...], *, holm: float = 0.0, count: int = 1, margin: float = 0.0) -> str:
    found = paired(a, b)
    equal = equivalence(found, margin) if margin else None
    figure = FigureOverSeeds(
        *("test/retrieval/map@r", SEEDS[: len(a)], a, b, found, holm or found.p, needed(found), equal, True)
    )
    return of_seeds(OverSeeds(("A", "B"), ("", ""), SEEDS, (figure,) * count, (), ()), figure)


def test_a_difference_that_is_lost_among_the_figures_shown_is_called_that() -> None:
    a, b = (0.52, 0.55, 0.56, 0.53, 0.57), (0.5, 0.52, 0.56, 0.51, 0.53)
    assert said(a, b).startswith("A is better than B by 0.022 MAP@R (95 % interval 0.004 to 0.040, n = 5 paired seeds")
    lost = said(a, b, holm=0.1, count=4)
    assert lost.startswith("A is ahead of B by 0.022 MAP@R, but not by more than chance allows once the 4 figures")
    assert ", p = 0.1 with Holm's correction for 4 figures)" in lost and "better" not in lost
    assert said(b, a).startswith("B is better than A by 0.022 MAP@R (95 % interval 0.004 to 0.040, ")


def test_ways_that_agree_are_not_called_equal_without_a_test() -> None:
    assert said((0.5, 0.6), (0.5, 0.6), margin=0.1) == (
        "A and B have the same MAP@R with each of 2 paired seeds. This does not settle whether they are within the 0.1 "
        "that count as equal."
    )


def test_a_difference_too_small_for_any_number_of_seeds() -> None:
    text = said((0.5, 0.6, 0.7, 0.5), (0.6, 0.5, 0.5, 0.7))
    assert text.endswith("more than 100,000 seeds would be needed to settle a difference of this size.")
    assert needed(paired((0.5, 0.6, 0.7, 0.5), (0.6, 0.5, 0.5, 0.7))) != Needed(None, None, None)


def test_both_intervals_of_a_sentence_are_of_the_way_that_is_ahead() -> None:
    a, b = (0.52, 0.55, 0.56, 0.53, 0.57), (0.5, 0.52, 0.56, 0.51, 0.53)
    assert said(a, b, margin=0.02).partition(".")[2].replace("A is", "") == said(b, a, margin=0.02).partition(".")[2]
    assert "90 % interval 0.008 to 0.036" in said(b, a, margin=0.02)


def test_what_only_the_other_figures_leave_open_is_given_no_number_of_seeds() -> None:
    a, b = (0.53, 0.55, 0.56, 0.53, 0.57), (0.5, 0.52, 0.54, 0.51, 0.53)
    assert needed(paired(a, b)).seeds in (3, 4, 5)
    assert said(a, b, holm=0.1, count=4).endswith("more seeds are needed to settle a difference of this size.")
