"""What a split is judged on beside its own images: pairs to verify, and one-shot trials."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.data.images.image_set import ImageSet
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.trials import Trials


@dataclass(frozen=True)
class ToVerify:
    """Images that are verified and nothing else, such as people never trained on beside a closed set."""

    images: ImageSet
    """Where a list names no people, each image is a class of its own."""
    pairs: Pairs | None = None
    """Pairs of `images`; all of them where None."""


@dataclass(frozen=True)
class OneShotTask:
    """One-shot trials that a split is judged on."""

    trials: Trials
    """Over the rows of `images`; over those of the split where that is None."""
    images: ImageSet | None = None
    """Drawings that nothing else is asked of, each called after the class of its run."""
    drawings: ImageSet | None = None
    """The same in the size that published baselines are of; None where there are none."""
