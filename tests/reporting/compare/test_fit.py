"""What must agree before anything is compared: folds, seeds, and seeds in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec, Recipe, digest
from sandbox.reporting.compare.fit import check_same_rules, shared_seeds, spell_seeds
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run


def in_folds(loss: str, folds: tuple[str, ...], seeds: tuple[int, ...] = (0, 1)) -> Group:
    recipes = [Recipe(loss=loss, data=DataSpec(val_fold=fold), seed=seed) for seed in seeds for fold in folds]
    return Group(
        tuple(Run(Path(f"{loss}-{k}"), digest(r), r.seed, r, {}, "abc", "a test") for k, r in enumerate(recipes))
    )


def test_means_of_other_folds_are_not_compared() -> None:
    a, b = in_folds("triplet_margin", ("1/3", "2/3", "3/3")), in_folds("contrastive", ("1/3", "2/3"))
    with pytest.raises(SandboxError, match="A has folds 1/3, 2/3, 3/3 and B has folds 1/3, 2/3, so that their means"):
        check_same_rules([a, b], ["A", "B"])
    check_same_rules([b, in_folds("arcface", ("1/3", "2/3"))], ["A", "B"])


def test_folds_of_one_seed_are_no_seeds() -> None:
    a, b = (in_folds(loss, ("1/3", "2/3"), (0,)) for loss in ("triplet_margin", "contrastive"))
    with pytest.raises(SandboxError, match="A and B have seed 0 alone in common, in 2 folds, which are no seeds"):
        shared_seeds(a, b, ("A", "B"))


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ((3,), "seed 3"),
        ((0, 1), "seeds 0, 1"),
        ((0, 1, 2, 3, 4), "seeds 0 to 4"),
        ((0, 2, 5), "seeds 0, 2, 5"),
        (tuple(range(0, 40, 2)), "seeds 0, 2, 4, 6, 8, 10, 12, 14 and 12 more"),
    ],
)
def test_seeds_in_words(seeds: tuple[int, ...], said: str) -> None:
    assert spell_seeds(seeds) == said
