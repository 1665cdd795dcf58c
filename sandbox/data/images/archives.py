"""Archives that stand where a folder of images is meant, and what they would unpack to."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

_ENDINGS = (
    *(".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst"),
    *(".7z", ".rar"),
)
_LOOKED_AT = 50


def is_archive(file: Path) -> bool:
    """Whether a file is called as an archive of files is."""
    return file.name.lower().endswith(_ENDINGS)


def unpacked(file: Path) -> Path:
    """The folder that an archive becomes: the one folder that lies in it, beside it, else one of its own name."""
    tops = _tops(file)
    if len(tops) == 1:
        return file.parent / tops.pop()
    ending = max((ending for ending in _ENDINGS if file.name.lower().endswith(ending)), key=len)
    return file.parent / file.name[: -len(ending)]


def _tops(file: Path) -> set[str]:
    """The first folders of what lies in an archive, as far as a quick look tells; none where it cannot be read."""
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as opened:
                names = opened.namelist()
        else:
            with tarfile.open(file) as packed:
                names = [member.name for member, _ in zip(packed, range(_LOOKED_AT), strict=False)]
    except Exception:  # of damaged archives both raise what they like
        return set()
    parts = [[part for part in name.split("/") if part not in ("", ".")] for name in names if "__MACOSX" not in name]
    tops = {part[0] for part in parts if part}
    return tops if ".." not in tops and any(len(part) > 1 for part in parts) else set()
