"""The table.py line that shows the runs of a sweep, and no others."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.called import prefix
from sandbox.cli.outputs import from_here
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.recipe.sweep import Combination
    from sandbox.reporting.records.chosen import Choice
    from sandbox.reporting.records.run import Run
    from sandbox.reporting.tables.layout import Layout

Key = tuple[str, int]
_SHORT = 8
"""Characters of a digest that tell the recipes of a sweep apart from all others."""
_APART = ("data.", "evaluate.")
"""Settings by which figures do not compare."""


def table_line(
    combination: Combination, keys: Collection[Key], seeds: range, *, out: Path, usual: Path, tags: Sequence[str]
) -> str:
    """A command that was tried: it chooses the runs of these keys alone, and is not refused.

    Args:
        combination: any of the sweep, for the settings that it varies.
        keys: digest and seed of its finished runs.
        seeds: of the sweep.
        out: the folder that they lie in.
        usual: the one that table.py looks into by itself.
        tags: what the runs are called by.
    """
    from sandbox.reporting.records.read import read_runs

    place = [] if out.resolve() == usual.resolve() else [from_here(out)]
    runs, _ = read_runs([out])
    chosen, kept, told = _chosen(runs, set(keys), seeds, tags)
    layout = next((words for words in _layouts([name for name, _ in combination.values]) if _stands(kept, words)), None)
    if layout is None:
        layout, told = ["--mixed"], f"{told}, whose figures do not all compare"
    return f"{shlex.join([*prefix('table'), *place, *chosen, *layout])}        {told}"


def _chosen(
    runs: Sequence[Run], keys: set[Key], seeds: range, tags: Sequence[str]
) -> tuple[list[str], Sequence[Run], str]:
    """Flags that choose runs of these keys alone, those runs, and what is to be said."""
    from sandbox.reporting.records.chosen import Choice

    digests = f"digest in ({', '.join(sorted({digest[:_SHORT] for digest, _ in keys}))})"
    ways: list[tuple[list[str], Choice]] = [([], Choice())]
    ways += [(["--tag", tag], Choice(tags=(tag,))) for tag in tags]
    for where in (digests, f"{digests} and seed >= {seeds[0]} and seed <= {seeds[-1]}"):
        try:
            ways.append((["--where", where], Choice(where)))
        except SandboxError:  # longer than is read
            continue
    for words, choice in ways:
        found = _of(choice, runs)
        if {(run.digest, run.seed) for run in found} == keys:
            return words, found, "compares the runs of this sweep"
    return [], runs, "compares all finished runs, among them those of this sweep (--tag tells them from others)"


def _of(choice: Choice, runs: Sequence[Run]) -> Sequence[Run]:
    try:
        return choice.of(runs)
    except SandboxError:
        return []


def _layouts(swept: Sequence[str]) -> Iterator[list[str]]:
    """Flags of tables, the plainest first: settings down, then one of them, or those that part figures, across."""
    names = ["after" if name == "resume_from" else name for name in swept if name not in ("data.root", "data.images")]
    for across in ([], *([name] for name in names), [name for name in names if name.startswith(_APART)]):
        down = [name for name in names if name not in across] or ["loss"]
        yield [*(["--rows", *down] if down != ["loss"] else []), *(["--columns", *across] if across else [])]
    yield []
    yield ["--columns", "data.name"]


def _stands(runs: Sequence[Run], words: Sequence[str]) -> bool:
    """Whether these runs can be put into such a table."""
    from sandbox.reporting.tables.build import build_table

    try:
        build_table(runs, _layout(words))
    except SandboxError:
        return False
    return True


def _layout(words: Sequence[str]) -> Layout:
    from sandbox.reporting.tables.layout import Layout

    given: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            given[word] = []
        else:
            given[list(given)[-1]].append(word)
    return Layout(rows=tuple(given.get("--rows", ("loss",))), columns=tuple(given.get("--columns", ())))
