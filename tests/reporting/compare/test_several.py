"""Ways of training over data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec, DataSpec, Recipe, digest
from sandbox.reporting.compare.several import over_data
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run

KEY = "test/verification/eer"


def run(loss: str, split: str, value: float, seed: int = 0, root: str = "", **more: Any) -> Run:
    data = DataSpec(name=more.pop("name", "folder"), root=root or split, **more.pop("data", {}))
    recipe = Recipe(loss=loss, data=data, seed=seed, **more)
    report = {"test": {"verification/eer": {"value": value, "n": 9}}}
    return Run(Path(f"runs/{loss}-{split}-{seed}"), digest(recipe), seed, recipe, report, split, "a test")


def sets(count: int = 6, **more: Any) -> list[Group]:
    """Two objectives on data sets of other folders; less is better, and arcface is worse by 0.1 throughout."""
    rows = [
        (loss, f"s{at}", 0.1 * (loss == "arcface") + 0.01 * at)
        for at in range(count)
        for loss in ("arcface", "siamese")
    ]
    return [Group(tuple(run(*row, seed, **more) for seed in (0, 1))) for row in rows]


def test_folders_of_one_name_are_data_sets_and_less_may_be_better() -> None:
    found = over_data(sets(), "data.name", KEY)
    assert found.names == ("arcface", "siamese") and found.sets == tuple(f"folder (s{at})" for at in range(6))
    assert found.found.ranks.tolist() == [2, 1] and found.found.pairs[0].losses == 6 and found.notes == ()
    assert found.values == pytest.approx(np.array([[0.1 + 0.01 * at, 0.01 * at] for at in range(6)]))
    assert (found.counts == 2).all()


def test_splits_of_one_data_set_are_no_data_sets() -> None:
    with pytest.raises(SandboxError, match=r"data\.name = folder has 6 splits of one data set, which count for one"):
        over_data(sets(root="here"), "data.name", KEY)
    drawn = [
        Group((run(loss, f"s{at}", 0.1 * at, root="here", data={"split_seed": at}),))
        for at in range(5)
        for loss in ("arcface", "siamese")
    ]
    (note,) = over_data(drawn, "data.split_seed", KEY).notes
    assert note.startswith("these are parts of one data set, which share images")


def test_what_stands_twice_in_a_cell_is_refused_and_seeds_that_differ_are_said() -> None:
    groups = sets()
    twice = Group((run("arcface", "s0", 0.5, data={"min_images": 3}),))
    with pytest.raises(SandboxError, match=r"arcface was trained in several ways on data\.name = folder, with digests"):
        over_data([*groups, twice], "data.name", KEY)
    groups[0] = Group((run("arcface", "s0", 0.5, seed=7),))
    (note,) = over_data(groups, "data.name", KEY).notes
    assert note == "ways have means over other seeds on folder (s0) (seed 7 and seeds 0, 1)"


def test_a_way_is_all_settings_but_those_of_data() -> None:
    more = [Group((run("arcface", f"s{at}", 0.3, backbone=BackboneSpec(name="conv4")),)) for at in range(6)]
    found = over_data([*sets(), *more], "data.name", KEY)
    assert found.names == ("arcface (network conv6)", "siamese", "arcface (network conv4)")
    (note,) = over_data([*sets(), *more[:2]], "data.name", KEY).notes
    assert note.startswith("left out, as not on every data set: arcface (not on folder (s2), folder (s3), folder (s4)")


def test_too_little_is_refused() -> None:
    with pytest.raises(SandboxError, match="ranks over 4 data sets say nothing"):
        over_data(sets(4), "data.name", KEY)
    with pytest.raises(SandboxError, match="1 of 1 ways of training are on all"):
        over_data(sets(), "data.name", KEY, ["arcface"])
    with pytest.raises(SandboxError, match="has no figure test/x on every data set"):
        over_data(sets(), "data.name", "test/x")
