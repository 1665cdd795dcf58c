"""What free rows show of an objective before any data is read."""

from __future__ import annotations

import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.objectives import free_rows
from sandbox.objectives.learnable import fault
from sandbox.objectives.objective import build
from sandbox.objectives.rehearsal import notes_on, rehearse
from sandbox.objectives.resolve import resolve


@pytest.mark.parametrize(
    ("text", "kind", "mended"),
    [
        (
            "contrastive(distance=cosine)",
            "no push",
            "contrastive(distance=cosine_similarity, neg_margin=0, pos_margin=1)",
        ),
        ("margin(distance=cosine)", "no push", "margin"),
        ("contrastive(neg_margin=0)", "no push", "contrastive"),
        ("multi_similarity(beta=-50)", "no push", "multi_similarity"),
        ("triplet(margin=-0.5)", "no push", "triplet_margin"),
        (
            "xbm(contrastive(distance=dot))",
            "no push",
            "cross_batch_memory(loss=contrastive(distance=dot_product_similarity, neg_margin=0, pos_margin=1))",
        ),
        ("ranked_list(distance=cosine)", "reverse", "ranked_list"),
        ("sup_con(temperature=-1)", "reverse", "sup_con"),
        ("circle(gamma=0)", "no gradient", "circle"),
        ("triplet(margin=-3)", "no gradient", "triplet_margin"),
        ("arcface(scale=0)", "no gradient", "arcface"),
        ("proxy_anchor(alpha=0)", "no gradient", "proxy_anchor"),
        ("contrastive(pos_margin=3, neg_margin=-1)", "no gradient", "contrastive(neg_margin=3, pos_margin=-1)"),
        ("triplet(miner=easy)", "no gradient", "triplet_margin"),
        ("vic_reg(invariance_lambda=0)", "no gain", "vic_reg"),
    ],
)
def test_what_cannot_learn_is_refused_with_the_nearest_that_learns(text: str, kind: str, mended: str) -> None:
    expression = resolve(text)
    found = fault(str(expression))
    assert found is not None and found.kind == kind
    with pytest.raises(SandboxError) as refused:
        rehearse(expression, classes=8, samples=4)
    said = str(refused.value)
    assert said.startswith(str(expression)) and found.said in said
    assert said.endswith(f"; {mended} does learn")
    assert fault(mended) is None


def test_margins_of_a_distance_are_named_where_a_similarity_is_used() -> None:
    with pytest.raises(SandboxError, match="pos_margin=0 and neg_margin=1 are meant for a distance, and cosine_simil"):
        rehearse(resolve("contrastive(distance=cosine)"), classes=8, samples=4)
    with pytest.raises(SandboxError, match=r"AUC of free rows 0\.\d\d to 0\.0\d\) \(margin=0.4 is meant"):
        rehearse(resolve("ranked_list(distance=cosine)"), classes=8, samples=4)


def test_a_term_that_does_nothing_is_refused_beside_one_that_learns() -> None:
    with pytest.raises(SandboxError, match=r"the term circle\(gamma=0\) cannot .*; circle \+ triplet_margin does"):
        rehearse(resolve("triplet + circle(gamma=0)"), classes=8, samples=4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("center", "center pulls each class to its own centre"),
        ("intra_pair_variance", "moves no class away from another; add a loss that separates classes"),
        ("manifold(K=8)", "reads no labels"),
        (
            "triplet + ranked_list(distance=cosine)",
            "the term ranked_list(distance=cosine_similarity) learns the rev",
        ),
    ],
)
def test_what_is_weak_alone_is_let_through_with_a_note(text: str, said: str) -> None:
    rehearse(resolve(text), classes=8, samples=4)
    (note,) = notes_on(resolve(text))
    assert said in note


@pytest.mark.parametrize("text", ["arcface + 0.01*center", "triplet + 0.1*intra_pair_variance", "xbm(nt_xent)"])
def test_what_learns_is_let_through_without_a_word(text: str) -> None:
    rehearse(resolve(text), classes=8, samples=4)
    assert not notes_on(resolve(text))


def test_a_loss_that_is_zero_on_random_rows_is_tried_on_rows_that_violate() -> None:
    text = "triplet(miner=pair_margin(distance=cosine))"
    objective = build(resolve(text), classes=free_rows.CLASSES, dim=free_rows.DIM)
    assert not free_rows.gradient(objective, free_rows.scattered()).any()
    assert fault(str(resolve(text))) is None


def test_the_force_between_classes_is_that_of_whole_classes() -> None:
    of_classes = torch.randn(free_rows.CLASSES, free_rows.DIM, generator=torch.Generator().manual_seed(0))
    whole = of_classes.repeat_interleave(free_rows.SAMPLES, 0)
    within = torch.randn_like(whole)
    within -= within.view(free_rows.CLASSES, free_rows.SAMPLES, -1).mean(1).repeat_interleave(free_rows.SAMPLES, 0)
    assert free_rows.force_between(whole + 7) == pytest.approx(1)  # what moves all alike counts for nothing
    assert free_rows.force_between(within) == pytest.approx(0, abs=1e-6)
    assert free_rows.force_between(torch.zeros_like(whole)) == 0


def test_auc_is_the_share_of_pairs_of_pairs_in_the_right_order() -> None:
    x, y = free_rows.scattered(), free_rows.labels()
    unit = x / x.norm(dim=1, keepdim=True)
    s = (unit @ unit.T).tolist()
    pairs = [(i, j) for i in range(len(y)) for j in range(i)]
    same = [s[i][j] for i, j in pairs if y[i] == y[j]]
    other = [s[i][j] for i, j in pairs if y[i] != y[j]]
    right = sum((a > b) + 0.5 * (a == b) for a in same for b in other)
    assert free_rows.auc(x) == pytest.approx(right / len(same) / len(other), abs=1e-4)
    assert free_rows.auc(torch.ones_like(x)) == 0.5
