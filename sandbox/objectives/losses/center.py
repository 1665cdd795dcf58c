"""Center loss with the paper's own moving centres.

Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016.
Eq. 2:  L = 1/2 sum_i ||x_i - c_{y_i}||^2 (here the mean over the batch, as the softmax beside it is a mean)
Eq. 4:  c_j <- c_j - alpha * sum_{i: y_i = j} (c_j - x_i) / (1 + n_j)
The centres are moved by Eq. 4 and not by the optimizer: gradient descent on a batch mean moves them slower by
about the batch size.
"""

from __future__ import annotations

import torch
from torch import nn

from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "center",
    Note(
        "pulls each embedding to its class's moving centre; joined to a loss that separates classes",
        "Wen et al., ECCV 2016, Eq. 2-4",
        {"alpha": Tune(0.1, 0.9)},
        weight=Tune(1e-4, 1.0, log=True),
        alone="pulls each class to its own centre and keeps none apart, which all images in one place satisfy as well",
    ),
)
class CenterLoss(nn.Module):
    """Half the mean squared distance to the class centre; centres are a buffer that moves by `alpha` each step."""

    centers: torch.Tensor

    def __init__(self, num_classes: int, embedding_size: int, alpha: float = 0.5):
        super().__init__()
        if not 0.0 < alpha <= 1.0:
            raise ValueError(f"alpha is {alpha}, but lies in (0, 1]")
        self.alpha = alpha
        self.register_buffer("centers", nn.init.xavier_uniform_(torch.empty(num_classes, embedding_size)))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64; in train mode the centres of the batch's classes move."""
        difference = embeddings - self.centers[labels]
        if self.training:
            self._move(difference.detach(), labels)
        return 0.5 * difference.square().sum(1).mean()

    def _move(self, difference: torch.Tensor, labels: torch.Tensor) -> None:
        pull = torch.zeros_like(self.centers).index_add_(0, labels, difference)
        count = torch.bincount(labels, minlength=len(self.centers)).unsqueeze(1)
        # a new tensor, since autograd still holds the one that this step's loss was computed from
        self.centers = self.centers + self.alpha * pull / (1 + count)
