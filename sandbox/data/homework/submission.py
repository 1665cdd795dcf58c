"""What a homework asks to hand in: the lists without answers, their images, and the CSV for what was found.

==============  ===================================  =======================================================
era             classification                       verification
==============  ===================================  =======================================================
S19, S20        ``id,label``: file name, person      ``trial,score``: the line of the list
F20 to F21      ``id,label``: file name, number      ``Id,Category``: the line of the list
S22             ``id,label``: file name, number      ``id,match``: number of the pair, from 0
F22 to S24      ``id,label``: file name, number      ``id,label``: number of the image, from 0; a known name
F24 and on      (the labels are given)               ``ID,Label``: number of the pair, from 0
==============  ===================================  =======================================================

A person's number is the place, from 0, of their folder among the sorted names of all folders to train on, read as text.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from sandbox.data.formats.images.image_lists import located, read_lines
from sandbox.data.homework.closed_set import people, test_has_labels
from sandbox.data.homework.layouts import Closed, Known, PairLists, find
from sandbox.data.homework.lists import STRANGER, images_of, known_images, read_unanswered
from sandbox.data.images.files import subfolders
from sandbox.data.images.form import Form
from sandbox.data.images.pack import pack
from sandbox.errors import SandboxError, near
from sandbox.files import write_whole
from sandbox.wording import counted, first_names, reason


@dataclass(frozen=True, kw_only=True)
class Task:
    """A file to hand in: the images it asks about, and how its rows are written."""

    kind: Literal["classification", "verification", "identification"]
    root: Path
    source: Path
    """The list; the folder of the images where there is none, which then come in the order of their names."""
    header: tuple[str, str]
    ids: tuple[str, ...] = field(repr=False)
    """(N,) what each row of the file starts with, in order."""
    images: tuple[Path, ...] = field(repr=False)
    """Every image once. Of a classification (N,) those of the rows; of an identification (N + K,) those of the rows and
    after them those of the people known; of a verification those of the pairs."""
    left: np.ndarray = field(repr=False)
    """(N,) int64, the place in `images` of each row's first image."""
    right: np.ndarray = field(repr=False)
    """(N,) int64, of its second; empty but for verification."""
    known: tuple[str, ...] = field(default=(), repr=False)
    """(K,) who is on the last K images; empty but for identification."""
    classes: tuple[str, ...] = field(default=(), repr=False)
    """Classification: who may be answered, sorted."""
    by_name: bool = True
    """Whether a person is written by name, not as the place among `classes`."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.ids)


def lists(root: Path) -> list[Task]:
    """What the homework below a folder asks for: its parts without answers.

    Raises:
        SandboxError: no such folder, no homework in it, nothing without answers, or a list that is malformed or names
            images that are not there.
    """
    root = root.expanduser()
    if not root.is_dir():
        raise SandboxError(f"no folder at {root}, where the homework must lie that is to be answered")
    try:
        return _tasks(root)
    except OSError as error:
        raise SandboxError(f"cannot read {error.filename or root}: {reason(error)}") from None


def _tasks(root: Path) -> list[Task]:
    tree = find(root)
    tasks = []
    if tree.closed.test is not None and not test_has_labels(tree.closed):
        tasks.append(_classification(tree.root, tree.closed, tree.closed.test))
    if isinstance(tree.verification, PairLists) and tree.verification.test is not None:
        tasks.append(_verification(tree.root, tree.verification, tree.verification.test))
    if isinstance(tree.verification, Known) and tree.verification.test is not None:
        tasks.append(_identification(tree.root, tree.verification, tree.verification.test))
    if not tasks:
        raise SandboxError(f"{root} holds neither test images without labels nor a list of pairs without answers")
    return tasks


def read_images(task: Task, form: Form) -> np.ndarray:
    """The pixels of a task's images.

    Args:
        task: one of `lists`.
        form: what the network was trained on.

    Returns:
        (len(task.images), size, size, C) uint8.

    Raises:
        SandboxError: an image cannot be read; none may be left out of a list.
    """
    packed = pack(task.images, task.root, form)
    if len(packed.kept) < len(task.images):
        kept = set(packed.kept)
        lost = [image.relative_to(task.root).as_posix() for at, image in enumerate(task.images) if at not in kept]
        count = counted(len(lost), "image that cannot", "images that cannot")
        raise SandboxError(f"{task.source} asks for {count} be read: {first_names(lost)}")
    return packed.pixels


def write(task: Task, values: Sequence[str] | Sequence[float] | np.ndarray, out: Path) -> Path:
    """Write the CSV to hand in, one row for each row of the task, in its order; whole or not at all.

    Args:
        task: one of `lists`.
        values: (N,) for a classification the class name of each image, for an identification a known name or
            ``n000000``, for a verification a score, higher for images that are more alike.
        out: the file.

    Raises:
        SandboxError: more values or fewer than rows, a name that is nobody's, a score that is not finite, or a file
            that cannot be written.
    """
    if len(values) != len(task):
        raise SandboxError(f"{task.source} asks for {len(task):,} rows, but there are {len(values):,} values")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(task.header)
    writer.writerows(zip(task.ids, _spelt(task, values), strict=True))
    write_whole(out, text.getvalue().encode("utf-8", "surrogateescape"))
    return out


def combined_score(accuracy: float, eer: float) -> float:
    """The mark of F24 and on: (accuracy + 1 - EER) / 2, all of them shares from 0 to 1.

    Raises:
        SandboxError: a share outside 0 to 1.
    """
    for name, value in (("accuracy", accuracy), ("EER", eer)):
        if not 0 <= value <= 1:
            raise SandboxError(f"the {name} is {value}, but must be a share from 0 to 1")
    return (accuracy + 1 - eer) / 2


def _spelt(task: Task, values: Sequence[str] | Sequence[float] | np.ndarray) -> list[str]:
    if task.kind == "verification":
        scores = [float(value) for value in values]
        wrong = next((row for row, score in enumerate(scores) if not math.isfinite(score)), None)
        if wrong is not None:
            raise SandboxError(f"the score of row {wrong} ('{task.ids[wrong]}') is {scores[wrong]}, which is no number")
        return [repr(score) for score in scores]
    allowed = task.classes if task.kind == "classification" else (*sorted(set(task.known)), STRANGER)
    place = {name: str(at) for at, name in enumerate(allowed)}
    names = [str(value) for value in values]
    for row, name in enumerate(names):
        if name not in place:
            raise SandboxError(f"row {row} ('{task.ids[row]}') says '{name}', who is nobody here{near(name, allowed)}")
    return names if task.by_name else [place[name] for name in names]


def _classification(root: Path, closed: Closed, test: Path) -> Task:
    images: tuple[Path, ...]
    if closed.order is not None:
        lines = read_lines(closed.order, 1, "0001.jpg")
        ids = tuple(line.words[0] for line in lines)
        found = located(closed.order, test, ((line.number, line.words[0]) for line in lines))
        images = tuple(dict.fromkeys(found[name] for name in ids))
    else:
        images = tuple(images_of(test) or (image for inner in subfolders(test) for image in images_of(inner)))
        ids = tuple(image.name for image in images)
        found = dict(zip(ids, images, strict=True))
    if not ids:
        raise SandboxError(f"{test} must hold the test images, but holds none")
    places = {image: place for place, image in enumerate(images)}
    return Task(
        kind="classification",
        root=root,
        source=closed.order or test,
        header=("id", "label"),
        ids=ids,
        images=images,
        left=np.array([places[found[name]] for name in ids], dtype=np.int64),
        right=np.empty(0, dtype=np.int64),
        classes=tuple(people(closed.train)),
        by_name=closed.by_name or (closed.train / "labels.txt").is_file(),
    )


def _verification(root: Path, listed: PairLists, test: Path) -> Task:
    pairs = read_unanswered(test)
    found = located(test, listed.test_images, ((p.number, name) for p in pairs for name in (p.left, p.right)))
    places = {image: place for place, image in enumerate(dict.fromkeys(found.values()))}
    return Task(
        kind="verification",
        root=root,
        source=test,
        header=listed.header,
        ids=tuple(pair.text if listed.by_line else str(row) for row, pair in enumerate(pairs)),
        images=tuple(places),
        left=np.array([places[found[pair.left]] for pair in pairs], dtype=np.int64),
        right=np.array([places[found[pair.right]] for pair in pairs], dtype=np.int64),
    )


def _identification(root: Path, tree: Known, test: Path) -> Task:
    probes, gallery = images_of(test), known_images(tree)
    if not probes:
        raise SandboxError(f"{test} must hold the images to identify, but holds none")
    return Task(
        kind="identification",
        root=root,
        source=test,
        header=("id", "label"),
        ids=tuple(str(row) for row in range(len(probes))),
        images=(*probes, *(image for _, image in gallery)),
        left=np.arange(len(probes), dtype=np.int64),
        right=np.empty(0, dtype=np.int64),
        known=tuple(name for name, _ in gallery),
    )
