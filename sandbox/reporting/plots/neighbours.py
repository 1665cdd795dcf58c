"""Queries with the images that they find nearest: which are right, which are wrong, and what the wrong ones are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from sandbox.evaluation.retrieval.by_roles import nearest_by_roles
from sandbox.evaluation.retrieval.search import Searcher
from sandbox.evaluation.roles import Roles, matches
from sandbox.files import whole_file
from sandbox.reporting.plots.lettering import Lettering, Letters, lettering
from sandbox.reporting.plots.style import COLOURS

RIGHT, WRONG = COLOURS[0], COLOURS[3]  # told apart by every eye, and by a cross and a broken frame besides
_CELL, _GAP, _LEAD, _MARGIN = 56, 10, 18, 14
_LABEL = 150  # pixels of a class name beside a query at most
_FIRST = _MARGIN + _LABEL + 10  # where queries begin
_INK, _FAINT = "#222222", "#777777"
_TWENTIETH = 20
_CROSS = 13  # pixels


@dataclass(frozen=True)
class Found:
    """What some queries find, nearest first."""

    queries: np.ndarray = field(repr=False)
    """(Q,) rows of the images."""
    ids: np.ndarray = field(repr=False)
    """(Q, K) rows that they find."""
    right: np.ndarray = field(repr=False)
    """(Q, K) bool, whether those are of the query's class."""
    scores: np.ndarray = field(repr=False)
    """(Q, K) float32 cosines."""

    def take(self, places: np.ndarray) -> Found:
        """Those queries in that order."""
        return Found(self.queries[places], self.ids[places], self.right[places], self.scores[places])

    def __len__(self) -> int:
        """How many queries."""
        return len(self.queries)


def search_queries(
    x: np.ndarray, y: np.ndarray, roles: Roles | None = None, *, shown: int = 10, most: int = 2000
) -> Found:
    """What queries with a match, drawn with a fixed seed, find among all other rows, or in the gallery.

    Args:
        x: (N, D) float32 unit rows.
        y: (N,) int64.
        roles: of the rows, where not each searches all others.
        shown: neighbours a query.
        most: queries.
    """
    able = np.flatnonzero(np.bincount(y)[y] > 1 if roles is None else matches(y, roles) > 0)
    queries = np.random.default_rng(0).permutation(able)[:most]
    shown = min(shown, len(x) - 1)
    if not len(queries):
        return Found(queries, *(np.zeros((0, shown), kind) for kind in (np.int64, bool, np.float32)))
    if roles is None:
        ids, scores = Searcher(x).search(x[queries], shown, own=queries)
    else:
        ids, scores = nearest_by_roles(x, y, roles, queries, shown)
    return Found(queries, ids, y[ids] == y[queries][:, None], scores)


def best_and_worst(found: Found, y: np.ndarray, wanted: int = 4) -> tuple[Found, Found]:
    """The queries that are found best, and those that fail worst; of each class one as far as there are classes.

    A query is the better the more of its R nearest are right and the earlier they come (average precision at R, R no
    more than are shown). Of equal ones the better has more right, then the higher cosine of its last neighbour; the
    worse has the higher cosine of its first wrong one. Each kind is drawn from the twentieth of the queries at its
    end, at least from `wanted`; no query is of both.

    Args:
        found: of `search_queries`.
        y: (N,) int64, the classes of all rows.
        wanted: queries of each kind.
    """
    value = _precision(found, np.bincount(y)[y[found.queries]] - 1)
    first_wrong = np.where(found.right.all(1), -np.inf, np.where(found.right, -np.inf, found.scores).max(1, initial=-2))
    wanted = min(wanted, len(found) // 2)
    end = max(wanted, len(found) // _TWENTIETH)
    best = np.lexsort((-found.scores.min(1, initial=2), -found.right.sum(1), -value))[:end]
    worst = np.lexsort((-first_wrong, value))
    labels = y[found.queries]
    picked = _spread(best, labels, wanted)
    left = worst[~np.isin(worst, picked)][:end]
    return found.take(picked), found.take(_spread(left, labels, wanted))


def draw_neighbours(
    groups: Sequence[tuple[str, Found]], pixels: Any, labels: np.ndarray, classes: Sequence[str], path: Path
) -> None:
    """Queries with their nearest images, to a PNG.

    What is right has a whole blue frame; what is wrong a broken one of vermilion, a cross, and its class underneath.

    Args:
        groups: a heading each, empty for none, and the queries under it.
        pixels: (N, H, W, C) uint8.
        labels: (N,) int64.
        classes: the name of each label; empty where they have none.
        path: where the PNG goes; its folder is made.

    Raises:
        SandboxError: the file cannot be written.
    """
    named = {int(y): classes[y] if len(classes) else f"class {y}" for y in np.unique(labels)}
    known = lettering([*named.values(), *(heading for heading, _ in groups), "…"])
    sheet = _Sheet(groups, pixels, {label: known.written(name) for label, name in named.items()}, labels, known)
    with whole_file(path, make_folder=True) as part:
        sheet.drawn().save(part, "PNG")


@dataclass(frozen=True)
class _Sheet:
    """What is drawn, and where."""

    groups: Sequence[tuple[str, Found]]
    pixels: Any
    names: Mapping[int, str]
    labels: np.ndarray
    known: Lettering

    @property
    def _step(self) -> int:
        """Pixels from one row to the next."""
        return _CELL + _GAP + self.known.letters(9).height

    def drawn(self) -> Image.Image:
        shown = max(found.ids.shape[1] for _, found in self.groups)
        heights = [(26 if heading else 0) + len(found) * self._step + 6 for heading, found in self.groups]
        wide = _FIRST + _CELL + _LEAD + shown * (_CELL + _GAP) + _MARGIN
        sheet = Image.new("RGB", (wide, 2 * _MARGIN + 18 + sum(heights)), "white")
        pen = ImageDraw.Draw(sheet)
        _draw_legend(pen, self.known.letters(11), (_FIRST, _MARGIN))
        top = _MARGIN + 22
        for (heading, found), height in zip(self.groups, heights, strict=True):
            down = top + (26 if heading else 0)
            bold = self.known.letters(13, bold=True)
            bold.draw(pen, (_MARGIN, top), self.known.written(heading), _INK, "la")
            for row in range(len(found)):
                self._draw_row(sheet, pen, found, row, down + row * self._step)
            top += height
        return sheet

    def _draw_row(self, sheet: Image.Image, pen: ImageDraw.ImageDraw, found: Found, row: int, top: int) -> None:
        small, plain = self.known.letters(9), self.known.letters(11)
        query = int(found.queries[row])
        lines = plain.wrapped(self._name(query), _LABEL)
        for number, line in enumerate(lines):
            middle = top + _CELL / 2 + (number - (len(lines) - 1) / 2) * plain.height
            plain.draw(pen, (_FIRST - 10, middle), line, _INK, "rm")
        sheet.paste(_thumbnail(self.pixels, query), (_FIRST, top))
        for column, (place, right) in enumerate(zip(found.ids[row], found.right[row], strict=True)):
            left = _FIRST + _CELL + _LEAD + column * (_CELL + _GAP)
            sheet.paste(_thumbnail(self.pixels, place), (left, top))
            _frame(pen, left, top, _CELL, right=bool(right))
            if not right:
                under = small.cut(self._name(place), _CELL + _GAP - 2)
                small.draw(pen, (left + _CELL / 2, top + _CELL + 4), under, WRONG, "ma")

    def _name(self, place: int) -> str:
        return self.names[int(self.labels[place])]


def _precision(found: Found, mates: np.ndarray) -> np.ndarray:
    """(Q,) average precision at R, R the mates of a query, or the neighbours shown where those are fewer."""
    shown = found.right.shape[1]
    reach = np.minimum(mates, shown)[:, None]
    counted = found.right & (np.arange(shown) < reach)
    return (counted * found.right.cumsum(1) / np.arange(1, shown + 1)).sum(1) / reach[:, 0].clip(1)


def _spread(order: np.ndarray, labels: np.ndarray, wanted: int) -> np.ndarray:
    """The first `wanted` of an order, of each class first one, then another; they keep their order."""
    before: dict[int, int] = {}
    turn = []
    for place in order:
        label = int(labels[place])
        turn.append(before.get(label, 0))
        before[label] = turn[-1] + 1
    chosen = np.lexsort((np.arange(len(order)), np.array(turn, dtype=np.int64)))[:wanted]
    return order[np.sort(chosen)]


def _draw_legend(pen: ImageDraw.ImageDraw, letters: Letters, place: tuple[int, int]) -> None:
    left, top = place
    letters.draw(pen, (left + _CELL / 2, top), "query", _FAINT, "ma")
    left += _CELL + _LEAD
    letters.draw(pen, (left, top), "nearest first:", _FAINT, "la")
    left += int(letters.length("nearest first:")) + 12
    side = letters.height - 1
    for right, word in ((True, "its class"), (False, "another class, named")):
        _frame(pen, left, top, side, right=right)
        letters.draw(pen, (left + side + 8, top), word, RIGHT if right else WRONG, "la")
        left += side + 8 + int(letters.length(word)) + 16


def _frame(pen: ImageDraw.ImageDraw, left: int, top: int, side: int, *, right: bool) -> None:
    """Round a square of pixels: a whole frame for what is right, a broken one with a cross for what is wrong."""
    wide = 3 if side > 2 * _CROSS else 2
    first, last = (left - wide, top - wide), (left + side + wide - 1, top + side + wide - 1)
    if right:
        pen.rectangle((*first, *last), outline=RIGHT, width=wide)
        return
    dash = max(4, side // 9)
    for start in range(0, side + 2 * wide, 2 * dash):
        end = min(start + dash, side + 2 * wide) - 1
        for low, high in ((0, wide - 1), (side + wide, side + 2 * wide - 1)):
            pen.rectangle((first[0] + start, first[1] + low, first[0] + end, first[1] + high), fill=WRONG)
            pen.rectangle((first[0] + low, first[1] + start, first[0] + high, first[1] + end), fill=WRONG)
    arm = min(_CROSS, side - 1)
    left, top = left + side - 1 - arm, top
    pen.rectangle((left, top, left + arm, top + arm), fill="white")
    pen.line((left + 3, top + 3, left + arm - 3, top + arm - 3), fill=WRONG, width=2)
    pen.line((left + arm - 3, top + 3, left + 3, top + arm - 3), fill=WRONG, width=2)


def _thumbnail(pixels: Any, place: int) -> Image.Image:
    image = np.asarray(pixels[int(place) : int(place) + 1])[0]
    drawn = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")
    sharp = max(drawn.size) < _CELL
    return drawn.resize((_CELL, _CELL), Image.Resampling.NEAREST if sharp else Image.Resampling.BILINEAR)
