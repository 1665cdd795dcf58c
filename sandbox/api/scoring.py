"""`score`: figures of embeddings that are at hand as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.api.report import Report
from sandbox.data.formats.rows.embeddings import Embeddings, from_arrays, renumber
from sandbox.errors import SandboxError, unknown
from sandbox.evaluation.pairs import Pairs
from sandbox.recipe.after import parse_steps
from sandbox.recipe.episodes import Episodes
from sandbox.recipe.extra import parse_extra
from sandbox.scoring.inputs import Inputs, Options, refuse_test_rows
from sandbox.scoring.score import score as score_inputs

_Rows = tuple[np.ndarray, np.ndarray | Sequence[Any]]
_READ = ("threshold", "balanced_threshold", "quick", "retrieval", "verification", "episodes", "extra", "after")


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
    allowed = [name for name in Options.__dataclass_fields__ if name not in _READ]
    if wrong := next((name for name in options if name not in allowed), ""):
        raise unknown("option of score", wrong, allowed)
    parts = {"probe": (embeddings, labels), "gallery": gallery, "validation": validation}
    read = {name: from_arrays(*of, what=_CALLED[name]) for name, of in parts.items() if of is not None}
    for name, part in read.items():
        if part.x.shape[1] != read["probe"].x.shape[1]:
            raise SandboxError(
                f"{_CALLED[name]} have {part.x.shape[1]} dimensions, but the embeddings {read['probe'].x.shape[1]}"
            )
    numbered: dict[str, Any] = dict(zip(read, renumber(*read.values()), strict=True))
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    }
    asked = replace(
        Options(**given),
        after=parse_steps(after, "after"),
        extra=parse_extra(figures, "figures"),
        episodes=Episodes.of(episodes, 1000, 15, "episodes"),
    )
    if "validation" in numbered and any(step.fitted for step in asked.after):
        tested = {str(_CALLED[name]): numbered[name] for name in ("probe", "gallery") if name in numbered}
        refuse_test_rows(numbered["validation"], str(_CALLED["validation"]), tested)
    listed = None if pairs is None else _pairs(pairs, numbered["probe"])
    found = score_inputs(Inputs(**numbered, pairs=listed), asked)
    return Report(found.figures, [finding.text for finding in found.findings])


_CALLED = {"probe": Path("what was given"), "gallery": Path("the gallery"), "validation": Path("validation")}


def _pairs(rows: np.ndarray, probe: Embeddings) -> Pairs:
    given = np.asarray(rows)
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
