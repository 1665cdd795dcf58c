"""A second objective for the same seeds, found and checked before anything trains."""

from __future__ import annotations

import pytest

from sandbox.cli.table.against import check_alone, rival
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe

MINED = Recipe(loss="triplet", miner="hard", seed=3, max_steps=7)


def test_all_else_is_the_same_and_the_miner_goes_where_it_has_something_to_do() -> None:
    assert rival(MINED, "contrastive") == Recipe(loss="contrastive", miner="hard", seed=3, max_steps=7)
    assert rival(MINED, "arcface") == Recipe(loss="arcface", miner="none", seed=3, max_steps=7)
    assert rival(MINED, "arcface + triplet").miner == "hard"
    assert rival(MINED, "triplet(miner=semihard)").loss == "triplet(miner=semihard)"


@pytest.mark.parametrize(
    ("recipe", "against", "said"),
    [
        (MINED, "contrastve", "did you mean 'contrastive'"),
        (MINED, "triplet_margin(miner=batch_hard)", "is the objective of --loss itself"),
        (MINED, "triplet", "is the objective of --loss itself"),
        (MINED, " ", "--against is empty"),
        (MINED, "arcface(margin=-4)", "from 0 to 90"),
        (Recipe(loss="tripel"), "contrastive", "did you mean 'triplet'"),
        (Recipe(loss="arcface", miner="hard"), "contrastive", "has nothing to do"),
    ],
)
def test_what_cannot_train_or_be_compared_is_refused(recipe: Recipe, against: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        rival(recipe, against)


def test_stages_and_a_run_that_goes_on_have_no_place_beside_it() -> None:
    check_alone("", stages=2, resume="x")
    check_alone("contrastive", stages=0, resume="")
    with pytest.raises(SandboxError, match="beside a recipe of stages"):
        check_alone("contrastive", stages=2, resume="")
    with pytest.raises(SandboxError, match="beside --resume"):
        check_alone("contrastive", stages=0, resume="x")
