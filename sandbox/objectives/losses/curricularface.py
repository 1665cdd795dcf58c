"""CurricularFace: ArcFace that attends to hard classes the more, the better the batch is known.

Huang et al., "CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition", CVPR 2020, Eq. 5-9:
target = cos(theta_y + m); another class j has cos(theta_j) where that is at most the target's, else it is hard and has
cos(theta_j) (t + cos(theta_j)). t is a running mean of the cosines with the own class.
From the authors' code (HuangYG123/CurricularFace, head/metrics.py): t starts at 0 and moves by 0.01 towards the batch's
mean before it is used; where theta_y + m passes 180 degrees the target is cos(theta_y) - m sin(m), though what is hard
is told by cos(theta_y + m).
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.class_weights import class_weights, cosines, of_target, plus_angle, with_target
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "curricularface",
    Note(
        "ArcFace that weighs hard classes the more, the further training is (radians)",
        "Huang et al., CVPR 2020, Eq. 5-9",
        {"margin": Tune(0.1, 0.8), "scale": Tune(16.0, 160.0, log=True)},
    ),
)
class CurricularFaceLoss(nn.Module):
    """Additive angular margin, an angle in radians, with hard classes weighed by the running cosine `t`."""

    t: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        margin: float = 0.5,
        scale: float = 64.0,
        momentum: float = 0.01,
    ):
        super().__init__()
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum is {momentum}, but lies in (0, 1]: what a batch weighs in the running cosine")
        self.margin, self.scale, self.momentum = margin, scale, momentum
        self.weight = class_weights(num_classes, embedding_size)
        self.register_buffer("t", torch.tensor(0.0))

    def get_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Class scores (N, C) without margin."""
        return self.scale * cosines(embeddings, self.weight)

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64; in train mode `t` moves."""
        cosine = cosines(embeddings, self.weight)
        plain = of_target(cosine, labels)
        if self.training:
            self.t = torch.lerp(self.t, plain.detach().mean(), self.momentum)
        pushed = plus_angle(plain, self.margin)
        weighed = (cosine * (self.t + cosine)).where(cosine > pushed[:, None], cosine)
        past = plain - math.sin(self.margin) * self.margin
        target = pushed.where(plain > -math.cos(self.margin), past)
        return F.cross_entropy(self.scale * with_target(weighed, labels, target), labels)
