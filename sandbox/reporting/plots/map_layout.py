"""Which images a map shows and where: drawn, placed by t-SNE, moved until none hides another.

t-SNE is of van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008. It keeps neighbours together; the
sizes of groups and the gaps between them say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from sandbox.errors import SandboxError
from sandbox.reporting.plots.style import MOST_COLOURED

FEWEST, MOST = 5, 5_000
"""Images of a map."""
_PERPLEXITY = 30.0
_ROUND = 1.06
"""Distance that images are pushed to at first, in sides."""


@dataclass(frozen=True)
class Chosen:
    """Which images are shown, and which of them in colour."""

    rows: np.ndarray
    """(M,) int64, ascending."""
    coloured: tuple[int, ...]
    """Labels in ascending order, which is that of their colours."""


def check(*, images: int, classes: int) -> None:
    """Refuse numbers that no map could have.

    Raises:
        SandboxError: names the flag, its value and its range.
    """
    for flag, value, low, high in (("images", images, FEWEST, MOST), ("classes", classes, 1, MOST_COLOURED)):
        if not low <= value <= high:
            raise SandboxError(f"--{flag} is {value:,}, but lies between {low} and {high:,}")


def choose(labels: np.ndarray, *, images: int, classes: int, seed: int) -> Chosen:
    """The most frequent classes in colour, and beside them images of the others.

    Where not all fit, up to three fifths of what is shown are of the coloured classes, the same number of each as far
    as they have it; classes of one size, and the images, are drawn by the seed.

    Args:
        labels: (N,) int64.
        images: shown at most.
        classes: coloured at most.
        seed: draws.

    Raises:
        SandboxError: numbers out of range, fewer than five images, or one class.
    """
    check(images=images, classes=classes)
    if len(labels) < FEWEST:
        raise SandboxError(f"a map needs {FEWEST} images; here {'is' if len(labels) == 1 else 'are'} {len(labels)}")
    counts = np.bincount(labels)
    if np.count_nonzero(counts) == 1:
        raise SandboxError(f"all {len(labels):,} images show one class; a map shows how several lie to each other")
    random = np.random.default_rng(seed)
    drawn = random.permutation(len(counts))
    order = drawn[np.argsort(-counts[drawn], kind="stable")]
    coloured = order[:classes][counts[order[:classes]] > 0]
    rows = random.permutation(len(labels))
    if len(rows) > images:
        ours = np.isin(labels[rows], coloured)
        # A class's first image comes before the second of any, so that the cut takes as many of each.
        turn = _turns(labels[rows])
        first = rows[ours][np.argsort(turn[ours], kind="stable")]
        share = max(-(-images * 3 // 5), images - int((~ours).sum()))
        mine = first[:share]
        rows = np.concatenate([mine, rows[~ours][: images - len(mine)]])
    return Chosen(np.sort(rows), tuple(sorted(coloured.tolist())))


def _turns(labels: np.ndarray) -> np.ndarray:
    """(N,) how many rows before have the same label."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])
    turn = np.empty(len(labels), np.int64)
    turn[order] = np.arange(len(labels)) - starts
    return turn


def tsne(x: np.ndarray, seed: int, *, rounds: int = 1000) -> tuple[np.ndarray, float]:
    """Places (N, 2) float64 in the unit square of rows x (N, D), and the perplexity; the same for the same seed.

    Args:
        x: embeddings.
        seed: of what t-SNE draws.
        rounds: steps of its descent.

    Raises:
        SandboxError: all rows are alike.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    if not np.ptp(x, axis=0).any():
        raise SandboxError(f"all {len(x):,} embeddings are alike, so that no map tells them apart")
    perplexity = min(_PERPLEXITY, (len(x) - 1) / 3)
    wide = np.pad(
        x, ((0, 0), (0, max(0, 2 - x.shape[1])))
    )  # PCA, where it starts, gives no more columns than there are
    with threadpool_limits(1):  # several threads add up in an order of their own
        places = TSNE(init="pca", perplexity=perplexity, random_state=seed, max_iter=rounds).fit_transform(wide)
    return _to_unit(places.astype(np.float64)), perplexity


def _to_unit(places: np.ndarray) -> np.ndarray:
    """Moved and scaled, both axes alike, into the middle of the unit square."""
    low, high = places.min(0), places.max(0)
    return (places - (low + high) / 2) / max(float((high - low).max()), 1e-12) + 0.5


def move_apart(places: np.ndarray, side: float, *, most: int = 1000) -> np.ndarray:
    """Places (N, 2) of squares, pushed away from each other until none overlaps another by a fiftieth of its side.

    First straight away from each other, which keeps the shape of a group that grows; then what still overlaps at its
    corners along the axis on which that is least.

    Args:
        places: where the middles of the squares are wanted.
        side: of a square, in the same unit.
        most: rounds of each kind.
    """
    places = places + np.random.default_rng(0).uniform(-1e-3, 1e-3, places.shape) * side  # no two in one place
    for _ in range(most):
        pairs = cKDTree(places).query_pairs(1.02 * side, output_type="ndarray")
        if not len(pairs):
            break
        apart = places[pairs[:, 1]] - places[pairs[:, 0]]
        length = np.linalg.norm(apart, axis=1, keepdims=True)
        places = _pushed(places, pairs, apart / length * (_ROUND * side - length) / 2)
    for _ in range(most):
        pairs = cKDTree(places).query_pairs(0.98 * side, p=np.inf, output_type="ndarray")
        if not len(pairs):
            break
        apart = places[pairs[:, 1]] - places[pairs[:, 0]]
        along = np.abs(apart) == np.abs(apart).max(1, keepdims=True)
        places = _pushed(places, pairs, np.sign(apart) * along * (side - np.abs(apart)) / 2)
    return places


def _pushed(places: np.ndarray, pairs: np.ndarray, push: np.ndarray) -> np.ndarray:
    """Places (N, 2), the second of each pair (M, 2) moved by its push (M, 2) and the first against it.

    What is pushed from many sides moves less by each, else a dense group would burst.
    """
    moved = np.zeros_like(places)
    np.add.at(moved, pairs[:, 0], -push)
    np.add.at(moved, pairs[:, 1], push)
    return places + moved / np.sqrt(np.bincount(pairs.ravel(), minlength=len(places)).clip(1))[:, None]


def take(taken: np.ndarray, left: float, top: float, wide: float, high: float) -> None:
    """Mark the pixels of a box in taken (H, W) bool, as far as it lies inside."""
    taken[max(0, int(top)) : max(0, int(top + high) + 1), max(0, int(left)) : max(0, int(left + wide) + 1)] = True


def free_spot(taken: np.ndarray, wanted: np.ndarray, wide: int, high: int) -> tuple[float, float] | None:
    """The middle of the free box nearest to a point of the map; None where there is none within a sixth of its width.

    Args:
        taken: (H, W) bool.
        wanted: (2,) across and down, pixels.
        wide: of the box, pixels.
        high: of the box, pixels.
    """
    reach = taken.shape[1] / 6
    left, top = max(0, int(wanted[0] - reach - wide)), max(0, int(wanted[1] - reach - high))
    near = taken[top : int(wanted[1] + reach + high) + 1, left : int(wanted[0] + reach + wide) + 1]
    sums = np.pad(near.astype(np.int32).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    down, across = np.nonzero(inside == 0)
    middle = np.stack([left + across + wide / 2, top + down + high / 2], 1)
    away = np.linalg.norm(middle - wanted, axis=1)
    if not len(away) or away.min() > reach:
        return None
    best = middle[int(away.argmin())]
    return float(best[0]), float(best[1])
