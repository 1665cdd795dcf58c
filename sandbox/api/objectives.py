"""`objective`: an objective as a module for a training loop of one's own, or for pytorch-metric-learning's trainers."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.errors import SandboxError
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve


class ObjectiveModule(nn.Module):
    """The weighed sum that an expression says, as one number to minimise.

    It may own weights, those of a classifier or of centres: give `parameters()` to an optimizer.
    """

    def __init__(self, expression: str, miner: str, classes: int, dim: int):
        super().__init__()
        self.objective = build(resolve(expression, miner=miner), classes=classes, dim=dim)
        self.terms: dict[str, float] = {}
        """What each weighed term gave for the last batch."""

    def forward(
        self,
        embeddings: torch.Tensor,
        labels: torch.Tensor,
        indices_tuple: tuple[torch.Tensor, ...] | None = None,
        ref_emb: torch.Tensor | None = None,
        ref_labels: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The loss () of raw embeddings (N, D) and labels (N,) int64 from 0.

        Args:
            embeddings: of a batch, not normalised.
            labels: their classes.
            indices_tuple: pairs or triplets as pytorch-metric-learning's miners give them, for every term that takes
                some, in the place of its own miner's.
            ref_emb: not taken; the arguments stand here as pytorch-metric-learning's trainers name them.
            ref_labels: the same.

        Raises:
            SandboxError: `ref_emb` is given, or `indices_tuple` and no term takes pairs or triplets.
        """
        if ref_emb is not None or ref_labels is not None:
            raise SandboxError("an objective compares a batch with itself; ref_emb and ref_labels have no place in it")
        outcome = self.objective(embeddings, labels, indices_tuple)
        self.terms = {name: float(part) for name, part in outcome.terms.items()}
        return outcome.total


def objective(expression: str, *, classes: int, dim: int, miner: str = "none") -> ObjectiveModule:
    """An objective as a torch module.

    Args:
        expression: as `--loss` takes it, such as ``"arcface + 0.003*center"``.
        classes: how many there are; labels are from 0 to one less.
        dim: numbers of an embedding.
        miner: for every term that takes pairs or triplets and names none.

    Raises:
        SandboxError: a name that does not exist, or a value that a loss refuses.
    """
    return ObjectiveModule(expression, miner, classes, dim)
