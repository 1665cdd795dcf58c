from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.after.templates import template_rows


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_a_template_is_the_mean_over_media_of_the_mean_within_each(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    template, medium = rng.integers(0, 6, n) * 10, rng.integers(0, 3, n)
    got, labels = template_rows(x, template % 4, template.astype(str), medium)
    names = sorted(set(template.astype(str)))
    assert labels.tolist() == [int(name) % 4 for name in names]
    for row, name in zip(got, names, strict=True):
        of = template.astype(str) == name
        media = [x[of & (medium == one)].astype(np.float64).mean(0) for one in set(medium[of])]
        total = np.mean(media, axis=0)
        np.testing.assert_allclose(row, total / np.linalg.norm(total), atol=1e-6)


def test_a_long_video_weighs_as_much_as_a_photograph() -> None:
    x = np.array([[1, 0]] * 9 + [[0, 1]], np.float32)
    got, _ = template_rows(x, np.zeros(10, int), np.zeros(10, int), np.array([0] * 9 + [1]))
    np.testing.assert_allclose(got, [[0.5**0.5, 0.5**0.5]], atol=1e-6)


def test_a_template_of_two_classes_is_refused() -> None:
    with pytest.raises(SandboxError, match="template b holds images of two classes, the second in row 2"):
        template_rows(np.eye(3, dtype="f4"), np.array([0, 1, 2]), np.array(["a", "b", "b"]), np.zeros(3, int))
