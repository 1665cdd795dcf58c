"""What --list prints: the names of a catalogue, a line each, or one of them whole."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.called import called
from sandbox.cli.help import overview, width, wrap
from sandbox.errors import SandboxError, unknown
from sandbox.objectives.literature import LISTED

if TYPE_CHECKING:
    from sandbox.objectives.catalog import Entry

PROG = f"{called('run')} --list"
WHAT = {
    "losses": "what an objective is made of",
    "miners": "what chooses the pairs and triplets of a batch",
    "distances": "how alike two embeddings are, inside a loss",
    "reducers": "how many losses become one number, inside a loss",
    "regularizers": "what is added for the embeddings or the class weights, inside a loss",
    "data": "data sets",
    "backbones": "networks",
    "recipes": "what comes with the sandbox, by name",
    "matrix": "losses by miners: which pairs train, are refused or cost more than they give",
}
_SLOTS: dict[str, Any] = {name: slot for slot, name in LISTED.items()}


def listing(argv: Sequence[str], recipes: Path) -> str:
    """What a command with --list among its words prints.

    Args:
        argv: the words after the command's name.
        recipes: the folder of recipes.

    Raises:
        SandboxError: no such catalogue or name in it, or flags beside --list.
    """
    from sandbox.cli import list_entry

    words, others = _words(argv)
    if words and words[0] not in WHAT:
        raise unknown("list", words[0], WHAT, f"{PROG} says what there is to be listed")
    if others:
        entry = f"; {PROG} {words[0]} NAME prints one entry whole" if words else ""
        raise SandboxError(f"{others[0]} has no place beside --list, which prints and stops{entry}")
    if not words:
        return overview([f"{PROG} WHAT [NAME ...]"], WHAT, f"{PROG} WHAT NAME prints one entry whole.")
    what, names = words[0], words[1:]
    if what == "matrix":
        from sandbox.cli.list_matrix import matrix

        return matrix(names)
    if names:
        return "\n\n".join(list_entry.entry(what, name, recipes) for name in names)
    parts = {"data": _data, "backbones": _backbones, "recipes": lambda: _recipes(recipes)}
    body = parts[what]() if what in parts else _losses() if what == "losses" else _slot(what)
    last = f"{PROG} {what} NAME prints one entry whole."
    if what == "losses":
        last += " Distances, reducers and regularizers, which stand inside a loss, are listed apart."
    return "\n".join([*heading(what), *body, "", wrap(last, width())])


def _words(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that belong to --list, and all others."""
    place = next(place for place, word in enumerate(argv) if word.partition("=")[0] == "--list")
    first, _, rest = argv[place].partition("=")
    words = [rest] if first != argv[place] else []
    end = place + 1
    while end < len(argv) and not argv[end].startswith("-"):
        words.append(argv[end])
        end += 1
    return words, [*argv[:place], *argv[end:]]


def heading(text: str) -> list[str]:
    """A title and the line below it."""
    return [text, "=" * len(text)]


def row(name: str, text: str, column: int = 24) -> str:
    """A name and what is said of it, beside it or, where it is long, below it."""
    column = min(column, width() // 3)
    if len(name) + 4 > column:
        return f"  {name}\n{hung(text, ' ' * column, column)}" if text else f"  {name}"
    return hung(text, f"  {name}".ljust(column), column)


def hung(text: str, head: str, column: int) -> str:
    """A text behind its head, its further lines under its first."""
    return textwrap.fill(
        text,
        width(),
        initial_indent=head,
        subsequent_indent=" " * column,
        break_long_words=False,
        break_on_hyphens=False,
    )


def joined(names: Iterable[str], indent: int = 4) -> str:
    """Many names, wrapped."""
    return hung(", ".join(names), " " * indent, indent)


def _losses() -> list[str]:
    from sandbox.objectives.catalog import catalog

    entries = [entry for entry in catalog("loss").values() if not entry.note.refused]
    mined = [entry for entry in entries if entry.tuples == "mined"]
    owning = [entry for entry in entries if "num_classes" in entry.sizes and entry not in mined]
    parts = {
        "of pairs and triplets, which take a miner": mined,
        "with weights, proxies or centres for each class": owning,
        "others": [entry for entry in entries if entry not in mined and entry not in owning],
        "refused": [entry for entry in catalog("loss").values() if entry.note.refused],
    }
    rows = []
    for title, found in parts.items():
        rows += ["", title, *(row(entry.name, _line(entry)) for entry in found)]
    return rows[1:]


def _slot(what: str) -> list[str]:
    from sandbox.objectives.catalog import catalog

    return [
        row(entry.name, ("refused: " if entry.note.refused else "") + _line(entry))
        for entry in catalog(_SLOTS[what]).values()
    ]


def _line(entry: Entry) -> str:
    also = f" (also {', '.join(entry.aliases)})" if entry.aliases else ""
    return entry.note.refused or f"{entry.note.line}{also}"


def _data() -> list[str]:
    from sandbox.data.catalog import data_sets

    titles = {"embedded": "embedded", "downloaded": "downloaded", "folder": "read from --data.root"}
    rows: list[str] = []
    for source, title in titles.items():
        rows += ["", title, *(row(one.name, one.line, 14) for one in data_sets().values() if one.source == source)]
    return rows[1:]


def _backbones() -> list[str]:
    from sandbox.backbones.catalog import own_backbones
    from sandbox.backbones.families import FAMILIES
    from sandbox.backbones.libraries import timm_names, torchvision_names

    rows = [row(name, own.line) for name, own in own_backbones().items()]
    rows += ["", "families", *(row(f.name, f"{f.line} ({f.citation}): {', '.join(f.networks)}", 16) for f in FAMILIES)]
    rows += ["", "torchvision:NAME, where NAME is one of", joined(torchvision_names()), ""]
    try:
        timm = f"timm:NAME, where NAME is one of timm's {len(timm_names()):,} (timm.list_models() names them)"
    except SandboxError:
        timm = "timm:NAME, once timm is installed (pip install timm)"
    return [*rows, wrap(timm, width())]


def _recipes(folder: Path) -> list[str]:
    return [row(name, first_comment(path)) for name, path in recipe_files(folder).items()]


def recipe_files(folder: Path) -> dict[str, Path]:
    """Every recipe of a folder by its name, sorted."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def first_comment(path: Path) -> str:
    """The first line of a recipe, if it is a comment."""
    line = path.read_text(encoding="utf-8").partition("\n")[0]
    return line.removeprefix("#").strip() if line.startswith("#") else ""
