"""Runs scored again, by themselves and on sets for verification."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from score_files import Report

ROOT = Path(__file__).resolve().parents[3]
QUICK = (
    *"--data.name digits --data.image_size 8 --backbone.name conv4 --backbone.embedding_dim 16".split(),
    *"--max_steps 2 --batch.size 16 --threads 1 --no_pictures".split(),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps."""
    from sandbox.pipeline import run as experiment
    from sandbox.pipeline.events import Done
    from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

    small = BackboneSpec(name="conv4", embedding_dim=16)
    data = DataSpec(name="digits", split="class", image_size=8)
    recipe = Recipe(data=data, backbone=small, batch=BatchSpec(size=16), max_steps=2, threads=1)
    *_, last = experiment.run(recipe, out=tmp_path_factory.mktemp("runs"), command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder.path


def test_a_run_of_images_without_columns_has_no_figures_by_one(command: Callable[..., Any], trained: Path) -> None:
    said = command("evaluate.py", "--run", str(trained), "--by", "camera")
    assert (
        said.code == 2 and said.err.count("\n") == 1 and "keeps no such column of its images; it keeps none" in said.err
    )


def looks(folder: Path) -> int:
    return int(json.loads((folder / "run.json").read_text())["test_evaluations"])


def test_a_run_is_scored_as_it_scored_itself(scored: Callable[..., Report], trained: Path) -> None:
    before = looks(trained)
    own = json.loads((trained / "report.json").read_text())
    far = ("--far", "1e-1", "1e-2", "1e-3", "1e-4")
    report = scored("--run", trained, *far)
    assert looks(trained) == before + 1
    assert {key: report[key] for key in own["test"]} == own["test"]
    assert any(key.startswith("identification/dir@fpir=") for key in report)
    assert scored("--run", trained, "--split", "val", *far) == own["val"]
    assert looks(trained) == before + 1


def test_a_run_embeds_a_verification_set_and_so_does_its_onnx_file(
    scored: Callable[..., Report], command: Callable[..., Any], trained: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    images = []
    for number in range(24):
        base = rng.integers(0, 256, (20, 20, 3))
        for shift in (0, 8 if number % 2 else 255):
            stream = io.BytesIO()
            Image.fromarray(((base + shift * rng.random(base.shape)) % 256).astype(np.uint8)).save(stream, "PNG")
            images.append(stream.getvalue())
    file = tmp_path / "tiny.bin"
    file.write_bytes(pickle.dumps((images, [number % 2 == 1 for number in range(24)]), protocol=4))
    before = looks(trained)
    report = scored("--run", trained, "--bin", file)
    assert looks(trained) == before
    assert command("export.py", str(trained), "--onnx", str(tmp_path / "net.onnx")).code == 0
    exported = scored("--run", tmp_path / "net.onnx", "--bin", file)
    assert exported.keys() == report.keys() and looks(trained) == before
    for key in ("verification/auc", "verification/accuracy"):
        assert exported[key]["value"] == pytest.approx(report[key]["value"], abs=0.1)  # the run may be in bfloat16
    assert report["verification/accuracy@10-fold"]["n"] == report["verification/auc"]["n"] == 24
    assert not any(key.startswith("retrieval/") for key in report)


def test_garbage_in_place_of_a_verification_set_is_refused(
    command: Callable[..., Any], trained: Path, tmp_path: Path
) -> None:
    for content in (b"", b"garbage", pickle.dumps(([b"no image"] * 4, [True, False]), protocol=4)):
        (tmp_path / "bad.bin").write_bytes(content)
        said = command("evaluate.py", "--run", str(trained), "--bin", str(tmp_path / "bad.bin"))
        assert said.code == 2 and "bad.bin" in said.err and said.err.count("\n") == 1


def test_help_answers_without_torch() -> None:
    code = (
        "import sys, runpy; sys.argv = ['evaluate.py', '--help']\n"
        "try: runpy.run_path('experiments/evaluate.py', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'numba', 'matplotlib', 'sklearn', 'faiss'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
