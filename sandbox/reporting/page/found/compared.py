"""Several runs over the same images: what each finds, and where one is right and another wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

import numpy as np

from sandbox.errors import SandboxError
from sandbox.reporting.page.found.book import Book, make_book
from sandbox.reporting.page.found.material import Material
from sandbox.reporting.page.found.operating import Operating, operate
from sandbox.reporting.page.found.searched import Searched, search

MOST = 8
"""Runs, which is as many as there are lines that look different."""
_BUDGET = 3_800_000  # bytes of base64 for thumbnails
_SHOWN = 40_000  # queries of all runs together


@dataclass(frozen=True)
class Compared:
    """Runs with what they find on the same images."""

    letters: tuple[str, ...]
    """What each is called on the page."""
    materials: tuple[Material, ...]
    counted: tuple[Operating | None, ...]
    searched: tuple[Searched, ...]
    """Of each run; empty where no two images are of one class."""
    shown: np.ndarray = field(repr=False)
    """(S,) places of the queries on the page."""
    book: Book


def compare_runs(materials: Sequence[Material]) -> Compared:
    """Search and count for each run.

    Args:
        materials: two runs or more; pictures are taken from the first.

    Raises:
        SandboxError: see `refuse_others`.
    """
    refuse_others(materials)
    searched = tuple(found for material in materials if (found := search(material.own)) is not None)
    counted = tuple(operate(one.verified, one.run.report[one.split]) for one in materials)
    first = materials[0]
    shown = _telling_first(searched, _SHOWN // len(materials))
    wanted = [np.zeros(0, np.int64)]
    if searched:
        wanted.append(np.column_stack([searched[0].rows[shown], *(found.ids[shown] for found in searched)]))
    images = None if first.pictured is None else first.pictured.images
    book = make_book("own", first.own.labels, first.classes, images, wanted, budget=_BUDGET)
    return Compared(tuple(ascii_uppercase[: len(materials)]), tuple(materials), counted, searched, shown, book)


def refuse_others(materials: Sequence[Material]) -> None:
    """Refuse runs that a page cannot show side by side.

    Raises:
        SandboxError: too many runs, or runs that were judged on other images: two are named.
    """
    if not 2 <= len(materials) <= MOST:
        raise SandboxError(f"{len(materials):,} runs are chosen, and a page shows 2 to {MOST} side by side")
    first = materials[0]
    for other in materials[1:]:
        same = (first.split, first.run.split) == (other.split, other.run.split)
        if not same or not np.array_equal(first.own.labels, other.own.labels):
            one, another = (f"{m.run.path.name} ({m.run.recipe.data.name}, {m.split})" for m in (first, other))
            raise SandboxError(f"{one} and {another} were judged on other images, so no query is the same in both")


def _telling_first(searched: Sequence[Searched], most: int) -> np.ndarray:
    """Places of the queries that a page holds: those on which runs differ, then mistakes of all, then a fixed draw."""
    if not searched:
        return np.zeros(0, np.int64)
    wrong = np.stack([found.wrong for found in searched])
    tells = np.where(wrong.any(0) & ~wrong.all(0), 0, np.where(wrong.all(0), 1, 2))
    drawn = np.random.default_rng(0).permutation(len(tells))
    return drawn[np.argsort(tells[drawn], kind="stable")][:most]


def wins(one: Searched, other: Searched) -> tuple[int, int, int, int]:
    """Queries that both get right, `one` alone, `other` alone, and neither: by the nearest image."""
    a, b = ~one.wrong, ~other.wrong
    return int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())
