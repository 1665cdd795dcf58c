"""Arrays of an npz, each read to its checksum and never unpickled."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sandbox.errors import near
from sandbox.wording import reason


class NpzError(Exception):
    """An npz that cannot be read; what it should have held is for the caller to say.

    Attributes:
        array: the array that cannot be read; empty where it is the file as a whole.
        pickled: whether it holds Python objects, which are not read because they could run code.
        too_large: whether it does not fit into memory.
    """

    def __init__(self, why: str, array: str, *, pickled: bool = False, too_large: bool = False):
        super().__init__(why)
        self.array, self.pickled, self.too_large = array, pickled, too_large


@dataclass(frozen=True)
class Npz:
    """The arrays of an npz that were asked for, and the names of all."""

    arrays: dict[str, np.ndarray] = field(repr=False)
    """Those that were asked for and are there."""
    names: tuple[str, ...]
    """All there are."""

    def listing(self, wanted: str) -> str:
        """The clause that says what there is instead of a missing array."""
        if not self.names:
            return "it holds no array at all"
        more = ", ..." if len(self.names) > 12 else ""
        return f"there are {', '.join(map(repr, self.names[:12]))}{more}{near(wanted, self.names)}"


def read_npz(file: Path, wanted: Collection[str] | None = None) -> Npz:
    """Read arrays of an npz; all of them where none are named.

    Each is read by NumPy's reader of one array rather than by `np.load`, which stops at the last number it expects:
    reading on to the end is what makes zipfile compare the checksum.

    Raises:
        NpzError: it is damaged, cut short, too large or pickled.
    """
    name = ""
    try:
        with zipfile.ZipFile(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of headers that Python 2 wrote, and reads them
            members = {member.removesuffix(".npy"): member for member in archive.namelist()}
            arrays = {}
            for name in (name for name in (members if wanted is None else wanted) if name in members):
                with archive.open(members[name]) as member:
                    arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
                    if member.read(1):
                        raise ValueError(f"{members[name]} goes on after its last number")
    except MemoryError as error:
        raise NpzError(reason(error), name, too_large=True) from None
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen unrelated types on damaged files
        raise NpzError(reason(error), name, pickled="allow_pickle" in str(error)) from None
    return Npz(arrays, tuple(members))
