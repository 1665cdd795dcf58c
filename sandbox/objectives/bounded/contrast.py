"""NT-Xent, tuplet margin and lifted structure without a matrix of pairs by pairs.

All three ask of a positive pair only the log sum exp over the negatives of its anchor (lifted structure: also of its
positive), so one number for each anchor is enough.
"""

from __future__ import annotations

import torch
from pytorch_metric_learning import losses
from pytorch_metric_learning.utils import common_functions

from sandbox.objectives.bounded.pairs import EachPairOnce, Pairs, by_anchor


class NTXentLoss(EachPairOnce, losses.NTXentLoss):
    """Chen et al., ICML 2020, Eq. 1, for each positive pair against the negatives of its anchor."""

    def of_anchors(self, mat: torch.Tensor, pairs: Pairs) -> torch.Tensor:
        """Losses (P,)."""
        first, positive, second, negative = pairs
        mat = (mat if self.distance.is_inverted else -mat) / self.temperature
        match = mat[first, positive]
        share = (match - torch.logaddexp(match, by_anchor(mat, second, negative)[first])).exp()
        return -torch.log(share + common_functions.small_val(mat.dtype))


class TupletMarginLoss(EachPairOnce, losses.TupletMarginLoss):
    """Yu and Tao, ICCV 2019, Eq. 4, for each positive pair against the negatives of its anchor."""

    def of_anchors(self, mat: torch.Tensor, pairs: Pairs) -> torch.Tensor:
        """Losses (P, 1), as the library shapes them."""
        first, positive, second, negative = pairs
        against = by_anchor(self.scale * mat, second, negative)[first]
        match = self.scale * torch.cos(torch.acos(mat[first, positive]) - self.margin)
        each = torch.nn.functional.softplus(against - match, threshold=50)
        return each.masked_fill(~_has_negatives(mat, second)[first], 0).unsqueeze(1)


class LiftedStructureLoss(EachPairOnce, losses.LiftedStructureLoss):
    """Oh Song et al., CVPR 2016, Eq. 4: against the negatives of the anchor and of the positive."""

    def of_anchors(self, mat: torch.Tensor, pairs: Pairs) -> torch.Tensor:
        """Losses (P, 1), as the library shapes them."""
        first, positive, second, negative = pairs
        lowest = torch.finfo(mat.dtype).min
        of_anchor = by_anchor(self.distance.margin(self.neg_margin, mat), second, negative)
        # the library looks for the positive among the anchors; of a memory's rows some are none of the batch
        inside = (positive < len(mat)) & (positive != first)
        of_positive = of_anchor[positive.clamp(max=len(mat) - 1)].masked_fill(~inside, lowest)
        against = torch.logaddexp(of_anchor[first], of_positive)
        known = _has_negatives(mat, second)
        any_negative = known[first] | (inside & known[positive.clamp(max=len(mat) - 1)])
        against = against.masked_fill(~any_negative, 0)
        match = self.distance.margin(mat[first, positive], self.pos_margin)
        return (torch.relu(against + match).square() / 2).unsqueeze(1)


def _has_negatives(mat: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Which rows (N,) bool are the anchor of a negative pair."""
    found = torch.zeros(len(mat), dtype=torch.bool, device=mat.device)
    found[second] = True
    return found
