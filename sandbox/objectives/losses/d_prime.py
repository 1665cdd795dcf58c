"""d': how many deviations apart the similarities of positive and of negative pairs lie.

The decidability of Daugman, "The importance of being random: statistical principles of iris recognition", Pattern
Recognition 2003: d' = (mean+ - mean-) / sqrt((var+ + var-) / 2), here of cosines, and the loss is -d'. It is the second
reading given here to a course's "pair-wise loss (separate distributions of similarity scores)"; histogram is the first.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "d_prime",
    Note(
        "minus the deviations between the similarities of positives and negatives; histogram reads pair-wise otherwise",
        "after Daugman, Pattern Recognition 2003",
    ),
)
class DPrimeLoss(nn.Module):
    """Moves the two distributions of cosines apart and narrows both, over all pairs of the batch."""

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """-d' of x (N, D) float32, y (N,) int64; 0 where a batch has no pair of one kind."""
        unit = F.normalize(embeddings)
        similarity = unit @ unit.T
        alike = labels[:, None] == labels[None, :]
        positive = similarity[alike.clone().fill_diagonal_(False)]
        negative = similarity[~alike]
        if not len(positive) or not len(negative):
            return embeddings.sum() * 0.0
        spread = (positive.var(correction=0) + negative.var(correction=0)) / 2
        return (negative.mean() - positive.mean()) / (spread + 1e-12).sqrt()
