"""The lists of the IJB protocols: which images a template holds, and which templates are compared.

As InsightFace distributes them (`recognition/_evaluation_/ijb/ijb_11.py`): ``ijbc_face_tid_mid.txt`` with an image, its
template and its medium in each line, and ``ijbc_template_pair_label.txt`` with two templates and 1 where both show one
person, else 0. All but images are whole numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.formats.list_text import read_text
from sandbox.data.formats.pairs.pair_tables import is_whole
from sandbox.data.formats.rows.row_index import Ends
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.files import reading
from sandbox.wording import counted, reason, shown


@dataclass(frozen=True)
class TemplateList:
    """The images of templates, a line for each."""

    row: np.ndarray
    """(L,) int64 row of the embeddings."""
    template: np.ndarray
    """(L,) int64."""
    medium: np.ndarray
    """(L,) int64, such as the video that a frame is of."""
    notes: tuple[str, ...] = ()


def read_template_list(file: Path, paths: Sequence[str] | None, rows: int) -> TemplateList:
    """Read lines of an image, a template and a medium.

    Args:
        file: the list.
        paths: (N,) of the embeddings, of which each image is one, or the end of one; None: line n is row n.
        rows: N.

    Raises:
        SandboxError: it cannot be read, a line is no such line, an image is not among the embeddings or may be several
            of them, or there are more lines or fewer than rows that have no paths.
    """
    text = read_text(file, "the list of templates", "list of templates")
    lines = [(number, line.split()) for number, line in enumerate(text.lines, start=1) if line.strip()]
    for number, words in lines:
        if len(words) != 3 or not (is_whole(words[1]) and is_whole(words[2])):
            raise SandboxError(
                f"{file} line {number} must be an image, its template and its medium, such as '1.jpg 1 69544', not "
                f"{shown(' '.join(words))}"
            )
    if not lines:
        raise SandboxError(f"{file} is empty; a line is an image, its template and its medium")
    if paths is None and len(lines) != rows:
        raise SandboxError(
            f"{file} names {counted(len(lines), 'image', 'images')} and there are {rows:,} embeddings without paths, "
            "whose rows would be those of the list one by one"
        )
    row = np.arange(rows) if paths is None else _rows(file, lines, paths)
    template, medium = (np.array([int(words[k]) for _, words in lines], dtype=np.int64) for k in (1, 2))
    unused = rows - len(np.unique(row))
    note = f"{counted(unused, 'embedding is', 'embeddings are')} in no template of {file.name} and left out"
    return TemplateList(row, template, medium, (*text.notes, *([note] if unused else [])))


def _rows(file: Path, lines: Sequence[tuple[int, list[str]]], paths: Sequence[str]) -> np.ndarray:
    index = Ends(paths)
    found = [index.find(words[0]).rows for _, words in lines]
    absent = [lines[place] for place, rows in enumerate(found) if not rows]
    if absent:
        number, words = absent[0]
        count = counted(len(absent), "image that is", "images that are")
        raise SandboxError(
            f"{file} names {count} not among the {len(paths):,} paths of the embeddings, the first in line {number}: "
            f"{shown(words[0])}"
        )
    for (number, words), rows in zip(lines, found, strict=True):
        if len(rows) > 1:
            either = " or ".join(f"row {row} ({shown(paths[row])})" for row in rows)
            raise SandboxError(f"{file} line {number} names {shown(words[0])}, which may be {either} of the embeddings")
    return np.array([rows[0] for rows in found], dtype=np.int64)


def read_template_pairs(file: Path, templates: np.ndarray) -> Pairs:
    """Read lines of two templates and 1 or 0, of which IJB-C has 15.7 million.

    Args:
        file: the list.
        templates: (T,) int64 that there are, sorted; pairs are of their places.

    Raises:
        SandboxError: it cannot be read, a line is no such line, a template is not there, or there are no pairs of both
            kinds.
    """
    with reading("the list of template pairs", file), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an empty file, which is refused below
        try:
            held = np.loadtxt(file, dtype=np.int64, ndmin=2, comments=None, encoding="utf-8")
        except (ValueError, OverflowError) as error:
            raise SandboxError(
                f"{file} must hold lines of two templates and 1 or 0, such as '1 11065 1': {reason(error)}"
            ) from None
    if not len(held) or held.shape[1] != 3:
        what = "is empty" if not len(held) else f"has {held.shape[1]} numbers in a line"
        raise SandboxError(f"{file} {what}, but its lines are two templates and 1 or 0, such as '1 11065 1'")
    wrong = ~np.isin(held[:, 2], (0, 1))
    if wrong.any():
        at = int(wrong.argmax())
        raise SandboxError(f"{file} pair {at + 1:,} ends in {held[at, 2]}, but is 1 for one person, 0 for two")
    places = np.minimum(np.searchsorted(templates, held[:, :2]), len(templates) - 1)
    absent = templates[places] != held[:, :2]
    if absent.any():
        at = int(absent.any(1).argmax())
        which = held[at][:2][absent[at]][0]
        raise SandboxError(
            f"{file} pair {at + 1:,} names template {which}, of which no image is listed (nor of those of "
            f"{int(absent.any(1).sum()) - 1:,} other pairs)"
        )
    same = held[:, 2] == 1
    if same.all() or not same.any():
        kind = "impostor" if same.all() else "genuine"
        raise SandboxError(f"{file} holds no {kind} pair among {len(same):,}; verification needs both kinds")
    return Pairs(left=places[:, 0], right=places[:, 1], same=same)
