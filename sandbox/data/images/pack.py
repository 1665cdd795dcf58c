"""Many image files to one uint8 array, decoded once and kept as a memory map."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import Image

from sandbox.data.images.cache import cache_folder, cached_file
from sandbox.data.images.decode import OutsideError, decode, has_colour
from sandbox.data.images.deep import Depth, is_deep, values_of
from sandbox.data.images.form import Form
from sandbox.data.images.picture import Picture
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names, printable, reason

T = TypeVar("T")

_VERSION = 1  # raise it when `decode` changes what it gives, so that older caches are passed over
_LOOKED_AT_FOR_COLOUR = 200
_BLOCK = 2048
_WORTH_A_WORD = 2000
_DEPTH = ""  # stands among the names of unreadable files, where no file is called so


@dataclass(frozen=True)
class Packed:
    """What came out of a list of files."""

    pixels: np.ndarray
    """(N, H, W, C) uint8, read-only memory map of the files that could be read, in their order."""
    kept: tuple[int, ...]
    """(N,) the place of each in the list of files."""
    notes: tuple[str, ...]
    """Sentences that count and name what could not be read, and say how deep files were scaled; empty where there is
    nothing to say."""
    bits: int | None = None
    """That files of 16 bits or more were taken to use; None where there are none."""


def pack(files: Sequence[Path], root: Path, form: Form) -> Packed:
    """`pack_pictures`, of image files under a root.

    Raises:
        SandboxError: no file can be read, or the cache folder cannot be written.
    """
    return pack_pictures([Picture.of(file, root) for file in files], form)


def pack_pictures(pictures: Sequence[Picture], form: Form) -> Packed:
    """Decode images to squares of one size, or map what an earlier call decoded.

    The cache is keyed by each image's name, stamp and box, and by the image size and colour: a changed file makes a
    new cache. Images that cannot be read (truncated, no image, over Pillow's limit for decompression bombs) are left
    out and named. Files of 16 bits or more are scaled by the largest value in any of them, where the form does not say
    by how many bits.

    Args:
        pictures: images; their order is kept.
        form: what they are brought to; colour auto is rgb where one of about 200 images spread over the list has
            colour.

    Raises:
        SandboxError: no image can be read, a box is not inside its image, or the cache folder cannot be written.
    """
    folder = cache_folder()
    kind = f"{form.size} {form.colour}" + (f" {form.resize}" if form.resize else "")
    key = _key(pictures, kind + (f" {form.bits} bits" if form.bits else ""))
    names = [picture.name for picture in pictures]
    packed = _mapped(folder, key, names, form.bits, pictures)
    if packed is None:
        _decode_all(pictures, form, folder, key)
        packed = _mapped(folder, key, names, form.bits)
    if packed is None:
        raise SandboxError(f"the packed images {key} in {folder} vanished while they were being read; start again")
    return packed


def _key(pictures: Sequence[Picture], form: str) -> str:
    digest = hashlib.sha256(f"{_VERSION} {Image.__version__} {form}\0".encode())
    for picture in pictures:
        box = f"{picture.box}\0" if picture.box else ""
        row = f"{picture.name}\0{picture.stamp}\0{box}"
        digest.update(row.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:24]


def _mapped(
    folder: Path, key: str, names: Sequence[str], bits: int | None, pictures: Sequence[Picture] = ()
) -> Packed | None:
    """The cache of that key, or None where it is missing, damaged, or made when deep files lost all but a byte.

    Args:
        folder: of the cache.
        key: of the cache.
        names: of the images that were packed.
        bits: that the form gives.
        pictures: looked at where a cache of earlier times does not say whether it holds deep ones.
    """
    try:
        known: dict[str, Any] = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        pixels = np.load(folder / f"{key}.npy", mmap_mode="r")
        if not isinstance(known, dict) or pixels.ndim != 4 or pixels.dtype != np.uint8:
            return None
        if _DEPTH not in known:
            with _Pool() as pool:
                if any(deep for deep, _ in pool.each(lambda one: is_deep(one.content()), pictures)):
                    return None
            known |= {_DEPTH: {}}
            _write_json(folder, key, known)
        depth = Depth(**known.pop(_DEPTH))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    kept = tuple(place for place, name in enumerate(names) if name not in known)
    taken = depth.bits and (bits or depth.bits)
    notes = (*_notes(known), *depth.sentences(taken or 16))
    return Packed(pixels, kept, notes, taken) if len(pixels) == len(kept) else None


def _decode_all(pictures: Sequence[Picture], form: Form, folder: Path, key: str) -> None:
    if len(pictures) > _WORTH_A_WORD:
        print(f"packing {len(pictures):,} images into {printable(str(folder))} (once)", file=sys.stderr)
    with _Pool() as pool:
        depth = _depth(pool, pictures)
        bits = form.bits or depth.bits or 16
        coloured = form.colour == "rgb" or (form.colour == "auto" and _any_colour(pool, pictures, bits))
        channels = 3 if coloured else 1
        unreadable: dict[str, str] = {}
        with cached_file(folder / f"{key}.npy") as part, part.open("wb") as stream:
            _write_header(stream, (len(pictures), *form.sides, channels))
            filled = 0
            decoded = pool.each(lambda picture: _decoded(picture, form, channels, bits), pictures)
            for picture, (pixels, why) in zip(pictures, decoded, strict=True):
                if pixels is None:
                    unreadable[picture.name] = why
                else:
                    stream.write(pixels.tobytes())
                    filled += 1
            # NumPy pads headers so that the first axis can change in place; only now is its length known.
            stream.seek(0)
            _write_header(stream, (filled, *form.sides, channels))
        if not filled:
            raise SandboxError(f"none of the {len(pictures)} image files can be read: {_first(unreadable)}")
    # Written last: without it the pixels do not count as a cache.
    _write_json(folder, key, {**unreadable, _DEPTH: asdict(depth)})


def _decoded(picture: Picture, form: Form, channels: int, bits: int) -> np.ndarray:
    try:
        return decode(picture.content(), form.size, channels, form.resize, bits, picture.box)
    except OutsideError as error:
        box = ",".join(map(str, picture.box or ()))
        raise SandboxError(f"{picture.said}: the box {box} is not inside {picture.name}, which has {error}") from None


def _write_json(folder: Path, key: str, known: dict[str, Any]) -> None:
    with cached_file(folder / f"{key}.json") as part:
        part.write_text(json.dumps(known), encoding="utf-8")


def survey(files: Sequence[Path], names: Sequence[str] | None = None) -> Depth:
    """What those of some files hold that have more than eight bits a channel; files that cannot be read say nothing.

    Args:
        files: image files.
        names: what to call each; their paths where not given.
    """
    called = list(map(str, files)) if names is None else names
    with _Pool() as pool:
        return _depth(pool, [Picture(name, file, "") for file, name in zip(files, called, strict=True)])


def _depth(pool: _Pool, pictures: Sequence[Picture]) -> Depth:
    found = pool.each(lambda picture: values_of(picture.content(), picture.name), pictures)
    return Depth.of([values for values, _ in found if values is not None])


def _write_header(stream: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": "|u1"})


def _any_colour(pool: _Pool, pictures: Sequence[Picture], bits: int) -> bool:
    spread = pictures[:: max(1, len(pictures) // _LOOKED_AT_FOR_COLOUR)][:_LOOKED_AT_FOR_COLOUR]
    return any(found for found, _ in pool.each(lambda picture: has_colour(picture.content(), bits=bits), spread))


def _notes(unreadable: dict[str, str]) -> tuple[str, ...]:
    if not unreadable:
        return ()
    return (f"{counted(len(unreadable), 'unreadable image', 'unreadable images')} left out: {_first(unreadable)}",)


def _first(unreadable: dict[str, str]) -> str:
    return first_names([f"{name} ({why})" for name, why in unreadable.items()])


class _Pool:
    """Threads that decode (Pillow lets go of the interpreter lock) and turn what goes wrong into a reason."""

    def __enter__(self) -> _Pool:
        # Warning filters are one for the process, so they are set here and not in the threads. Pillow only warns of
        # images between one and two times its size limit; they are refused like those above.
        self._filters = warnings.catch_warnings()
        self._filters.__enter__()
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        self._threads = ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1))
        return self

    def __exit__(self, *error: Any) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._filters.__exit__(*error)

    def each(self, job: Callable[[Picture], T], pictures: Sequence[Picture]) -> Iterator[tuple[T | None, str]]:
        """The result of each image in order, or None and the reason; in blocks, so that memory stays bounded.

        Raises:
            SandboxError: a job raised one; it is no fault of an image.
        """

        def attempt(picture: Picture) -> tuple[T | None, str]:
            try:
                return job(picture), ""
            except SandboxError:
                raise
            except Exception as error:  # Pillow's decoders raise a dozen unrelated types on broken files
                return None, _reason(error, picture)

        for start in range(0, len(pictures), _BLOCK):
            yield from self._threads.map(attempt, pictures[start : start + _BLOCK])


def _reason(error: Exception, picture: Picture) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        held = picture.content()
        size = held.stat().st_size if isinstance(held, Path) else len(held)
        return "not an image" if size else "empty file"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"over {Image.MAX_IMAGE_PIXELS:,} pixels"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return reason(error)
