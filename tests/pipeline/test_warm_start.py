from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sandbox.called import RECIPES
from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done
from sandbox.pipeline.prepare import prepare
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe
from sandbox.recipe.text import load, load_staged

CLOSED = Recipe(
    loss="cross_entropy",
    data=DataSpec(name="digits", image_size=8, split="sample"),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=32),
    evaluate=EvaluateSpec(every=3),
    max_steps=6,
    threads=1,
)


def done(recipe: Recipe, out: Path, stage: str = "") -> Done:
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=False, stage=stage)
    assert isinstance(last, Done)
    return last


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return done(CLOSED, tmp_path_factory.mktemp("runs"), stage="pretrain").folder.path


def test_a_run_starts_from_the_weights_that_an_earlier_one_chose(earlier: Path) -> None:
    p = prepare(replace(CLOSED, loss="cross_entropy + 0.01*center", resume_from=str(earlier)))
    for key, value in load_file(earlier / "model.safetensors").items():
        assert torch.equal(p.network.state_dict()[key], value), key
    kept = load_file(earlier / "objective.safetensors")
    own = {name: term for name, term in zip(p.objective.names, p.objective.terms, strict=True)}
    assert torch.equal(own["cross_entropy"].loss.classifier.weight, kept["terms.0.loss.classifier.weight"])
    assert any("kept what cross_entropy learnt" in note for note in p.notes)
    assert any("new: what center owns" in note for note in p.notes)


def test_other_classes_get_class_weights_of_their_own(earlier: Path) -> None:
    p = prepare(replace(CLOSED, data=DataSpec(name="digits", image_size=8, split="class"), resume_from=str(earlier)))
    kept = load_file(earlier / "objective.safetensors")["terms.0.loss.classifier.weight"]
    assert p.objective.terms[0].loss.classifier.weight.shape != kept.shape
    assert any("new: what cross_entropy owns" in note for note in p.notes)


def test_another_head_is_new_and_the_trunk_is_kept(earlier: Path) -> None:
    spec = replace(CLOSED.backbone, embedding_dim=8)
    p = prepare(replace(CLOSED, backbone=spec, resume_from=str(earlier)))
    state, kept = p.network.state_dict(), load_file(earlier / "model.safetensors")
    trunk = [key for key in state if key.startswith("backbone.")]
    assert trunk and all(torch.equal(state[key], kept[key]) for key in trunk)
    assert any("with a new head" in note for note in p.notes)


def test_another_network_is_refused_and_what_misses_is_listed(earlier: Path) -> None:
    with pytest.raises(SandboxError, match=r"does not fit the network: \d+ missing \(.*unexpected"):
        prepare(replace(CLOSED, backbone=BackboneSpec(name="resnet_small", embedding_dim=16), resume_from=str(earlier)))


@pytest.mark.parametrize("missing", ["nowhere", "."])
def test_an_unknown_earlier_run_is_refused(missing: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"is no run folder: there is no run\.json in it"):
        prepare(replace(CLOSED, resume_from=str(tmp_path / missing)))


def test_the_record_knows_the_stage_and_the_digest_what_came_before(earlier: Path, tmp_path: Path) -> None:
    again = replace(CLOSED, optimizer=OptimizerSpec(lr=1e-4), resume_from=str(earlier))
    last = done(again, tmp_path, stage="continue")
    facts = last.folder.read_json("run.json")
    assert facts["stage"] == "continue"
    first = (earlier / "run.json").read_text()
    assert last.folder.recipe().after and last.folder.recipe().after in first
    plain = done(replace(again, resume_from=""), tmp_path)
    assert plain.folder.read_json("run.json")["digest"] != facts["digest"]


def test_a_frozen_trunk_stays_and_the_class_weights_learn(earlier: Path, tmp_path: Path) -> None:
    frozen = replace(CLOSED, backbone=replace(CLOSED.backbone, freeze=True), resume_from=str(earlier), max_steps=3)
    last = done(frozen, tmp_path)
    before, after = (load_file(path / "model.safetensors") for path in (earlier, last.folder.path))
    trunk = [key for key in before if key.startswith("backbone.")]
    assert all(torch.equal(before[key], after[key]) for key in trunk)
    weights = [load_file(path / "objective.safetensors") for path in (earlier, last.folder.path)]
    assert not torch.equal(*(held["terms.0.loss.classifier.weight"] for held in weights))


STAGED = """
loss = "cross_entropy"
max_steps = 4
[data]
name = "digits"
split = "sample"
[[stages]]
name = "pretrain"
[[stages]]
name = "continue"
loss = "cross_entropy + 0.003*center"
optimizer = { lr = 1e-4 }
"""


def test_stages_lie_over_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(STAGED)
    recipe, stages = load_staged("two", tmp_path)
    assert [stage.name for stage in stages] == ["pretrain", "continue"]
    assert stages[0].over(recipe) == recipe
    second = stages[1].over(recipe)
    assert second.loss == "cross_entropy + 0.003*center" and second.optimizer.lr == 1e-4
    assert second.data == recipe.data and second.optimizer.weight_decay == recipe.optimizer.weight_decay
    with pytest.raises(SandboxError, match=r"has stages \(pretrain, continue\)"):
        load("two", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[stages]]\nepochs = 3", "stage 1 has no name"),
        ('[[stages]]\nname = "a"\n[[stages]]\nname = "a"', "two stages named 'a'"),
        (
            '[[stages]]\nname = "a"\nepoch = 3',
            "stage 'a' has the key 'epoch', which does not exist; did you mean 'epochs'",
        ),
        ('stages = "all"', "stages are tables"),
    ],
)
def test_a_mistake_in_a_stage_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(SandboxError, match=said):
        load_staged("bad", tmp_path)


def test_every_recipe_that_ships_can_be_read() -> None:
    folder = RECIPES
    names = sorted(file.stem for file in folder.glob("*.toml"))
    assert {"quick", "thumbnail", "staged", "resnet18"} <= set(names)
    for name in names:
        recipe, _ = load_staged(name, folder, data_kinds())
        text = (folder / f"{name}.toml").read_text()
        assert f"python experiments/run.py --recipe {name}" in text
        check_ranges(recipe)
