"""MagFace: ArcFace whose margin grows with the norm of the embedding, and a pull of all norms upwards.

Meng, Zhao, Huang, Zhou, "MagFace: A Universal Representation for Face Recognition and Quality Assessment", CVPR 2021:
a_i = ||x_i||, m(a) = l_m + (u_m - l_m) (a - l_a) / (u_a - l_a), g(a) = a / u_a^2 + 1 / a,
L_i = -log softmax(s cos(theta_y + m(a_i)), s cos(theta_j)) + lambda g(a_i).
From the authors' code (IrvingMeng/MagFace, models/magface.py, run/run.sh) and not the text: norms are clamped to [l_a,
u_a], so that outside them nothing pulls; an image at more than 90 degrees from its class gets no margin; lambda is 35
(the trainer's own default is 20). The theory asks of lambda at least s k u_a^2 l_a^2 / (u_a^2 - l_a^2), k the slope of
m: 22.6 at these values.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.class_weights import class_weights, cosines, of_target, plus_angle, with_target
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "magface",
    Note(
        "ArcFace with a margin that grows with the embedding's norm (radians), norms pulled upwards",
        "Meng et al., CVPR 2021",
        {
            "low_margin": Tune(0.1, 0.5),
            "high_margin": Tune(0.5, 1.0),
            "norm_weight": Tune(5.0, 50.0, log=True),
            "scale": Tune(16.0, 160.0, log=True),
        },
    ),
)
class MagFaceLoss(nn.Module):
    """Reads raw norms, of `low_norm` to `high_norm`; margins are angles in radians."""

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        low_margin: float = 0.45,
        high_margin: float = 0.8,
        low_norm: float = 10.0,
        high_norm: float = 110.0,
        norm_weight: float = 35.0,
        scale: float = 64.0,
    ):
        super().__init__()
        if not 0 < low_norm < high_norm:
            raise ValueError(f"low_norm is {low_norm} and high_norm {high_norm}, but they ascend from above 0")
        if low_margin > high_margin:
            raise ValueError(f"low_margin is {low_margin}, but is at most high_margin, which is {high_margin}")
        self.low_margin, self.high_margin = low_margin, high_margin
        self.low_norm, self.high_norm = low_norm, high_norm
        self.norm_weight, self.scale = norm_weight, scale
        self.weight = class_weights(num_classes, embedding_size)

    def get_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Class scores (N, C) without margin."""
        return self.scale * cosines(embeddings, self.weight)

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64."""
        norm = embeddings.norm(dim=1).clamp(self.low_norm, self.high_norm)
        slope = (self.high_margin - self.low_margin) / (self.high_norm - self.low_norm)
        cosine = cosines(embeddings, self.weight)
        plain = of_target(cosine, labels)
        target = plus_angle(plain, self.low_margin + slope * (norm - self.low_norm)).where(plain > 0, plain)
        pull = (norm / self.high_norm**2 + 1 / norm).mean()
        return F.cross_entropy(self.scale * with_target(cosine, labels, target), labels) + self.norm_weight * pull
