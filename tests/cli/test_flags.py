from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import pytest
import tyro

from sandbox.cli import flags
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe, flat


@dataclass(frozen=True, kw_only=True)
class Command:
    """A recipe and one flag more, as the commands have it."""

    settings: Annotated[Recipe, tyro.conf.arg(name="")] = Recipe()
    seeds: int = 1
    """Seeds."""


def parse(*words: str) -> Recipe:
    return flags.parse(Recipe, words, prog="python run.py", description="Trains.")


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--loss", "arcface + 0.1*center"], "loss", "arcface + 0.1*center"),
        (["--optimizer.lr", "1e-3"], "optimizer.lr", 1e-3),
        (["--optimizer.lr=2"], "optimizer.lr", 2.0),
        (["--data.image_size", "32"], "data.image_size", 32),
        (["--data.image-size", "32"], "data.image_size", 32),
        (["--backbone.freeze"], "backbone.freeze", True),
        (["--evaluate.recall_at", "1", "2"], "evaluate.recall_at", (1, 2)),
    ],
)
def test_a_dotted_flag_sets_one_setting(words: list[str], name: str, value: object) -> None:
    assert flat(parse(*words)) == {**flat(Recipe()), name: value}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--optimizer.lrr", "1"], "no flag '--optimizer.lrr'; did you mean '--optimizer.lr'"),
        (["--optimiser.lr", "1"], "did you mean '--optimizer.lr'"),
        (["--qqq"], r"no flag '--qqq' \(--help lists them\)"),
        (["triplet"], "'triplet' stands where no value is expected"),
        (["--optimizer.lr", "x"], "--optimizer.lr: could not convert string to float: 'x'"),
        (["--seed", "1.5"], "--seed: .*'1.5'"),
        (["--data.colour", "gray"], "invalid choice 'gray'.*'auto', 'grey', 'rgb'"),
        (["--loss"], "[Mm]issing value.*--loss"),
        (["--evaluate.recall_at", "1", "x"], "--evaluate.recall_at: .*'x'"),
    ],
)
def test_a_mistake_is_one_sentence_without_a_frame(words: list[str], said: str) -> None:
    with pytest.raises(SandboxError, match=said) as caught:
        parse(*words)
    text = str(caught.value)
    assert "\n" not in text
    assert not set("│╭╰╮╯─") & set(text)


def test_a_default_lies_under_the_flags() -> None:
    base = Recipe(seed=5, epochs=3)
    assert flags.parse(Recipe, ["--seed", "6"], prog="x", description="x", default=base) == Recipe(seed=6, epochs=3)


def test_a_field_without_a_name_adds_no_prefix() -> None:
    command = flags.parse(Command, ["--data.name", "digits", "--seeds", "3"], prog="x", description="x")
    assert (command.settings.data.name, command.seeds) == ("digits", 3)
    assert flags.flag_names(Command) == [*flat(Recipe()), "seeds"]


def test_help_names_every_flag_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse("--help")
    assert end.value.code in (0, None)
    said = capsys.readouterr().out
    assert "python run.py" in said
    assert all(f"--{name}" in said for name in ("optimizer.lr", "data.name", "loss", "evaluate.patience"))


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--recipe", "a", "--seed", "1"], "a"),
        (["--recipe=a b"], "a b"),
        (["--seed", "1"], ""),
        (["--recipe"], ""),
        (["--recipes", "a"], ""),
    ],
)
def test_a_value_is_found_before_the_flags_are_read(words: list[str], value: str) -> None:
    assert flags.value(words, "--recipe") == value


def test_a_flag_at_its_default_was_given_all_the_same() -> None:
    words = ["--data.test", "0.25", "--embedding-dim=8", "--no-pictures", "--loss", "a --b", "-x"]
    assert flags.given(words) == {"data.test", "embedding_dim", "no_pictures", "loss"}


def test_the_command_is_quoted_as_a_shell_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["experiments/run.py", "--loss", "arcface + center"])
    assert flags.program() == "python experiments/run.py --loss 'arcface + center'"


@pytest.mark.parametrize(("value", "text"), [(0.123456, "0.1235"), (12, "12"), ("a", "a"), (1e-7, "1e-07")])
def test_short_keeps_four_digits(value: object, text: str) -> None:
    assert flags.short(value) == text


def test_a_flag_of_several_values_is_given_once_with_at_least_one() -> None:
    with pytest.raises(
        SandboxError, match=r"'--evaluate.far' is given twice; several values stand behind one: --evaluate"
    ):
        parse("--evaluate.far", "0.1", "--evaluate.far", "0.2")
    for words in (("--evaluate.far",), ("--evaluate.far", "--seed", "1")):
        with pytest.raises(SandboxError, match=r"no value stands behind --evaluate\.far"):
            parse(*words)
    assert parse("--evaluate.far", "0.1", "0.2").evaluate.far == (0.1, 0.2)


def test_a_flag_given_twice_is_refused() -> None:
    with pytest.raises(SandboxError, match="'--seed' is given twice"):
        parse("--seed", "1", "--seed=2")
