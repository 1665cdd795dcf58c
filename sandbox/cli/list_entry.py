"""One entry of a catalogue whole: all that is known of a loss, a miner, a data set, a network or a recipe."""

from __future__ import annotations

import inspect
from pathlib import Path

from sandbox.called import called
from sandbox.cli.help import docs
from sandbox.cli.listing import PROG, heading, hung, joined, recipe_files
from sandbox.errors import SandboxError, unknown
from sandbox.recipe.size import times
from sandbox.recipe.specs import DataSpec, own_settings

_ROOT = Path(__file__).resolve().parents[2]
LABEL = 14


def entry(what: str, name: str, recipes: Path) -> str:
    """All that is known of a name.

    Args:
        what: the list that it stands in.
        name: canonical, or a short one.
        recipes: the folder of recipes.

    Raises:
        SandboxError: nothing in that list is called so; the nearest is named.
    """
    if what == "recipes":
        return _recipe(name, recipes)
    if what == "data":
        return _data_set(name)
    if what == "backbones":
        from sandbox.cli.list_backbone import backbone

        return backbone(name)
    from sandbox.cli.list_part import part

    return part(what, name)


def said(label: str, text: str) -> str:
    """A label and what belongs to it."""
    return hung(text, f"{label}:".ljust(LABEL), LABEL)


def code_of(kind: type) -> str:
    """Where the code is."""
    if not kind.__module__.startswith("sandbox."):
        package = ".".join(kind.__module__.split(".")[:2])
        return f"{package}.{kind.__name__}"
    return f"written here: {Path(inspect.getfile(kind)).relative_to(_ROOT)}"


def _data_set(name: str) -> str:
    from sandbox.data.catalog import data_sets

    if name not in data_sets():
        raise unknown("data set", name, data_sets(), f"{PROG} data names them")
    one = data_sets()[name]
    where = {
        "embedded": "embedded: nothing is downloaded, and --data.root is not taken",
        "downloaded": "downloaded into the cache, or read from --data.root",
        "folder": "read from --data.root, which must be given",
    }
    rows = [*heading(name), said("what", one.line)]
    rows += [said("source", one.citation)] if one.citation else []
    rows.append(said("where", where[one.source]))
    size = "as the files are found" if one.image_size is None else f"{times(one.image_size)} pixels"
    rows.append(said("images", f"{size}, unless --data.image_size says otherwise"))
    rows.append(said("splits", f"{', '.join(one.splits)} (--data.split)"))
    own, told = own_settings(one.settings), docs(one.settings)
    for setting, default in own.items():
        rows.append(said("setting", f"--data.{setting}: {told.get(setting, '')} (default: {default!r})"))
    shared = ", ".join(f"--data.{setting}" for setting in docs(DataSpec) if setting not in ("name", "root"))
    rows += ["settings of every data set (run.py --help tells what they do):", joined(shared.split(", "), 2)]
    root = " --data.root PATH" if one.source == "folder" else ""
    return "\n".join([*rows, said("look at it", f"{called('data')} show --data.name {name}{root}")])


def _recipe(name: str, folder: Path) -> str:
    files = recipe_files(folder)
    if name not in files:
        raise unknown("recipe", name, files, f"{PROG} recipes names them")
    try:
        return files[name].read_text(encoding="utf-8").rstrip()
    except (OSError, ValueError) as error:
        raise SandboxError(f"cannot read {files[name]}: {error}") from None
