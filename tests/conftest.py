"""What every test may use: a cache of its own, and the real commands."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
# Before torch reads it: batches as small as those of the tests are slower on several threads.
os.environ["OMP_NUM_THREADS"] = "1"


# The same examples on every machine and every day: a search for new ones is `--hypothesis-profile default`.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")


@dataclass(frozen=True)
class Said:
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is read from, or left in, the cache of the person who runs the tests."""
    os.environ["METRIC_LEARNING_SANDBOX_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs a file of experiments/ with words, in this process: `command("run.py", "--loss", "triplet")`."""

    def run(name: str, *words: str) -> Said:
        from sandbox.errors import exit_on_error

        spec = importlib.util.spec_from_file_location(f"command_{name[:-3]}", ROOT / "experiments" / name)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
        monkeypatch.setattr(sys, "argv", [f"experiments/{name}", *words])
        capfd.readouterr()
        code = 0
        try:
            spec.loader.exec_module(module)
            exit_on_error(module.main)
        except SystemExit as end:
            code = int(end.code or 0)
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return run
