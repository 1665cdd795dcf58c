from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from sandbox.backbones.embed import embed
from sandbox.data.augment import Augment
from sandbox.recipe.specs import AugmentSpec, OptimizerSpec
from sandbox.training.checkpoint import capture, restore
from sandbox.training.features import as_pixels, computed_once, over_features, trunk_features
from sandbox.training.loop import Training, train

Make = Callable[..., Training]
Weights = Callable[[Training], dict[str, torch.Tensor]]
STILL = AugmentSpec(rotate=0.0, scale=0.0, shear=0.0, translate=0.0)
CASES = [("linear", "triplet(miner=hard)"), ("linear", "arcface + 0.1*center"), ("none", "cross_entropy")]
SGD = OptimizerSpec(name="sgd", lr=0.05, loss_lr=0.05)


def made(make: Make, head: str, loss: str, *, once: bool, **options: object) -> Training:
    t = make(loss, frozen=head, augment=STILL, optimizer=SGD, **options)
    t.trunk_once = once
    return t


@pytest.mark.parametrize("autocast", [None, torch.bfloat16])
@pytest.mark.parametrize(("head", "loss"), CASES)
def test_steps_on_stored_features_are_those_on_images(
    head: str, loss: str, autocast: torch.dtype | None, training: Make, weights: Weights
) -> None:
    stored, plain = (made(training, head, loss, once=once, autocast=autocast, clip=1.0) for once in (True, False))
    before = weights(stored)
    losses = [[step.loss for step in train(t)] for t in (stored, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    left, right = weights(stored), weights(plain)
    assert all(torch.allclose(left[key], right[key], rtol=1e-6, atol=1e-7) for key in right)
    assert any(not torch.allclose(left[key], before[key], atol=1e-3) for key in before)


@pytest.mark.parametrize(("head", "loss"), CASES)
def test_a_resumed_training_on_stored_features_ends_with_the_same_bits(
    head: str, loss: str, training: Make, weights: Weights
) -> None:
    whole, cut, later = (made(training, head, loss, once=True) for _ in range(3))
    for _ in train(whole):
        pass
    steps = train(cut)
    for _ in range(5):
        next(steps)
    restore(later, *capture(cut))
    for _ in train(later, 5):
        pass
    left, right = weights(whole), weights(later)
    assert all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize(("once", "seen"), [(True, 48), (False, 12 * 16)])
def test_the_trunk_sees_each_image_once_or_at_every_step(once: bool, seen: int, training: Make) -> None:
    t = made(training, "linear", "triplet", once=once)
    shown: list[int] = []
    t.network.backbone.register_forward_hook(lambda _, x, y: shown.append(len(y)))
    for _ in train(t):
        pass
    assert sum(shown) == seen


def test_class_weights_alone_can_train(training: Make) -> None:
    for once in (True, False):
        t = made(training, "none", "cross_entropy", once=once, total=40, clip=1.0)
        assert [len(group["params"]) for group in t.optimizer.param_groups] == [len(list(t.objective.parameters()))]
        steps = list(train(t, health_every=10))
        assert steps[-1].loss < steps[0].loss
        assert all(step.health.gradient_norm == 0 for step in steps if step.health)
        assert t.network.training and not t.network.backbone.training


def test_features_are_what_the_trunk_emits_in_eval_mode(training: Make) -> None:
    t = made(training, "linear", "triplet", once=True)
    features = trunk_features(t.network, t.pixels, device=t.device, autocast=None)
    assert features.dtype == torch.float32 and features.shape == (48, 24)
    x = torch.from_numpy(np.ascontiguousarray(t.pixels)).permute(0, 3, 1, 2).float() / 255
    wanted = torch.cat([t.network.backbone((row[None] - 0.5) / 0.25) for row in x])
    assert torch.allclose(features, wanted.detach(), atol=1e-5)
    assert not features.requires_grad and not t.network.backbone.training


def test_the_head_over_features_embeds_as_the_network_does(training: Make) -> None:
    t = made(training, "linear", "triplet", once=True)
    features = trunk_features(t.network, t.pixels, device=t.device, autocast=t.autocast)
    ours = embed(over_features(t.network), as_pixels(features), device=t.device)
    assert np.array_equal(ours, embed(t.network, t.pixels, device=t.device))
    assert t.network.training and t.network.head.training


@pytest.mark.parametrize(
    ("spec", "mirror", "shown", "why_not"),
    [
        (STILL, False, 100, ""),
        (STILL, True, 100, "augmentation changes the images"),
        (replace(STILL, rotate=1.0), False, 100, "augmentation changes the images"),
        (replace(STILL, contrast=0.1), False, 100, "augmentation changes the images"),
        (replace(STILL, erase=0.1), False, 100, "augmentation changes the images"),
        (replace(STILL, elastic=0.01), False, 100, "augmentation changes the images"),
        (replace(STILL, stroke=0.01), False, 100, "augmentation changes the images"),
        (replace(STILL, erase_fill="mixed"), False, 100, ""),
        (STILL, False, 47, "fewer images are shown (47) than there are (48)"),
    ],
)
def test_features_are_stored_where_that_changes_nothing_and_pays(
    spec: AugmentSpec, mirror: bool, shown: int, why_not: str, training: Make
) -> None:
    t = training("triplet", frozen="linear")
    once, (said,) = computed_once(t.network, Augment(spec, mirror, 0), images=48, shown=shown)
    assert once == (not why_not)
    assert why_not in said and ("computed once" in said) == once


def test_features_that_would_fill_the_memory_are_not_stored(training: Make) -> None:
    t = training("triplet", frozen="linear")
    once, (said,) = computed_once(t.network, Augment(STILL, False, 0), images=10**8, shown=10**9)
    assert not once and "its features would take 9 GiB" in said


def test_of_a_trunk_that_trains_nothing_is_stored_or_said(training: Make) -> None:
    t = training("triplet")
    assert computed_once(t.network, Augment(STILL, False, 0), images=48, shown=100) == (False, [])
