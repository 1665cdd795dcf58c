"""What a folder of folds is not begun with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.pipeline.folds.plan import begun
from sandbox.recipe.specs import EvaluateSpec

from killed import folds_recipe


@pytest.mark.parametrize("asked", [{"figures": "pauc@0.1"}, {"after": "rerank"}], ids=str)
def test_figures_that_the_mean_over_folds_has_none_of_are_refused(tmp_path: Path, asked: dict[str, str]) -> None:
    recipe = replace(folds_recipe(tmp_path / "tree"), evaluate=EvaluateSpec(**asked))  # type: ignore[arg-type]
    ((name, text),) = asked.items()
    with pytest.raises(
        SandboxError, match=rf"evaluate\.{name} is '{text}', but data\.fold is all, whose report is the"
    ):
        begun(recipe, out=tmp_path / "out", command="a test")
    assert not (tmp_path / "out").exists()
