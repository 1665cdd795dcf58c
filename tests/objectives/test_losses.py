"""Every loss of our own against a naive loop and against finite differences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from sandbox.objectives.losses.a_softmax import ASoftmaxLoss
from sandbox.objectives.losses.center import CenterLoss
from sandbox.objectives.losses.cross_entropy import CrossEntropyLoss
from sandbox.objectives.losses.hadsell import HadsellLoss
from sandbox.objectives.losses.siamese import SiameseLoss
from sandbox.objectives.losses.smooth_ap import SmoothAPLoss
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve

CLASSES, DIM = 4, 5
MAKE: dict[str, Callable[[], nn.Module]] = {
    "cross_entropy": lambda: CrossEntropyLoss(CLASSES, DIM, label_smoothing=0.1),
    "center": lambda: CenterLoss(CLASSES, DIM),
    "hadsell": lambda: HadsellLoss(margin=2.0),
    "siamese": lambda: SiameseLoss(DIM),
    "smooth_ap": lambda: SmoothAPLoss(temperature=0.3),
    **{f"a_softmax, m={m}": lambda m=m: ASoftmaxLoss(CLASSES, DIM, margin=m) for m in (1, 2, 3, 4)},
}


def batch(seed: int = 0, n: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    y = torch.tensor([0, 0, 0, 1, 1, 2, 2, 3, 3])[:n]
    return torch.randn(n, DIM, generator=draw, dtype=torch.float64), y[torch.randperm(n, generator=draw)]


@pytest.mark.parametrize("name", MAKE)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    torch.manual_seed(1)
    loss = MAKE[name]().double().eval()  # eval: the state that moves each step stands still
    x, y = batch()
    names = [key for key, _ in loss.named_parameters()]
    weights = [value.detach().requires_grad_() for value in loss.parameters()]

    def value(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        return functional_call(loss, dict(zip(names, weights, strict=True)), (x, y))

    assert torch.autograd.gradcheck(value, (x.requires_grad_(), *weights))


def test_cross_entropy_is_the_negative_log_of_the_softmax() -> None:
    loss = CrossEntropyLoss(CLASSES, DIM).double()
    x, y = batch()
    w, b = loss.classifier.weight.detach(), loss.classifier.bias.detach()
    expected = 0.0
    for i in range(len(x)):
        scores = [float(w[c] @ x[i] + b[c]) for c in range(CLASSES)]
        expected -= scores[y[i]] - math.log(sum(map(math.exp, scores)))
    assert loss(x, y).item() == pytest.approx(expected / len(x))
    assert torch.allclose(loss.get_logits(x), x @ w.T + b)


def test_label_smoothing_mixes_in_the_mean_over_classes() -> None:
    loss = CrossEntropyLoss(CLASSES, DIM, label_smoothing=0.2, bias=False).double()
    x, y = batch()
    log = loss.get_logits(x).log_softmax(1)
    expected = -(0.8 * log[range(len(x)), y] + 0.2 * log.mean(1)).mean()
    assert loss(x, y).item() == pytest.approx(expected.item())


def test_center_is_half_the_mean_squared_distance_and_moves_centres_by_equation_4() -> None:
    loss = CenterLoss(CLASSES, DIM, alpha=0.3).double()
    before, (x, y) = loss.centers.clone(), batch(n=7)
    expected = sum(0.5 * float((x[i] - before[y[i]]) @ (x[i] - before[y[i]])) for i in range(len(x))) / len(x)
    assert loss(x, y).item() == pytest.approx(expected)
    for j in range(CLASSES):
        pull, count = torch.zeros(DIM, dtype=torch.float64), 0
        for i in range(len(x)):
            if y[i] == j:
                pull, count = pull + before[j] - x[i], count + 1
        assert torch.allclose(loss.centers[j], before[j] - 0.3 * pull / (1 + count))


def test_centres_stand_still_in_eval_and_belong_to_the_state() -> None:
    loss = CenterLoss(CLASSES, DIM).double().eval()
    before = loss.centers.clone()
    loss(*batch())
    assert torch.equal(loss.centers, before)
    assert not list(loss.parameters())
    assert "centers" in loss.state_dict()


def test_hadsell_is_equation_4_over_all_pairs() -> None:
    loss = HadsellLoss(margin=3.0).double()
    x, y = batch()
    parts = []
    for i, j in itertools.combinations(range(len(x)), 2):
        d = math.dist(x[i], x[j])
        parts.append(0.5 * d**2 if y[i] == y[j] else 0.5 * max(0.0, 3.0 - d) ** 2)
    assert any(part == 0 for part in parts)
    assert loss(x, y).item() == pytest.approx(sum(parts) / len(parts))


def test_hadsell_takes_the_pairs_of_a_miner() -> None:
    x, y = batch()
    same = [(i, j) for i, j in itertools.permutations(range(len(x)), 2) if y[i] == y[j]][:1]
    apart = [(i, j) for i, j in itertools.permutations(range(len(x)), 2) if y[i] != y[j]][:2]
    mined = tuple(torch.tensor(column) for pairs in (same, apart) for column in zip(*pairs, strict=True))
    parts = [0.5 * math.dist(x[i], x[j]) ** 2 for i, j in same]
    parts += [0.5 * max(0.0, 5.0 - math.dist(x[i], x[j])) ** 2 for i, j in apart]
    assert float(HadsellLoss(margin=5.0)(x, y, mined)) == pytest.approx(sum(parts) / 3)


def test_hadsell_refuses_similarities() -> None:
    from pytorch_metric_learning.distances import CosineSimilarity

    with pytest.raises(ValueError, match="not a similarity"):
        HadsellLoss(distance=CosineSimilarity())


def test_siamese_is_the_cross_entropy_of_the_learned_similarity_with_both_kinds_of_pair_weighed_alike() -> None:
    loss = SiameseLoss(DIM).double()
    x, y = batch()
    h, a, b = x.sigmoid(), loss.similarity_layer.weight.detach()[0], loss.similarity_layer.bias.item()
    parts: dict[bool, list[float]] = {True: [], False: []}
    for i, j in itertools.combinations(range(len(x)), 2):
        p = 1 / (1 + math.exp(-float(a @ (h[i] - h[j]).abs()) - b))
        same = bool(y[i] == y[j])
        parts[same].append(-math.log(p if same else 1 - p))
    expected = sum(sum(part) / len(part) for part in parts.values()) / 2
    assert loss(x, y).item() == pytest.approx(expected)


def test_siamese_finds_equal_rows_more_alike_than_others_from_the_start() -> None:
    left, right = batch(1)[0].float(), batch(2)[0].float()
    loss = SiameseLoss(DIM)
    assert (loss.similarity(left, left) > loss.similarity(left, right)).all()


@pytest.mark.parametrize("margin", [1, 2, 3, 4])
def test_psi_follows_its_definition_falls_and_has_no_jumps(margin: int) -> None:
    loss = ASoftmaxLoss(CLASSES, DIM, margin=margin)
    angles = torch.linspace(0.001, math.pi - 0.001, 997, dtype=torch.float64)
    psi = loss.psi(angles.cos())
    for angle, value in zip(angles.tolist(), psi.tolist(), strict=True):
        k = max(k for k in range(margin) if angle >= k * math.pi / margin)
        assert value == pytest.approx((-1) ** k * math.cos(margin * angle) - 2 * k, abs=1e-6)
    steps = psi.diff()
    assert (steps < 0).all()
    assert steps.abs().max() < 0.02
    assert psi[0] == pytest.approx(1, abs=1e-3)
    assert psi[-1] == pytest.approx(-1 - 2 * (margin - 1), abs=1e-3)


def test_psi_of_margin_one_is_the_cosine() -> None:
    cosine = torch.linspace(-0.999, 0.999, 101, dtype=torch.float64)
    assert torch.allclose(ASoftmaxLoss(CLASSES, DIM, margin=1).psi(cosine), cosine)


def test_psi_is_finite_with_finite_gradient_at_both_ends() -> None:
    cosine = torch.tensor([-1.0, 1.0, -1 - 1e-6, 1 + 1e-6], requires_grad=True)
    psi = ASoftmaxLoss(CLASSES, DIM).psi(cosine)
    psi.sum().backward()
    assert psi.isfinite().all()
    assert cosine.grad is not None
    assert cosine.grad.isfinite().all()


def test_a_softmax_puts_the_annealed_margin_on_the_target_alone() -> None:
    loss = ASoftmaxLoss(CLASSES, DIM, margin=3).double()
    x, y = batch()
    expected = 0.0
    for i in range(len(x)):
        norm = float(x[i].norm())
        cosines = [float(x[i] @ w / (x[i].norm() * w.norm())) for w in loss.weight.detach()]
        angle = math.acos(cosines[y[i]])
        k = math.floor(3 * angle / math.pi)
        psi = (-1) ** k * math.cos(3 * angle) - 2 * k
        scores = [norm * cosine for cosine in cosines]
        scores[y[i]] = norm * (1500 * cosines[y[i]] + psi) / 1501
        expected -= scores[y[i]] - math.log(sum(map(math.exp, scores)))
    assert loss(x, y).item() == pytest.approx(expected / len(x))


def test_annealing_falls_to_its_floor_with_training_steps_only() -> None:
    loss = ASoftmaxLoss(CLASSES, DIM, lambda_max=100.0, lambda_min=20.0)
    x, y = batch()
    seen = []
    for _ in range(60):
        seen.append(loss.annealing)
        loss(x.float(), y)
    assert seen == pytest.approx([max(20.0, 100.0 / (1 + 0.1 * t)) for t in range(60)])
    loss.eval()
    loss(x.float(), y)
    assert int(loss.step) == 60


def test_the_authors_annealing_falls_from_1000_at_step_1_to_5_and_is_a_spelling_of_its_own() -> None:
    objective = build(resolve("angular_softmax"), classes=CLASSES, dim=DIM)
    assert str(resolve("angular_softmax")) == "a_softmax(first_step=1, gamma=0.12, lambda_max=1000)"
    assert str(resolve("a_softmax")) == "a_softmax"  # what earlier runs were recorded with
    loss, seen = next(m for m in objective.modules() if isinstance(m, ASoftmaxLoss)), []
    for _ in range(40):
        seen.append(loss.annealing)
        loss.step = loss.step + 50
    assert seen == pytest.approx([max(5.0, 1000 / (1 + 0.12 * t)) for t in range(1, 2001, 50)])
    assert seen[-1] == 5 < seen[-9]


def test_smooth_ap_is_equation_7() -> None:
    x, y = batch()
    y[y == 3] = torch.tensor([3, 9])  # two classes with a single image: no query of theirs counts
    u = F.normalize(x).tolist()
    sim = [[sum(a * b for a, b in zip(p, q, strict=True)) for q in u] for p in u]

    def ahead(q: int, i: int, j: int) -> float:
        return 1 / (1 + math.exp(-(sim[q][j] - sim[q][i]) / 0.3))

    losses = []
    for q in range(len(x)):
        positives = [i for i in range(len(x)) if i != q and y[i] == y[q]]
        others = [i for i in range(len(x)) if i != q]
        terms = [
            (1 + sum(ahead(q, i, j) for j in positives if j != i)) / (1 + sum(ahead(q, i, j) for j in others if j != i))
            for i in positives
        ]
        if terms:
            losses.append(1 - sum(terms) / len(terms))
    assert len(losses) == 7
    assert float(SmoothAPLoss(temperature=0.3)(x, y)) == pytest.approx(sum(losses) / len(losses))


@pytest.mark.parametrize("sizes", [(2, 2), (4, 4, 4), (2, 2, 2, 2, 2), (6, 6), (2, 7, 3), (1, 5, 2)], ids=str)
def test_smooth_ap_of_perfect_embeddings_is_zero(sizes: tuple[int, ...]) -> None:
    y = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    assert float(SmoothAPLoss()(torch.eye(len(sizes))[y], y)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "loss", [HadsellLoss(), SiameseLoss(DIM), SmoothAPLoss()], ids=lambda loss: type(loss).__name__
)
def test_a_batch_without_pairs_of_one_class_still_gives_a_number(loss: nn.Module) -> None:
    x = torch.randn(4, DIM, requires_grad=True)
    value = loss(x, torch.arange(4))
    value.backward()
    assert value.isfinite()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: CrossEntropyLoss(2, 2, label_smoothing=1.0), "label_smoothing is 1.0"),
        (lambda: CenterLoss(2, 2, alpha=0.0), "alpha is 0.0"),
        (lambda: HadsellLoss(margin=0.0), "margin is 0.0"),
        (lambda: ASoftmaxLoss(2, 2, margin=1.5), "margin is 1.5"),
        (lambda: ASoftmaxLoss(2, 2, gamma=-1.0), "gamma is -1.0"),
        (lambda: ASoftmaxLoss(2, 2, first_step=-1), "first_step is -1"),
        (lambda: SmoothAPLoss(temperature=0.0), "temperature is 0.0"),
    ],
)
def test_a_value_out_of_range_is_named(make: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_facenets_triplet_loss_is_triplet_on_squared_distances_with_the_mean() -> None:
    x, y = batch()
    objective = build(resolve("triplet(margin=0.2, distance=lp(power=2), reducer=mean)"), classes=CLASSES, dim=DIM)
    u = F.normalize(x)
    parts = [
        max(0.0, math.dist(u[a], u[p]) ** 2 - math.dist(u[a], u[n]) ** 2 + 0.2)
        for a, p, n in itertools.permutations(range(len(x)), 3)
        if y[a] == y[p] != y[n]
    ]
    assert float(objective(x, y).total) == pytest.approx(sum(parts) / len(parts), abs=1e-6)
