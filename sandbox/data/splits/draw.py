"""Splits drawn here: whole classes, or images of every class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.remarks import single_class
from sandbox.data.splits.sizes import check_shares, class_counts, sample_counts
from sandbox.data.splits.splits import Splits, _assembled, _refuse_unmatched, _shared_classes_first
from sandbox.wording import counted


def class_disjoint(
    images: ImageSet,
    validation: float,
    test: float,
    seed: int,
    *,
    groups: Sequence[str] | None = None,
    mirror: bool = False,
    notes: Sequence[str] = (),
) -> Splits:
    """Draw whole classes, so that what is tested was never trained on.

    Args:
        images: everything.
        validation: share of the classes (of the groups, where given), 0 to 1.
        test: the same for test.
        seed: draws the classes.
        groups: the group (such as an alphabet) of each of `images.classes`; a group stays together.
        mirror: whether horizontal flips make sense.
        notes: sentences for the person.

    Raises:
        SandboxError: impossible shares, too few classes or groups, or no two images of a class in val or test.
    """
    check_shares(validation, test)
    group_of = images.classes if groups is None else tuple(groups)
    names = sorted(set(group_of))
    drawn = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    what = "classes" if groups is None else "groups of classes"
    val_count, test_count = class_counts(len(drawn), validation, test, what, 2 if groups is None else 1)
    parts = (drawn[val_count + test_count :], drawn[:val_count], drawn[val_count : val_count + test_count])
    train_set, val_set, test_set = (_of_groups(images, group_of, frozenset(part)) for part in parts)
    lonely = [*single_class("validation", val_set), *single_class("test", test_set)]
    return _retrievable(_assembled(train_set, val_set, test_set, mirror, (*notes, *lonely)))


def sample_disjoint(
    images: ImageSet,
    validation: float,
    test: float,
    seed: int,
    *,
    mirror: bool = False,
    notes: Sequence[str] = (),
) -> Splits:
    """Draw images of every class, so that each class is in every split.

    A class of three images or more has at least one in each split whose share is above 0; a class of fewer is trained
    on whole and not evaluated.

    Args:
        images: everything.
        validation: share of each class's images, 0 to 1.
        test: the same for test.
        seed: draws the images.
        mirror: whether horizontal flips make sense.
        notes: sentences for the person.

    Raises:
        SandboxError: impossible shares, or no two images of a class in val or test.
    """
    check_shares(validation, test)
    random = np.random.default_rng(seed)
    chosen: tuple[list[int], list[int], list[int]] = ([], [], [])
    small = 0
    for label, count in enumerate(images.counts):
        order = random.permutation(np.flatnonzero(images.labels == label)).tolist()
        val_count, test_count = sample_counts(int(count), validation, test)
        small += count < 3
        chosen[1].extend(order[:val_count])
        chosen[2].extend(order[val_count : val_count + test_count])
        chosen[0].extend(order[val_count + test_count :])
    if small:
        short = counted(small, "class", "classes")
        notes = (*notes, f"{short} of fewer than 3 images: trained on, not evaluated")
    sets = _shared_classes_first(*(images.take(sorted(part)) for part in chosen))
    return _retrievable(_assembled(*sets, mirror, notes))


def _of_groups(images: ImageSet, group_of: Sequence[str], groups: frozenset[str]) -> ImageSet:
    inside = np.array([group in groups for group in group_of], dtype=bool)
    return images.take(np.flatnonzero(inside[images.labels]))


def _retrievable(splits: Splits) -> Splits:
    """The splits, if some image of val and of test has another image of its class beside it."""
    for name, split in (("validation", splits.val), ("test", splits.test)):
        if not len(split) or split.counts.max() < 2:
            _refuse_unmatched(name, split)
    return splits
