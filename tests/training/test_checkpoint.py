from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.recipe.specs import AugmentSpec, OptimizerSpec
from sandbox.runs.folder import RunFolder
from sandbox.training.checkpoint import capture, restore, under
from sandbox.training.loop import Training, train

Make = Callable[..., Training]
Weights = Callable[[Training], dict[str, torch.Tensor]]
OBJECTIVES = [
    "triplet(miner=hard)",
    "arcface",
    "cross_entropy + 0.1*center",
    "xbm(contrastive, memory_size=64)",
    "xbm(triplet, memory_size=24, miner=hard)",
    "dynamic_soft_margin",
    "a_softmax",
    "angular_softmax",
    "adaface",
    "magface",
    "curricularface",
    "unitsface",
    "sup_ap + 0.5*recall_at_k",
    "potential_field",
    "d_prime + 0.01*anti_collapse",
    "triplet(distance=poincare)",
    "matryoshka(adaface + triplet, dims=[4, 16])",
    "margin(learn_beta=True)",
    "triplet(miner=distance_weighted, triplets_per_anchor=5)",
    "soft_triple + 0.5*siamese",
    "manifold(K=8)",
    "histogram",
    "n_pairs",
    "triplet(miner=uniform_histogram)",
    "vic_reg",
]
AT, TOTAL = 5, 12


def uninterrupted(make: Make, loss: str, **options: Any) -> Training:
    t = make(loss, total=TOTAL, **options)
    for _ in train(t):
        pass
    return t


def stopped(make: Make, loss: str, **options: Any) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    t = make(loss, total=TOTAL, **options)
    steps = train(t)
    for _ in range(AT):
        next(steps)
    tensors, state = capture(t)
    next(steps)  # what comes after the capture does not change it
    return tensors, state


def resumed(make: Make, loss: str, tensors: dict[str, torch.Tensor], state: dict[str, Any], **options: Any) -> Training:
    t = make(loss, total=TOTAL, **options)
    restore(t, tensors, state)
    for _ in train(t, AT):
        pass
    return t


def equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize("loss", OBJECTIVES)
def test_a_resumed_training_ends_with_the_same_bits(loss: str, training: Make, weights: Weights, tmp_path: Any) -> None:
    tensors, state = stopped(training, loss)
    folder = RunFolder(tmp_path)  # through the disk, as a run does
    folder.write_tensors("checkpoint.safetensors", tensors, state)
    went_on = resumed(training, loss, *folder.read_tensors("checkpoint.safetensors"))
    assert equal(weights(went_on), weights(uninterrupted(training, loss)))


@pytest.mark.parametrize(
    "spec",
    [OptimizerSpec(name="sgd"), OptimizerSpec(name="sgd", momentum=0.0), OptimizerSpec(name="adam", amsgrad=True)],
    ids=["sgd", "sgd without momentum", "amsgrad"],
)
def test_a_resumed_training_ends_with_the_same_bits_under_every_optimizer(
    spec: OptimizerSpec, training: Make, weights: Weights
) -> None:
    loss = "arcface + triplet"
    went_on = resumed(training, loss, *stopped(training, loss, optimizer=spec), optimizer=spec)
    assert equal(weights(went_on), weights(uninterrupted(training, loss, optimizer=spec)))


@pytest.mark.parametrize("fill", ["noise", "mixed"])
def test_a_resumed_training_ends_with_the_same_bits_under_every_augmentation(
    fill: Literal["noise", "mixed"], training: Make, weights: Weights
) -> None:
    spec = AugmentSpec(contrast=0.2, erase=0.5, erase_fill=fill, elastic=0.1, stroke=0.1)
    went_on = resumed(training, "triplet", *stopped(training, "triplet", augment=spec), augment=spec)
    whole = weights(uninterrupted(training, "triplet", augment=spec))
    assert equal(weights(went_on), whole)
    for change in ({"erase_fill": "grey"}, {"elastic": 0.0}, {"stroke": 0.0}):
        other = uninterrupted(training, "triplet", augment=replace(spec, **change))
        assert not equal(weights(other), whole)


@pytest.mark.parametrize(
    ("part", "loss"),
    [
        ("network/", "triplet"),
        ("objective/", "arcface"),
        ("objective/", "cross_entropy + 0.1*center"),
        ("optimizer/", "triplet"),
        ("hidden/", "dynamic_soft_margin"),
    ],
)
def test_no_part_of_a_checkpoint_is_there_for_nothing(part: str, loss: str, training: Make, weights: Weights) -> None:
    tensors, state = stopped(training, loss)
    fresh, _ = capture(training(loss, total=TOTAL))
    without = {key: value for key, value in tensors.items() if not key.startswith(part)}
    assert len(without) < len(tensors)
    without |= {key: value for key, value in fresh.items() if key.startswith(part)}
    went_on = resumed(training, loss, without, {**state, "tensors": sorted(without)})
    assert not equal(weights(went_on), weights(uninterrupted(training, loss)))


def test_the_position_of_a_queue_is_part_of_a_checkpoint(training: Make, weights: Weights) -> None:
    loss = "xbm(contrastive, memory_size=64)"
    tensors, state = stopped(training, loss)
    assert any(key.endswith(":queue_idx") and value for key, value in state["hidden"].items())
    fresh = capture(training(loss, total=TOTAL))[1]["hidden"]
    went_on = resumed(training, loss, tensors, {**state, "hidden": fresh})
    assert not equal(weights(went_on), weights(uninterrupted(training, loss)))


def test_the_state_is_plain_data_and_the_tensors_are_copies(training: Make) -> None:
    t = training("margin(learn_beta=True) + dynamic_soft_margin", total=3)
    for _ in train(t):
        pass
    tensors, state = capture(t)
    assert json.loads(json.dumps(state)) == state
    before = {key: value.clone() for key, value in tensors.items()}
    t.total = 5
    for _ in train(t, 3):
        pass
    assert equal(tensors, before)


@pytest.mark.parametrize(
    ("saved", "wanted"),
    [
        ("arcface", "triplet"),
        ("triplet", "arcface"),
        ("soft_triple", "arcface"),
        ("triplet + contrastive", "triplet"),
        ("triplet(miner=hard)", "triplet"),
    ],
)
def test_the_checkpoint_of_another_objective_is_refused(saved: str, wanted: str, training: Make) -> None:
    tensors, state = stopped(training, saved)
    with pytest.raises(SandboxError, match="the checkpoint does not fit this recipe: "):
        restore(training(wanted), tensors, state)


def test_the_checkpoint_of_another_network_is_refused(training: Make) -> None:
    tensors, state = stopped(training, "triplet")
    tensors["network/head.weight"] = torch.zeros(2, 2)
    with pytest.raises(SandboxError, match=r"head\.weight"):
        restore(training("triplet"), tensors, state)


def test_under_takes_a_prefix_off() -> None:
    one = torch.ones(1)
    assert under({"a/x": one, "a/b/y": one, "ab/z": one}, "a/") == {"x": one, "b/y": one}
