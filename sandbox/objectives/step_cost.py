"""What one step of an objective takes of memory, measured: every tensor that it makes is counted while it lives."""

from __future__ import annotations

import math
import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sandbox.objectives.expression import Expression
from sandbox.objectives.free_rows import own_draws
from sandbox.objectives.objective import build

SAMPLES = 4
"""Images of each class in the batch that is measured."""
DIM = 512
"""Numbers of an embedding, as backbone.embedding_dim has them where it is not given."""


def step_bytes(expression: Expression, images: int) -> int:
    """Most bytes that live at once in a step beside the embeddings and what the losses own, gradients included.

    Args:
        expression: the objective.
        images: in the batch, 4 of each class.
    """
    labels = torch.arange(images // SAMPLES).repeat_interleave(SAMPLES)
    with own_draws():
        objective = build(expression, classes=len(labels) // SAMPLES, dim=DIM)
        rows = torch.randn(images, DIM, requires_grad=True)
        with _Counted([rows, labels, *objective.parameters(), *objective.buffers()]) as counted:
            for _ in range(2):  # a memory lists nothing before its second step
                total = objective(rows, labels).total
                if total.requires_grad:
                    total.backward()
                del total
    return counted.most


def growth(few: int, many: int) -> float:
    """The power of the batch by which bytes grow that were measured at a batch and at twice that batch."""
    return math.log2(max(many, 1) / max(few, 1))


class _Counted(TorchDispatchMode):
    """Counts the bytes of tensors that are made meanwhile."""

    def __init__(self, there: list[torch.Tensor]):
        super().__init__()
        self.most = self._now = 0
        self._seen = {tensor.untyped_storage()._cdata for tensor in there}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata in self._seen:  # a view, or changed in its place
            return
        self._seen.add(storage._cdata)
        self._now += storage.nbytes()
        self.most = max(self.most, self._now)
        weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self._now -= size
