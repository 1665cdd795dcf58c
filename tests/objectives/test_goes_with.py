"""What goes with a loss, held against building each pair by hand."""

from __future__ import annotations

import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.objectives.catalog import Entry, catalog
from sandbox.objectives.free_rows import CLASSES, DIM, apart, exchanged, labels, scattered
from sandbox.objectives.goes_with import (
    distances_of,
    fault_of,
    having,
    mark,
    shapes_of,
    takes_miner,
    usable,
    written,
)
from sandbox.objectives.objective import build, seed_draws
from sandbox.objectives.resolve import resolve

MINERS = [entry.name for entry in usable("miner")]
LOSSES = [entry for entry in usable("loss") if written(entry)]


def pull(text: str, rows: torch.Tensor) -> torch.Tensor:
    """The gradient of an objective at some rows, by hand."""
    torch.manual_seed(0)
    seed_draws(0, 0)
    objective = build(resolve(text), classes=CLASSES, dim=DIM)
    x = rows.clone().requires_grad_()
    for _ in range(2):
        x.grad = None
        total = objective(x, labels()).total
        if total.requires_grad:
            total.backward()
    return torch.zeros_like(x) if x.grad is None else x.grad


@pytest.mark.parametrize("loss", ["triplet_margin", "contrastive", "cross_batch_memory"])
def test_marks_are_those_of_pairs_that_are_built(loss: str) -> None:
    text = written(catalog("loss")[loss])
    for miner in MINERS:
        found, mined = mark(text, miner), having(text, "miner", miner)
        if found == "refused":
            assert fault_of(mined)
            continue
        assert any(bool(pull(mined, rows).any()) for rows in (scattered(), exchanged())), miner
        same = all(
            torch.allclose(pull(mined, rows), pull(text, rows), rtol=1e-4, atol=1e-6) for rows in (scattered(), apart())
        )
        assert same or found != "nothing", miner


def test_a_mark_of_each_kind() -> None:
    assert mark("triplet", "batch_hard") == "trains"
    # All that violate 0.2 hold all that violate 0.05, and only those count.
    assert mark("triplet", "triplet_margin") == "nothing"
    assert mark("contrastive", "angular") == "dear"
    assert mark("arcface", "batch_hard") == "refused"
    assert "has nothing to do" in fault_of("arcface", "batch_hard")


@pytest.mark.parametrize("entry", LOSSES, ids=lambda entry: entry.name)
def test_whether_a_loss_takes_a_miner_is_what_resolve_says(entry: Entry) -> None:
    able = True
    try:
        resolve(written(entry), "hard")
    except SandboxError:
        able = False
    assert takes_miner(entry) == able == (entry.tuples == "mined")


def test_a_distance_that_turns_margins_round_is_refused_with_its_reason() -> None:
    found = distances_of(catalog("loss")["contrastive"])
    assert found.keys() == {entry.name for entry in usable("distance")}
    assert found["lp"] == "" and "meant for a distance" in found["cosine_similarity"]
    assert not distances_of(catalog("loss")["cross_entropy"])


def test_batches_of_lone_images_are_for_losses_that_compare_none() -> None:
    assert [(p, k) for p, k, _ in shapes_of("triplet")] == [(64, 2), (32, 4), (16, 8), (8, 16), (4, 32)]
    assert next(iter(shapes_of("arcface"))) == (128, 1, True)
    assert all(able for loss in ("triplet", "arcface") for _, _, able in shapes_of(loss))
    assert [able for _, _, able in shapes_of("manifold(K=200)")][:1] == [False]


def test_a_loss_that_needs_a_loss_is_written_with_one_and_others_are_left_out() -> None:
    assert written(catalog("loss")["cross_batch_memory"]) == "cross_batch_memory(loss=contrastive)"
    assert written(catalog("loss")["triplet_margin"]) == "triplet_margin"
    assert having("xbm(loss=contrastive)", "miner", "hard") == "xbm(loss=contrastive, miner=hard)"
    assert all(entry.name in written(entry) for entry in LOSSES)
