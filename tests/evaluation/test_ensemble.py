"""Several models as one, on bare arrays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sandbox.evaluation.ensemble import mean_figures, mean_rows, side_by_side


def unit(count: int, dim: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_the_cosine_side_by_side_is_the_mean_of_the_cosines() -> None:
    parts = [unit(9, 4, 0), unit(9, 7, 1), unit(9, 2, 2)]
    rows = side_by_side(parts)
    assert rows.shape == (9, 13) and rows.dtype == np.float32
    for i, j in np.ndindex(9, 9):
        assert rows[i] @ rows[j] == pytest.approx(np.mean([part[i] @ part[j] for part in parts]), abs=1e-6)


def test_mean_rows_are_the_mean_at_unit_length() -> None:
    parts = [unit(6, 5, seed) for seed in range(3)]
    rows = mean_rows(parts)
    for i in range(6):
        mean = sum(part[i].astype(float) for part in parts) / 3
        np.testing.assert_allclose(rows[i], mean / np.sqrt((mean**2).sum()), atol=1e-6)
    np.testing.assert_allclose(mean_rows([parts[0], parts[0]]), parts[0], atol=1e-6)


def test_an_image_that_no_model_embedded_stays_zero_and_one_that_some_did_has_unit_length() -> None:
    parts = [unit(3, 4, 0), unit(3, 4, 1)]
    parts[0][:2] = 0
    parts[1][0] = 0
    for rows in (side_by_side(parts), mean_rows(parts)):
        assert not rows[0].any()
        assert np.linalg.norm(rows[1:], axis=1) == pytest.approx(1, abs=1e-6)


def test_the_mean_of_figures_has_the_t_interval_over_models() -> None:
    values = [0.5, 0.7, 0.75]
    members = [{"a": {"value": v, "low": 0.1, "n": 900}, "count": {"value": 3, "n": 9}} for v in values]
    members[0]["alone"] = {"value": 0.5, "n": 9}
    found = mean_figures(members)
    assert found.keys() == {"a"} and found["a"]["n"] == 3
    mean, error = np.mean(values), np.std(values, ddof=1) / np.sqrt(3)
    low, high = stats.t.interval(0.95, 2, mean, error)
    assert (found["a"]["value"], found["a"]["low"], found["a"]["high"]) == pytest.approx((mean, low, high))


def test_a_figure_that_one_model_cannot_support_is_not_shown_as_supported() -> None:
    members = [{"tar": {"value": 0.5, "n": 9, "supported": each}} for each in (True, False)]
    assert mean_figures(members)["tar"]["supported"] is False
    assert "supported" not in mean_figures(members[:1] * 2)["tar"]
