"""The steps after the embedding one after the other, and the figures after them, under ``after/``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.after.expansion import expanded
from sandbox.evaluation.after.linear import check_dims, fit_linear
from sandbox.evaluation.after.reciprocal import reranked
from sandbox.evaluation.after.templates import template_rows
from sandbox.evaluation.comparison.embeddings import between_queries
from sandbox.evaluation.figures import AFTER, Figures, on_whole_scale
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate, further, search
from sandbox.evaluation.retrieval.by_roles import rated_by_roles
from sandbox.evaluation.retrieval.by_scores import retrieval_by_scores
from sandbox.evaluation.retrieval.metrics import Retrieval
from sandbox.evaluation.retrieval.rating import products
from sandbox.evaluation.similarity import check_embeddings, unit
from sandbox.recipe.after import Step

_COUNT = "retrieval/unmatched"


@dataclass(frozen=True)
class Marks:
    """Of which template and of which medium each image of a set is."""

    template: np.ndarray = field(repr=False)
    """(N,) whole numbers or names."""
    medium: np.ndarray = field(repr=False)
    """(N,) whole numbers or names."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is evaluated after the steps; see `sandbox.evaluation.report.evaluate`."""

    rows: Labelled
    gallery: Labelled | None = None
    pairs: Pairs | None = None
    verified: Labelled | None = None
    marks: Marks | None = None
    """Of the rows; None where the data do not say."""
    gallery_marks: Marks | None = None

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> Given:
        """The same with all embeddings changed."""
        moved = {
            name: None if one is None else Labelled(change(one.x), one.y)
            for name, one in (("rows", self.rows), ("gallery", self.gallery), ("verified", self.verified))
        }
        return replace(self, **moved)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Fit:
    """What steps are fitted on."""

    x: np.ndarray = field(repr=False)
    """(N, D) embeddings that are in no test."""
    called: str = "validation"


def after_figures(steps: Sequence[Step], given: Given, options: Options, fit: Fit | None = None) -> Figures:
    """The figures after the steps, under ``after/``, with the same intervals as the plain ones.

    Retrieval always, and how far each of its figures is from the plain one, identities drawn anew for both together. Of
    pairs where a step gives other vectors: ``aqe`` and ``rerank`` read a gallery, which a pair has none of, and leave
    pairs as they were. No threshold comes from validation.

    Args:
        steps: in their order.
        given: what is evaluated.
        options: how; by cosine.
        fit: what steps are fitted on; needed where one is.

    Returns:
        ``{"after/retrieval/map@r": {..., "gain": 0.012, "gain_low": 0.009, "gain_high": 0.015, "fitted_rows": 538},
        ...}``, the last where something was fitted; no gain of templates, which are not the images that ask.

    Raises:
        SandboxError: steps that these data do not allow; see `check_steps`.
    """
    if options.metric != "cosine":
        raise SandboxError(f"{_spelt(steps)} is of unit vectors and their cosines, but the metric is {options.metric}")
    check_embeddings(*given.rows)
    orders = steps[-1] if steps[-1].orders else None
    if orders is not None and not options.retrieval:
        raise SandboxError(f"{orders} changes the order of a gallery, but no row searches another here")
    moved, held = given.changed(_unit_rows), None if fit is None else _unit_rows(fit.x)
    for step in steps:
        if step.fitted:
            if fit is None or held is None:
                raise SandboxError(f"{step} is fitted on embeddings that are in no test, and there are none")
            linear = fit_linear(step, held, fit.called)
            moved, held = moved.changed(linear.apply), linear.apply(held)
        elif step.name == "templates":
            moved = _as_templates(moved, options)
    options = replace(options, threshold=None, balanced_threshold=None, by=None)
    figures: Figures = {}
    found: Retrieval | None = None
    if steps[0] is not orders:
        plain = replace(options, retrieval=options.retrieval and orders is None, episodes=type(options.episodes)())
        judged = evaluate(moved.rows, plain, gallery=moved.gallery, pairs=moved.pairs, verified=moved.verified)
        figures, found = judged.figures, judged.retrieval
    if orders is not None:
        found = _reordered(orders, moved, options)
        figures = on_whole_scale(found.figures(intervals=not options.quick)) | figures
    if found is not None and not options.quick and all(step.name != "templates" for step in steps):
        for key, gain in _gains(found, given.changed(_unit_rows), options).items():
            figures[key] = {**figures[key], **gain}
    rows = {"fitted_rows": len(fit.x)} if fit is not None and any(step.fitted for step in steps) else {}
    return {f"{AFTER}/{key}": {**entry, **rows} for key, entry in figures.items() if key != _COUNT}


def check_steps(
    steps: Sequence[Step], *, rows: int | None, columns: int, searched: int, called: str = "validation"
) -> None:
    """Refuse steps that sets of such sizes do not allow, before anything is embedded.

    Args:
        steps: in their order.
        rows: that steps are fitted on; None where there are none.
        columns: of the embeddings.
        searched: rows that a query is compared with: of the gallery, or all others.
        called: what the steps are fitted on.

    Raises:
        SandboxError: more dimensions than rows or columns allow, more neighbours than there are rows, or a step that is
            fitted with nothing to be fitted on.
    """
    for step in steps:
        if step.fitted and rows is not None:
            check_dims(step, rows, columns, called)
            columns = step.whole("dims") or columns if step.name != "center" else columns
        elif step.fitted:
            raise SandboxError(f"{step} is fitted on embeddings that are in no test, and there are none")
        for key in ("k", "k1"):
            if key in dict(step.values) and step.whole(key) > searched:
                raise SandboxError(
                    f"{key} of {step.name} is {step.whole(key):,}, but a query is compared with {searched:,} rows"
                )


def _gains(found: Retrieval, given: Given, options: Options) -> Figures:
    """How far each figure of retrieval is from that of the embeddings as they are, query by query."""
    plain = search(given.rows, replace(options, index="flat"), given.gallery)
    if not np.array_equal(plain.rows, found.rows):
        return {}
    apart = between_queries(found.values, plain.values, found.labels)
    ends = {key: (one.low, one.high) if math.isfinite(one.low) else (one.difference,) * 2 for key, one in apart.items()}
    return {
        key: {"gain": one.difference, "gain_low": ends[key][0], "gain_high": ends[key][1]} for key, one in apart.items()
    }


def _reordered(step: Step, given: Given, options: Options) -> Retrieval:
    """Retrieval by the last step's order."""
    queries, y = given.rows
    alone = given.gallery is None
    gallery, gallery_y = given.rows if given.gallery is None else given.gallery
    roles, every = options.roles, np.concatenate([y, gallery_y]) if given.gallery is not None else y
    if roles is not None and alone and not (roles.query.all() and roles.gallery.all()):
        if (roles.query & roles.gallery).any():
            raise SandboxError(f"{step} needs queries apart from the gallery, or each image in both, but some are both")
        alone, gallery, queries = False, queries[roles.gallery], queries[roles.query]
    check_steps([step], rows=None, columns=queries.shape[1], searched=len(gallery) - alone)
    if step.name == "aqe":
        k, alpha = step.whole("k"), float(step["alpha"] or 0)
        block = products(expanded(queries, gallery, k, alpha, alone=alone), gallery)
    else:
        k1, k2, share = step.whole("k1"), step.whole("k2"), float(step["lambda"] or 0)
        block = reranked(queries, None if alone else gallery, k1=k1, k2=k2, share=share)
    if roles is not None:
        return rated_by_roles(block, every, roles, recall_at=options.recall_at, extra=further(options))
    return retrieval_by_scores(block, y, gallery_y, alone=alone, recall_at=options.recall_at, extra=options.extra)


def _as_templates(given: Given, options: Options) -> Given:
    if options.roles is not None:
        raise SandboxError("templates stand in the place of images, but which camera saw them is known of images")
    if given.marks is None or (given.gallery is not None and given.gallery_marks is None):
        raise SandboxError("templates needs data that say of which template and medium each image is, and these do not")
    if given.pairs is not None or given.verified is not None:
        raise SandboxError("templates stand in the place of images, but the pairs are of images")
    rows = Labelled(*template_rows(*given.rows, given.marks.template, given.marks.medium))
    gallery = given.gallery
    if gallery is not None and given.gallery_marks is not None:
        gallery = Labelled(*template_rows(*gallery, given.gallery_marks.template, given.gallery_marks.medium))
    return replace(given, rows=rows, gallery=gallery)


def _unit_rows(x: np.ndarray) -> np.ndarray:
    """(N, D) float32 unit rows, whatever their lengths; a row of zeros stays."""
    wide = np.asarray(x, dtype=np.float64)
    largest = np.abs(wide).max(1, keepdims=True)  # first to about 1, so that no square overflows
    return unit(wide / np.where(largest > 0, largest, 1)).astype(np.float32)


def _spelt(steps: Sequence[Step]) -> str:
    return " + ".join(map(str, steps))
