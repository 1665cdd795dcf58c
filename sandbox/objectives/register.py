"""How a loss, a miner or a distance of our own enters the catalogue: one decorator above its class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import nn

from sandbox.errors import SandboxError
from sandbox.objectives.literature import Note

Module = TypeVar("Module", bound=type[nn.Module])
OWN: dict[str, dict[str, tuple[type[nn.Module], Note]]] = {"loss": {}, "miner": {}, "distance": {}}


def own_loss(name: str, note: Note) -> Callable[[Module], Module]:
    """Register a loss under `name`; it shadows a loss of that name in pytorch-metric-learning."""
    return _own("loss", name, note)


def own_miner(name: str, note: Note) -> Callable[[Module], Module]:
    """Register a miner under `name`; it shadows a miner of that name in pytorch-metric-learning."""
    return _own("miner", name, note)


def own_distance(name: str, note: Note) -> Callable[[Module], Module]:
    """Register a distance under `name`; it shadows a distance of that name in pytorch-metric-learning."""
    return _own("distance", name, note)


def _own(slot: str, name: str, note: Note) -> Callable[[Module], Module]:
    def add(kind: Module) -> Module:
        if not (name.isidentifier() and name.isascii()):
            raise SandboxError(
                f"the {slot} '{name}' could not be written in an objective: a name is of letters, digits and _"
            )
        if name in OWN[slot]:
            raise SandboxError(f"the {slot} '{name}' is registered twice")
        OWN[slot][name] = (kind, note)
        return kind

    return add
