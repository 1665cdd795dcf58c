"""The verification of a split at many thresholds, each with its exact counts, so that a page need not guess between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sandbox.evaluation.figures import Figures, spell_rate
from sandbox.evaluation.report import both_kinds
from sandbox.evaluation.similarity import as_products
from sandbox.evaluation.verification.all_pairs import count_all_pairs
from sandbox.evaluation.verification.metrics import score_pairs
from sandbox.evaluation.verification.roc import Curve, curve_from_counts
from sandbox.runs.embeddings import KeptSet

MOST = 1800
"""Thresholds, apart from those that are asked for."""
_BINS = 90
_SAMPLE = 60_000
FAR = (1e-1, 1e-2, 1e-3, 1e-4)
_SUPPORT = 30


@dataclass(frozen=True)
class Mark:
    """A threshold with a name."""

    name: str
    place: int | None
    """Which of the thresholds; None where none is strict enough."""
    note: str = ""


@dataclass(frozen=True)
class Operating:
    """Counts of pairs at or above each threshold, and between the edges of bins."""

    threshold: np.ndarray = field(repr=False)
    """(T,) float32, rising."""
    genuine_from: np.ndarray = field(repr=False)
    """(T,) int64."""
    impostors_from: np.ndarray = field(repr=False)
    """(T,) int64."""
    genuine: int
    impostors: int
    edges: np.ndarray = field(repr=False)
    """(B + 1,) float32; the first and the last bin hold what lies beyond them as well."""
    genuine_in: np.ndarray = field(repr=False)
    """(B,) int64."""
    impostors_in: np.ndarray = field(repr=False)
    """(B,) int64."""
    marks: tuple[Mark, ...]


def operate(kept: KeptSet, figures: Figures) -> Operating | None:
    """Count the pairs of a split, all or those that were given; None where one kind of pair is missing.

    Args:
        kept: embeddings, and pairs where they were given.
        figures: the split's report: the thresholds that it names are among those of the page.
    """
    if not both_kinds(kept.labels, kept.pairs):
        return None
    named = _named(figures)
    left, right = as_products(kept.x)
    if kept.pairs is None:
        edges = _edges(_sampled(kept))
        asked = np.unique(np.concatenate([edges[1:-1], np.array(list(named.values()), np.float32)]))
        curve = count_all_pairs(left, right, kept.labels, far=FAR, thresholds=asked.tolist()).curve
    else:
        scores = score_pairs(kept.x, kept.pairs.left, kept.pairs.right)
        edges = _edges(scores)
        asked = np.unique(np.concatenate([edges[1:-1], np.array(list(named.values()), np.float32)]))
        curve = _counted(scores, kept.pairs.same, asked)
    return _operating(curve, edges, named)


def _operating(curve: Curve, edges: np.ndarray, named: Mapping[str, float]) -> Operating:
    few = curve.thinned(FAR, [*named.values(), *edges[1:-1].tolist()], most=MOST)
    at = np.searchsorted(few.threshold, edges[1:-1])
    genuine = -np.diff(np.concatenate([[few.genuine], few.genuine_from[at], [0]]))
    impostors = -np.diff(np.concatenate([[few.impostors], few.impostors_from[at], [0]]))
    marks = [Mark(name, int(np.searchsorted(few.threshold, np.float32(score)))) for name, score in named.items()]
    for far in FAR:
        threshold = np.float32(curve.accept_at(far)[2])
        place = int(np.searchsorted(few.threshold, threshold)) if np.isfinite(threshold) else None
        least = int(np.ceil(_SUPPORT / far))
        note = "" if curve.impostors * far >= _SUPPORT else f"unsupported: it takes {least:,} impostor pairs"
        marks.append(Mark(f"FAR {spell_rate(far)}", place, note))
    return Operating(
        threshold=few.threshold,
        genuine_from=few.genuine_from,
        impostors_from=few.impostors_from,
        genuine=few.genuine,
        impostors=few.impostors,
        edges=edges,
        genuine_in=genuine,
        impostors_in=impostors,
        marks=tuple(marks),
    )


def _named(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The thresholds that a report names: at the EER, and the one that validation chose."""
    found: dict[str, float] = {}
    for key, entry in figures.items():
        threshold = entry.get("threshold")
        if not isinstance(threshold, float) or not np.isfinite(threshold):
            continue
        if key == "verification/eer":
            found["EER"] = threshold
        elif key.endswith("@validation"):
            found["chosen on validation"] = threshold
    return found


def _sampled(kept: KeptSet) -> np.ndarray:
    """Scores of random pairs and of pairs of one class, for the range of the bins."""
    random = np.random.default_rng(0)
    order = np.argsort(kept.labels, kind="stable")
    left = random.integers(0, len(order), (2, _SAMPLE))
    beside = np.minimum(left[1] + random.integers(1, 4, _SAMPLE), len(order) - 1)
    left, right = np.concatenate([left[0], order[left[1]]]), np.concatenate([left[0][::-1], order[beside]])
    apart = left != right
    return score_pairs(kept.x, left[apart], right[apart])


def _edges(scores: np.ndarray) -> np.ndarray:
    """Edges of bins over the scores, a little longer where all are alike; distinct as float32."""
    low, high = float(scores.min()), float(scores.max())
    room = max(high - low, 2e-5) - (high - low)
    return np.unique(np.linspace(low - room / 2, high + room / 2, _BINS + 1).astype(np.float32))


def _counted(scores: np.ndarray, same: np.ndarray, asked: Sequence[float] | np.ndarray) -> Curve:
    """The curve of given scores at those of genuine pairs and at what is asked for."""
    genuine, impostors = np.sort(scores[same]), np.sort(scores[~same])
    levels = np.union1d(genuine, np.asarray(asked, np.float32))
    at = np.searchsorted(genuine, levels, "right") - np.searchsorted(genuine, levels, "left")
    below, up_to = (np.searchsorted(impostors, levels, side=side) for side in ("left", "right"))
    slots = np.diff(np.stack([below, up_to], 1).ravel(), prepend=0, append=len(impostors))
    return curve_from_counts(levels, at, slots, len(genuine), len(impostors), len(genuine))
