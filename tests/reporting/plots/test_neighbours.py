"""Queries and what they find: which are chosen, and what the picture tells of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.reporting.plots.neighbours import RIGHT, WRONG, Found, best_and_worst, draw_neighbours, search_queries


def unit_rows(count: int, classes: int, *, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = np.arange(count) % classes
    x = random.normal(size=(classes, 8))[y] + spread * random.normal(size=(count, 8))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def precision(found: Found, row: int, mates: int) -> float:
    """Average precision at R, as its definition reads."""
    reach = min(mates, found.right.shape[1])
    hits = [found.right[row, : k + 1].mean() for k in range(reach) if found.right[row, k]]
    return sum(hits) / reach


def test_queries_find_what_a_plain_sort_finds() -> None:
    x, y = unit_rows(40, 5, spread=1.0)
    y[-1] = 5  # alone: it cannot be found, and is no query
    found = search_queries(x, y, shown=6)
    assert sorted(found.queries) == list(range(39))
    for query, ids, right, scores in zip(found.queries, found.ids, found.right, found.scores, strict=True):
        cosines = x @ x[query]
        cosines[query] = -2
        assert list(ids) == list(np.argsort(-cosines, kind="stable")[:6])
        assert list(right) == list(y[ids] == y[query]) and np.allclose(scores, cosines[ids], atol=1e-6)
    assert list(search_queries(x, y, most=8).queries) == list(found.queries[:8])


def test_the_best_are_better_than_the_worst_and_none_is_both() -> None:
    x, y = unit_rows(600, 6, spread=1.2)
    found = search_queries(x, y)
    value = [precision(found, row, np.bincount(y)[y[found.queries[row]]] - 1) for row in range(len(found))]
    best, worst = best_and_worst(found, y, wanted=5)
    place = {int(query): row for row, query in enumerate(found.queries)}
    ends = np.sort(value)
    assert all(value[place[int(q)]] >= ends[-30] for q in best.queries)  # of the twentieth at its end
    assert all(value[place[int(q)]] <= ends[29] for q in worst.queries)
    assert len(best) == len(worst) == 5 and not set(best.queries) & set(worst.queries)
    assert len(set(y[worst.queries])) >= 4


def test_classes_take_turns_and_the_first_is_the_worst() -> None:
    right = np.ones((40, 3), bool)
    right[:4] = False
    right[4:6, 0] = False
    y = np.array([0, 0, 0, 0, 1, 1, *[2] * 34])
    found = Found(np.arange(40), np.zeros((40, 3), np.int64), right, np.full((40, 3), 0.5, np.float32))
    best, worst = best_and_worst(found, y, wanted=2)
    assert list(y[worst.queries]) == [0, 0]  # the twentieth holds one class alone
    best, worst = best_and_worst(found, y, wanted=6)
    assert list(y[worst.queries]) == [0, 0, 0, 0, 1, 1] and set(y[best.queries]) == {2}


@pytest.mark.parametrize("count", [2, 3, 5])
def test_few_images_give_few_queries(tmp_path: Path, count: int) -> None:
    x, y = unit_rows(count, 1, spread=0.5)
    best, worst = best_and_worst(search_queries(x, y), y)
    assert len(best) == len(worst) == count // 2
    draw_neighbours([("a", best), ("b", worst)], np.zeros((count, 4, 4, 1), np.uint8), y, ["x"], tmp_path / "n.png")
    nothing = search_queries(x, np.arange(count))
    assert len(nothing) == 0 and [len(part) for part in best_and_worst(nothing, np.arange(count))] == [0, 0]
    draw_neighbours([("", nothing)], np.zeros((count, 4, 4, 1), np.uint8), np.arange(count), [], tmp_path / "0.png")


def shares(path: Path) -> dict[str, int]:
    """How many pixels are of either colour."""
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    return {
        colour: int((pixels == [int(colour[at : at + 2], 16) for at in (1, 3, 5)]).all(-1).sum())
        for colour in (RIGHT, WRONG)
    }


def test_right_and_wrong_differ_in_colour_and_in_form(tmp_path: Path) -> None:
    pixels, y = np.zeros((4, 70, 90, 3), np.uint8), np.array([0, 0, 1, 1])
    ids, scores = np.array([[1, 2, 3]]), np.zeros((1, 3), np.float32)
    drawn = []
    for flags in ([[True] * 3], [[False] * 3], [[True, True, False]]):
        drawn.append(tmp_path / f"{len(drawn)}.png")
        found = Found(np.array([0]), ids, np.array(flags), scores)
        draw_neighbours([("", found)], pixels, y, ["a", "b " * 60], drawn[-1])
    right, wrong, both = map(shares, drawn)
    assert right[RIGHT] > both[RIGHT] > wrong[RIGHT] and right[WRONG] < both[WRONG] < wrong[WRONG]
    with Image.open(drawn[0]) as one, Image.open(drawn[1]) as other:
        grey = [np.asarray(picture.convert("L")) < 200 for picture in (one, other)]
    assert (grey[0] != grey[1]).mean() > 0.01  # seen without colour as well
