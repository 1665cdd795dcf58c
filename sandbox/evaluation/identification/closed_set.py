"""Identification: who is it among the people enrolled.

Scores are inner products in float64, rounded to float32, as in verification: equal rows then tie exactly, in whatever
order and in whatever blocks they were multiplied. Ranks are over people, not images, and ties count against the
system: a person who ties with the right one stands ahead of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.similarity import unit

Template = Literal["best", "mean"]

_CHUNK = 4_000_000  # scores held at once: 8 bytes each, and half as much again once rounded


@dataclass(frozen=True)
class Search:
    """What a search of the gallery says about each probe."""

    rank: np.ndarray
    """(P,) int64 rank of the right person, 1 is first; 0 where that person is never found."""
    top: np.ndarray
    """(P,) float32 score of the most alike person; -inf where nobody can be returned."""
    mated: np.ndarray
    """(P,) bool, whether the probe's person was to be enrolled."""


def search(
    probes: np.ndarray,
    probe_y: np.ndarray,
    gallery: np.ndarray,
    gallery_y: np.ndarray,
    *,
    template: Template = "best",
    failed: np.ndarray | None = None,
    gallery_failed: np.ndarray | None = None,
) -> Search:
    """Search every probe among the people of the gallery.

    Args:
        probes: (P, D) float; unit rows make a score the cosine. Higher is more alike.
        probe_y: (P,) int64, whose image it is.
        gallery: (G, D) float, any number of rows for each person.
        gallery_y: (G,) int64.
        template: "best" scores a person by the most alike of their rows; "mean" by the mean of their rows, scaled to
            unit length (rows that cancel to zero score 0 with everybody).
        failed: (P,) bool, images that gave no embedding; such a probe returns nobody: rank 0 and top -inf.
        gallery_failed: (G,) bool; such a row is in no template, and a person without any other is never found.

    Raises:
        SandboxError: shapes that do not fit, an empty gallery, a row that is not finite, or an unknown template.
    """
    if template not in ("best", "mean"):
        raise SandboxError(f"a template is 'best' or 'mean', not '{template}'")
    lost, gone = (
        check_rows("probes", probes, probe_y, failed),
        check_rows("gallery", gallery, gallery_y, gallery_failed),
    )
    if len(gallery) == 0:
        raise SandboxError("the gallery is empty: nobody is enrolled")
    if probes.shape[1] != gallery.shape[1]:
        raise SandboxError(f"probes have {probes.shape[1]} dimensions, the gallery {gallery.shape[1]}")
    rank, top = np.zeros(len(probes), np.int64), np.full(len(probes), -np.inf, np.float32)
    mated = np.isin(probe_y, gallery_y)
    usable = np.flatnonzero(~gone)
    if len(usable) == 0:
        return Search(rank, top, mated)
    rows = usable[np.argsort(gallery_y[usable], kind="stable")]
    people, starts = np.unique(gallery_y[rows], return_index=True)
    against = gallery[rows].astype(np.float64)
    if template == "mean":
        against = templates(against, starts)
        starts = np.arange(len(people))
    asked = np.flatnonzero(~lost)
    step = max(1, _CHUNK // len(against))
    for start in range(0, len(asked), step):
        block = asked[start : start + step]
        scores = (probes[block].astype(np.float64) @ against.T).astype(np.float32)
        scores = np.maximum.reduceat(scores, starts, axis=1)
        place = np.searchsorted(people, probe_y[block]).clip(max=len(people) - 1)
        own = scores[np.arange(len(block)), place]
        top[block] = scores.max(axis=1)
        rank[block] = np.where(people[place] == probe_y[block], (scores >= own[:, None]).sum(axis=1), 0)
    return Search(rank, top, mated)


def templates(x: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The mean of each person's rows, scaled to unit length; one that cancels to zero stays so.

    Args:
        x: (N, D) rows, person after person.
        starts: (people,) where each person's begin.

    Returns:
        (people, D) float64.
    """
    return unit(np.add.reduceat(x.astype(np.float64), starts, axis=0))


def cmc(ranks: np.ndarray, at: Sequence[int]) -> dict[int, np.ndarray]:
    """The cumulative match characteristic, probe by probe: (P,) bool for each k, found among the first k.

    Raises:
        SandboxError: a k below 1.
    """
    if any(k < 1 for k in at):
        raise SandboxError(f"a rank counts from 1; {min(at)} was asked for")
    return {k: (ranks >= 1) & (ranks <= k) for k in at}


def check_rows(kind: str, x: np.ndarray, y: np.ndarray, failed: np.ndarray | None) -> np.ndarray:
    """Refuse rows that no score can come of.

    Args:
        kind: what the rows are, for the error.
        x: (N, D) float.
        y: (N,) labels.
        failed: (N,) bool, rows that gave no embedding and may hold anything.

    Returns:
        (N,) bool, which rows failed.

    Raises:
        SandboxError: shapes that do not fit, or a row that is not finite and did not fail (the first is named).
    """
    if x.ndim != 2 or y.shape != (len(x),) or (failed is not None and failed.shape != y.shape):
        given = f"{x.shape} with labels {y.shape}" + (f" and failures {failed.shape}" if failed is not None else "")
        raise SandboxError(f"{kind} {given} do not fit: (N, D) with (N,) are needed")
    lost = np.zeros(len(x), bool) if failed is None else failed.astype(bool)
    bad = ~lost & ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise SandboxError(f"{int(bad.sum())} of {len(x)} {kind} rows are not finite, the first is row {bad.argmax()}")
    return lost
