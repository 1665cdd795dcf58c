"""Anti-collapse: the coding rate of the batch, which is large where embeddings fill the space.

Jiang et al., "Anti-Collapse Loss for Deep Metric Learning Based on Coding Rate Metric", IEEE TMM 2024, after the first
term of Yu et al., "Learning Diverse and Discriminative Representations via the Principle of Maximal Coding Rate
Reduction", NeurIPS 2020: R = 1/2 log det(I + d / (n eps^2) Z Z^T) of n unit rows of d numbers, and the loss is -R.
The authors' code (NUST-Machine-Intelligence-Laboratory/Anti-Collapse-Loss, criteria/antico.py) takes exp(-R), of class
proxies, with the factor turned over, n / (d eps^2). Taken is R of the batch's images, as the code of the second paper
has it (ryanchankh/mcr2, loss.py), with eps^2 = 0.5, which is the first's and called `eps` there as here.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "anti_collapse",
    Note(
        "coding rate: embeddings that fill the space, whatever their class; joined to a loss that separates classes",
        "Jiang et al., IEEE TMM 2024",
        {"eps": Tune(0.05, 2.0, log=True)},
        weight=Tune(1e-4, 0.1, log=True),
        alone="spreads all images whatever their class, so that nothing tells it which to bring together",
    ),
)
class AntiCollapseLoss(nn.Module):
    """Minus the coding rate of the batch's unit embeddings."""

    def __init__(self, eps: float = 0.5):
        super().__init__()
        if eps <= 0:
            raise ValueError(f"eps is {eps}, but is above 0")
        self.eps = eps

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """-R, which is at most 0, of x (N, D) float32; labels are not read."""
        unit = F.normalize(embeddings)
        n, d = unit.shape
        gram = unit @ unit.T if n < d else unit.T @ unit  # both have the same determinant
        whole = torch.eye(len(gram), dtype=gram.dtype, device=gram.device) + d / (n * self.eps) * gram
        return -torch.linalg.cholesky(whole).diagonal().log().sum()
