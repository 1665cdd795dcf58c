"""Which images make a step: pure functions of (seed, step), so that resuming is one integer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from sandbox.errors import SandboxError
from sandbox.recipe.specs import BatchSpec

_CLASSES, _SAMPLES, _SHUFFLE = 1, 2, 3


class Batches(Protocol):
    """A sampler: `take(step)` gives the images (B,) int64 of a step, whatever was taken before."""

    @property
    def size(self) -> int:
        """Images a step."""
        ...

    @property
    def steps_per_epoch(self) -> int:
        """Steps that show as many images as the set has."""
        ...

    def take(self, step: int) -> np.ndarray:
        """Indices (B,) int64 of the images of `step`."""
        ...


@dataclass(frozen=True)
class ClassBalanced:
    """P classes x K images: every class once in each pass over the classes, in an order drawn for that pass."""

    members: tuple[np.ndarray, ...]
    classes: int
    samples: int
    seed: int
    images: int

    @property
    def size(self) -> int:
        """Images a step."""
        return self.classes * self.samples

    @property
    def steps_per_epoch(self) -> int:
        """Steps that show as many images as the set has."""
        return max(1, self.images // self.size)

    def take(self, step: int) -> np.ndarray:
        """Indices (P*K,) int64; images of one class stand together and repeat only where it has fewer than K."""
        steps_a_pass = len(self.members) // self.classes
        turn, place = divmod(step, steps_a_pass)
        order = np.random.default_rng([self.seed, _CLASSES, turn]).permutation(len(self.members))
        chosen = order[place * self.classes : (place + 1) * self.classes]
        rng = np.random.default_rng([self.seed, _SAMPLES, step])
        return np.concatenate([_draw(self.members[c], self.samples, rng) for c in chosen])


@dataclass(frozen=True)
class Shuffled:
    """Every image once an epoch, in an order drawn for that epoch; what is left of a division waits for the next."""

    images: int
    size: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Full batches an epoch."""
        return self.images // self.size

    def take(self, step: int) -> np.ndarray:
        """Indices (B,) int64."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return _epoch_order(self.images, self.seed, epoch)[place * self.size : (place + 1) * self.size]


@lru_cache(maxsize=2)
def _epoch_order(images: int, seed: int, epoch: int) -> np.ndarray:
    """The order of an epoch, kept from step to step: a permutation of a million images costs more than a step."""
    return np.random.default_rng([seed, _SHUFFLE, epoch]).permutation(images).astype(np.int64)


def make_batches(labels: np.ndarray, spec: BatchSpec, *, repeats_needed: bool, seed: int) -> tuple[Batches, list[str]]:
    """The sampler that a recipe asks for, and sentences on what it had to adapt.

    Args:
        labels: (N,) int64, 0 .. C-1.
        spec: sizes; what is not given is chosen.
        repeats_needed: whether the objective compares images of one class, for ``sampler = "auto"``.
        seed: draws the batches.

    Raises:
        SandboxError: fewer than two classes with two images, or sizes that the set cannot fill.
    """
    if spec.size < 2:
        raise SandboxError(f"batch.size is {spec.size}, but a batch has at least 2 images")
    if spec.sampler == "shuffle" or (spec.sampler == "auto" and not repeats_needed):
        if (spec.classes or spec.samples) and spec.sampler == "auto":
            return _balanced(labels, spec, seed)
        return Shuffled(len(labels), min(spec.size, len(labels)), seed), []
    return _balanced(labels, spec, seed)


def batch_shape(spec: BatchSpec) -> tuple[int, int]:
    """P and K that a spec aims at before any data is known; the sampler may have to shrink P and grow K."""
    samples = spec.samples or (max(2, spec.size // spec.classes) if spec.classes else min(4, max(2, spec.size // 2)))
    return spec.classes or max(2, spec.size // samples), samples


def _balanced(labels: np.ndarray, spec: BatchSpec, seed: int) -> tuple[ClassBalanced, list[str]]:
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    members = tuple(group for group in groups if len(group) > 1)
    notes = []
    if lone := len(groups) - len(members):
        notes.append(f"{lone} of {len(groups)} training classes have a single image and are left out of the batches")
    if len(members) < 2:
        raise SandboxError(
            f"batches of classes x samples need two classes with two images; this training set has {len(members)}"
        )
    for name, value in (("batch.classes", spec.classes), ("batch.samples", spec.samples)):
        if value is not None and value < 2:
            raise SandboxError(f"{name} is {value}, but comparing takes at least 2")
    if spec.classes is not None and spec.classes > len(members):
        raise SandboxError(f"batch.classes is {spec.classes}, but only {len(members)} training classes have two images")
    aimed, samples = batch_shape(spec)
    classes = min(aimed, len(members))
    if classes < aimed and spec.samples is None:
        samples = max(samples, min(spec.size // classes, max(map(len, members))))
    if classes < aimed:
        notes.append(f"batches are {classes} classes x {samples} images: the training set has no more classes")
    used = sum(map(len, members))
    return ClassBalanced(members, classes, samples, seed, used), notes


def _draw(group: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` images of a class, none twice before all have been once."""
    rounds = -(-count // len(group))
    return np.concatenate([rng.permutation(group) for _ in range(rounds)])[:count]
