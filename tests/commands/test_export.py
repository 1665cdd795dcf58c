"""The export command as a person types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps."""
    from sandbox.pipeline import run as experiment
    from sandbox.pipeline.events import Done
    from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

    recipe = Recipe(
        data=DataSpec(name="digits"), backbone=BackboneSpec(name="conv4"), batch=BatchSpec(size=16), max_steps=2
    )
    *_, last = experiment.run(recipe, out=tmp_path_factory.mktemp("runs"), command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder.path


def test_a_run_is_written_compared_and_run_elsewhere(
    command: Callable[..., Any], trained: Path, tmp_path: Path
) -> None:
    onnx, program = tmp_path / "new" / "digit net.onnx", tmp_path / "digits.pt2"
    said = command("export.py", str(trained), "--onnx", str(onnx), "--program", str(program))
    assert said.code == 0 and said.err == "", said.err
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{trained.name}: images (N, 1, 16, 16) uint8 to embeddings (N, 512) float32")
    assert lines[1].startswith(f"wrote {onnx} (") and lines[1].endswith("from torch")
    assert lines[2].startswith(f"wrote {program} (")
    assert lines[3] == "compared on 64 validation images of digits"
    assert lines[4] == f"next: python experiments/evaluate.py --run '{onnx}' --bin FILE.bin"
    assert {file.name for file in tmp_path.iterdir()} == {"new", "digits.pt2"} and [*onnx.parent.iterdir()] == [onnx]

    from sandbox.inference.load import load_network

    pixels = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), dtype=np.uint8)
    x = load_network(onnx).embed(pixels)
    assert load_network(onnx).digest == load_network(trained).digest and load_network(onnx).name == trained.name
    with_torch = torch.export.load(program).module()(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    np.testing.assert_allclose(x, with_torch.numpy(), atol=1e-5)
    np.testing.assert_allclose(x, load_network(trained).embed(pixels), atol=0.05)  # the run may be in bfloat16


def test_one_file_and_images_of_one_s_own(command: Callable[..., Any], trained: Path, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)).save(
        tmp_path / "faces" / "a.png"
    )
    words = ("--program", str(tmp_path / "net.pt2"), "--images", str(tmp_path / "faces"))
    said = command("export.py", str(trained), *words)
    assert said.code == 0 and said.err == ""
    assert said.out.splitlines()[-1] == f"compared on 1 image of {tmp_path / 'faces'}"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--onnx", "DIR/a.onnx"), "required"),
        (("RUN",), "give --onnx FILE.onnx, --program FILE.pt2 or both"),
        (("RUN", "--onnx", ""), "--onnx is empty"),
        (("RUN", "--onnx", "DIR/a.pt"), "names a file that ends in .onnx"),
        (("RUN", "--onnx", ".onnx"), "names a file that ends in .onnx"),
        (("RUN", "--program", "DIR/a.onnx"), "names a file that ends in .pt2"),
        (("RUN", "--onnx", "DIR/folder.onnx"), "is a folder, but a file is needed"),
        (("RUN", "--onnx", "DIR/text/a.onnx"), "cannot write"),
        (("RUN", "--onnx", "DIR/a.onnx", "--images", "DIR/none"), "there is no folder"),
        (("RUN", "--onnx", "DIR/a.onnx", "--images", "DIR/folder.onnx"), "no image lies in"),
        (("RUN", "--onyx", "DIR/a.onnx"), "did you mean '--onnx'"),
        (("DIR", "--onnx", "DIR/a.onnx"), "has no run.json"),
        (("DIR/none", "--onnx", "DIR/a.onnx"), "there is no folder"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    command: Callable[..., Any], trained: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "text").write_text("")
    said = command("export.py", *(word.replace("DIR", str(tmp_path)).replace("RUN", str(trained)) for word in words))
    assert said.code == 2 and said.out == ""
    assert said.err.startswith("error: ") and said.err.count("\n") == 1, said.err
    assert sentence in said.err
    assert {file.name for file in tmp_path.iterdir()} == {"folder.onnx", "text"}


def test_missing_packages_are_named_before_any_work(
    command: Callable[..., Any], trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)  # as Python has it where a package is blocked
    said = command("export.py", str(trained), "--onnx", str(tmp_path / "a.onnx"))
    assert said.code == 2 and "onnx and onnxruntime are not installed; run: pip install -e" in said.err
    assert command("export.py", str(trained), "--program", str(tmp_path / "a.pt2")).code == 0


def test_help_answers_without_torch() -> None:
    code = (
        "import sys, runpy; sys.argv = ['export.py', '--help']\n"
        "try: runpy.run_path('experiments/export.py', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
