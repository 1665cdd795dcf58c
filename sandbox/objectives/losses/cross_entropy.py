"""Softmax cross-entropy over a linear classifier: L = -log softmax(W x + b)_y."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss("cross_entropy", Note("linear classifier and softmax", "", {"label_smoothing": Tune(0.0, 0.2)}))
class CrossEntropyLoss(nn.Module):
    """The plain classification baseline; the classifier belongs to the loss, so the embedding is never the logits."""

    def __init__(self, num_classes: int, embedding_size: int, label_smoothing: float = 0.0, bias: bool = True):
        super().__init__()
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(f"label_smoothing is {label_smoothing}, but lies in [0, 1)")
        self.classifier = nn.Linear(embedding_size, num_classes, bias=bias)
        self.label_smoothing = label_smoothing

    def get_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Class scores (N, C) of embeddings (N, D)."""
        return self.classifier(embeddings)

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64."""
        return F.cross_entropy(self.get_logits(embeddings), labels, label_smoothing=self.label_smoothing)
