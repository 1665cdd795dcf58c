"""`objective`: an objective as a module for a training loop of one's own, or for pytorch-metric-learning's trainers."""

from __future__ import annotations

import torch
from torch import nn

from sandbox.api.given import text, whole
from sandbox.errors import SandboxError
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve


class ObjectiveModule(nn.Module):
    """The weighed sum that an expression says, as one number to minimise.

    It may own weights, those of a classifier or of centres: give `parameters()` to an optimizer.
    """

    def __init__(self, expression: str, miner: str, classes: int, dim: int):
        super().__init__()
        self._classes, self._dim = whole("classes", classes, 1), whole("dim", dim, 1)
        expression, miner, classes, dim = text("loss", expression), text("miner", miner), self._classes, self._dim
        self.objective = build(resolve(expression, miner=miner), classes=classes, dim=dim)
        self.terms: dict[str, float] = {}
        """What each weighed term gave for the last batch."""

    def forward(
        self,
        embeddings: torch.Tensor,
        labels: torch.Tensor,
        indices_tuple: tuple[torch.Tensor, ...] | None = None,
        ref_emb: torch.Tensor | None = None,
        ref_labels: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The loss () of raw embeddings (N, D) and labels (N,) int64 from 0.

        Args:
            embeddings: of a batch, not normalised.
            labels: their classes.
            indices_tuple: pairs or triplets as pytorch-metric-learning's miners give them, for every term that takes
                some, in the place of its own miner's.
            ref_emb: not taken; the arguments stand here as pytorch-metric-learning's trainers name them.
            ref_labels: the same.

        Raises:
            SandboxError: `ref_emb` is given, or `indices_tuple` and no term takes pairs or triplets, or with places
                that are none of the batch's; or embeddings or labels are others than the objective was made for.
        """
        if ref_emb is not None or ref_labels is not None:
            raise SandboxError("an objective compares a batch with itself; ref_emb and ref_labels have no place in it")
        labels = self._checked(embeddings, labels)
        if indices_tuple is not None:
            _check_places(indices_tuple, len(labels))
        outcome = self.objective(embeddings, labels, indices_tuple)
        self.terms = {name: float(part) for name, part in outcome.terms.items()}
        return outcome.total

    def _checked(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The labels as int64, where they and the embeddings are such as the objective was made for."""
        if not torch.is_tensor(embeddings) or not torch.is_tensor(labels):
            wrong = labels if torch.is_tensor(embeddings) else embeddings
            raise SandboxError(f"an objective takes tensors, not {type(wrong).__name__}")
        fits = embeddings.ndim == 2 and embeddings.shape[1] == self._dim and labels.shape == embeddings.shape[:1]
        if not fits or not len(labels) or not embeddings.is_floating_point():
            raise SandboxError(
                f"embeddings are {tuple(embeddings.shape)} of {embeddings.dtype} and labels {tuple(labels.shape)}, but "
                f"this objective takes floats (N, {self._dim}) and (N,), N at least 1"
            )
        if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
            raise SandboxError(f"labels are {labels.dtype}, but are whole numbers from 0 to {self._classes - 1}")
        low, high = torch.stack(labels.aminmax()).tolist()  # a GPU is waited for once
        if low < 0 or high >= self._classes:
            raise SandboxError(
                f"labels hold {low if low < 0 else high}, but this objective is of {self._classes:,} classes, 0 to "
                f"{self._classes - 1}"
            )
        return labels.long()


def _check_places(given: tuple[torch.Tensor, ...], images: int) -> None:
    """Refuse what is neither triplets nor pairs of a batch; a place below 0 would count from its end, in silence."""
    if len(given) not in (3, 4):
        raise SandboxError(f"indices_tuple has {len(given)} lists, but triplets are 3 lists and pairs are 4")
    counts = [len(places) for places in given]
    if len({*counts[:2]}) > 1 or len({*counts[2:]}) > 1 or (len(given) == 3 and len({*counts}) > 1):
        raise SandboxError(
            f"indices_tuple has lists of {counts} places, but those of a pair or triplet are equally long"
        )
    for places in given:
        if (outside := places[(places < 0) | (places >= images)]).numel():
            raise SandboxError(
                f"indices_tuple has place {outside[0].item()}, but a batch of {images} images has 0 to {images - 1}"
            )


def objective(expression: str, *, classes: int, dim: int, miner: str = "none") -> ObjectiveModule:
    """An objective as a torch module.

    Args:
        expression: as `--loss` takes it, such as ``"arcface + 0.003*center"``.
        classes: how many there are; labels are from 0 to one less.
        dim: numbers of an embedding.
        miner: for every term that takes pairs or triplets and names none.

    Raises:
        SandboxError: a name that does not exist, a value that a loss refuses, or no classes or numbers at all.
    """
    return ObjectiveModule(expression, miner, classes, dim)
