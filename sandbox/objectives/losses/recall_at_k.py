"""Recall@k with sigmoids for ranks: a smooth count of the matches among the k nearest images of the batch.

Patel, Tolias, Matas, "Recall@k Surrogate Loss with Large Batches and Similarity Mixup", CVPR 2022. For a query and its
matches i: r_i = 1 + sum_{j != i} sigmoid((sim_j - sim_i) / tau), R_k = min(k, sum_i sigmoid((k - r_i) / tau_k)) /
min(k, matches), L = 1 - the mean of R_k over k and over queries.
From the authors' code (yash0307/RecallatK_surrogate, src/losses.py, src/main.py): tau = 0.01, k = 1, 2, 4, 8, 16,
tau_k = k, and the clipping by k. Their code lets the query, which lies nearest to itself, count in r_i; here it does
not, as in every recall@k that is reported. Their similarity mixup, which makes rows up, is left out.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.bounded.positives import over_positives
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "recall_at_k",
    Note(
        "recall at several k with sigmoids for ranks; made for large batches",
        "Patel et al., CVPR 2022",
        {"temperature": Tune(0.005, 0.1, log=True), "k_temperature": Tune(0.5, 16.0, log=True)},
    ),
)
class RecallAtKLoss(nn.Module):
    """One minus the mean smoothed recall@k of every image of the batch that has a match there."""

    def __init__(
        self, k: tuple[int, ...] = (1, 2, 4, 8, 16), temperature: float = 0.01, k_temperature: float | None = None
    ):
        super().__init__()
        if len(set(k)) < len(k):
            raise ValueError(f"k is {list(k)}, but its values differ from one another")
        if temperature <= 0:
            raise ValueError(f"temperature is {temperature}, but is above 0")
        if k_temperature is not None and k_temperature <= 0:
            raise ValueError(f"k_temperature is {k_temperature}, but is above 0, or none for the value of each k")
        self.k, self.temperature, self.k_temperature = tuple(k), temperature, k_temperature

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss in [0, 1] of x (N, D) float32, y (N,) int64; costs N comparisons for each positive pair."""
        unit = F.normalize(embeddings)
        rank, query = over_positives(self._rank, unit @ unit.T, labels)
        if not len(query):
            return embeddings.sum() * 0.0
        k = rank.new_tensor(self.k)
        hits = ((k - rank[:, None]) / (self.k_temperature or k)).sigmoid()
        count = torch.bincount(query, minlength=len(labels))[:, None]
        found = torch.zeros(len(labels), len(k), dtype=hits.dtype, device=hits.device).index_add(0, query, hits)
        recall = torch.minimum(found, k) / torch.minimum(count.clamp(min=1), k)
        return 1 - recall[count.squeeze(1) > 0].mean()

    def _rank(self, similarity: torch.Tensor, query: torch.Tensor, positive: torch.Tensor) -> torch.Tensor:
        """Smoothed rank (M,) of each positive among all images but its query."""
        rows, places = similarity[query], positive[:, None]
        ahead = ((rows - rows.gather(1, places)) / self.temperature).sigmoid()
        return 1 + ahead.scatter(1, places, 0).scatter(1, query[:, None], 0).sum(1)
