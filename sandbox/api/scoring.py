"""`score`: figures of embeddings that are at hand as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.api.given import options as given_options
from sandbox.api.given import text
from sandbox.api.report import Report
from sandbox.data.formats.rows.at_hand import as_array, from_arrays
from sandbox.data.formats.rows.embeddings import Embeddings, renumber
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.recipe.after import parse_steps
from sandbox.recipe.episodes import Episodes
from sandbox.recipe.extra import parse_extra
from sandbox.scoring.inputs import Inputs, Options, refuse_test_rows
from sandbox.scoring.score import score as score_inputs

_Rows = tuple[np.ndarray, np.ndarray | Sequence[Any]]
_READ = (
    "threshold",
    "balanced_threshold",
    "mix",
    "quick",
    "retrieval",
    "verification",
    "episodes",
    "extra",
    "after",
    "roles",
    "by",
)


def score(
    embeddings: np.ndarray,
    labels: np.ndarray | Sequence[Any],
    *,
    gallery: _Rows | None = None,
    validation: _Rows | None = None,
    pairs: np.ndarray | None = None,
    after: str = "",
    figures: str = "",
    episodes: str = "",
    **options: Any,
) -> Report:
    """Retrieval and verification of embeddings, every figure with its 95 % interval by identity.

    Args:
        embeddings: (N, D) numbers of any modality, of any length where the metric is cosine.
        labels: (N,) integers or strings.
        gallery: embeddings and labels that these are queries to; without it each row searches the others.
        validation: embeddings and labels of classes in no test, to choose thresholds on.
        pairs: (M, 3) integers: two rows, and 1 where they are of one class, else 0; all pairs where not given.
        after: what comes after the embedding, such as ``"whiten(128) + rerank(k1=20, k2=6)"``.
        figures: those that other tables use, such as ``"map, ndcg@10"``.
        episodes: few-shot tasks, such as ``"5-way 1-shot"``.
        options: as the flags of the command evaluate: `recall_at`, `far`, `fpir`, `metric`, `index`, `folds`,
            `calibrate`, `enrol`, `template`, `clustering`.

    Raises:
        SandboxError: shapes that do not fit, numbers that are not finite, or an option that does not exist.
    """
    asked = replace(
        Options(**_checked(given_options(Options, options, "option of score", _READ))),
        after=parse_steps(text("after", after), "after"),
        extra=parse_extra(text("figures", figures), "figures"),
        episodes=Episodes.of(text("episodes", episodes), 1000, 15, "episodes"),
    )
    parts = {"probe": (embeddings, labels), "gallery": gallery, "validation": validation}
    read = {name: from_arrays(*_two(name, of), what=_CALLED[name]) for name, of in parts.items() if of is not None}
    for name, part in read.items():
        if part.x.shape[1] != read["probe"].x.shape[1]:
            raise SandboxError(
                f"{_CALLED[name]} have {part.x.shape[1]} dimensions, but the embeddings {read['probe'].x.shape[1]}"
            )
    numbered: dict[str, Any] = dict(zip(read, renumber(*read.values()), strict=True))
    if "validation" in numbered and any(step.fitted for step in asked.after):
        tested = {str(_CALLED[name]): numbered[name] for name in ("probe", "gallery") if name in numbered}
        refuse_test_rows(numbered["validation"], str(_CALLED["validation"]), tested)
    listed = None if pairs is None else _pairs(pairs, numbered["probe"])
    found = score_inputs(Inputs(**numbered, pairs=listed), asked)
    return Report(found.figures, [finding.text for finding in found.findings])


_CALLED = {"probe": Path("what was given"), "gallery": Path("the gallery"), "validation": Path("validation")}


def _two(name: str, of: Any) -> tuple[Any, Any]:
    if not isinstance(of, tuple | list) or len(of) != 2:
        raise SandboxError(f"{name} is {type(of).__name__}, but takes two, embeddings and their labels")
    return of[0], of[1]


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """Options whose numbers lie where they mean something.

    Raises:
        SandboxError: one does not.
    """
    for name in ("recall_at", "enrol"):
        numbers = np.atleast_1d(options.get(name, 1))
        if not len(numbers) or numbers.min() < 1:
            raise SandboxError(f"{name} is {options[name]}, but takes whole numbers of at least 1")
    for name in ("far", "fpir"):
        if wrong := [rate for rate in options.get(name, ()) if not 0 < rate < 1]:
            raise SandboxError(f"{name} holds {wrong[0]:g}, but takes rates above 0 and below 1")
    if (folds := options.get("folds", 0)) < 0 or folds == 1:
        raise SandboxError(f"folds is {folds}, but takes a whole number of at least 2")
    return options


def _pairs(rows: np.ndarray, probe: Embeddings) -> Pairs:
    given = as_array("pairs", rows)
    if given.ndim != 2 or given.shape[1] != 3 or given.dtype.kind not in "iub" or not len(given):
        raise SandboxError(
            f"pairs are {given.dtype} {given.shape}, but (M, 3) integers are needed: two rows, and 1 or 0"
        )
    first, second, same = given.T.astype(np.int64)
    ends = np.concatenate([first, second])
    if ends.min() < 0 or ends.max() >= len(probe):
        raise SandboxError(f"pairs name row {ends[(ends < 0) | (ends >= len(probe))][0]}, but there are {len(probe):,}")
    if not np.isin(same, (0, 1)).all():
        raise SandboxError(f"the third number of a pair is 1 or 0, not {same[~np.isin(same, (0, 1))][0]}")
    return Pairs(first, second, same.astype(bool))
