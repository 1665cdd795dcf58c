"""What is wrong with the files of a data set: unreadable, smaller than they are used, there twice."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sandbox.data.images.files import open_image
from sandbox.data.images.form import Form
from sandbox.data.images.listing import Listing
from sandbox.data.images.pack import pack
from sandbox.errors import SandboxError
from sandbox.evaluation.lint.embeddings import Finding
from sandbox.files import Watch
from sandbox.recipe.size import ImageSize, sides
from sandbox.wording import counted, reason

Key = TypeVar("Key", bound=Hashable)

EXAMPLES = 5
_ANY_SIDE = 8  # whether a file can be read does not hang on the size it is brought to


@dataclass(frozen=True)
class DataFinding(Finding):
    """A finding with its count and the first few cases."""

    count: int
    """Files, images or classes that it is about."""
    examples: tuple[str, ...]
    """The first few, fit to print."""


@dataclass(frozen=True)
class LeftOut:
    """Image files under the root that are in no split."""

    unreadable: int
    reasons: tuple[str, ...]
    """A sentence that counts the unreadable ones and names the first with reasons; empty where there are none."""
    readable: int
    """Files that could be read, but that the data set does not take: other folders, small classes."""


def left_out(root: Path, used: Sequence[Path]) -> LeftOut:
    """Look at the image files under `root` that are not among `used`.

    Args:
        root: the data set's folder.
        used: the files that came into a split, at least one.

    Raises:
        SandboxError: the cache folder cannot be written.
    """
    names = set(used)
    others = [file for file in Listing.below(root).images(root) if file not in names]
    if others:
        real = {os.path.realpath(file) for file in used}  # a split may have a file under another of its names
        others = [file for file in others if os.path.realpath(file) not in real]
    if not others:
        return LeftOut(0, (), 0)
    # With a file that is known to be readable in front, since packing refuses a list of which none is.
    packed = pack([used[0], *others], root, Form(_ANY_SIDE, "grey"))
    readable = len(packed.kept) - 1
    return LeftOut(len(others) - readable, packed.notes, readable)


def check_files(
    root: Path, files: Sequence[Path], rest: LeftOut, size: ImageSize, watch: Watch
) -> Iterator[DataFinding]:
    """Findings on the files of a split, and on those that no split could take.

    Rules: ``unreadable-files``, ``tiny-images``, ``duplicate-files``.

    Args:
        root: the data set's folder; files are named relative to it.
        files: the files that came into a split.
        rest: what `left_out` says of the others.
        size: side, or height x width, in pixels that images are brought to.
        watch: shows how far it is.

    Raises:
        SandboxError: a file vanished or changed since it was read.
    """
    if rest.unreadable:
        yield DataFinding("unreadable-files", rest.reasons[0], rest.unreadable, ())
    try:
        yield from _tiny(root, files, size, watch)
        yield from _duplicates(root, files, watch)
    except OSError as error:
        raise SandboxError(f"cannot read {error.filename or 'a file'} any more: {reason(error)}") from None


def _tiny(root: Path, files: Sequence[Path], size: ImageSize, watch: Watch) -> Iterator[DataFinding]:
    small: list[tuple[int, int, str]] = []
    tall, wide = sides(size)
    for file in watch(files, "sizes"):
        with open_image(file) as image:
            width, height = image.size
        if height < tall or width < wide:
            small.append((width, height, file.relative_to(root).as_posix()))
    if small:
        small.sort(key=lambda row: (min(row[:2]), max(row[:2]), row[2]))
        width, height, _ = small[0]
        many = counted(len(small), "image is", "images are")
        yield DataFinding(
            "tiny-images",
            f"{many} smaller than {size} pixels{' on a side' if tall == wide else ''}, the smallest {width}x{height}: "
            f"enlarged, they hold less than their {tall}x{wide} pixels promise (--data.image_size)",
            len(small),
            tuple(f"{path} ({width}x{height})" for width, height, path in small[:EXAMPLES]),
        )


def _duplicates(root: Path, files: Sequence[Path], watch: Watch) -> Iterator[DataFinding]:
    by_length = _grouped((file.stat().st_size, file) for file in files)
    alike = [file for group in by_length.values() if len(group) > 1 for file in group]
    by_bytes = _grouped((_digest(file), file) for file in watch(alike, "duplicates"))
    groups = sorted([file.relative_to(root).as_posix() for file in group] for group in by_bytes.values())
    copies = [group for group in groups if len(group) > 1]
    if copies:
        count = sum(map(len, copies))
        yield DataFinding(
            "duplicate-files",
            f"{count:,} files are byte for byte the same as another, in {counted(len(copies), 'group', 'groups')}",
            count,
            tuple(" = ".join(group[:3]) + (" = ..." if len(group) > 3 else "") for group in copies[:EXAMPLES]),
        )


def _grouped(rows: Iterable[tuple[Key, Path]]) -> Mapping[Key, list[Path]]:
    groups: defaultdict[Key, list[Path]] = defaultdict(list)
    for key, file in rows:
        groups[key].append(file)
    return groups


def _digest(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
