"""What a ranking loss asks of each positive pair: the row of its query, some pairs at a time where they are many."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.utils.checkpoint import checkpoint

from sandbox.objectives.bounded import limit

OfPairs = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def over_positives(
    of_pairs: OfPairs, similarity: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A number for each ordered pair of one class, from similarity (N, N) and labels (N,).

    Beyond the limit, pairs are taken some at a time, and computed again for the gradient.

    Args:
        of_pairs: gives (M,) of the whole similarity, queries (M,) and positives (M,), which are places in it.
        similarity: of every image with every image.
        labels: their classes.

    Returns:
        The numbers (M,), and the query (M,) int64 of each.
    """
    alike = labels[:, None] == labels[None, :]
    query, positive = alike.fill_diagonal_(False).nonzero(as_tuple=True)
    if len(query) * len(labels) <= limit.MOST_ENTRIES:
        return of_pairs(similarity, query, positive), query
    size = max(1, limit.MOST_ENTRIES // len(labels) // 4)
    parts = zip(query.split(size), positive.split(size), strict=True)
    found = [checkpoint(of_pairs, similarity, *places, use_reentrant=False) for places in parts]
    return torch.cat(found), query
