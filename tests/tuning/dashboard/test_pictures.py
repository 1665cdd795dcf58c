"""Pictures of a trial: from a finished run, from one that was pruned, and from one that is not what it says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.runs.embeddings import KeptSet, read_embeddings, write_embeddings
from sandbox.tuning.dashboard.pictures import picture_trial, validation_images

from dashboards import copied_run, digits_run


def test_a_finished_run_has_three_pictures_and_a_pruned_one_its_curve(tmp_path: Path) -> None:
    run = digits_run()
    images = validation_images(run)
    drawn = picture_trial(run, tmp_path / "out", images, title="trial 1")
    assert [path.name for path in drawn] == ["curves.png", "retrievals.png", "scores.png"]
    for path in drawn:
        with Image.open(path) as opened:
            assert opened.format == "PNG" and 500 < opened.width < 1300
    assert [path.name for path in picture_trial(run, tmp_path / "blind")] == ["curves.png", "scores.png"]
    pruned = copied_run(tmp_path, "trial-0002")
    (pruned.path / "report.json").unlink()
    assert [path.name for path in picture_trial(pruned, tmp_path / "pruned", images)] == ["curves.png"]
    (pruned.path / "log.jsonl").unlink()
    assert picture_trial(pruned, tmp_path / "none", images) == []


def test_a_log_that_says_little_is_drawn(tmp_path: Path) -> None:
    run = copied_run(tmp_path, "trial-0001")
    (run.path / "report.json").unlink()
    rows = [{"step": 1, "loss": float("nan")}, {"step": 2, "val": {"other": 1}}, {"step": 2, "val": {}}]
    (run.path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    title = "trial 1, failed: $x_{ 二 \\ " + "not a number " * 60
    (drawn,) = picture_trial(run, tmp_path, title=title)
    with Image.open(drawn) as opened:
        assert drawn.name == "curves.png" and opened.width < 1300


def test_images_of_another_split_are_refused(tmp_path: Path) -> None:
    run = digits_run()
    images = validation_images(run)
    for wrong in (images.take(np.arange(len(images) - 1)), images.take(np.arange(len(images))[::-1])):
        with pytest.raises(SandboxError, match="not those of validation"):
            picture_trial(run, tmp_path, wrong)
    other = copied_run(tmp_path, "trial-0001")
    other.update(split="another")
    with pytest.raises(SandboxError, match="the data has changed"):
        validation_images(other)


def test_given_pairs_are_what_is_drawn(tmp_path: Path) -> None:
    run = copied_run(tmp_path, "trial-0001")
    kept = read_embeddings(run).take("val")
    pairs = Pairs(left=np.array([0, 1]), right=np.array([2, 3]), same=np.array([True, False]))
    write_embeddings(run, {"val": dataclasses.replace(kept, pairs=pairs)}, closed_set=False)
    picture_trial(run, tmp_path / "pairs")
    picture_trial(digits_run(), tmp_path / "all")
    assert (tmp_path / "pairs" / "scores.png").read_bytes() != (tmp_path / "all" / "scores.png").read_bytes()
    genuine = dataclasses.replace(pairs, same=np.array([True, True]))
    write_embeddings(run, {"val": dataclasses.replace(kept, pairs=genuine)}, closed_set=False)
    assert [path.name for path in picture_trial(run, tmp_path / "one")] == ["curves.png"]


def test_a_network_that_collapsed_is_drawn(tmp_path: Path) -> None:
    run = copied_run(tmp_path, "trial-0001")
    labels = read_embeddings(run).take("val").labels
    x = np.zeros((len(labels), 4), np.float32)
    x[:, 0] = 1
    write_embeddings(run, {"val": KeptSet(x, labels)}, closed_set=False)
    assert len(picture_trial(run, tmp_path, validation_images(run))) == 3
