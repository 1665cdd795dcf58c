"""Which few-shot tasks labels allow: a class is drawn from where it has as many images as an episode takes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.errors import SandboxError
from sandbox.recipe.episodes import Episodes, Task
from sandbox.wording import counted, first_names


def large_enough(y: np.ndarray, task: Task, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each class with images enough begins when rows are sorted by label, and how many it has."""
    _, starts, sizes = np.unique(np.sort(y), return_index=True, return_counts=True)
    enough = sizes >= task.shots + queries
    return starts[enough], sizes[enough]


def possible(y: np.ndarray, asked: Episodes) -> tuple[Task, ...]:
    """The tasks for which labels (N,) have classes enough with images enough."""
    return tuple(task for task in asked.tasks if len(large_enough(y, task, asked.queries)[0]) >= task.ways)


def check_possible(y: np.ndarray, asked: Episodes, where: str = "the embeddings", setting: str = "") -> None:
    """Refuse tasks that ask for more classes, or more images of a class, than there are.

    Args:
        y: (N,) labels.
        asked: the tasks.
        where: what the labels are of.
        setting: by which fewer queries are asked for, if there is one.

    Raises:
        SandboxError: says how many classes have as many images as are needed.
    """
    counts = np.unique(y, return_counts=True)[1]
    of = f"{counted(len(counts), 'class', 'classes')} of {where}"
    for task in asked.tasks:
        enough = int((counts >= task.shots + asked.queries).sum())
        if enough < task.ways:
            there = f"{enough:,} of {of} {'has' if enough == 1 else 'have'} as many"
            if not enough and len(counts):
                there = f"the largest of {of} has {counts.max():,}"
            raise SandboxError(
                f"{task} draws {task.ways:,} classes of at least {_needed(task, asked)} each, but {there}: ask for "
                f"fewer ways or shots, or for fewer queries{f' ({setting})' if setting else ''}"
            )


def passed_over(y: np.ndarray, classes: Sequence[str], asked: Episodes, where: str = "") -> list[str]:
    """A sentence on each task that leaves classes out, for want of images.

    Args:
        y: (N,) labels.
        classes: the name of each label.
        asked: the tasks.
        where: what the labels are of; unsaid where not given.
    """
    labels, counts = np.unique(y, return_counts=True)
    said = []
    for task in asked.tasks:
        small = [classes[label] for label in labels[counts < task.shots + asked.queries]]
        if small:
            count = f"{len(small):,} of {counted(len(labels), 'class', 'classes')}{f' of {where}' if where else ''}"
            verb = "has" if len(small) == 1 else "have"
            said.append(
                f"{task} episodes leave out {count}, which {verb} fewer than {_needed(task, asked)}: "
                f"{first_names(small)}"
            )
    return said


def _needed(task: Task, asked: Episodes) -> str:
    return f"{task.shots + asked.queries:,} images ({task.shots:,} known, {asked.queries:,} asked for)"
