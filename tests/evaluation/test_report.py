from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures, spell, spell_interval
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, both_kinds, evaluate
from sandbox.evaluation.retrieval.metrics import retrieval
from sandbox.evaluation.verification.metrics import verify_all_pairs, verify_pairs

RETRIEVAL = ["recall@1", "recall@2", "precision@1", "r_precision", "map@r", "mrr", "unmatched"]
VERIFICATION = ["auc", "eer", "tar@far=1e-1", "tar@far=1e-2", "balanced_accuracy", "d_prime"]
KEYS = {f"retrieval/{name}" for name in RETRIEVAL} | {f"verification/{name}" for name in VERIFICATION}
GIVEN = {"verification/accuracy", "verification/accuracy@validation"}
"""Of given pairs alone."""
ASKED: dict[str, Any] = {"recall_at": (1, 2), "far": (0.1, 0.01)}


def report_of(x: np.ndarray, y: np.ndarray, pairs: Pairs | None = None, gallery: Any = None, **how: Any) -> Figures:
    return evaluate(Labelled(x, y), Options(**how), pairs=pairs, gallery=gallery).figures


def rows(seed: int, n: int, classes: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    return (rng.normal(size=(n, 12)) + rng.normal(size=(classes, 12))[y]).astype(np.float32), y


PAIRS = Pairs(np.array([1, 2, 5, 7]), np.array([3, 4, 6, 9]), np.array([True, False, True, False]))
GALLERY = Labelled(*rows(9, 30))


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
@pytest.mark.parametrize("pairs", [None, PAIRS], ids=["all pairs", "given pairs"])
@pytest.mark.parametrize("against", [None, GALLERY], ids=["alone", "gallery"])
def test_every_figure_has_a_value_inside_its_interval_and_says_its_n(against, pairs, metric) -> None:  # type: ignore[no-untyped-def]
    x, y = rows(2, 60)
    y[0] = 99
    report = report_of(x, y, pairs, against, metric=metric, threshold=0.1, balanced_threshold=0.2, **ASKED)
    assert report.keys() == KEYS | {"verification/balanced_accuracy@validation"} | (set() if pairs is None else GIVEN)
    for key, entry in report.items():
        assert entry["low"] <= entry["value"] <= entry["high"], key
        assert isinstance(entry["n"], int) and entry["n"] > 0
        assert all(isinstance(value, float | int) for value in entry.values()), key
        if key not in ("retrieval/unmatched", "verification/d_prime"):
            assert 0 <= entry["low"] and entry["high"] <= 1, key
    assert report["retrieval/unmatched"]["n"] == 60 and report["retrieval/unmatched"]["value"] >= 1
    assert report["verification/auc"]["n"] == (60 * 59 // 2 if pairs is None else 4)


def test_without_intervals_the_same_values_stand_alone() -> None:
    x, y = rows(3, 80)
    full, plain = (report_of(x, y, index="hnsw", balanced_threshold=0.2, quick=on, **ASKED) for on in (False, True))
    assert full.keys() == plain.keys()
    for key, entry in plain.items():
        assert "low" not in entry and "high" not in entry
        whole = {k: v for k, v in full[key].items() if k not in ("low", "high", "identities")}
        assert entry == pytest.approx(whole, abs=1e-12)


def test_a_report_is_what_its_parts_say() -> None:
    x, y = rows(4, 50)
    report = report_of(x, y, balanced_threshold=0.3, **ASKED)
    judged = verify_all_pairs(x, y, far=(0.1, 0.01), thresholds=[0.3])
    assert report == {
        **retrieval(x, y, recall_at=(1, 2)).figures(),
        **judged.figures((0.1, 0.01), balanced_threshold=0.3),
    }
    given = report_of(x, y, PAIRS, GALLERY, **ASKED)
    assert given == {
        **retrieval(x, y, gallery=GALLERY.x, gallery_y=GALLERY.y, recall_at=(1, 2)).figures(),
        **verify_pairs(x, PAIRS.left, PAIRS.right, PAIRS.same, y=y).figures((0.1, 0.01)),
    }


def test_verification_may_be_left_out_and_is_where_one_kind_of_pair_is_missing() -> None:
    x, y = rows(5, 40)
    only = {key for key in KEYS if key.startswith("retrieval/")}
    assert report_of(x, y, verification=False, **ASKED).keys() == only
    assert report_of(x, np.zeros(40, int), **ASKED).keys() == only
    same = replace(PAIRS, same=np.ones(4, bool))
    assert report_of(x, y, same, **ASKED).keys() == only
    lone = np.arange(40)
    assert report_of(x, lone, gallery=Labelled(x[:5], lone[:5]), **ASKED).keys() == only


@pytest.mark.parametrize(
    ("y", "pairs", "both"),
    [
        ([0, 0, 1], None, True),
        ([0, 0, 0], None, False),
        ([0, 1, 2], None, False),
        ([0, 1, 2], PAIRS, True),
        ([0, 0, 1], replace(PAIRS, same=np.zeros(4, bool)), False),
    ],
)
def test_both_kinds_of_pair_are_there_or_not(y, pairs, both: bool) -> None:  # type: ignore[no-untyped-def]
    assert both_kinds(np.array(y), pairs) is both


@pytest.mark.parametrize("index", ["ivf", "hnsw"])
def test_an_approximate_index_is_reported_with_its_recall(index) -> None:  # type: ignore[no-untyped-def]
    x, y = rows(6, 300)
    report = report_of(x, y, index=index, **ASKED)
    assert report.keys() == KEYS | {"retrieval/index_recall"}
    entry = report["retrieval/index_recall"]
    assert 0 < entry["low"] <= entry["value"] <= entry["high"] <= 1
    assert entry["n"] == 300


def test_what_cannot_be_evaluated_is_refused() -> None:
    x, y = rows(7, 10)
    with pytest.raises(SandboxError, match="no query has a match"):
        report_of(x, np.arange(10))
    with pytest.raises(SandboxError, match="no similarity named 'euclid'"):
        report_of(x, y, metric="euclid")


@pytest.mark.parametrize(
    ("entry", "shown", "interval"),
    [
        (None, "", ""),
        ({"value": 0.123456, "low": 0.1, "high": 0.23456, "n": 5}, "0.1235", "0.1000 to 0.2346"),
        ({"value": 0.5, "n": 5}, "0.5000", ""),
        ({"value": 0.5, "low": float("nan"), "high": float("nan"), "n": 5}, "0.5000", ""),
        ({"value": 3, "low": 3, "high": 3, "n": 5}, "3", ""),
        ({"value": 0.5, "low": 0.1, "high": 0.9, "n": 5, "supported": False}, "unsupported", ""),
        ({"value": 0.5, "low": 0.1, "high": 0.9, "n": 5, "supported": True}, "0.5000", "0.1000 to 0.9000"),
        ({"value": 0.9945, "low": 0.9945, "high": 0.9945, "n": 362, "identities": 2}, "0.9945", "2 identities"),
        ({"value": 0.5, "low": 0.0, "high": 1.0, "n": 5, "identities": 1}, "0.5000", "1 identity"),
        ({"value": 0, "low": 0, "high": 0, "n": 5, "identities": 2}, "0", ""),
    ],
)
def test_an_entry_is_spelt_with_its_interval_or_not_at_all(entry, shown: str, interval: str) -> None:  # type: ignore[no-untyped-def]
    assert spell(entry) == shown
    assert spell_interval(entry) == interval
