"""Plug-ins: what they add, what a run remembers of them, and the sentences that refuse what cannot be loaded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import SandboxError
from sandbox.backbones import catalog as backbones
from sandbox.called import ROOT
from sandbox.data import catalog as data
from sandbox.evaluation.register import OWN_METRICS
from sandbox.objectives import catalog as objectives
from sandbox.objectives.register import OWN
from sandbox.runs import plugins

MINE = '''
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.backbones.register import own_backbone
from sandbox.evaluation.figures import shares
from sandbox.evaluation.register import own_metric
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss("pull_and_push", Note("a contrastive loss without margins"))
class PullAndPush(nn.Module):
    def __init__(self, push: float = 1.0):
        super().__init__()
        self.push = push

    def forward(self, embeddings, labels):
        cosine = F.normalize(embeddings) @ F.normalize(embeddings).T
        same = labels[:, None] == labels[None, :]
        return (1 - cosine[same]).mean() + self.push * cosine[~same].clamp(min=0).mean()


@own_backbone("mean_pixels", "rows and columns of an image, averaged")
class MeanPixels(nn.Module):
    def __init__(self, channels, image_size):
        super().__init__()
        self.features = 2 * channels * image_size
        self.scale = nn.Parameter(torch.ones(self.features))

    def forward(self, x):
        return torch.cat([x.mean(2).flatten(1), x.mean(3).flatten(1)], 1) * self.scale


@own_metric("norm")
def mean_first(x, y):
    """How far the first number is from 0."""
    return shares({"first": np.minimum(np.abs(x[:, 0]), 1.0)}, y)
'''
SMALL = "--data.name digits --max_steps 3 --batch.size 32 --threads 1 --no_pictures --backbone.embedding_dim 8"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    registers: list[dict[str, Any]] = [*OWN.values(), backbones.OWN, data.OUTSIDE, OWN_METRICS, plugins._LOADED]
    cached: list[Any] = [objectives.catalog, backbones.own_backbones, data.data_sets]
    monkeypatch.setenv(plugins.VARIABLE, "")
    [each() if each is not objectives.catalog else objectives.catalog("loss") for each in cached]
    before = [dict(register) for register in registers]
    yield
    for register, was in zip(registers, before, strict=True):
        register.clear()
        register.update(was)
    for each in cached:
        each.cache_clear()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    return file


def written(folder: Path, text: str) -> Path:
    file = folder / "bad.py"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_run_with_a_plug_in_remembers_it_and_asks_for_it(
    mine: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    plugin = plugins.load_plugin(mine)
    assert plugin.names == (("loss", "pull_and_push"), ("network", "mean_pixels"), ("metric", "norm"))
    words = f"--loss pull_and_push(push=2) --backbone.name mean_pixels {SMALL} --out {tmp_path / 'runs'}".split()
    assert command("run.py", *words).code == 0
    run = next((tmp_path / "runs").iterdir())
    assert json.loads((run / "run.json").read_text())["plugins"] == [{"file": str(mine), "digest": plugin.digest}]
    report = json.loads((run / "report.json").read_text())
    assert 0 < report["test"]["own/first"]["value"] < 1
    assert "plug-in" not in command("evaluate.py", "--run", str(run)).err
    plugins._LOADED.clear()
    said = command("evaluate.py", "--run", str(run))
    assert said.code == 0 and f"note: figures of the plug-in {mine} are left out: add --plugin {mine}" in said.err
    said = command("draw.py", "map", "--run", str(run), "--out", str(tmp_path / "m.png"))
    assert said.code == 2 and f"was made with the plug-in {mine} (digest {plugin.digest}): give --plugin" in said.err
    other = tmp_path / "other" / "mine.py"
    other.parent.mkdir()
    other.write_text(MINE.replace("pull_and_push", "push_and_pull").replace('"mean_', '"own_').replace('"norm', '"n'))
    plugins.load_plugin(other)
    assert "it was changed since" in command("draw.py", "map", "--run", str(run), "--out", str(tmp_path / "m.png")).err


def test_the_flag_stands_anywhere_and_is_read_before_the_others(mine: Path) -> None:
    assert plugins.take(["--loss", "pull_and_push", "--plugin", str(mine), "--seed", "1"]) == [
        *("--loss", "pull_and_push", "--seed", "1")
    ]
    assert plugins.take([f"--plugin={mine}"]) == []  # once in a process
    assert [one.file for one in plugins.loaded()] == [mine]
    assert os.environ[plugins.VARIABLE] == str(mine)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_that_name\n", "line 1, 'import nothing_of_that_name': No module named"),
        ("x = 1\ndef f(:\n", "line 2, 'def f(:'"),
        ("x = 1\n", "registers nothing"),
        (MINE + MINE.replace("PullAndPush", "Again"), "the loss 'pull_and_push' is registered twice"),
        (MINE.replace("pull_and_push", "triplet_margin"), "the loss 'triplet_margin', a name that is taken"),
        (MINE.replace("pull_and_push", "xbm"), "the loss 'xbm', a name that is taken"),
        (MINE.replace("pull_and_push", "adaface"), "'adaface' is registered twice"),
        (MINE.replace('"mean_pixels"', '"conv4"'), "'conv4' is registered twice"),
        ("import sys\nsys.exit(3)\n", "line 2, 'sys.exit(3)'"),
        (MINE.replace('"pull_and_push"', '"pull & push"'), "a name is of letters, digits and _"),
        (MINE + "\nraise ValueError('at the end')\n", "raise ValueError"),
    ],
)
def test_what_cannot_be_loaded_is_refused_and_leaves_nothing(text: str, said: str, tmp_path: Path) -> None:
    known = {*OWN["loss"]}, {*backbones.OWN}, {*OWN_METRICS}
    with pytest.raises(SandboxError) as refused:
        plugins.load_plugin(written(tmp_path, text))
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert ({*OWN["loss"]}, {*backbones.OWN}, {*OWN_METRICS}) == known
    assert not plugins.loaded()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plugin"], "--plugin takes a file"),
        (["--plugin", "--seed"], "--plugin takes a file"),
        (["--plugin", "absent.py"], "there is no such file"),
        (["--plugin", "notes.txt"], "it is no .py file"),
    ],
)
def test_what_is_no_file_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        plugins.take(words)


def test_installed_plug_ins_are_found_by_the_group_that_the_page_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = "metric_sandbox.plugins"
    assert f"`{group}`" in (ROOT / "sandbox" / "README.md").read_text(encoding="utf-8")
    (tmp_path / "theirs-1.0.dist-info").mkdir()
    (tmp_path / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (tmp_path / "theirs-1.0.dist-info" / "entry_points.txt").write_text(f"[{group}]\ntheirs = losses_of_theirs\n")
    (tmp_path / "losses_of_theirs.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    plugins.load_installed()
    assert ("loss", "pull_and_push") in plugins.loaded()[0].names


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 0.5", "the metric 'norm' gives a float, but"),
        ("return {'first': 0.5}", "the metric 'norm' gives first without a finite value and an n: 0.5, but"),
        ("return {'first': {'value': float('nan'), 'n': 1}}", "without a finite value"),
        ("return x[y == 99].max()", "the metric 'norm' fails: ValueError: zero-size array"),
        ("return {'first': {'value': np.random.rand(), 'n': 1}}", "other figures the second time"),
    ],
)
def test_a_metric_that_fails_is_refused_before_anything_trains(
    body: str, said: str, tmp_path: Path, command: Callable[..., Any]
) -> None:
    given = 'return shares({"first": np.minimum(np.abs(x[:, 0]), 1.0)}, y)'
    assert given in MINE
    plugins.load_plugin(written(tmp_path, MINE.replace(given, body)))
    refused = command("run.py", *SMALL.split(), "--out", str(tmp_path / "runs"))
    assert refused.code == 2 and said in refused.err and refused.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.thorough
def test_check_tries_every_name_and_installed_plug_ins_are_found(mine: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "their-1.0.dist-info").mkdir(parents=True)
    (site / "their-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: their\nVersion: 1.0\n")
    (site / "their-1.0.dist-info" / "entry_points.txt").write_text("[metric_sandbox.plugins]\ntheir = their_losses\n")
    theirs = MINE.replace("pull_and_push", "theirs").replace('"mean_', '"their_').replace('"norm', '"their')
    (site / "their_losses.py").write_text(theirs)
    bad = tmp_path / "broken.py"
    text = MINE.replace("pull_and_push", "still").replace("cosine[~same].clamp(min=0).mean()", "0")
    text = text.replace('"mean_pixels"', '"wrong_pixels"').replace('"norm', '"n')
    bad.write_text(text.replace("ones(self.features))", "ones(self.features)); self.features += 8"))
    program = (
        "import sys; from sandbox.runs.plugins import load_installed, loaded; load_installed()\n"
        "print(loaded()[0].names[0]); from sandbox.cli.check import check; check(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(mine.rename(tmp_path / "fine.py")), str(bad)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}, capture_output=True, text=True,
    )  # fmt: skip
    assert "('loss', 'theirs')" in done.stdout, done.stderr
    assert done.returncode == 1, done.stderr
    for line in (
        "loss pull_and_push: trains (",
        "network mean_pixels: takes grey and RGB images of 8 pixels and more",
        "metric norm: gives own/first ",
        "loss still: FAILED: ",
        "network wrong_pixels: FAILED: gives (2, 16) for images (2, 1, 8, 8), but its attribute features is 24",
        "2 names do not keep their promises",
    ):
        assert line in done.stdout
