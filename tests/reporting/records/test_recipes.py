"""Recipes of many run folders are read as each by itself would be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec, OptimizerSpec, Recipe, digest
from sandbox.reporting.records.recipes import Known, read_recipe_of
from sandbox.runs.folder import RunFolder, create


def test_what_was_read_before_gives_the_same_recipe(tmp_path: Path) -> None:
    plain = Recipe(data=DataSpec(name="digits", split_seed=7, fold_seed=3), optimizer=OptimizerSpec(lr=0.01))
    folders = [create(tmp_path, replace(plain, seed=seed), f"line {seed}\nseed = 5") for seed in (0, 3, 2**31)]
    folders.append(create(tmp_path, replace(plain, loss="contrastive"), "another"))
    known: Known = {}
    for folder in folders:
        assert read_recipe_of(folder, known) == (folder.recipe(), digest(folder.recipe()))
    assert len(known) == 2


@pytest.mark.parametrize(
    "line",
    [
        'loss = """\nseed = 9\n"""\nseed = 3\n',
        "seed = 03\n",
        "seed = 1.0\n",
        'seed = "1"\n',
        "seed = 1\nseed = 2\n",
        "",
    ],
)
def test_seeds_in_another_spelling_are_read_by_the_grammar_alone(tmp_path: Path, line: str) -> None:
    folder = create(tmp_path, Recipe(seed=1), "a test")
    path = folder.path / "recipe.toml"
    path.write_text(path.read_text().replace("seed = 1\n", line, 1).replace('loss = "triplet"\n', "", '"""' in line))
    known: Known = {}
    read_recipe_of(create(tmp_path, Recipe(seed=4), "a test"), known)
    try:
        expected = folder.recipe()
    except SandboxError as error:
        with pytest.raises(SandboxError) as found:
            read_recipe_of(folder, known)
        assert str(found.value) == str(error)
    else:
        assert read_recipe_of(folder, known)[0] == expected


def test_a_folder_without_a_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="it has no recipe"):
        read_recipe_of(RunFolder(tmp_path), {})
