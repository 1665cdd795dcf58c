"""Where derived files (packed pixels, drawn glyphs) are kept, and how they get there whole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from sandbox.errors import SandboxError
from sandbox.files import replacing
from sandbox.wording import reason

VARIABLE = "METRIC_LEARNING_SANDBOX_CACHE"
_STALE_SECONDS = 24 * 3600.0


def cache_folder() -> Path:
    """The folder for derived files, made if it is missing.

    Raises:
        SandboxError: it cannot be made.
    """
    folder = Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("metric-learning-sandbox")).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return folder


@contextmanager
def cached_file(path: Path) -> Iterator[Path]:
    """A temporary name to write a file of the cache to, as `files.replacing` has it.

    Parts that a killed run left behind are swept up after a day.

    Raises:
        SandboxError: the folder cannot be written to, or the disk is full.
    """
    try:
        with replacing(path) as part:
            yield part
        _sweep(path.parent)
    except PermissionError as error:
        # Windows will not replace a file that another process has mapped; that file has the same key, so it will do.
        if not path.exists():
            raise _unwritable(path.parent, error) from None
    except OSError as error:
        raise _unwritable(path.parent, error) from None


def _sweep(folder: Path) -> None:
    for part in folder.glob("*.part*"):
        with suppress(OSError):  # another process may be sweeping too
            if time.time() - part.stat().st_mtime > _STALE_SECONDS:
                part.unlink()


def _unwritable(folder: Path, error: OSError) -> SandboxError:
    return SandboxError(
        f"cannot write the cache folder {folder} ({reason(error)}); set {VARIABLE} to one that can be written"
    )
