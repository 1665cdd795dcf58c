"""Small images published as a training and a test half of the same classes, such as MNIST and CIFAR-100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.data.images import image_set
from sandbox.data.shares import check_shares, sample_counts
from sandbox.data.smallest import without_small
from sandbox.data.splits import Splits, class_disjoint, given, sample_disjoint
from sandbox.data.squares import fitted
from sandbox.errors import SandboxError
from sandbox.recipe import DataSpec
from sandbox.wording import counted


@dataclass(frozen=True)
class Half:
    """What one half holds."""

    pixels: np.ndarray
    """(N, h, w, 1 or 3) uint8."""
    names: list[str]
    """(N,) the class of each image."""
    published: int
    """How many images the half has as it was published."""


def parted(train: Half, test: Half, spec: DataSpec, size: int, *, mirror: bool, notes: Sequence[str] = ()) -> Splits:
    """The split that a recipe asks for.

    auto and given: the published halves, validation drawn out of each class of the training half (`data.validation`
    is its share, `data.split_seed` draws it), so that what is tested are new images of trained classes. class and
    sample: both halves together, split by class or by image like any other data.

    Images are called train/00000 on and test/00000 on, in their published order.

    Args:
        train: the training half.
        test: the test half.
        spec: the split, its shares and its seed, and how images are read.
        size: side in pixels.
        mirror: whether horizontal flips make sense.
        notes: sentences for the person.

    Raises:
        SandboxError: shares that leave nothing, too few classes, or a half without images.
    """
    if not train.names or not test.names:
        raise SandboxError(
            f"the {'test' if train.names else 'training'} half of data set '{spec.name}' holds no images"
        )
    paths = [f"{name}/{number:05d}" for name, half in _named(train, test) for number in range(len(half.names))]
    whole = image_set(np.concatenate([train.pixels, test.pixels]), [*train.names, *test.names], paths)
    images, small = without_small(whole, spec.min_images)
    notes = [*notes, *_partial(train, test), *small]
    if spec.split in ("class", "sample"):
        notes.append("the published training and test images are pooled: figures do not compare with published ones")
        part = sample_disjoint if spec.split == "sample" else class_disjoint
        drawn = part(images, spec.validation, spec.test, spec.split_seed, mirror=mirror, notes=notes)
        return fitted(drawn, size, spec)
    tested = np.array([path.startswith("test/") for path in images.paths], dtype=bool)
    held = _held(np.where(tested, -1, images.labels), len(images.classes), spec)
    sets = (images.take(np.flatnonzero(chosen)) for chosen in (~tested & ~held, held, tested))
    notes.append(
        f"the published split: every class is trained on, validation is {spec.validation:g} of the training images, "
        "and data.test is not used (--data.split class tests classes never trained on)"
    )
    return fitted(given(*sets, mirror=mirror, notes=notes), size, spec)


def _held(labels: np.ndarray, classes: int, spec: DataSpec) -> np.ndarray:
    """Which images are drawn for validation, (N,) bool, out of those whose label is not -1."""
    check_shares(spec.validation, 0.0)
    random = np.random.default_rng(spec.split_seed)
    held = np.zeros(len(labels), dtype=bool)
    for label in range(classes):
        own = random.permutation(np.flatnonzero(labels == label))
        held[own[: sample_counts(len(own), spec.validation, 0.0)[0]]] = True
    return held


def _named(train: Half, test: Half) -> tuple[tuple[str, Half], tuple[str, Half]]:
    return ("train", train), ("test", test)


def _partial(train: Half, test: Half) -> list[str]:
    """A sentence for each half that is not as large as it was published."""
    return [
        f"the {name} half holds {counted(len(half.names), 'image', 'images')}, but {half.published:,} were published"
        for name, half in _named(train, test)
        if len(half.names) != half.published
    ]
