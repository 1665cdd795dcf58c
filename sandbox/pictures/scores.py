"""The scores of pairs, counted for a picture: of all pairs exactly, none of them kept."""

from __future__ import annotations

import numpy as np

from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import spell_rate
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import both_kinds, verify
from sandbox.evaluation.similarity import as_products, check_embeddings
from sandbox.evaluation.verification.all_pairs import count_all_pairs
from sandbox.evaluation.verification.metrics import score_pairs, verify_scores
from sandbox.evaluation.verification.roc import Curve
from sandbox.reporting.plots.scores import Mark, ScoreCounts
from sandbox.scoring.inputs import Inputs

BINS = 100
_FINE = 400
_FEWEST = 60
"""Of those, as many filled that the pairs are counted once more, over the stretch that they fill."""


def scored(inputs: Inputs, *, far: float | None = None) -> tuple[ScoreCounts, Mark | None, tuple[str, ...]]:
    """Counts of the cosines of all pairs, or of those that are given, and the threshold to mark among them.

    Args:
        inputs: whose pairs; the threshold is chosen on its validation where it has one, else on the pairs themselves.
        far: choose the threshold that accepts at most this share of impostor pairs, in place of the best: that of the
            largest balanced accuracy, or of accuracy where the pairs it is chosen on are given.

    Returns:
        The counts; the mark, None where no threshold is better than to reject every pair; and what a person should
        know.

    Raises:
        SandboxError: no genuine or no impostor pair, or embeddings that are not finite.
    """
    if inputs.trials_alone:
        raise SandboxError("test holds one-shot trials alone, which have no pairs to draw; give --split val")
    shown = inputs.verify or inputs.probe
    _refuse_one_kind(shown, inputs.pairs)
    notes = []
    validation = inputs.validation_verify or inputs.validation
    if validation is not None and not both_kinds(validation.labels, inputs.validation_pairs):
        notes.append("validation has no genuine or no impostor pair, so the threshold is chosen on the pairs shown")
        validation = None
    if validation is None:
        part, pairs, where = shown, inputs.pairs, "on these very pairs"
    else:
        part, pairs, where = validation, inputs.validation_pairs, "on validation"
    curve = verify(part.x, part.labels, pairs, far=() if far is None else (far,)).curve
    threshold, best = _best(curve, pairs) if far is None else (curve.accept_at(far)[2], "")
    if not np.isfinite(threshold):
        notes.append(f"no threshold is marked: {where} none is better than to reject every pair")
    if far is not None and curve.impostors * far < 30:
        notes.append(
            f"FAR {spell_rate(far)} is unsupported: it takes {30 / far:,.0f} impostor pairs, "
            f"and {where} there are {curve.impostors:,}"
        )
    finite = (threshold,) if np.isfinite(threshold) else ()
    counts, at = _count(shown, inputs.pairs, finite)
    if not finite:
        return counts, None, tuple(notes)
    chosen = f"{best} {where}" if far is None else f"FAR up to {spell_rate(far)} {where}"
    return counts, Mark(threshold, chosen, *at), tuple(notes)


def _refuse_one_kind(shown: Embeddings, pairs: Pairs | None) -> None:
    if both_kinds(shown.labels, pairs):
        return
    if pairs is None and len(np.unique(shown.labels)) == 1:
        raise SandboxError(f"all {len(shown):,} images show one class, so there is no impostor pair to draw")
    which = "impostor" if pairs is not None and pairs.same.all() else "genuine"
    raise SandboxError(f"there is no {which} pair to draw; a picture of scores needs both kinds")


def _best(curve: Curve, pairs: Pairs | None) -> tuple[float, str]:
    """The threshold that is best where nothing is asked for, infinity where none is good, and what it is best by."""
    if pairs is not None:
        return curve.best_accuracy()[1], "most accurate"
    value, threshold = curve.best_balanced_accuracy()
    return threshold if value > 0.5 else float("inf"), "best balanced accuracy"


def _count(
    part: Embeddings, pairs: Pairs | None, thresholds: tuple[float, ...]
) -> tuple[ScoreCounts, tuple[float, float]]:
    """Counts in bins over the stretch that scores fill, and FAR and FRR at the first threshold, if there is one."""
    if pairs is not None:
        scores = score_pairs(part.x, pairs.left, pairs.right)
        edges = _bins(float(scores.min()), float(scores.max()))
        genuine, impostors = (np.histogram(scores[kind], edges)[0] for kind in (pairs.same, ~pairs.same))
        curve = verify_scores(scores, pairs.same, thresholds=thresholds).curve
        return ScoreCounts(edges, genuine, impostors), _rates(curve, thresholds)
    check_embeddings(part.x, part.labels)
    left, right = as_products(part.x)
    edges = np.linspace(-1, 1, _FINE + 1)
    curve, counts = _count_all(left, right, part.labels, edges, thresholds)
    filled = np.flatnonzero(counts.genuine + counts.impostors)
    first, last = int(filled[0]), int(filled[-1])
    if last - first < _FEWEST:
        edges = _bins(float(edges[first]), float(edges[last + 1]))
        curve, counts = _count_all(left, right, part.labels, edges, thresholds)
        return counts, _rates(curve, thresholds)
    cuts = np.arange(first, last + 1, -(-(last + 1 - first) // BINS))
    together = [np.add.reduceat(pairs[: last + 1], cuts) for pairs in (counts.genuine, counts.impostors)]
    return ScoreCounts(edges[[*cuts, last + 1]], *together), _rates(curve, thresholds)


def _count_all(
    left: np.ndarray, right: np.ndarray, y: np.ndarray, edges: np.ndarray, thresholds: tuple[float, ...]
) -> tuple[Curve, ScoreCounts]:
    """Every pair counted; a curve that is asked for the edges of bins answers how many pairs lie between them."""
    curve = count_all_pairs(left, right, y, thresholds=(*edges[1:-1], *thresholds)).curve
    places = np.searchsorted(curve.threshold, edges[1:-1].astype(np.float32))
    from_edge = [
        np.concatenate([[whole], reach[places], [0]])
        for whole, reach in ((curve.genuine, curve.genuine_from), (curve.impostors, curve.impostors_from))
    ]
    return curve, ScoreCounts(edges, *(-np.diff(reach) for reach in from_edge))


def _bins(low: float, high: float) -> np.ndarray:
    """Edges (`BINS` + 1,) over a stretch of scores, a little longer where all are alike."""
    room = max(high - low, 1e-3) - (high - low)
    return np.linspace(low - room / 2, high + room / 2, BINS + 1)


def _rates(curve: Curve, thresholds: tuple[float, ...]) -> tuple[float, float]:
    """FAR and FRR at the first threshold, which the curve was asked for; not numbers where there is none."""
    if not thresholds:
        return float("nan"), float("nan")
    at = int(np.searchsorted(curve.threshold, np.float32(thresholds[0])))
    far = float(curve.impostors_from[at] / curve.impostors)
    return far, float(1 - curve.genuine_from[at] / curve.genuine)
