"""Matryoshka: the same loss on the first numbers of an embedding, at several lengths, so that it can be cut.

Kusupati et al., "Matryoshka Representation Learning", NeurIPS 2022, Eq. 1: L = sum over lengths m of c_m L(x[:m]),
with weights of its own for each length. From the authors' code (RAIVNLab/MRL, MRL.py): every c_m is 1, and the parts
are added, not averaged; their form with one set of weights for all lengths is left out. A miner chooses anew at each
length. A run that trains with it is judged at each of its lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "matryoshka",
    Note(
        "a loss on the first numbers of an embedding, which can then be cut: matryoshka(arcface, dims=[64, 128])",
        "Kusupati et al., NeurIPS 2022, Eq. 1",
    ),
)
class MatryoshkaLoss(nn.Module):
    """The weighed sum of losses, one for each length; class scores are those of the longest."""

    tuples = "mined"
    """Of what it holds: a loss that takes no pairs or triplets gets none."""

    def __init__(
        self,
        loss: Sequence[nn.Module],
        dims: tuple[int, ...],
        weights: tuple[float, ...] | None = None,
        miner: nn.Module | None = None,
    ):
        super().__init__()
        self.dims, self.weights = dims, weights or (1.0,) * len(dims)
        self.losses = nn.ModuleList(loss)
        self.miner = miner

    @property
    def get_logits(self) -> Any:
        """Class scores (N, C) of embeddings (N, D), where the losses classify."""
        scores: Any = self.losses[-1].get_logits  # an AttributeError where they do not, as of any loss
        return lambda embeddings: scores(embeddings[:, : self.dims[-1]])

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The sum () over lengths of x (N, D) float32, y (N,) int64."""
        parts = []
        for dim, weight, loss in zip(self.dims, self.weights, self.losses, strict=True):
            first = embeddings[:, :dim]
            mined = () if self.miner is None else (self.miner(first, labels),)
            parts.append(weight * loss(first, labels, *mined).reshape(()))
        return torch.stack(parts).sum()
