"""Retrieval figures against the searches of other libraries, and the bootstrap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sandbox.benchmarks.rows import classes
from sandbox.benchmarks.timing import Ratio, alternate


def retrieval_against_others(rounds: int) -> Iterator[Ratio | str]:
    """All retrieval figures with intervals against FAISS's own search, and against PML's AccuracyCalculator."""
    import faiss
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    from sandbox.evaluation.retrieval.metrics import retrieval

    names = {"precision_at_1": "precision@1", "r_precision": "r_precision", "mean_average_precision_at_r": "map@r"}
    for rows, each, wanted in ((60_000, 5, 2), (20_000, 300, 1.3), (10_000, 1_000, 3)):
        x, y = classes(rows, each)
        k = each - 1
        found: dict[str, float] = {}

        def ours(x: np.ndarray = x, y: np.ndarray = y, found: dict[str, float] = found) -> None:
            figures = retrieval(x, y, recall_at=(1,)).figures()
            found.update({key: float(entry["value"]) for key, entry in figures.items()})

        def search(x: np.ndarray = x, k: int = k) -> None:
            index = faiss.IndexFlatIP(x.shape[1])
            index.add(x)
            index.search(x, k)

        theirs: dict[str, float] = {}

        def calculator(x: np.ndarray = x, y: np.ndarray = y, theirs: dict[str, float] = theirs) -> None:
            judge = AccuracyCalculator(include=tuple(names), k="max_bin_count", device=torch.device("cpu"))
            theirs.update(judge.get_accuracy(torch.from_numpy(x), torch.from_numpy(y)))

        what = f"{rows:,} x 128 with {each:,} per class"
        yield Ratio(f"retrieval of {what} against FAISS's search for {k}", *alternate(ours, search, rounds), 1.2)
        yield Ratio(f"retrieval of {what} against AccuracyCalculator", *alternate(ours, calculator, rounds), -wanted)
        apart = max(abs(theirs[key] - found[f"retrieval/{name}"]) for key, name in names.items())
        yield f"figures apart from AccuracyCalculator's by {apart:.1e}; MAP@R {found['retrieval/map@r']:.3f}"


def bootstrap_seconds(rounds: int) -> Iterator[str]:
    """1,000 resamples of MAP@R over 10,000 queries of 2,000 and of 10,000 identities."""
    from sandbox.evaluation.intervals.bootstrap import bootstrap_means

    rng = np.random.default_rng(0)
    values = rng.random(10_000)
    for identities in (2_000, 10_000):
        groups = np.arange(10_000) % identities
        ours, _ = alternate(lambda groups=groups: bootstrap_means(values, groups), lambda: None, rounds)  # type: ignore[misc]
        yield f"1,000 resamples of 10,000 queries of {identities:,} identities: {ours:.3f} s"
