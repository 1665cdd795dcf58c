"""A run told to other programs: what they hold is what the run recorded, and they change nothing of it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.tracking.tracker import TRACKERS, check, settings

SMALL = "--data.name digits --backbone.name conv4 --backbone.embedding_dim 8 --batch.size 32 --threads 1"


@pytest.mark.thorough
def test_tensorboard_holds_curves_figures_and_the_projector(command: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    steps = "--max_steps 6 --evaluate.every 3 --no_pictures --log tensorboard"
    said = command("run.py", *SMALL.split(), *steps.split(), "--out", str(tmp_path / "logged"))
    assert said.code == 0, said.err
    plain = command("run.py", *SMALL.split(), *steps.split()[:-2], "--out", str(tmp_path / "plain"))
    assert plain.code == 0
    run, other = (next((tmp_path / name).iterdir()) for name in ("logged", "plain"))
    assert (run / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    report = json.loads((run / "report.json").read_text())
    assert report == json.loads((other / "report.json").read_text())
    held = EventAccumulator(str(run / "tensorboard")).Reload()
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    losses = {event.step: event.value for event in held.Scalars("train/loss")}
    assert [*losses] == [1, 2, 3, 4, 5, 6]
    assert all(losses[row["step"]] == pytest.approx(row["loss"]) for row in rows if "loss" in row)
    assert [event.step for event in held.Scalars("val/retrieval/map@r")] == [3, 6]
    assert held.Scalars("end/test/verification/auc")[0].value == pytest.approx(
        report["test"]["verification/auc"]["value"]
    )
    projector = run / "tensorboard" / "00006" / "validation"
    assert len((projector / "metadata.tsv").read_text().splitlines()) == rows_of(run)
    assert (projector / "sprite.png").is_file()


def rows_of(run: Path) -> int:
    from sandbox.scoring.from_run import of_run

    return len(of_run(run, "val").probe)


def test_settings_are_flags_and_their_words() -> None:
    found = settings(Recipe(loss="arcface", seed=3, max_steps=7))
    assert found["loss"] == "arcface" and found["seed"] == "3" and found["max_steps"] == "7"
    assert found["data.name"] == "glyphs"


def test_what_is_no_program_or_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match="did you mean 'tensorboard'"):
        check(["tensorbord"])
    monkeypatch.setattr(sys, "path", [])
    for name in TRACKERS:
        if name not in sys.modules:
            with pytest.raises(SandboxError, match=rf'needs the package {name}: pip install ".*\[{name}\]"'):
                check([name])
    assert check(["", " "]) == ()


def test_a_program_that_fails_is_left_out_and_the_run_goes_on(
    command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "site" / "mlflow"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('no such server')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    said = command(
        "run.py", *SMALL.split(), *"--max_steps 2 --no_pictures --log mlflow".split(), "--out", str(tmp_path / "runs")
    )
    assert said.code == 0 and said.err.count("--log mlflow failed and is left out: OSError: no such server") == 1
