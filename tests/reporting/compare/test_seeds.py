"""Two recipes on shared seeds: what queries and identities say, against a naive count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sandbox.recipe.specs import Recipe
from sandbox.reporting.compare.seeds import over_seeds
from sandbox.reporting.records.groups import group
from sandbox.reporting.records.read import read_runs

from compared import drawn, embedded


def map_at_r(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Of each row, by the words of its definition."""
    values = []
    for q in range(len(x)):
        order = sorted((k for k in range(len(x)) if k != q), key=lambda k: -float(x[q] @ x[k]))
        r = sum(y[k] == y[q] for k in range(len(x)) if k != q)
        hits = [y[k] == y[q] for k in order[:r]]
        values.append(sum(hit * sum(hits[: i + 1]) / (i + 1) for i, hit in enumerate(hits)) / r)
    return values


def test_queries_are_won_by_their_mean_over_shared_seeds(tmp_path: Path) -> None:
    rows = {}
    for seed in range(2):
        for loss, spread in (("arcface", 0.6), ("siamese", 0.7)):
            x, y = drawn(seed + (10 if loss == "arcface" else 0), spread, identities=5, each=4)
            embedded(tmp_path, Recipe(loss=loss, seed=seed), x, y)
            rows[loss, seed] = map_at_r(x.astype(np.float32), y)
    a, b = group(read_runs([tmp_path])[0])[0]
    found = over_seeds(a, b, ("A", "B"), (0, 1), ["test/retrieval/map@r"])
    means = [np.mean([rows[loss, seed] for seed in (0, 1)], axis=0) for loss in ("arcface", "siamese")]
    served = found.served[0]
    won, lost = (means[0] > means[1] + 1e-9).sum(), (means[1] > means[0] + 1e-9).sum()
    assert (served.queries.wins, served.queries.losses, served.queries.n) == (won, lost, 20)
    people = [mean.reshape(5, 4).mean(1) for mean in means]
    assert (served.identities.wins, served.identities.n) == ((people[0] > people[1]).sum(), 5)
    assert found.figures[0].found.difference == pytest.approx(np.mean(means[0] - means[1]), abs=1e-6)


@pytest.mark.parametrize("apart", [False, True])
def test_two_objectives_that_trained_one_network_are_told(tmp_path: Path, apart: bool) -> None:
    for seed in range(2):
        for loss in ("arcface", "siamese"):
            x, y = drawn(seed, 0.6, identities=5, each=4)
            if apart and (loss, seed) == ("siamese", 1):
                x[3] = x[4]
            embedded(tmp_path, Recipe(loss=loss, seed=seed), x, y)
    a, b = group(read_runs([tmp_path])[0])[0]
    found = over_seeds(a, b, ("A", "B"), (0, 1), ["test/retrieval/map@r"])
    assert any("the same test embeddings with every seed" in note for note in found.notes) is not apart
