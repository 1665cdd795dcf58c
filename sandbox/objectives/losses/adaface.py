"""AdaFace: a margin that follows the norm of the embedding, as a sign of the image's quality.

Kim, Jain, Liu, "AdaFace: Quality Adaptive Margin for Face Recognition", CVPR 2022, section 3.2:
q_i = clip((||x_i|| - mean) / (std / h), -1, 1), without gradient;
target = cos(theta_y - m q_i) - (m q_i + m), all others cos(theta_j), times s, then softmax cross-entropy.
Mean and deviation of the norms are running ones. From the authors' code (mk-minchul/AdaFace, head.py, config.py): they
start at 20 and 100, a batch moves them by 0.01 before it is judged by them, norms are clipped to [0.001, 100], cosines
to 0.999 in size, and 0.001 is added to the deviation.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.class_weights import class_weights, cosines, of_target, with_target
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss

_CLOSE = 1e-3  # to 1, 0 and pi


@own_loss(
    "adaface",
    Note(
        "softmax over cosines with a margin that follows the embedding's norm, the image's quality",
        "Kim et al., CVPR 2022, section 3.2",
        {"margin": Tune(0.1, 0.6), "h": Tune(0.1, 1.0), "scale": Tune(16.0, 160.0, log=True)},
    ),
)
class AdaFaceLoss(nn.Module):
    """Reads raw norms: images of small norm get an angular margin, those of large norm an additive one."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        margin: float = 0.4,
        h: float = 0.333,
        scale: float = 64.0,
        momentum: float = 0.01,
    ):
        super().__init__()
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum is {momentum}, but lies in (0, 1]: what a batch weighs in the running norms")
        self.margin, self.h, self.scale, self.momentum = margin, h, scale, momentum
        self.weight = class_weights(num_classes, embedding_size)
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("deviation", torch.tensor(100.0))

    def get_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Class scores (N, C) without margin."""
        return self.scale * cosines(embeddings, self.weight)

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64; in train mode the running norms move."""
        cosine = cosines(embeddings, self.weight).clamp(-1 + _CLOSE, 1 - _CLOSE)
        quality = self._quality(embeddings.detach().norm(dim=1).clamp(1e-3, 100))
        angle = of_target(cosine, labels).acos() - self.margin * quality
        target = angle.clamp(_CLOSE, math.pi - _CLOSE).cos() - self.margin * (1 + quality)
        return F.cross_entropy(self.scale * with_target(cosine, labels, target), labels)

    def _quality(self, norms: torch.Tensor) -> torch.Tensor:
        """Norms (N,) as qualities (N,) in [-1, 1]."""
        if self.training and len(norms) > 1:  # one image has no deviation
            self.mean = torch.lerp(self.mean, norms.mean(), self.momentum)
            self.deviation = torch.lerp(self.deviation, norms.std(), self.momentum)
        return (self.h * (norms - self.mean) / (self.deviation + _CLOSE)).clamp(-1, 1)
