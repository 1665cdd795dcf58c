"""The ledger of a table: NAME.csv beside it, a line a run, from which the table goes on when the run folders are gone.

digest, seed, objective, split, steps, tags, after     which run it was
run                                                    the run.py line that makes it again
test/retrieval/map@r, ... low, ... high, ... n, ...    every figure as report.json has it, in full
raw pixels/test/retrieval/map@r, ...                   the same of its baselines
facts                                                  what else run.json says of it, the typed command among it
check                                                  of the line: a line that was changed by hand is refused
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.files import parse_json, reading, write_whole
from sandbox.recipe.specs import digest
from sandbox.reporting.records.ledger_line import FIRST, LAST, cells_of, place, recipe_of, reports_of
from sandbox.reporting.records.run import Run
from sandbox.wording import printable, reason

_LARGEST = 64 * 2**20  # bytes; a line has some thousands


def beside(table: Path) -> Path:
    """The ledger of a table: NAME.csv; NAME.runs.csv where the table itself is NAME.csv."""
    return table.with_suffix(".runs.csv" if table.suffix == ".csv" else ".csv")


def check_place(table: Path) -> None:
    """Refuse a table, or its ledger, in the place of the other: NAME.md and NAME.csv would take each other's file.

    Raises:
        SandboxError: names the file that would be lost.
    """
    if table.suffix == ".csv" and is_ledger(table):
        raise SandboxError(f"--out {table} holds the runs of a table, which is made again from it; name another file")
    kept = beside(table)
    if kept.exists() and not is_ledger(kept):
        raise SandboxError(
            f"the runs of --out {table} would go to {kept.name} beside it, which holds something else, such as a "
            "table written as CSV; name another file, or move that one"
        )


def write(path: Path, runs: Sequence[Run], header: str = "") -> None:
    """Write a line a run, whole or not at all.

    Args:
        path: the file, `beside` its table.
        runs: in the order of the lines.
        header: lines on how the runs were made, as at the head of the table; they become comments.

    Raises:
        SandboxError: the place cannot be written.
    """
    rows = [cells_of(run) for run in runs]
    figures = list(dict.fromkeys(name for row in rows for name in row if name not in (*FIRST, *LAST)))
    columns = [*FIRST, *sorted(figures, key=place), *LAST]
    stream = io.StringIO()
    for line in (*header.splitlines(), *_versions(runs)):
        stream.write(f"# {printable(line)}\n")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = [row.get(name, "") for name in columns[:-1]]
        writer.writerow([*cells, _check(columns, cells)])
    write_whole(path, stream.getvalue(), make_folder=True)


def is_ledger(path: Path) -> bool:
    """Whether a file is one, by its columns; a table may end in .csv too."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for line in stream:
                if not line.startswith("#"):
                    return line.startswith(",".join(FIRST))
    except (OSError, ValueError):
        pass
    return False


def read(path: Path) -> list[Run]:
    """The runs of a ledger, in its order; the path of each is the ledger's.

    Raises:
        SandboxError: there is no such file, it is no ledger, or a line is broken or was changed; its number is named.
    """
    if not path.is_file():
        raise SandboxError(f"there is no ledger {path}")
    with reading("the ledger", path):
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"it is longer than {_LARGEST:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    head = 0
    while text.startswith("#"):
        text, head = text.partition("\n")[2], head + 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    runs: list[Run] = []
    columns: list[str] = []
    try:
        for cells in reader:
            if columns:
                runs.append(_run(path, f"{path}, line {head + reader.line_num}", columns, cells))
            else:
                columns = _columns(path, cells)
    except csv.Error as error:
        raise SandboxError(f"{path}, line {head + reader.line_num}: {reason(error)}") from None
    if not columns:
        raise SandboxError(f"{path} is empty, and no ledger of runs")
    return runs


def _columns(path: Path, cells: list[str]) -> list[str]:
    if cells[: len(FIRST)] != [*FIRST] or cells[-len(LAST) :] != [*LAST]:
        raise SandboxError(
            f"{path} is no ledger of runs: its columns begin with {', '.join(FIRST)} and end with {', '.join(LAST)}"
        )
    if len(set(cells)) < len(cells):
        raise SandboxError(f"{path} has a column twice")
    return cells


def _versions(runs: Sequence[Run]) -> list[str]:
    """A line for each set of libraries that the runs were trained with."""
    found: dict[str, int] = {}
    for run in runs:
        versions = run.facts.get("versions")
        if isinstance(versions, dict):
            line = ", ".join(f"{name} {version}" for name, version in versions.items())
            found[line] = found.get(line, 0) + 1
    return [f"{count:,} of {len(runs):,} runs with {line}" for line, count in found.items()]


def _check(columns: Sequence[str], cells: Sequence[str]) -> str:
    """12 hex characters of what a line says, whatever the order of its columns."""
    said = json.dumps(sorted((name, cell) for name, cell in zip(columns, cells, strict=False) if cell))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _run(path: Path, line: str, columns: list[str], cells: list[str]) -> Run:
    """The run of a line.

    Raises:
        SandboxError: the line is broken, or was changed.
    """
    if len(cells) != len(columns):
        raise SandboxError(f"{line} is broken: it has {len(cells):,} cells, where the head has {len(columns):,}")
    if cells[-1] != _check(columns[:-1], cells[:-1]):
        raise SandboxError(
            f"{line} was changed or cut after it was written: its figures are no longer those of the run; "
            "take the line as it was, or take it away"
        )
    row = dict(zip(columns, cells, strict=True))
    try:
        recipe = recipe_of(row)
    except SandboxError as error:
        raise SandboxError(f"{line}: {error}") from None
    if (digest(recipe), str(recipe.seed)) != (row["digest"], row["seed"]):
        raise SandboxError(
            f"{line} names the digest {row['digest']} and seed {row['seed']}, but its run.py line makes "
            f"{digest(recipe)} and {recipe.seed}"
        )
    try:
        reports = reports_of(row)
        facts = parse_json(row["facts"]) if row["facts"] else {}
        tags = tuple(map(str, parse_json(row["tags"]))) if row["tags"] else ()
        facts |= {"objective": recipe.loss, "tags": list(tags)} | ({"steps": int(row["steps"])} if row["steps"] else {})
    except (TypeError, ValueError) as error:
        raise SandboxError(f"{line} is broken: {reason(error)}") from None
    report, typed = reports.pop("", {}), str(facts.get("command", row["run"]))
    return Run(path, row["digest"], recipe.seed, recipe, report, row["split"], typed, tags, reports, facts)
