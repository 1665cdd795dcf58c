"""How many triplets a step will list and what memory they take, counted before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.errors import SandboxError
from sandbox.objectives.expression import Bound, Expression

MOST_BYTES = 8_000_000_000
"""What the tuples of one term may take in a step."""
READ_TRIPLETS = ("dynamic_soft_margin", "margin", "triplet_margin")
"""Losses that turn whatever is mined into triplets; what stands in for the histogram loss does not."""
_LIST_TRIPLETS = ("angular", "triplet_margin")  # miners that look at every triplet
_CHOOSE_TRIPLETS = ("batch_easy_hard", "batch_hard", "distance_weighted", "random_triplet")  # a few for each anchor
_A_TRIPLET = 100  # bytes: three places, two distances, a loss and what their gradient keeps


@dataclass(frozen=True)
class Demand:
    """What a term lists in one step."""

    triplets: int
    bytes: int


def demand(loss: Bound, sizes: Sequence[int]) -> Demand:
    """Count what a term lists for a batch with these images per class; nothing where it lists no triplets.

    A memory counts as full, with classes as frequent in it as in the batch.
    """
    inner, miner = loss.values.get("loss", loss), loss.values.get("miner")
    images, held = sum(sizes), 1.0
    if loss.entry.name == "cross_batch_memory":
        held = int(loss.values.get("memory_size", loss.entry.parameters["memory_size"].default)) / images
    lists = miner.entry.name in _LIST_TRIPLETS if miner else held == 1 and _reads_all(inner)
    joins = inner.entry.name in READ_TRIPLETS and (held != 1 if miner is None else not _gives_triplets(miner))
    if not lists and not joins:
        return Demand(0, 0)
    width = held * images
    matches = [n * (held * n - (held == 1)) for n in sizes]
    others = [n * (width - held * n) for n in sizes]
    triplets = sum(int(p * (width - held * n)) for p, n in zip(matches, sizes, strict=True))
    looked_at = images * width**2 if lists else sum(matches) * sum(others)  # a byte each
    against_itself = images * triplets if lists and held != 1 else 0  # a memory looks for the batch in every triplet
    times = len(loss.values.get("dims", (1,)))  # a wrapper lists them at each length, and keeps them for the gradient
    return Demand(times * triplets, times * (int(looked_at) + against_itself + _A_TRIPLET * triplets))


def check_demand(expression: Expression, sizes: Sequence[int]) -> None:
    """Refuse what would take more memory than a step may.

    Args:
        expression: the objective.
        sizes: images of each class in the batch.

    Raises:
        SandboxError: names the term, its triplets, their memory and what fits.
    """
    for term in expression.terms:
        needs = demand(term.loss, sizes)
        if needs.bytes > MOST_BYTES:
            shape = f"{len(sizes)} classes x {max(sizes)}"
            takes = f"about {needs.bytes / 1e9:,.0f} GB of the {MOST_BYTES / 1e9:.0f} that a step may take"
            raise SandboxError(
                f"{term.loss} would list {needs.triplets:,} triplets of a batch of {shape}, which takes {takes}; "
                f"{_fits(term.loss, sizes)}"
            )


def _fits(loss: Bound, sizes: Sequence[int]) -> str:
    """What to ask for instead."""
    number = next((n for n in range(len(sizes), 1, -1) if demand(loss, sizes[:n]).bytes <= MOST_BYTES), 0)
    fewer = f"{number} classes x {max(sizes)} fit, or " if number else ""
    if loss.entry.name == "cross_batch_memory":
        size = int(loss.values.get("memory_size", loss.entry.parameters["memory_size"].default))
        while size > sum(sizes) and demand(_with_memory(loss, size), sizes).bytes > MOST_BYTES:
            size //= 2
        if size > sum(sizes):
            fewer += f"memory_size={size}, or "
    return f"{fewer}the miner hard or distance_weighted, which choose a few for each image"


def _with_memory(loss: Bound, size: int) -> Bound:
    return Bound(loss.entry, loss.values | {"memory_size": size})


def _reads_all(loss: Bound) -> bool:
    """Whether a loss without a miner lists all triplets, not a number for each anchor."""
    chosen = loss.values.get("triplets_per_anchor", "all")
    return loss.entry.name in READ_TRIPLETS and chosen == "all"


def _gives_triplets(miner: Bound) -> bool:
    return miner.entry.name in (*_LIST_TRIPLETS, *_CHOOSE_TRIPLETS)
