"""Pickles of plain values and NumPy arrays, read without calling anything that they name.

A pickle is a program. The unpickler here gives it nothing to run: a name it asks for becomes a `_Name`, a call of that
becomes a `_Made`, a note of name and arguments, and only the names that the caller admits are taken at all. Arrays are
then put together here, out of the bytes, shape and type that the notes hold.

Nor may it take more memory or time than its size is worth: lengths are held against what is left of the file before
anything is made for them, instructions are counted, and what has to be compared, a key, is a plain value.
"""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NoReturn

import numpy as np

from sandbox.errors import SandboxError
from sandbox.wording import reason, shown

_MADE = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_TYPE = "numpy.dtype"
_INLINE = "joblib.numpy_pickle.NumpyArrayWrapper"
ARRAYS = frozenset({*_MADE, "numpy.ndarray", _TYPE, _INLINE})
"""The names by which NumPy's arrays are written, by NumPy 1 and 2 and by joblib."""
_TYPES = ("u1", "f4", "f8")
_MOST = 2_000_000  # instructions; a set of verification takes two for each image, and the largest have half a million
_KEYS = (bytes, str, int, float, bool, type(None))


class RefusedError(Exception):
    """A pickle asks for a name that is not admitted; its text is what it asks for."""


def load_plain(stream: BinaryIO, admitted: Collection[str] = ARRAYS) -> Any:
    """What a pickle holds, nothing that it names being looked up or called.

    Text that Python 2 wrote comes as bytes.

    Args:
        stream: the pickle, or what joblib wrote.
        admitted: names that it may ask for; of arrays, or none.

    Raises:
        RefusedError: it asks for another name, or for what only a name could give.
        Exception: it is damaged: a stack that runs dry raises IndexError, TypeError, KeyError ... by instruction.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of odd backslashes in the strings of protocol 0
        return _PlainUnpickler(stream, admitted).load()


def read_pickle(file: Path, stream: BinaryIO | None = None) -> Any:
    """What a pickle holds, or a file that joblib wrote: lists, tuples, dicts, bytes, text, numbers and arrays.

    Text that Python 2 wrote comes as bytes. Arrays are of bytes or floats.

    Args:
        file: the pickle, and its name in errors.
        stream: what to read in its place, such as the file decompressed.

    Raises:
        SandboxError: the pickle asks for anything but NumPy's arrays, or is damaged or cut short.
        OSError: the file cannot be read.
    """
    with stream or file.open("rb") as opened:
        try:
            return load_plain(opened)
        except RefusedError as refused:
            raise SandboxError(
                f"{file} asks for {shown(str(refused))}, which is refused because it could run code; plain values and "
                "NumPy arrays are all that is read from a pickle here"
            ) from None
        except Exception as error:
            raise damaged(file, error) from None


def damaged(file: Path, error: Exception) -> SandboxError:
    """The refusal of a pickle that broke off, or was none."""
    return SandboxError(f"{file} is damaged, cut short or not a pickle: {shown(reason(error))}")


class _Name:
    """A name that a pickle asked for; calling it calls nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *given: Any) -> _Made:
        return _Made(self.name, given)


class _Made:
    """What a call of a name would have made: a note of it."""

    def __init__(self, name: str, given: tuple[Any, ...]) -> None:
        self.name, self.given, self.state = name, given, None


class _Bounded:
    """A stream that gives no more than it holds, and makes no room for more."""

    def __init__(self, stream: BinaryIO) -> None:
        start = stream.tell()
        self._stream, self.left = stream, stream.seek(0, 2) - start
        stream.seek(start)

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise EOFError(f"{size:,} bytes are asked for, and {self.left:,} follow")
        self.left -= size
        return self._stream.read(size)

    def readline(self) -> bytes:
        line = self._stream.readline()
        self.left -= len(line)
        return line


class _Counted(dict[int, Any]):
    """What does an instruction, by its byte; it is counted how many were asked for."""

    taken = 0

    def __getitem__(self, byte: int) -> Any:
        self.taken += 1
        if self.taken > _MOST:
            raise pickle.UnpicklingError(f"more than {_MOST:,} instructions")
        return super().__getitem__(byte)


class _PlainUnpickler(pickle._Unpickler):
    """The unpickler in Python, as joblib's has to be: bytes of an array stand between two instructions there.

    Its memo is a dict, so that a number in the file cannot ask for memory as it can of the one in C.
    """

    dispatch: ClassVar[Any] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]

    def __init__(self, stream: BinaryIO, admitted: Collection[str]) -> None:
        self._stream = _Bounded(stream)
        super().__init__(self._stream, encoding="bytes")
        self._admitted = frozenset(admitted)
        self.dispatch = _Counted(type(self).dispatch)  # type: ignore[misc]

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in self._admitted:
            raise RefusedError(f"{module}.{name}")
        return _Name(f"{module}.{name}")

    def persistent_load(self, pid: object) -> NoReturn:
        raise RefusedError("an object kept elsewhere")

    def get_extension(self, code: int) -> NoReturn:
        raise RefusedError(f"registered extension {code}")

    def load_call(self) -> None:
        """Stands in for REDUCE and NEWOBJ."""
        given = self.stack.pop()
        called = self.stack[-1]
        if type(called) is not _Name or type(given) is not tuple:
            raise pickle.UnpicklingError("a call of what is no name")
        self.stack[-1] = called(*given)

    def load_build(self) -> None:
        """BUILD: arrays are put together here, others keep what they are given."""
        state = self.stack.pop()
        made = self.stack[-1]
        if type(made) is not _Made or made.state is not None:
            raise pickle.UnpicklingError("a state for what takes none")
        made.state = state
        if made.name in _MADE:
            _, shape, kind, by_columns, content = state
            self.stack[-1] = _array(shape, _type(kind), bool(by_columns), content)
        elif made.name == _INLINE:
            self.stack[-1] = self._inline(state)

    def load_items(self) -> None:
        """Stands in for SETITEMS: keys are plain, since a key made of tuples of tuples could be hashed for ever."""
        items = self.pop_mark()  # type: ignore[attr-defined]
        self._set(items[::2], items[1::2])

    def load_item(self) -> None:
        """Stands in for SETITEM."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key], [value])

    def load_dict(self) -> None:
        """Stands in for DICT."""
        items = self.pop_mark()  # type: ignore[attr-defined]
        self.stack.append({})
        self._set(items[::2], items[1::2])

    def _set(self, keys: list[Any], values: list[Any]) -> None:
        held = self.stack[-1]
        if type(held) is not dict or not all(type(key) in _KEYS for key in keys):
            raise pickle.UnpicklingError("a key that is no plain value, or no dict to put it into")
        held.update(zip(keys, values, strict=True))

    def load_refused(self) -> NoReturn:
        """Stands in for what no file here holds."""
        raise pickle.UnpicklingError("a set, a bytearray or a buffer")

    dispatch[pickle.SETITEMS[0]] = load_items
    dispatch[pickle.SETITEM[0]] = load_item
    dispatch[pickle.DICT[0]] = load_dict
    for _code in (pickle.EMPTY_SET, pickle.FROZENSET, pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER):
        dispatch[_code[0]] = load_refused
    dispatch[pickle.REDUCE[0]] = load_call
    dispatch[pickle.NEWOBJ[0]] = load_call
    dispatch[pickle.BUILD[0]] = load_build

    def _inline(self, state: dict[str, Any]) -> np.ndarray:
        """The array whose bytes joblib put behind its description, from joblib 1.2 on after a padding."""
        kind, shape = _type(state["dtype"]), state["shape"]
        if state.get("numpy_array_alignment_bytes") is not None:
            self._stream.read(self._stream.read(1)[0])
        content = self._stream.read(_length(shape, kind))
        return _array(shape, kind, state["order"] == "F", content)


def _type(made: Any) -> np.dtype:
    if type(made) is not _Made or made.name != _TYPE or not isinstance(made.state, tuple):
        raise pickle.UnpicklingError("an array of no type")
    kind, order = _text(made.given[0]), _text(made.state[1])
    if kind not in _TYPES or order not in ("|", "<", ">"):
        raise pickle.UnpicklingError(f"an array of '{order}{kind}', neither bytes nor floats")
    return np.dtype(order + kind)


def _array(shape: Any, kind: np.dtype, by_columns: bool, content: Any) -> np.ndarray:
    if not isinstance(content, bytes) or len(content) != _length(shape, kind):
        raise pickle.UnpicklingError(f"an array of shape {shape} with too many or too few bytes")
    return np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C")


def _length(shape: Any, kind: np.dtype) -> int:
    """Bytes of an array."""
    if type(shape) is not tuple or len(shape) > 8 or not all(type(side) is int and 0 <= side < 2**48 for side in shape):
        raise pickle.UnpicklingError("an array without a shape")
    return math.prod(shape) * kind.itemsize


def _text(value: Any) -> str:
    if not isinstance(value, bytes | str):  # which could spell itself for ever
        raise pickle.UnpicklingError("an array of no type")
    return value.decode("latin-1") if isinstance(value, bytes) else value
