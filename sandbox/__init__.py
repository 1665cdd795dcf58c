"""A sandbox for deep metric learning: state an experiment in one line, train it, trust its number.

    import sandbox

    run = sandbox.train(loss="triplet", miner="hard", data={"name": "digits"}, max_steps=100)
    print(run.report["test"])
    network = sandbox.load(run.folder)

PYTHON.md beside this file says more. Each name below is imported when it is first used.

flags and TOML -> recipe -> data -> objectives and backbones -> training -> evaluation -> runs -> reporting.
pipeline goes that way once; tuning goes it many times; scoring, inference, recognition and pictures start from what it
left. A package imports only those below it (pyproject.toml has the floors).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.api.networks import Network, load
    from sandbox.api.objectives import objective
    from sandbox.api.report import Report
    from sandbox.api.scoring import score
    from sandbox.api.studies import Study, study
    from sandbox.api.tables import Table, table
    from sandbox.api.training import Run, train
    from sandbox.errors import SandboxError
    from sandbox.runs.plugins import load_plugin as plugin

__all__ = [
    "Network",
    "Report",
    "Run",
    "SandboxError",
    "Study",
    "Table",
    "load",
    "objective",
    "plugin",
    "score",
    "study",
    "table",
    "train",
]
_FROM = {
    "Network": "sandbox.api.networks",
    "Report": "sandbox.api.report",
    "Run": "sandbox.api.training",
    "SandboxError": "sandbox.errors",
    "Study": "sandbox.api.studies",
    "Table": "sandbox.api.tables",
    "load": "sandbox.api.networks",
    "objective": "sandbox.api.objectives",
    "plugin": "sandbox.runs.plugins:load_plugin",
    "score": "sandbox.api.scoring",
    "study": "sandbox.api.studies",
    "table": "sandbox.api.tables",
    "train": "sandbox.api.training",
}


def __getattr__(name: str) -> Any:
    if name in _FROM:
        module, _, given = _FROM[name].partition(":")
        return getattr(import_module(module), given or name)
    raise AttributeError(f"module 'sandbox' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
