from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from sandbox.errors import SandboxError
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve
from sandbox.recipe.specs import OptimizerSpec, ScheduleSpec
from sandbox.training.optimizer import factor, make_optimizer, set_learning_rate


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))


def test_matrices_are_decayed_vectors_are_not_and_loss_weights_have_their_own_rate() -> None:
    net, objective = network(), build(resolve("arcface + 0.1*center"), classes=5, dim=3)
    spec = OptimizerSpec(lr=0.5, loss_lr=0.25, weight_decay=0.1)
    groups = make_optimizer(net, objective, spec).param_groups
    assert [(group["peak"], group["weight_decay"]) for group in groups] == [(0.5, 0.1), (0.5, 0.0), (0.25, 0.0)]
    assert [[tuple(p.shape) for p in group["params"]] for group in groups] == [[(3, 4)], [(3,)] * 3, [(3, 5)]]


def test_every_weight_is_in_one_group() -> None:
    net, objective = network(), build(resolve("margin(learn_beta=True) + soft_triple"), classes=5, dim=3)
    groups = make_optimizer(net, objective, OptimizerSpec()).param_groups
    ids = [id(p) for group in groups for p in group["params"]]
    assert sorted(ids) == sorted(id(p) for p in [*net.parameters(), *objective.parameters()])


def test_frozen_weights_are_left_out() -> None:
    net = network()
    net[0].requires_grad_(False)  # type: ignore[index]
    groups = make_optimizer(net, build(resolve("triplet"), classes=5, dim=3), OptimizerSpec()).param_groups
    assert len(groups) == 1
    assert all(p.requires_grad for p in groups[0]["params"])


def test_nothing_to_train_is_refused() -> None:
    net = network().requires_grad_(False)
    with pytest.raises(SandboxError, match="nothing is left to train"):
        make_optimizer(net, build(resolve("triplet"), classes=5, dim=3), OptimizerSpec())


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (OptimizerSpec(name="adamw", amsgrad=True), torch.optim.AdamW),
        (OptimizerSpec(name="adam"), torch.optim.Adam),
        (OptimizerSpec(name="sgd", momentum=0.7), torch.optim.SGD),
    ],
)
def test_the_named_optimizer_is_made_with_its_settings(spec: OptimizerSpec, kind: type) -> None:
    made = make_optimizer(network(), build(resolve("triplet"), classes=5, dim=3), spec)
    assert type(made) is kind
    settings = made.param_groups[0]
    assert settings.get("amsgrad", False) == spec.amsgrad
    assert settings.get("momentum", spec.momentum) == spec.momentum


def test_every_group_gets_its_share_of_its_own_peak() -> None:
    made = make_optimizer(network(), build(resolve("arcface"), classes=5, dim=3), OptimizerSpec(lr=0.4, loss_lr=0.2))
    set_learning_rate(made, 0.5)
    assert [group["lr"] for group in made.param_groups] == pytest.approx([0.2, 0.2, 0.1])


def factors(total: int, per_epoch: int = 10, **spec: object) -> list[float]:
    return [factor(step, total, per_epoch, ScheduleSpec(**spec)) for step in range(total)]  # type: ignore[arg-type]


def test_warm_up_climbs_in_equal_steps_to_the_peak() -> None:
    assert factors(20, name="constant", warmup=0.25) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0] + [1.0] * 15)
    assert factors(20, name="constant", warmup=0.0) == [1.0] * 20
    assert factors(4, name="constant", warmup=0.01) == [1.0] * 4


def test_cosine_falls_from_the_peak_as_half_a_cosine() -> None:
    assert factors(10, name="cosine", warmup=0.0) == pytest.approx(
        [0.5 * (1 + math.cos(math.pi * step / 10)) for step in range(10)]
    )
    warmed = factors(20, name="cosine", warmup=0.5)
    assert warmed[9] == warmed[10] == 1.0
    assert warmed[10:] == sorted(warmed[10:], reverse=True)


def test_step_and_exponential_lose_gamma_a_period() -> None:
    fall = factors(40, per_epoch=5, name="step", warmup=0.0, gamma=0.5, period=2.0)
    assert fall == pytest.approx([0.5 ** (step // 10) for step in range(40)])
    smooth = factors(40, per_epoch=5, name="exponential", warmup=0.0, gamma=0.5, period=2.0)
    assert smooth == pytest.approx([0.5 ** (step / 10) for step in range(40)])


def test_one_cycle_is_torchs() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    torchs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=101, pct_start=0.25, cycle_momentum=False
    )
    theirs = []
    for _ in range(101):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        torchs.step() if len(theirs) < 101 else None
    ours = factors(100, name="one_cycle", warmup=0.25)
    assert ours[0] == pytest.approx(theirs[0])
    assert max(ours) == pytest.approx(1.0)
    assert ours == pytest.approx(theirs[:100], abs=0.06)
    assert ours[-1] < 1e-3


@pytest.mark.parametrize("name", ["cosine", "one_cycle", "step", "exponential", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("total", [1, 2, 37])
def test_every_factor_lies_between_nothing_and_the_peak(name: str, warmup: float, total: int) -> None:
    rates = factors(total, name=name, warmup=warmup)
    assert all(0 < rate <= 1 for rate in rates)


def test_layers_further_from_the_head_learn_more_slowly() -> None:
    from sandbox.backbones.network import make_network
    from sandbox.recipe.specs import BackboneSpec

    net = make_network(BackboneSpec(name="conv4", embedding_dim=8), channels=1, image_size=32, mean=[0.5], std=[0.2])
    objective = build(resolve("arcface"), classes=5, dim=8)
    plain = make_optimizer(net, objective, OptimizerSpec(lr=1.0, loss_lr=0.25)).param_groups
    made = make_optimizer(net, objective, OptimizerSpec(lr=1.0, loss_lr=0.25, layer_decay=0.5)).param_groups
    peaks = {id(p): (group["peak"], group["weight_decay"]) for group in made for p in group["params"]}
    assert peaks.keys() == {id(p) for group in plain for p in group["params"]}
    decays = {id(p): group["weight_decay"] for group in plain for p in group["params"]}
    assert {key: decay for key, (_, decay) in peaks.items()} == decays
    convolutions = [peaks[id(m.weight)][0] for m in net.backbone.modules() if isinstance(m, nn.Conv2d)]
    assert convolutions == [0.5**4, 0.5**3, 0.5**2, 0.5]
    assert made[0]["peak"] == peaks[id(net.head.weight)][0] == 1.0 and made[-1]["peak"] == 0.25


def test_without_a_step_there_may_be_nothing_to_train() -> None:
    net = network().requires_grad_(False)
    made = make_optimizer(net, build(resolve("triplet"), classes=5, dim=3), OptimizerSpec(), trains=False)
    assert [p.numel() for group in made.param_groups for p in group["params"]] == [0]
