"""The table.py command that is worth typing once a run is over."""

from __future__ import annotations

import shlex
from pathlib import Path

from sandbox.called import prefix
from sandbox.cli.outputs import from_here
from sandbox.errors import SandboxError


def next_table(out: Path, usual: Path, digest: str) -> str:
    """A command that puts the finished runs of a folder into a table, with what that needs where they do not compare.

    Args:
        out: the folder that runs went into.
        usual: the one that table.py looks into by itself.
        digest: of the recipe that was trained last.
    """
    place = [] if out.resolve() == usual.resolve() else [from_here(out)]
    ways: tuple[tuple[list[str], str], ...] = (
        ([], "compares all finished runs"),
        (["--columns", "data.name"], "compares all finished runs, by data set"),
        (["--where", f"digest = {digest}"], "shows this recipe; others were judged on other images or by other rules"),
    )
    words, told = next((way for way in ways if _stands(out, way[0])), ways[-1])
    return f"{shlex.join([*prefix('table'), *place, *words])}        {told}"


def _stands(out: Path, words: list[str]) -> bool:
    """Whether the finished runs of a folder can be put into such a table; true where they cannot be read at all."""
    from sandbox.reporting.records.chosen import Choice
    from sandbox.reporting.records.groups import group
    from sandbox.reporting.records.read import read_runs
    from sandbox.reporting.tables.build import check_columns
    from sandbox.reporting.tables.layout import Layout

    flag, value = words or ("", "")
    try:
        runs, _ = read_runs([out], Choice(value if flag == "--where" else ""))
        groups, _ = group(runs)
    except SandboxError:
        return True
    try:
        check_columns(groups, Layout(columns=(value,) if flag == "--columns" else ()))
    except SandboxError:
        return False
    return True
