"""Mined pairs, each once, and what the negatives of each anchor add up to.

Mined triplets become pairs in which (anchor, positive) stands once for each negative and (anchor, negative) once for
each positive. The losses here compare every positive pair with every negative one; their papers mean sets of pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from sandbox.objectives.bounded import limit

Pairs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def once(pairs: Pairs, width: int) -> Pairs:
    """Each pair (first, positive, second, negative) once; where none repeats they are left in their order.

    Args:
        pairs: places (T,) int64; positives and negatives are below `width`.
        width: rows that positives and negatives are places in.
    """
    first, positive, second, negative = pairs
    return *_distinct(first, positive, width), *_distinct(second, negative, width)


def distinct(first: torch.Tensor, other: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Distinct pairs (U,), (U,), and which of them each given pair is (T,)."""
    keys, which = torch.unique(first * width + other, return_inverse=True)
    return keys // width, keys % width, which


def _distinct(first: torch.Tensor, other: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    left, right, _ = distinct(first, other, width)
    return (first, other) if len(left) == len(first) else (left, right)


def by_anchor(values: torch.Tensor, anchors: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Log sum exp (N,) over places (T,), (T,) of the rows of values (N, M); the least float where a row has none."""
    lowest = torch.finfo(values.dtype).min
    chosen = torch.full_like(values, lowest).index_put((anchors, others), values[anchors, others])
    return chosen.logsumexp(1)


class EachPairOnce:
    """For losses that compare every positive pair with every negative one: each pair once, and in bounded memory.

    A subclass gives `of_anchors`: the loss from the matrix and the pairs, without a matrix of pairs by pairs.
    """

    of_anchors: Callable[[torch.Tensor, Pairs], torch.Tensor]

    def pair_based_loss(self, mat: torch.Tensor, indices_tuple: Pairs) -> Any:
        """What the library's loss makes of the matrix (N, M) and of the pairs."""
        pairs = once(indices_tuple, mat.shape[1])
        first, positive, second, _ = pairs
        if len(first) * len(second) <= limit.MOST_ENTRIES:
            return super().pair_based_loss(mat, pairs)  # type: ignore[misc]
        losses = self.of_anchors(mat, pairs)
        return {"loss": {"losses": losses, "indices": (first, positive), "reduction_type": "pos_pair"}}
