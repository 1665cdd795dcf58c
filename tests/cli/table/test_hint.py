"""What is worth typing once a run is over."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli.table.hint import next_table
from sandbox.recipe.specs import DataSpec, EvaluateSpec, Recipe, digest

from table_runs import finish

GLYPHS, DIGITS = Recipe(), Recipe(data=DataSpec(name="digits"))
FLIPPED = Recipe(data=DataSpec(name="digits"), evaluate=EvaluateSpec(flip=True))


@pytest.mark.parametrize(
    ("recipes", "words"),
    [
        ([GLYPHS, Recipe(loss="arcface")], []),
        ([GLYPHS, DIGITS], ["--columns", "data.name"]),
        ([GLYPHS, DIGITS, FLIPPED], ["--where", f"digest = {digest(FLIPPED)}"]),
    ],
)
def test_the_command_is_one_that_is_not_refused(
    tmp_path: Path, command: Callable[..., Any], recipes: list[Recipe], words: list[str]
) -> None:
    for recipe in recipes:
        finish(tmp_path / "runs", recipe, 0.5, split=recipe.data.name)
    line, _, told = next_table(tmp_path / "runs", tmp_path / "elsewhere", digest(recipes[-1])).partition("        ")
    assert shlex.split(line) == ["python", "experiments/table.py", str(tmp_path / "runs"), *words] and told
    assert command("table.py", *shlex.split(line)[2:]).code == 0
    assert not words or command("table.py", str(tmp_path / "runs")).code == 2


def test_the_folder_that_is_looked_into_anyway_and_one_without_runs(tmp_path: Path) -> None:
    finish(tmp_path, GLYPHS, 0.5)
    assert next_table(tmp_path, tmp_path, "abcd").startswith("python experiments/table.py        compares all")
    assert next_table(tmp_path / "none", tmp_path, "abcd").endswith("/none        compares all finished runs")
