"""What a wrapper can hold: a loss that reads embeddings and labels, in one batch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sandbox.errors import SandboxError
from sandbox.objectives.catalog import WRAPPERS, Entry
from sandbox.objectives.language import Tune
from sandbox.wording import counted

_READS = {"two views": "two views of each image", "embeddings": "no labels"}


def check_wrapped(entry: Entry, values: dict[str, Any]) -> None:
    """Refuse what cannot work inside a wrapper although every part of it exists.

    Args:
        entry: the wrapper's.
        values: its checked values.

    Raises:
        SandboxError: says what it holds and why that cannot be.
    """
    inner = values["loss"].entry
    if inner.name in (*WRAPPERS, "cross_batch_memory"):
        raise SandboxError(f"{entry.name} cannot hold {inner.name}: name a loss that holds no other")
    if inner.reads != "labels":
        raise SandboxError(f"{entry.name} cannot hold {inner.name}, which reads {_READS[inner.reads]}")
    if values.get("miner") is not None and inner.tuples != "mined":
        miner = values["miner"].entry.name
        raise SandboxError(f"{entry.name}(miner={miner}) has nothing to do: {inner.name} takes no pairs or triplets")
    dims, weights = values["dims"], values.get("weights")
    if isinstance(dims, Tune) or isinstance(weights, Tune):
        raise SandboxError(f"{entry.name}: tune() cannot stand in dims or weights, by which a run is judged")
    if any(later <= earlier for earlier, later in pairwise(dims)):
        raise SandboxError(f"{entry.name}(dims={list(dims)}): lengths ascend, such as dims={sorted(set(dims))}")
    if weights is not None and (len(weights) != len(dims) or min(weights) <= 0):
        raise SandboxError(
            f"{entry.name}(weights={list(weights)}): weights are {counted(len(dims), 'number', 'numbers')} above 0, "
            f"one for each length in dims={list(dims)}"
        )
