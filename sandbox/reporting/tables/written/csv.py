"""A table as CSV: report keys, every number unrounded, seeds, letters and digests."""

from __future__ import annotations

import csv
import io
import math

from sandbox.reporting.tables.lettering import BOLD
from sandbox.reporting.tables.table import Cell, Column, Table
from sandbox.wording import printable


def written(table: Table, header: str = "") -> str:
    """Comment lines that begin with #, then heads and rows.

    A figure has the columns KEY (the mean), KEY low, KEY high, KEY n, KEY seeds and KEY letters; where something stands
    across, KEY begins with its value and a colon.
    """
    said = [*header.splitlines(), table.caption.title, *(note for note in table.caption.notes if note != BOLD)]
    out = io.StringIO()
    out.writelines(f"# {printable(line)}\n" for line in said)
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([name for column in table.columns for name in _heads(column)] + ["digests"])
    for row in table.rows:
        pairs = zip(table.columns, row.cells, strict=True)
        values = [value for column, cell in pairs for value in _values(column, cell)]
        rows.writerow([*values, " ".join(row.digests)])
    return out.getvalue()


def _heads(column: Column) -> list[str]:
    key = f"difference {column.key}" if column.kind == "difference" else column.key
    key = f"{column.block}: {key}" if column.block else key
    if column.kind in ("figure", "difference"):
        return [key, *(f"{key} {part}" for part in ("low", "high", "n", "seeds", "letters"))]
    return [key]


def _values(column: Column, cell: Cell) -> list[str]:
    if column.kind == "setting":
        return [cell.text]
    value = _number(cell.value) or cell.text
    if column.kind in ("count", "cost"):
        return [value]
    ends = [_number(cell.value - cell.half), _number(cell.value + cell.half)]
    many = str(len(cell.seeds)) if cell.seeds else ""
    return [value, *ends, many, " ".join(map(str, cell.seeds)), cell.letters]


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) > 1 else repr(float(value))
