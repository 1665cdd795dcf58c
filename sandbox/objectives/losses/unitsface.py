"""UniTSFace: one threshold for all pairs, between images and classes and between images and images.

Zhou, Jia, Li, Shen, Duan, "UniTSFace: Unified Threshold Integrated Sample-to-Sample Loss for Face Recognition",
NeurIPS 2023. With softplus(x) = log(1 + e^x), both parts are, for an image of class y and scores c_j,
softplus(-(s (c_y - m) - b)) + sum_{j != y} softplus(s c_j - b),
in the unified cross-entropy with c_j the cosine with the weight of class j, in the sample-to-sample part with the
last image of class j that was seen; b, the threshold, is learnt, one for each part.
From the authors' code (CVI-SZU/UniTSFace, head.py, backbone.py): what a softplus is taken of is clamped to [-s, s]; the
classes' b starts at log(10 C), that of the images at the mean log sum exp of the negatives. Their script begins the
second part after the first epoch, when it has an image of every class; here a class takes part once an image of it was
seen. Their script adds a softmax with a margin (`sample_to_class=softmax`), not the unified cross-entropy.
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


@own_loss(
    "unitsface",
    Note(
        "one learnt threshold for all pairs: unified cross-entropy, and the same against an image of each class",
        "Zhou et al., NeurIPS 2023",
        {"margin": Tune(0.0, 0.6), "sample_margin": Tune(0.0, 0.4), "scale": Tune(16.0, 160.0, log=True)},
    ),
)
class UniTSFaceLoss(nn.Module):
    """Sum of a sample-to-class and a sample-to-sample loss; remembers the last image of each class."""

    memory: torch.Tensor
    seen: torch.Tensor
    started: torch.Tensor
    """Whether the images' threshold was put where their negatives are."""

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        margin: float = 0.4,
        sample_margin: float = 0.1,
        scale: float = 64.0,
        sample_to_class: str = "unified",
    ):
        super().__init__()
        self.margin, self.sample_margin, self.scale = margin, sample_margin, scale
        self.weight = class_weights(num_classes, embedding_size)
        self.class_threshold: nn.Parameter | None = None
        if sample_to_class == "unified":
            self.class_threshold = nn.Parameter(torch.tensor(math.log(10 * num_classes)))
        self.sample_threshold = nn.Parameter(torch.tensor(0.0))
        self.register_buffer("memory", torch.zeros(num_classes, embedding_size))
        self.register_buffer("seen", torch.zeros(num_classes, dtype=torch.bool))
        self.register_buffer("started", torch.tensor(False))

    def get_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Class scores (N, C) without margin."""
        return self.scale * cosines(embeddings, self.weight)

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over x (N, D) float32, y (N,) int64; in train mode the batch's images are remembered."""
        cosine = cosines(embeddings, self.weight)
        if self.class_threshold is None:
            target = of_target(cosine, labels) - self.margin
            to_classes = F.cross_entropy(self.scale * with_target(cosine, labels, target), labels)
        else:
            everyone = torch.ones_like(self.seen)
            to_classes = self._unified(cosine, labels, everyone, self.margin, self.class_threshold)
        cosine = cosines(embeddings, self.memory)
        if self.training:
            self._start_threshold(cosine.detach(), labels)
        to_samples = self._unified(cosine, labels, self.seen, self.sample_margin, self.sample_threshold)
        if self.training:
            self._remember(embeddings.detach(), labels)
        return to_classes + to_samples

    def _unified(
        self, cosine: torch.Tensor, labels: torch.Tensor, among: torch.Tensor, margin: float, threshold: torch.Tensor
    ) -> torch.Tensor:
        """The unified cross-entropy () of cosines (N, C) over the classes of among (C,) bool."""
        own = F.one_hot(labels, cosine.shape[1]).bool()
        score = (self.scale * (cosine - margin * own) - threshold).clamp(-self.scale, self.scale)
        return (F.softplus(score.where(~own, -score)) * among).sum(1).mean()

    def _start_threshold(self, cosine: torch.Tensor, labels: torch.Tensor) -> None:
        """Put the images' threshold where their negatives are, once, as soon as there are some."""
        apart = self.seen & ~F.one_hot(labels, cosine.shape[1]).bool()
        known = apart.any(1)
        each = (self.scale * cosine).masked_fill(~apart, -math.inf).logsumexp(1)
        found = each.where(known, 0).sum() / known.sum().clamp(min=1)
        begins = known.any() & ~self.started  # a tensor, so that no step waits for the device
        self.sample_threshold.data.copy_(found.where(begins, self.sample_threshold.data))
        self.started = self.started | begins

    def _remember(self, embeddings: torch.Tensor, labels: torch.Tensor) -> None:
        """Keep the last image of each class of the batch."""
        places = torch.arange(len(labels), device=labels.device)
        last = torch.full_like(self.seen, -1, dtype=torch.int64).scatter_reduce(0, labels, places, "amax")
        found = last >= 0
        # new tensors, since autograd still holds those that this step's loss was computed from
        self.memory = torch.where(found[:, None], embeddings[last.clamp(min=0)], self.memory)
        self.seen = self.seen | found
