"""Triplets drawn at random, and the loss over them, against the loops of the description they come from."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from sandbox.objectives.miners.random_triplet import RandomTripletMiner
from sandbox.objectives.objective import build, seed_draws
from sandbox.objectives.resolve import resolve

FACENET = "triplet(margin=0.2, distance=lp(power=2), reducer=mean)"


def canonical(loss: str, miner: str = "none") -> str:
    return str(resolve(loss, miner))


def mined(labels: list[int], reference: list[int] | None = None) -> list[tuple[int, int, int]]:
    y = torch.tensor(labels)
    ref = None if reference is None else torch.tensor(reference)
    found = RandomTripletMiner()(torch.zeros(len(labels), 3), y, None if ref is None else torch.zeros(len(ref), 3), ref)
    assert all(part.dtype == torch.int64 for part in found)
    return list(zip(*(part.tolist() for part in found), strict=True))


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=14), step=st.integers(0, 50))
def test_every_anchor_with_a_mate_gets_one_of_its_class_and_one_of_another(labels: list[int], step: int) -> None:
    seed_draws(0, step)
    triplets = mined(labels)
    able = [a for a, y in enumerate(labels) if labels.count(y) > 1 and labels.count(y) < len(labels)]
    assert [a for a, _, _ in triplets] == able
    for a, p, n in triplets:
        assert p != a and labels[p] == labels[a] != labels[n]


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    reference=st.lists(st.integers(0, 3), min_size=1, max_size=12),
)
def test_with_a_memory_both_are_places_in_it(labels: list[int], reference: list[int]) -> None:
    seed_draws(0, 0)
    triplets = mined(labels, reference)
    able = [a for a, y in enumerate(labels) if 0 < reference.count(y) < len(reference)]
    assert [a for a, _, _ in triplets] == able
    assert all(reference[p] == labels[a] != reference[n] for a, p, n in triplets)


def test_every_positive_and_every_negative_is_drawn_as_often_as_another() -> None:
    labels, draws = [0, 0, 0, 0, 1, 1, 2], 1000
    seen = torch.zeros(2, 7, 7)
    for step in range(draws):
        seed_draws(5, step)
        for a, p, n in mined(labels):
            seen[0, a, p] += 1
            seen[1, a, n] += 1
    y = torch.tensor(labels)
    same = (y[:, None] == y) & ~torch.eye(7, dtype=torch.bool)
    other = y[:, None] != y
    same[6], other[6] = False, False  # alone in its class: no anchor
    for times, allowed in zip(seen, (same, other), strict=True):
        share = allowed / allowed.sum(1, keepdim=True).clamp_min(1)
        assert torch.allclose(times / draws, share, atol=5 * 0.5 / draws**0.5)  # five standard deviations
        assert not times[~allowed].any()


def test_draws_follow_seed_and_step_and_nothing_else() -> None:
    labels = [0, 0, 0, 1, 1, 1, 2, 2, 2]

    def at(seed: int, step: int, before: int) -> list[tuple[int, int, int]]:
        torch.manual_seed(before)
        seed_draws(seed, step)
        return mined(labels)

    assert at(3, 7, 0) == at(3, 7, 1)
    assert len({tuple(at(seed, step, 0)) for seed in range(3) for step in range(3)}) == 9


def test_both_names_spell_one_objective() -> None:
    assert canonical("triplet", "random") == canonical("triplet", "random_triplet")
    assert canonical("triplet", "random") == "triplet_margin(miner=random_triplet)"


def of_the_description(x: torch.Tensor, triplets: list[tuple[int, int, int]]) -> torch.Tensor:
    """Mean of relu(||a - p||^2 - ||a - n||^2 + 0.2) over all triplets, those without loss included."""
    losses = []
    for a, p, n in triplets:
        positive = (x[a] - x[p]).pow(2).sum()
        negative = (x[a] - x[n]).pow(2).sum()
        losses.append(torch.relu(positive - negative + 0.2))
    return torch.stack(losses).mean()


@pytest.mark.parametrize("step", range(5))
def test_the_objective_of_the_recipe_is_the_loss_of_the_description(step: int) -> None:
    torch.manual_seed(step)
    y = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 3])
    x = F.normalize(torch.randn(9, 8) + 2 * F.one_hot(y, 8)).requires_grad_()
    seed_draws(1, step)
    triplets = mined(y.tolist())
    seed_draws(1, step)
    total = build(resolve(FACENET, "random"), classes=4, dim=8)(x, y).total
    expected = of_the_description(x, triplets)
    idle = sum(of_the_description(x, [one]).item() == 0 for one in triplets)
    assert 0 < idle < len(triplets)  # so that the mean over all differs from that over losses above 0
    assert total.item() == pytest.approx(expected.item(), rel=1e-5)
    mine, theirs = (torch.autograd.grad(value, x, retain_graph=True)[0] for value in (total, expected))
    along = lambda g: g - (g * x).sum(1, keepdim=True) * x  # noqa: E731  ours keeps the rows' length, theirs need not
    assert torch.allclose(along(mine), along(theirs), atol=1e-6)


def test_hard_takes_the_farthest_positive_and_the_nearest_negative() -> None:
    torch.manual_seed(0)
    y = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])
    x = F.normalize(torch.randn(8, 5))
    d = torch.cdist(x, x)
    triplets = []
    for a in range(8):
        positives = [p for p in range(8) if p != a and y[p] == y[a]]
        negatives = [n for n in range(8) if y[n] != y[a]]
        triplets.append((a, max(positives, key=lambda p: d[a, p]), min(negatives, key=lambda n: d[a, n])))
    total = build(resolve(FACENET, "hard"), classes=3, dim=5)(x, y).total
    assert float(total) == pytest.approx(float(of_the_description(x, triplets)), rel=1e-5)
