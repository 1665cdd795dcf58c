"""Retrieval by queries, gallery and cameras, against the protocol as one would write it down."""

from __future__ import annotations

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.evaluation.retrieval.by_roles import nearest_by_roles, retrieval_by_roles
from sandbox.evaluation.retrieval.metrics import Retrieval, retrieval
from sandbox.evaluation.roles import Roles, matches, stacked
from sandbox.recipe.extra import parse_extra

EXTRA = parse_extra("map, minp, ndcg@4, precision@3")


def rows(seed: int = 0, count: int = 80) -> tuple[np.ndarray, np.ndarray, Roles]:
    """Whole numbers, so that scores tie; 12 people, 3 cameras, distractors (a label each) in the gallery alone."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (count, 3)).astype(np.float32)
    x[:, 0] += 5
    y, camera = rng.integers(0, 12, count), rng.integers(0, 3, count)
    query = rng.random(count) < 0.3
    gallery = ~query | (rng.random(count) < 0.2)  # some are both
    distractors = rng.choice(np.flatnonzero(~query), 15, replace=False)
    y[distractors] = 100 + np.arange(15)
    return x, y, Roles(query, gallery, camera)


def by_hand(x: np.ndarray, y: np.ndarray, roles: Roles, query: int) -> np.ndarray | None:
    """Whether each gallery row in the order of its score is right, those that do not count taken out; None without one.

    As in the authors' Matlab code and torchreid's `eval_market1501`.
    """
    unit = x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    unit = unit.astype(np.float32).astype(np.float64)
    scores = {}
    for row in np.flatnonzero(roles.gallery):
        same_camera = roles.camera is not None and roles.camera[row] == roles.camera[query]
        if row == query or (y[row] == y[query] and same_camera):
            continue
        scores[row] = float(np.float32(unit[query] @ unit[row]))
    order = sorted(scores, key=lambda row: (-scores[row], row))
    right = np.array([y[row] == y[query] for row in order], bool)
    return right if right.any() else None


def figures_by_hand(right: np.ndarray) -> dict[str, float]:
    places, count = np.flatnonzero(right) + 1, int(right.sum())
    precision = np.arange(1, count + 1) / places
    best = (1 / np.log2(np.arange(2, min(count, 4) + 2))).sum()
    return {
        "retrieval/recall@1": float(places[0] == 1),
        "retrieval/recall@5": float(places[0] <= 5),
        "retrieval/precision@1": float(places[0] == 1),
        "retrieval/r_precision": (places <= count).sum() / count,
        "retrieval/map@r": precision[places <= count].sum() / count,
        "retrieval/mrr": 1 / places[0],
        "retrieval/map": precision.mean(),
        "retrieval/minp": count / places[-1],
        "retrieval/ndcg@4": (1 / np.log2(places[places <= 4] + 1)).sum() / best,
        "retrieval/precision@3": (places <= 3).sum() / 3,
    }


def found(seed: int, *, cameras: bool = True) -> tuple[np.ndarray, np.ndarray, Roles, Retrieval]:
    x, y, roles = rows(seed)
    roles = roles if cameras else Roles(roles.query, roles.gallery)
    return x, y, roles, retrieval_by_roles(x, y, roles, recall_at=(1, 5), extra=EXTRA)


@pytest.mark.parametrize("cameras", [True, False])
def test_every_figure_of_every_query_is_what_one_counts_by_hand(cameras: bool) -> None:
    x, y, roles, got = found(0, cameras=cameras)
    wanted = {row: by_hand(x, y, roles, row) for row in np.flatnonzero(roles.query)}
    scored = [row for row, right in wanted.items() if right is not None]
    assert got.rows.tolist() == scored and got.queries == len(wanted)
    assert got.unmatched == len(wanted) - len(scored)
    for place, row in enumerate(scored):
        hand = figures_by_hand(wanted[row])
        assert {key: values[place] for key, values in got.values.items()} == pytest.approx(hand), row


def test_without_cameras_and_with_each_row_in_both_it_is_plain_retrieval() -> None:
    x, y, _ = rows(1)
    every = np.ones(len(y), bool)
    plain, own = retrieval(x, y, extra=EXTRA), retrieval_by_roles(x, y, Roles(every, every), extra=EXTRA)
    assert plain.rows.tolist() == own.rows.tolist() and plain.values.keys() == own.values.keys()
    for key, values in plain.values.items():
        np.testing.assert_allclose(own.values[key], values, atol=1e-12, err_msg=key)


def test_a_gallery_apart_is_what_a_gallery_is_elsewhere() -> None:
    x, y, _ = rows(2)
    plain = retrieval(x[:30], y[:30], gallery=x[30:], gallery_y=y[30:], extra=EXTRA)
    own = retrieval_by_roles(x, y, stacked(30, 50, None, None), extra=EXTRA)
    for key, values in plain.values.items():
        np.testing.assert_allclose(own.values[key], values, atol=1e-12, err_msg=key)


def test_the_average_precision_is_that_of_rectangles_and_not_of_trapezoids() -> None:
    """A match on rank 2 alone: 1/2, and by the authors' trapezoids 1/4."""
    x = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1]], np.float32)
    y, camera = np.array([0, 1, 0, 0]), np.array([0, 1, 1, 0])  # the last is of the query's camera
    roles = Roles(np.array([True, False, False, False]), np.array([False, True, True, True]), camera)
    got = retrieval_by_roles(x, y, roles, extra=parse_extra("map"))
    assert got.values["retrieval/map"].tolist() == [0.5] and got.values["retrieval/recall@1"].tolist() == [0.0]


def test_a_distractor_is_wrong_and_the_own_camera_neither() -> None:
    x = np.array([[1, 0], [1, 0.01], [1, 0.1], [1, 0.2]], np.float32)
    y = np.array([7, 7, 99, 7])
    roles = Roles(np.arange(4) == 0, np.arange(4) > 0, np.array([1, 1, 2, 2]))
    got = retrieval_by_roles(x, y, roles, recall_at=(1, 2))
    assert got.values["retrieval/mrr"].tolist() == [0.5]  # row 1 is passed over, row 2 is in the way
    off = Roles(roles.query, roles.gallery & (y != 99), roles.camera)
    assert retrieval_by_roles(x, y, off).values["retrieval/mrr"].tolist() == [1.0]


def test_matches_are_counted_as_they_are_found() -> None:
    for cameras in (True, False):
        x, y, roles, _ = found(3, cameras=cameras)
        counted = matches(y, roles)
        hand = [by_hand(x, y, roles, row) for row in range(len(y))]
        wanted = [0 if right is None else int(right.sum()) for right in hand]
        assert counted[roles.query].tolist() == np.array(wanted)[roles.query].tolist()
        assert not counted[~roles.query].any()


def test_the_nearest_are_those_that_count() -> None:
    x, y, roles, got = found(4)
    unit = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    ids, scores = nearest_by_roles(unit, y, roles, got.rows, 6)
    assert ids.shape == (len(got.rows), 6) and (np.diff(scores, axis=1) <= 0).all() and roles.gallery[ids].all()
    assert not ((y[ids] == y[got.rows, None]) & (roles.camera[ids] == roles.camera[got.rows, None])).any()
    np.testing.assert_array_equal((y[ids[:, 0]] == y[got.rows]), got.values["retrieval/recall@1"] == 1)


def test_reports_have_map_where_cameras_are_heeded() -> None:
    x, y, roles = rows(5)
    report = evaluate(Labelled(x, y), Options(roles=roles)).figures
    ranked = [by_hand(x, y, roles, row) for row in np.flatnonzero(roles.query)]
    hand = [figures_by_hand(right) for right in ranked if right is not None]
    for key in ("retrieval/map", "retrieval/recall@1", "retrieval/map@r"):
        assert report[key]["value"] == pytest.approx(np.mean([one[key] for one in hand]))
        assert report[key]["n"] == len(hand) and report[key]["low"] <= report[key]["value"] <= report[key]["high"]
    assert "retrieval/map" not in evaluate(Labelled(x, y), Options(roles=Roles(roles.query, roles.gallery))).figures


def test_what_cannot_be_is_refused_in_a_sentence() -> None:
    x, y, roles = rows(6)
    alone = Roles(roles.query, roles.gallery, np.zeros(len(y), np.int64))
    with pytest.raises(SandboxError, match="no query has a match that another camera saw in the gallery"):
        retrieval_by_roles(x, y, alone)
    with pytest.raises(SandboxError, match="k is at least 1"):
        retrieval_by_roles(x, y, roles, recall_at=(0,))
    with pytest.raises(SandboxError, match="not by the index ivf"):
        evaluate(Labelled(x, y), Options(roles=roles, index="ivf"))
    with pytest.raises(SandboxError, match="there are 80 labels, but 79 rows"):
        retrieval_by_roles(x, y, Roles(roles.query[1:], roles.gallery[1:]))
