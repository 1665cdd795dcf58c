from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.training.health import effective_rank, examine


@pytest.mark.parametrize("dimensions", [1, 2, 5, 8])
def test_equal_spread_over_some_dimensions_is_that_effective_rank(dimensions: int) -> None:
    axes = torch.eye(8)[:dimensions]
    x = torch.cat([axes, -axes]) + 3.0  # the mean does not count
    assert effective_rank(x) == pytest.approx(dimensions, rel=1e-4)


def test_effective_rank_is_the_exponential_of_the_entropy_of_the_eigenvalues() -> None:
    x = torch.randn(30, 6, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 7.0)
    values = torch.linalg.eigvalsh(torch.cov(x.T))
    share = (values / values.sum()).tolist()
    assert effective_rank(x) == pytest.approx(math.exp(-sum(s * math.log(s) for s in share)), rel=1e-4)


@pytest.mark.parametrize("x", [torch.zeros(4, 3), torch.ones(4, 3), torch.ones(1, 3)])
def test_one_point_has_effective_rank_one(x: torch.Tensor) -> None:
    assert effective_rank(x) == 1.0


def test_the_mean_cosine_is_that_of_all_pairs() -> None:
    x = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))
    pairs = [float(F.cosine_similarity(x[i], x[j], dim=0)) for i in range(9) for j in range(i)]
    assert examine(x, nn.Identity(), None).mean_cosine == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)


def test_collapse_is_seen_whatever_the_length_of_the_embeddings() -> None:
    row, noise = torch.randn(1, 16), torch.randn(20, 16)
    assert examine((row + 0.01 * noise) * 100, nn.Identity(), None).collapsed
    assert not examine(row + noise, nn.Identity(), None).collapsed
    assert examine(row, nn.Identity(), None).collapsed


def test_the_gradient_norm_is_that_of_all_weights_together() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    network[0].bias.requires_grad_(False)
    network(torch.randn(5, 3)).square().sum().backward()
    grads = torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
    health = examine(torch.randn(4, 2), network, 0.25)
    assert health.gradient_norm == pytest.approx(float(grads.norm()))
    assert health.active == 0.25
    assert examine(torch.randn(4, 2), nn.Linear(1, 1), None).gradient_norm == 0.0
