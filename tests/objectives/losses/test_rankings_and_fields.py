"""Losses of ranks, of distributions of similarities and of fields: against naive loops."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from sandbox.objectives.bounded import limit
from sandbox.objectives.losses.anti_collapse import AntiCollapseLoss
from sandbox.objectives.losses.d_prime import DPrimeLoss
from sandbox.objectives.losses.potential_field import PotentialFieldLoss
from sandbox.objectives.losses.recall_at_k import RecallAtKLoss
from sandbox.objectives.losses.sup_ap import SupAPLoss

DIM = 5
LABELS = torch.tensor([0, 2, 0, 1, 0, 1, 2, 0, 3])  # of class 3 a lone image
N = range(len(LABELS))
MAKE: dict[str, Callable[[], nn.Module]] = {
    "recall_at_k": lambda: RecallAtKLoss(k=(1, 2, 4), temperature=0.2),
    "recall_at_k, one temperature": lambda: RecallAtKLoss(k=(1, 2), temperature=0.2, k_temperature=1.0),
    "sup_ap": lambda: SupAPLoss(temperature=0.2, slope=3.0, delta=0.3),
    "potential_field": lambda: PotentialFieldLoss(4, DIM, alpha=2.0, delta=0.9),
    "d_prime": DPrimeLoss,
    "anti_collapse": AntiCollapseLoss,
}


def rows(seed: int = 0) -> torch.Tensor:
    return torch.randn(len(LABELS), DIM, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def similarities() -> list[list[float]]:
    unit = F.normalize(rows()).tolist()
    return [[sum(a * b for a, b in zip(p, q, strict=True)) for q in unit] for p in unit]


def matches(q: int) -> list[int]:
    return [i for i in N if i != q and LABELS[i] == LABELS[q]]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("name", MAKE)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    torch.manual_seed(1)
    loss = MAKE[name]().double()
    names = [key for key, _ in loss.named_parameters()]
    weights = [value.detach().requires_grad_() for value in loss.parameters()]

    def value(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        return functional_call(loss, dict(zip(names, weights, strict=True)), (x, LABELS))

    assert torch.autograd.gradcheck(value, (rows().requires_grad_(), *weights))


@pytest.mark.parametrize("k_temperature", [None, 1.5])
def test_recall_at_k_counts_smooth_ranks_below_k(k_temperature: float | None) -> None:
    sim, recalls = similarities(), []
    for q in N:
        found = matches(q)
        rank = {i: 1 + sum(sigmoid((sim[q][j] - sim[q][i]) / 0.2) for j in N if j not in (q, i)) for i in found}
        for k in (1, 2, 4):
            hits = sum(sigmoid((k - rank[i]) / (k_temperature or k)) for i in found)
            recalls += [min(hits, k) / min(k, len(found))] if found else []
    loss = RecallAtKLoss(k=(1, 2, 4), temperature=0.2, k_temperature=k_temperature)
    assert len(recalls) == 8 * 3
    assert float(loss(rows(), LABELS)) == pytest.approx(1 - sum(recalls) / len(recalls))


def test_recall_at_k_of_steep_sigmoids_is_the_share_of_matches_that_are_found() -> None:
    sim, recalls = similarities(), []
    for q in N:
        order = sorted((j for j in N if j != q), key=lambda j: -sim[q][j])
        recalls += [sum(i in order[:2] for i in matches(q)) / min(2, len(matches(q)))] if matches(q) else []
    loss = RecallAtKLoss(k=(2,), temperature=1e-5, k_temperature=1e-5)
    close = float(loss(rows(), LABELS))
    at_k = sum(sorted((j for j in N if j != q), key=lambda j: -sim[q][j]).index(i) == 1 for q in N for i in matches(q))
    assert at_k > 0  # a match at rank k counts a half
    assert 1 - sum(recalls) / len(recalls) < close < 1 - sum(recalls) / len(recalls) / 2


def test_sup_ap_has_exact_ranks_among_matches_bounds_among_negatives_and_a_calibration() -> None:
    sim, precisions = similarities(), []

    def step(x: float) -> float:
        if x <= 0:
            return sigmoid(x / 0.2)
        return sigmoid(x / 0.2) + 0.5 if x <= 0.3 else 3 * (x - 0.3) + sigmoid(0.3 / 0.2) + 0.5

    reached = [0, 0]
    for q in N:
        found, apart = matches(q), [j for j in N if LABELS[j] != LABELS[q]]
        parts = []
        for i in found:
            above = 1 + sum(sim[q][j] >= sim[q][i] for j in found if j != i)
            parts.append(above / (above + sum(step(sim[q][j] - sim[q][i]) for j in apart)))
            reached[0] += sum(0 < sim[q][j] - sim[q][i] <= 0.3 for j in apart)
            reached[1] += sum(sim[q][j] - sim[q][i] > 0.3 for j in apart)
        precisions += [sum(parts) / len(parts)] if parts else []
    lack = [max(0.0, 0.8 - sim[q][i]) for q in N for i in matches(q)]
    excess = [max(0.0, sim[q][j] - 0.1) for q in N for j in N if LABELS[j] != LABELS[q]]
    calibration = sum(sum(part) / sum(v > 0 for v in part) for part in (lack, excess))
    expected = 0.7 * (1 - sum(precisions) / len(precisions)) + 0.3 * calibration
    loss = SupAPLoss(temperature=0.2, slope=3.0, delta=0.3, calibration=0.3, alpha=0.8, beta=0.1)
    assert min(reached) > 0 and 0 in excess
    assert float(loss(rows(), LABELS)) == pytest.approx(expected)


def test_sup_ap_bounds_one_minus_average_precision_from_above() -> None:
    sim, precisions = similarities(), []
    for q in N:
        order = sorted((j for j in N if j != q), key=lambda j: -sim[q][j])
        places = [order.index(i) + 1 for i in matches(q)]
        precisions += [sum((k + 1) / place for k, place in enumerate(sorted(places))) / len(places)] if places else []
    for temperature in (0.3, 0.03, 0.001):
        bound = SupAPLoss(temperature=temperature, slope=1.0, delta=0.01, calibration=0.0)(rows(), LABELS)
        assert float(bound) > 1 - sum(precisions) / len(precisions)


def test_sup_ap_pulls_a_negative_far_ahead_where_smooth_ap_has_lost_its_gradient() -> None:
    from sandbox.objectives.losses.smooth_ap import SmoothAPLoss

    pulls = []
    for loss in (SupAPLoss(calibration=0.0), SmoothAPLoss()):
        x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.99, 0.14]]).requires_grad_()
        loss(x, torch.tensor([0, 0, 1])).backward()
        assert x.grad is not None
        pulls.append(float(x.grad.norm()))
    assert pulls[0] > 1e-3 > 1e-4 > pulls[1]


def test_potential_field_is_the_energy_of_all_ordered_pairs_of_images_and_proxies() -> None:
    torch.manual_seed(2)
    loss = PotentialFieldLoss(4, DIM, proxies_per_class=3, alpha=2.5, delta=0.9).double()
    points = F.normalize(torch.cat([rows(), loss.proxies.detach()])).tolist()
    classes = LABELS.tolist() + [label for label in range(4) for _ in range(3)]
    energy, inside = 0.0, 0
    for i, p in enumerate(points):
        for j, q in enumerate(points):
            if i != j:
                d = math.dist(p, q)
                inside += d < 0.9
                same = classes[i] == classes[j]
                energy += -1 / max(d, 0.9) ** 2.5 if same else 1 / min(d, 0.9) ** 2.5
    assert 0 < inside < len(points) * (len(points) - 1)
    assert loss(rows(), LABELS).item() == pytest.approx(0.9**2.5 * energy / len(points))


def test_in_a_potential_field_near_matches_are_left_alone_and_far_ones_pulled_less() -> None:
    forces = []
    for angle in (0.1, 0.5, 2.0):  # the first nearer than delta
        loss = PotentialFieldLoss(1, 2, proxies_per_class=1, alpha=4.0, delta=0.3).double()
        loss.proxies.data = torch.tensor([[math.cos(angle), math.sin(angle)]]).double()
        x = torch.tensor([[1.0, 0.0]]).double().requires_grad_()
        loss(x, torch.tensor([0])).backward()
        assert x.grad is not None
        forces.append(float(x.grad.norm()))
    assert forces[0] == 0 < forces[2] < forces[1]


def test_d_prime_is_minus_the_distance_of_the_means_in_deviations() -> None:
    sim = similarities()
    kinds: dict[bool, list[float]] = {True: [], False: []}
    for i in N:
        for j in N:
            if i != j:
                kinds[bool(LABELS[i] == LABELS[j])].append(sim[i][j])
    mean = {kind: sum(values) / len(values) for kind, values in kinds.items()}
    var = {kind: sum((v - mean[kind]) ** 2 for v in values) / len(values) for kind, values in kinds.items()}
    expected = -(mean[True] - mean[False]) / math.sqrt((var[True] + var[False]) / 2)
    assert float(DPrimeLoss()(rows(), LABELS)) == pytest.approx(expected)


@pytest.mark.parametrize("count", [3, 9])
def test_anti_collapse_is_minus_the_coding_rate_whichever_of_rows_and_numbers_are_fewer(count: int) -> None:
    z = F.normalize(rows()[:count]).T  # (d, n), as the papers write it
    rate = 0.5 * torch.logdet(torch.eye(DIM).double() + DIM / (count * 0.25) * z @ z.T)
    assert float(AntiCollapseLoss(eps=0.25)(rows()[:count], LABELS[:count])) == pytest.approx(-float(rate))


def test_anti_collapse_is_least_where_rows_fill_the_space_and_zero_rates_no_lower_than_one_line() -> None:
    loss, y = AntiCollapseLoss(), torch.zeros(DIM, dtype=torch.int64)
    spread, line = torch.eye(DIM).double(), torch.ones(DIM, DIM).double()
    assert float(loss(spread, y)) == pytest.approx(-0.5 * DIM * math.log(1 + 1 / 0.5))
    assert float(loss(line, y)) == pytest.approx(-0.5 * math.log(1 + DIM / 0.5))


@pytest.mark.parametrize("name", ["recall_at_k", "sup_ap", "potential_field"])
def test_beyond_the_limit_some_at_a_time_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for most in (limit.MOST_ENTRIES, 80):
        monkeypatch.setattr(limit, "MOST_ENTRIES", most)
        torch.manual_seed(0)
        loss, x = MAKE[name]().double(), rows().requires_grad_()
        value = loss(x, LABELS)
        value.backward()
        found.append((value.detach(), x.grad, *(p.grad for p in loss.parameters())))
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 0, 0], [2]], ids=["no matches", "one class", "one image"])
def test_a_batch_of_one_kind_of_pair_still_gives_a_number(name: str, labels: list[int]) -> None:
    x = torch.randn(len(labels), DIM, requires_grad=True)
    value = MAKE[name]()(x, torch.tensor(labels))
    value.backward()
    assert value.isfinite()
    assert x.grad is not None and x.grad.isfinite().all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RecallAtKLoss(k=(1, 1)), r"k is \[1, 1\]"),
        (lambda: RecallAtKLoss(temperature=0), "temperature is 0"),
        (lambda: RecallAtKLoss(k_temperature=-1.0), "k_temperature is -1.0"),
        (lambda: SupAPLoss(slope=0), "slope is 0, but is above 0"),
        (lambda: SupAPLoss(calibration=1.5), "calibration is 1.5"),
        (lambda: SupAPLoss(delta=-0.1), "delta is -0.1"),
        (lambda: PotentialFieldLoss(2, 2, alpha=0), "alpha is 0"),
        (lambda: PotentialFieldLoss(2, 2, delta=2.5), "delta is 2.5"),
        (lambda: PotentialFieldLoss(2, 2, proxies_per_class=0), "proxies_per_class is 0"),
        (lambda: AntiCollapseLoss(eps=0), "eps is 0"),
    ],
)
def test_a_value_out_of_range_is_named(make: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
