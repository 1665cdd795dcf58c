"""Losses and a miner that copy the embeddings of every pair or triplet: the same numbers from fewer copies."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning import losses, miners
from pytorch_metric_learning.utils import loss_and_miner_utils as lmu

from sandbox.objectives.bounded import limit
from sandbox.objectives.bounded.pairs import distinct


class AngularLoss(losses.AngularLoss):
    """Wang et al., ICCV 2017, Eq. 8: a pair that is mined often is computed once and counts as often as it is mined."""

    def compute_loss(
        self, embeddings: torch.Tensor, labels: torch.Tensor, indices_tuple: Any, ref_emb: Any, ref_labels: Any
    ) -> Any:
        """Losses of the positive pairs for the reducer."""
        first, positive, second, negative = lmu.convert_to_pairs(indices_tuple, labels, ref_labels)
        if len(first) * max(len(ref_emb), ref_emb.shape[1]) <= limit.MOST_ENTRIES:
            return super().compute_loss(embeddings, labels, indices_tuple, ref_emb, ref_labels)
        left, right, which = distinct(first, positive, len(ref_emb))
        found = super().compute_loss(embeddings, labels, (left, right, second, negative), ref_emb, ref_labels)
        found["loss"] |= {"losses": found["loss"]["losses"][which], "indices": (first, positive)}
        return found


class ThresholdConsistentMarginLoss(losses.ThresholdConsistentMarginLoss):
    """Zhang et al., ICLR 2024, Eq. 5, from the matrix of cosines instead of two rows for each pair."""

    def compute_loss(
        self, embeddings: torch.Tensor, labels: torch.Tensor, indices_tuple: Any, ref_emb: Any, ref_labels: Any
    ) -> Any:
        """The loss for the reducer."""
        pairs = lmu.convert_to_pairs(indices_tuple, labels, ref_labels)
        first, positive, second, negative = pairs
        if max(len(first), len(second)) * embeddings.shape[1] <= limit.MOST_ENTRIES:
            return super().compute_loss(embeddings, labels, pairs, ref_emb, ref_labels)
        unit = torch.nn.functional.normalize(embeddings)
        cosine = unit @ unit.T
        below = self.margin_plus - cosine[first, positive]
        above = cosine[second, negative] - self.margin_minus
        loss = self.lambda_plus * _mean(below) + self.lambda_minus * _mean(above)
        return {"loss": {"losses": loss, "indices": None, "reduction_type": "already_reduced"}}


class AngularMiner(miners.AngularMiner):
    """The library's miner, some triplets at a time."""

    def mine(self, embeddings: torch.Tensor, labels: torch.Tensor, ref_emb: Any, ref_labels: Any) -> Any:
        """Triplets whose angle exceeds the bound."""
        triplets = lmu.get_all_triplets_indices(labels, ref_labels)
        size = max(1, limit.MOST_ENTRIES // embeddings.shape[1] // 4)
        kept = []
        for anchor, positive, negative in zip(*(places.split(size) for places in triplets), strict=True):
            left, right = embeddings[anchor], ref_emb[positive]
            between = self.distance.pairwise_distance(left, right)
            outside = self.distance.pairwise_distance(ref_emb[negative], (left + right) / 2)
            wide = torch.atan(between / (2 * outside)) > self.angle
            kept.append((anchor[wide], positive[wide], negative[wide]))
        return tuple(torch.cat(places) for places in zip(*kept, strict=True)) if kept else triplets


def _mean(violations: torch.Tensor) -> torch.Tensor | float:
    """Mean of those that are not below zero, or zero where all are."""
    counted = violations[violations >= 0]
    return counted.mean() if len(counted) else 0
