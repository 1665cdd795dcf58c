"""The forms in bounded memory against the library's own, which they stand in for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pytorch_metric_learning import losses, miners
from torch.nn import functional as F

from sandbox.objectives.bounded import BOUNDED, limit
from sandbox.objectives.bounded.pairs import once
from sandbox.objectives.objective import build, seed_draws
from sandbox.objectives.resolve import resolve

LABELS = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 4])  # classes of many sizes, one of them a lone image


def rows(seed: int = 0) -> torch.Tensor:
    return torch.randn(len(LABELS), 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def of(loss: Any, x: torch.Tensor, *more: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """A loss and its gradient."""
    x = x.clone().requires_grad_()
    value = loss(x, LABELS, *more)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


def library(name: str, **values: Any) -> tuple[Any, Any]:
    """The library's loss and what stands in for it."""
    kind = getattr(losses, name)
    return kind(**values), BOUNDED[kind](**values)


LOSSES = [
    ("NTXentLoss", {"temperature": 0.2}),
    ("NTXentLoss", {"temperature": 0.2, "distance": losses.TripletMarginLoss().distance}),
    ("TupletMarginLoss", {}),
    ("LiftedStructureLoss", {}),
    ("LiftedStructureLoss", {"distance": losses.NTXentLoss().distance, "pos_margin": 1, "neg_margin": 0}),
    ("AngularLoss", {}),
    ("ThresholdConsistentMarginLoss", {}),
    *(("PNPLoss", {"variant": variant}) for variant in ("O", "Ds", "Dq", "Iu", "Ib")),
]


@pytest.mark.parametrize(("name", "values"), LOSSES)
def test_beyond_the_limit_the_numbers_are_the_librarys(
    name: str, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = library(name, **values)
    for seed in range(3):
        right, right_gradient = of(theirs, rows(seed))
        bits, bit_gradient = of(ours, rows(seed))
        assert torch.equal(bits, right) and torch.equal(bit_gradient, right_gradient)
        monkeypatch.setattr(limit, "MOST_ENTRIES", 20)
        value, gradient = of(ours, rows(seed))
        monkeypatch.undo()
        torch.testing.assert_close(value, right, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(gradient, right_gradient, rtol=1e-7, atol=1e-10)


def repeating() -> tuple[torch.Tensor, ...]:
    """All triplets, of which each pair repeats."""
    triplets = miners.TripletMarginMiner(margin=0.5)(rows(), LABELS)
    assert len(triplets[0]) > 100
    return triplets


@pytest.mark.parametrize("most", [limit.MOST_ENTRIES, 20])
@pytest.mark.parametrize("name", ["NTXentLoss", "TupletMarginLoss", "LiftedStructureLoss"])
def test_of_triplets_each_pair_counts_once_where_pairs_meet_pairs(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = library(name)
    anchor, positive, negative = repeating()
    matches = torch.tensor(sorted(set(zip(anchor.tolist(), positive.tolist(), strict=True)))).T
    others = torch.tensor(sorted(set(zip(anchor.tolist(), negative.tolist(), strict=True)))).T
    right, right_gradient = of(theirs, rows(), (*matches, *others))
    monkeypatch.setattr(limit, "MOST_ENTRIES", most)
    value, gradient = of(ours, rows(), (anchor, positive, negative))
    torch.testing.assert_close(value, right, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(gradient, right_gradient, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", ["AngularLoss", "ThresholdConsistentMarginLoss"])
def test_elsewhere_a_mined_pair_counts_as_often_as_it_is_mined(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = library(name)
    right, right_gradient = of(theirs, rows(), repeating())
    monkeypatch.setattr(limit, "MOST_ENTRIES", 20)
    value, gradient = of(ours, rows(), repeating())
    torch.testing.assert_close(value, right, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(gradient, right_gradient, rtol=1e-7, atol=1e-10)


def test_pairs_that_do_not_repeat_keep_their_order() -> None:
    pairs = tuple(torch.tensor(places) for places in ([3, 0, 1], [4, 2, 0], [2, 1], [9, 3]))
    assert all(torch.equal(a, b) for a, b in zip(once(pairs, 12), pairs, strict=True))  # type: ignore[arg-type]
    first, positive, second, negative = once((*pairs[:2], torch.tensor([2, 1, 2]), torch.tensor([9, 3, 9])), 12)
    assert torch.equal(first, pairs[0]) and torch.equal(positive, pairs[1])
    assert second.tolist() == [1, 2] and negative.tolist() == [3, 9]


@pytest.mark.parametrize("name", ["NTXentLoss", "TupletMarginLoss", "LiftedStructureLoss"])
def test_a_row_without_negatives_is_as_in_the_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = library(name)
    pairs = tuple(torch.tensor(places) for places in ([0, 3, 5], [1, 4, 6], [3, 3, 6], [0, 5, 1]))
    right, right_gradient = of(theirs, rows(), pairs)
    monkeypatch.setattr(limit, "MOST_ENTRIES", 1)
    value, gradient = of(ours, rows(), pairs)
    torch.testing.assert_close(value, right, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(gradient, right_gradient, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("inner", ["nt_xent", "tuplet_margin", "lifted_structure", "angular"])
def test_against_a_memory_the_numbers_are_those_of_small_memory(inner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    totals = []
    for most in (limit.MOST_ENTRIES, 20):
        monkeypatch.setattr(limit, "MOST_ENTRIES", most)
        objective = build(resolve(f"xbm({inner}, memory_size=30)"), classes=5, dim=8)
        totals.append(torch.stack([objective(rows(seed).float(), LABELS).total for seed in range(4)]))
    torch.testing.assert_close(totals[0], totals[1], rtol=1e-5, atol=1e-6)


def test_the_angular_miner_finds_the_same_triplets_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = miners.AngularMiner(angle=30)(rows(), LABELS)
    monkeypatch.setattr(limit, "MOST_ENTRIES", 8 * 4 * 7)
    parts = BOUNDED[miners.AngularMiner](angle=30)(rows(), LABELS)
    assert 0 < len(whole[0]) and all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))
    lone = BOUNDED[miners.AngularMiner]()(rows()[:1], LABELS[:1])
    assert all(len(places) == 0 for places in lone)


@pytest.mark.parametrize(("text", "miner"), [("smooth_ap(temperature=0.1)", "none"), ("siamese", "easy")])
def test_our_own_losses_give_the_same_beyond_the_limit(text: str, miner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for most in (limit.MOST_ENTRIES, 20):
        monkeypatch.setattr(limit, "MOST_ENTRIES", most)
        seed_draws(0, 0)
        torch.manual_seed(0)
        x = F.normalize(rows().float()).requires_grad_()
        total = build(resolve(text, miner), classes=5, dim=8)(x, LABELS).total
        total.backward()
        assert x.grad is not None and bool(x.grad.any())
        found.append((total.detach(), x.grad))
    torch.testing.assert_close(found[0], found[1])


ALL_PAIRS = (
    None,
    *(miners.PairMarginMiner(pos_margin=0.5, neg_margin=1.2), miners.BatchHardMiner(), miners.UniformHistogramMiner()),
)


@pytest.mark.parametrize("miner", ALL_PAIRS, ids=lambda miner: type(miner).__name__)
@pytest.mark.parametrize("values", [{}, {"n_bins": 20}, {"delta": 0.3}], ids=str)
def test_the_histogram_loss_is_the_librarys_to_the_bit_without_its_triplets(miner: Any, values: dict[str, Any]) -> None:
    theirs, ours = library("HistogramLoss", **values)
    for seed in range(2):
        mined = () if miner is None else (miner(rows(seed), LABELS),)
        (right, right_gradient), (value, gradient) = (of(loss, rows(seed), *mined) for loss in (theirs, ours))
        assert torch.equal(value, right) and torch.equal(gradient, right_gradient)
        assert miner is not None or bool(gradient.any())


def test_the_histogram_loss_is_a_sum_over_pairs_of_bins_and_goes_on_where_rows_coincide() -> None:
    theirs, ours = library("HistogramLoss", n_bins=8)
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    y = torch.tensor([0, 0, 1, 1])
    with pytest.raises(RuntimeError, match="out of bounds"):
        theirs(x, y)

    def share(values: list[float], edge: float) -> float:
        return sum(max(0.0, 1 - abs(value - edge) / 0.25) for value in values) / len(values)

    edges = [-1 + 0.25 * place for place in range(9)]
    positive, negative = [1.0, 0.8], [0.6, 0.6, 0.0, 0.0]
    below = [sum(share(positive, edge) for edge in edges[: place + 1]) for place in range(9)]
    expected = sum(share(negative, edge) * below[place] for place, edge in enumerate(edges))
    assert float(ours(x, y)) == pytest.approx(expected, abs=1e-6)


def test_the_histogram_loss_of_a_batch_without_both_kinds_of_pair_is_zero() -> None:
    loss = BOUNDED[losses.HistogramLoss]()
    for labels in ([0, 0, 0], [0, 1, 2]):
        assert float(loss(torch.eye(3, requires_grad=True), torch.tensor(labels))) == 0


def test_dynamic_soft_margin_is_the_librarys_to_the_bit_over_many_steps() -> None:
    theirs, ours = library("DynamicSoftMarginLoss")
    for seed in range(3):
        (right, right_gradient), (value, gradient) = (
            of(loss, torch.nn.functional.normalize(rows(seed)) * 0.1 + 1) for loss in (theirs, ours)
        )
        assert torch.equal(value, right) and torch.equal(gradient, right_gradient)
        theirs.hist_, ours.hist_ = theirs.hist_.detach(), ours.hist_.detach()


def test_dynamic_soft_margin_goes_on_where_positives_lie_opposite_and_the_library_does_not() -> None:
    theirs, ours = library("DynamicSoftMarginLoss")
    opposite = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]).requires_grad_()
    labels = torch.tensor([0, 0, 1, 1])  # a positive is at 2, a negative at 0
    with pytest.raises(RuntimeError, match="out of bounds"):
        theirs(opposite, labels)
    value = ours(opposite, labels)
    assert value.item() == pytest.approx(4 / 4)  # half of the triplets differ by 2, the others by 0
    assert ours.hist_.sum().item() == pytest.approx(1) and ours.hist_[-1].item() == pytest.approx(0.5)
