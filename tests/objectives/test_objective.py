from __future__ import annotations

import pytest
import torch

from sandbox.objectives.objective import build, class_mates
from sandbox.objectives.resolve import resolve


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(12, 8, generator=draw), torch.arange(4).repeat_interleave(3)


def test_the_total_is_the_weighed_sum_of_its_terms() -> None:
    x, y = batch()
    whole = build(resolve("2*triplet(margin=0.2) + 0.5*contrastive + hadsell"), classes=4, dim=8)(x, y)
    alone = {
        name: build(resolve(name), classes=4, dim=8)(x, y).total
        for name in ("triplet(margin=0.2)", "contrastive", "hadsell")
    }
    assert list(whole.terms) == ["triplet_margin", "hadsell", "contrastive"]
    assert float(whole.terms["contrastive"]) == pytest.approx(0.5 * float(alone["contrastive"]))
    assert float(whole.total) == pytest.approx(
        2 * float(alone["triplet(margin=0.2)"]) + 0.5 * float(alone["contrastive"]) + float(alone["hadsell"])
    )


def test_a_loss_that_stands_twice_is_numbered() -> None:
    outcome = build(resolve("triplet(margin=0.1) + triplet(margin=0.2)"), classes=4, dim=8)(*batch())
    assert list(outcome.terms) == ["triplet_margin", "triplet_margin#2"]


def test_a_term_uses_its_own_miner_alone() -> None:
    x, y = batch()
    mined = build(resolve("triplet(miner=hard)"), classes=4, dim=8)(x, y).total
    plain = build(resolve("triplet"), classes=4, dim=8)(x, y).total
    both = build(resolve("triplet(miner=hard) + triplet(miner=none)"), classes=4, dim=8)(x, y)
    assert not torch.isclose(mined, plain)
    assert float(both.total) == pytest.approx(float(mined + plain))


def test_active_is_the_share_of_tuples_above_zero() -> None:
    x, y = batch()
    objective = build(resolve("triplet(margin=0.0001, reducer=mean)"), classes=4, dim=8)
    assert objective.active() is None
    objective(x, y)
    u = torch.nn.functional.normalize(x)
    d = torch.cdist(u, u)
    flags = [
        bool(d[a, p] - d[a, n] + 0.0001 > 0)
        for a in range(12)
        for p in range(12)
        for n in range(12)
        if a != p and y[a] == y[p] != y[n]
    ]
    assert objective.active() == pytest.approx(sum(flags) / len(flags))


def test_logits_come_from_the_first_term_that_classifies() -> None:
    x, _ = batch()
    scores = build(resolve("triplet + cross_entropy"), classes=4, dim=8).logits(x.bfloat16())
    assert scores is not None
    assert scores.shape == (12, 4)
    assert scores.dtype == torch.float32
    assert build(resolve("triplet"), classes=4, dim=8).logits(x) is None


def test_class_mates_pairs_each_image_with_another_of_its_class_once() -> None:
    labels = torch.tensor([2, 0, 2, 1, 0, 2, 2, 7, 2])
    first, second = class_mates(labels)
    assert torch.equal(labels[first], labels[second])
    used = torch.cat([first, second]).tolist()
    assert len(set(used)) == len(used)
    assert sorted(labels[first].tolist()) == [0, 2, 2]
