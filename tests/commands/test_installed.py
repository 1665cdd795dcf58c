"""A wheel, away from the checkout: its commands, its recipes, and where results go."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.called import ROOT

SHELL = """
eval "$({python} -m sandbox completion bash)"
ask() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tyro_metric_sandbox; echo "${{COMPREPLY[*]}}"; }}
ask metric-sandbox data ""
ask metric-sandbox recognise enrol --fa
ask metric-sandbox table compare --eq
ask metric-sandbox evaluate --metric ""
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a wheel of this checkout is installed into, without what it needs."""
    place = tmp_path_factory.mktemp("wheel")
    tree = place / "tree"
    shutil.copytree(ROOT / "sandbox", tree / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    built = subprocess.run([*pip, "wheel", str(tree), "--no-deps", "-w", str(place)], capture_output=True, text=True)
    if built.returncode and "METRIC_LEARNING_SANDBOX_DEMAND_ALL" not in os.environ:
        pytest.skip(f"pip builds no wheel here: {built.stderr.strip().splitlines()[-1]}")
    assert not built.returncode, built.stderr
    wheel = next(place.glob("*.whl"))
    subprocess.run([*pip, "install", str(wheel), "--no-deps", "--target", str(place / "site")], check=True)
    return place / "site"


@pytest.fixture
def away(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that one is in, with the wheel before everything else that Python knows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(site))
    return tmp_path


def asked(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.thorough
def test_a_run_from_an_empty_folder(site: Path, away: Path) -> None:
    script = str(site / "bin" / "metric-sandbox")
    small = "--recipe quick --data.name digits --backbone.name conv4 --max_steps 4 --batch.size 16 --no_pictures"
    said = asked(script, "run", *small.split())
    assert "run folder: results/runs/" in said
    assert "next: metric-sandbox table" in said
    run = next((away / "results" / "runs").iterdir())
    assert '"command": "metric-sandbox run --recipe quick' in (run / "run.json").read_text()
    asked(script, "table", "--out", "results/tables/mine.md")
    again = asked(script, "table", "again", "results/tables/mine.md")
    assert "1 in results/runs" in again
    assert asked("-c", "import sandbox; print(sandbox.__file__)").startswith(str(site))


@pytest.mark.thorough
def test_a_shell_completes_commands_words_flags_and_choices(away: Path) -> None:
    said = subprocess.run(["bash", "-c", SHELL.format(python=sys.executable)], capture_output=True, text=True)
    words, flag, of_word, choices = said.stdout.splitlines()
    assert {*words.split()} >= {"show", "check", "stats", "align"}
    assert (flag, of_word) == ("--faces", "--equal")
    assert choices.split() == ["cosine", "dot", "l2"]
