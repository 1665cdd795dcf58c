"""What a step takes of memory, measured."""

from __future__ import annotations

import pytest
import torch

from sandbox.objectives.bounded.demand import demand
from sandbox.objectives.resolve import resolve
from sandbox.objectives.step_cost import _Counted, growth, step_bytes


def test_what_lives_at_once_is_counted_and_what_is_gone_is_not() -> None:
    there = torch.ones(1000)
    with _Counted([there]) as counted:
        for _ in range(5):
            made = there + 1  # 4,000 bytes, of which the earlier goes as this one is named
            del made
        first = there * 2
        view = first[:10]
        first += 1
        second = view + 1  # 40 bytes
        del first, view, second
        there[:10].add_(1)
    assert counted.most == 4040
    assert counted._now == 0


def test_a_matrix_grows_with_the_square_and_listed_triplets_take_what_is_counted_before() -> None:
    few, many = (step_bytes(resolve("contrastive"), images) for images in (64, 128))
    assert 1 < growth(few, many) < 2.2
    triplet = resolve("triplet")
    listed = demand(triplet.terms[0].loss, [4] * 32).bytes
    assert listed / 4 < step_bytes(triplet, 128) < 4 * listed
    assert step_bytes(triplet, 128) > many


def test_the_power_of_growth() -> None:
    assert [growth(10, 20), growth(10, 80), growth(7, 7)] == [1, 3, 0]


@pytest.mark.parametrize("loss", ["arcface", "xbm(contrastive)", "manifold"])
def test_losses_with_weights_a_memory_or_no_labels_are_measured_too(loss: str) -> None:
    state = torch.get_rng_state()
    assert step_bytes(resolve(loss), 128) > 128 * 512 * 4  # the gradient of the embeddings at the least
    assert torch.equal(torch.get_rng_state(), state)
