"""Clustering: do the classes come back as clusters, when nobody says what the classes are.

Adjusted mutual information (AMI) stands first. Normalised mutual information (NMI) is there because older papers report
it: it is not corrected for chance and grows with the number of clusters, so that random clusters of few images each
already score high (Vinh, Epps and Bailey, "Information Theoretic Measures for Clusterings Comparison", JMLR 2010).
"""

from __future__ import annotations

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import few_identities
from sandbox.evaluation.similarity import check_embeddings

ClusterFigures = dict[str, dict[str, float | int]]

_ITERATIONS = 25
_GROUPS = 20  # of classes, for the jackknife
_LOWEST = {"clustering/ami": -1.0, "clustering/nmi": 0.0}


def clustering(
    x: np.ndarray, y: np.ndarray, *, clusters: int | None = None, seed: int = 0
) -> tuple[np.ndarray, ClusterFigures]:
    """K-means clusters of the embeddings, by squared Euclidean distance, and how well they agree with the labels.

    One seed gives the same clusters again with the same number of threads. The intervals say how the figures vary with
    the identities that were drawn, not with the seed; `agreement` says how.

    Args:
        x: (N, D) float32 embeddings.
        y: (N,) integer labels.
        clusters: how many; as many as there are classes where not given.
        seed: of the rows that k-means starts from.

    Returns:
        (N,) int64 cluster of each row, and the figures of `agreement`.

    Raises:
        SandboxError: shapes that do not fit, embeddings that are not finite, fewer than two classes, or a number of
            clusters outside 1..N.
    """
    check_embeddings(x, y)
    classes = _several(y)
    wanted = classes if clusters is None else clusters
    if not 1 <= wanted <= len(x):
        raise SandboxError(f"{len(x)} rows make 1 to {len(x)} clusters, not {wanted}")
    import faiss

    rows = np.ascontiguousarray(x, dtype=np.float32)
    # By default FAISS complains of few points per cluster, and drops points where there are many.
    kmeans = faiss.Kmeans(
        rows.shape[1],
        wanted,
        niter=_ITERATIONS,
        seed=seed,
        spherical=False,
        min_points_per_centroid=1,
        max_points_per_centroid=len(rows),
    )
    kmeans.train(rows)
    assignment = kmeans.index.search(rows, 1)[1][:, 0].astype(np.int64)
    return assignment, agreement(assignment, y, seed=seed)


def agreement(assignment: np.ndarray, y: np.ndarray, *, seed: int = 0) -> ClusterFigures:
    """AMI and NMI between clusters and classes, each with a 95 % interval over identities.

    Mutual information is of all rows together, so there is no value for a single row to resample. The interval is a
    delete-a-group jackknife: the classes are split at random into up to 20 groups, each group is left out in turn while
    the assignment is kept, and the spread of the figures gives a standard error and a t-interval with one degree of
    freedom fewer than groups, cut at the ends of the scale. With two classes, leaving one out leaves nothing to tell
    apart, and the interval is the whole scale.

    Args:
        assignment: (N,) integer clusters.
        y: (N,) integer labels.
        seed: of the groups.

    Returns:
        ``{"clustering/ami": {"value", "low", "high", "n"}, "clustering/nmi": ...}`` with both normalised by the
        arithmetic mean of the entropies; AMI is 0 on average for random clusters and 1 for the classes themselves,
        on a scale of -1 to 1, NMI 0 to 1.

    Raises:
        SandboxError: shapes that do not fit, or fewer than two classes.
    """
    if assignment.ndim != 1 or assignment.shape != y.shape:
        raise SandboxError(f"clusters {assignment.shape} and labels {y.shape} do not fit: both are (N,)")
    classes = _several(y)
    whole = _figures(assignment, y)
    groups = min(_GROUPS, classes)
    of_class = np.random.default_rng(seed).permutation(classes) % groups
    group = of_class[np.unique(y, return_inverse=True)[1]]
    parts = [_figures(assignment[group != out], y[group != out]) for out in range(groups)] if classes > 2 else []
    marked = few_identities(classes)
    return {
        key: {"value": value, **_interval(value, [part[key] for part in parts], _LOWEST[key]), "n": len(y), **marked}
        for key, value in whole.items()
    }


def _several(y: np.ndarray) -> int:
    """How many classes there are.

    Raises:
        SandboxError: fewer than two.
    """
    classes = np.unique(y)
    if len(classes) < 2:
        given = f"all {len(y)} rows have label {classes[0]}" if len(classes) else "there are no rows"
        raise SandboxError(f"clusters are compared with two or more classes, but {given}")
    return len(classes)


def _figures(assignment: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

    return {
        "clustering/ami": float(adjusted_mutual_info_score(y, assignment, average_method="arithmetic")),
        "clustering/nmi": float(normalized_mutual_info_score(y, assignment, average_method="arithmetic")),
    }


def _interval(value: float, left_out: list[float], lowest: float) -> dict[str, float]:
    """The jackknife's t-interval around the value; `left_out` holds the figure without each group in turn."""
    if not left_out:
        return {"low": lowest, "high": 1.0}
    from scipy.stats import t

    groups = len(left_out)
    error = np.sqrt((groups - 1) / groups * np.square(np.array(left_out) - np.mean(left_out)).sum())
    reach = float(t.ppf(0.975, groups - 1) * error)
    return {"low": max(lowest, value - reach), "high": min(1.0, value + reach)}
