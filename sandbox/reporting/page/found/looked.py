"""Everything that a page looks up in a run's embeddings, once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sandbox.evaluation.lint.embeddings import Finding, lint_embeddings
from sandbox.evaluation.lint.pairs import lint_pairs
from sandbox.reporting.page.found.book import Book, make_book
from sandbox.reporting.page.found.difficulty import ClassRow, ConfusedClasses, by_difficulty, confused_classes
from sandbox.reporting.page.found.material import Material
from sandbox.reporting.page.found.near import Near, near_pairs
from sandbox.reporting.page.found.operating import Operating, operate
from sandbox.reporting.page.found.places import Places, place
from sandbox.reporting.page.found.searched import Searched, search, worst_first

QUERIES = 10_000
"""On a page at most."""
_BUDGET, _BUDGET_APART = 4_200_000, 700_000  # bytes of base64 for thumbnails


@dataclass(frozen=True)
class Looked:
    """What embeddings show."""

    searched: Searched | None
    shown: np.ndarray = field(repr=False)
    """(S,) places of the queries that the page holds."""
    counted: Operating | None
    near: Near | None
    classes: list[ClassRow] = field(repr=False)
    confused: list[ConfusedClasses]
    places: Places | None
    lint: list[Finding]
    own: Book
    """The images that are retrieved."""
    pairs: Book
    """Those that are verified: the same, or apart."""


def look(material: Material) -> Looked:
    """Search, count, place and cut thumbnails."""
    own, y = material.own, material.own.labels
    searched = search(own)
    shown = np.zeros(0, np.int64) if searched is None else worst_first(searched, QUERIES)
    classes = [] if searched is None else by_difficulty(searched, y)
    confused = [] if searched is None else confused_classes(searched, y)
    counted = operate(material.verified, material.run.report[material.split])
    near = None if counted is None else near_pairs(material.verified, counted, None if material.apart else searched)
    hardest = [row.label for row in classes] or np.unique(y).tolist()
    places = place(own, hardest)
    book, pairs = _books(material, searched, shown, near, confused, places)
    return Looked(searched, shown, counted, near, classes, confused, places, _linted(material), book, pairs)


def _books(
    material: Material,
    searched: Searched | None,
    shown: np.ndarray,
    near: Near | None,
    confused: list[ConfusedClasses],
    places: Places | None,
) -> tuple[Book, Book]:
    images = None if material.pictured is None else material.pictured.images
    sides = [] if near is None else [np.stack([near.left, near.right], 1)]
    own: list[np.ndarray] = [np.array([row for one in confused for row in (*one.rows, *one.others)], np.int64)]
    own += [] if places is None else [places.rows]
    if searched is not None:  # a query with what it finds, then the next
        own.append(np.column_stack([searched.rows[shown], searched.ids[shown]]))
    y, names = material.own.labels, material.classes
    if not material.apart:
        book = make_book("own", y, names, images, [*sides, *own], budget=_BUDGET)
        return book, book
    apart = None if material.pictured is None else material.pictured.apart
    labels = material.verified.labels
    others = tuple(f"class {number}" for number in range(int(labels.max()) + 1)) if apart is None else apart.classes
    return (
        make_book("own", y, names, images, own, budget=_BUDGET),
        make_book("apart", labels, others, apart, sides or [np.zeros(0, np.int64)], budget=_BUDGET_APART),
    )


def _linted(material: Material) -> list[Finding]:
    kept, images = material.own, material.pictured
    names = np.array(material.classes)[kept.labels]
    found = lint_embeddings(kept.x, names, paths=None if images is None else images.images.paths)
    pairs = material.verified.pairs
    if pairs is not None:
        found += lint_pairs(pairs.left, pairs.right, pairs.same, pairs.fold)
    return found
