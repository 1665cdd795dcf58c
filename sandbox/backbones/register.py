"""How a network of our own enters the list: one decorator above its class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from torch import nn

from sandbox.errors import SandboxError

Module = TypeVar("Module", bound=type[nn.Module])


@dataclass(frozen=True)
class Own:
    """A network of our own: called with `channels` and `image_size`, it has `features`, the length of what it emits.

    It takes images whose sides are `least` pixels and more; the shorter is its `image_size`.
    """

    make: type[nn.Module]
    line: str
    citation: str
    least: int


OWN: dict[str, Own] = {}


def own_backbone(name: str, line: str, citation: str = "", *, least: int = 8) -> Callable[[Module], Module]:
    """Register a network under `name`, for images of at least `least` pixels."""

    def add(kind: Module) -> Module:
        if name in OWN:
            raise SandboxError(f"the network '{name}' is registered twice")
        OWN[name] = Own(kind, line, citation, least)
        return kind

    return add
