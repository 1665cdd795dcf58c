"""A folder tree of photographs to a tree of aligned faces; a run that was broken off can be gone on with."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

import torch
from PIL import Image

from sandbox.data.faces.align import align_face
from sandbox.data.faces.detect import Detector, Face, foremost
from sandbox.data.faces.record import (
    LISTING,
    MIDDLE,
    SETTINGS,
    Outcome,
    Row,
    Settings,
    append_rows,
    earlier_rows,
    stamp,
    still_true,
    write_rows,
    write_settings,
)
from sandbox.data.images.decode import fitted, read_photograph
from sandbox.data.images.listing import Listing
from sandbox.data.images.pack import survey
from sandbox.errors import SandboxError
from sandbox.files import whole_file
from sandbox.wording import reason

Read = tuple[Path, Image.Image | str]
"""A file and its picture, or why it cannot be read."""

_BATCH = 16  # photographs that are searched together
_BATCH_PIXELS = 8_000_000  # or fewer large ones
_JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}
_AHEAD = 4  # photographs that are decoded while those before them are searched


def align_tree(
    source: Path,
    destination: Path,
    size: int,
    min_face: int,
    device: str | torch.device,
    watch: Callable[[Sequence[Path], str], Iterable[Path]],
    without_face: Literal["leave", "middle"] = "leave",
) -> Outcome:
    """Write, for each photograph with a face, that face aligned, under the same relative path in another tree.

    JPEG files stay JPEG (quality 95, colour at full resolution), so that lists of their names stay true, and PNG files
    stay PNG; a file of another kind becomes a PNG file with `.png` appended to its name. Of several faces that of
    `foremost` is taken. `aligned.csv` says what became of each photograph, as it goes, and `aligned.toml` holds
    the settings: a second run with the same ones does what the first has not done. Its batches are others, and the
    rounding in them (`Detector`) moves a grey level in about one picture of a hundred.

    Args:
        source: the folder of photographs, in it or in folders below it.
        destination: the tree to write: not there, empty, or of an earlier run with the same settings.
        size: side of an aligned face, pixels.
        min_face: as for `Detector`.
        device: where the networks run.
        watch: passes files on one by one and shows how far they have come, given what is done to them.
        without_face: what becomes of a photograph in which no face is found: it is left out, or the square in its
            middle is taken, half as wide as its shorter side, so that lists which name it stay true.

    Returns:
        What became of each photograph.

    Raises:
        SandboxError: no such folder, or no photographs in it; a destination that is in it or holds anything else; a
            file that cannot be written; facenet-pytorch is not installed.
    """
    found, notes = _photographs(source, destination)
    files = {path.relative_to(source).as_posix(): path for path in found}
    own = sorted({name.split("/")[0] for name in files} & {LISTING, SETTINGS})
    if own:
        raise SandboxError(f"'{source / own[0]}' has the name of a file that is written beside the faces; rename it")
    names = aligned_names(files)
    settings = Settings(str(source.resolve()), size, min_face, without_face)
    earlier = earlier_rows(destination, settings)
    detector = Detector(min_face, device)
    try:
        kept, gone = still_true(earlier, files, names, destination)
        destination.mkdir(parents=True, exist_ok=True)
        write_settings(destination, settings)
        write_rows(destination, kept + gone)
        done = {row.path for row in kept}
        depth = survey(list(files.values()), list(files))  # of all, so that a run that goes on takes the same scale
        bits = depth.bits or 16
        stamps = {name: stamp(path) for name, path in files.items()}  # before any is read
        rows = list(kept)
        undone = watch([files[name] for name in files if name not in done], "aligning")
        with closing(_read_ahead(undone, bits)) as pictures:
            for batch in _batches(pictures):
                rows += _align(batch, detector, source, destination, names, settings, stamps)
        write_rows(destination, rows + gone)
    except OSError as error:
        raise SandboxError(f"cannot write {error.filename or destination}: {reason(error)}") from None
    return Outcome(sorted(rows, key=lambda row: row.path), len(kept), len(gone), (*notes, *depth.sentences(bits)))


def aligned_names(paths: Iterable[str]) -> dict[str, str]:
    """For each relative path that of its aligned face: its own where that is JPEG or PNG, else with `.png` appended.

    No two share one: where a name is taken, `.png` is appended once more.
    """
    paths = sorted(set(paths))
    names = {path: path for path in paths if path.lower().endswith((".jpg", ".jpeg", ".png"))}
    taken = set(names)
    for path in paths:
        if path not in names:
            name = f"{path}.png"
            while name in taken:
                name += ".png"
            names[path] = name
            taken.add(name)
    return names


def _photographs(source: Path, destination: Path) -> tuple[list[Path], list[str]]:
    """The photographs, and sentences on what was passed over."""
    if not source.is_dir():
        raise SandboxError(f"there is no folder of photographs '{source}'")
    if destination.resolve().is_relative_to(source.resolve()):
        raise SandboxError(f"'{destination}' lies in the folder of photographs '{source}'; name one outside it")
    try:
        listing = Listing.below(source)
        files = listing.images(source)
    except OSError as error:
        raise SandboxError(f"cannot read {error.filename or source}: {reason(error)}") from None
    if not files:
        why = "; ".join(listing.notes())
        raise SandboxError(f"there are no photographs in '{source}' or in the folders below it{why and f' ({why})'}")
    return files, listing.notes()


def _align(
    batch: Sequence[Read],
    detector: Detector,
    source: Path,
    destination: Path,
    names: Mapping[str, str],
    settings: Settings,
    stamps: Mapping[str, str],
) -> list[Row]:
    """Align the pictures of a batch, and list each once its file is there."""
    found = iter(detector([image for _, image in batch if not isinstance(image, str)]))
    rows: list[Row] = []
    try:
        for path, image in batch:
            name = path.relative_to(source).as_posix()
            if isinstance(image, str):
                (destination / names[name]).unlink(missing_ok=True)  # of an earlier run
                row = Row.unreadable(name, image)
            else:
                row = _align_one(image, next(found), name, names[name], destination, settings)
            rows.append(replace(row, photograph=stamps[name]))
    finally:
        append_rows(destination, rows)
    return rows


def _align_one(
    image: Image.Image, faces: Sequence[Face], name: str, aligned: str, top: Path, settings: Settings
) -> Row:
    target, size = top / aligned, settings.size
    kind = {"format": "PNG"} if aligned.lower().endswith(".png") else _JPEG
    if not faces and settings.without_face == "leave":
        target.unlink(missing_ok=True)  # of an earlier run, before the photograph was changed
        return Row(name, "", 0, "", "left out, no face")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not faces:
        middle = Image.fromarray(fitted(image, size, 3, 2 * size))
        with whole_file(target) as part:
            middle.save(part, **kind)
        return Row(name, aligned, 0, "", MIDDLE)
    face = foremost(faces, image.size)
    try:
        upright = align_face(image, face.points, size)
    except SandboxError as error:  # its points fall together, which no face's do
        target.unlink(missing_ok=True)
        return Row(name, "", len(faces), "", f"left out, {error}")
    with whole_file(target) as part:
        upright.save(part, **kind)
    done = "aligned" if len(faces) == 1 else f"aligned, one of {len(faces)}"
    return Row(name, aligned, len(faces), f"{face.confidence:.4f}", done)


def _read_ahead(files: Iterable[Path], bits: int) -> Generator[Read]:
    """Decode on a thread, while the caller does something else."""
    # One thread: the guard against giant pictures is switched for the whole process while a file is read.
    pool = ThreadPoolExecutor(max_workers=1)
    waiting: deque[tuple[Path, Future[Image.Image | str]]] = deque()
    upcoming = iter(files)
    try:
        waiting.extend((file, pool.submit(_read, file, bits)) for file in islice(upcoming, _AHEAD))
        while waiting:
            path, future = waiting.popleft()
            picture = future.result()
            waiting.extend((file, pool.submit(_read, file, bits)) for file in islice(upcoming, 1))
            yield path, picture
    finally:
        pool.shutdown(cancel_futures=True)


def _read(path: Path, bits: int) -> Image.Image | str:
    try:
        return read_photograph(path, bits)
    except SandboxError as error:
        return str(error).removeprefix(f"{path} ").removeprefix("cannot be read as an image: ")


def _batches(pictures: Iterator[Read]) -> Iterator[list[Read]]:
    batch: list[Read] = []
    pixels = 0
    for path, image in pictures:
        batch.append((path, image))
        pixels += 0 if isinstance(image, str) else image.width * image.height
        if len(batch) == _BATCH or pixels >= _BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch
