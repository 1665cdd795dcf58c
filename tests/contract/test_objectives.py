"""What every name of the catalogue must do: train, or be refused in a sentence before any data is read."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from pytorch_metric_learning import distances, losses, miners, reducers, regularizers
from torch import nn

from sandbox.errors import SandboxError
from sandbox.objectives.catalog import Entry, Slot, catalog
from sandbox.objectives.objective import Objective, build
from sandbox.objectives.rehearsal import rehearse
from sandbox.objectives.resolve import resolve

CLASSES, P, K, DIM = 6, 4, 4, 64
SLOTS: tuple[Slot, ...] = ("loss", "miner", "distance", "reducer", "regularizer")
XBM = "xbm(contrastive, memory_size=32)"

ARGUMENTS = {
    "cross_batch_memory": "(contrastive, memory_size=32)",
    "manifold": "(K=8)",
    "matryoshka": "(contrastive, dims=[16, 64])",
    "class_weighted": "([1, 2, 3, 4, 5, 6])",
    "multiple": "({'loss': mean})",
    "threshold": "(low=0.01)",
}
# What exists but cannot work, and the words of the rule that says so.
REFUSED = {
    "contrastive(distance=cosine_similarity)": "meant for a distance.*neg_margin=0, pos_margin=1.* does learn",
    "contrastive(distance=dot_product_similarity)": "meant for a distance.*neg_margin=0, pos_margin=1.* does learn",
    "triplet(reducer=divisor)": "which the loss does not give",
    "contrastive(reducer=divisor)": "which the loss does not give",
    "arcface(reducer=divisor)": "which the loss does not give",
    "triplet(reducer=per_anchor)": "Triplet reduction not supported",
    "triplet(embedding_regularizer=sparse_centers)": "cannot train on a batch of 4 classes x 4",
    "arcface(embedding_regularizer=sparse_centers)": "cannot train on a batch of 4 classes x 4",
    "arcface(weight_regularizer=sparse_centers)": "cannot train on a batch of 4 classes x 4",
    "soft_triple(embedding_regularizer=sparse_centers)": "cannot train on a batch of 4 classes x 4",
}


def usable(slot: Slot) -> list[Entry]:
    return [entry for entry in catalog(slot).values() if not entry.note.refused]


def written(entry: Entry) -> str:
    return entry.name + ARGUMENTS.get(entry.name, "")


def inner_losses() -> list[str]:
    held = losses.CrossBatchMemory.supported_losses()
    return [entry.name for entry in usable("loss") if entry.make.__name__ in held]


def train_three_steps(text: str, dtype: torch.dtype = torch.float32) -> tuple[Objective, nn.Linear]:
    """Train a linear network; every number on the way must be finite, every gradient there."""
    torch.manual_seed(0)
    objective, network = build(resolve(text), classes=CLASSES, dim=DIM), nn.Linear(12, DIM)
    optimizer = torch.optim.SGD([*network.parameters(), *objective.parameters()], lr=0.01)
    for _ in range(3):
        labels = torch.randperm(CLASSES)[:P].repeat_interleave(K)
        embeddings = network(torch.randn(P * K, 12)).to(dtype)
        outcome = objective(embeddings, labels)
        assert outcome.total.dtype == torch.float32
        assert outcome.total.shape == ()
        assert outcome.total.isfinite()
        assert all(value.isfinite() and not value.requires_grad for value in outcome.terms.values())
        optimizer.zero_grad()
        outcome.total.backward()
        for name, parameter in [*network.named_parameters(), *objective.named_parameters()]:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
        optimizer.step()
    return objective, network


def contract(text: str) -> None:
    """Train, or be refused by the rule that stands in the table."""
    said = REFUSED.get(text)
    if said is None:
        rehearse(resolve(text), classes=P, samples=K)
        train_three_steps(text)
    else:
        with pytest.raises(SandboxError, match=said):
            rehearse(resolve(text), classes=P, samples=K)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("entry", usable("loss"), ids=lambda entry: entry.name)
def test_every_loss_trains_in_float32_whatever_the_network_ran_in(entry: Entry, dtype: torch.dtype) -> None:
    rehearse(resolve(written(entry)), classes=P, samples=K)
    objective, _ = train_three_steps(written(entry), dtype)
    if "num_classes" in entry.sizes and entry.name != "center":  # whose centres are moved, not trained
        gradients = [parameter.grad for parameter in objective.parameters()]
        assert any(gradient is not None and bool(gradient.any()) for gradient in gradients)


@pytest.mark.parametrize("base", ["triplet", "contrastive", "siamese", "hadsell", XBM])
@pytest.mark.parametrize("miner", [written(entry) for entry in usable("miner")])
def test_every_miner_feeds_a_pair_and_a_triplet_loss(base: str, miner: str) -> None:
    rehearse(resolve(base, miner), classes=P, samples=K)
    train_three_steps(str(resolve(base, miner)))


@pytest.mark.parametrize("base", ["triplet", "contrastive"])
@pytest.mark.parametrize("distance", [written(entry) for entry in usable("distance")])
def test_every_distance_works_in_a_loss_and_in_a_miner(base: str, distance: str) -> None:
    contract(f"{base}(distance={distance})")
    contract(f"{base}(miner=pair_margin(distance={distance}))")


@pytest.mark.parametrize("base", ["triplet", "contrastive", "arcface"])
@pytest.mark.parametrize("reducer", [written(entry) for entry in usable("reducer")])
def test_every_reducer_works_or_says_why_not(base: str, reducer: str) -> None:
    if base == "contrastive" and reducer.startswith("multiple"):
        reducer = "multiple({'pos_loss': mean, 'neg_loss': sum})"
    contract(f"{base}(reducer={reducer})")


@pytest.mark.parametrize("regularizer", [written(entry) for entry in usable("regularizer")])
@pytest.mark.parametrize(
    "place",
    [
        "triplet(embedding_regularizer=",
        "arcface(embedding_regularizer=",
        "arcface(weight_regularizer=",
        "soft_triple(embedding_regularizer=",
        "soft_triple(weight_regularizer=",
    ],
)
def test_every_regularizer_works_or_says_why_not(place: str, regularizer: str) -> None:
    contract(f"{place}{regularizer})")


@pytest.mark.parametrize("inner", inner_losses())
def test_a_memory_holds_every_loss_that_takes_a_reference(inner: str) -> None:
    contract(f"xbm({inner}, memory_size=32)")


@pytest.mark.parametrize("slot", SLOTS)
def test_every_refused_name_says_why(slot: Slot) -> None:
    wrap = {
        "loss": "{}",
        "miner": "triplet(miner={})",
        "distance": "triplet(distance={})",
        "reducer": "triplet(reducer={})",
        "regularizer": "triplet(embedding_regularizer={})",
    }[slot]
    for entry in catalog(slot).values():
        if entry.note.refused:
            with pytest.raises(SandboxError, match=r"is refused: .{20,}"):
                resolve(wrap.format(entry.name))


@pytest.mark.parametrize("slot", SLOTS)
def test_every_name_has_one_line_and_tunes_only_what_it_takes(slot: Slot) -> None:
    for entry in catalog(slot).values():
        assert entry.note.line, entry.name
        assert "\n" not in entry.note.line
        assert len(entry.note.line) < 140
        assert entry.note.tune.keys() <= entry.parameters.keys(), entry.name


TUNED = [
    (slot, entry.name, key)
    for slot in SLOTS
    for entry in usable(slot)
    for key, parameter in entry.parameters.items()
    if parameter.tune
]


@pytest.mark.parametrize(("slot", "name", "key"), TUNED)
def test_both_ends_of_every_range_train(slot: Slot, name: str, key: str) -> None:
    tune: Any = catalog(slot)[name].parameters[key].tune
    for end in (tune.low, tune.high):
        head = {"cross_batch_memory": "loss=contrastive, ", "manifold": "K=8, "}.get(name, "")
        text = f"{name}({head}{key}={end})"
        train_three_steps(text if slot == "loss" else f"triplet({slot}={text})")


@pytest.mark.parametrize(
    ("module", "ending", "slot"),
    [
        (losses, "Loss", "loss"),
        (miners, "Miner", "miner"),
        (distances, "Distance", "distance"),
        (reducers, "Reducer", "reducer"),
        (regularizers, "Regularizer", "regularizer"),
    ],
)
def test_every_class_that_the_library_exports_is_reachable(module: Any, ending: str, slot: Slot) -> None:
    exported = {
        kind
        for name, kind in vars(module).items()
        if inspect.isclass(kind) and not name.startswith("Base") and not name.endswith("Mixin")
    }
    assert any(kind.__name__.endswith(ending) for kind in exported)
    reached = {entry.make for entry in catalog(slot).values()}
    replaced_by_ours = {losses.SmoothAPLoss} if slot == "loss" else set()
    assert exported - reached == replaced_by_ours


@pytest.mark.parametrize("size", [8, 15])
def test_a_memory_smaller_than_the_batch_is_refused(size: int) -> None:
    with pytest.raises(SandboxError, match=f"memory_size={size}.*smaller than the batch of 16"):
        rehearse(resolve(f"xbm(contrastive, memory_size={size})"), classes=P, samples=K)


def test_class_weights_that_are_too_few_are_refused() -> None:
    with pytest.raises(SandboxError, match="3 weights for 6 classes"):
        build(resolve("triplet(reducer=class_weighted([1, 2, 3]))"), classes=CLASSES, dim=DIM)


def test_a_mark_cannot_be_built() -> None:
    with pytest.raises(SandboxError, match=r"tune searches \(triplet_margin.margin\)"):
        build(resolve("triplet(margin=tune())"), classes=CLASSES, dim=DIM)
    with pytest.raises(SandboxError, match=r"center.weight"):
        build(resolve("tune()*center"), classes=CLASSES, dim=DIM)


def test_a_value_that_the_loss_refuses_is_named() -> None:
    with pytest.raises(SandboxError, match=r"hadsell\(margin=-1\) is refused: margin is -1"):
        build(resolve("hadsell(margin=-1)"), classes=CLASSES, dim=DIM)


def test_a_rehearsal_leaves_the_random_state_alone() -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    rehearse(resolve("arcface + triplet"), classes=P, samples=K)
    assert torch.equal(torch.get_rng_state(), state)
