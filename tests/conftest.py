"""What every test may use: a cache of its own, the real commands, and a mark for libraries that may be missing."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
# Before torch reads it: batches as small as those of the tests are slower on several threads.
os.environ["OMP_NUM_THREADS"] = "1"


pytest_plugins = ("postgres",)  # the fixtures `server` and `database`

DEMAND = "METRIC_LEARNING_SANDBOX_DEMAND_ALL"
"""Set in the environment, it fails the tests that would be skipped for want of a library, runs those that are marked
`thorough`, and tries more examples."""

# The same examples on every machine and every day: a search for new ones is `--hypothesis-profile default`.
settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=100 if os.environ.get(DEMAND) else 40)
settings.load_profile("fixed")


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark, so that a misspelt one is found."""
    config.addinivalue_line(
        "markers",
        f"needs(module, install): skipped where the module is not installed, with the line that installs it; "
        f"a failure where {DEMAND} is set",
    )


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look through it again, which took a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: `@pytest.mark.needs("onnxruntime", 'pip install -e ".[onnx]"')`, or `pytestmark = ...`."""
    if item.get_closest_marker("thorough") and not os.environ.get(DEMAND):
        pytest.skip(f"takes long: {DEMAND}=1 runs it")
    for mark in item.iter_markers("needs"):
        module, install = mark.args
        if importlib.util.find_spec(module) is None:
            (pytest.fail if os.environ.get(DEMAND) else pytest.skip)(f"{module} is not installed: {install}")


@dataclass(frozen=True)
class Said:
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is read from, or left in, the cache of the person who runs the tests; all processes share one."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["METRIC_LEARNING_SANDBOX_CACHE"] = str(shared / "cache")


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell that runs the tests in its background has Ctrl-C ignored, by them and by what they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs a file of experiments/ with words, in this process: `command("run.py", "--loss", "triplet")`."""

    def run(name: str, *words: str) -> Said:
        from sandbox.errors import exit_on_error

        monkeypatch.setattr(sys, "argv", [f"experiments/{name}", *words])
        capfd.readouterr()
        code = 0
        try:
            main = importlib.import_module(f"sandbox.cli.commands.{name.removesuffix('.py')}").main
            exit_on_error(lambda: main(list(words)))
        except SystemExit as end:
            code = int(end.code or 0)
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return run
