"""Data sets that are downloaded where `data.root` is not given: into the cache, whole or not at all."""

from __future__ import annotations

import secrets
import shutil
import socket
import time
import urllib.error
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlparse

from sandbox.data.images.cache import VARIABLE, cache_folder
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import reason

_PATIENCE = 15.0  # seconds without a byte; the system's own limit is minutes
_STALE_SECONDS = 24 * 3600.0

Fetch = Callable[[Path], None]
"""Downloads into an empty folder and leaves there what the data set's reader wants; raises whatever it likes."""


def kept(name: str) -> Path:
    """The folder of the cache that a downloaded data set lies in, whether or not it is there yet.

    Raises:
        SandboxError: the cache folder cannot be made.
    """
    return cache_folder() / "downloads" / name


@contextmanager
def folder_of(spec: DataSpec, fetch: Fetch, needed: str) -> Iterator[Path]:
    """The folder to read: `data.root` where it is given, else the cache's, downloaded now if it is not there.

    What goes wrong with a downloaded folder inside the block is said together with the way out, to delete it.

    Args:
        spec: names the data set and perhaps its root.
        fetch: downloads it; called with a folder that becomes the cache's only once this returns.
        needed: what a root has to hold, for the person whose machine has no network.

    Raises:
        SandboxError: it cannot be downloaded, or the cache cannot be written.
    """
    if spec.root:
        yield Path(spec.root).expanduser()
        return
    folder = kept(spec.name)
    if not folder.is_dir():
        _download(spec.name, folder, fetch, needed)
    try:
        yield folder
    except SandboxError as error:
        raise SandboxError(f"{error}; delete {folder} to have it downloaded again") from None


def added_to(folder: Path, name: str, fetch: Fetch, needed: str) -> None:
    """Download what belongs to a data set and may not be in its folder of the cache yet, as a folder in there.

    Args:
        folder: of the data set, in the cache.
        name: of the folder in it; where that is there, nothing is done.
        fetch: downloads it, as for `folder_of`.
        needed: the same.

    Raises:
        SandboxError: it cannot be downloaded, or the cache cannot be written.
    """
    if not (folder / name).is_dir():
        _download(folder.name, folder / name, fetch, needed)


def unpack(addresses: Sequence[str], folder: Path, md5: str | None = None) -> None:
    """Download one archive from the first address that has it, check its digest, and unpack it into `folder`.

    Args:
        addresses: where the same file lies, tried in turn.
        folder: gets what is in the archive, and not the archive.
        md5: digest of the archive, in hex; None where the reader knows what is in it by another.

    Raises:
        ConnectionError: no address gave a file of that digest; the text has a reason for each.
    """
    from torchvision.datasets.utils import download_and_extract_archive

    reasons = []
    for address in addresses:
        try:
            download_and_extract_archive(address, str(folder), md5=md5, remove_finished=True)
            return
        except Exception as error:  # urllib, http, tarfile, gzip and zipfile have no common type
            reasons.append(f"{Path(urlparse(address).path).name} from {urlparse(address).netloc}: {_reason(error)}")
    raise ConnectionError("; ".join(reasons))


def _download(name: str, folder: Path, fetch: Fetch, needed: str) -> None:
    part = folder.with_name(f"{folder.name}.{secrets.token_hex(8)}.part")
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise SandboxError(
            f"cannot write the cache folder {part.parent} ({reason(error)}); set {VARIABLE} to one that can "
            f"be written, or give data set '{name}' a data.root"
        ) from None
    patience = socket.getdefaulttimeout()
    try:
        socket.setdefaulttimeout(_PATIENCE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of retries, and of what tarfile will do in later Pythons
            fetch(part)
        _move(part, folder)
    except Exception as error:  # whatever libraries that download come to
        raise SandboxError(
            f"data set '{name}' could not be downloaded ({_reason(error)}); where you have it, or can get it on "
            f"another machine, give data.root a folder that holds {needed}"
        ) from None
    finally:
        socket.setdefaulttimeout(patience)
        shutil.rmtree(part, ignore_errors=True)
        _sweep(folder.parent)


def _move(part: Path, folder: Path) -> None:
    try:
        part.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster, and has the same
            raise


def _sweep(folder: Path) -> None:
    """Remove what downloads left that were killed more than a day ago."""
    for part in folder.glob("*.part"):
        with suppress(OSError):  # another process may be sweeping too
            if time.time() - part.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(part, ignore_errors=True)


def _reason(error: BaseException) -> str:
    """Why a download failed, in a few words on one line."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        return _reason(error.reason)
    if isinstance(error, TimeoutError):
        return f"no answer in {_PATIENCE:g} seconds"
    if isinstance(error, RuntimeError) and "corrupted" in str(error):  # what torchvision says of a wrong digest
        return "what arrived is cut short, or is another file"
    text = reason(error)
    return " ".join(text.split())[:300].rstrip(".") or type(error).__name__
