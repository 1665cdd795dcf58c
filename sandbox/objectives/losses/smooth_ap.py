"""Smooth average precision, right for any mix of class sizes in the batch.

Brown et al., "Smooth-AP: Smoothing the Path Towards Large-Scale Image Retrieval", ECCV 2020, Eq. 7:
AP_q = 1/|P| sum_{i in P} (1 + sum_{j in P} s_ij) / (1 + sum_{j in all} s_ij),  s_ij = sigmoid((sim_j - sim_i) / tau),
j other than i, and neither the query itself. pytorch-metric-learning's version is right only where classes per batch
equal samples per class, so this one stands in its place.
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


@own_loss(
    "smooth_ap",
    Note(
        "average precision with sigmoids for ranks",
        "Brown et al., ECCV 2020, Eq. 7",
        {"temperature": Tune(0.005, 0.1, log=True)},
    ),
)
class SmoothAPLoss(nn.Module):
    """One minus the mean smoothed average precision of every image of the batch that has a match there."""

    def __init__(self, temperature: float = 0.01):
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"temperature is {temperature}, but is above 0")
        self.temperature = temperature

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss in [0, 1] of x (N, D) float32, y (N,) int64; costs N^3 comparisons."""
        unit = F.normalize(embeddings)
        similarity = unit @ unit.T
        apart = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        positive = (labels[:, None] == labels[None, :]) & apart
        if len(labels) ** 3 <= limit.MOST_ENTRIES:
            precision = self._precision(similarity, positive, apart, apart)
        else:  # some queries at a time, computed again for the gradient
            size = max(1, limit.MOST_ENTRIES // len(labels) ** 2 // 4)
            parts = (rows.split(size) for rows in (similarity, positive, apart))
            blocks = (
                checkpoint(self._precision, *rows, apart, use_reentrant=False) for rows in zip(*parts, strict=True)
            )
            precision = torch.cat(list(blocks))
        scored = positive.any(1)
        return (1 - precision[scored]).mean() if scored.any() else embeddings.sum() * 0.0

    def _precision(
        self, similarity: torch.Tensor, positive: torch.Tensor, apart: torch.Tensor, every: torch.Tensor
    ) -> torch.Tensor:
        """Smoothed AP (Q,) of queries by similarity (Q, N); `apart` says which images are not the query itself."""
        # ahead[q, i, j]: how far j stands before i in the ranking of query q
        ahead = ((similarity[:, None, :] - similarity[:, :, None]) / self.temperature).sigmoid()
        ahead = ahead * (apart[:, None, :] & every[None, :, :])
        rank_among_positives = 1 + (ahead * positive[:, None, :]).sum(2)
        rank = 1 + ahead.sum(2)
        return (positive * rank_among_positives / rank).sum(1) / positive.sum(1).clamp(min=1)
