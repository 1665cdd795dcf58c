"""Where the runs of a table are looked for, and which table a ledger stands beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sandbox.called import called
from sandbox.cli import flags
from sandbox.reporting.again.header import Header


def places_of(words: Sequence[str]) -> tuple[str, ...]:
    """The folders of runs, or ledgers, among the words of a table.py command."""
    from sandbox.cli.commands import table

    command = flags.parse(table.Command, list(words), prog=called("table"), description="")
    return tuple(getattr(command, "runs", ()))


def folders_of(header: Header, given: Sequence[str], results: Path) -> tuple[list[Path], list[str]]:
    """The folders that hold runs of a table, and those that its head names and that are not here.

    Args:
        header: of the table.
        given: what --in says, which counts alone.
        results: the folder of runs, studies and tables; its runs are looked at where the head names no folder that is
            here.
    """
    if given:
        return [Path(place) for place in given], []
    built, home = header.built, results.parent
    names = places_of(built.words) if built and built.program == "table" else ()
    there, gone = [], []
    for name in names:
        found = next((place for place in (Path(name), home / name) if place.is_dir()), None)
        if found is not None:
            there.append(found)
        elif not name.endswith(".csv"):  # the runs of a ledger are in the table's own as well
            gone.append(name)
    return list(dict.fromkeys(there)) or [results / "runs"], gone


def trained_into(folders: Sequence[Path]) -> Path:
    """The folder that new runs go into: the first; where that is a run, the folder that it lies in."""
    return folders[0].parent if (folders[0] / "run.json").is_file() else folders[0]


def table_of(header: Header) -> Path | None:
    """The table that a ledger stands beside, by the command that wrote both; None where it is not here."""
    assert header.built is not None
    named = flags.value(header.built.words, "--table" if header.built.program == "tune" else "--out")
    places = (header.path.parent / Path(named).name, Path(named)) if named else ()
    return next((place for place in places if place.is_file() and place != header.path), None)
