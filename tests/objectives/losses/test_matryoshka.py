"""A wrapper around losses: written, resolved, refused, and what it computes at each length."""

from __future__ import annotations

import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.objectives.bounded.demand import demand
from sandbox.objectives.learnable import fault
from sandbox.objectives.lengths import check_lengths, lengths
from sandbox.objectives.losses.matryoshka import MatryoshkaLoss
from sandbox.objectives.objective import Objective, build
from sandbox.objectives.rehearsal import notes_on, rehearse
from sandbox.objectives.resolve import fill, resolve

LABELS = torch.arange(4).repeat_interleave(3)


def rows() -> torch.Tensor:
    return torch.randn(12, 8, generator=torch.Generator().manual_seed(0))


def held(objective: Objective) -> MatryoshkaLoss:
    return next(module for module in objective.modules() if isinstance(module, MatryoshkaLoss))


def canonical(loss: str, miner: str = "none") -> str:
    return str(resolve(loss, miner))


def test_it_is_the_sum_of_the_loss_at_each_length_with_weights_of_its_own_for_each() -> None:
    objective = build(resolve("matryoshka(arcface, dims=[2, 4, 8], weights=[3, 1, 0.5])"), classes=4, dim=8)
    parts = [float(loss(rows()[:, :d], LABELS)) for loss, d in zip(held(objective).losses, (2, 4, 8), strict=True)]
    assert [loss.W.shape[0] for loss in held(objective).losses] == [2, 4, 8]  # type: ignore[union-attr, index]
    assert float(objective(rows(), LABELS).total) == pytest.approx(3 * parts[0] + parts[1] + 0.5 * parts[2])


def test_a_miner_chooses_anew_at_each_length() -> None:
    total = build(resolve("matryoshka(triplet, dims=[2, 8])", "hard"), classes=4, dim=8)(rows(), LABELS).total
    parts = [build(resolve("triplet", "hard"), classes=4, dim=d)(rows()[:, :d], LABELS).total for d in (2, 8)]
    assert float(total) == pytest.approx(sum(map(float, parts)))


def test_class_scores_are_those_of_the_longest_and_only_where_it_classifies() -> None:
    objective = build(resolve("matryoshka(cross_entropy, dims=[2, 6]) + triplet"), classes=4, dim=8)
    assert objective.classifies
    scores = objective.logits(rows())
    assert scores is not None
    torch.testing.assert_close(scores, held(objective).losses[-1].get_logits(rows()[:, :6]))  # type: ignore[union-attr, operator]
    plain = build(resolve("matryoshka(triplet, dims=[2, 8])"), classes=4, dim=8)
    assert not plain.classifies and plain.logits(rows()) is None


def test_a_sum_inside_is_a_sum_of_wrapped_losses_and_only_those_that_mine_get_the_miner() -> None:
    text = canonical("0.5*matryoshka(arcface + 0.4*triplet(0.1), dims=[4, 8], miner=hard) + center")
    assert text == (
        "center + 0.5*matryoshka(dims=[4, 8], loss=arcface) + "
        "0.2*matryoshka(dims=[4, 8], loss=triplet_margin(margin=0.1), miner=batch_hard)"
    )
    assert canonical(text) == text
    assert canonical("matryoshka(loss=0.5*triplet, dims=[4])") == "0.5*matryoshka(dims=[4], loss=triplet_margin)"
    both = build(resolve("matryoshka(arcface + 0.5*contrastive, dims=[4, 8])"), classes=4, dim=8)(rows(), LABELS)
    assert list(both.terms) == ["matryoshka", "matryoshka#2"]


def test_it_is_in_all_else_what_it_holds() -> None:
    for inner in ("arcface", "triplet", "center"):
        wrapped, plain = resolve(f"matryoshka({inner}, dims=[4, 8])"), resolve(inner)
        assert (wrapped.owns_classes, wrapped.takes_tuples) == (plain.owns_classes, plain.takes_tuples)
        assert fault(str(wrapped)) == fault(inner)
    assert notes_on(resolve("matryoshka(center, dims=[4, 8])")) == notes_on(resolve("center"))
    rehearse(resolve("matryoshka(triplet(miner=none) + 0.1*center, dims=[3, 40])", "none"), classes=3, samples=3)
    (term,), (one,) = resolve("matryoshka(triplet, dims=[4, 8])").terms, resolve("triplet").terms
    assert demand(term.loss, [4] * 8).bytes == 2 * demand(one.loss, [4] * 8).bytes > 0


def test_marks_inside_are_searched_and_filled() -> None:
    marked = resolve("matryoshka(triplet(margin=tune()) + tune()*center, dims=[4, 8])")
    assert set(marked.tunes()) == {"matryoshka.loss.margin", "matryoshka#2.weight"}
    assert marked.tunes()["matryoshka#2.weight"] == resolve("tune()*center").tunes()["center.weight"]
    filled = fill(marked, {"matryoshka.loss.margin": 0.3, "matryoshka#2.weight": 0.01})
    assert str(filled) == canonical("matryoshka(triplet(0.3) + 0.01*center, dims=[4, 8])")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("matryoshka(arcface)", "needs dims: write"),
        ("matryoshka(dims=[8])", "needs loss: write"),
        ("matryoshka(arcface(marginn=1), dims=[8])", r"in matryoshka\(loss=...\): arcface has no parameter 'marginn'"),
        ("matryoshka(triplt + center, dims=[8])", r"in matryoshka\(loss=...\): no loss named 'triplt'"),
        ("xbm(contrastiv)", r"in cross_batch_memory\(loss=...\): no loss named 'contrastiv'"),
        ("matryoshka(triplet(miner=hard), dims=[8])", r"in matryoshka\(loss=...\): .* move miner= to the outer one"),
        ("matryoshka(arcface, dims=[8], miner=hard)", "nothing to do: arcface takes no pairs or triplets"),
        ("matryoshka(arcface, dims=[16, 8])", r"lengths ascend, such as dims=\[8, 16\]"),
        ("matryoshka(arcface, dims=[8, 8])", r"lengths ascend, such as dims=\[8\]"),
        ("matryoshka(arcface, dims=[])", "a list of whole numbers of at least 1"),
        ("matryoshka(arcface, dims=[0, 8])", "a list of whole numbers of at least 1"),
        ("matryoshka(arcface, dims=[8.5])", "a list of whole numbers of at least 1"),
        ("matryoshka(arcface, dims=64)", "a list of whole numbers of at least 1, not 64"),
        ("matryoshka(arcface, dims=tune([[8], [16]]))", "tune.. cannot stand in dims or weights"),
        ("matryoshka(arcface, dims=[4, 8], weights=[1])", "2 numbers above 0, one for each length"),
        ("matryoshka(arcface, dims=[4, 8], weights=[1, 0])", "2 numbers above 0"),
        ("matryoshka(matryoshka(arcface, dims=[4]), dims=[4, 8])", "cannot hold matryoshka"),
        ("matryoshka(xbm(contrastive), dims=[4, 8])", "cannot hold cross_batch_memory"),
        ("matryoshka(vic_reg, dims=[4, 8])", "cannot hold vic_reg, which reads two views of each image"),
        ("matryoshka(manifold(K=8), dims=[4, 8])", "cannot hold manifold, which reads no labels"),
        ("xbm(matryoshka(contrastive, dims=[8]))", "cannot hold matryoshka"),
        ("xbm(triplet + contrastive)", "takes the name of one loss, without a weight, not triplet . contrastive"),
        ("triplet(margin=triplet + center)", "takes a number, not triplet . center"),
        ("tune()*matryoshka(triplet + center, dims=[8])", "one number for several terms.*weights inside the sum"),
        ("2*matryoshka(tune()*triplet, dims=[8])", "one number for several terms"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        resolve(text)


@pytest.mark.parametrize(
    ("text", "dim", "said"),
    [
        ("matryoshka(arcface, dims=[64, 256])", 128, "first 256 .* has 128: set backbone.embedding_dim to 256"),
        ("matryoshka(arcface, dims=[64, 256]) + triplet", 128, "leave lengths above 128 out of dims"),
        ("matryoshka(arcface, dims=[64, 128])", 512, "no more than the first 128 of .* 512 .*: add 512 to dims"),
    ],
)
def test_lengths_fit_the_embedding(text: str, dim: int, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        check_lengths(resolve(text), dim)
    with pytest.raises(SandboxError, match=said):
        build(resolve(text), classes=3, dim=dim)


def test_beside_a_loss_that_reads_the_whole_embedding_its_end_may_be_left_out() -> None:
    expression = resolve("matryoshka(triplet, dims=[2, 4]) + 0.5*matryoshka(arcface, dims=[4, 6]) + center")
    check_lengths(expression, 8)
    assert lengths(expression) == (2, 4, 6)
    assert lengths(resolve("triplet")) == ()
