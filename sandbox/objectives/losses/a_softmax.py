"""Angular softmax with the annealing that makes it trainable.

Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017, Eq. 7:
logit of the target = ||x|| psi(theta), psi(theta) = (-1)^k cos(m theta) - 2k for theta in [k pi/m, (k+1) pi/m],
of the others ||x|| cos(theta_j). Annealed: target = ||x|| (lambda cos + psi) / (1 + lambda), where at step t
lambda = max(5, 1500 / (1 + 0.1 t)), t from 0.
1500 and 0.1 are those of a later PyTorch port (sphereface_pytorch). The authors' code (wy1iu/sphereface,
margin_inner_product_layer.cpp and sphereface_model.prototxt: base 1000, gamma 0.12, power 1, lambda_min 5) has
max(5, 1000 / (1 + 0.12 t)), t from 1: `angular_softmax`, which is a_softmax(first_step=1, gamma=0.12, lambda_max=1000).
The defaults stay what runs were recorded with, and the authors' values are told apart by the objective's spelling.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "a_softmax",
    Note(
        "SphereFace's angular softmax with annealed margin; angular_softmax anneals as the authors' code does",
        "Liu et al., CVPR 2017, Eq. 7",
        {"lambda_min": Tune(1.0, 20.0, log=True), "gamma": Tune(0.01, 1.0, log=True)},
    ),
)
class ASoftmaxLoss(nn.Module):
    """Multiplicative angular margin (a whole number of at least 1) on raw embeddings and unit class weights."""

    step: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        margin: int = 4,
        lambda_max: float = 1500.0,
        lambda_min: float = 5.0,
        gamma: float = 0.1,
        first_step: int = 0,
    ):
        super().__init__()
        if gamma < 0:
            raise ValueError(f"gamma is {gamma}, but is at least 0: how fast the annealing falls")
        if first_step < 0 or first_step != int(first_step):
            raise ValueError(f"first_step is {first_step}, but is a whole number of at least 0")
        if margin < 1 or margin != int(margin):
            raise ValueError(f"margin is {margin}, but is a whole number of at least 1")
        self.margin = int(margin)
        self.lambda_max, self.lambda_min, self.gamma = lambda_max, lambda_min, gamma
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_classes, embedding_size)))
        self.register_buffer("step", torch.tensor(int(first_step)))

    @property
    def annealing(self) -> float:
        """Lambda at the present step: how much of the plain cosine is left in the target."""
        return max(self.lambda_min, self.lambda_max / (1 + self.gamma * int(self.step)))

    def psi(self, cosine: torch.Tensor) -> torch.Tensor:
        """The margin function: monotonically falling in the angle, (N,) cosines in [-1, 1] to (N,) values."""
        theta = cosine.clamp(-1 + 1e-7, 1 - 1e-7).acos()
        k = (self.margin * theta / math.pi).floor().detach()
        return (1 - 2 * (k % 2)) * (self.margin * theta).cos() - 2 * k

    def get_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Class scores (N, C) without margin."""
        return F.linear(embeddings, F.normalize(self.weight))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64; in train mode the annealing moves on by one step."""
        norm = embeddings.norm(dim=1)
        cosine = F.linear(F.normalize(embeddings), F.normalize(self.weight))
        target = cosine.gather(1, labels[:, None]).squeeze(1)
        annealing = self.annealing
        if self.training:
            self.step = self.step + 1
        margin_target = (annealing * target + self.psi(target)) / (1 + annealing)
        logits = cosine.scatter(1, labels[:, None], margin_target[:, None]) * norm[:, None]
        return F.cross_entropy(logits, labels)
