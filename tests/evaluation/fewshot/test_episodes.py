"""Episodes as they are drawn, and their accuracy against a slow and readable twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.episodes import _distinct, accuracies, draw, few_shot
from sandbox.recipe.episodes import Episodes, Task


def rows(classes: int = 12, each: int = 8, dim: int = 10, noise: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Classes that overlap, their rows in a jumbled order and of several lengths."""
    rng = np.random.default_rng(classes + each + dim)
    y = rng.permutation(np.repeat(np.arange(classes) * 3, each))
    x = rng.normal(size=(3 * classes, dim))[y] + noise * rng.normal(size=(len(y), dim))
    return x * rng.uniform(0.5, 2, (len(y), 1)), y


def drawn(y: np.ndarray, task: Task, asked: Episodes) -> np.ndarray:
    return np.concatenate(list(draw(y, task, asked)))


def naive(x: np.ndarray, episodes: np.ndarray, shots: int, metric: str) -> list[float]:
    """Each query on its own: the class whose mean of known rows is nearest, or most alike by dot product."""
    if metric == "cosine":
        x = np.array([row / np.linalg.norm(row) for row in x])
    found = []
    for episode in episodes:
        prototypes = [sum(x[row] for row in ways[:shots]) / shots for ways in episode]
        right = []
        for own, ways in enumerate(episode):
            for query in ways[shots:]:
                far = [
                    -(x[query] @ one) if metric == "dot" else np.linalg.norm(x[query] - one) for one in prototypes
                ]  # fmt: skip
                right.append(int(np.argmin(far)) == own)
        found.append(sum(right) / len(right))
    return found


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
@pytest.mark.parametrize(("task", "dim"), [(Task(5, 1), 10), (Task(4, 3), 10), (Task(5, 1), 300), (Task(4, 3), 300)])
def test_the_accuracy_is_that_of_the_naive_twin(metric: str, task: Task, dim: int) -> None:
    x, y = rows(dim=dim, noise=1.5 if dim == 10 else 3.0)  # rows that are longer than they are many go another way
    asked = Episodes((task,), 40, 4)
    expected = naive(x, drawn(y, task, asked), task.shots, metric)
    found = accuracies(x, y, task, asked, metric=metric)  # type: ignore[arg-type]
    assert np.allclose(found, expected, atol=1e-12)
    assert 1 / task.ways < np.mean(expected) < 0.98
    entry = few_shot(x, y, asked, metric=metric)[task.key]  # type: ignore[arg-type]
    reach = 1.96 * np.std(expected, ddof=1) / np.sqrt(40)
    assert entry == pytest.approx(
        {"value": np.mean(expected), "low": np.mean(expected) - reach, "high": np.mean(expected) + reach}
        | {"n": 40, "queries": 4, "classes": 12}
    )


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=9), st.integers(2, 4), st.integers(1, 3), st.integers(1, 3)
)  # fmt: skip
def test_what_is_drawn(sizes: list[int], ways: int, shots: int, queries: int) -> None:
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)) * 2, sizes))
    task, asked = Task(ways, shots), Episodes((Task(ways, shots),), 30, queries)
    if sum(size >= shots + queries for size in sizes) < ways:
        with pytest.raises(SandboxError, match=f"{ways}-way {shots}-shot draws {ways} classes of at least"):
            few_shot(np.ones((len(y), 2)), y, asked)
        return
    found = drawn(y, task, asked)
    assert found.shape == (30, ways, shots + queries)
    for episode in found:
        assert len(np.unique(episode)) == episode.size  # known images and queries, of all classes, are others
        assert all(len(np.unique(y[of_class])) == 1 for of_class in episode)
        assert len(np.unique(y[episode[:, 0]])) == ways
    assert all(sizes[label // 2] >= shots + queries for label in np.unique(y[found]))
    assert np.array_equal(found, drawn(y.astype(np.int16), task, asked))
    assert np.array_equal(found[:7], drawn(y, task, Episodes((task,), 7, queries)))


def test_many_numbers_are_drawn_in_parts_that_go_on() -> None:
    y, task = np.repeat(np.arange(201), 50), Task(200, 1)
    first, second = draw(y, task, Episodes((task,), 250, 49))
    assert (len(first), len(second)) == (200, 50) and not np.array_equal(first[:50], second)
    (few,) = draw(y, task, Episodes((task,), 20, 49))
    assert np.array_equal(first[:20], few)


def test_draws_are_those_of_a_hat() -> None:
    uniform = np.random.default_rng(3).random((50, 6))
    sizes = np.random.default_rng(4).integers(6, 12, 50)
    for numbers, size, found in zip(uniform, sizes, _distinct(uniform, sizes), strict=True):
        hat = list(range(size))
        assert [hat.pop(int(number * len(hat))) for number in numbers] == list(found)


def test_every_class_and_every_image_is_drawn_as_often() -> None:
    y = np.repeat(np.arange(10), 8)
    found = drawn(y, Task(4, 2), Episodes((Task(4, 2),), 4000, 3))
    times = np.bincount(found.ravel(), minlength=80)
    expected = 4000 * 4 / 10 * 5 / 8
    assert np.abs(times - expected).max() < 5 * np.sqrt(expected)
    known = np.bincount(found[..., :2].ravel(), minlength=80)
    assert np.abs(known - expected * 2 / 5).max() < 5 * np.sqrt(expected * 2 / 5)


@pytest.mark.parametrize("task", [Task(5, 1), Task(20, 5), Task(2, 3)])
def test_rows_that_tell_nothing_are_right_once_in_n_times_and_perfect_ones_always(task: Task) -> None:
    y = np.repeat(np.arange(40), 20)
    asked = Episodes((task,), 400, 15)
    # One long run over fresh rows: the same few rows would be asked again and again, so that luck in them stayed.
    blind = [few_shot(np.random.default_rng(s).normal(size=(800, 8)), y, asked)[task.key]["value"] for s in range(12)]
    assert np.mean(blind) == pytest.approx(1 / task.ways, abs=2.5 * np.std(blind) / np.sqrt(12))
    perfect = few_shot(np.eye(40)[y], y, asked)[task.key]
    assert perfect == {"value": 1, "low": 0.025 ** (1 / 400), "high": 1, "n": 400, "queries": 15, "classes": 40}
    alike = few_shot(np.ones((800, 4)), y, asked, intervals=False)[task.key]
    assert alike["value"] == pytest.approx(1 / task.ways) and "low" not in alike


def test_rows_far_from_the_origin_are_told_apart_as_well_as_near_it() -> None:
    x, y = rows(dim=6)
    asked = Episodes((Task(5, 2),), 50, 4)
    near = accuracies(x, y, Task(5, 2), asked, metric="l2")
    for shift, scale in ((1e6, 1.0), (0.0, 1e15), (0.0, 1e-12)):
        assert np.array_equal(accuracies(scale * x + shift, y, Task(5, 2), asked, metric="l2"), near)


def test_half_and_single_precision_count_alike() -> None:
    x, y = rows()
    asked = Episodes((Task(3, 1),), 20, 2)
    half = x.astype(np.float16)
    assert few_shot(half, y, asked) == few_shot(half.astype(np.float32), y, asked)


def test_rows_that_are_not_finite_are_refused() -> None:
    x, y = rows()
    x[7, 2] = np.nan
    with pytest.raises(SandboxError, match=r"1 of 96 embeddings are not finite, the first in row 7"):
        few_shot(x, y, Episodes((Task(2, 1),), 20, 2))
