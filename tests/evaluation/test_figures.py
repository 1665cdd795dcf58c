"""How figures are called."""

from __future__ import annotations

import pytest

from sandbox.evaluation.figures import printed_name, spell_threshold, validation_keys
from sandbox.recipe.episodes import Task


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("retrieval/map@r", "MAP@R"),
        ("retrieval/recall@10", "R@10"),
        ("verification/auc", "AUC"),
        ("verification/eer", "EER"),
        ("verification/tar@far=1e-3", "TAR@FAR=1e-3"),
        ("verification/accuracy@10-fold", "verification accuracy@10-fold"),
        ("classification/top@1", "top-1"),
        ("concatenated/retrieval/map@r", "MAP@R, concatenated"),
        ("separated/verification/tar@far=1e-3", "TAR@FAR=1e-3, separated"),
        ("verification/balanced_accuracy", "balanced accuracy"),
        ("verification/balanced_accuracy@validation", "balanced accuracy@validation"),
        ("homework/score", "homework mark"),
        ("retrieval/unmatched", "queries without a match"),
        ("fewshot/accuracy@5-way-1-shot", "5-way 1-shot accuracy"),
        ("concatenated/fewshot/accuracy@20-way-5-shot", "20-way 5-shot accuracy, concatenated"),
        ("fewshot/accuracy@many", "fewshot/accuracy@many"),
        ("identification/strangers@fpir=1e-2", "strangers named@FPIR=1e-2"),
        ("retrieval/index_recall", "retrieval/index_recall"),
        ("test/retrieval/map@r", "test/retrieval/map@r"),
    ],
)
def test_figures_are_called_as_papers_do(key: str, printed: str) -> None:
    assert printed_name(key) == printed


def test_a_threshold_just_below_one_is_not_printed_as_one() -> None:
    printed = [spell_threshold(value) for value in (0.55400512, 0.99995577, -0.2, 1.0, 0.99999999)]
    assert printed == ["0.5540", "0.99995577", "-0.2000", "1.0000", "0.99999999"]


def test_every_figure_of_validation_has_a_name_of_its_own() -> None:
    keys = validation_keys([1, 10], [1e-1, 1e-3], [Task(5, 1), Task(20, 5)])
    assert len({printed_name(key) for key in keys} - set(keys)) == len(keys)
