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

    It takes images whose sides are `least` pixels and more, the shorter being its `image_size`; and rows of D numbers,
    as images of one pixel and D channels, where `rows` says so.
    """

    make: type[nn.Module]
    line: str
    citation: str
    least: int
    rows: bool = False


OWN: dict[str, Own] = {}


def own_backbone(
    name: str, line: str, citation: str = "", *, least: int = 8, rows: bool = False
) -> Callable[[Module], Module]:
    """Register a network under `name`, for images of at least `least` pixels and, with `rows`, for rows of numbers."""

    def add(kind: Module) -> Module:
        if name in OWN:
            raise SandboxError(f"the network '{name}' is registered twice")
        OWN[name] = Own(kind, line, citation, least, rows)
        return kind

    return add
