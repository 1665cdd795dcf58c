"""What losses that classify by angle share: a weight for each class, cosines with it, and the target's put in place."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def class_weights(num_classes: int, embedding_size: int) -> nn.Parameter:
    """Weights (C, D) of length 1 in random directions."""
    return nn.Parameter(F.normalize(torch.randn(num_classes, embedding_size)))


def cosines(embeddings: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Cosines (N, C) of embeddings (N, D) with weights (C, D)."""
    return F.linear(F.normalize(embeddings), F.normalize(weights))


def of_target(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The cosines (N,) with the own class."""
    return cosine.gather(1, labels[:, None]).squeeze(1)


def with_target(cosine: torch.Tensor, labels: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cosines (N, C) with those of the own class replaced by target (N,)."""
    return cosine.scatter(1, labels[:, None], target[:, None])


def plus_angle(cosine: torch.Tensor, angle: torch.Tensor | float) -> torch.Tensor:
    """cos(theta + angle) of cos(theta) (N,), angle in radians; with a finite gradient at both ends."""
    angle = torch.as_tensor(angle, dtype=cosine.dtype, device=cosine.device)
    cosine = cosine.clamp(-1 + 1e-7, 1 - 1e-7)
    return cosine * angle.cos() - (1 - cosine.square()).sqrt() * angle.sin()
