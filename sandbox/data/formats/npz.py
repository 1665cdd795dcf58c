"""Arrays of an npz, each read to its checksum and never unpickled."""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.formats.embeddings import _SAVED_AS
from sandbox.errors import SandboxError, near
from sandbox.wording import reason


@dataclass(frozen=True)
class _Held:
    """What an npz holds."""

    arrays: dict[str, np.ndarray]
    """Those that were asked for and are there."""
    names: tuple[str, ...]
    """All there are."""

    def listing(self, wanted: str) -> str:
        """The clause that says what there is instead of a missing array."""
        if not self.names:
            return "it holds no array at all"
        more = ", ..." if len(self.names) > 12 else ""
        return f"there are {', '.join(map(repr, self.names[:12]))}{more}{near(wanted, self.names)}"


def _arrays(file: Path, wanted: tuple[str, ...]) -> _Held:
    """The wanted arrays of an npz.

    Each is read by NumPy's reader of one array rather than by `np.load`, which stops at the last number it expects:
    reading on to the end is what makes zipfile compare the checksum.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(6)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SandboxError(f"cannot read the embeddings {file}: {reason(error).lower()}") from None
    if not start:
        raise SandboxError(f"{file} is empty; an npz with 'embeddings' and 'labels' or 'paths' is needed")
    if start == b"\x93NUMPY":
        raise SandboxError(
            f"{file} is an npy file, which holds a single array; save an npz: "
            "np.savez(file, embeddings=x, labels=labels)"
        )
    if not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise SandboxError(f"{file} is not an npz file; save one by np.savez(file, embeddings=x, labels=labels)")
    name = ""
    try:
        with zipfile.ZipFile(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of headers that Python 2 wrote, and reads them
            members = {member.removesuffix(".npy"): member for member in archive.namelist()}
            arrays = {}
            for name in (name for name in wanted if name in members):
                with archive.open(members[name]) as member:
                    arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
                    if member.read(1):
                        raise ValueError("it goes on after its last number")
    except MemoryError:
        raise SandboxError(f"{name or 'the list of arrays'} in {file} does not fit into memory") from None
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen unrelated types on damaged files
        if "allow_pickle" in str(error):
            raise SandboxError(
                f"{name} in {file} is an array of Python objects, which is not read because it could run code; "
                f"save it as {_SAVED_AS[name]}"
            ) from None
        what = f"{name} in {file}" if name else f"{file}"
        raise SandboxError(f"{what} is damaged or cut short: {reason(error)}") from None
    return _Held(arrays, tuple(members))
