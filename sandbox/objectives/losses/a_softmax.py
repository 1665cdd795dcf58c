"""Angular softmax with the annealing that makes it trainable.

Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017, Eq. 7:
logit of the target = ||x|| psi(theta), psi(theta) = (-1)^k cos(m theta) - 2k for theta in [k pi/m, (k+1) pi/m],
of the others ||x|| cos(theta_j). Annealed (their released code): target = ||x|| (lambda cos + psi) / (1 + lambda),
lambda = max(5, 1500 / (1 + 0.1 t)) at step t.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss("a_softmax", Note("SphereFace's angular softmax with annealed margin", "Liu et al., CVPR 2017, Eq. 7"))
class ASoftmaxLoss(nn.Module):
    """Multiplicative angular margin (a whole number of at least 1) on raw embeddings and unit class weights."""

    step: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        margin: int = 4,
        lambda_max: float = 1500.0,
        lambda_min: float = 5.0,
    ):
        super().__init__()
        if margin < 1 or margin != int(margin):
            raise ValueError(f"margin is {margin}, but is a whole number of at least 1")
        self.margin = int(margin)
        self.lambda_max, self.lambda_min = lambda_max, lambda_min
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_classes, embedding_size)))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    @property
    def annealing(self) -> float:
        """Lambda at the present step: how much of the plain cosine is left in the target."""
        return max(self.lambda_min, self.lambda_max / (1 + 0.1 * int(self.step)))

    def psi(self, cosine: torch.Tensor) -> torch.Tensor:
        """The margin function: monotonically falling in the angle, (N,) cosines in [-1, 1] to (N,) values."""
        theta = cosine.clamp(-1 + 1e-7, 1 - 1e-7).acos()
        k = (self.margin * theta / math.pi).floor().detach()
        return (1 - 2 * (k % 2)) * (self.margin * theta).cos() - 2 * k

    def get_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Class scores (N, C) without margin."""
        return F.linear(embeddings, F.normalize(self.weight))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64; in train mode the annealing moves on by one step."""
        norm = embeddings.norm(dim=1)
        cosine = F.linear(F.normalize(embeddings), F.normalize(self.weight))
        target = cosine.gather(1, labels[:, None]).squeeze(1)
        annealing = self.annealing
        if self.training:
            self.step = self.step + 1
        margin_target = (annealing * target + self.psi(target)) / (1 + annealing)
        logits = cosine.scatter(1, labels[:, None], margin_target[:, None]) * norm[:, None]
        return F.cross_entropy(logits, labels)
