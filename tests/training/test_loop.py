from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import nn

from sandbox.recipe.specs import AugmentSpec, OptimizerSpec, ScheduleSpec
from sandbox.training.distributed import Ranks
from sandbox.training.loop import Diverged, Training, _images, seed_step, train
from sandbox.training.optimizer import factor

Make = Callable[..., Training]
Weights = Callable[[Training], dict[str, torch.Tensor]]


@pytest.mark.parametrize("loss", ["triplet(triplets_per_anchor=3)", "cross_entropy", "n_pairs + arcface"])
def test_one_seed_gives_the_same_bits_twice_and_another_seed_others(
    loss: str, training: Make, weights: Weights
) -> None:
    ends = []
    for seed in (1, 1, 2):
        t = training(loss, seed=seed)
        losses = [step.loss for step in train(t)]
        torch.rand(7)  # what runs in between leaves no trace
        ends.append((losses, weights(t)))
    assert ends[0][0] == ends[1][0]
    assert all(torch.equal(ends[0][1][key], ends[1][1][key]) for key in ends[0][1])
    assert ends[0][0] != ends[2][0]


def test_what_happens_between_two_steps_changes_nothing(training: Make, weights: Weights) -> None:
    plain, disturbed = training("triplet(triplets_per_anchor=3)"), training("triplet(triplets_per_anchor=3)")
    for _ in train(plain):
        pass
    for _ in train(disturbed):
        torch.rand(3)
    left, right = weights(plain), weights(disturbed)
    assert all(torch.equal(left[key], right[key]) for key in left)


def test_a_step_is_the_textbooks(training: Make) -> None:
    """One step by plain SGD, written out: weights less the rate times the gradient."""
    spec = OptimizerSpec(name="sgd", momentum=0.0, weight_decay=0.0, lr=0.1, loss_lr=0.01)
    t, twin = (
        training("arcface", total=1, optimizer=spec, schedule=ScheduleSpec(name="constant", warmup=0.0)) for _ in "ab"
    )
    (step,) = train(t)
    seed_step(twin.seed, 0)
    index = twin.batches.take(0)
    x = twin.augment(torch.from_numpy(twin.pixels[index]).permute(0, 3, 1, 2), 0)
    loss = twin.objective(twin.network(x), torch.from_numpy(twin.labels[index])).total
    loss.backward()
    assert step.loss == pytest.approx(loss.item())
    assert step.done == 1
    for part, rate in (("network", 0.1), ("objective", 0.01)):
        pairs = zip(getattr(t, part).parameters(), getattr(twin, part).parameters(), strict=True)
        for trained, before in pairs:
            assert before.grad is not None
            assert torch.allclose(trained, before - rate * before.grad, atol=1e-6)


@pytest.mark.parametrize("fill", ["grey", "noise", "mixed"])
def test_processes_that_share_a_batch_change_its_images_as_one_does(
    fill: Literal["grey", "noise", "mixed"], training: Make
) -> None:
    spec = AugmentSpec(erase=0.9, erase_fill=fill, elastic=0.1, stroke=0.1)
    t = training("triplet", augment=spec)
    index = t.batches.take(3)
    shares = [_images(replace(t, ranks=Ranks(rank, 3)), index, 3) for rank in range(3)]
    assert torch.equal(torch.cat(shares), _images(t, index, 3))


def test_the_learning_rate_follows_the_schedule(training: Make) -> None:
    spec = ScheduleSpec(name="cosine", warmup=0.25)
    t = training("triplet", optimizer=OptimizerSpec(lr=0.5), schedule=spec)
    rates = [step.lr for step in train(t)]
    assert rates == pytest.approx([0.5 * factor(step, 12, t.steps_per_epoch, spec) for step in range(12)])


def test_training_lowers_the_loss(training: Make) -> None:
    losses = [step.loss for step in train(training("cross_entropy", total=60, optimizer=OptimizerSpec(lr=0.01)))]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_terms_add_up_and_health_comes_at_the_start_and_at_its_period(training: Make) -> None:
    steps = list(train(training("triplet + 0.5*arcface"), health_every=4))
    assert [step.done for step in steps] == list(range(1, 13))
    assert [step.done for step in steps if step.health] == [1, 4, 8, 12]
    for step in steps:
        assert sum(float(value) for value in step.terms.values()) == pytest.approx(step.loss, rel=1e-5)


def test_clipping_bounds_the_step_of_the_network(training: Make) -> None:
    spec = OptimizerSpec(name="sgd", momentum=0.0, weight_decay=0.0, lr=1.0)
    flat = ScheduleSpec(name="constant", warmup=0.0)
    t = training("10*arcface", total=1, optimizer=spec, clip=0.01, schedule=flat)
    before = [p.detach().clone() for p in t.network.parameters()]
    (step,) = train(t)
    moved = torch.cat([(p - q).flatten() for p, q in zip(t.network.parameters(), before, strict=True)])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)
    assert step.health is not None
    assert step.health.gradient_norm > 0.01  # what it was before clipping


def test_the_loss_is_float32_under_bfloat16(training: Make) -> None:
    steps = list(train(training("triplet + arcface", autocast=torch.bfloat16)))
    assert all(value.dtype == torch.float32 for step in steps for value in step.terms.values())


class Blows(nn.Module):
    """Puts out infinity from its third call on."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.calls = inner, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.inner(x) * (float("inf") if self.calls > 2 else 1.0)


def test_a_loss_that_is_no_number_stops_training_before_the_weights_are_spoilt(
    training: Make, weights: Weights
) -> None:
    t = training("cross_entropy")
    t.network.backbone = Blows(t.network.backbone)
    taken = []
    with pytest.raises(Diverged, match=r"not finite at step 3 \(cross_entropy .*the embeddings are not finite either"):
        for step in train(t):
            taken.append(step.loss)
    assert len(taken) == 2
    assert all(p.isfinite().all() for p in [*t.network.parameters(), *t.objective.parameters()])


def test_a_learning_rate_beyond_reason_is_named_as_the_likely_cause(training: Make) -> None:
    t = training("cross_entropy", total=200, optimizer=OptimizerSpec(name="sgd", lr=1e30, weight_decay=0.0))
    with pytest.raises(Diverged, match=r"try a lower --optimizer\.lr"):
        for _ in train(t):
            pass


def test_an_objective_with_nothing_to_say_leaves_the_weights_alone(training: Make, weights: Weights) -> None:
    t = training("triplet(margin=-100)", total=3, optimizer=OptimizerSpec(name="sgd", momentum=0.0, weight_decay=0.0))
    before = {name: p.clone() for name, p in t.network.named_parameters()}
    assert [step.loss for step in train(t)] == [0.0, 0.0, 0.0]
    assert all(torch.equal(p, before[name]) for name, p in t.network.named_parameters())
