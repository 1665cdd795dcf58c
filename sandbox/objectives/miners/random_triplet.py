"""One triplet for each anchor, drawn at random from the batch.

Hoffer and Ailon, "Deep Metric Learning Using Triplet Network", SIMBAD 2015, whose triplets are drawn without looking at
distances.
"""

from __future__ import annotations

import torch
from pytorch_metric_learning.utils import common_functions
from torch import nn

from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_miner


@own_miner(
    "random_triplet",
    Note("one positive and one negative of each anchor, drawn at random", "as Hoffer and Ailon, SIMBAD 2015"),
)
class RandomTripletMiner(nn.Module):
    """For every image with another of its class in the batch, one of those and one of another class, each evenly drawn.

    An image that is the only one of its class, or whose class is the whole batch, is no anchor. Draws follow
    `sandbox.objectives.objective.seed_draws`, whatever the device.
    """

    def forward(
        self,
        embeddings: torch.Tensor,
        labels: torch.Tensor,
        ref_emb: torch.Tensor | None = None,
        ref_labels: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Anchors, positives and negatives (T,) int64, T at most N, of labels (N,) int64; distances play no part.

        Where `ref_labels` (M,) are given, as a memory does, positives and negatives are places in those.
        """
        others = labels if ref_labels is None else ref_labels
        alike = labels.unsqueeze(1) == others
        positives = alike if ref_labels is not None else alike.clone().fill_diagonal_(False)
        anchors = (positives.any(1) & ~alike.all(1)).nonzero().squeeze(1)
        return anchors, _one_of_each_row(positives[anchors]), _one_of_each_row(~alike[anchors])


def _one_of_each_row(allowed: torch.Tensor) -> torch.Tensor:
    """(T,) int64: of each row of (T, M) bool, the place of one of its true values, each as likely as another."""
    count = allowed.sum(1)
    drawn = common_functions.NUMPY_RANDOM.randint(0, count.cpu().numpy())
    rank = torch.as_tensor(drawn, device=allowed.device).unsqueeze(1)
    return (allowed.cumsum(1) > rank).int().argmax(1)  # the first place up to which there are more than `rank`
