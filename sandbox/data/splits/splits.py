"""`Splits`: what is trained on, what choices are made on, and what is tested once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet
from sandbox.data.images.resize import resized
from sandbox.data.splits.apart import OneShotTask, ToVerify
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.wording import counted


@dataclass(frozen=True)
class Splits:
    """A data set parted into training, validation and test images, with pairs and images that are verified apart."""

    train: ImageSet
    val: ImageSet
    test: ImageSet
    val_pairs: Pairs | None = None
    """Pairs of `val` that a list names; None where no list is part of the data."""
    test_pairs: Pairs | None = None
    """Pairs of `test` that a list names."""
    val_verify: ToVerify | None = None
    """What verification is judged on in place of `val`, where classification and verification have images apart."""
    test_verify: ToVerify | None = None
    """The same in place of `test`."""
    val_oneshot: OneShotTask | None = None
    """One-shot trials of validation."""
    test_oneshot: OneShotTask | None = None
    """One-shot trials of test; where `test` is empty, it is judged on these alone."""
    mirror: bool = False
    """Whether an image flipped left to right is still one of its class."""
    notes: tuple[str, ...] = ()
    """Plain sentences to print up front: images and classes left out, and what is odd about the split."""
    digest: str = ""
    """12 hex characters that say which images of which classes are in which split."""

    def image_sets(self) -> dict[str, ImageSet]:
        """Every image set: train, val, test, and what is verified or named by one shot apart from them, where given."""
        sets = {"train": self.train, "val": self.val, "test": self.test}
        if not len(self.test) and self.test_oneshot is not None:
            del sets["test"]
        for name, apart in (("val pairs", self.val_verify), ("test pairs", self.test_verify)):
            if apart is not None:
                sets[name] = apart.images
        for name in ("val", "test"):
            task = self.one_shot(name)
            if task is not None and task.images is not None:
                sets[f"{name} one-shot"] = task.images
        return sets

    def one_shot(self, name: str) -> OneShotTask | None:
        """The one-shot trials of ``val`` or ``test``."""
        return self.val_oneshot if name == "val" else self.test_oneshot

    @property
    def bits(self) -> int | None:
        """That files of 16 bits or more were taken to use, the same in every set; None where there were none."""
        return max((images.bits for images in self.image_sets().values() if images.bits is not None), default=None)

    def class_counts(self) -> Counter[str]:
        """Images of each class in train, val and test together; classes of one name are one class."""
        counts: Counter[str] = Counter()
        for images in (self.train, self.val, self.test):
            counts.update(dict(zip(images.classes, images.counts.tolist(), strict=True)))
        return counts

    def brought_to(self, form: Form) -> Splits:
        """The same split with its images resized; done last, so that each is held once in its new size.

        Raises:
            SandboxError: more memory is needed than there is.
        """
        form = form if form.colour != "auto" else form.like(self.train.pixels)
        train, val, test = (replace(s, pixels=resized(s.pixels, form)) for s in (self.train, self.val, self.test))
        return replace(self, train=train, val=val, test=test)

    def part(self, name: str) -> tuple[ImageSet, Pairs | None, ToVerify | None]:
        """The images, pairs and images to verify of ``val`` or ``test``."""
        if name == "val":
            return self.val, self.val_pairs, self.val_verify
        return self.test, self.test_pairs, self.test_verify

    def embedded(self, name: str) -> ImageSet:
        """The images of ``val`` or ``test``; of a test that holds one-shot trials alone, those of the trials."""
        own, task = self.part(name)[0], self.one_shot(name)
        return own if len(own) or task is None or task.images is None else task.images

    def pictured(self, tested: bool) -> str:
        """The split that pictures are of: ``test``, or ``val`` where that was not tested or holds trials alone."""
        return "test" if tested and len(self.test) else "val"

    @property
    def closed_set(self) -> bool:
        """Whether what is evaluated was trained on: every class of val and test has the same label in train.

        Classes that are in train alone, for want of images, come last there, so labels agree nevertheless.
        """
        return all(
            split.classes and split.classes == self.train.classes[: len(split.classes)]
            for split in (self.val, self.test)
        )


def images_digest(images: ImageSet) -> str:
    """12 hex characters that say which images of which classes a set holds, in which order."""
    rows = "\0".join(f"{path}\0{images.classes[k]}" for path, k in zip(images.paths, images.labels, strict=True))
    return hashlib.sha256(rows.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def given(
    train: ImageSet,
    val: ImageSet,
    test: ImageSet,
    *,
    val_pairs: Pairs | None = None,
    test_pairs: Pairs | None = None,
    val_verify: ToVerify | None = None,
    test_verify: ToVerify | None = None,
    test_oneshot: OneShotTask | None = None,
    mirror: bool = False,
    notes: Sequence[str] = (),
) -> Splits:
    """A split that the data set itself or its reader settled.

    Args:
        train: learnt from.
        val: chosen on.
        test: scored once.
        val_pairs: pairs of `val`.
        test_pairs: pairs of `test`.
        val_verify: images that verification is judged on in place of `val`.
        test_verify: the same in place of `test`.
        test_oneshot: one-shot trials in images of their own, beside which `test` may be empty.
        mirror: whether horizontal flips make sense.
        notes: sentences for the person.

    Raises:
        SandboxError: fewer than two classes to train on, an image in two splits, or nothing to score in val or test
            (no pairs, no two images of a class, and classes that are not those of training).
    """
    train, val, test = _shared_classes_first(train, val, test)
    splits = _assembled(train, val, test, mirror, notes, val_pairs, test_pairs)
    splits = with_one_shot(_with_apart(splits, val_verify, test_verify), None, test_oneshot)
    for name, split, pairs in (("validation", val, val_pairs), ("test", test, test_pairs)):
        if name == "test" and not len(split) and test_oneshot is not None:
            continue
        if not len(split) or (pairs is None and not splits.closed_set and split.counts.max() < 2):
            _refuse_unmatched(name, split)
    return splits


def _with_apart(splits: Splits, val: ToVerify | None, test: ToVerify | None) -> Splits:
    """The splits with images to verify, of which none may be in training; the digest knows them."""
    trained = set(splits.train.paths)
    digest = splits.digest
    for name, apart in (("validation", val), ("test", test)):
        if apart is None:
            continue
        twice = sorted(trained & set(apart.images.paths))
        if twice:
            images = counted(len(twice), "image is", "images are")
            raise SandboxError(f"{images} in both train and {name} pairs, such as {twice[0]}; a split must part them")
        parts = "\0".join([digest, name, *apart.images.paths]).encode("utf-8", "surrogateescape")
        digest = hashlib.sha256(parts).hexdigest()[:12]
    return replace(splits, val_verify=val, test_verify=test, digest=digest)


def with_one_shot(splits: Splits, val: OneShotTask | None, test: OneShotTask | None) -> Splits:
    """The splits with one-shot trials in the place of those that they had; the digest knows them.

    Raises:
        SandboxError: an image of a trial is trained on.
    """
    trained, digest = set(splits.train.paths), splits.digest
    for name, task in (("val", val), ("test", test)):
        if task is None:
            continue
        images = task.images or splits.part(name)[0]
        twice = sorted(trained & set(images.paths))
        if twice:
            raise SandboxError(f"{twice[0]} is trained on and in a one-shot trial of {name}; a split must part them")
        rows = np.column_stack([task.trials.run, task.trials.query, task.trials.answer, task.trials.support])
        parts = "\0".join([digest, name, *images.paths]).encode("utf-8", "surrogateescape")
        digest = hashlib.sha256(parts + rows.astype("<i8").tobytes()).hexdigest()[:12]
    return replace(splits, val_oneshot=val, test_oneshot=test, digest=digest)


def _shared_classes_first(train: ImageSet, val: ImageSet, test: ImageSet) -> tuple[ImageSet, ImageSet, ImageSet]:
    """The same sets, their classes ordered by how many of the sets have them, then by name.

    Where val and test hold classes of train, their labels thereby are the labels of train.
    """
    spread = Counter(name for split in (train, val, test) for name in split.classes)

    def ordered(split: ImageSet) -> ImageSet:
        classes = tuple(sorted(split.classes, key=lambda name: (-spread[name], name)))
        if classes == split.classes:
            return split
        number = {name: label for label, name in enumerate(classes)}
        labels = np.array([number[name] for name in split.classes], dtype=np.int64)[split.labels]
        return replace(split, labels=labels, classes=classes)

    return ordered(train), ordered(val), ordered(test)


def _assembled(
    train: ImageSet,
    val: ImageSet,
    test: ImageSet,
    mirror: bool,
    notes: Sequence[str],
    val_pairs: Pairs | None = None,
    test_pairs: Pairs | None = None,
) -> Splits:
    if len(train.classes) < 2:
        raise SandboxError(f"training needs images of at least two classes; here there are {len(train.classes)}")
    named = {"train": train, "val": val, "test": test}
    for one, other in combinations(named, 2):
        twice = sorted(set(named[one].paths) & set(named[other].paths))
        if twice:
            images = counted(len(twice), "image is", "images are")
            raise SandboxError(f"{images} in both {one} and {other}, such as {twice[0]}; a split must part them")
    digest = hashlib.sha256()
    for name, split in named.items():
        rows = (f"{path}\0{split.classes[label]}\0" for path, label in zip(split.paths, split.labels, strict=True))
        digest.update(f"{name}\0{''.join(rows)}\0".encode("utf-8", "surrogateescape"))
    return Splits(
        train=train,
        val=val,
        test=test,
        val_pairs=val_pairs,
        test_pairs=test_pairs,
        mirror=mirror,
        notes=tuple(notes),
        digest=digest.hexdigest()[:12],
    )


def _refuse_unmatched(name: str, split: ImageSet) -> None:
    if not len(split):
        raise SandboxError(
            f"the {name} split is empty; give data.{name} a share above 0, or images to the folder it reads"
        )
    raise SandboxError(
        f"no two of the {len(split):,} images of the {name} split show one class, so none can be matched; "
        f"raise data.{name} where the split is drawn, or leave small classes out (data.min_images)"
    )


def refuse_lone_images(splits: Splits) -> None:
    """Refuse a closed set in which a part has one image of each class: nothing there can be retrieved.

    Raises:
        SandboxError: says which part, before anything is learnt.
    """
    for name, images, pairs in (("validation", splits.val, splits.val_pairs), ("test", splits.test, splits.test_pairs)):
        if pairs is None and images.counts.max() < 2:
            raise SandboxError(
                f"each of the {len(images):,} classes of the {name} split has a single image there, so that no image "
                "has a match to be retrieved; give some classes a second"
            )
