from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.identification.closed_set import search
from sandbox.evaluation.identification.open_set import OpenSet, decide, dir_at_fpir, draw, fit_threshold

from galleries import Case, by_loop, case_of


def open_set(*case: np.ndarray, thresholds: np.ndarray, **failures: np.ndarray) -> OpenSet:
    return decide(search(*case, **failures), thresholds)  # type: ignore[arg-type]


CASES = st.builds(case_of, st.integers(0, 10**6), st.sampled_from([1, 2, 1000]))


@settings(max_examples=40)
@given(CASES)
def test_open_set_decides_as_a_loop(case: Case) -> None:
    probes, probe_y, gallery, gallery_y = case
    found = search(*case)
    thresholds = np.concatenate([np.unique(found.top), [-np.inf, np.inf, 0.3]])
    decided = open_set(*case, thresholds=thresholds)
    for t, threshold in enumerate(thresholds):
        for p in range(len(probes)):
            rank, top = by_loop(probes[p], int(probe_y[p]), gallery, gallery_y, "best")
            accepted = top >= np.float32(threshold)
            mated = probe_y[p] in gallery_y
            assert decided.identified[t, p] == (mated and rank == 1 and accepted)
            assert decided.false_positive[t, p] == (not mated and accepted)
    np.testing.assert_array_equal(decided.mated, found.mated)


def test_failures_are_never_accepted() -> None:
    x, y, gallery = np.eye(3), np.array([1, 2, 9]), np.eye(3)[:2]
    x[2], failed = np.nan, np.array([False, False, True])
    decided = open_set(x, y, gallery, np.array([1, 2]), thresholds=np.array([-np.inf]), failed=failed)
    assert decided.identified.tolist() == [[True, True, False]] and not decided.false_positive.any()
    unenrolled = np.array([False, True])
    decided = open_set(
        x, y, gallery, np.array([1, 2]), thresholds=np.array([-np.inf]), failed=failed, gallery_failed=unenrolled
    )
    assert decided.identified.tolist() == [[True, False, False]] and decided.mated.tolist() == [True, True, False]


def test_a_threshold_and_a_score_written_alike_are_equal() -> None:
    # 0.7 as a float32 lies below 0.7 as a float64.
    probe, gallery = np.array([[1.0, 0]]), np.array([[0.7, 0]])
    for label in (1, 2):
        decided = open_set(probe, np.array([label]), gallery, np.array([1]), thresholds=np.array([0.7]))
        assert decided.identified.any() == (label == 1) and decided.false_positive.any() == (label == 2)


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from([-np.inf, -0.5, 0.0, 0.1, 0.3, 1 / 3, 0.9, 1.0]), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 1.0]),
)
def test_no_lower_float32_threshold_keeps_the_rate(scores: list[float], fpir: float) -> None:
    top = np.array(scores, np.float32)
    threshold, reached = fit_threshold(np.array(scores), fpir)

    def rate(at: float) -> float:
        return float(((top >= np.float32(at)) & (top > -np.inf)).mean())

    assert rate(threshold) == reached <= fpir
    if threshold == -np.inf:
        assert (top > -np.inf).mean() <= fpir
    else:
        assert rate(float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))) > fpir


def test_thresholds_of_plain_cases() -> None:
    ten = np.linspace(0.1, 1.0, 10)
    above = lambda score: float(np.nextafter(np.float32(score), np.float32(2)))  # noqa: E731
    assert fit_threshold(ten, 0.0) == (above(1.0), 0.0)
    assert fit_threshold(ten, 0.1) == (above(0.9), 0.1)
    assert fit_threshold(ten, 0.19) == (above(0.9), 0.1)
    assert fit_threshold(ten, 1.0) == (-np.inf, 1.0)
    assert fit_threshold(np.array([0.5, 0.5, 0.5, 0.2]), 0.5) == (above(0.5), 0.0)
    assert fit_threshold(np.array([0.5, 0.5, -np.inf, -np.inf]), 0.5) == (-np.inf, 0.5)
    # 0.3 as a float64 lies below its float32; both are one score.
    assert fit_threshold(np.array([0.3, float(np.float32(0.3)), 0.1]), 0.5) == (above(0.3), 0.0)


def part_of(seed: int, first: int, people: int, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows of people numbered from `first`, 1 to 5 images each."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(first, first + people), rng.integers(1, 6, people))
    rng.shuffle(y)
    x = rng.normal(size=(first + people, 8))[y] + noise * rng.normal(size=(len(y), 8))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([0.1, 0.4, 0.8]))
def test_a_draw_gives_each_row_one_role_and_enrols_no_stranger(seed: int, enrol: int, strangers: float) -> None:
    y = part_of(seed, 100, 40)[1]
    drawn = draw(y, enrol=enrol, strangers=strangers, seed=seed)
    assert sorted(np.concatenate([drawn.gallery, drawn.mated, drawn.strangers]).tolist()) == list(range(len(y)))
    enrolled, unknown = set(y[drawn.gallery].tolist()), set(y[drawn.strangers].tolist())
    assert not enrolled & unknown and set(y[drawn.mated].tolist()) == enrolled
    assert (np.unique(y[drawn.gallery], return_counts=True)[1] == enrol).all()
    few = {person for person in set(y.tolist()) if (y == person).sum() <= enrol}
    assert few <= unknown
    assert round(strangers * 40) - len(few) <= len(unknown - few) <= round(strangers * 40)


def test_a_draw_follows_from_the_seed() -> None:
    y = part_of(0, 0, 60)[1]
    first, again, other = (draw(y, enrol=1, strangers=0.5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.gallery, again.gallery)
    np.testing.assert_array_equal(first.strangers, again.strangers)
    assert first.strangers.tolist() != other.strangers.tolist()
    assert (
        len(
            {
                tuple(draw(np.zeros(4, int) + (np.arange(4) > 1), enrol=1, strangers=0.5, seed=s).gallery)
                for s in range(40)
            }
        )
        == 4
    )


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(["best", "mean"]), st.integers(1, 2))
def test_dir_at_fpir_equals_the_protocol_spelled_out(seed: int, template: str, enrol: int) -> None:
    (cx, cy), (tx, ty) = part_of(seed, 0, 50), part_of(seed + 1, 50, 30)
    rng = np.random.default_rng(seed)
    c_failed, t_failed = rng.random(len(cy)) < 0.1, rng.random(len(ty)) < 0.2
    cx[c_failed], tx[t_failed] = np.nan, np.nan
    targets = (0.0, 0.01, 0.1, 0.3, 1.0)
    result = dir_at_fpir(
        cx, cy, tx, ty, fpir=targets, enrol=enrol, template=template, seed=seed,  # type: ignore[arg-type]
        calibration_failed=c_failed, test_failed=t_failed,
    )  # fmt: skip

    def outcome(x: np.ndarray, y: np.ndarray, failed: np.ndarray, gallery: np.ndarray, row: int) -> tuple:  # type: ignore[type-arg]
        kept = gallery[~failed[gallery]]
        return (0, -np.inf) if failed[row] else by_loop(x[row], int(y[row]), x[kept], y[kept], template)

    tops = [outcome(cx, cy, c_failed, result.calibration.gallery, row)[1] for row in result.calibration.strangers]
    mated = [outcome(tx, ty, t_failed, result.test.gallery, row) for row in result.test.mated]
    strange = [outcome(tx, ty, t_failed, result.test.gallery, row)[1] for row in result.test.strangers]
    for t, target in enumerate(targets):
        threshold, reached = fit_threshold(np.array(tops), target)
        assert result.thresholds[t] == pytest.approx(threshold, rel=1e-6)
        assert result.calibration_fpir[t] == reached <= target
        at = float(result.thresholds[t])
        assert result.identified[t].tolist() == [rank == 1 and top >= at for rank, top in mated]
        assert result.false_positive[t].tolist() == [top >= at and top > -np.inf for top in strange]
        assert result.supported[t] == (len(tops) * target >= 30)
    assert (np.diff(result.identified.mean(1)) >= 0).all() and (np.diff(result.false_positive.mean(1)) >= 0).all()
    for part, y, failed, size in (
        (result.calibration, cy, c_failed, result.calibration_gallery),
        (result.test, ty, t_failed, result.test_gallery),
    ):
        assert size == len({int(y[row]) for row in part.gallery if not failed[row]})
        assert not set(y[part.gallery]) & set(y[part.strangers])


def test_thresholds_ignore_the_test_part_and_support_needs_thirty_false_positives() -> None:
    calibration = part_of(0, 0, 200)
    one, other = (dir_at_fpir(*calibration, *part_of(seed, 200, 40), seed=3) for seed in (1, 2))
    np.testing.assert_array_equal(one.thresholds, other.thresholds)
    assert 300 <= len(one.calibration.strangers) < 3000
    assert one.supported.tolist() == [True, False] and one.fpir == (0.1, 0.01)
    assert one.identified.shape == (2, len(one.test.mated))
    assert one.false_positive.shape == (2, len(one.test.strangers))


X, Y = np.eye(4), np.array([1, 1, 2, 2])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_threshold(np.array([]), 0.1), "fitted on the top scores (S,) of strangers, not on (0,)"),
        (lambda: fit_threshold(np.array([0.1]), 1.5), "a false positive rate lies between 0 and 1, not at 1.5"),
        (lambda: fit_threshold(np.array([0.1, np.nan]), 0.1), "hold NaN or +inf"),
        (lambda: fit_threshold(np.array([0.1, np.inf]), 0.1), "hold NaN or +inf"),
        (lambda: dir_at_fpir(X, Y, X, Y + 1), "but 1 label is in both parts, such as 2"),
        (lambda: dir_at_fpir(X, Y, X, Y), "but 2 labels are in both parts, such as 1"),
        (
            lambda: dir_at_fpir(X, Y, np.full((4, 4), np.nan), Y + 5),
            "4 of 4 test rows are not finite, the first is row 0",
        ),
        (
            lambda: dir_at_fpir(X, Y, X, Y + 5, enrol=2),
            "the calibration part leaves nobody to enrol: of 2 people 0 have more than 2 rows",
        ),
        (
            lambda: dir_at_fpir(X, Y, X, np.arange(4) + 5),
            "the test part leaves nobody to enrol: of 4 people 0 have more than 1 row,",
        ),
        (lambda: draw(Y, enrol=0, strangers=0.5, seed=0), "enrol must be 1 or more"),
        (lambda: draw(Y, enrol=1, strangers=1.0, seed=0), "the share of strangers lie between 0 and 1, not 1 and 1.0"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SandboxError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)
