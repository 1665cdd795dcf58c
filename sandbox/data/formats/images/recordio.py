"""MXNet's record files of images, such as InsightFace's `train.rec`, read without MXNet.

A file is a row of frames (dmlc-core, `src/recordio.cc`): the number 0xced7230a, a word whose upper three bits say
whether the frame is a whole record (0) or the first, a middle or the last part of one (1, 2, 3) and whose other bits
are its length, then as many bytes, padded to four. A record is parted where it holds that number itself, which is left
out and belongs between the parts.

A record is a header and an image (MXNet, `python/mxnet/recordio.py`): flag (uint32), label (float32) and two numbers of
64 bits; where the flag is not 0, as many labels (float32) as it says; then the encoded image. The index beside the file
is text, a key and the place of a record on each line.

In InsightFace's sets (`recognition/arcface_torch/dataset.py`) record 0 has two labels and no image: images have the
keys below the first, and the records from there on say which images a person has. Without such a record, as in other
sets, every record is an image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sandbox.data.images.picture import Picture, read_span, stamp_of
from sandbox.errors import SandboxError
from sandbox.files import reading
from sandbox.wording import counted, shown

_MAGIC = 0xCED7230A
_HEAD = 8  # bytes of a frame before what it holds
_HEADER = 24  # of a record before its further labels
_LENGTH = 2**29 - 1
_EXACT = 2**24  # whole numbers to which float32 has no gaps


@dataclass(frozen=True)
class Records:
    """The images of a record file."""

    pictures: list[Picture]
    labels: list[int]
    """(N,) the first label of each."""
    notes: tuple[str, ...] = ()


def read_records(file: Path, index: Path) -> Records:
    """Find the images of a record file and their labels; none is read yet.

    Raises:
        SandboxError: a file cannot be read, is cut short or damaged, or a label is no whole number.
    """
    with reading("", file):
        keys, places = _index(index)
        words = _words(file)
        _check_frames(file, words, keys, places)
        first = _Record.at(file, words, int(keys[0]), int(places[0]))
        notes: tuple[str, ...] = ()
        if first.key == 0 and first.labels is not None and first.counts(len(keys)):
            keys, places, notes = _images(index, keys, places, first.labels)
        return Records(*_pictures(file, words, keys, places), notes)


def _index(index: Path) -> tuple[np.ndarray, np.ndarray]:
    """Keys and places, (N,) int64 each, by key."""
    with reading("the index", index):
        lines = index.read_text(encoding="ascii").split("\n")
    found: dict[int, int] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or not all(word.isdecimal() and len(word) < 18 for word in words):
            raise SandboxError(f"{index} line {number} must be a key and a place, such as '1 144', not {shown(line)}")
        if int(words[0]) in found:
            raise SandboxError(f"{index} line {number} gives key {words[0]} a second time")
        found[int(words[0])] = int(words[1])
    if not found:
        raise SandboxError(f"{index} names no record")
    keys = np.array(sorted(found), dtype=np.int64)
    return keys, np.array([found[key] for key in keys.tolist()], dtype=np.int64)


def _words(file: Path) -> np.ndarray:
    """The file as (M,) uint32; a last word that is not whole is left out."""
    whole = file.stat().st_size // 4
    if not whole:
        raise SandboxError(f"{file} holds no record")
    return np.memmap(file, dtype="<u4", mode="r", shape=(whole,))


def _check_frames(file: Path, words: np.ndarray, keys: np.ndarray, places: np.ndarray) -> None:
    """Refuse records that do not begin where the index says, or end behind the end of the file."""
    starts = places // 4
    outside = (places % 4 != 0) | (starts + 2 > len(words))
    frames = np.minimum(starts, max(0, len(words) - 2))
    wrong = ~outside & ((words[frames] != _MAGIC) | ~np.isin(words[frames + 1] >> 29, (0, 1)))
    ends = places + _HEAD + (words[frames + 1] & _LENGTH).astype(np.int64)
    short = ~outside & ~wrong & (ends > file.stat().st_size)
    bad = outside | wrong | short
    if bad.any():
        at = int(bad.argmax())
        why = "no record begins there" if wrong[at] else "the file is cut short"
        raise SandboxError(
            f"{file} has {counted(int(bad.sum()), 'record', 'records')} that cannot be read, the first of key "
            f"{keys[at]:,} at byte {places[at]:,} of {file.stat().st_size:,}: {why}; do file and index belong together?"
        )


def _images(
    index: Path, keys: np.ndarray, places: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The keys and places of the images, by the two labels of record 0."""
    if not 1 < labels[0] < 2**53:
        raise SandboxError(
            f"record 0 beside {index} says that the images end at {float(labels[0]):g}, which is no key of one"
        )
    end = int(labels[0])
    kept = (keys > 0) & (keys < end)
    absent = end - 1 - int(kept.sum())
    if not kept.any():
        raise SandboxError(f"{index} names none of the {end - 1:,} images that record 0 says there are")
    note = f"the index lacks {absent:,} of the {end - 1:,} images that record 0 says there are"
    return keys[kept], places[kept], (note,) if absent and end < _EXACT else ()


def _pictures(file: Path, words: np.ndarray, keys: np.ndarray, places: np.ndarray) -> tuple[list[Picture], list[int]]:
    stamp = stamp_of(file)
    pictures: list[Picture] = []
    labels: list[int] = []
    for key, place in zip(keys.tolist(), places.tolist(), strict=True):
        record = _Record.at(file, words, key, place)
        label = float(record.label if record.labels is None else record.labels[0])
        if not label.is_integer():
            raise SandboxError(f"record {key:,} of {file} has the label {label:g}, but a class is a whole number")
        labels.append(int(label))
        pictures.append(Picture(f"{file.name}/{key}", record.reader(file), f"{stamp} {place}"))
    return pictures, labels


@dataclass(frozen=True)
class _Record:
    """What a record is, by its header."""

    key: int
    label: float
    labels: np.ndarray | None
    """The further labels, (flag,) float32; None where the flag is 0."""
    parts: tuple[tuple[int, int], ...]
    """Place and length of each part in bytes."""
    head: int
    """Bytes before the image."""

    @classmethod
    def at(cls, file: Path, words: np.ndarray, key: int, place: int) -> _Record:
        parts = tuple(_parts(file, words, key, place))
        start, length = parts[0]
        if len(parts) > 1:  # in whose header the number of frames may stand
            held = np.frombuffer(_joined(file, parts, 0), dtype=np.uint8)
            head, length = held[: len(held) // 4 * 4].view("<u4"), len(held)
        else:
            head = words[start // 4 : start // 4 + length // 4]
        if length < _HEADER:
            raise SandboxError(f"record {key:,} of {file} holds {length} bytes, but its header has {_HEADER}")
        flag, label = int(head[0]), float(head[1:2].view("<f4")[0])
        if _HEADER + 4 * flag > length:
            raise SandboxError(f"record {key:,} of {file} says that it has {flag:,} labels, but ends before them")
        labels = np.asarray(head[6 : 6 + flag]).view("<f4") if flag else None
        if not np.isfinite(label if labels is None else labels[0]):
            raise SandboxError(f"record {key:,} of {file} has a label that is not finite")
        return cls(key, label, labels, parts, _HEADER + 4 * flag)

    def counts(self, keys: int) -> bool:
        """Whether its labels say where the images end: it holds none, or the first label is the number of keys."""
        empty = sum(length for _, length in self.parts) <= self.head
        return self.labels is not None and (empty or (len(self.labels) == 2 and self.labels[0] == keys))

    def reader(self, file: Path) -> partial[bytes]:
        """What reads the encoded image."""
        if len(self.parts) > 1:
            return partial(_joined, file, self.parts, self.head)
        start, length = self.parts[0]
        return partial(read_span, file, start + self.head, length - self.head)


def _parts(file: Path, words: np.ndarray, key: int, place: int) -> Iterator[tuple[int, int]]:
    """Place and length of what each frame of a record holds."""
    wanted = (0, 1)
    while True:
        at = place // 4
        whole = at + 2 <= len(words) and int(words[at]) == _MAGIC
        kind, length = divmod(int(words[at + 1]), _LENGTH + 1) if whole else (-1, 0)
        if kind not in wanted or place + _HEAD + length > 4 * len(words) + 3:
            raise SandboxError(f"record {key:,} of {file} is damaged or cut short at byte {place:,}")
        yield place + _HEAD, length
        if kind in (0, 3):
            return
        wanted = (2, 3)
        place += _HEAD + (length + 3) // 4 * 4


def _joined(file: Path, parts: tuple[tuple[int, int], ...], head: int) -> bytes:
    """A record that was parted, without so many bytes at its beginning."""
    return _MAGIC.to_bytes(4, "little").join(read_span(file, *part) for part in parts)[head:]
