"""Potential field: every image and proxy attracts its own class and repels the others, the less the farther.

Bhatnagar, Ahuja, "Potential Field Based Deep Metric Learning", CVPR 2025, Eq. 1, 2 and 6: at distance d on the sphere
psi_att = -1 / max(d, delta)^alpha, psi_rep = 1 / min(d, delta)^alpha, and the energy is the sum of both over all
ordered pairs of images and of learnt proxies, M of them for each class.
No code of the authors was to be found: the equations are the paper's, as two independent readings of it write them.
Here the energy is multiplied by delta^alpha and divided by the number of images and proxies, which changes no
direction, and d is at least 0.001. The paper searches alpha in 0 to 6 and delta in 0.1 to 0.3, takes M = 15 on CUB and
Cars, 2 on SOP, and gives proxies 100 times the rate of the network.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from sandbox.objectives.bounded import limit
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss

_NEAREST = 1e-3


@own_loss(
    "potential_field",
    Note(
        "images and proxies attract their class and repel others, the less the farther",
        "Bhatnagar and Ahuja, CVPR 2025, Eq. 1, 2 and 6",
        {"alpha": Tune(1.0, 6.0), "delta": Tune(0.1, 0.3), "proxies_per_class": Tune(1, 15)},
    ),
)
class PotentialFieldLoss(nn.Module):
    """Energy of unit embeddings and proxies in the fields of one another; forces decay with `alpha` beyond `delta`."""

    classes: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        proxies_per_class: int = 2,
        alpha: float = 4.0,
        delta: float = 0.2,
    ):
        super().__init__()
        if proxies_per_class < 1:
            raise ValueError(f"proxies_per_class is {proxies_per_class}, but is at least 1")
        if alpha <= 0:
            raise ValueError(f"alpha is {alpha}, but is above 0: at 0 nothing pulls or pushes")
        if not _NEAREST < delta < 2:
            raise ValueError(f"delta is {delta}, but lies between {_NEAREST} and 2, the largest distance on the sphere")
        self.alpha, self.delta = alpha, delta
        self.proxies = nn.Parameter(torch.randn(num_classes * proxies_per_class, embedding_size))
        self.register_buffer("classes", torch.arange(num_classes).repeat_interleave(proxies_per_class))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean energy () of x (N, D) float32, y (N,) int64 and the proxies; costs (N + proxies)^2 distances."""
        points = F.normalize(torch.cat([embeddings, self.proxies]))
        classes = torch.cat([labels, self.classes])
        places = torch.arange(len(points), device=points.device)
        if len(points) ** 2 <= limit.MOST_ENTRIES:
            return self._energy(points, classes, places) / len(points)
        size = max(1, limit.MOST_ENTRIES // len(points) // 4)
        parts = [checkpoint(self._energy, points, classes, rows, use_reentrant=False) for rows in places.split(size)]
        return torch.stack(parts).sum() / len(points)

    def _energy(self, points: torch.Tensor, classes: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Energy () of some of the points in the fields of all others."""
        squared = (2 - 2 * points[rows] @ points.T).clamp(min=_NEAREST**2)
        attraction = -((self.delta**2 / squared.clamp(min=self.delta**2)) ** (self.alpha / 2))
        repulsion = (self.delta**2 / squared.clamp(max=self.delta**2)) ** (self.alpha / 2)
        alike = classes[rows, None] == classes[None, :]
        return attraction.where(alike, repulsion).scatter(1, rows[:, None], 0).sum()
