"""What --list prints: every name, and each of them whole."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm

from sandbox.backbones.catalog import own_backbones
from sandbox.backbones.families import FAMILIES
from sandbox.backbones.libraries import torchvision_names
from sandbox.called import RECIPES
from sandbox.cli.list_part import part
from sandbox.cli.listing import WHAT, listing, recipe_files
from sandbox.data.catalog import data_sets
from sandbox.errors import SandboxError
from sandbox.objectives.catalog import Entry, catalog
from sandbox.objectives.literature import ALIASES, LISTED
from sandbox.recipe.specs import own_settings

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = [(listed, entry) for slot, listed in LISTED.items() for entry in catalog(slot).values()]  # type: ignore[arg-type]


def listed(*words: str) -> str:
    return listing(["--list", *words], RECIPES)


def on_one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_list_fits_and_has_every_name(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    names: dict[str, Any] = {name: [*catalog(slot), *ALIASES[slot]] for slot, name in LISTED.items()}  # type: ignore[arg-type]
    names |= {"data": data_sets(), "backbones": [*own_backbones(), *torchvision_names()]}
    names["recipes"] = recipe_files(RECIPES)
    assert names.keys() == WHAT.keys() - {"matrix"} and all(names.values())
    for what, wanted in names.items():
        text = listed(what)
        assert max(map(len, text.splitlines())) <= columns, what
        assert not [name for name in wanted if name not in text], what
        assert f"--list {what} NAME prints one entry whole" in on_one_line(text)


def test_losses_stand_under_what_they_take() -> None:
    mined, rest = listed("losses").split("with weights, proxies or centres for each class")
    owning, others = rest.split("\nothers\n")
    others, refused = others.split("\nrefused\n")
    for entry in catalog("loss").values():
        if entry.note.refused:
            place = refused
        elif entry.tuples == "mined":
            place = mined
        else:
            place = owning if "num_classes" in entry.sizes else others
        assert f"\n  {entry.name}" in f"\n{place}", entry.name


@pytest.mark.parametrize(("what", "entry"), ENTRIES, ids=[f"{what} {entry.name}" for what, entry in ENTRIES])
def test_an_entry_is_printed_whole(monkeypatch: pytest.MonkeyPatch, what: str, entry: Entry) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = part(what, entry.name, tried=False)
    assert text.splitlines()[0] == entry.name and max(map(len, text.splitlines())) <= 80
    flat = on_one_line(text)
    for wanted in (entry.note.line, entry.note.citation, entry.note.refused, *entry.aliases, *entry.parameters):
        assert on_one_line(wanted) in flat
    assert flat.count("a bare tune() searches") == (entry.slot == "loss") + sum(
        parameter.tune is not None for parameter in entry.parameters.values()
    )
    code = flat.split(" code: ")[1].split(" parameters:")[0]
    if entry.own:
        assert (ROOT / code.split()[2].strip(",")).is_file()
    else:
        module, _, name = code.rpartition(".")
        assert getattr(importlib.import_module(module), name) is entry.make


def test_the_file_of_a_loss_written_here_begins_with_its_equation() -> None:
    own = [entry for entry in catalog("loss").values() if entry.own]
    assert own
    for entry in own:
        assert "which begins with its equation" in on_one_line(part("losses", entry.name, tried=False))
        assert " = " in (inspect.getmodule(entry.make).__doc__ or ""), entry.name


def test_a_short_name_with_values_says_what_it_stands_for() -> None:
    text = listed("miners", "semihard")
    assert "semihard is triplet_margin(type_of_triplets='semihard')" in text and "easy (triplet_margin(" in text
    triplet = part("losses", "triplet", tried=False)
    assert "triplet\n" in triplet and "here:" not in triplet


def test_a_data_set_says_where_it_is_and_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name, one in data_sets().items():
        text = listed("data", name)
        assert max(map(len, text.splitlines())) <= 80
        flat = on_one_line(text)
        assert one.line in flat and one.citation in flat and "--data.normalize" in flat
        assert all(f"setting: --data.{setting}:" in flat for setting in own_settings(one.settings))
        assert ("--data.root PATH" in flat) == (one.source == "folder")


def test_a_network_says_its_size() -> None:
    text = listed("backbones", "conv4")
    weights = 3 * 9 * 32 + 32 * 9 * 64 + 64 * 9 * 128 + 128 * 9 * 256  # and two for each channel, in batch norm
    assert f"parameters:   {weights + 2 * (32 + 64 + 128 + 256):,} at 32 pixels" in text
    assert "features:     4,096" in text and "of 8 pixels and more" in text
    assert "images a second here" in on_one_line(text) and "in a try of half a second" in on_one_line(text)


def test_a_network_of_a_library_says_what_it_takes_and_costs() -> None:
    text = on_one_line(listed("backbones", "timm:test_vit"))
    count = sum(weights.numel() for weights in timm.create_model("test_vit", num_classes=0).parameters())
    assert f"parameters: {count:,} at 160 pixels and 3 channels" in text and "of 16 pixels and more" in text
    assert "made for images of 160 pixels cut out of 168 (bicubic; mean 0.5, 0.5, 0.5, deviation 0.5, 0.5, 0.5)" in text
    assert " multiply-adds for such an image" in text and "features: 64," in text
    text = on_one_line(listed("backbones"))
    assert all(f" {family.name} " in text and family.citation in text for family in FAMILIES)


def test_a_recipe_is_printed_as_it_is_and_listed_with_its_first_line() -> None:
    file = (RECIPES / "quick.toml").read_text()
    assert listed("recipes", "quick") == file.rstrip()
    assert file.splitlines()[0].removeprefix("# ") in on_one_line(listed("recipes"))


def test_several_entries_and_no_word() -> None:
    assert listed("miners", "hard", "hdc").count("\n===") == 2
    assert listing(["--list=miners", "hard"], RECIPES) == listed("miners", "hard")
    assert all(f"  {what} " in listed() for what in WHAT)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--list", "looses"], "no list named 'looses'; did you mean 'losses'?"),
        (["--list", "losses", "trplet"], "no loss named 'trplet'; did you mean 'triplet'?"),
        (["--list", "losses", "hard"], "'hard' is a miner, but stands where a loss is expected"),
        (["--list", "distances", "cosin"], "no distance named 'cosin'; did you mean 'cosine'?"),
        (["--list", "distances", "qqqq"], "no distance named 'qqqq'; there are "),
        (["--list", "data", "digts"], "no data set named 'digts'; did you mean 'digits'?"),
        (["--list", "data", "list"], "no data set named 'list' (python experiments/run.py --list data names them)"),
        (["--list", "backbones", "conv5"], "no backbone named 'conv5'; did you mean 'conv"),
        (["--list", "backbones", "torchvision:resnet19"], "did you mean 'resnet18'?"),
        (["--list", "recipes", "quik"], "no recipe named 'quik'; did you mean 'quick'?"),
        (["--list", "losses", "--loss", "arcface"], "--loss has no place beside --list, which prints and stops; "),
        (["--seed", "1", "--list"], "--seed has no place beside --list, which prints and stops"),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], said: str) -> None:
    with pytest.raises(SandboxError) as caught:
        listing(words, RECIPES)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_the_command_prints_and_stops(command: Callable[..., Any]) -> None:
    said = command("run.py", "--list", "recipes")
    assert said.code == 0 and "quick" in said.out and said.err == ""
    said = command("run.py", "--list", "losses", "--loss", "arcface")
    assert said.code == 2 and said.out == "" and "--list losses NAME prints one entry whole" in said.err
    assert "--list WHAT [NAME ...]" in command("run.py", "--help", "--list").out
