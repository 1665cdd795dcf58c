"""N-way K-shot episodes: which of N classes is an image of, when K images of each are known.

An episode draws N of all classes, and K images to know and Q images to ask for of each. The K are averaged to a
prototype, and a query is of the class whose prototype is nearest (Snell et al., "Prototypical Networks for Few-shot
Learning", 2017, eq. 1 and 2). Rows have length 1 before they are averaged, and the mean is left as it is: L2N of Wang
et al., "SimpleShot", 2019. With one shot that is the order of cosines. The interval is that of the few-shot tables:
the mean over episodes +- 1.96 standard errors. It says how well the mean over episodes of these classes is known, and
not what other classes would give.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sandbox.evaluation.fewshot.suited import check_possible, large_enough
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.intervals.bootstrap import exact_bounds
from sandbox.evaluation.similarity import Similarity, as_products, check_embeddings
from sandbox.recipe.episodes import Episodes, Task

_SEED = 0
"""Of the draws, apart from that of any run: on one split every network is asked the same."""
_REACH = 1.96
_AT_ONCE = 2_000_000
"""Numbers that are gathered at a time."""


def few_shot(
    x: np.ndarray, y: np.ndarray, asked: Episodes, *, metric: Similarity = "cosine", intervals: bool = True
) -> Figures:
    """The accuracy of each task.

    Args:
        x: (N, D) embeddings of any floating type.
        y: (N,) integer labels.
        asked: the tasks, and how many episodes of how many queries.
        metric: ``cosine`` and ``l2`` take the nearest prototype, of rows of length 1 or as they are; ``dot`` the
            largest inner product with it.
        intervals: leave them out to save time between validations.

    Returns:
        ``{"fewshot/accuracy@5-way-1-shot": {"value", "low", "high", "n", "queries", "classes"}}``: n counts episodes,
        queries those of each class in one, classes those that were drawn from.

    Raises:
        SandboxError: embeddings that no figure could be trusted on, or too few classes with images enough.
    """
    check_embeddings(x, y)
    check_possible(y, asked)
    rows = _comparable(x, metric)
    figures: Figures = {}
    for task in asked.tasks:
        right = _right(rows, y, task, asked, lengths=metric != "dot")
        mean, classes = float(right.mean()), len(large_enough(y, task, asked.queries)[0])
        entry: dict[str, float | int] = {"value": mean}
        if intervals:
            low, high = _interval(right)
            entry |= {"low": low, "high": high}
        figures[task.key] = entry | {"n": len(right), "queries": asked.queries, "classes": classes}
    return figures


def accuracies(
    x: np.ndarray, y: np.ndarray, task: Task, asked: Episodes, *, metric: Similarity = "cosine"
) -> np.ndarray:
    """(E,) float64: the share of right answers of each episode of a task of those asked; see `few_shot`."""
    check_embeddings(x, y)
    check_possible(y, asked)
    return _right(_comparable(x, metric), y, task, asked, lengths=metric != "dot")


def draw(y: np.ndarray, task: Task, asked: Episodes) -> Iterator[np.ndarray]:
    """Episodes, some at a time: (E', ways, shots + queries) int64 rows of y, the known images of a class first.

    No image is in an episode twice. The draws follow from the labels and their order alone.

    Args:
        y: (N,) labels, of which enough classes have images enough.
        task: what is asked.
        asked: how many episodes of how many queries.
    """
    each = task.shots + asked.queries
    starts, sizes = large_enough(y, task, asked.queries)
    by_class = np.argsort(y, kind="stable")
    random = np.random.default_rng(_SEED)
    step = max(1, _AT_ONCE // (task.ways * each))
    for start in range(0, asked.count, step):
        count = min(step, asked.count - start)
        uniform = random.random((count, task.ways, 1 + each))
        drawn = _distinct(uniform[..., 0], np.full(count, len(sizes)))
        within = _distinct(uniform[..., 1:], sizes[drawn])
        yield by_class[starts[drawn][..., None] + within]


def _distinct(uniform: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(..., k) different numbers below each size (...): the i-th is one of those that are left, any as likely.

    Args:
        uniform: (..., k) from 0 up to and without 1.
        sizes: (...), each at least k.
    """
    draws = np.moveaxis(uniform, -1, 0)
    taken = np.empty(draws.shape, np.int64)
    rising = np.empty(draws.shape, np.int64)
    for i, one in enumerate(draws):
        place = (one * (sizes - i)).astype(np.int64)
        for other in rising[:i]:  # the place-th of those that are left, counted past each that is taken
            place += place >= other
        taken[i] = rising[i] = place
        rising[: i + 1].sort(axis=0)
    return np.moveaxis(taken, 0, -1)


def _comparable(x: np.ndarray, metric: Similarity) -> np.ndarray:
    """(N, D) float32 rows whose distances, or products by ``dot``, have the order of the metric.

    Distances are those about the mean of all rows, and in its unit: where all rows are nearly one, or are long, they
    would be lost in float32.
    """
    if metric == "dot":
        return as_products(x, metric)[0]
    wide = x.astype(np.float64) if metric == "l2" else as_products(x, metric)[0].astype(np.float64)
    wide /= np.abs(wide).max() or 1.0
    wide -= wide.mean(0)
    wide /= np.abs(wide).max() or 1.0
    return wide.astype(np.float32)


def _right(rows: np.ndarray, y: np.ndarray, task: Task, asked: Episodes, *, lengths: bool) -> np.ndarray:
    """(E,) the share of right answers of each episode."""
    among = rows.shape[1] > len(rows)
    products = rows @ rows.T if among else rows  # once for all where rows are longer than they are many
    wide = task.ways * task.shots if among else max(task.ways, rows.shape[1])
    step = max(1, _AT_ONCE // (task.ways * (task.shots + asked.queries) * wide))
    own = np.arange(task.ways)[:, None]
    found = []
    for episodes in draw(y, task, asked):
        for start in range(0, len(episodes), step):
            known, queries = np.split(episodes[start : start + step], [task.shots], axis=-1)
            scores = (_by_products if among else _by_rows)(products, known, queries, lengths)
            found.append((scores.argmax(-1) == own).mean((1, 2)))
    return np.concatenate(found)


def _by_rows(rows: np.ndarray, known: np.ndarray, queries: np.ndarray, lengths: bool) -> np.ndarray:
    """(E', ways, queries, ways): how near each query is to the prototype of each class; nearest is largest."""
    prototypes = rows[known].mean(2)
    scores = rows[queries].reshape(len(known), -1, rows.shape[1]) @ prototypes.transpose(0, 2, 1)
    if lengths:
        scores -= np.einsum("ewd,ewd->ew", prototypes, prototypes)[:, None] / 2
    return np.asarray(scores.reshape(*queries.shape, -1))


def _by_products(products: np.ndarray, known: np.ndarray, queries: np.ndarray, lengths: bool) -> np.ndarray:
    """The same out of the products (N, N) of all rows."""
    scores = products[queries[..., None, None], known[:, None, None]].mean(-1)
    if lengths:
        scores -= products[known[..., None], known[..., None, :]].mean((-1, -2))[:, None, None] / 2
    return np.asarray(scores)


def _interval(right: np.ndarray) -> tuple[float, float]:
    """The tables' 95 % interval of the mean over episodes, within 0 and 1; where all agree on 0 or 1, exact bounds."""
    mean = right.mean()
    if mean in (0, 1):
        low, high = exact_bounds(mean, len(right))
        return (float(low), 1.0) if mean == 1 else (0.0, float(high))
    reach = _REACH * right.std(ddof=1) / np.sqrt(len(right))
    return max(float(mean - reach), 0.0), min(float(mean + reach), 1.0)
