"""Where derived files (packed pixels, drawn glyphs) are kept, and how they get there whole."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from sandbox.errors import SandboxError

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
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name to write to, which becomes `path` in one step when the block ends well.

    Two processes may do this at once: the later one wins and readers of the earlier file keep theirs. Parts that a
    killed run left behind are swept up after a day.

    Raises:
        SandboxError: the folder cannot be written to, or the disk is full.
    """
    try:
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
        try:
            yield part
            _move(part, path)
        finally:
            part.unlink(missing_ok=True)
        _sweep(path.parent)
    except OSError as error:
        raise _unwritable(path.parent, error) from None


def _move(part: Path, path: Path) -> None:
    try:
        part.replace(path)
    except PermissionError:
        # Windows will not replace a file that another process has mapped; that file has the same key, so it will do.
        if not path.exists():
            raise


def _sweep(folder: Path) -> None:
    for part in folder.glob("*.part"):
        with suppress(OSError):  # another process may be sweeping too
            if time.time() - part.stat().st_mtime > _STALE_SECONDS:
                part.unlink()


def _unwritable(folder: Path, error: OSError) -> SandboxError:
    reason = error.strerror or error
    return SandboxError(f"cannot write the cache folder {folder} ({reason}); set {VARIABLE} to one that can be written")
