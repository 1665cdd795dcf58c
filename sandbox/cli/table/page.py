"""What `table.py page` takes and does: the page of a finished run, written anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cli.outputs import file_named, from_here
from sandbox.cli.say import say
from sandbox.cli.table.commands import Chosen, chosen_runs
from sandbox.errors import SandboxError
from sandbox.wording import counted

if TYPE_CHECKING:
    from sandbox.reporting.page.found.material import Material
    from sandbox.reporting.records.run import Run


@dataclass(frozen=True, kw_only=True)
class Command(Chosen):
    """Write the page of a run anew, or one page of several runs side by side."""

    out: str = ""
    """The HTML file to write; the run's own page.html where not given. Several runs need it."""
    root: str = ""
    """Where the data lies now, if not where the runs read it."""


def act(command: Command, results: Path) -> None:
    """Write the page.

    Raises:
        SandboxError: a run has no embeddings, several runs have no --out, or data in --root is not theirs.
    """
    out = file_named("--out", command.out, ".html", "compared.html") if command.out else None
    runs = chosen_runs(command, results)
    if len(runs) > 1 and out is None:
        raise SandboxError(
            f"{counted(len(runs), 'run', 'runs')} are chosen: give --out FILE.html for a page of all, or "
            f"name one folder, such as {from_here(runs[-1].path)}"
        )
    from sandbox.files import write_whole

    place = out or runs[0].path / "page.html"
    text = _page(runs, command.root)
    write_whole(place, text, make_folder=True)
    say(f"{from_here(place)}: {len(text.encode()) / 1e6:.1f} MB")


def _page(runs: Sequence[Run], root: str) -> str:
    from sandbox.reporting.page.found.compared import refuse_others
    from sandbox.reporting.page.found.material import read_material
    from sandbox.reporting.page.written.beside import page_of_runs
    from sandbox.reporting.page.written.write import page_of
    from sandbox.runs.folder import RunFolder

    if len(runs) == 1 and runs[0].facts.get("folds"):
        from sandbox.reporting.page.written.folds import page_of_folds

        return page_of_folds(RunFolder(runs[0].path))
    if len(runs) == 1:
        return page_of(_material(runs[0], root))
    bare = [read_material(RunFolder(run.path)) for run in runs]
    refuse_others(bare)
    return page_of_runs([_material(runs[0], root), *bare[1:]])


def _material(run: Run, root: str) -> Material:
    """A run with its images; without them, and why is said, where its data cannot be read."""
    from sandbox.pictures.run_data import read_splits, refuse_changed
    from sandbox.reporting.page.found.material import pictured, read_material, shown_split
    from sandbox.runs.folder import RunFolder

    folder = RunFolder(run.path)
    read_material(folder)  # what is wrong with the run is said before its data is read
    try:
        splits = read_splits(run.recipe, root)
        refuse_changed(run.path, run.recipe, splits, run.split, root)
    except SandboxError as error:
        if root:
            raise
        say(
            f"note: no pictures, as the data of {run.path} cannot be put to it (--root may say where it is): {error}",
            file=sys.stderr,
        )
        return read_material(folder)
    return read_material(folder, pictured(splits, shown_split(folder)))
