"""Which files are images, told by what they hold, and which entries of a folder count."""

from __future__ import annotations

import errno
import io
import stat
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".webp", ".tif", ".tiff", ".gif"),
    *(".jpe", ".jfif", ".avif", ".jp2", ".j2k", ".jpf", ".pbm", ".pnm", ".pfm", ".apng", ".mpo", ".dib", ".qoi"),
    *(
        ".tga",
        ".pcx",
        ".xbm",
        ".xpm",
    ),
)
"""Endings, in small letters, of files that are taken for images without a look inside, so that large sets list fast."""

_MARKED = (
    *("JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "QOI", "PSD", "DDS", "SGI"),
    *("SUN", "FITS", "PCX", "DCX", "BLP", "FTEX", "PIXAR", "MSP", "ICNS", "ICO", "CUR"),
)
"""Formats that a file says of itself in its first bytes: a file of any name is looked at for these."""
_FORMATS = (*_MARKED, "DIB", "IM", "XBM", "XPM", "SPIDER", "PCD", "TGA")
"""Formats that are read at all. EPS and PDF are programs, for which Pillow would start an interpreter, WMF are drawing
commands, FLI and MPEG films, GRIB, BUFR and HDF5 tables: none of these is an image here, whatever it is called."""
_RAW = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw")
"""A camera's raw files: most are TIFF, in which Pillow finds the thumbnail."""
_HEIF = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_SET_ASIDE = ("@", "__MACOSX")
"""What names of folders and files start with that a disk or an archiver put there: thumbnails, and halves of files."""


Encoded = Path | bytes
"""An image file, or the bytes that one would hold."""


def open_image(file: Any) -> Image.Image:
    """`PIL.Image.open`, for the formats that are images here; bytes are what a file would hold.

    Raises:
        Exception: what Pillow raises, which has no common type below Exception.
    """
    return Image.open(io.BytesIO(file) if isinstance(file, bytes) else file, formats=_known(_FORMATS))


def is_image(path: Path) -> bool:
    """Whether a path is a file (a broken link is not) that is an image, or whose ending is one's."""
    return why_no_image(path) is None


def why_no_image(path: Path) -> str | None:
    """None for an image; else what is odd about the entry, in a few words, or an empty string.

    Raises:
        OSError: the folder it lies in may not be read.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
            return "a link that leads nowhere"
        raise
    except ValueError:  # a null character, in a name out of a list
        return ""
    if not stat.S_ISREG(mode):
        return "" if stat.S_ISDIR(mode) else "a pipe or a device"
    ending = path.suffix.lower()
    if ending in ENDINGS:
        return None
    return "a camera's raw file" if ending in _RAW else _looked_into(path)


def _looked_into(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
            known = _known(_MARKED)
            if not start or not any(Image.OPEN[name][1](start) for name in known):  # type: ignore[misc]
                return "HEIC, which is not read" if start[4:8] == b"ftyp" and start[8:12] in _HEIF else ""
            stream.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                Image.open(stream, formats=known).close()
    except Image.DecompressionBombError:
        return None  # an image, which is refused with a reason where it is read
    except OSError as error:
        return (error.strerror or "").lower()
    except Exception:  # what Pillow raises for a header that is none has no common type
        return ""
    return None


@cache
def _known(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Those that this Pillow was built with."""
    Image.init()
    return tuple(name for name in formats if name in Image.OPEN)


def is_set_aside(name: str) -> bool:
    """Whether a name is one that a disk or an archiver gives to what is not the person's own."""
    return name.startswith(_SET_ASIDE)


def entries(folder: Path) -> list[Path]:
    """What is in a folder, links last, each group sorted by name."""
    return sorted(folder.iterdir(), key=lambda entry: (entry.is_symlink(), entry.name))


def counts(name: str) -> bool:
    """Whether an entry of that name counts: it is neither hidden nor set aside."""
    return not name.startswith(".") and not is_set_aside(name)


def visible(folder: Path) -> list[Path]:
    """What is in a folder but for what is hidden or set aside, links last, each group sorted by name."""
    return [entry for entry in entries(folder) if counts(entry.name)]


def subfolders(folder: Path) -> list[Path]:
    """The visible folders in a folder, links last, each group sorted by name."""
    return [entry for entry in visible(folder) if entry.is_dir()]


def base_of(root: Path, name: str) -> Path | None:
    """The folder that holds a file or folder of that name: the root, or the first up to two levels below it."""
    for depth in ("", "*/", "*/*/"):
        found = sorted(root.glob(depth + name))
        if found:
            return found[0].parent
    return None
