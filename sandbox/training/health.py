"""Signs of a run that goes wrong before its figures do."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Health:
    """What a step's batch and gradient say."""

    active: float | None
    """Share of tuples with a loss above zero; None where the objective has none."""
    effective_rank: float
    """exp(entropy) of the eigenvalues of the batch's centred unit embeddings: about how many dimensions they use."""
    mean_cosine: float
    """Mean cosine over the pairs of the batch; near 1 when all images have one embedding."""
    gradient_norm: float
    """Euclidean norm of the network's gradient, before clipping."""

    @property
    def collapsed(self) -> bool:
        """Whether all images of the batch have all but the same embedding."""
        return collapsed(self.mean_cosine)

    @property
    def still(self) -> bool:
        """Whether no gradient reached the network."""
        return self.gradient_norm == 0


def collapsed(mean_cosine: float) -> bool:
    """Whether images of this mean cosine have all but the same embedding."""
    return mean_cosine > 0.98


@torch.no_grad()
def examine(embeddings: torch.Tensor, network: nn.Module, active: float | None) -> Health:
    """Read the health off raw embeddings (N, D) and the gradients that are in place."""
    unit = F.normalize(embeddings.detach().float())
    n = len(unit)
    mean_cosine = float((unit.sum(0).square().sum() - n) / (n * (n - 1))) if n > 1 else 1.0
    norms = [p.grad.norm() for p in network.parameters() if p.grad is not None]
    norm = float(torch.stack(norms).norm()) if norms else 0.0
    return Health(active, effective_rank(unit), mean_cosine, norm)


def effective_rank(x: torch.Tensor) -> float:
    """Exponential of the entropy of the normalised eigenvalues of the covariance of x (N, D), between 1 and min(N, D).

    Roy and Vetterli, "The effective rank", EUSIPCO 2007.
    """
    values = torch.linalg.svdvals(x - x.mean(0)).square()
    if not bool(values.sum() > 0):
        return 1.0
    share = values / values.sum()
    return float(torch.exp(-(share * share.clamp(min=1e-12).log()).sum()))
