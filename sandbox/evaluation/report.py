"""The report of one split: every figure with its interval and what it was counted over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.episodes import few_shot
from sandbox.evaluation.figures import Figures, on_whole_scale
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.register import own_figures
from sandbox.evaluation.retrieval.by_roles import retrieval_by_roles
from sandbox.evaluation.retrieval.metrics import Retrieval, retrieval
from sandbox.evaluation.retrieval.search import Index
from sandbox.evaluation.roles import Roles
from sandbox.evaluation.similarity import Similarity, check_dimensions
from sandbox.evaluation.verification import cross_validation as by_folds
from sandbox.evaluation.verification import fold_tar
from sandbox.evaluation.verification.by_value import Groups, by_value
from sandbox.evaluation.verification.metrics import Verification, verify_all_pairs, verify_pairs
from sandbox.recipe.episodes import Episodes
from sandbox.recipe.extra import Extra


class Labelled(NamedTuple):
    """Embeddings and the class of each."""

    x: np.ndarray
    """(N, D) of any floating type."""
    y: np.ndarray
    """(N,) integers."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How embeddings are evaluated."""

    recall_at: tuple[int, ...] = (1, 5, 10)
    """The k of recall@k."""
    far: tuple[float, ...] = (1e-1, 1e-2, 1e-3)
    """False accept rates at which the true accept rate is reported."""
    threshold: float | None = None
    """A score chosen on validation, at which the accuracy of given pairs is reported too."""
    balanced_threshold: float | None = None
    """A score chosen on validation, at which balanced accuracy is reported too."""
    mix: tuple[int, int] | None = None
    """Genuine and impostor pairs of the list that these pairs, of validation, choose a threshold for."""
    metric: Similarity = "cosine"
    """How alike two rows are."""
    index: Index = "flat"
    """How neighbours are found; flat is exact."""
    retrieval: bool = True
    """Whether neighbours are looked for at all."""
    verification: bool = True
    """Whether pairs are."""
    episodes: Episodes = Episodes()
    """Few-shot tasks to be drawn from the rows; none where none are asked for."""
    extra: tuple[Extra, ...] = ()
    """Figures that are reported only where they are asked for."""
    roles: Roles | None = None
    """Which rows ask, which are searched, and by which cameras: of the rows, with those of a gallery behind them."""
    by: Groups | None = None
    """A column of the rows, by each of whose values verification is given too, at one threshold: `balanced_threshold`
    where it was chosen, else the best of all rows together."""
    quick: bool = False
    """Leave intervals, folds and groups out, to save time between validations."""


@dataclass(frozen=True)
class Evaluation:
    """The figures of embeddings, and the verification and the retrieval that some of them were read from."""

    figures: Figures
    verification: Verification | None = field(default=None, repr=False)
    """None where there is no genuine or no impostor pair."""
    retrieval: Retrieval | None = field(default=None, repr=False)
    """None where no row searches another."""


def evaluate(
    rows: Labelled,
    options: Options | None = None,
    *,
    gallery: Labelled | None = None,
    pairs: Pairs | None = None,
    verified: Labelled | None = None,
) -> Evaluation:
    """Retrieval, verification and accuracy by folds: the one chain behind a run's report and evaluate.py.

    Args:
        rows: what is evaluated.
        options: how; the defaults where not given.
        gallery: what the rows are queries to; without it each row searches the others.
        pairs: pairs of what is verified; all pairs where not given.
        verified: what is verified in place of the rows, where retrieval and verification have images apart.

    Returns:
        Figures ``{"retrieval/map@r": {"value", "low", "high", "n"}, "verification/auc": ..., "retrieval/unmatched":
        ...}``, without verification where there is no genuine or no impostor pair, with ``verification/accuracy`` where
        pairs are given, ``verification/accuracy@K-fold`` where they have folds and ``fewshot/accuracy@N-way-K-shot``
        where episodes are asked for; ``by/COLUMN=VALUE/verification/...`` by groups; finite throughout.

    Raises:
        SandboxError: what no figure could be trusted on: see `retrieval`, `few_shot`, `verify_pairs`,
            `verify_all_pairs`.
    """
    options = options or Options()
    figures: Figures = {}
    found = None
    if options.retrieval:
        found = search(rows, options, gallery)
        figures |= on_whole_scale(found.figures(intervals=not options.quick))
    if options.episodes.tasks:
        figures |= few_shot(*rows, options.episodes, metric=options.metric, intervals=not options.quick)
    if options.retrieval and not options.quick:
        figures |= own_figures(*rows)
    verified = verified or rows
    if not options.verification or not both_kinds(verified.y, pairs):
        return Evaluation(figures, retrieval=found)
    at, balanced_at = None if pairs is None else options.threshold, options.balanced_threshold
    asked = [one for one in (at, balanced_at) if one is not None]
    judged = verify(*verified, pairs, far=options.far, thresholds=asked, metric=options.metric)
    figures |= judged.figures(
        options.far,
        threshold=at,
        balanced_threshold=balanced_at,
        mix=options.mix,
        extra=options.extra,
        intervals=not options.quick,
    )
    if pairs is not None and pairs.fold is not None and judged.scores is not None and not options.quick:
        figures |= by_folds.figures(by_folds.cross_validate(judged.scores, pairs.same, pairs.fold))
        for one in (one for one in options.extra if one.name == "fold_tar"):
            figures |= fold_tar.figure(fold_tar.fold_rates(judged.scores, pairs.same, pairs.fold, one.at), one)
    if options.by is not None and not options.quick:
        at_one = judged.curve.best_balanced_accuracy()[1] if balanced_at is None else balanced_at
        figures |= by_value(*verified, options.by, at_one, pairs=pairs, metric=options.metric)
    return Evaluation(figures, judged, found)


def search(rows: Labelled, options: Options, gallery: Labelled | None = None) -> Retrieval:
    """What each query finds: in the gallery, among the other rows, or as `Options.roles` has it.

    Where cameras are heeded, mean average precision is among the figures, as re-identification reports it.

    Raises:
        SandboxError: see `retrieval` and `retrieval_by_roles`.
    """
    if options.roles is None:
        return retrieval(
            *rows,
            gallery=gallery and gallery.x,
            gallery_y=gallery and gallery.y,
            recall_at=options.recall_at,
            metric=options.metric,
            index=options.index,
            extra=options.extra,
        )
    if options.index != "flat":
        raise SandboxError(f"queries, galleries and cameras are heeded exactly, and not by the index {options.index}")
    x, y = rows
    if gallery is not None:
        check_dimensions(x, gallery.x)
        x, y = np.concatenate([x, gallery.x]), np.concatenate([y, gallery.y])
    extra = further(options)
    return retrieval_by_roles(x, y, options.roles, recall_at=options.recall_at, metric=options.metric, extra=extra)


def further(options: Options) -> tuple[Extra, ...]:
    """The further figures that are asked for; where cameras are heeded, mean average precision is."""
    heeded = options.roles is not None and options.roles.camera is not None
    return tuple(dict.fromkeys([*options.extra, *([Extra("map")] if heeded else [])]))


def verify(
    x: np.ndarray,
    y: np.ndarray,
    pairs: Pairs | None,
    *,
    far: Sequence[float],
    thresholds: Sequence[float] = (),
    metric: Similarity = "cosine",
) -> Verification:
    """Verification over the given pairs, or over all where there are none; see `verify_pairs`, `verify_all_pairs`."""
    if pairs is not None:
        return verify_pairs(x, pairs.left, pairs.right, pairs.same, y=y, thresholds=thresholds, metric=metric)
    return verify_all_pairs(x, y, far=far, thresholds=thresholds, metric=metric)


def both_kinds(y: np.ndarray, pairs: Pairs | None) -> bool:
    """Whether there are genuine and impostor pairs; without both there is no verification to speak of."""
    if pairs is not None:
        return bool(pairs.same.any() and not pairs.same.all())
    counts = np.unique(y, return_counts=True)[1]
    return len(counts) > 1 and bool((counts > 1).any())
