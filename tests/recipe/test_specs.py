from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.cli import flags
from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import (
    AugmentSpec,
    BackboneSpec,
    BatchSpec,
    DataSpec,
    EvaluateSpec,
    OptimizerSpec,
    Recipe,
    ScheduleSpec,
    digest,
    flat,
    replace,
)
from sandbox.recipe.text import from_toml, load, to_flags, to_toml

from fuzz import FUZZ, changed, read_or_refused

POSITIVE = st.floats(1e-9, 1e3)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: not text.startswith("-")
)
RECIPES = st.builds(
    Recipe,
    loss=WORDS,
    data=st.builds(DataSpec, root=WORDS, image_size=st.none() | st.integers(4, 256), colour=st.just("grey")),
    augment=st.builds(AugmentSpec, rotate=st.floats(0, 180)),
    backbone=st.builds(BackboneSpec, weights=WORDS, freeze=st.booleans()),
    batch=st.builds(BatchSpec, classes=st.none() | st.integers(2, 99)),
    optimizer=st.builds(OptimizerSpec, name=st.sampled_from(["sgd", "adamw"]), lr=POSITIVE, amsgrad=st.booleans()),
    schedule=st.builds(ScheduleSpec, period=POSITIVE),
    evaluate=st.builds(
        EvaluateSpec,
        recall_at=st.lists(st.integers(1, 99), min_size=1, max_size=3).map(tuple),
        far=st.lists(st.floats(1e-9, 1), min_size=1, max_size=3).map(tuple),
    ),
    epochs=st.none() | st.integers(1, 99),
    seed=st.integers(0, 2**31),
)


@settings(deadline=None, max_examples=60)
@given(RECIPES, WORDS)
def test_a_recipe_reads_back_from_its_toml(recipe: Recipe, header: str) -> None:
    assert from_toml(to_toml(recipe, header)) == recipe


@settings(deadline=None, max_examples=25)
@given(RECIPES)
def test_a_recipe_reads_back_from_its_flags(recipe: Recipe) -> None:
    words = shlex.split(" ".join(to_flags(recipe)))
    assert flags.parse(Recipe, words, prog="x", description="x") == recipe


def test_the_default_recipe_needs_no_flags() -> None:
    assert to_flags(Recipe()) == []


def test_the_header_becomes_comments() -> None:
    assert to_toml(Recipe(), "one\ntwo").startswith("# one\n# two\nloss = ")


def test_what_toml_does_not_name_keeps_its_default() -> None:
    recipe = from_toml('loss = "arcface"\n[optimizer]\nlr = 1\n[evaluate]\nrecall_at = [2]')
    assert recipe == Recipe(loss="arcface", optimizer=OptimizerSpec(lr=1.0), evaluate=EvaluateSpec(recall_at=(2,)))
    assert type(recipe.optimizer.lr) is float


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss = ", "is not valid TOML"),
        ("loss = 'a'\nloss = 'b'", "is not valid TOML"),
        ("los = 'a'", "key 'los', which does not exist; did you mean 'loss'"),
        ("[optimizer]\nlrr = 1", "key 'optimizer.lrr', which does not exist; did you mean 'lr'"),
        ("data = 'omniglot'", "'data' is a table of settings, not 'omniglot'"),
        ("loss = 3", "'loss' is 3, but takes a text"),
        ("[loss]\na = 1", "but takes a text"),
        ("seed = 1.5", "'seed' is 1.5, but takes a whole number"),
        ("seed = true", "'seed' is True, but takes a whole number"),
        ("seed = 2024-01-01", "takes a whole number"),
        ("epochs = '3'", "'epochs' is '3', but takes a whole number"),
        ("[optimizer]\nlr = '1'", "'optimizer.lr' is '1', but takes a number"),
        ("[optimizer]\nlr = true", "'optimizer.lr' is True, but takes a number"),
        ("[optimizer]\namsgrad = 1", "'optimizer.amsgrad' is 1, but takes true or false"),
        ("[data]\ncolour = 'gray'", "takes one of 'auto', 'grey', 'rgb'; did you mean 'grey'"),
        ("[data]\ncolour = ['grey']", "takes one of"),
        ("[data]\nrotations = 3", "'data.rotations' is 3, but takes one of 1, 2, 4"),
        ("[augment]\nerase_fill = 'gray'", "takes one of 'grey', 'noise', 'mixed'; did you mean 'grey'"),
        ("[evaluate]\nrecall_at = 5", "'evaluate.recall_at' is 5, but takes a list"),
        ("[evaluate]\nrecall_at = [1, 2.5]", "is 2.5, but takes a whole number"),
        ("a = " + "[" * 5000, "is not valid TOML|nested too deep"),
    ],
    ids=lambda text: text[:30],
)
def test_a_mistake_in_toml_is_named(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        from_toml(text, source="mine.toml")


def test_a_mistake_names_its_file() -> None:
    with pytest.raises(SandboxError, match=r"^mine\.toml"):
        from_toml("x = 1", source="mine.toml")


CHANGED: dict[str, Any] = {
    **{name: value + 1 if isinstance(value, int | float) else f"{value}x" for name, value in flat(Recipe()).items()},
    **{name: 7 for name, value in flat(Recipe()).items() if value is None},
    **{name: not value for name, value in flat(Recipe()).items() if isinstance(value, bool)},
    **{name: (*value, 0.5) for name, value in flat(Recipe()).items() if isinstance(value, tuple)},
}
IGNORED = {"seed", "device", "threads", "data.root", "resume_from"}


@pytest.mark.parametrize("name", CHANGED)
def test_the_digest_ignores_seed_device_threads_and_root_and_nothing_else(name: str) -> None:
    same = digest(replace(Recipe(), name, CHANGED[name])) == digest(Recipe())
    assert same is (name in IGNORED)


def test_the_digest_is_twelve_hex_digits() -> None:
    assert len(digest(Recipe())) == 12
    int(digest(Recipe()), 16)


def test_replace_changes_one_setting() -> None:
    changed = replace(replace(Recipe(), "optimizer.lr", 0.5), "seed", 3)
    differ = {name for name, value in flat(changed).items() if flat(Recipe())[name] != value}
    assert differ == {"optimizer.lr", "seed"}


def test_the_default_recipe_is_within_its_ranges() -> None:
    check_ranges(Recipe())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data.image_size", 3),
        ("data.min_images", 0),
        ("augment.erase", 1.5),
        ("augment.elastic", 0.6),
        ("augment.stroke", -0.1),
        ("backbone.embedding_dim", 0),
        ("batch.size", 1),
        ("batch.samples", 1),
        ("optimizer.lr", 0.0),
        ("optimizer.lr", float("nan")),
        ("optimizer.lr", float("inf")),
        ("optimizer.weight_decay", -0.1),
        ("schedule.warmup", 1.1),
        ("schedule.period", 0.0),
        ("evaluate.every", 0),
        ("evaluate.recall_at", (1, 0)),
        ("evaluate.far", (0.1, 2.0)),
        ("evaluate.views", 0),
        ("evaluate.views", 65),
        ("evaluate.view_strength", 0.0),
        ("evaluate.view_strength", float("nan")),
        ("optimizer.ema", 1.0),
        ("optimizer.ema", -0.5),
        ("optimizer.ema", float("nan")),
        ("epochs", 0),
        ("max_steps", -1),
        ("max_seconds", 0.0),
        ("max_seconds", float("nan")),
        ("optimizer.layer_decay", 0.0),
        ("optimizer.layer_decay", 1.1),
        ("optimizer.head_first", -1),
        ("seed", -1),
        ("threads", -1),
    ],
)
def test_a_number_out_of_range_is_named_with_its_range(name: str, value: Any) -> None:
    with pytest.raises(SandboxError, match=rf"^{name} is .*, but lies between"):
        check_ranges(replace(Recipe(), name, value))


@pytest.mark.parametrize(
    ("rotations", "rotate", "said"),
    [
        (3, 5.0, "data.rotations is 3, but takes 1"),
        (4, 45.1, "augment.rotate is 45.1, but with data.rotations 4 is at most 45 degrees"),
        (2, 120.0, "augment.rotate is 120, but with data.rotations 2 is at most 90 degrees"),
    ],
)
def test_rotations_that_make_no_classes_of_their_own_are_refused(rotations: int, rotate: float, said: str) -> None:
    recipe = replace(replace(Recipe(), "data.rotations", rotations), "augment.rotate", rotate)
    with pytest.raises(SandboxError, match=f"^{re.escape(said)}"):
        check_ranges(recipe)
    for number, most in ((1, 180.0), (2, 90.0), (4, 45.0)):
        check_ranges(replace(replace(recipe, "data.rotations", number), "augment.rotate", most))


def test_a_strength_without_views_is_refused_and_averages_name_a_recipe_only_where_they_are_asked_for() -> None:
    with pytest.raises(SandboxError, match=r"view_strength is 2\.0, but changes nothing with evaluate\.views 1: give"):
        check_ranges(Recipe(evaluate=EvaluateSpec(view_strength=2.0)))
    plain = Recipe()
    check_ranges(replace(plain, "evaluate", EvaluateSpec(views=2, view_strength=2.0)))
    said = {digest(plain)}
    for name, value in (("evaluate.views", 9), ("optimizer.ema", 0.999)):
        said.add(digest(replace(plain, name, value)))
        assert digest(replace(plain, name, flat(plain)[name])) == digest(plain)
    assert len(said) == 3


@pytest.mark.parametrize("name", ["evaluate.recall_at", "evaluate.far"])
def test_an_empty_list_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match=f"{name} is empty"):
        check_ranges(replace(Recipe(), name, ()))


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(SandboxError, match="leave nothing to train on"):
        check_ranges(dataclasses.replace(Recipe(), data=DataSpec(validation=0.5, test=0.5)))


def test_load_reads_by_name_and_by_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("seed = 4\n")
    assert load("mine", tmp_path).seed == 4
    assert load(str(tmp_path / "mine.toml"), Path("elsewhere")).seed == 4


def test_load_names_what_is_near_or_missing(tmp_path: Path) -> None:
    (tmp_path / "omniglot.toml").write_text("")
    with pytest.raises(SandboxError, match="no recipe named 'omniglt'; did you mean 'omniglot'"):
        load("omniglt", tmp_path)
    with pytest.raises(SandboxError, match="no recipe file at"):
        load(str(tmp_path / "none.toml"), tmp_path)
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SandboxError, match="cannot read the recipe"):
        load("bad", tmp_path)


PLAIN = to_toml(Recipe(), "python experiments/run.py")


@FUZZ
@given(
    st.one_of(
        changed(PLAIN.encode(), most=3),
        st.lists(
            st.sampled_from(
                [
                    *"[]{}=.,'#\"\n",
                    *("data", "loss", "seed", "epochs", "name", "1", "-1", "nan", "inf", "1e400", "9" * 500, "true"),
                    *("[[stages]]", '"' * 3, "'" * 3, "1979-05-27", "0x", "\\u0000", "a." * 400),
                ]
            ),
            max_size=14,
        ).map(lambda parts: "".join(parts).encode()),
    )
)
def test_any_recipe_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "changed.toml"
    file.write_bytes(content)

    def read() -> None:
        check_ranges(load(str(file), tmp_path_factory.getbasetemp(), data_kinds()))

    read_or_refused(read)


@pytest.mark.parametrize(
    "text",
    [
        "loss = " + "[" * 5000 + "]" * 5000,
        "loss." + "a." * 5000 + "a = 1",
        "seed = " + "9" * 5000,
        "seed = 1" + "0" * 400,
        "optimizer.lr = 1e999",
        "optimizer.lr = nan",
        "data = [1]",
        "data.image_size = {a = {b = 1}}",
        "evaluate.far = [[[0.1]]]",
        "seed = 1\nseed = 1",
        "a" * 300_000 + " = 1",
        "loss = '" + "a" * 2**20 + "'",
        "stages = 5",
        "[[stages]]\nname = ['a']",
    ],
    ids=range(14),
)
def test_a_hostile_recipe_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "hostile.toml"
    file.write_text(text)
    with pytest.raises(SandboxError):
        check_ranges(load(str(file), tmp_path))


def test_a_header_with_escapes_is_a_comment_still() -> None:
    recipe = Recipe(data=DataSpec(root="a\x1b[31m\n'b"))
    assert from_toml(to_toml(recipe, "run.py --data.root a\x1b[31m\x7f\udcff")) == recipe
