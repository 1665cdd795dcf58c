"""Dynamic soft margin whose histogram ends where its range does: the library writes beyond its last bin."""

from __future__ import annotations

import torch
from pytorch_metric_learning import losses


class DynamicSoftMarginLoss(losses.DynamicSoftMarginLoss):
    """Zhang and Rusinkiewicz, ICCV 2019, Eq. 5-7.

    A difference of distances in the last bin shares its weight with the bin after it, which is not there: the library
    stops with an error of indices as soon as a positive is farther than a negative by 1.6. Here that share stays in the
    last bin. All else gives the library's bits.
    """

    hist_: torch.Tensor

    def update_histogram(self, data: torch.Tensor) -> None:
        """Move the running histogram towards that of differences (T,)."""
        place = (data - self.min_val) / self.delta
        share = torch.frac(place)
        momentum = self.momentum if self.hist_.sum() != 0 else 1.0
        lower = self._bin(place)
        upper = (lower + 1).clamp(max=self.num_bins - 1)
        moved = torch.scatter_add((1.0 - momentum) * self.hist_, 0, lower, momentum * (1 - share))
        moved = torch.scatter_add(moved, 0, upper, momentum * share)
        self.hist_ = moved / moved.sum()

    def weigh_loss(self, data: torch.Tensor) -> torch.Tensor:
        """Each difference times the share of differences up to it."""
        return torch.cumsum(self.hist_, 0)[self._bin((data - self.min_val) / self.delta)] * data

    def _bin(self, place: torch.Tensor) -> torch.Tensor:
        return torch.floor(place).to(dtype=torch.long).clamp(0, self.num_bins - 1)
