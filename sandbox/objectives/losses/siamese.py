"""The Siamese network's learned similarity.

Koch, Zemel, Salakhutdinov, "Siamese Neural Networks for One-shot Image Recognition", 2015, section 3:
p = sigmoid(sum_j a_j |h_1j - h_2j| + b), h = sigmoid(x), and binary cross-entropy with 1 for a pair of one class.
"""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning.utils import loss_and_miner_utils as lmu
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.bounded import limit
from sandbox.objectives.bounded.pairs import distinct
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "siamese",
    Note(
        "learned weighted L1 distance, sigmoid, binary cross-entropy", "Koch et al., ICML Deep Learning Workshop 2015"
    ),
)
class SiameseLoss(nn.Module):
    """Binary cross-entropy of a learned similarity; both kinds of pair weigh the same, as in the paper's batches."""

    def __init__(self, embedding_size: int):
        super().__init__()
        self.similarity_layer = nn.Linear(embedding_size, 1)
        # nearer means more alike from the start: positive evidence at distance zero, falling with distance
        nn.init.constant_(self.similarity_layer.weight, -4.0 / embedding_size**0.5)
        nn.init.constant_(self.similarity_layer.bias, 1.0)

    def similarity(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """Logit (M,) that rows of left (M, D) and right (M, D) are of one class; higher is more alike."""
        return self.similarity_layer((left.sigmoid() - right.sigmoid()).abs()).squeeze(1)

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor, indices_tuple: Any = None) -> torch.Tensor:
        """Mean loss over the pairs of x (N, D) float32, y (N,) int64, or over the mined pairs."""
        first, positive, second, negative = lmu.convert_to_pairs(indices_tuple, labels)
        parts = []
        for left, right, target in ((first, positive, 1.0), (second, negative, 0.0)):
            if len(left):
                logit = self._of_pairs(embeddings, left, right)
                parts.append(F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, target)))
        return torch.stack(parts).mean() if parts else embeddings.sum() * 0.0

    def _of_pairs(self, embeddings: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """Logit (T,) of pairs; where their rows would fill the memory, a pair that repeats is computed once."""
        if len(left) * embeddings.shape[1] <= limit.MOST_ENTRIES:
            return self.similarity(embeddings[left], embeddings[right])
        first, second, which = distinct(left, right, len(embeddings))
        return self.similarity(embeddings[first], embeddings[second])[which]
