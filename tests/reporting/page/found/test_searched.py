"""What queries find, and classes by difficulty, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from sandbox.reporting.page.found.difficulty import by_difficulty, confused_classes
from sandbox.reporting.page.found.searched import search, worst_first
from sandbox.runs.embeddings import KeptSet

from pages import around_centres

Y = np.append(np.repeat(np.arange(6), 5), 6)  # the last class has one image
KEPT = KeptSet(around_centres(Y, dim=4, spread=1.2), Y)


def test_neighbours_and_map_are_those_of_a_loop() -> None:
    found = search(KEPT)
    assert found is not None and found.lone == 1 and found.rows.tolist() == list(range(30))
    for place, row in enumerate(found.rows):
        scores = KEPT.x @ KEPT.x[row]
        scores[row] = -2
        order = np.argsort(-scores, kind="stable")
        assert found.ids[place].tolist() == order[:6].tolist()
        hits = Y[order[:4]] == Y[row]
        assert found.precision[place] == pytest.approx((hits * hits.cumsum() / np.arange(1, 5)).sum() / 4)
    assert (found.right == (Y[found.ids] == Y[found.rows][:, None])).all()


def test_a_page_holds_mistakes_first() -> None:
    found = search(KEPT)
    assert found is not None
    mistakes = int(found.wrong.sum())
    assert 0 < mistakes < 25
    shown = worst_first(found, mistakes + 2)
    assert found.wrong[shown[:mistakes]].all() and not found.wrong[shown[mistakes:]].any()
    assert (np.diff(found.precision[shown[:mistakes]]) >= 0).all() and len(set(shown)) == mistakes + 2
    assert sorted(worst_first(found, 1000)) == list(range(30))


def test_classes_come_hardest_first_with_what_they_are_taken_for() -> None:
    found = search(KEPT)
    assert found is not None
    rows = by_difficulty(found, Y)
    assert sorted(row.label for row in rows) == list(range(6))  # the lone image is no query
    assert [row.precision for row in rows] == sorted(row.precision for row in rows)
    for row in rows:
        mine = Y[found.rows] == row.label
        assert row.precision == pytest.approx(found.precision[mine].mean()) and row.images == 5
        first = Y[found.ids[mine, 0]]
        assert row.first == pytest.approx((first == row.label).mean())
        wrong = np.bincount(first[first != row.label], minlength=7)
        assert row.mistakes == wrong.max() and (row.taken_for is None) == (wrong.sum() == 0)
        assert row.taken_for is None or wrong[row.taken_for] == wrong.max()


def test_confused_classes_are_shown_by_their_mistakes_once_a_pair() -> None:
    found = search(KEPT)
    assert found is not None
    shown = confused_classes(found, Y)
    assert 1 <= len(shown) <= 3 and len({frozenset((one.truth, one.taken_for)) for one in shown}) == len(shown)
    for one in shown:
        assert (Y[list(one.rows)] == one.truth).all() and (Y[list(one.others)] == one.taken_for).all()
        first = found.ids[found.rows.tolist().index(one.rows[0]), 0]
        assert Y[first] == one.taken_for and first == one.others[0]


def test_without_two_images_of_a_class_nothing_is_searched() -> None:
    y = np.arange(4)
    assert search(KeptSet(around_centres(y), y)) is None
