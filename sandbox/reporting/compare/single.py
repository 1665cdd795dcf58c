"""Two runs on the same test images: differences of figures, with intervals over the identities of test."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.comparison.embeddings import (
    Between,
    between_episodes,
    between_pairs,
    between_queries,
)
from sandbox.evaluation.comparison.equal import Equivalence, by_interval
from sandbox.evaluation.comparison.queries import wins_by_identity, wins_by_query
from sandbox.evaluation.fewshot.episodes import accuracies
from sandbox.evaluation.figures import lower_is_better
from sandbox.recipe.episodes import Episodes
from sandbox.reporting.compare.kept import SPLIT, Kept, check_same_images, read_kept
from sandbox.reporting.compare.names import figure_name
from sandbox.reporting.compare.seeds import BY_QUERY, Served
from sandbox.reporting.records.run import Run

_RECALL = re.compile(r"retrieval/recall@(\d+)")


@dataclass(frozen=True)
class FigureOfTwo:
    """One figure of two runs."""

    key: str
    between: Between
    """Its ends are NaN where there is no interval: for figures that are no mean over queries, AUC or EER."""
    equal: Equivalence | None

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return lower_is_better(self.key)


@dataclass(frozen=True)
class OfTwoRuns:
    """Two runs, compared on their test embeddings."""

    names: tuple[str, str]
    digests: tuple[str, str]
    seed: int
    figures: tuple[FigureOfTwo, ...]
    served: tuple[Served, ...]
    identities: int
    notes: tuple[str, ...]


def of_two_runs(a: Run, b: Run, names: tuple[str, str], keys: Sequence[str], margin: float = 0.0) -> OfTwoRuns:
    """Compare two runs of one seed by the embeddings that they keep.

    Args:
        a: the first run.
        b: the second, judged on the same images by the same rules.
        names: of both.
        keys: figures to compare.
        margin: a difference that counts as none; 0 where none is given.

    Raises:
        SandboxError: a run keeps no test embeddings, they are not of the same images, or a figure is not in both.
    """
    one, other = read_kept(a), read_kept(b)
    check_same_images([one, other])
    known, served, labels = _queries(one, other, keys)
    if any(key.endswith(("verification/auc", "verification/eer")) for key in keys):
        known |= _pairs(one, other)
    known |= _episodes(one, other, keys)
    figures, bare = [], []
    for key in keys:
        for run, name in ((a, names[0]), (b, names[1])):
            if key not in run.figures:
                raise SandboxError(f"{name} has no figure {key} with seed {run.seed}; leave it out")
        split, _, plain = key.partition("/")
        found = known.get(plain) if split == SPLIT else None
        if found is None:
            bare.append(figure_name(key))
            found = _bare(a.figures[key], b.figures[key])
        known_ends = margin and not math.isnan(found.low)
        figures.append(FigureOfTwo(key, found, by_interval(found.low, found.high, margin) if known_ends else None))
    notes = [f"there is no interval over identities for {', '.join(bare)}"] if bare else []
    if any(figure.between.episodes for figure in figures):
        notes.append(
            "the interval of few-shot accuracy is over the episodes that both were asked, and says nothing of other "
            "classes"
        )
    digests = a.digest, b.digest
    return OfTwoRuns(names, digests, a.seed, tuple(figures), served, len(np.unique(labels)), tuple(notes))


def _queries(one: Kept, other: Kept, keys: Sequence[str]) -> tuple[dict[str, Between], tuple[Served, ...], np.ndarray]:
    """Figures of queries, what either serves better, and the identities; neither where retrieval has no place."""
    if not any(key.startswith(f"{SPLIT}/retrieval/") for key in one.run.figures):
        return {}, (), one.verified.labels
    recall = sorted({1, *(int(asked[1]) for key in keys if (asked := _RECALL.search(key)))})
    x, labels = one.queries(recall)
    y, _ = other.queries(recall)
    return between_queries(x, y, labels), tuple(_served(key, x[key], y[key], labels) for key in BY_QUERY), labels


def _episodes(one: Kept, other: Kept, keys: Sequence[str]) -> dict[str, Between]:
    """Few-shot accuracies, episode by episode: both were asked the same."""
    spec = one.run.recipe.evaluate
    episodes = Episodes.of(spec.episodes, spec.episode_count, spec.episode_queries)
    found = {}
    for task in episodes.tasks:
        if f"{SPLIT}/{task.key}" in keys:
            a, b = (accuracies(kept.own.x, kept.own.labels, task, episodes) for kept in (one, other))
            found[task.key] = between_episodes(a, b)
    return found


def _pairs(one: Kept, other: Kept) -> dict[str, Between]:
    return between_pairs(one.verification(), other.verification())


def _bare(a: float, b: float) -> Between:
    return Between(a, b, a - b, math.nan, math.nan, 0)


def _served(key: str, a: np.ndarray, b: np.ndarray, labels: np.ndarray) -> Served:
    return Served(f"{SPLIT}/{key}", wins_by_query(a[None], b[None]), wins_by_identity(a[None], b[None], labels))
