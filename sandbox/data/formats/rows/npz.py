"""Arrays of an npz: what they declare is compared before a byte is inflated, and nothing is unpickled.

An npz of a few megabytes can declare terabytes. So the head of each array (its type and shape) is read first and held
against the size that the archive has for it, then shown to the caller, who knows which rows belong together, and then
held against the memory that is left. Texts are read in blocks: NumPy keeps each as wide as the widest.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from sandbox.data.memory import available_memory, gigabytes
from sandbox.errors import SandboxError, near
from sandbox.wording import reason

WIDEST = 4096
"""Characters of a text in an npz at most; a path has no more."""
_HEAD = 16_384  # bytes in which the head of an array has to end; NumPy reads no longer ones
_AT_ONCE = 2**22  # bytes that are read at once; a longer list of arrays is none that NumPy wrote
_TEXT = 64  # bytes that Python takes for a text beside its characters
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class NpzError(Exception):
    """An npz that cannot be read; what it should have held is for the caller to say.

    Attributes:
        array: the array that cannot be read; empty where it is the file as a whole.
        pickled: whether it holds Python objects, which are not read because they could run code.
        too_large: whether it does not fit into memory.
        rule: whether the text says what the array must be, as `must be UTF-8 text, which row 3 is not`.
    """

    def __init__(
        self, why: str, array: str, *, pickled: bool = False, too_large: bool = False, rule: bool = False
    ) -> None:
        super().__init__(why)
        self.array, self.pickled, self.too_large, self.rule = array, pickled, too_large, rule


@dataclass(frozen=True)
class Declared:
    """What the head of an array says of it."""

    dtype: np.dtype
    shape: tuple[int, ...]
    head: int = 0
    """Bytes before the first value."""

    @property
    def bytes(self) -> int:
        """How many bytes follow."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def width(self) -> int:
        """Characters (of bytes: bytes) that each text has room for; 0 where they are no texts."""
        return self.dtype.itemsize // (4 if self.dtype.kind == "U" else 1) if self.dtype.kind in "SU" else 0


@dataclass(frozen=True)
class Npz:
    """The arrays of an npz that were asked for and are there."""

    arrays: dict[str, np.ndarray] = field(repr=False)
    """Those of numbers."""
    texts: dict[str, list[str]] = field(repr=False)
    """Those of texts, (N,)."""


Check = Callable[[Mapping[str, Declared], Collection[str]], None]
"""Looks at what arrays declare, and at the names of all there are, before any is read; raises SandboxError."""


def listing(names: Collection[str], wanted: str) -> str:
    """The clause that says what there is instead of a missing array."""
    if not names:
        return "it holds no array at all"
    more = ", ..." if len(names) > 12 else ""
    return f"there are {', '.join(map(repr, list(names)[:12]))}{more}{near(wanted, names)}"


def read_npz(file: Path, wanted: Collection[str] | None = None, check: Check = lambda declared, names: None) -> Npz:
    """Read arrays of an npz; all of them where none are named.

    Args:
        file: the npz.
        wanted: names of arrays; others are not looked at.
        check: called with the heads of those that are there, before any is read.

    Raises:
        NpzError: it is damaged, cut short, too large, pickled, or says one thing and holds another.
        SandboxError: what `check` raises.
    """
    name = ""
    try:
        with _Opened(file) as stream, zipfile.ZipFile(stream) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of headers that Python 2 wrote, and reads them
            members: dict[str, list[zipfile.ZipInfo]] = {}
            for member in archive.infolist():
                members.setdefault(member.filename.removesuffix(".npy"), []).append(member)
            found = [name for name in (members if wanted is None else wanted) if name in members]
            declared = {}
            for name in found:
                declared[name] = _declared(archive, members[name])
            name = ""
            check(declared, members)
            _check_memory(declared)
            arrays, texts = {}, {}
            for name in found:
                with archive.open(members[name][0]) as member_stream:
                    if declared[name].dtype.kind in "SU":
                        texts[name] = list(_texts(member_stream, name, declared[name]))
                    else:
                        arrays[name] = np.lib.format.read_array(member_stream, allow_pickle=False)
                    if member_stream.read(1):  # to the end, which makes zipfile compare the checksum
                        raise ValueError(f"{members[name][0].filename} goes on after its last value")
    except (NpzError, SandboxError):
        raise
    except MemoryError as error:
        raise NpzError(reason(error), name, too_large=True) from None
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen unrelated types on damaged files
        raise NpzError(reason(error), name) from None
    return Npz(arrays, texts)


class _Opened(io.FileIO):
    """A file that does not give more at once than an archive needs."""

    def __init__(self, file: Path):
        super().__init__(file, "rb")

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _AT_ONCE + 1 if size is None or size < 0 else size
        found = super().read(min(wanted, _AT_ONCE + 1)) or b""
        if len(found) > _AT_ONCE:
            raise ValueError(f"its list of arrays is longer than {gigabytes(_AT_ONCE)}")
        return found


def _declared(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Declared:
    """What the head of an array says, held against the size that the archive has for it."""
    name, member = members[0].filename, members[0]
    if len(members) > 1:
        raise ValueError(f"it is there {len(members)} times")
    if member.compress_type not in _METHODS:
        raise ValueError("it is compressed in another way than np.savez_compressed does")
    with archive.open(member) as stream:
        head = io.BytesIO(stream.read(min(_HEAD, member.file_size)))
    version = np.lib.format.read_magic(head)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(head)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(head)
    else:
        raise ValueError(f"{name} is an npy of version {version[0]}.{version[1]}, which only arrays of fields have")
    if dtype.hasobject:
        raise NpzError("it holds Python objects", name.removesuffix(".npy"), pickled=True)
    declared = Declared(dtype, tuple(shape), head.tell())
    follow = member.file_size - declared.head
    if any(side < 0 for side in shape) or declared.bytes != follow:
        longer = f"{name} goes on after its last number: " if follow > declared.bytes else ""
        raise ValueError(f"{longer}{_spelt(declared)} are {declared.bytes:,} bytes, and {follow:,} follow")
    if declared.width > WIDEST:
        raise NpzError(
            f"must be texts of {WIDEST:,} characters at most, but are declared {declared.width:,} wide",
            name.removesuffix(".npy"),
            rule=True,
        )
    return declared


def _check_memory(declared: Mapping[str, Declared]) -> None:
    """Refuse arrays that would take more than half of what is left."""
    needs = {name: _needs(one) for name, one in declared.items()}
    left = available_memory()
    if sum(needs.values()) > left // 2:
        name = max(needs, key=needs.__getitem__)
        raise NpzError(
            f"{_spelt(declared[name])} and what belongs to it take {gigabytes(sum(needs.values()))}, and of "
            f"{gigabytes(left)} of memory that are left half may be taken",
            name,
            too_large=True,
        )


def _needs(declared: Declared) -> int:
    # Of texts only as much as must be: how long they are shows when they are read, a block after the other.
    return math.prod(declared.shape) * _TEXT if declared.dtype.kind in "SU" else declared.bytes


def _texts(stream: IO[bytes], name: str, declared: Declared) -> Iterator[str]:
    """The texts of an array, read in blocks; equal ones are one object.

    Raises:
        NpzError: a row is no text.
        MemoryError: together they take more than half of the memory that is left.
    """
    stream.read(declared.head)
    room = available_memory() // 2
    met: dict[str, str] = {}
    rows, width = math.prod(declared.shape), declared.dtype.itemsize
    block = _AT_ONCE // max(width, _TEXT)
    for start in range(0, rows, block):
        content = stream.read(min(block, rows - start) * width)
        for row, text in enumerate(_strings(content, declared.dtype, min(block, rows - start)), start=start):
            if text is None:
                kind = "Unicode" if declared.dtype.kind == "U" else "UTF-8"
                raise NpzError(f"must be {kind} text, which row {row} is not", name, rule=True)
            if text not in met:
                room -= _TEXT + 4 * len(text)
                if room < 0:
                    raise MemoryError("its texts take more than half of the memory that is left")
            yield met.setdefault(text, text)


def _strings(content: bytes, dtype: np.dtype, count: int) -> list[str | None]:
    """Texts out of their bytes; None where one is none, and then those beside it are empty."""
    values = np.frombuffer(content, dtype) if dtype.itemsize else np.zeros(count, dtype)
    if len(values) != count:
        raise ValueError("it is cut short")
    if dtype.kind == "S" or not dtype.itemsize:
        return [_decoded(value) for value in values.tolist()]
    characters = values.astype(dtype.newbyteorder("=")).view(np.uint32).reshape(count, -1)
    # Numbers that are no character: NumPy keeps them and cannot make a str of them, or one that cannot be printed.
    broken = np.any((characters > 0x10FFFF) | ((characters >= 0xD800) & (characters < 0xE000)), axis=1)
    return values.tolist() if not broken.any() else [None if bad else "" for bad in broken.tolist()]


def _decoded(value: str | bytes) -> str | None:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return None


def _spelt(declared: Declared) -> str:
    """'3,000,000 x 512 float32'."""
    return f"{' x '.join(f'{side:,}' for side in declared.shape) or 'a single'} {declared.dtype}"
