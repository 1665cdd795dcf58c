"""The page on Python and the notebook run as they stand, away from the checkout's own results."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.called import ROOT

BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_block_of_the_page_runs_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = BLOCKS.findall((ROOT / "sandbox" / "PYTHON.md").read_text(encoding="utf-8"))
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "PYTHON.md", "exec"), names)
    said = capsys.readouterr().out
    assert "MAP@R" in said and "did you mean 'triplet'" in said
    assert (tmp_path / "results" / "tables" / "mine.md").is_file()


@pytest.mark.thorough
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = nbformat.read(ROOT / "experiments" / "first_steps.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "raw pixels" in said and "multi_similarity" in said
    assert len([*(tmp_path / "results" / "runs").iterdir()]) == 5


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = json.loads((ROOT / "experiments" / "first_steps.ipynb").read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook["cells"])


def test_importing_the_package_imports_nothing_heavy() -> None:
    line = (
        "import sys, sandbox; dir(sandbox); print(sorted({n.split('.')[0] for n in sys.modules} & {'torch', 'numpy'}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", line], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert said.stdout.strip() == "[]", said.stderr
