"""One-shot trials drawn from held-out classes, of the making of Omniglot's official ones.

A run is within one group of classes (an alphabet). 20 of its characters are drawn, and two people who drew all of
them: one's drawings are the examples, the other's the queries, which makes 20 trials. The runs take the groups in turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.evaluation.trials import Trials

WAYS = 20
RUNS = 100
"""Of a set of trials: more than the 20 official ones, since they choose the weights and cost nothing."""
_STREAM = 1  # apart from what else the seed of a split draws


def drawn_trials(images: ImageSet, groups: Sequence[str], drawers: Sequence[str], seed: int) -> Trials | None:
    """Trials over rows of `images`; None where no group has 20 classes that two people drew.

    Args:
        images: of classes that were never trained on.
        groups: the group of each of `images.classes`.
        drawers: who drew each image; empty where that is not known.
        seed: draws characters and people; the order of images and classes changes nothing.
    """
    tables = [table for group in sorted(set(groups)) if (table := _table(images, groups, drawers, group)) is not None]
    if not tables:
        return None
    random = np.random.default_rng((seed, _STREAM))
    support, query = [], []
    for number in range(RUNS):
        rows, able = tables[number % len(tables)]
        one, other = random.permutation(able[random.integers(len(able))])
        both = np.flatnonzero((rows[one] >= 0) & (rows[other] >= 0))
        drawn = random.permutation(both)[:WAYS]
        support.append(rows[one][drawn])
        query.append(rows[other][drawn])
    column = np.tile(np.arange(WAYS, dtype=np.int64), RUNS)
    run = np.repeat(np.arange(1, RUNS + 1, dtype=np.int64), WAYS)
    return Trials(np.repeat(np.stack(support), WAYS, axis=0), np.concatenate(query), column, run)


def has_trials(images: ImageSet, groups: Sequence[str], drawers: Sequence[str], group: str) -> bool:
    """Whether a group has 20 classes that two people drew."""
    return _table(images, groups, drawers, group) is not None


def _table(
    images: ImageSet, groups: Sequence[str], drawers: Sequence[str], group: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows of a group by drawer and class (-1 where there is none), and the pairs of drawers who share 20 classes."""
    classes = sorted((name, label) for label, name in enumerate(images.classes) if groups[label] == group)
    column = {label: place for place, (_, label) in enumerate(classes)}
    own = [(drawers[at], column[int(label)], at) for at, label in enumerate(images.labels) if int(label) in column]
    people = {name: place for place, name in enumerate(sorted({drawer for drawer, _, _ in own if drawer}))}
    rows = np.full((len(people), len(classes)), -1, dtype=np.int64)
    for drawer, place, at in sorted(own, key=lambda entry: images.paths[entry[2]], reverse=True):
        if drawer:
            rows[people[drawer], place] = at  # of two drawings of one person the first by path
    there = (rows >= 0).astype(np.int64)
    able = np.argwhere(np.triu(there @ there.T >= WAYS, k=1))
    return (rows, able) if len(able) else None
