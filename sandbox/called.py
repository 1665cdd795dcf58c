"""How this command was started, and so how a person types the next one and where results go.

A script of experiments/ writes into its own checkout's results/; `metric-sandbox` and `python -m sandbox` write into
results/ of the folder that one is in.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

PROGRAMS = ("run", "tune", "table", "evaluate", "recognise", "data", "draw", "embed", "export", "benchmark")
"""The commands, each a file of sandbox/cli/commands/ and a script of experiments/."""
INSTALLED = "metric-sandbox"
ROOT = Path(__file__).resolve().parents[1]
RECIPES = Path(__file__).resolve().parent / "recipes"


def prefix(program: str = "") -> list[str]:
    """The words that start a command: this one as it was typed, or another one in the same manner."""
    script = Path(sys.argv[0])
    if script.stem == INSTALLED:
        return [INSTALLED, program or _word()]
    if (script.parent.name, script.name) == ("sandbox", "__main__.py"):
        return ["python", "-m", "sandbox", program or _word()]
    return ["python", f"experiments/{program}.py" if program else sys.argv[0]]


def called(program: str, launcher: str = "python") -> str:
    """A command as one types it here, such as ``python experiments/run.py`` or ``metric-sandbox run``."""
    return " ".join(_launched(prefix(program), launcher))


def typed(launcher: str = "python") -> str:
    """This whole command as a person types it again, for the record.

    Args:
        launcher: what stands in the place of ``python``, such as ``torchrun --nproc_per_node 2``.
    """
    first, *others = _launched(prefix(), launcher)
    behind = 1 if others[-1] == sys.argv[0] else 2
    return " ".join([first, shlex.join([*others, *sys.argv[behind:]])])


def started_by(program: str) -> list[str]:
    """The words that start a command as a process of its own, by this Python, wherever one is."""
    script = ROOT / "experiments" / f"{program}.py"
    return [sys.executable, str(script)] if _from_script() else [sys.executable, "-m", "sandbox", program]


def results() -> Path:
    """The folder of runs, studies and tables."""
    script = Path(sys.argv[0])
    if script.parent.name == "experiments" and script.is_file():
        return script.resolve().parents[1] / "results"
    return ROOT / "results" if _from_script() else Path("results")


def _from_script() -> bool:
    """Whether this is a script of a checkout, or none of our commands at all, in a checkout."""
    return prefix("run")[1:] == ["experiments/run.py"] and (ROOT / "experiments" / "run.py").is_file()


def _launched(words: list[str], launcher: str) -> list[str]:
    return [launcher, *words[1:]] if words[0] == "python" else words


def _word() -> str:
    return sys.argv[1] if len(sys.argv) > 1 else ""
