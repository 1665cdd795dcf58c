"""`table`: finished runs as a table, in any of its forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.api.given import options, place, text, texts
from sandbox.errors import unknown
from sandbox.files import write_whole
from sandbox.reporting.records.chosen import Choice
from sandbox.reporting.records.read import read_runs
from sandbox.reporting.tables.build import build_table
from sandbox.reporting.tables.layout import Layout
from sandbox.reporting.tables.written.render import render, style_of

STYLES = ("terminal", "markdown", "latex", "csv", "html")


@dataclass(frozen=True)
class Table:
    """Objectives down, figures across, the seeds of one recipe as one cell (mean, 95 % t-interval)."""

    built: Any
    """A `sandbox.reporting.tables.table.Table`: its columns, rows and caption as plain data."""
    notes: tuple[str, ...] = ()
    """Sentences on runs that were left out."""

    def __str__(self) -> str:
        return render(self.built, "terminal")

    def _repr_markdown_(self) -> str:
        return self.text("markdown")

    def text(self, style: str) -> str:
        """The table as ``terminal``, ``markdown``, ``latex``, ``csv`` or ``html``."""
        if style not in STYLES:
            raise unknown("style of a table", style, STYLES)
        return render(self.built, style)

    def save(self, path: str | Path) -> Path:
        """Write it to a file, in the form of its ending (.md, .tex, .csv, .html)."""
        write_whole(Path(path), render(self.built, style_of("auto", str(path))), make_folder=True)
        return Path(path)


def table(
    runs: str | Path | Sequence[str | Path] = "results/runs",
    *,
    where: str = "",
    tags: Sequence[str] = (),
    **layout: Any,
) -> Table:
    """Finished runs as a table.

    Args:
        runs: run folders, or folders that hold them.
        where: only runs of which this is true, such as ``"data.name = glyphs and seed < 5"``.
        tags: only runs that were given one of these.
        layout: as the flags of the command table: `rows`, `columns`, `metrics`, `sort`, `percent`, `baselines`,
            `baseline`, `cost`, `mixed`, `caption`.

    Raises:
        SandboxError: no such folder, no finished run that is wanted, or figures that do not compare.
    """
    asked = options(Layout, layout, "option of table")
    several: Iterable[Any] = [runs] if isinstance(runs, str | Path) or not isinstance(runs, Iterable) else runs
    places = [place("runs", one) for one in several]
    found, notes = read_runs(places, Choice(text("where", where), texts("tags", tags)))
    return Table(build_table(found, Layout(**asked)), tuple(notes))
