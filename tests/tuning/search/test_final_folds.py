"""Several models as one: their embeddings side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.recipe.specs import EvaluateSpec, Recipe
from sandbox.runs.embeddings import KeptSet
from sandbox.tuning.search.final_folds import COMBINED, combine, concatenated, read_combined

from compared import drawn, embedded

PAIRS = Pairs(left=np.array([0, 0]), right=np.array([1, 2]), same=np.array([True, False]))
LABELS = np.array([0, 0, 1])


def unit(rows: list[list[float]]) -> np.ndarray:
    x = np.array(rows, np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_rows_stand_side_by_side_at_unit_length_and_pairs_stay() -> None:
    one, other = unit([[1, 0], [0, 1], [3, 4]]), unit([[1, 0, 0], [0, 0, 1], [2, 1, 2]])
    both = concatenated([KeptSet(one, LABELS, PAIRS), KeptSet(other, LABELS, PAIRS)])
    half = 0.5**0.5
    np.testing.assert_allclose(both.x[0], [half, 0, half, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(both.x[2] / half, [0.6, 0.8, 2 / 3, 1 / 3, 2 / 3], rtol=1e-6)
    # A similarity of both is the mean of the two models' similarities.
    np.testing.assert_allclose(both.x @ both.x.T, (one @ one.T + other @ other.T) / 2, atol=1e-6)
    assert both.pairs is PAIRS and both.x.dtype == np.float32


def test_rows_of_other_images_are_not_put_side_by_side() -> None:
    x = unit([[1, 0], [0, 1], [3, 4]])
    for labels in (np.array([0, 1, 0]), LABELS[:2]):
        with pytest.raises(SandboxError, match="other test images, or in another order"):
            concatenated([KeptSet(x, LABELS), KeptSet(x[: len(labels)], labels)])


@pytest.mark.parametrize("text", ["{}", "[]", '{"test": {"separated/verification/auc": "x"}}', '{"test": [1]}'])
def test_a_damaged_file_of_figures_is_said(tmp_path: Path, text: str) -> None:
    assert read_combined(tmp_path) == {}
    (tmp_path / COMBINED).write_text(text)
    with pytest.raises(SandboxError, match=r"combined\.json is damaged: it has no figures of test"):
        read_combined(tmp_path)


def test_episodes_are_among_the_figures_of_several_models(tmp_path: Path) -> None:
    spec = EvaluateSpec(episodes="5-way 2-shot", episode_count=100, episode_queries=3)
    runs = [embedded(tmp_path, Recipe(loss="triplet_margin", evaluate=spec, seed=s), *drawn(s, 1.5)) for s in range(2)]
    for run in runs:
        run.update(test_images="abc")
    combine(tmp_path, runs)
    found, key = read_combined(tmp_path), "fewshot/accuracy@5-way-2-shot"
    values = [run.read_json("report.json")["test"][key]["value"] for run in runs]
    assert found[f"separated/{key}"] == pytest.approx(sum(values) / 2)
    assert found[f"concatenated/{key}"] > max(values)
