"""The modified Hausdorff distance, against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.hausdorff import centred_points, modified_hausdorff, oneshot_hausdorff
from sandbox.evaluation.fewshot.oneshot import ACCURACY
from sandbox.evaluation.trials import Trials


def by_hand(one: np.ndarray, other: np.ndarray) -> float:
    def mean_nearest(a: np.ndarray, b: np.ndarray) -> float:
        return sum(min(math.dist(p, q) for q in b) for p in a) / len(a)

    return max(mean_nearest(one, other), mean_nearest(other, one))


def test_it_is_what_a_loop_over_points_finds() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        one, other = (centred_points(rng.random((9, 9)) < share) for share in (0.2, 0.4))
        assert modified_hausdorff(one, other) == pytest.approx(by_hand(one, other))
        assert modified_hausdorff(one, other) == pytest.approx(modified_hausdorff(other, one))


def test_where_on_the_page_a_character_is_drawn_changes_nothing() -> None:
    drawing = np.zeros((12, 12), dtype=bool)
    drawing[2:5, 3] = drawing[3, 3:7] = True
    moved = np.roll(drawing, (4, 3), axis=(0, 1))
    assert modified_hausdorff(centred_points(drawing), centred_points(moved)) == pytest.approx(0)
    assert modified_hausdorff(centred_points(drawing), centred_points(drawing.T)) > 0.1


def test_a_query_is_named_after_the_nearest_example() -> None:
    line, cross, block = (np.zeros((9, 9), dtype=bool) for _ in range(3))
    line[4], block[3:6, 3:6] = True, True
    cross[4], cross[:, 4] = True, True
    thick = line | np.roll(line, 1, axis=0)
    ink = np.stack([line, cross, block, thick])
    right = Trials(np.array([[2, 0, 1]]), np.array([3]), np.array([1]), np.array([1]))
    assert oneshot_hausdorff(ink, right)[ACCURACY]["value"] == 1.0
    wrong = Trials(right.support, right.query, np.array([0]), right.run)
    assert oneshot_hausdorff(ink, wrong)[ACCURACY]["value"] == 0.0
    ink[1] = False
    with pytest.raises(SandboxError, match="a drawing has no ink"):
        oneshot_hausdorff(ink, right)
