"""The Poincare distance against Moebius addition, pair by pair."""

from __future__ import annotations

import math

import pytest
import torch

from sandbox.objectives.distances.poincare import PoincareDistance
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve


def rows(seed: int, n: int = 6) -> torch.Tensor:
    """Rows of which some are longer than the clip."""
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x * torch.linspace(0.1, 3, n, dtype=torch.float64)[:, None]


def by_moebius(v: torch.Tensor, w: torch.Tensor, c: float, clip: float) -> float:
    """The distance as it is defined: both rows into the ball, then the addition of minus the one and the other."""
    points = []
    for row in (v, w):
        norm = float(row.norm())
        cut = min(norm, clip)
        points.append(row / norm * math.tanh(math.sqrt(c) * cut) / math.sqrt(c))
    x, y = -points[0], points[1]
    xy, xx, yy = float(x @ y), float(x @ x), float(y @ y)
    added = ((1 + 2 * c * xy + c * yy) * x + (1 - c * xx) * y) / (1 + 2 * c * xy + c**2 * xx * yy)
    return 2 / math.sqrt(c) * math.atanh(math.sqrt(c) * float(added.norm()))


@pytest.mark.parametrize(("c", "clip"), [(0.1, 2.3), (1.0, 1.0)])
def test_it_is_the_length_of_a_moebius_difference(c: float, clip: float) -> None:
    x, y = rows(0), rows(1)
    assert 0 < int((x.norm(dim=1) > clip).sum()) < len(x)
    distance = PoincareDistance(c=c, clip=clip)
    found = distance(x, y)
    for i in range(len(x)):
        for j in range(len(y)):
            assert float(found[i, j]) == pytest.approx(by_moebius(x[i], y[j], c, clip))
    torch.testing.assert_close(distance.pairwise_distance(x, y), found.diagonal())


def test_gradients_agree_with_finite_differences_and_are_finite_where_rows_coincide() -> None:
    distance = PoincareDistance()
    assert torch.autograd.gradcheck(distance, (rows(0).requires_grad_(), rows(1).requires_grad_()))
    for same in (torch.ones(3, 4), torch.zeros(3, 4), 1000 * torch.ones(3, 4)):
        x = same.clone().requires_grad_()
        (distance(x).sum() + distance.pairwise_distance(x, x).sum()).backward()
        assert x.grad is not None and x.grad.isfinite().all()


def test_as_the_curvature_vanishes_it_is_twice_the_euclidean_distance() -> None:
    x = 0.5 * rows(0)
    torch.testing.assert_close(PoincareDistance(c=1e-8)(x), 2 * torch.cdist(x, x), rtol=1e-5, atol=1e-6)


def test_the_same_step_is_longer_near_the_edge() -> None:
    inner, outer = (torch.tensor([[r, 0.0], [r, 0.1]]) for r in (0.1, 2.0))
    distance = PoincareDistance(c=1.0, clip=5.0)
    ball = [float((distance.points(rows)[0] - distance.points(rows)[1]).norm()) for rows in (inner, outer)]
    assert float(distance(outer)[0, 1]) / ball[1] > 3 * float(distance(inner)[0, 1]) / ball[0]


@pytest.mark.parametrize(("values", "said"), [({"c": 0}, "c is 0"), ({"clip": -1}, "clip is -1")])
def test_a_value_out_of_range_is_named(values: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PoincareDistance(**values)


def test_it_is_written_into_losses_and_miners() -> None:
    text = str(resolve("triplet(distance=poincare(c=0.5), miner=triplet_margin(distance=poincare(0.5)))"))
    assert text == "triplet_margin(distance=poincare(c=0.5), miner=triplet_margin(distance=poincare(c=0.5)))"
    objective = build(resolve(text), classes=2, dim=3)
    assert objective(rows(0).float(), torch.tensor([0, 0, 0, 1, 1, 1])).total.isfinite()
