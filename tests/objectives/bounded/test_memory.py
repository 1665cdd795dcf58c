"""The memory that a step takes: every loss with every miner that goes with it, rehearsal included.

A few stand for all here; all of them, in about a quarter of an hour:
METRIC_LEARNING_SANDBOX_LONG=1 python -m pytest -n 0 tests/objectives/bounded/test_memory.py
"""

from __future__ import annotations

import os
import resource
import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import product

import pytest
import torch
from pytorch_metric_learning import losses

from sandbox.errors import SandboxError
from sandbox.objectives.bounded.demand import check_demand
from sandbox.objectives.catalog import catalog
from sandbox.objectives.objective import build, seed_draws
from sandbox.objectives.rehearsal import rehearse
from sandbox.objectives.resolve import resolve

MOST = 2_000_000_000
DIM = 128
ALIASES = ("semihard", "easy", "all_hard", "batch_easy_hard(pos_strategy=all, neg_strategy=all)")
GIVEN = {"cross_batch_memory": "cross_batch_memory(contrastive)", "manifold": "manifold(K=50)"}
long = pytest.mark.skipif(not os.environ.get("METRIC_LEARNING_SANDBOX_LONG"), reason="asked for by ..._LONG=1")


def peak(work: Callable[[], None]) -> int:
    """Bytes by which a process of its own grows at most while it works; ends with a failure what fails there."""
    page = os.sysconf("SC_PAGE_SIZE")
    with open("/proc/self/statm") as file:
        virtual, resident = (int(word) * page for word in file.read().split()[:2])
    child = os.fork()
    if not child:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_AS, (virtual + 2 * MOST, resource.getrlimit(resource.RLIMIT_AS)[1]))
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    assert status == 0, f"status {status}"
    return usage.ru_maxrss * 1024 - resident


def takes(loss: str, miner: str, classes: int, samples: int, *, steps: int = 1) -> int:
    """Peak of a recipe's objective over rows at random, in tight classes, and close together."""
    expression = resolve(loss, miner)
    y = torch.arange(classes).repeat_interleave(samples)

    def work() -> None:
        check_demand(expression, [samples] * classes)
        try:
            rehearse(expression, classes=classes, samples=samples)
        except SandboxError as error:
            assert "triplet_margin(miner=triplet_margin(type_of_triplets='easy')) cannot learn" in str(error)
        torch.manual_seed(0)
        seed_draws(0, 0)
        noise = torch.randn(len(y), DIM)
        for rows in (noise, torch.randn(classes, DIM)[y] + 0.05 * noise, torch.randn(1, DIM) + 0.2 * noise):
            objective = build(expression, classes=classes, dim=DIM)
            for _ in range(steps):
                x = rows.clone().requires_grad_()
                total = objective(x, y).total
                if total.requires_grad:
                    total.backward()

    return peak(work)


@pytest.mark.parametrize(
    ("loss", "miner"),
    [
        ("nt_xent", "easy"),
        ("lifted_structure", "angular"),
        ("tuplet_margin", "triplet_margin"),
        ("siamese", "all_hard"),
        ("pnp", "none"),
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
def test_every_combination_of_512_images_works_in_four_gigabytes() -> None:
    assert not over(combinations(), 64, 8, most=2 * MOST)
