"""Figures of embeddings that are cut to their first numbers."""

from __future__ import annotations

from functools import partial

import numpy as np

from sandbox.cli.report_table import first_rows
from sandbox.evaluation.figures import Figures, lower_is_better, printed_name
from sandbox.evaluation.pairs import Pairs
from sandbox.pipeline.judging.evaluate import figures_of
from sandbox.pipeline.judging.lengths import figures_at, first_numbers
from sandbox.recipe.specs import EvaluateSpec
from sandbox.runs.embeddings import KeptSet


def kept(seed: int) -> KeptSet:
    """Rows whose first numbers tell three classes apart, and pairs of them."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), 4)
    x = np.concatenate([np.eye(3)[labels] + draw.normal(0, 0.6, (12, 3)), draw.normal(0, 3, (12, 5))], 1)
    left, right = np.triu_indices(12, 1)
    pairs = Pairs(left, right, labels[left] == labels[right])
    return KeptSet((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels, pairs)


def judged(name: str, sets: dict[str, KeptSet], validation: Figures | None, lengths: tuple[int, ...]) -> Figures:
    judge = partial(figures_of, name=name, spec=EvaluateSpec())
    return judge(sets, validation=validation) | figures_at(lengths, sets, name, judge, validation)


def test_each_length_has_the_figures_of_rows_that_have_no_more_numbers() -> None:
    sets = {"val": kept(0)}
    found = judged("val", sets, None, (3, 5, 8))
    alone = figures_of({"val": KeptSet(first_numbers(sets["val"].x, 3), sets["val"].labels, sets["val"].pairs)}, "val",
                       EvaluateSpec())  # fmt: skip
    assert {key.removeprefix("first3/") for key in found if key.startswith("first3/")} == alone.keys()
    assert all(found[f"first3/{key}"] == entry for key, entry in alone.items())
    assert found["first3/retrieval/map@r"]["value"] > found["retrieval/map@r"]["value"]
    assert any(key.startswith("first5/") for key in found) and not any(key.startswith("first8/") for key in found)


def test_test_is_judged_at_the_thresholds_that_validation_chose_at_the_same_length() -> None:
    sets = {"val": kept(0), "test": kept(1), "test/verify": kept(2)}
    validation = judged("val", sets, None, (3,))
    test = judged("test", sets, validation, (3,))
    threshold = validation["first3/verification/accuracy"]["threshold"]
    assert threshold != validation["verification/accuracy"]["threshold"]
    assert test["first3/verification/accuracy@validation"]["threshold"] == threshold


def test_without_lengths_nothing_is_added() -> None:
    sets = {"val": kept(0)}
    assert judged("val", sets, None, ()) == figures_of(sets, "val", EvaluateSpec())


def test_first_numbers_are_unit_rows_and_a_row_of_zeros_stays_one() -> None:
    x = np.array([[3.0, 4.0, 9.0], [0.0, 0.0, 1.0]], dtype=np.float32)
    np.testing.assert_allclose(first_numbers(x, 2), [[0.6, 0.8], [0, 0]])


def test_the_first_table_has_a_row_for_each_length_in_their_order() -> None:
    entry: Figures = {
        key: {"value": 0.5, "n": 9}
        for key in (
            "first128/retrieval/map@r",
            "first64/retrieval/map@r",
            "retrieval/map@r",
            "first64/verification/eer",
        )
    }
    assert [row.name for row in first_rows({"test": entry})] == ["MAP@R", "MAP@R, first 64", "MAP@R, first 128"]
    assert printed_name("first64/verification/tar@far=1e-3") == "TAR@FAR=1e-3, first 64"
    assert lower_is_better("first64/verification/eer")
