"""`table.py page` as a person calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.data.catalog import load
from sandbox.recipe.specs import DataSpec
from sandbox.reporting.page.found.material import pictured
from sandbox.reporting.page.written.write import write_page
from sandbox.runs.folder import RunFolder

from pages import around_centres, made_run

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run on the test images of digits, with a page; not to be changed but for that."""
    splits = load(DataSpec(name="digits"))
    labels = splits.test.labels
    run = made_run(tmp_path_factory.mktemp("digits"), around_centres(labels), labels, split=splits.digest)
    write_page(run, pictured(splits, "test"))
    return run


def test_a_page_is_written_anew_with_its_images(command: Command, digits: RunFolder) -> None:
    page = digits.path / "page.html"
    first = page.read_text()
    page.unlink()
    said = command("table.py", "page", str(digits.path))
    assert said.code == 0 and "page.html" in said.out and said.err == ""
    again = page.read_text()
    assert again == first and "data:image/" in again
    assert "test_evaluations" not in digits.read_json("run.json")  # the page shows what the run has shown already


def test_data_that_is_gone_leaves_a_page_without_pictures(command: Command, tmp_path: Path) -> None:
    y = np.repeat(np.arange(3), 4)
    folder = made_run(tmp_path / "runs", around_centres(y), y)  # its digest is of no data set
    said = command("table.py", "page", str(folder.path), "--out", str(tmp_path / "new" / "x.html"))
    assert said.code == 0 and "no pictures, as the data of" in said.err and "has changed since the run" in said.err
    assert "could not be read" in (tmp_path / "new" / "x.html").read_text()
    assert not (folder.path / "page.html").exists()


def test_several_runs_have_one_page(command: Command, tmp_path: Path) -> None:
    y = np.repeat(np.arange(3), 4)
    for seed in (0, 1):
        made_run(tmp_path / "runs", around_centres(y, seed=seed), y, seed=seed)
    file = tmp_path / "both.html"
    said = command("table.py", "page", str(tmp_path / "runs"), "--out", str(file))
    assert said.code == 0 and "2 runs on digits, test split" in file.read_text()
    said = command("table.py", "page", str(tmp_path / "runs"))
    assert said.code == 2 and "2 runs are chosen: give --out FILE.html for a page of all" in said.err
    made_run(tmp_path / "runs", around_centres(y[:8]), y[:8])
    said = command("table.py", "page", str(tmp_path / "runs"), "--out", str(file))
    assert said.code == 2 and "were judged on other images" in said.err


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
