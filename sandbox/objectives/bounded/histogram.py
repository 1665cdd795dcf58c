"""The histogram loss from pairs: the library lists all triplets, to take their pairs apart again."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning import losses
from pytorch_metric_learning.utils import common_functions
from pytorch_metric_learning.utils import loss_and_miner_utils as lmu


class HistogramLoss(losses.HistogramLoss):
    """Ustinova and Lempitsky, NeurIPS 2016, Eq. 1-4: sum over bins of the negatives' share times the positives' below.

    The pairs are the library's, and its bits: those of anchors that have a positive and a negative, either way round,
    each once. A similarity of 1 fills the last bin, where the library stops with an error of indices.
    """

    def compute_loss(
        self, embeddings: torch.Tensor, labels: torch.Tensor, indices_tuple: Any, ref_emb: Any, ref_labels: Any
    ) -> Any:
        """The loss for the reducer."""
        common_functions.labels_or_indices_tuple_required(labels, indices_tuple)
        common_functions.ref_not_supported(embeddings, labels, ref_emb, ref_labels)
        first, positive, second, negative = lmu.convert_to_pairs(indices_tuple, labels, ref_labels)
        both = torch.zeros(2, len(embeddings), dtype=torch.bool, device=embeddings.device)
        both[0, first], both[1, second] = True, True
        anchors = both.all(0)
        if not anchors.any():
            return self.zero_losses()
        mat = self.distance(embeddings, ref_emb)
        below = torch.cumsum(self.compute_density(_once(mat, first, positive, anchors)), 0)
        loss = torch.sum(self.compute_density(_once(mat, second, negative, anchors)) * below)
        return {"loss": {"losses": loss, "indices": None, "reduction_type": "already_reduced"}}

    def compute_density(self, distances: torch.Tensor) -> torch.Tensor:
        """Shares (bins,) of similarities (P,), each parted between the two ends of its bin."""
        bins = round(2 / self.delta)
        place = torch.floor((distances.float() + 1) / self.delta).long().clamp(0, bins - 1)
        after = (distances + 1 - place * self.delta) / self.delta
        before = ((place + 1) * self.delta - 1 - distances) / self.delta
        density = torch.zeros(bins + 1, dtype=distances.dtype, device=distances.device)
        return density.scatter_add(0, place + 1, after).scatter_add(0, place, before) / distances.size(0)


def _once(mat: torch.Tensor, anchor: torch.Tensor, other: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """The values (U,) of the distinct unordered pairs of some anchors, in ascending order of their places."""
    used = anchors[anchor]
    left, right = torch.minimum(anchor, other)[used], torch.maximum(anchor, other)[used]
    keys = torch.unique(left * mat.shape[1] + right)
    return mat[keys // mat.shape[1], keys % mat.shape[1]]
