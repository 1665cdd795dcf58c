"""What queries and pairs got, of the test embeddings that runs keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.roles import Roles
from sandbox.evaluation.verification.metrics import Verification, verify_all_pairs, verify_pairs
from sandbox.reporting.records.run import Run
from sandbox.runs.embeddings import KeptSet, read_embeddings
from sandbox.runs.folder import RunFolder

SPLIT = "test"


@dataclass(frozen=True)
class Kept:
    """The test embeddings of a run."""

    run: Run
    own: KeptSet = field(repr=False)
    verified: KeptSet = field(repr=False)
    """The same, or what is verified in its place."""

    def queries(self, recall_at: Sequence[int] = (1,)) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Report key -> (Q,) what each query gets, and the identity (Q,) of each."""
        found = self.own.retrieved(recall_at)
        return found.values, found.labels

    def verification(self) -> Verification:
        """Over the pairs that the run's report is of: those of a list, or all."""
        x, y, pairs = self.verified.x, self.verified.labels, self.verified.pairs
        if pairs is None:
            return verify_all_pairs(x, y)
        return verify_pairs(x, pairs.left, pairs.right, pairs.same, y=y)


def read_kept(run: Run) -> Kept:
    """The test embeddings of a run.

    Raises:
        SandboxError: it keeps none, or its file is damaged.
    """
    sets = read_embeddings(RunFolder(run.path))
    if SPLIT not in sets:
        raise SandboxError(f"{run.path} has no embeddings of its test split: it was trained without looking at it")
    own = sets.take(SPLIT)
    apart = f"{SPLIT}/verify"
    return Kept(run, own, sets.take(apart) if apart in sets else own)


def check_same_images(kept: Sequence[Kept]) -> None:
    """Refuse embeddings that are not of the same images.

    Raises:
        SandboxError: names two runs whose labels, or pairs, differ.
    """
    first = kept[0]
    for other in kept[1:]:
        for one, its in ((first.own, other.own), (first.verified, other.verified)):
            if len(one.labels) != len(its.labels):
                raise SandboxError(
                    f"{first.run.path} keeps {len(one.labels):,} test embeddings and {other.run.path} "
                    f"{len(its.labels):,}: they are not of the same images"
                )
            alike = _same_pairs(one.pairs, its.pairs) and _same_roles(one.roles, its.roles)
            if not (np.array_equal(one.labels, its.labels) and alike):
                raise SandboxError(
                    f"the test embeddings of {first.run.path} and {other.run.path} have other labels or pairs: they "
                    "are not of the same images"
                )


def _same_pairs(one: Pairs | None, other: Pairs | None) -> bool:
    if one is None or other is None:
        return one is other
    parts = ((one.left, other.left), (one.right, other.right), (one.same, other.same))
    return all(np.array_equal(a, b) for a, b in parts)


def _same_roles(one: Roles | None, other: Roles | None) -> bool:
    if one is None or other is None:
        return one is other
    parts = ((one.query, other.query), (one.gallery, other.gallery), (one.camera, other.camera))
    return all(a is b if a is None or b is None else np.array_equal(a, b) for a, b in parts)
