"""An npz of embeddings as a data set: its rows stay in the file where `np.savez` wrote them.

An npz is a zip. A member that is stored as it is (`np.savez`) is an npy at a place of the file, which can be mapped;
one that is deflated (`np.savez_compressed`) has to be read into memory. Places are those of PKWARE's APPNOTE.TXT,
4.3.7: a local header of 30 bytes, then the name and the extra field, whose lengths stand in its last four bytes.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from sandbox.data.formats.rows.embeddings import check_arrays, in_words, with_classes
from sandbox.data.formats.rows.npz import Declared, Npz, NpzError, _declared, _Opened, read_npz
from sandbox.data.formats.rows.rows_npy import RowsFile, header, refuse_unfit
from sandbox.errors import SandboxError
from sandbox.wording import reason

_LOCAL = 30  # bytes
_BLOCK = 2**22  # bytes read at once


def read_rows_npz(file: Path) -> RowsFile:
    """Read `embeddings` (N, D) with `labels` or `paths` and, where there, `split`, each (N,).

    Raises:
        SandboxError: see `sandbox.data.formats.rows.embeddings.read_embeddings`; or `split` does not fit.
    """
    try:
        found = _mapped(file)
        whole = None if found is None else Declared(found.dtype, found.shape)
        held = read_npz(file, _wanted(whole), lambda declared, names: _check(file, whole, declared, names))
        rows = held.arrays["embeddings"] if found is None else found
    except NpzError as error:
        raise in_words(file, error) from None
    refuse_unfit(file, rows)
    beside = Npz(held.arrays, {name: texts for name, texts in held.texts.items() if name != "split"})
    made = with_classes(file, rows, beside)
    notes: tuple[str, ...] = ()
    if found is None:
        notes = (f"{file.name} is compressed, so its rows are read into memory; np.savez leaves them in the file",)
    return RowsFile(rows, made.labels, made.classes, made.paths, held.texts.get("split"), made.spellings, notes)


def _wanted(whole: Declared | None) -> tuple[str, ...]:
    return ("labels", "paths", "split", *(() if whole else ("embeddings",)))


def _check(file: Path, whole: Declared | None, declared: Mapping[str, Declared], names: Collection[str]) -> None:
    own = {name: one for name, one in declared.items() if name != "split"}
    check_arrays(file, own if whole is None else {"embeddings": whole, **own}, names)
    split, rows = declared.get("split"), (whole or declared["embeddings"]).shape[:1]
    if split is not None and (split.shape != rows or split.dtype.kind not in "SU"):
        raise SandboxError(
            f"split in {file} must be {rows[0]:,} strings, one for each row, not {split.shape} of {split.dtype}"
        )


def _mapped(file: Path) -> np.ndarray | None:
    """The array `embeddings` where it lies in the file; None where it is absent or compressed.

    Raises:
        NpzError: the file is damaged.
        SandboxError: it is no npz, or cannot be read.
    """
    try:
        with _Opened(file) as stream, zipfile.ZipFile(stream) as archive:
            members = [one for one in archive.infolist() if one.filename in ("embeddings.npy", "embeddings")]
            if not members or members[0].compress_type != zipfile.ZIP_STORED or members[0].flag_bits & 1:
                return None
            declared = _declared(archive, members)
            if declared.dtype.kind not in "fiu" or len(declared.shape) != 2 or 0 in declared.shape:
                return None  # for `check_arrays` to say
            with archive.open(members[0]) as member:
                fortran = header(member)[1]
            with archive.open(members[0]) as member:
                while member.read(_BLOCK):  # to the end, which makes zipfile compare the checksum
                    pass
        start = _first_byte(file, members[0]) + declared.head
        order = "F" if fortran else "C"
        return np.memmap(file, declared.dtype, "r", start, declared.shape, order)  # type: ignore[call-overload]
    except (NpzError, SandboxError):
        raise
    except OSError as error:
        raise SandboxError(f"cannot read the embeddings {file}: {reason(error).lower()}") from None
    except zipfile.BadZipFile as error:
        raise NpzError(reason(error), "") from None
    except Exception as error:  # zipfile and NumPy raise a dozen unrelated types on damaged files
        raise NpzError(reason(error), "embeddings") from None


def _first_byte(file: Path, member: zipfile.ZipInfo) -> int:
    with file.open("rb") as stream:
        stream.seek(member.header_offset)
        name, extra = struct.unpack("<HH", stream.read(_LOCAL)[-4:])
    return int(member.header_offset + _LOCAL + name + extra)
