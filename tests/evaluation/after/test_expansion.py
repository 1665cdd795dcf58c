from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.evaluation.after.expansion import expanded


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 25), st.sampled_from([0.0, 1.0, 2.5]), st.booleans(), st.booleans())
def test_a_query_is_joined_by_its_neighbours_weighed_by_their_cosine(
    seed: int, n: int, alpha: float, alone: bool, tied: bool
) -> None:
    rng = np.random.default_rng(seed)
    draw = lambda: unit(rng.choice([-1.0, 1.0], (n, 4)) if tied else rng.normal(size=(n, 4)) + 0.5)  # noqa: E731
    queries = draw()
    gallery = queries if alone else draw()
    k = int(rng.integers(1, n - 1))
    got = expanded(queries, gallery, k, alpha, alone=alone)
    for i, query in enumerate(queries.astype(np.float64)):
        cosine = (gallery.astype(np.float64) @ query).astype(np.float32)
        order = sorted((j for j in range(n) if not (alone and i == j)), key=lambda j: (-cosine[j], j))[:k]
        total = query + sum(max(float(cosine[j]), 0) ** alpha * gallery[j].astype(np.float64) for j in order)
        length = np.linalg.norm(total)
        np.testing.assert_allclose(got[i] * (length if length > 1e-6 else 0), total, atol=2e-6)
