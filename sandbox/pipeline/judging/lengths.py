"""The figures of embeddings cut to their first numbers, at each length that the objective trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from sandbox.evaluation.figures import Figures, at_length
from sandbox.runs.embeddings import KeptSet


class Judge(Protocol):
    """Gives the figures of a split in sets, at the thresholds of validation's figures."""

    def __call__(self, kept: Mapping[str, KeptSet], *, validation: Figures | None) -> Figures:
        """The figures."""
        ...


def figures_at(
    lengths: Sequence[int], kept: Mapping[str, KeptSet], name: str, judge: Judge, validation: Figures | None
) -> Figures:
    """What a split is worth at each length that is below that of its embeddings; nothing where there is none.

    Args:
        lengths: ascending.
        kept: rows by split, and what is verified or tried apart from them.
        name: ``val`` or ``test``.
        judge: gives the figures of `name` in such sets, with the thresholds that validation's figures hold.
        validation: the figures of ``val``, those of each length among them.

    Returns:
        ``{"first64/retrieval/map@r": ..., ...}``.
    """
    own = {key: one for key, one in kept.items() if key == name or key.startswith(f"{name}/")}
    found: Figures = {}
    for length in lengths:
        start = at_length(length)
        if any(one.x.shape[1] <= length for one in own.values()):
            continue
        cut = {key: replace(one, x=first_numbers(one.x, length)) for key, one in own.items()}
        chosen = {key.removeprefix(start): entry for key, entry in (validation or {}).items() if key.startswith(start)}
        found |= {start + key: entry for key, entry in judge(cut, validation=chosen or None).items()}
    return found


def first_numbers(x: np.ndarray, length: int) -> np.ndarray:
    """Unit rows (N, length) of the first numbers of rows (N, D); a row whose first numbers are all 0 stays 0."""
    first = x[:, :length]
    norm = np.linalg.norm(first, axis=1, keepdims=True)
    return np.divide(first, norm, out=np.zeros_like(first), where=norm > 0)
