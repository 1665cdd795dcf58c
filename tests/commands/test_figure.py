"""`table.py figure`: pictures out of several runs, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recipes import made_folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes of two seeds, one without a miner, and one of another learning rate."""
    root = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        made_folder(root, "triplet", seed)
        made_folder(root, "triplet(miner=hard)", seed, noise=1.2)
    made_folder(root, "triplet", 0, lr=0.1)
    return root


@pytest.fixture
def figure(command: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *words: command("table.py", "figure", *map(str, words))


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("heatmap", ["--rows", "miner", "--columns", "lr"], "3 of 4 cells hold runs"),
        ("forest", ["--baseline", "triplet(miner=hard)", "--metrics", "MAP@R", "val/EER"], "2 recipes"),
        ("parameter", ["--x", "learning rate", "--width", "3.4"], "2 recipes on 1 line"),
        ("curves", [], "3 recipes"),
        ("roc", [], "3 recipes, 180 genuine and 2,376 impostor pairs"),
        ("det", [], "3 recipes, 180 genuine and 2,376 impostor pairs"),
        ("recall", [], "3 recipes, k up to 50"),
        ("cost", ["--x", "hours"], "3 recipes; on the Pareto front: "),
    ],
)
def test_every_kind_is_drawn(
    figure: Callable[..., Any], runs: Path, tmp_path: Path, kind: str, more: list[str], said: str
) -> None:
    out = tmp_path / "new" / f"{kind}.png"
    found = figure(kind, runs, "--out", out, *more)
    assert found.code == 0 and found.out.startswith(f"{out}: {said}"), found
    with Image.open(out) as opened:
        assert opened.format == "PNG" and opened.width == (680 if "3.4" in more else 1400)


def test_a_heat_map_of_text_that_stays_text(figure: Callable[..., Any], runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.svg"
    found = figure("heatmap", runs, "--out", out, "--columns", "objective", "--rows", "optimizer.lr")
    assert found.code == 0
    report = [json.loads((run / "report.json").read_text())["test"]["retrieval/map@r"]["value"]
              for run in runs.iterdir() if "hard" in run.name]  # fmt: skip
    text = out.read_text()
    assert f"{sum(report) / 2:.3f}</text>" in text and "n = 2</text>" in text and "MAP@R on digits" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "a.png"], "say what to draw, heatmap, forest,"),
        (["heatmop", "--out", "a.png"], "no figure to draw named 'heatmop'; did you mean 'heatmap'?"),
        (["heatmap", "--out", "a.jpg"], "--out is 'a.jpg', but names a picture that ends in .png, .svg or .pdf"),
        (["heatmap"], "--out is not given, but names a picture"),
        (["roc", "--out", "a.png", "--metrics", "AUC"], "--metrics says nothing to roc; it is for heatmap, forest"),
        (["roc", "--out", "a.png", "--width", "0.5"], "--width is 0.5 inches, but lies between 2.5 and 20"),
        (["forest", "RUNS", "--out", "a.png", "--metrics", "map@rr"], "no run has the figure 'map@rr'"),
        (
            ["forest", "RUNS", "--out", "a.png", "--baseline", "arcface"],
            "--baseline names arcface, but no run has that",
        ),
        (["parameter", "RUNS", "--out", "a.png"], "say over which setting with --x"),
        (["parameter", "RUNS", "--out", "a.png", "--x", "batch.size"], "no two recipes differ in batch.size alone"),
        (["parameter", "RUNS", "--out", "a.png", "--x", "optimiser.lr"], "did you mean 'optimizer.lr'?"),
        (["heatmap", "RUNS", "--out", "a.png"], "two recipes have objective triplet_margin and miner none"),
        (["cost", "RUNS", "--out", "a.png", "--x", "dollars"], "no cost for --x named 'dollars'; there are hours"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(
    figure: Callable[..., Any], runs: Path, words: list[str], sentence: str
) -> None:
    found = figure(*(str(runs) if word == "RUNS" else word for word in words))
    assert found.code == 2 and sentence in found.err and found.err.count("\n") == 1, found
    assert not Path(words[words.index("--out") + 1] if "--out" in words else "a.png").exists()


def test_runs_that_are_not_there_or_keep_nothing(figure: Callable[..., Any], runs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = figure("roc", tmp_path / "empty", "--out", tmp_path / "a.png")
    assert found.code == 2 and "no finished run in" in found.err
    kept = tmp_path / "runs"
    shutil.copytree(runs, kept)
    files = sorted(kept.glob("*/embeddings.safetensors"))
    files[0].unlink()
    found = figure("recall", kept, "--out", tmp_path / "a.png")
    assert found.code == 0 and "note: 1 run is left out: " in found.err and "keeps no embeddings" in found.err
    for file in files[1:]:
        file.unlink()
    for kind in ("roc", "det", "recall"):
        found = figure(kind, kept, "--out", tmp_path / "b.png")
        assert found.code == 2 and "is drawn of the test embeddings of runs" in found.err
    assert not (tmp_path / "b.png").exists()


def test_one_cell_is_drawn_and_said(figure: Callable[..., Any], runs: Path, tmp_path: Path) -> None:
    one = next(run for run in runs.iterdir() if "hard" in run.name)
    found = figure("heatmap", one, "--out", tmp_path / "a.pdf")
    assert found.code == 0 and "one cell is no map: name other --rows or --columns" in found.out
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
