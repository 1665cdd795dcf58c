"""How a loss of our own enters the catalogue: one decorator above its class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import nn

from sandbox.objectives.literature import Note

Module = TypeVar("Module", bound=type[nn.Module])
OWN: dict[str, tuple[type[nn.Module], Note]] = {}


def own_loss(name: str, note: Note) -> Callable[[Module], Module]:
    """Register a loss under `name`; it shadows a loss of that name in pytorch-metric-learning."""

    def add(kind: Module) -> Module:
        OWN[name] = (kind, note)
        return kind

    return add
