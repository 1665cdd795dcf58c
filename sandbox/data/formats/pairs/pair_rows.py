"""Which row of the embeddings each name of a list of pairs means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from sandbox.data.formats.pairs.pair_file import PairFile
from sandbox.data.formats.pairs.pair_lists import read_pair_file
from sandbox.data.formats.pairs.pair_tables import is_whole
from sandbox.data.formats.rows.row_index import Ends, Faces, Met
from sandbox.data.names import met_note
from sandbox.errors import SandboxError, near
from sandbox.evaluation.pairs import Pairs
from sandbox.wording import counted, shown

_FEW = 2000  # so many paths are looked through for a near spelling


def row_numbers(file: Path, listed: PairFile, rows: int) -> dict[str, int]:
    """The row of each word of a list, which is its number.

    Raises:
        SandboxError: a word is no row from 0 to `rows` - 1; file and line are named.
    """
    words = {*listed.left, *listed.right}
    found = {word: int(word) for word in words if is_whole(word) and int(word) < rows}
    if len(found) < len(words):
        place, word = _first(listed, words - found.keys())
        raise SandboxError(
            f"{place} names {shown(word)}, but the embeddings have no paths, so that pairs must be "
            f"rows from 0 to {rows - 1}"
        )
    return found


def rows_of_paths(file: Path, listed: PairFile, paths: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """The row of each word of a list, whose path it names: as it is, else as the end of one, or one as its end.

    Returns:
        The rows, and sentences on words that are spelt in another way than the path, and on images of several faces.

    Raises:
        SandboxError: a word names no path, or more than one; file and line are named.
    """
    words = dict.fromkeys(word for pair in zip(listed.left, listed.right, strict=True) for word in pair)
    index = Faces(paths) if listed.by_person else Ends(paths)
    met = {word: index.find(word) for word in words}
    unclear = {word for word, one in met.items() if len(one.rows) > 1}
    if unclear:
        place, word = _first(listed, unclear)
        either = " or ".join(f"row {row} ({shown(paths[row])})" for row in met[word].rows)
        raise SandboxError(f"{place} names {shown(word)}, which may be {either} of the embeddings")
    absent = {word for word, one in met.items() if not one.rows}
    if absent:
        place, word = _first(listed, absent)
        raise SandboxError(
            f"{file} names {counted(len(absent), 'image that is', 'images that are')} not among the {len(paths):,} "
            f"paths of the embeddings, the first in {place.removeprefix(f'{file} ')}: {shown(word)}"
            f"{near(word, paths) if len(paths) <= _FEW else ''}"
        )
    return {word: one.rows[0] for word, one in met.items()}, _notes(met, paths)


def _notes(met: dict[str, Met], paths: Sequence[str]) -> list[str]:
    notes = []
    spelt = [(word, paths[one.rows[0]]) for word, one in met.items() if one.spelt_apart]
    if spelt:
        notes.append(met_note(spelt, "the paths of the embeddings"))
    several = [word for word, one in met.items() if one.faces > 1]
    if several:
        shows = counted(len(several), "image that the list names shows", "images that the list names show")
        notes.append(f"{shows} several faces, of which the one numbered 0 is taken: the first is {shown(several[0])}")
    return notes


def _first(listed: PairFile, words: Collection[str]) -> tuple[str, str]:
    """The first line that names one of the words, and the word."""
    pairs = enumerate(zip(listed.left, listed.right, strict=True))
    return next((listed.place(row), word) for row, pair in pairs for word in pair if word in words)


def read_pairs(file: Path, paths: Sequence[str] | None, rows: int) -> Pairs:
    """Read a list of pairs as rows of embeddings.

    A path of the list is first sought as it is among the paths of the embeddings, then as the end of one, or one as
    its end, counted in whole folders: the longer of the two may stand in more folders. Where that finds nothing,
    composed and decomposed characters count as one, and blanks at the ends of a name as none. Without paths the list
    must hold rows, counted from 0.

    Args:
        file: a list in any format of `read_pair_file`; told apart by what they hold.
        paths: (N,) the path of each row, or None.
        rows: N.

    Raises:
        SandboxError: the file cannot be read, a line is malformed, an image is not among the embeddings or may be more
            than one of them, or there is no genuine or no impostor pair; file and line are named.
    """
    listed = read_pair_file(file)
    places, notes = (row_numbers(file, listed, rows), []) if paths is None else rows_of_paths(file, listed, paths)
    genuine = int(listed.same.sum())
    if genuine in (0, len(listed.same)):
        raise SandboxError(
            f"{file} holds no {'impostor' if genuine else 'genuine'} pair among {len(listed.same):,}; "
            "verification needs both kinds"
        )
    return Pairs(
        left=np.fromiter(map(places.__getitem__, listed.left), np.int64, len(listed.left)),
        right=np.fromiter(map(places.__getitem__, listed.right), np.int64, len(listed.right)),
        same=listed.same,
        fold=listed.fold,
        notes=(*listed.notes, *notes),
    )
