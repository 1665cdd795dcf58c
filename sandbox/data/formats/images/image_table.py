"""A list of images as a table: what a CSV, a TSV or a Parquet file says of each, as text.

The columns are those of open-metric-learning (its `docs/source/contents/dataset_format.md` and
`oml/utils/dataframe_format.py`): `label` and `path`, and where there `split`, `is_query`, `is_gallery`, `category` and
a box `x_1`, `x_2`, `y_1`, `y_2` (left, right, top, bottom).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.data.formats.list_text import read_text
from sandbox.data.formats.pairs.pair_tables import check_length, csv_rows, plain_column
from sandbox.errors import SandboxError, near
from sandbox.wording import counted, first_names, shown

NEEDED = ("label", "path")
KNOWN = (*NEEDED, "split", "is_query", "is_gallery", "category", "x_1", "x_2", "y_1", "y_2", "camera")
_NUMBER = re.compile(r"-?[0-9]+(\.0+)?")


@dataclass(frozen=True)
class ImageTable:
    """A table with a row for each image."""

    file: Path
    unit: str
    """What its rows are counted in: ``line`` or ``row``."""
    numbers: Sequence[int]
    """(N,) the line or row of each."""
    columns: dict[str, list[str]]
    """(N,) texts by name, empty where there is none; known columns are called as they are in `KNOWN`."""
    notes: tuple[str, ...] = ()
    content: Callable[[int], bytes] | None = None
    """The encoded image of a row, counted from 0, where the table holds the images themselves."""

    def where(self, row: int) -> str:
        """``list.csv line 3``."""
        return f"{self.file} {self.unit} {self.numbers[row]}"


def read_text_table(file: Path) -> ImageTable:
    """Read a CSV or TSV with a header.

    Raises:
        SandboxError: no text, no CSV, a row of another length, no rows, or columns that are absent or there twice.
    """
    text = read_text(file, "the table", "table")
    begin = next((place for place, line in enumerate(text.lines) if line.strip()), 0)
    rows = csv_rows(file, text.lines, begin, _delimiter(file, text.lines[begin]))
    header = known_columns(file, rows[0].fields)
    for row in rows[1:]:
        check_length(file, row, len(header))
    if len(rows) < 2:
        raise SandboxError(f"{file} has a header but names no images")
    refuse_absent(file, header)
    columns = {name: [row.fields[place] for row in rows[1:]] for place, name in enumerate(header) if name}
    return whole_numbers(ImageTable(file, "line", [row.number for row in rows[1:]], columns, text.notes))


def known_columns(file: Path, names: Sequence[str]) -> list[str]:
    """The names of the columns, known ones spelt as in `KNOWN`.

    Raises:
        SandboxError: two columns have one name.
    """
    known = {plain_column(name): name for name in KNOWN}
    header = [known.get(plain_column(name), name) for name in names]
    for place, name in enumerate(header):
        if name and name in header[:place]:
            raise SandboxError(f"{file} has two columns named {shown(name)}, and one is meant")
    return header


def refuse_absent(file: Path, header: Sequence[str], needed: Sequence[str] = NEEDED) -> None:
    """Refuse a table without the columns that are needed.

    Raises:
        SandboxError: says what was found, what is needed, and what is near.
    """
    absent = [name for name in needed if name not in header]
    if not absent:
        return
    # A name such as 'filepath' or 'image_path' is nearer than its letters tell.
    holding = next((name for name in header if absent[0] in name.lower() and name not in KNOWN), None)
    hint = f"; did you mean '{holding}'?" if holding else near(absent[0], [n for n in header if n not in KNOWN])
    raise SandboxError(
        f"{file} has no column {' and no column '.join(map(repr, absent))}, but {first_names([*header], 12)}{hint} "
        f"({' and '.join(needed)} are needed; {', '.join(name for name in KNOWN if name not in needed)} may be there)"
    )


def whole_numbers(table: ImageTable) -> ImageTable:
    """The table with ``3.0`` as ``3`` in columns of whole numbers: pandas writes so where a value is missing."""
    columns, turned = dict(table.columns), []
    for name, texts in table.columns.items():
        if any("." in text for text in texts) and all(_NUMBER.fullmatch(text) for text in texts if text):
            columns[name] = [text.partition(".")[0] for text in texts]
            turned.append(name)
    said = counted(len(turned), "column of numbers", "columns of numbers")
    note = (f"{said} such as 3.0 taken for whole numbers: {first_names(turned)}",) if turned else ()
    return ImageTable(table.file, table.unit, table.numbers, columns, (*table.notes, *note), table.content)


def _delimiter(file: Path, header: str) -> str:
    """What parts the fields: tabs in a .tsv, else commas, or what is there in their place."""
    if file.suffix.lower() == ".tsv":
        return "\t"
    return next((sign for sign in (",", ";", "\t") if sign in header), ",")
