"""Losses whose margin follows norms, or training: against naive loops, with the state that they keep."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.func import functional_call

from sandbox.objectives.losses.adaface import AdaFaceLoss
from sandbox.objectives.losses.curricularface import CurricularFaceLoss
from sandbox.objectives.losses.magface import MagFaceLoss
from sandbox.objectives.losses.unitsface import UniTSFaceLoss

CLASSES, DIM = 4, 5
LABELS = torch.tensor([0, 2, 0, 1, 3, 1, 2, 3, 0])
MAKE: dict[str, Callable[[], nn.Module]] = {
    "adaface": lambda: AdaFaceLoss(CLASSES, DIM, scale=8.0),
    "magface": lambda: MagFaceLoss(CLASSES, DIM, scale=8.0, low_norm=1.0, high_norm=4.0),
    "curricularface": lambda: CurricularFaceLoss(CLASSES, DIM, scale=8.0),
    "unitsface": lambda: UniTSFaceLoss(CLASSES, DIM, scale=8.0),
    "unitsface, softmax": lambda: UniTSFaceLoss(CLASSES, DIM, scale=8.0, sample_to_class="softmax"),
}


def rows(seed: int = 0) -> torch.Tensor:
    """Embeddings of many lengths."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(len(LABELS), DIM, generator=draw, dtype=torch.float64)
    return x * torch.linspace(0.2, 3, len(LABELS), dtype=torch.float64)[:, None]


def made(name: str, steps: int = 2) -> nn.Module:
    """A loss after some steps, in eval, where its state stands still."""
    torch.manual_seed(1)
    loss = MAKE[name]().double().train()
    for seed in range(1, 1 + steps):
        loss(rows(seed), LABELS)
    return loss.eval()


def cosines(x: torch.Tensor, weights: torch.Tensor) -> list[list[float]]:
    return [[float(row @ w / (row.norm() * w.norm())) for w in weights.detach()] for row in x]


def cross_entropy(scores: list[list[float]]) -> float:
    parts = [math.log(sum(map(math.exp, row))) - row[label] for row, label in zip(scores, LABELS.tolist(), strict=True)]
    return sum(parts) / len(parts)


@pytest.mark.parametrize("name", MAKE)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    loss = made(name)
    names = [key for key, _ in loss.named_parameters()]
    weights = [value.detach().clone().requires_grad_() for value in loss.parameters()]

    def value(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        return functional_call(loss, dict(zip(names, weights, strict=True)), (x, LABELS))

    assert name == "adaface" or torch.autograd.gradcheck(value, (rows().requires_grad_(), *weights))
    # of AdaFace the margin has no gradient, so that only rows of fixed length can be compared
    assert torch.autograd.gradcheck(lambda *w: value(rows(), *w), tuple(weights))


def test_adaface_gives_the_norm_no_gradient() -> None:
    loss, x = made("adaface"), rows().requires_grad_()
    loss(x, LABELS).backward()
    assert x.grad is not None
    assert (x.grad * x).sum(1).abs().max() < 1e-9 < x.grad.norm(dim=1).min()


def test_adaface_subtracts_both_margins_by_how_large_the_norm_is() -> None:
    loss = AdaFaceLoss(CLASSES, DIM, margin=0.3, h=0.5, scale=6.0, momentum=0.2).double()
    x = rows()
    norms = [float(row.norm()) for row in x]
    mean = 0.8 * 20 + 0.2 * sum(norms) / len(norms)
    spread = math.sqrt(sum((n - sum(norms) / len(norms)) ** 2 for n in norms) / (len(norms) - 1))
    deviation = 0.8 * 100 + 0.2 * spread
    scores = []
    for row, norm, label in zip(cosines(x, loss.weight), norms, LABELS.tolist(), strict=True):
        row = [min(max(c, -0.999), 0.999) for c in row]
        q = min(max(0.5 * (norm - mean) / (deviation + 1e-3), -1), 1)
        angle = min(max(math.acos(row[label]) - 0.3 * q, 1e-3), math.pi - 1e-3)
        row[label] = math.cos(angle) - (0.3 + 0.3 * q)
        scores.append([6 * c for c in row])
    assert loss(x, LABELS).item() == pytest.approx(cross_entropy(scores))
    assert float(loss.mean) == pytest.approx(mean) and float(loss.deviation) == pytest.approx(deviation)


def test_adaface_clips_a_norm_far_from_the_mean_and_ignores_a_lone_image() -> None:
    loss = AdaFaceLoss(CLASSES, DIM).double()
    loss.mean, loss.deviation = torch.tensor(1.0).double(), torch.tensor(0.01).double()
    low, high = loss.eval()._quality(torch.tensor([0.1, 50.0]).double()).tolist()
    assert (low, high) == (-1, 1)
    before = loss.mean.clone()
    assert loss.train()(rows()[:1], LABELS[:1]).isfinite()
    assert torch.equal(loss.mean, before)


def test_magface_raises_the_margin_with_the_norm_and_pulls_norms_up() -> None:
    loss = MagFaceLoss(CLASSES, DIM, 0.2, 0.6, low_norm=1.0, high_norm=3.0, norm_weight=2.0, scale=6.0).double()
    x = rows()
    scores, pull, past = [], 0.0, 0
    for row, length, label in zip(cosines(x, loss.weight), x.norm(dim=1).tolist(), LABELS.tolist(), strict=True):
        a = min(max(length, 1.0), 3.0)
        pull += 2.0 * (a / 9 + 1 / a) / len(x)
        if row[label] > 0:
            row[label] = math.cos(math.acos(row[label]) + 0.2 + 0.2 * (a - 1))
        else:
            past += 1
        scores.append([6 * c for c in row])
    assert 0 < past < len(x)
    assert loss(x, LABELS).item() == pytest.approx(cross_entropy(scores) + pull)


def test_curricularface_weighs_hard_classes_by_the_running_cosine() -> None:
    loss = CurricularFaceLoss(CLASSES, DIM, margin=0.4, scale=6.0, momentum=0.3).double()
    loss.t = torch.tensor(0.5).double()
    x = rows()
    found = cosines(x, loss.weight)
    own = [row[label] for row, label in zip(found, LABELS.tolist(), strict=True)]
    t = 0.7 * 0.5 + 0.3 * sum(own) / len(own)
    hard, scores = 0, []
    for row, label in zip(found, LABELS.tolist(), strict=True):
        angle = math.acos(row[label])
        pushed = math.cos(angle + 0.4)
        hard += sum(c > pushed for place, c in enumerate(row) if place != label)
        row = [c * (t + c) if c > pushed else c for c in row]
        row[label] = pushed if angle + 0.4 < math.pi else math.cos(angle) - math.sin(0.4) * 0.4
        scores.append([6 * c for c in row])
    assert 0 < hard < len(x) * (CLASSES - 1)
    assert loss(x, LABELS).item() == pytest.approx(cross_entropy(scores))
    assert float(loss.t) == pytest.approx(t)


def test_curricularface_goes_on_falling_where_the_margin_passes_180_degrees() -> None:
    loss = CurricularFaceLoss(2, 3, margin=0.5, scale=1.0).eval().double()
    loss.weight.data = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).double()  # the other stays at 90 degrees
    angles = torch.linspace(2.0, 3.1, 40, dtype=torch.float64).tolist()
    values = [
        float(loss(torch.tensor([[math.cos(a), math.sin(a), 0.0]]).double(), torch.tensor([0])).detach())
        for a in angles
    ]
    assert all(later > earlier for earlier, later in itertools.pairwise(values))


def unified(cosine: list[list[float]], seen: list[bool], margin: float, threshold: float) -> float:
    total = 0.0
    for row, label in zip(cosine, LABELS.tolist(), strict=True):
        for place, c in enumerate(row):
            score = 6 * (c - margin * (place == label)) - threshold
            score = min(max(score, -6), 6)
            total += seen[place] * math.log(1 + math.exp(-score if place == label else score)) / len(cosine)
    return total


def test_unitsface_is_the_unified_loss_against_weights_and_against_the_last_image_of_each_class() -> None:
    loss = UniTSFaceLoss(CLASSES, DIM, margin=0.3, sample_margin=0.2, scale=6.0).double()
    every, threshold = [True] * CLASSES, math.log(10 * CLASSES)
    x, known = rows(), LABELS < 3
    plain = unified(cosines(x, loss.weight), every, 0.3, threshold)
    assert loss(x, LABELS).item() == pytest.approx(plain)  # nothing is remembered yet
    assert loss.seen.all() and float(loss.sample_threshold) == 0

    loss = UniTSFaceLoss(CLASSES, DIM, margin=0.3, sample_margin=0.2, scale=6.0).double()
    loss(rows(1)[known], LABELS[known])
    last = {label: row for row, label in zip(rows(1)[known], LABELS[known].tolist(), strict=True)}
    seen = [label in last for label in range(CLASSES)]
    assert seen == [True, True, True, False] and torch.equal(loss.seen, torch.tensor(seen))
    to_images = cosines(x, torch.stack([last.get(label, torch.ones(DIM).double()) for label in range(CLASSES)]))
    start = [
        math.log(sum(math.exp(6 * c) for place, c in enumerate(row) if seen[place] and place != label))
        for row, label in zip(to_images, LABELS.tolist(), strict=True)
    ]
    begun = sum(start) / len(start)
    expected = unified(cosines(x, loss.weight), every, 0.3, threshold) + unified(to_images, seen, 0.2, begun)
    assert loss(x, LABELS).item() == pytest.approx(expected)
    assert float(loss.sample_threshold.detach()) == pytest.approx(begun)
    with torch.no_grad():
        loss.sample_threshold.fill_(-1.0)
    loss(x, LABELS)
    assert float(loss.sample_threshold.detach()) == -1  # learnt from then on, wherever it goes


def test_unitsface_adds_a_softmax_with_a_margin_as_the_authors_script_does() -> None:
    loss = UniTSFaceLoss(CLASSES, DIM, margin=0.3, scale=6.0, sample_to_class="softmax").double()
    scores = [
        [6 * (c - 0.3 * (place == label)) for place, c in enumerate(row)]
        for row, label in zip(cosines(rows(), loss.weight), LABELS.tolist(), strict=True)
    ]
    assert loss(rows(), LABELS).item() == pytest.approx(cross_entropy(scores))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("adaface", {"mean", "deviation"}),
        ("curricularface", {"t"}),
        ("unitsface", {"memory", "seen", "started"}),
    ],
)
def test_what_a_loss_keeps_is_in_its_state_moves_in_training_and_stands_still_in_eval(
    name: str, kept: set[str]
) -> None:
    loss = made(name)
    before = {key: value.clone() for key, value in loss.state_dict().items()}
    assert kept < before.keys() and kept == {key for key, _ in loss.named_buffers()}
    loss(rows(), LABELS)
    assert all(torch.equal(before[key], value) for key, value in loss.state_dict().items())
    loss.train()(rows(), LABELS)
    assert any(not torch.equal(before[key], loss.state_dict()[key]) for key in kept)


@pytest.mark.parametrize("name", MAKE)
def test_class_scores_are_cosines_times_the_scale(name: str) -> None:
    loss = made(name)
    expected = 8 * torch.tensor(cosines(rows(), loss.weight), dtype=torch.float64)
    torch.testing.assert_close(loss.get_logits(rows()), expected)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: AdaFaceLoss(2, 2, momentum=0.0), "momentum is 0.0"),
        (lambda: CurricularFaceLoss(2, 2, momentum=1.5), "momentum is 1.5"),
        (lambda: MagFaceLoss(2, 2, low_norm=0.0), "low_norm is 0.0 and high_norm 110.0"),
        (lambda: MagFaceLoss(2, 2, low_norm=200.0), "low_norm is 200.0 and high_norm 110.0"),
        (lambda: MagFaceLoss(2, 2, low_margin=0.9), "low_margin is 0.9, but is at most high_margin, which is 0.8"),
    ],
)
def test_a_value_out_of_range_is_named(make: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
