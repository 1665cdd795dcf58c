"""What a program that follows runs is asked to do, and which there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from sandbox.errors import SandboxError, unknown
from sandbox.recipe.specs import Recipe

TRACKERS = ("tensorboard", "trackio", "wandb", "mlflow")
"""Each is a file `to_NAME.py` with a function `begin(folder, recipe, step)`, and an extra of pyproject.toml."""


class Tracker(Protocol):
    """One run in one program."""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Numbers by name, such as ``train/loss`` or ``val/retrieval/map@r``."""
        ...

    def figures(self, values: Mapping[str, float]) -> None:
        """What the run came to, once."""
        ...

    def pictures(self, files: Sequence[Path]) -> None:
        """PNGs of the run."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


def check(names: Sequence[str]) -> tuple[str, ...]:
    """The programs that are asked for, each once; commas part names as blanks do.

    Raises:
        SandboxError: one that does not exist, or is not installed.
    """
    asked = tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))
    for name in asked:
        if name not in TRACKERS:
            raise unknown("program to log to", name, TRACKERS)
        if find_spec(name) is None:
            raise SandboxError(f'--log {name} needs the package {name}: pip install "metric-learning-sandbox[{name}]"')
    return asked


def begin(name: str, folder: Path, recipe: Recipe, step: int) -> Tracker:
    """A run in a program.

    Args:
        name: of the program.
        folder: of the run, whose name it has there.
        recipe: its settings.
        step: that it begins at, which is above 0 for one that is gone on with.
    """
    tracker: Tracker = import_module(f"sandbox.tracking.to_{name}").begin(folder, recipe, step)
    return tracker


def settings(recipe: Recipe) -> dict[str, str]:
    """Every setting of a recipe that is not at its default, by its flag, and always the objective, data and network."""
    from sandbox.recipe.text import to_flags

    words = to_flags(recipe)
    found = {"loss": recipe.loss, "data.name": recipe.data.name, "backbone.name": recipe.backbone.name}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            found[name] = "true"
        else:
            found[name] = word if found[name] in ("", "true") else f"{found[name]} {word}"
    return found
