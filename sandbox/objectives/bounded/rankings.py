"""PNP without a cube of comparisons: some queries at a time, computed again for the gradient."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning import losses
from pytorch_metric_learning.utils import common_functions
from torch.utils.checkpoint import checkpoint

from sandbox.objectives.bounded import limit


class PNPLoss(losses.PNPLoss):
    """Li et al., AAAI 2022, Eq. 4-8."""

    def compute_loss(
        self, embeddings: torch.Tensor, labels: torch.Tensor, indices_tuple: Any, ref_emb: Any, ref_labels: Any
    ) -> Any:
        """The loss for the reducer; costs N^3 comparisons."""
        n = len(labels)
        if n**3 <= limit.MOST_ENTRIES:
            return super().compute_loss(embeddings, labels, indices_tuple, ref_emb, ref_labels)
        common_functions.ref_not_supported(embeddings, labels, ref_emb, ref_labels)
        similarity = self.distance(embeddings)
        alike = labels[:, None] == labels[None, :]
        size = max(1, limit.MOST_ENTRIES // n**2 // 4)
        parts = [
            checkpoint(self._of_queries, similarity[rows], alike[rows], alike, use_reentrant=False)
            for rows in torch.arange(n, device=labels.device).split(size)
        ]
        matched = alike.sum(1) > 1
        if not matched.any():
            return self.zero_losses()
        loss = torch.cat(parts)[matched].mean()
        loss = 1 - loss if self.variant == "Dq" else loss
        return {"loss": {"losses": loss, "indices": None, "reduction_type": "already_reduced"}}

    def _of_queries(self, similarity: torch.Tensor, alike: torch.Tensor, of_all: torch.Tensor) -> torch.Tensor:
        """Mean penalty (Q,) over the matches of each query of similarity (Q, N), itself among them."""
        ahead = self.sigmoid(similarity[:, None, :] - similarity[:, :, None], temp=self.anneal)
        negatives = (ahead * ~of_all).sum(2)
        return (self._penalty(negatives) * alike).sum(1) / alike.sum(1)

    def _penalty(self, negatives: torch.Tensor) -> torch.Tensor:
        """What each number of negatives before a match costs, by variant."""
        if self.variant == "Ds":
            return torch.log(1 + negatives)
        if self.variant == "Dq":
            return 1 / (1 + negatives) ** self.alpha
        if self.variant == "Iu":
            return (1 + negatives) * torch.log(1 + negatives)
        if self.variant == "Ib":
            return (self.b * negatives - torch.log(1 + self.b * negatives)) / self.b**2
        return negatives
