"""Runs chosen by --where and --tag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.datasets.lfw import LfwSpec
from sandbox.errors import SandboxError
from sandbox.objectives.resolve import resolve
from sandbox.recipe.specs import BackboneSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe, digest, flat, own_settings
from sandbox.reporting.records.chosen import Choice
from sandbox.reporting.records.objective_parts import ALSO_SETTINGS, parameter_kinds
from sandbox.reporting.records.run import Run

from fuzz import FUZZ, read_or_refused


def made(
    loss: str = "contrastive", miner: str = "none", *, value: float = 0.5, tags: tuple[str, ...] = (), **recipe: Any
) -> Run:
    """A finished run, its objective spelt as run folders have it."""
    plain = Recipe(loss=str(resolve(loss, miner)), **recipe)
    entry = {"value": value, "low": 0.0, "high": 1.0, "n": 10}
    report: Any = {
        "val": {"verification/auc": entry},
        "test": {"retrieval/map@r": entry, "verification/tar@far=1e-4": {**entry, "supported": False}},
    }
    facts = {"steps": 40, "seconds": {"total": 1800.0}, "stage": "hard" if plain.seed == 2 else ""}
    return Run(
        Path(f"{plain.seed}"), digest(plain), plain.seed, plain, report, "abc", "made by a test", tags, {}, facts
    )


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    glyphs, digits = DataSpec(name="glyphs"), DataSpec(name="digits", image_size=32)
    return [
        made("triplet", "hard", seed=0, data=glyphs, value=0.3, tags=("first", "2024")),
        made("triplet(margin=0.2)", "semihard", seed=1, data=digits, value=0.6, max_steps=40),
        made("arcface", seed=2, data=digits, value=0.9, tags=("first",), optimizer=OptimizerSpec(lr=1e-3)),
        made("triplet + 0.01*center", seed=3, data=glyphs, backbone=BackboneSpec(freeze=True)),
        made("xbm(loss=contrastive(neg_margin=0.7))", seed=4, data=glyphs, evaluate=EvaluateSpec(recall_at=(1, 2))),
    ]


@pytest.mark.parametrize(
    ("where", "seeds"),
    [
        ("data.name = glyphs and seed < 3", [0]),
        ("not data.name = digits", [0, 3, 4]),
        ("seed in (4, 0)", [0, 4]),
        ("optimizer.lr = 1e-3 or --optimizer.lr > 1", [2]),
        ("lr = 0.001", [2]),
        ("data.image_size = none", [0, 3, 4]),
        ("data.image-size >= 32", [1, 2]),
        ("max_steps < 50", [1]),
        ("not max_steps < 50", [0, 2, 3, 4]),
        ("max_steps != 40", [0, 2, 3, 4]),
        ("freeze = true", [3]),
        ("recall_at = 2", [4]),
        ("data.root = none and data.colour = auto", [0, 1, 2, 3, 4]),
        ("data.view = none", [0, 1, 2, 3, 4]),
        ("tag = first", [0, 2]),
        ("tag != first", [1, 3, 4]),
        ("tags = 2024", [0]),
        ("tag = none", [1, 3, 4]),
        ("loss = triplet", [0]),
        ("loss = triplet_margin and miner = hard", [0]),
        ('loss = "triplet(miner=hard)"', [0]),
        ('loss = "triplet(margin=0.2)"', [1]),
        ('objective = "triplet(margin=0.2, miner=semihard)"', [1]),
        ('loss = "0.01*center + triplet"', [3]),
        ("miner = batch_hard or miner = semihard", [0, 1]),
        ("miner = none", [2, 3, 4]),
        ("margin > 0.1", [1, 2]),
        ("margin = 0.05", [0, 3]),
        ("triplet.margin >= 0.2", [1]),
        ("center.weight < 0.1", [3]),
        ("loss.scale = 64", [2]),
        ("neg_margin = 0.7", [4]),
        ("type_of_triplets = semihard", [1]),
        ("triplets_per_anchor = all", [0, 1, 3]),
        ("map@r > 0.55", [1, 2]),
        ("MAP@R = 0.9", [2]),
        ("val/auc >= 0.9", [2]),
        ("tar@far=1e-4 = none", [0, 1, 2, 3, 4]),  # too few pairs: no table shows it either
        ("steps = 40 and hours = 0.5", [0, 1, 2, 3, 4]),
        ("stage = hard", [2]),
        ("status = done", [0, 1, 2, 3, 4]),
    ],
)
def test_runs_are_chosen_in_their_order(runs: list[Run], where: str, seeds: list[int]) -> None:
    assert [run.seed for run in Choice(where).of(runs)] == seeds


def test_a_digest_is_named_by_its_beginning(runs: list[Run]) -> None:
    assert Choice(f"digest = {runs[3].digest[:6]}").of(runs) == [runs[3]]


def test_tags_choose_before_where_does(runs: list[Run]) -> None:
    assert Choice(tags=("2024", "nothing")).of(runs) == [runs[0]]
    assert Choice("seed > 0", ("first",)).of(runs) == [runs[2]]
    assert Choice().of(runs) == runs
    accented = replace(runs[1], tags=("\u00e9",))  # as it is kept, and as some keyboards write it
    assert Choice(tags=("e\u0301",)).of([accented]) == Choice("tag = e\u0301").of([accented]) == [accented]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "optimizer.lrr = 1",
            "at character 1: nothing of a run is called 'optimizer.lrr'; did you mean 'optimizer.lr'?",
        ),
        (
            "seed = 1 and mapr > 0.5",
            "at character 14: nothing of a run is called 'mapr'; did you mean 'map@r'?",
        ),
        ("qqqq = 1", "nothing of a run is called 'qqqq'; it takes settings such as data.name, figures such as MAP@R"),
        ("margn > 1", "did you mean 'margin'?"),
        ("nonsense.margin != 1", "nothing of a run is called 'nonsense.margin'"),
        ("arcface.neg_margin = 1", "nothing of a run is called 'arcface.neg_margin'"),
        ("data.name = 'a\nb'", r'none of 5 runs has data.name = "a\nb"; data.name is digits or glyphs'),
        ("name = x", "'name' may be data.name or backbone.name or optimizer.name or schedule.name; write it out"),
        ("scale > 2", "'scale' may be augment.scale or loss.scale (of the objective); write it out"),
        ("seed = one", "--where at character 1: seed is a number, not 'one'"),
        ("lr < '1'", "optimizer.lr is a number, not '1'"),
        ("data.image_size = 1e999", "data.image_size is a number, not '1e999'"),
        ("seed < none", "none has no order; write = none or != none"),
        ("data.name < 5", "data.name has no order; it is compared by =, != and in"),
        ("recall_at < 5", "evaluate.recall_at holds several values; it is compared by =, != and in"),
        ("freeze = 0", "backbone.freeze is true or false, not '0'"),
        ("data.colour = gray", "data.colour is never 'gray'; did you mean 'grey'?"),
        ("digest = 1", "of a digest at least 4 characters are needed, not '1'"),
        ("loss = tripplet", "no loss named 'tripplet'; did you mean 'triplet'?"),
        ("miner = hrad", "no miner named 'hrad'; did you mean 'hard'?"),
        ("loss = 'triplet(margin=tune())'", "has marks for a search"),
        ("map@r > high", "map@r is a number, not 'high'"),
        ("data.name = cub200", "none of 5 runs has data.name = cub200; data.name is digits or glyphs"),
        ("lr > 0.1 and seed = 1", "none of 5 runs has lr > 0.1; optimizer.lr is 0.001 or 0.003"),
        ("seed > 9", "none of 5 runs has seed > 9; seed lies between 0 and 4"),
        ("alpha = 0.1", "none of 5 runs has alpha = 0.1; alpha is 0.5"),
        ("epochs > 1", "none of 5 runs has epochs > 1; epochs is set in none"),
        (
            "seed = 1 and seed = 2",
            "none of 5 runs has all that --where asks for, though each part",
        ),
    ],
)
def test_a_mistake_is_one_sentence(runs: list[Run], where: str, said: str) -> None:
    with pytest.raises(SandboxError) as caught:
        Choice(where).of(runs)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_parameter_that_stands_twice_is_to_be_written_out(runs: list[Run]) -> None:
    both = made("triplet + cosface", seed=9)
    with pytest.raises(SandboxError, match=r"more than once: write cosface.margin or triplet_margin.margin"):
        Choice("margin > 0.1").of([both])
    assert Choice("cosface.margin > 0.1").of([both, runs[0]]) == [both]


def test_tags_that_no_run_has_are_said(runs: list[Run]) -> None:
    with pytest.raises(SandboxError, match="none of 5 runs has the tag 'frist'; the tags are 2024, first"):
        Choice(tags=("frist",)).of(runs)
    with pytest.raises(SandboxError, match="none of 1 run has the tag 'a' or 'b'; they have no tags"):
        Choice(tags=("a", "b")).of(runs[1:2])


def test_what_cannot_be_read_is_refused_before_any_run_is() -> None:
    with pytest.raises(SandboxError, match="a value is expected"):
        Choice("seed <")


def test_the_names_of_settings_that_parameters_have_too_are_known() -> None:
    from sandbox.data.catalog import data_kinds
    from sandbox.objectives.catalog import catalog

    ends = {name.rpartition(".")[2] for name in flat(Recipe())}
    ends |= {name for kind in data_kinds().values() for name in own_settings(kind)}
    keys = {key for slot in ("loss", "miner") for entry in catalog(slot).values() for key in entry.parameters}  # type: ignore[arg-type]
    assert {name for name in ends & keys if parameter_kinds(name)} == ALSO_SETTINGS


@dataclass(frozen=True)
class _Asked:
    """A choice as text, and what it means, worked out by hand."""

    text: str
    true: Callable[[Run], bool]


def _leaf(draw: st.DrawFn) -> _Asked:
    kind = draw(st.sampled_from(["seed", "steps", "name", "in", "lr"]))
    number = draw(st.integers(-1, 4))
    if kind == "seed":
        sign = draw(st.sampled_from(["=", "==", "!=", "<", "<=", ">", ">="]))
        python = {"=": "=="}.get(sign, sign)
        return _Asked(f"seed {sign} {number}", lambda run: bool(eval(f"{run.seed} {python} {number}")))
    if kind == "steps":
        return _Asked(
            f"max_steps<{number}", lambda run: run.recipe.max_steps is not None and run.recipe.max_steps < number
        )
    if kind == "name":
        name = draw(st.sampled_from(["glyphs", "digits", "'mnist'"]))
        return _Asked(f"data.name!={name}", lambda run: run.recipe.data.name != name.strip("'"))
    if kind == "in":
        several = draw(st.lists(st.integers(-1, 4), min_size=1, max_size=3))
        return _Asked(f"seed not in ({', '.join(map(str, several))})", lambda run: run.seed not in several)
    return _Asked("lr >1e-3", lambda run: run.recipe.optimizer.lr > 1e-3)


@st.composite
def asked(draw: st.DrawFn, depth: int = 3) -> _Asked:
    """Trees of and, or and not, with no more parentheses than their meaning needs, or with more."""
    kind = draw(st.sampled_from(["leaf", "and", "or", "not"])) if depth else "leaf"
    if kind == "leaf":
        return _leaf(draw)
    one = draw(asked(depth=depth - 1))
    if kind == "not":
        return _Asked(f"not({one.text})", lambda run: not one.true(run))
    other = draw(asked(depth=depth - 1))
    if kind == "and":
        return _Asked(f"({one.text}) AND ({other.text})", lambda run: one.true(run) and other.true(run))
    text = f"({one.text} or {other.text} )"
    return _Asked(text, lambda run: one.true(run) or other.true(run))


@FUZZ
@given(asked())
def test_trees_mean_what_their_naive_twin_says(runs: list[Run], choice: _Asked) -> None:
    wanted = [run for run in runs if choice.true(run)]
    if wanted:
        assert Choice(choice.text).of(runs) == wanted
    else:
        with pytest.raises(SandboxError, match="none of 5 runs has "):
            Choice(choice.text).of(runs)


@FUZZ
@given(
    st.sampled_from(["loss", "miner", "data.name", "margin", "'map@r'", "digest", "tag", "recall_at", "center.weight"]),
    st.sampled_from(["=", "!=", "<"]),
    st.text(max_size=30).filter(lambda text: "'" not in text),
)
def test_any_value_is_compared_or_refused(runs: list[Run], name: str, sign: str, value: str) -> None:
    read_or_refused(lambda: Choice(f"{name} {sign} '{value}'").of(runs))


def test_a_thousand_runs_are_chosen_from(runs: list[Run]) -> None:
    many = [replace(run, seed=seed) for seed in range(200) for run in runs]
    assert len(Choice("loss = arcface and map@r > 0.5 and seed < 100").of(many)) == 100


@pytest.mark.parametrize(
    ("where", "seeds"),
    [
        ("data.fold = all", [1]),
        ("data.fold = 3", [0]),
        ("data.fold < 5", [0]),
        ("data.fold = none", [2]),
        ("data.fold in (all, 3)", [0, 1]),
        ("data.fold != all", [0, 2]),
    ],
)
def test_a_setting_may_be_a_number_or_a_word(where: str, seeds: list[int]) -> None:
    runs = [made(seed=s, data=LfwSpec(name="lfw", view="view2", fold=f)) for s, f in enumerate((3, "all", None))]  # type: ignore[arg-type]
    assert [run.seed for run in Choice(where).of(runs)] == seeds
    with pytest.raises(SandboxError, match=r"data\.fold is a number or all, not 'most'"):
        Choice("data.fold = most").of(runs)
