"""Class-disjoint folds: training and validation parted anew, so that each class is validated on in one fold of K.

One validation split may favour one setting by luck. A setting that is judged on each of K folds in turn, and by the
mean, has been judged on every class that it may know. Test is not touched, or one more fold stands in its place.

The classes of training and validation are sorted by name, and each fold is a run of neighbours, as in Musgrave et al.,
"A Metric Learning Reality Check", ECCV 2020. Neighbours by name are often kin (characters of an alphabet, warblers,
models of one maker, sofas). A fold that holds kin together asks what test asks, whether the embedding serves kinds it
has not met; in a draw of single classes each would have its kin in training. What the paper leaves open is the luck
of where the cuts fall: with `data.fold_seed` 0 the first fold begins at the first name, as published, and any other
seed draws the name on the circle of names where it begins. It is no `data.split_seed`, which may draw the classes of
test: those are the same however the folds are turned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.data.images.rows import Rows, joined
from sandbox.data.memory import available_memory, gigabytes
from sandbox.data.splits.remarks import also_trained_on, single_class
from sandbox.data.splits.splits import Splits, given
from sandbox.errors import SandboxError
from sandbox.wording import counted, printable

_BLOCK = 2048


def folds_of(names: Sequence[str], folds: int, seed: int) -> list[list[str]]:
    """Classes in folds whose sizes differ by one at most.

    Args:
        names: of the classes, each once, in any order; numbers in them count as numbers, so that 2 comes before 10.
        folds: how many, no more than there are classes.
        seed: 0 begins the first fold at the first name; any other draws where it begins.
    """
    ordered = sorted(names, key=_natural)
    start = int(np.random.default_rng(seed).integers(len(ordered))) if seed else 0
    ordered = ordered[start:] + ordered[:start]
    ends = [place * len(ordered) // folds for place in range(folds + 1)]
    return [ordered[low:high] for low, high in pairwise(ends)]


def in_fold(
    splits: Splits,
    fold: int,
    folds: int,
    seed: int,
    *,
    test_fold: int = 0,
    group_of: Callable[[str], str] | None = None,
) -> Splits:
    """The same images with another border between training and validation; test stays as it is, or is a fold as well.

    Images are sorted by class and path, so that a fold is the same however training and validation were parted before.
    While it works, the pixels of training and validation are in memory twice.

    Args:
        splits: of which no class is in test and in another part.
        fold: which is validated on, 1 to `folds`; the others are trained on.
        folds: how many.
        seed: turns the folds, see `folds_of`.
        test_fold: another one, which stands in the place of test; 0 leaves test as it is.
        group_of: the group of a class (such as its alphabet), which stays together; each is one by itself without.

    Raises:
        SandboxError: classes of test are trained on or validated on, validation has pairs or images of its own to
            verify, fewer classes than folds, a fold without two images of one class, or too little memory.
    """
    setting = f"data.val_fold is '{fold}/{folds}'"
    _check_disjoint(splits, setting)
    parted = _parted(splits, folds, seed, setting, 2 if test_fold else 1, group_of or str)
    count, chosen = sum(map(len, parted)), parted[fold - 1]
    tested = parted[test_fold - 1] if test_fold else []
    learnt = [name for group in parted if group not in (chosen, tested) for name in group]
    train, val, *own = _gathered_all(
        (splits.train, splits.val), [learnt, chosen, tested][: 3 if tested else 2], setting
    )
    replaced = [("validation", splits.val, val), *(("test", splits.test, one) for one in own)]
    stale = {
        note
        for name, old, _ in replaced
        for note in (*single_class(name, old), *also_trained_on(name, old, splits.train))
    }
    said = f"validation is fold {fold} of {folds} of the {count:,} classes of training and validation: {_held(chosen)}"
    instead = f"in place of test is fold {test_fold} of {folds}: {_held(tested)}; test itself is not used"
    return given(
        train,
        val,
        own[0] if tested else splits.test,
        test_pairs=None if tested else splits.test_pairs,
        test_verify=None if tested else splits.test_verify,
        test_oneshot=None if tested else splits.test_oneshot,
        mirror=splits.mirror,
        notes=[
            *(note for note in splits.notes if note not in stale),
            said,
            *([instead] if tested else []),
            *(note for name, _, new in replaced for note in single_class(name, new, "fewer folds hold more")),
        ],
    )


def _check_disjoint(splits: Splits, setting: str) -> None:
    if splits.val_pairs is not None or splits.val_verify is not None:
        raise SandboxError(
            f"{setting}, but validation comes with a list of what is to be verified, which fits no other images; "
            "leave data.val_fold out"
        )
    both = sorted(set(splits.test.classes) & {*splits.train.classes, *splits.val.classes})
    if both:
        raise SandboxError(
            f"{setting}, but folds are of whole classes, and {len(both):,} of the {len(splits.test.classes):,} classes "
            f"of test are in training or validation as well, such as '{printable(both[0])}'; take a split by class "
            "(--data.split class, where the data set has it), or leave data.val_fold out"
        )


def _parted(
    splits: Splits, folds: int, seed: int, setting: str, held: int, group_of: Callable[[str], str]
) -> list[list[str]]:
    """The classes of training and validation in folds, each of which can be validated on, and so many held out."""
    counts = Counter(dict(zip(splits.train.classes, splits.train.counts.tolist(), strict=True)))
    counts.update(dict(zip(splits.val.classes, splits.val.counts.tolist(), strict=True)))
    classes = f"the {len(counts):,} classes of training and validation"
    groups: dict[str, list[str]] = {}
    for name in sorted(counts, key=_natural):
        groups.setdefault(group_of(name), []).append(name)
    if len(groups) < folds:
        of = "" if len(groups) == len(counts) else f", in {len(groups):,} groups that stay together,"
        raise SandboxError(f"{setting}, but {classes}{of} make {len(groups):,} folds at most")
    parted = [[name for group in names for name in groups[group]] for names in folds_of(tuple(groups), folds, seed)]
    if len(counts) - sum(sorted(map(len, parted))[-held:]) < 2:
        raise SandboxError(f"{setting}, which would leave fewer than two of {classes} to train on")
    for number, names in enumerate(parted, start=1):  # of all folds, or a search would end late in a trial
        if max(counts[name] for name in names) < 2:
            raise SandboxError(
                f"{setting}, but no class of fold {number}/{folds} has two images to match ({_ends(names)}); give "
                "fewer folds, or leave small classes out (data.min_images)"
            )
    return parted


def _gathered_all(parts: Sequence[ImageSet], groups: Sequence[Sequence[str]], setting: str) -> list[ImageSet]:
    """The images of each group of classes."""
    needed = sum(part.pixels.nbytes for part in parts if not part.are_rows)
    try:
        if needed > available_memory():
            raise MemoryError
        return [_gathered(parts, names) for names in groups]
    except MemoryError:
        raise SandboxError(
            f"{setting}, for which training and validation are in memory twice for a moment, and {gigabytes(needed)} "
            "more do not fit; give a smaller data.image_size"
        ) from None


def _gathered(parts: Sequence[ImageSet], names: Sequence[str]) -> ImageSet:
    """The images of some classes out of several sets, sorted by class and path."""
    classes = tuple(sorted(names))
    number = {name: label for label, name in enumerate(classes)}
    labels, rows, source = [], [], []
    for place, part in enumerate(parts):
        new = np.array([number.get(name, -1) for name in part.classes], dtype=np.int64)[part.labels]
        own = np.flatnonzero(new >= 0)
        labels.append(new[own])
        rows.append(own)
        source.append(np.full(len(own), place))
    label, row, part_of = (np.concatenate(one) for one in (labels, rows, source))
    paths = [parts[place].paths[at] for place, at in zip(part_of, row, strict=True)]
    order = np.array(sorted(range(len(paths)), key=lambda at: (label[at], paths[at])), dtype=np.int64)
    pixels = _pixels(parts, part_of[order], row[order])
    bits = next((part.bits for part in parts if part.bits is not None), None)
    columns = {name: column[order] for name, column in _columns(parts, row, part_of).items()}
    return ImageSet(pixels, label[order], classes, tuple(paths[at] for at in order), bits, columns)


def _columns(parts: Sequence[ImageSet], row: np.ndarray, part_of: np.ndarray) -> dict[str, np.ndarray]:
    """What else is known of those rows of the parts: empty strings where a part has no such column."""
    names = dict.fromkeys(name for part in parts for name in part.columns)
    blank = [np.full(len(part), "") for part in parts]
    whole = {
        name: np.concatenate([part.columns.get(name, none) for part, none in zip(parts, blank, strict=True)])
        for name in names
    }
    starts = np.cumsum([0, *map(len, parts)])
    return {name: column[starts[part_of] + row] for name, column in whole.items()}


def _pixels(parts: Sequence[ImageSet], part_of: np.ndarray, places: np.ndarray) -> Any:
    """The pixels (N, H, W, C) at places of parts; rows of numbers stay where they are."""
    if parts[0].are_rows:
        return joined([cast(Rows, part.pixels) for part in parts], part_of, places)
    pixels = np.empty((len(places), *parts[0].pixels.shape[1:]), dtype=np.uint8)
    for number, part in enumerate(parts):
        there = np.flatnonzero(part_of == number)
        for start in range(0, len(there), _BLOCK):  # so that no second copy is made on the way
            some = there[start : start + _BLOCK]
            pixels[some] = part.pixels[places[some]]
    return pixels


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts 2 before 10: a number by its length, then its digits; text between numbers by itself."""
    pieces = re.split(r"([0-9]+)", name)
    numbers = [digits.lstrip("0") for digits in pieces[1::2]]
    keys = [(0, pieces[0])]
    for digits, text in zip(numbers, pieces[2::2], strict=True):
        keys += [(len(digits), digits), (0, text)]
    return keys, name


def _held(names: Sequence[str]) -> str:
    """What a fold holds, for a note."""
    return f"{counted(len(names), 'class', 'classes')}, {_ends(names)}" if names else "nothing"


def _ends(names: Sequence[str]) -> str:
    """The first and the last name of a fold."""
    first, last = printable(names[0]), printable(names[-1])
    return f"'{first}'" if len(names) == 1 else f"'{first}' to '{last}'"
