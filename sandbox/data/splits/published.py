"""Splits that come with a data set: its test classes are never trained on, and validation is drawn from its training.

What the data sets of the retrieval literature publish has a training and a test half and nothing to choose on. Whole
training classes are drawn for that (`data.validation` is their share, `data.split_seed` draws them), so that test
stays comparable with what others report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet, Row, common_bits, image_set, read_rows, without_small
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.held import held_classes, held_images, refuse_no_share
from sandbox.data.splits.splits import Splits, given
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted, first_names

_NOTHING: Mapping[str, Mapping[Path, str]] = MappingProxyType({})


def official(
    root: Path,
    train: list[Row],
    test: list[Row],
    spec: DataSpec,
    notes: Sequence[str] = (),
    known: Mapping[str, Mapping[Path, str]] = _NOTHING,
) -> Splits:
    """Read both halves and draw validation classes out of the first.

    Args:
        root: what paths are relative to.
        train: what may be learnt from; classes with fewer images than `data.min_images` are left out.
        test: what is tested, whole.
        spec: the shares and the seed, and how images are read.
        notes: sentences for the person.
        known: what is known of files beside their class, by the name of a column; of others it is empty.

    Raises:
        SandboxError: a half without images, a share that leaves nothing, too few classes, or one class in both halves.
    """
    refuse_no_share(spec)
    if not train or not test:
        raise SandboxError(f"{root} holds no {'test' if train else 'training'} images that its list names")
    both = sorted({name for name, _ in train} & {name for name, _ in test})
    if both:
        classes = counted(len(both), "class is", "classes are")
        raise SandboxError(f"{classes} in both halves of {root}, to train on and to test: {first_names(both)}")
    form = Form.of(spec)
    learnt, unread = _read(root, train, form, known)
    # Settled by training, or the halves might come out with one channel and with three.
    tested, also = _read(root, test, form.like(learnt.pixels), known)
    if bits := common_bits((learnt, tested)):
        form = replace(form.like(learnt.pixels), bits=bits)
        (learnt, unread), (tested, also) = (_read(root, half, form, known) for half in (train, test))
    learnt, small = without_small(learnt, spec.min_images)
    held = np.isin(learnt.labels, held_classes(len(learnt.classes), spec))
    return given(
        learnt.take(np.flatnonzero(~held)),
        learnt.take(np.flatnonzero(held)),
        tested,
        mirror=True,
        notes=[*notes, *unread, *small, *also],
    )


def _read(
    root: Path, half: list[Row], form: Form, known: Mapping[str, Mapping[Path, str]]
) -> tuple[ImageSet, list[str]]:
    """The images of a half by class and path, with what is known of them."""
    rows = sorted(half)
    return read_rows(root, rows, form, {name: [own.get(file, "") for _, file in rows] for name, own in known.items()})


@dataclass(frozen=True)
class Half:
    """The training or the test images of a data set, as they were published."""

    pixels: np.ndarray
    """(N, h, w, 1 or 3) uint8."""
    names: list[str]
    """(N,) the class of each image."""
    published: int
    """How many images the half has as it was published."""


def parted(train: Half, test: Half, spec: DataSpec, *, mirror: bool, notes: Sequence[str] = ()) -> Splits:
    """The split that a recipe asks for.

    auto and given: the published halves, validation drawn out of each class of the training half (`data.validation`
    is its share, `data.split_seed` draws it), so that what is tested are new images of trained classes. class and
    sample: both halves together, split by class or by image like any other data.

    Images are called train/00000 on and test/00000 on, in their published order.

    Args:
        train: the training half.
        test: the test half.
        spec: the split, its shares and its seed, and how images are read.
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
        return drawn.brought_to(Form.of(spec))
    tested = np.array([path.startswith("test/") for path in images.paths], dtype=bool)
    held = held_images(np.where(tested, -1, images.labels), len(images.classes), spec)
    sets = (images.take(np.flatnonzero(chosen)) for chosen in (~tested & ~held, held, tested))
    notes.append(
        f"the published split: every class is trained on, validation is {spec.validation:g} of the training images, "
        "and data.test is not used (--data.split class tests classes never trained on)"
    )
    return given(*sets, mirror=mirror, notes=notes).brought_to(Form.of(spec))


def _named(train: Half, test: Half) -> tuple[tuple[str, Half], tuple[str, Half]]:
    return ("train", train), ("test", test)


def _partial(train: Half, test: Half) -> list[str]:
    """A sentence for each half that is not as large as it was published."""
    return [
        f"the {name} half holds {counted(len(half.names), 'image', 'images')}, but {half.published:,} were published"
        for name, half in _named(train, test)
        if len(half.names) != half.published
    ]
