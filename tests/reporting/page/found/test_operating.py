"""Counts at thresholds against a loop over all pairs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.evaluation.similarity import as_products
from sandbox.reporting.page.found.near import near_pairs
from sandbox.reporting.page.found.operating import operate
from sandbox.reporting.page.written.roc import points, roc
from sandbox.runs.embeddings import KeptSet

from pages import around_centres

FAR = (1e-1, 1e-2, 1e-3, 1e-4)


def kept(given: bool, spread: float = 0.9) -> KeptSet:
    labels = np.repeat(np.arange(9), 8)
    pairs = None
    if given:
        left, right = np.random.default_rng(1).integers(0, len(labels), (2, 500))
        left, right = left[left != right], right[left != right]
        pairs = Pairs(left, right, labels[left] == labels[right])
    return KeptSet(around_centres(labels, spread=spread), labels, pairs)


def every_score(rows: KeptSet) -> tuple[np.ndarray, np.ndarray]:
    """Scores (M,) float32 of all pairs, or of those given, one by one, and whether they are genuine."""
    if rows.pairs is None:
        left, right = np.triu_indices(len(rows.x), 1)
    else:
        left, right = rows.pairs.left, rows.pairs.right
    wide = as_products(rows.x)[0].astype(np.float64)
    scores = [np.float32((wide[a] * wide[b]).sum()) for a, b in zip(left, right, strict=True)]
    return np.array(scores), rows.labels[left] == rows.labels[right]


@pytest.mark.parametrize(
    ("given", "spread"), [(False, 0.9), (True, 0.9), (False, 0.002)], ids=["all", "given", "narrow"]
)
def test_counts_are_those_of_a_loop_over_pairs(given: bool, spread: float) -> None:
    rows = kept(given, spread)
    figures = evaluate(Labelled(rows.x, rows.labels), Options(far=FAR), pairs=rows.pairs).figures
    counted = operate(rows, figures)
    assert counted is not None
    scores, same = every_score(rows)
    assert (counted.genuine, counted.impostors) == (same.sum(), (~same).sum())
    assert (np.diff(counted.threshold) > 0).all()
    for k, threshold in enumerate(counted.threshold):
        reached = scores >= threshold
        assert counted.genuine_from[k] == (reached & same).sum()
        assert counted.impostors_from[k] == (reached & ~same).sum()
    assert counted.genuine_in.sum() == counted.genuine and counted.impostors_in.sum() == counted.impostors
    assert len(counted.edges) == len(counted.genuine_in) + 1


def test_marks_are_the_thresholds_that_the_report_names() -> None:
    rows = kept(False)
    figures = evaluate(Labelled(rows.x, rows.labels), Options(far=FAR, balanced_threshold=0.61)).figures
    counted = operate(rows, figures)
    assert counted is not None
    marks = {mark.name: mark for mark in counted.marks}
    equal = marks["EER"].place
    assert equal is not None and counted.threshold[equal] == np.float32(figures["verification/eer"]["threshold"])
    chosen = marks["chosen on validation"].place
    assert chosen is not None and counted.threshold[chosen] == np.float32(0.61)
    for rate in ("1e-1", "1e-2"):
        mark, entry = marks[f"FAR {rate}"], figures[f"verification/tar@far={rate}"]
        assert mark.place is not None
        assert counted.genuine_from[mark.place] / counted.genuine == pytest.approx(entry["value"])
        assert counted.impostors_from[mark.place] / counted.impostors == pytest.approx(entry["far"])
    assert marks["FAR 1e-1"].note == "" and "300,000 impostor pairs" in marks["FAR 1e-4"].note


def test_one_kind_of_pair_has_no_thresholds() -> None:
    assert operate(KeptSet(around_centres(np.zeros(5, np.int64)), np.zeros(5, np.int64)), {}) is None


@pytest.mark.parametrize("given", [False, True])
def test_pairs_beside_the_threshold_are_pairs_with_their_own_scores(given: bool) -> None:
    rows = kept(given)
    counted = operate(rows, {})
    assert counted is not None
    near = near_pairs(rows, counted)
    wide = rows.x.astype(np.float64)
    assert near.scores == pytest.approx((wide[near.left] * wide[near.right]).sum(1), abs=1e-6)
    assert (near.same == (rows.labels[near.left] == rows.labels[near.right])).all()
    assert (np.diff(near.scores) >= 0).all() and (near.left != near.right).all()
    assert near.same.sum() > 20 and (~near.same).sum() > 100
    scores, same = every_score(rows)
    hardest = scores[~same].max()
    assert near.scores[~near.same].max() == pytest.approx(hardest, abs=1e-6)  # the hardest impostor is among them


def test_a_drawn_curve_has_the_tar_of_the_stricter_threshold_between_two() -> None:
    counted = operate(kept(False), {})
    assert counted is not None
    path = re.search(r'class="line c0" d="M([\d.]+) ([\d.]+)([^"]*)"', roc([("A", counted)]))
    assert path is not None
    x, y = float(path[1]), float(path[2])
    places = {name: [float(value) for value in re.findall(rf"{name}([\d.]+)", path[3])] for name in "VH"}
    assert path[3].startswith("V") and len(places["V"]) == len(places["H"]) == len(counted.threshold)
    assert min(places["H"]) >= 44 and max(places["H"]) <= x and min(places["V"]) >= y  # TAR falls as FAR does
    corners = points([("A", counted)])[0]["runs"][0]
    assert (corners["x"], corners["y"]) in set(zip(places["H"], places["V"], strict=True))
