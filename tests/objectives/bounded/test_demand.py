from __future__ import annotations

import inspect

import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.objectives.bounded.demand import READ_TRIPLETS, check_demand, demand
from sandbox.objectives.catalog import catalog
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve


@pytest.mark.parametrize("sizes", [[4, 4, 4], [2, 5, 1, 3]])
def test_the_triplets_of_a_batch_are_counted(sizes: list[int]) -> None:
    y = [label for label, size in enumerate(sizes) for _ in range(size)]
    n = range(len(y))
    triplets = sum(a != p and y[a] == y[p] != y[m] for a in n for p in n for m in n)
    for loss, miner in (("triplet", "none"), ("contrastive", "semihard"), ("margin", "pair_margin")):
        (term,) = resolve(loss, miner).terms
        assert demand(term.loss, sizes).triplets == triplets


@pytest.mark.parametrize(
    "loss",
    [
        "histogram",
        "sup_ap",
        "recall_at_k",
        "contrastive",
        "nt_xent",
        "arcface",
        "triplet(miner=hard)",
        "triplet(triplets_per_anchor=5)",
        "xbm(nt_xent)",
    ],
)
def test_what_lists_no_triplets_takes_nothing(loss: str) -> None:
    (term,) = resolve(loss).terms
    assert demand(term.loss, [8] * 64).bytes == 0


def test_losses_that_read_triplets_are_those_whose_source_does() -> None:
    sources = {name: inspect.getsource(entry.make) for name, entry in catalog("loss").items() if not entry.note.refused}
    reading = {name for name, text in sources.items() if "convert_to_triplets" in text}
    reading -= {"cross_batch_memory", "histogram"}  # a memory turns pairs to triplets for its loss; ours needs none
    assert reading == set(READ_TRIPLETS)


@pytest.mark.parametrize("loss", ["triplet", "contrastive", "xbm(contrastive)"])
def test_the_usual_batches_are_let_through(loss: str) -> None:
    for miner in ("none", "easy", "angular", "pair_margin", "hard"):
        for sizes in ([4] * 32, [25] * 5, [8] * 64):
            check_demand(resolve(loss, miner), sizes)


@pytest.mark.parametrize(
    ("loss", "miner", "sizes", "said"),
    [
        ("triplet", "none", [512] * 4, "would list 1,607,467,008 triplets .* 4 classes x 512, .* about 169 GB"),
        ("nt_xent", "easy", [64] * 32, "255,983,616 triplets .*about 34 GB.*; 16 classes x 64 fit, or the miner hard"),
        (
            "xbm(triplet, memory_size=8192)",
            "none",
            [4] * 32,
            "260,046,848 triplets.*memory_size=2048, or the miner",
        ),
        ("xbm(nt_xent, memory_size=8192)", "semihard", [4] * 32, "260,046,848 triplets"),
    ],
)
def test_what_no_machine_holds_is_refused_with_its_number_and_what_fits(
    loss: str, miner: str, sizes: list[int], said: str
) -> None:
    with pytest.raises(SandboxError, match=said):
        check_demand(resolve(loss, miner), sizes)


def test_a_batch_that_no_recipe_foresaw_is_counted_before_its_step() -> None:
    objective = build(resolve("triplet"), classes=2, dim=2)
    with pytest.raises(SandboxError, match=r"triplets of a batch of 2 classes x 800"):
        objective(torch.zeros(1600, 2), torch.arange(2).repeat(800))
