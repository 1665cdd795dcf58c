"""The moving average of the weights against a loop over kept copies, and under a resume at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from sandbox.errors import SandboxError
from sandbox.recipe.specs import OptimizerSpec
from sandbox.runs.folder import RunFolder
from sandbox.training.average import Average, averaged
from sandbox.training.checkpoint import capture, kept, restore
from sandbox.training.loop import Diverged, Training, train

Make = Callable[..., Training]
Weights = Callable[[Training], dict[str, torch.Tensor]]
LOSS = "cross_entropy + 0.1*center + xbm(contrastive, memory_size=32)"
TOTAL = 7


def both(t: Training) -> dict[str, torch.Tensor]:
    rows = {f"network/{key}": value for key, value in kept(t.network).items()}
    return rows | {f"objective/{key}": value for key, value in kept(t.objective).items()}


@pytest.mark.parametrize("decay", [0.3, 0.999])
def test_the_average_is_that_of_a_loop_over_kept_copies(decay: float, training: Make) -> None:
    t = training(LOSS, total=TOTAL, ema=decay)
    assert t.average is not None
    naive = {key: value.double() for key, value in both(t).items()}
    for step in train(t):
        d = min(decay, step.done / (9 + step.done))  # (1 + t) / (10 + t) of t from 0
        naive = {key: d * naive[key] + (1 - d) * value.double() for key, value in both(t).items()}
    held = t.average.state_dict()
    learnt = {f"network/{key}" for key, _ in t.network.named_parameters()}
    learnt |= {f"objective/{key}" for key, _ in t.objective.named_parameters()}
    statistics = {key for key in naive if key.endswith(("running_mean", "running_var", "/mean", "/std"))}
    assert held.keys() == learnt | statistics and len(statistics) == 4
    for key, value in held.items():
        torch.testing.assert_close(value.double(), naive[key], rtol=1e-5, atol=1e-6)
    now = both(t)
    assert any(not torch.allclose(held[key], now[key], atol=1e-4) for key in learnt)
    for still in ("network/mean", "network/std"):  # of constants, to the bit
        assert torch.equal(held[still], now[still])


def test_averages_stand_in_and_the_last_weights_come_back_to_the_bit(training: Make, weights: Weights) -> None:
    t = training(LOSS, total=TOTAL, ema=0.9)
    assert t.average is not None
    for _ in train(t):
        pass
    before, last = weights(t), both(t)
    held = {key: value.clone() for key, value in t.average.state_dict().items()}
    with averaged(t.average):
        inside = both(t)
        assert all(torch.equal(inside[key], held.get(key, last[key])) for key in inside)
        (counter,) = (key for key in inside if key.endswith("num_batches_tracked"))
        (memory,) = (key for key in inside if key.endswith("embedding_memory"))
        assert counter not in held and int(inside[counter]) == TOTAL and memory not in held
    after = weights(t)
    assert all(torch.equal(after[key], before[key]) for key in before)
    with pytest.raises(ValueError, match="validation fails"), averaged(t.average):
        raise ValueError("validation fails")
    assert all(torch.equal(weights(t)[key], before[key]) for key in before)


def test_without_an_average_nothing_stands_in(training: Make) -> None:
    t = training("triplet")
    before = both(t)
    with averaged(t.average):
        assert all(torch.equal(both(t)[key], before[key]) for key in before)
    assert not any(key.startswith("average/") for key in capture(t)[0])


def test_training_goes_the_way_that_it_goes_without(training: Make) -> None:
    ends = []
    for ema in (0.0, 0.9):
        t = training(LOSS, total=TOTAL, ema=ema)
        losses = []
        for step in train(t):
            losses.append(step.loss)
            with averaged(t.average):  # as a validation does
                pass
        ends.append((losses, both(t)))
    assert ends[0][0] == ends[1][0]
    assert all(torch.equal(ends[0][1][key], ends[1][1][key]) for key in ends[0][1])


@pytest.mark.parametrize("loss", [LOSS, "triplet(miner=hard)"])
def test_a_training_cut_off_at_any_step_ends_with_the_same_bits(
    loss: str, training: Make, weights: Weights, tmp_path: Any
) -> None:
    whole = training(loss, total=TOTAL, ema=0.97)
    states = [capture(whole)]
    states += [capture(whole) for _ in train(whole)]
    wanted = weights(whole)
    assert any(key.startswith("average.") for key in wanted)
    folder = RunFolder(tmp_path)
    for at, (tensors, state) in enumerate(states):
        folder.write_tensors("checkpoint.safetensors", tensors, state)  # through the disk, as a run does
        t = training(loss, total=TOTAL, ema=0.97)
        restore(t, *folder.read_tensors("checkpoint.safetensors"))
        for _ in train(t, at):
            pass
        ended = weights(t)
        assert ended.keys() == wanted.keys()
        assert all(torch.equal(ended[key], wanted[key]) for key in wanted), at


def test_a_checkpoint_without_averages_or_with_others_is_refused(training: Make) -> None:
    tensors, state = capture(training("arcface", ema=0.9))
    without = {key: value for key, value in tensors.items() if not key.startswith("average/")}
    key = next(key for key in tensors if key.startswith("average/objective/"))
    for wrong, words in (
        (without, r"average/network/\S+ is missing"),
        ({**tensors, key: tensors[key][:1]}, "of another shape or kind"),
        ({**tensors, key: tensors[key].half()}, "of another shape or kind"),
        ({**tensors, "average/network/more": torch.ones(1)}, "average/network/more is unknown"),
    ):
        with pytest.raises(SandboxError, match=f"the checkpoint does not fit this recipe: .*{words}"):
            restore(training("arcface", ema=0.9), wrong, {**state, "tensors": sorted(wrong)})


@pytest.mark.parametrize("head", ["linear", "none"])
def test_of_a_frozen_trunk_only_what_learns_moves(head: str, training: Make) -> None:
    t = training("cross_entropy", total=TOTAL, frozen=head, ema=0.5)
    assert t.average is not None
    frozen = {key: value for key, value in both(t).items() if key.startswith("network/backbone")}
    held = t.average.state_dict()
    assert not any(key.endswith("weight") and key.startswith("network/backbone") for key in held)
    for _ in train(t):
        pass
    with averaged(t.average):
        inside = both(t)
        assert all(torch.equal(inside[key], value) for key, value in frozen.items())
    (owned,) = (key for key, _ in t.objective.named_parameters() if key.endswith("weight"))
    assert not torch.equal(inside[f"objective/{owned}"], both(t)[f"objective/{owned}"])


def test_a_step_that_is_refused_leaves_the_average_alone(training: Make) -> None:
    t = training("cross_entropy", total=200, optimizer=OptimizerSpec(name="sgd", lr=1e30, weight_decay=0.0), ema=0.9)
    assert t.average is not None
    seen = [{key: value.clone() for key, value in t.average.state_dict().items()}]
    with pytest.raises(Diverged):
        for _ in train(t):
            seen.append({key: value.clone() for key, value in t.average.state_dict().items()})
    held = t.average.state_dict()
    assert all(torch.equal(held[key].nan_to_num(), seen[-1][key].nan_to_num()) for key in held)


def test_a_weight_that_two_layers_share_is_exchanged_once() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    network[1].weight = network[0].weight
    average = Average(network, nn.Identity(), 0.5)
    first = network[0].weight.detach().clone()
    with torch.no_grad():
        network[0].weight.add_(1.0)
    average.update(0)  # d is 1/10
    with average.in_place():
        torch.testing.assert_close(network[1].weight, first + 0.9)
    assert torch.equal(network[0].weight, first + 1.0)
