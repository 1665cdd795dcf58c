"""The contrastive loss as it was published.

Hadsell, Chopra, LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006, Eq. 4:
L = (1 - Y) d^2 / 2 + Y max(0, m - d)^2 / 2,  d = ||x_1 - x_2||, Y = 1 for a dissimilar pair; here the mean over pairs.
"""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import BaseMetricLossFunction
from pytorch_metric_learning.reducers import MeanReducer
from pytorch_metric_learning.utils import loss_and_miner_utils as lmu

from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "hadsell",
    Note(
        "squared contrastive loss on raw Euclidean distances (normalised with distance=lp)",
        "Hadsell et al., CVPR 2006, Eq. 4",
        {"margin": Tune(0.5, 4.0)},
    ),
)
class HadsellLoss(BaseMetricLossFunction):
    """Squared pull of similar pairs, squared push of dissimilar pairs nearer than the margin."""

    def __init__(self, margin: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        if margin <= 0:
            raise ValueError(f"margin is {margin}, but is above 0")
        if self.distance.is_inverted:
            raise ValueError("hadsell takes a distance (lp, snr), not a similarity")
        self.margin = margin

    def compute_loss(
        self,
        embeddings: torch.Tensor,
        labels: torch.Tensor,
        indices_tuple: Any,
        ref_emb: torch.Tensor,
        ref_labels: torch.Tensor,
    ) -> dict[str, Any]:
        """Pair losses for the reducer; all pairs of the batch where no miner chose some."""
        first, positive, second, negative = lmu.convert_to_pairs(indices_tuple, labels, ref_labels)
        if len(first) + len(second) == 0:
            return self.zero_losses()
        distance = self.distance(embeddings, ref_emb)
        pull = 0.5 * distance[first, positive].square()
        push = 0.5 * (self.margin - distance[second, negative]).clamp(min=0).square()
        losses = torch.cat([pull, push])
        return {"loss": {"losses": losses, "indices": torch.cat([first, second]), "reduction_type": "element"}}

    def get_default_distance(self) -> LpDistance:
        """Euclidean distance between raw embeddings, as in the paper."""
        return LpDistance(normalize_embeddings=False)

    def get_default_reducer(self) -> MeanReducer:
        """The mean over all pairs."""
        return MeanReducer()
