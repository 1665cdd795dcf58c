"""What is said when all images come to have one embedding."""

from __future__ import annotations

import pytest

from sandbox.pipeline.watch import Watch
from sandbox.training.health import Health
from sandbox.training.loop import Step


def step(done: int, loss: float, *, active: float | None = 0.5, gradient: float = 0.3, cosine: float = 0.999) -> Step:
    return Step(done, loss, {}, 1e-3, Health(active, 1.5, cosine, gradient))


def said(steps: list[Step], total: int = 100) -> list[str]:
    watch = Watch("retrieval/map@r", 0)
    return [sentence for each in steps if (sentence := watch.collapse(each, total))]


@pytest.mark.parametrize(
    ("changes", "cause", "not_cause"),
    [
        ({"active": 0.0}, "no tuple has a loss above zero any more (loss 0): a larger margin or another miner", "lr"),
        ({"active": None, "gradient": 0.0}, "a larger margin or another miner is wanted", "--optimizer"),
    ],
)
def test_a_loss_of_nothing_is_a_matter_of_margin_or_miner(
    changes: dict[str, float | None], cause: str, not_cause: str
) -> None:
    (sentence,) = said([step(done, 0.0, **changes) for done in range(30, 90, 10)])  # type: ignore[arg-type]
    assert sentence.startswith("at step 50 all images have nearly one embedding (mean cosine 0.999); ")
    assert cause in sentence and not_cause not in sentence


def test_a_frozen_network_is_not_told_of_its_margin() -> None:
    (sentence,) = said([step(done, 3.72, active=1.0, gradient=0.0) for done in range(30, 90, 10)])
    assert "no gradient reaches the network: a frozen one stays so" in sentence


def test_a_loss_that_jumps_is_a_matter_of_the_learning_rate() -> None:
    (sentence,) = said([step(done, loss) for done, loss in ((10, 0.2), (30, 2.5), (40, 0.3), (50, 0.9), (60, 0.2))])
    assert "the loss jumps (0.2 to 2.5): a lower --optimizer.lr" in sentence


def test_a_loss_that_stands_at_its_margin_is_a_matter_of_hard_mining() -> None:
    (sentence,) = said([step(done, 0.05) for done in range(30, 90, 10)])
    assert "--miner semihard" in sentence and "lr" not in sentence


def test_nothing_is_said_early_on_nor_of_embeddings_that_differ() -> None:
    assert not said([step(done, 0.05) for done in range(5, 25, 5)])
    assert not said([step(done, 0.05, cosine=0.5) for done in range(30, 90, 10)])
