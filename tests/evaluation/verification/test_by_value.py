"""Figures by the values of a column, against counting at one threshold."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import lower_is_better, printed_name
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.evaluation.verification.by_value import MOST, Groups, by_value, check_groups, left_out


def rows(people: int = 16, images: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(people), images)
    x = rng.normal(size=(people, 6))[y] + 0.7 * rng.normal(size=(len(y), 6))
    column = np.where(y < 11, "shirt", "dress")
    return x.astype(np.float32), y, column


def counted(x: np.ndarray, y: np.ndarray, pairs: list[tuple[int, int]], threshold: float) -> dict[str, float]:
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    scores = np.array([np.float32(unit[a] @ unit[b]) for a, b in pairs])
    same = np.array([y[a] == y[b] for a, b in pairs])
    fnmr, fmr = (scores[same] < threshold).mean(), (scores[~same] >= threshold).mean()
    balanced = 1 - (fnmr + fmr) / 2
    return {"auc": roc_auc_score(same, scores), "balanced_accuracy": balanced, "fnmr": fnmr, "fmr": fmr}


def test_each_group_is_counted_at_the_threshold_of_all() -> None:
    x, y, column = rows()
    report = evaluate(Labelled(x, y), Options(by=Groups("category", column))).figures
    at = report["verification/balanced_accuracy"]["threshold"]
    for value in ("shirt", "dress"):
        inside = np.flatnonzero(column == value)
        hand = counted(x, y, list(combinations(inside.tolist(), 2)), at)
        genuine = sum(int(y[a] == y[b]) for a, b in combinations(inside, 2))
        for name, wanted in hand.items():
            entry = report[f"by/category={value}/verification/{name}"]
            assert entry["value"] == pytest.approx(wanted, abs=1e-6), (value, name)
            assert entry["low"] <= entry["value"] <= entry["high"]
            assert ("identities" in entry) == (value == "dress")  # five of them, and eleven
        assert report[f"by/category={value}/verification/fnmr"]["n"] == genuine
        assert report[f"by/category={value}/verification/fmr"]["threshold"] == at


def test_validation_s_threshold_is_taken_where_there_is_one() -> None:
    x, y, column = rows()
    report = evaluate(Labelled(x, y), Options(by=Groups("category", column), balanced_threshold=0.25)).figures
    inside = np.flatnonzero(column == "dress")
    hand = counted(x, y, list(combinations(inside.tolist(), 2)), 0.25)
    assert report["by/category=dress/verification/fmr"]["value"] == pytest.approx(hand["fmr"])
    assert report["by/category=dress/verification/fmr"]["threshold"] == 0.25
    quick = evaluate(Labelled(x, y), Options(by=Groups("category", column), quick=True)).figures
    assert not [key for key in quick if key.startswith("by/")]


def test_given_pairs_count_where_both_images_are_in_the_group() -> None:
    x, y, column = rows()
    listed = list(combinations(range(len(y)), 2))[::3]
    left, right = map(np.array, zip(*listed, strict=True))
    pairs = Pairs(left=left, right=right, same=y[left] == y[right])
    found = by_value(x, y, Groups("category", column), 0.4, pairs=pairs)
    inside = [(a, b) for a, b in listed if column[a] == column[b] == "shirt"]
    hand = counted(x, y, inside, 0.4)
    assert found["by/category=shirt/verification/fmr"]["value"] == pytest.approx(hand["fmr"])
    assert found["by/category=shirt/verification/fnmr"]["value"] == pytest.approx(hand["fnmr"])


def test_what_is_left_out_is_said() -> None:
    x, y, column = rows()
    column = column.astype("U10")
    column[:4], column[4:8], column[8] = "hat", "", "shoe"
    groups = Groups("category", column)
    assert left_out(groups, y) == [
        "2 values of category without genuine or without impostor pairs left out: hat, shoe",
        "4 images have no category, and are in no group",
    ]
    assert not [key for key in by_value(x, y, groups, 0.4) if "hat" in key or "shoe" in key or "=/" in key]


def test_columns_of_too_many_values_or_none_are_refused() -> None:
    with pytest.raises(SandboxError, match=f"has 51 values, but figures are given by {MOST} at most"):
        check_groups(Groups("path", np.array([str(n) for n in range(51)])), "--by")
    check_groups(Groups("path", np.array([str(n) for n in range(50)])), "--by")
    with pytest.raises(SandboxError, match="is path, but that column is empty"):
        check_groups(Groups("path", np.array(["", ""])), "--by")


def test_names_as_they_are_printed() -> None:
    assert printed_name("by/category=a/b/verification/fnmr") == "FNMR, category=a/b"
    assert printed_name("by/camera=1/verification/auc") == "AUC, camera=1"
    assert lower_is_better("test/by/camera=1/verification/fmr")
