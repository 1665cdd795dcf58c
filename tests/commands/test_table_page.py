"""`table.py page` as a person calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.pipeline.run import run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe
from sandbox.runs.folder import RunFolder, finished_runs

from pages import around_centres, made_run

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two steps on digits, drawn; not to be changed but for its page."""
    recipe = Recipe(
        loss="triplet(margin=0.2)",
        data=DataSpec(name="digits", image_size=8),
        backbone=BackboneSpec(name="conv4", embedding_dim=16),
        batch=BatchSpec(size=16),
        max_steps=2,
        threads=1,
    )
    place = tmp_path_factory.mktemp("digits")
    for _ in run(recipe, out=place, command="a test", pictures=True):
        pass
    return finished_runs(place)[0]


def test_a_page_is_written_anew_with_its_images(command: Command, digits: RunFolder) -> None:
    page = digits.path / "page.html"
    first = page.read_text()
    page.unlink()
    said = command("table.py", "page", str(digits.path))
    assert said.code == 0 and "page.html" in said.out and said.err == ""
    again = page.read_text()
    assert len(again) == pytest.approx(len(first), rel=0.01) and "data:image/" in again
    assert digits.read_json("run.json")["test_evaluations"] == 1


def test_data_that_is_gone_leaves_a_page_without_pictures(command: Command, tmp_path: Path) -> None:
    y = np.repeat(np.arange(3), 4)
    folder = made_run(tmp_path / "runs", around_centres(y), y)  # its digest is of no data set
    said = command("table.py", "page", str(folder.path), "--out", str(tmp_path / "new" / "x.html"))
    assert said.code == 0 and "no pictures, as the data of" in said.err and "has changed since the run" in said.err
    assert "could not be read" in (tmp_path / "new" / "x.html").read_text()
    assert not (folder.path / "page.html").exists()


def test_what_has_no_page_is_one_sentence(command: Command, tmp_path: Path) -> None:
    y = np.repeat(np.arange(3), 4)
    folder = made_run(tmp_path / "runs", around_centres(y), y)
    (folder.path / "embeddings.safetensors").unlink()
    for words, sentence in (
        ((str(folder.path),), "has no embeddings.safetensors, and a page is made of those; train it again"),
        ((str(tmp_path / "nothing"),), "no folder"),
        ((str(folder.path), "--out", "x.png"), "--out is 'x.png', but names a file that ends in .html"),
    ):
        said = command("table.py", "page", *words)
        assert said.code == 2 and said.err.count("\n") == 1 and sentence in said.err
