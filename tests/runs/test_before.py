"""Run folders and a study that an earlier version made, when every data set's settings stood in every recipe."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.called import RECIPES
from sandbox.data.catalog import data_kinds
from sandbox.data.datasets.lfw import LfwSpec
from sandbox.errors import SandboxError
from sandbox.pipeline.run import resume
from sandbox.recipe.specs import Recipe, digest, flat
from sandbox.recipe.text import from_toml
from sandbox.reporting.records.read import read_runs
from sandbox.reporting.tables.build import build_table
from sandbox.reporting.tables.layout import Layout
from sandbox.runs.folder import RunFolder, create
from sandbox.tuning.plan.plan import Plan
from sandbox.tuning.search.claims import Goal
from sandbox.tuning.search.events import TrialOver
from sandbox.tuning.search.worker import search
from sandbox.tuning.study.read import read_study

BEFORE = Path(__file__).parent / "before"
DIGESTS = {
    "quick": "7f128f63d758",
    "thumbnail": "08bb598e504a",
    "resnet18": "6def6213a537",
    "facenet": "0099616125af",
    "staged": "47b5343b8716",
}


@pytest.mark.parametrize("name", ["digits", "lfw"])
def test_its_digest_is_still_that_of_its_recipe(name: str) -> None:
    folder = RunFolder(BEFORE / "runs" / name)
    assert digest(folder.recipe()) == folder.facts_of_finished()["digest"]


@pytest.mark.parametrize("name", DIGESTS)
def test_recipes_keep_their_digests(name: str) -> None:
    from sandbox.recipe.text import load_staged

    assert digest(load_staged(name, RECIPES, data_kinds())[0]) == DIGESTS[name]


def test_settings_of_a_data_set_are_read_where_they_are_its_own() -> None:
    lfw = RunFolder(BEFORE / "runs" / "lfw").recipe().data
    assert isinstance(lfw, LfwSpec) and (lfw.view, lfw.fold) == ("view2", 3)
    assert "data.view" not in flat(RunFolder(BEFORE / "runs" / "digits").recipe())


def test_it_stands_in_a_table_beside_new_ones_and_groups_with_them(tmp_path: Path) -> None:
    old = RunFolder(BEFORE / "runs" / "digits")
    new = create(tmp_path, replace(old.recipe(), seed=1), "python experiments/run.py")
    new.write_json("report.json", old.read_json("report.json"))
    new.update(status="done", split=old.read_json("run.json")["split"])
    table = build_table(read_runs([BEFORE / "runs", tmp_path])[0], Layout(mixed=True))
    keys = [column.key for column in table.columns]
    assert sorted(row.cells[keys.index("n")].text for row in table.rows) == ["1", "2"]
    assert {"data.view", "data.fold"}.isdisjoint(keys) and "data.name" in keys


def test_one_that_was_cut_off_goes_on_but_not_with_other_images(tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(BEFORE / "runs" / "digits", cut)
    facts = json.loads((cut / "run.json").read_text())
    (cut / "run.json").write_text(json.dumps({**facts, "status": "interrupted"}))
    (cut / "report.json").unlink()
    with pytest.raises(SandboxError, match=f"its split was {facts['split']} and is .* now, so it cannot go on"):
        list(resume(cut, pictures=False))  # in its time digits were split by class where nothing was said
    text = (cut / "recipe.toml").read_text().replace('split = "auto"', 'split = "class"')
    (cut / "recipe.toml").write_text(text)
    by_class = digest(RunFolder(cut).recipe())
    (cut / "run.json").write_text(json.dumps({**facts, "status": "interrupted", "digest": by_class}))
    list(resume(cut, pictures=False))
    again = RunFolder(cut)
    assert again.facts_of_finished()["split"] == facts["split"]
    then, now = (RunFolder(path).read_json("report.json") for path in (BEFORE / "runs" / "digits", cut))
    assert then.keys() == now.keys()
    accuracy = {"verification/accuracy", "verification/accuracy@validation"}
    balanced = {"verification/balanced_accuracy", "verification/balanced_accuracy@validation"}
    assert then["test"].keys() - accuracy == now["test"].keys() - balanced and balanced <= now["test"].keys()
    key = "retrieval/map@r"
    assert now["test"][key]["value"] == pytest.approx(then["test"][key]["value"], abs=0.02)  # other processors round


def test_a_study_keeps_its_name_and_goes_on(tmp_path: Path) -> None:
    (kept,) = (BEFORE / "studies").iterdir()
    folder = tmp_path / kept.name
    shutil.copytree(kept, folder)
    recipe = from_toml((folder / "recipe.toml").read_text(), kinds=data_kinds())
    plan = Plan(recipe=replace(recipe, loss="triplet(margin=tune(0.02, 0.5))", miner="hard"))
    assert plan.name == kept.name
    before = read_study(folder).trials
    over = [event for event in search(plan, Goal(3), folder=folder) if isinstance(event, TrialOver)]
    assert [event.over for event in over] == [3] and [event.trial.number for event in over] == [2]
    after = read_study(folder).trials
    assert len(after) == 3 and list(after[:2]) == list(before) and all(trial.line for trial in after)


def test_a_setting_that_is_younger_enters_the_digest_only_where_it_is_not_its_default() -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True, kw_only=True)
    class Younger(LfwSpec):
        crop: float = 1.0

    plain = Recipe(data=LfwSpec(name="lfw"))
    assert digest(replace(plain, data=Younger(name="lfw"))) == digest(plain)
    assert digest(replace(plain, data=Younger(name="lfw", crop=0.5))) != digest(plain)
    assert digest(replace(plain, data=LfwSpec(name="lfw", view="view2"))) != digest(plain)


def test_another_data_set_s_setting_is_refused_unless_it_is_at_its_default() -> None:
    text = '[data]\nname = "digits"\nview = "{}"\n'
    assert from_toml(text.format("view1"), kinds=data_kinds()).data.name == "digits"
    with pytest.raises(SandboxError, match=r"^data\.view and data\.fold are settings of data set 'lfw'; 'digits' has"):
        from_toml(text.format("view2"), kinds=data_kinds())
    with pytest.raises(SandboxError, match="did you mean 'view'"):
        from_toml('[data]\nname = "lfw"\nveiw = "view2"\n', kinds=data_kinds())
