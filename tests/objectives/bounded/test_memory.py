"""The memory that a step takes: every loss with every miner that goes with it, rehearsal included.

A few stand for all here; all of them, in about a quarter of an hour:
METRIC_LEARNING_SANDBOX_LONG=1 python -m pytest -n 0 tests/objectives/bounded/test_memory.py
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import product

import pytest
from pytorch_metric_learning import losses

from sandbox.objectives.catalog import catalog

from apart import answer, needs_fork
from peaks import MOST, grown_by

pytestmark = needs_fork

ALIASES = ("semihard", "easy", "all_hard", "batch_easy_hard(pos_strategy=all, neg_strategy=all)")
GIVEN = {
    "cross_batch_memory": "cross_batch_memory(contrastive)",
    "manifold": "manifold(K=50)",
    "matryoshka": "matryoshka(contrastive, dims=[32, 128])",
}
long = pytest.mark.skipif(not os.environ.get("METRIC_LEARNING_SANDBOX_LONG"), reason="asked for by ..._LONG=1")


def takes(loss: str, miner: str, classes: int, samples: int, *, steps: int = 1) -> int:
    """Bytes by which a process grows at most that takes such steps."""
    code, grown = answer(grown_by, loss, miner, classes, samples, steps)
    assert code == 0, f"ended with {code}"
    return int(grown)


@pytest.mark.parametrize(
    ("loss", "miner"),
    [
        pytest.param("nt_xent", "easy", marks=pytest.mark.thorough),
        pytest.param("lifted_structure", "angular", marks=pytest.mark.thorough),
        ("pnp", "none"),
        ("histogram", "easy"),
    ],
)
def test_a_usual_batch_takes_no_more_than_two_gigabytes(loss: str, miner: str) -> None:
    assert takes(loss, miner, 32, 4) < MOST


def test_a_batch_of_512_images_works_or_is_refused_in_a_sentence() -> None:
    assert takes("nt_xent", "easy", 64, 8) < MOST


def combinations() -> Iterator[tuple[str, str]]:
    """Every loss of the catalogue alone, and with every miner where it takes one."""
    usable = {slot: [e for e in catalog(slot).values() if not e.note.refused] for slot in ("loss", "miner")}  # type: ignore[arg-type]
    for entry in usable["loss"]:
        text = GIVEN.get(entry.name, entry.name)
        yield text, "none"
        if entry.tuples == "mined":
            yield from ((text, miner) for miner in (*(other.name for other in usable["miner"]), *ALIASES))


def over(
    asked: Iterable[tuple[str, str]], classes: int, samples: int, *, most: int = MOST, steps: int = 1
) -> dict[str, object]:
    """Which of the combinations take more, or fail."""
    found: dict[str, object] = {}
    for loss, miner in asked:
        try:
            if (bytes_taken := takes(loss, miner, classes, samples, steps=steps)) >= most:
                found[f"{loss} {miner}"] = bytes_taken
        except AssertionError as error:
            found[f"{loss} {miner}"] = error
    return found


@long
@pytest.mark.parametrize(("classes", "samples"), [(32, 4), (5, 25)])
def test_no_combination_takes_more_than_two_gigabytes(classes: int, samples: int) -> None:
    assert not over(combinations(), classes, samples)


@long
def test_no_full_memory_takes_more_than_two_gigabytes() -> None:
    held = losses.CrossBatchMemory.supported_losses()
    inner = [f"xbm({entry.name})" for entry in catalog("loss").values() if entry.make.__name__ in held]
    assert not over(product(inner, ("none", "semihard", "easy", "angular", "pair_margin", "hard")), 32, 4, steps=9)


@long
@pytest.mark.parametrize("loss", ["recall_at_k", "sup_ap", "histogram", "potential_field"])
def test_losses_made_for_large_batches_take_four_thousand_images_in_two_gigabytes(loss: str) -> None:
    assert takes(loss, "none", 1000, 4) < MOST


@long
def test_every_combination_of_512_images_works_in_four_gigabytes() -> None:
    assert not over(combinations(), 64, 8, most=2 * MOST)
