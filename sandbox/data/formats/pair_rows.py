"""Which row of the embeddings each name of a list of pairs means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sandbox.data.formats.pair_lists import is_whole, read_pair_file
from sandbox.errors import SandboxError, near
from sandbox.evaluation.pairs import Pairs
from sandbox.wording import counted, shown

if TYPE_CHECKING:
    from sandbox.data.formats.pair_lists import PairFile


_FEW = 2000  # so many paths are looked through for a near spelling


def row_numbers(file: Path, listed: PairFile, rows: int) -> dict[str, int]:
    """The row of each word of a list, which is its number.

    Raises:
        SandboxError: a word is no row from 0 to `rows` - 1; file and line are named.
    """
    words = {*listed.left, *listed.right}
    found = {word: int(word) for word in words if is_whole(word) and int(word) < rows}
    if len(found) < len(words):
        line, word = _first(listed, words - found.keys())
        raise SandboxError(
            f"{file} line {line} names {shown(word)}, but the embeddings have no paths, so that pairs must be "
            f"rows from 0 to {rows - 1}"
        )
    return found


def rows_of_paths(file: Path, listed: PairFile, paths: Sequence[str]) -> dict[str, int]:
    """The row of each word of a list, whose path it names: as it is, else as the end of one, or one as its end.

    Raises:
        SandboxError: a word names no path, or more than one; file and line are named.
    """
    words = {*listed.left, *listed.right}
    seek = _Index(map(_person, paths)).rows if listed.by_person else _Ends(paths).rows
    found, absent, unclear = {}, set(), {}
    for word in words:
        rows = seek(word)
        if len(rows) == 1:
            found[word] = rows[0]
        elif rows:
            unclear[word] = rows
        else:
            absent.add(word)
    if unclear:
        line, word = _first(listed, unclear)
        either = " or ".join(f"row {row} ({shown(paths[row])})" for row in unclear[word])
        raise SandboxError(f"{file} line {line} names {shown(word)}, which may be {either} of the embeddings")
    if absent:
        line, word = _first(listed, absent)
        raise SandboxError(
            f"{file} names {counted(len(absent), 'image that is', 'images that are')} not among the {len(paths):,} "
            f"paths of the embeddings, the first in line {line}: {shown(word)}"
            f"{near(word, paths) if len(paths) <= _FEW else ''}"
        )
    return found


class _Index:
    """The first two rows of each key; two are enough to refuse it."""

    def __init__(self, keys: Iterable[str | None]):
        self.first: dict[str, int] = {}
        self.second: dict[str, int] = {}
        for row, key in enumerate(keys):
            if key is not None and self.first.setdefault(key, row) != row:
                self.second.setdefault(key, row)

    def rows(self, key: str) -> list[int]:
        """No row, the row, or the first two rows of a key."""
        if key not in self.first:
            return []
        return [self.first[key], self.second[key]] if key in self.second else [self.first[key]]


class _Ends:
    """Rows by a path or by its end; an index by ends of so many parts is built when it is first asked for."""

    def __init__(self, paths: Sequence[str]):
        self.paths = paths
        self.exact = _Index(path.replace("\\", "/") for path in paths)
        self.by_end: dict[int, _Index] = {}

    @cached_property
    def plain(self) -> list[str]:
        return [_plain(path) for path in self.paths]

    @cached_property
    def whole(self) -> tuple[_Index, list[int]]:
        return _Index(self.plain), sorted({path.count("/") + 1 for path in self.plain})

    def rows(self, word: str) -> list[int]:
        """No row, the row, or two rows that the word may mean."""
        rows = self.exact.rows(word.replace("\\", "/"))
        if rows:
            return rows
        word = _plain(word)
        parts = word.count("/") + 1
        whole, depths = self.whole
        if parts <= max(depths, default=0):
            if parts not in self.by_end:
                self.by_end[parts] = _Index(_end(path, parts) for path in self.plain)
            rows = self.by_end[parts].rows(word)
        for depth in depths:
            if depth < parts:
                rows = rows + whole.rows(_end(word, depth) or "")
        return sorted(rows)[:2]


def _plain(path: str) -> str:
    """Forward slashes, and no part that is empty or a dot."""
    path = path.replace("\\", "/").strip("/")
    if "//" not in path and "./" not in path and not path.endswith("."):  # nearly all, and these are many
        return path
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _end(path: str, parts: int) -> str | None:
    """The last so many parts of a plain path; None where it has fewer."""
    split = path.rsplit("/", parts)
    return path[len(split[0]) + 1 :] if len(split) > parts else path if len(split) == parts else None


def _person(path: str) -> str | None:
    """``Ann/Ann_0001`` of ``faces/Ann/Ann_0001.jpg``."""
    return (_end(_plain(path), 2) or "").rpartition(".")[0] or None


def _first(listed: PairFile, words: Collection[str]) -> tuple[int, str]:
    """The first line that names one of the words, and the word."""
    each = (
        (int(line), word) for *pair, line in zip(listed.left, listed.right, listed.line, strict=True) for word in pair
    )
    return next((line, word) for line, word in each if word in words)


def read_pairs(file: Path, paths: Sequence[str] | None, rows: int) -> Pairs:
    """Read a list of pairs as rows of embeddings.

    A path of the list is first sought as it is among the paths of the embeddings, then as the end of one, or one as
    its end, counted in whole folders: the longer of the two may stand in more folders. Without paths the list must hold
    rows, counted from 0.

    Args:
        file: LFW's format (see `read_pair_lines`), or lines ``a b 1`` parted by blanks or tabs (1 is same), or a CSV
            with a header; told apart by what they hold.
        paths: (N,) the path of each row, or None.
        rows: N.

    Raises:
        SandboxError: the file cannot be read, a line is malformed, an image is not among the embeddings or may be more
            than one of them, or there is no genuine or no impostor pair; file and line are named.
    """
    listed = read_pair_file(file)
    places = row_numbers(file, listed, rows) if paths is None else rows_of_paths(file, listed, paths)
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
    )
