"""Where the parts of a CMU 11-785 homework lie, found by looking at the tree.

The same homework was given out in five shapes, often unpacked into folders of one's own choosing:

============  ============================================  =============================================
era           classification                                verification
============  ============================================  =============================================
S19, S20      train_data/{medium,large}/ID/,                validation_verification/, test_verification/,
              validation_classification/{medium,large}/ID/  validation_trials_verification.txt,
              test_classification/medium/                   test_trials_verification_student.txt
F20 to F21    train_data/ID/, val_data/ID/, test_data/      verification_data/, verification_pairs_val.txt,
                                                            verification_pairs_test.txt
S22           train/ID/, dev/ID/, test/                     dev/, test/, verification_dev.csv and
                                                            verification_test.csv with pairs
F22 to S24    the same, or as F20                           known/ID/, unknown_dev/, unknown_test/,
                                                            verification_dev.csv with names
F24 and on    cls_data/{train,dev,test}, by folders or      ver_data/, val_pairs.txt, test_pairs.txt
              by a labels.txt with images/ beside it
============  ============================================  =============================================

Lists were handed out anew under longer names, such as test_trials_verification_student_new.txt. Where a list is not
there by its name, the one file is taken that starts with the name but for its ending, and ends so; two are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.data.images.files import subfolders, visible
from sandbox.errors import SandboxError
from sandbox.wording import first_names

_DEPTH = 3
_MANY = 60  # so many folders in one are people, and nothing is looked for in them
_TRAINED = ("train", "train_data")
_LISTS = ("validation_trials_verification.txt", "verification_pairs_val.txt", "val_pairs.txt", "verification_dev.csv")
_VALIDATION = {
    "train_data": "val_data/ beside it (F20 to F21) nor validation_classification/ (S19, S20)",
    "train": "dev/ nor val/ beside it (S22 and on)",
}
"""What is missing where a folder to train on stands alone."""
Index = dict[str, list[Path]]
"""Name -> what is called so."""


@dataclass(frozen=True, kw_only=True)
class Closed:
    """The classification part: three folders of people."""

    train: Path
    val: Path
    test: Path | None
    """Folders of people, or images without labels; None where it is not there."""
    order: Path | None = None
    """The list that gives the images of test their order."""
    by_name: bool = False
    """Whether a submission writes a person's folder name, not its place among the sorted names, counted from 0."""
    small: bool = False
    """Whether the images are 32 pixels wide."""


@dataclass(frozen=True, kw_only=True)
class PairLists:
    """1:1 verification: a list of pairs with answers, and one without."""

    val: Path
    val_images: Path
    """What the paths of the list are relative to."""
    test: Path | None
    test_images: Path
    header: tuple[str, str]
    """The columns of a submission."""
    by_line: bool
    """Whether a row of a submission starts with the line of the list, not with its number, counted from 0."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """1:N verification: people who are known, and images of them and of strangers."""

    known: Path
    dev: Path
    test: Path | None
    answers: Path | None
    """Who is on each image of dev."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Where the parts of a homework lie."""

    root: Path
    closed: Closed
    verification: PairLists | Known | None


def find(root: Path, part: str = "") -> Tree:
    """Find out which era a tree is of; its parts may lie up to three folders below the root.

    Args:
        root: the folder that was unpacked into.
        part: medium or large, which S19 and S20 have; medium where empty.

    Raises:
        SandboxError: no such tree, no such part of it, or half of one: nothing to validate on, known people without
            images to identify, two files that may be one list.
    """
    if part not in ("", "medium", "large"):
        raise SandboxError(f"data.part is '{part}', but must be medium or large")
    index: Index = {}
    for entry in _below(root):
        index.setdefault(entry.name, []).append(entry)
    closed = _closed(root, index, part)
    return Tree(root=root, closed=closed, verification=_verification(index))


def _below(root: Path) -> Iterator[Path]:
    """What lies under the root, level by level, but nothing below folders of people."""
    level = [root]
    for _ in range(_DEPTH + 1):
        inner = []
        for folder in level:
            yield from (entry for entry in visible(folder) if entry.is_dir() or entry.suffix in (".txt", ".csv"))
            folders = subfolders(folder)
            inner += folders if len(folders) <= _MANY and folder.name not in _TRAINED else []
        level = inner


def _closed(root: Path, index: Index, part: str) -> Closed:
    trained = [folder for name in _TRAINED for folder in index.get(name, []) if folder.is_dir()]
    for train in trained:
        if train.name == "train_data" and "validation_classification" in index:
            return _small(train, index, part)
        names = (("val_data",), "test_data") if train.name == "train_data" else (("dev", "val"), "test")
        val = next((train.parent / name for name in names[0] if (train.parent / name).is_dir()), None)
        if val is None:
            continue
        if part:
            raise SandboxError(f"data.part is '{part}', but {root} is not of S19 or S20, which alone have two parts")
        test = train.parent / names[1]
        return Closed(train=train, val=val, test=test if test.is_dir() else None)
    if trained:
        raise SandboxError(f"{trained[0]} is there to train on, but neither {_VALIDATION[trained[0].name]}")
    there = first_names(sorted(entry.name for entry in visible(root))) or "nothing"
    raise SandboxError(
        f"{root} holds no homework: train_data/ with validation_classification/ (S19, S20), train_data/ with val_data/ "
        f"(F20 to F21) and train/ with dev/ (S22 and on) were looked for, up to {_DEPTH} folders down; there is {there}"
    )


def _small(train: Path, index: Index, part: str) -> Closed:
    chosen = part or "medium"
    val = index["validation_classification"][0]
    for folder in (train, val):
        if not (folder / chosen).is_dir():
            there = first_names([entry.name for entry in subfolders(folder)]) or "no folder"
            raise SandboxError(f"{folder} has no {chosen}/ (data.part), only {there}")
    test = _first(index, "test_classification")
    test = None if test is None or not (test / "medium").is_dir() else test / "medium"
    order = _list(index, "test_order_classification.txt")
    return Closed(train=train / chosen, val=val / chosen, test=test, order=order, by_name=True, small=True)


def _verification(index: Index) -> PairLists | Known | None:
    for one, other in (("known", "unknown_dev"), ("unknown_dev", "known")):
        for folder in index.get(one, []):
            if _answers(folder.parent) and not (folder.parent / other).is_dir():
                raise SandboxError(f"{folder} and {_answers(folder.parent)} are there, but no {other}/ (F22 to S24)")
    for known in index.get("known", []):
        base = known.parent
        if (base / "unknown_dev").is_dir():
            return Known(
                known=known,
                dev=base / "unknown_dev",
                test=base / "unknown_test" if (base / "unknown_test").is_dir() else None,
                answers=_answers(base),
            )
    for find_list in (_first, _list):  # a list by its own name before one whose name starts like another's
        for name in _LISTS:
            file = find_list(index, name)
            if file is not None:
                return _pair_lists(file, name, index)
    return None


def _pair_lists(val: Path, name: str, index: Index) -> PairLists:
    """A list and what belongs to it, by the name that such a list has."""
    base = val.parent
    val_images = test_images = base
    header, by_line = ("ID", "Label"), False
    if name == "validation_trials_verification.txt":
        test = _list(index, "test_trials_verification_student.txt")
        val_images = _first(index, "validation_verification") or base / "validation_verification"
        test_images = _first(index, "test_verification") or base / "test_verification"
        header, by_line = ("trial", "score"), True
    elif name == "verification_pairs_val.txt":
        test = _list(index, "verification_pairs_test.txt", base)
        header, by_line = ("Id", "Category"), True
    elif name == "val_pairs.txt":
        test = _list(index, "test_pairs.txt", base)
        if (base / "ver_data").is_dir():
            val_images = test_images = base / "ver_data"
    else:
        test = _list(index, "verification_test.csv", base)
        header = ("id", "match")
    return PairLists(
        val=val,
        val_images=val_images,
        test=test,
        test_images=test_images,
        header=header,
        by_line=by_line,
    )


def _answers(base: Path) -> Path | None:
    """The list of who is on the images of unknown_dev/."""
    files = (base / name for name in ("verification_dev.csv", "dev_identities.csv"))
    return next((file for file in files if file.is_file()), None)


def _first(index: Index, name: str) -> Path | None:
    return next(iter(index.get(name, [])), None)


def _list(index: Index, name: str, base: Path | None = None) -> Path | None:
    """A list by its name, else the one file whose name starts and ends like it; anywhere, or in the folder `base`."""
    stem, _, ending = name.rpartition(".")
    names = [name, *(other for other in sorted(index) if other.startswith(stem) and other.endswith(f".{ending}"))]
    found = [file for other in names for file in index.get(other, []) if base in (None, file.parent)]
    files = list(dict.fromkeys(file for file in found if file.is_file()))
    if len(files) > 1 and files[0].name != name:
        raise SandboxError(f"{files[0]} and {files[1]} may both be {name}; remove one, or call the right one so")
    return files[0] if files else None
