"""Folders of people's images to rows, with a sentence on whatever was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from sandbox.data.images.files import subfolders
from sandbox.data.images.listing import Listing
from sandbox.data.images.parts import Parts, parts_of
from sandbox.data.names import same_name
from sandbox.errors import SandboxError
from sandbox.files import Watch, unwatched
from sandbox.recognition.gallery import Gallery, clean_name, make_gallery
from sandbox.recognition.reader import Reader, find_images
from sandbox.wording import counted, first_names, reason


def people_in(folder: Path) -> tuple[list[Path], list[str], list[str]]:
    """Image files in the folders of people, whose each is, and what was passed over.

    Raises:
        SandboxError: no such folder, none with images in it, or two whose names are the same.
    """
    if not folder.is_dir():
        raise SandboxError(f"there is no folder {folder}, or it is a file; it holds a folder for each person")
    try:
        parts = _refused_parts(folder)
        folders = subfolders(folder)
        listing = Listing.below(folder, *folders)
        listing.around(folder)
        found = {own: listing.images(own) for own in folders}
    except OSError as error:
        raise SandboxError(f"cannot read {error.filename or folder}: {reason(error)}") from None
    notes = listing.notes("the folders of people")
    if not any(found.values()):
        loose = len(listing.passed.beside)
        beside = f", but {counted(loose, 'image', 'images')} in no folder" if loose else ""
        listing.passed.beside.clear()
        why = "; ".join(listing.notes())
        beside += why and f" ({why})"
        raise SandboxError(f"{folder} holds no folder with images{beside}; each person has a folder, named as they are")
    notes += [*parts.notes(), *_one_person(folders, found)]
    named: dict[str, Path] = {}
    for own in folders:
        name = clean_name(own.name)
        if name in named:
            both = f"{named[name].name!a} and {own.name!a} in {folder}"
            raise SandboxError(f"{both} are both the name '{name}'; put one person's images together")
        named[name] = own
    empty = [name for name, own in named.items() if not found[own]]
    if empty:
        notes.append(
            f"nobody is enrolled from {counted(len(empty), 'folder', 'folders')} without images: {first_names(empty)}"
        )
    files = [(file, name) for name, own in named.items() for file in found[own]]
    return [file for file, _ in files], [name for _, name in files], notes


def _refused_parts(folder: Path) -> Parts:
    """The folder's folders told apart, where they are people's and not parts of a set.

    Raises:
        SandboxError: they are parts.
    """
    parts = parts_of(folder)
    parts.refuse_unlabelled("folder")
    if parts.whole:
        raise SandboxError(
            f"{folder} holds {parts.names(parts.whole)} with folders in it, as a part of a set does, and not a folder "
            f"for each person; is {parts.meant} the folder that is meant?"
        )
    return parts


def _one_person(folders: Sequence[Path], found: Mapping[Path, Sequence[Path]]) -> list[str]:
    """A sentence where the only person's images all lie in several folders, which may be people."""
    holding = [own for own in folders if found[own]]
    inner = {file.relative_to(holding[0]).parts[0] for file in found[holding[0]]} if len(holding) == 1 else set()
    if len(inner) < 2 or any(file.parent == holding[0] for file in found[holding[0]]):
        return []
    return [
        f"one person, '{holding[0].name}', whose images lie in {len(inner):,} folders; if those are people, give "
        f"{holding[0]}"
    ]


def embedded_rows(
    reader: Reader, files: Sequence[Path], whose: Sequence[str], watch: Watch = unwatched
) -> tuple[Gallery, list[str]]:
    """The foremost face of each file as a row, and sentences on the files that gave none or several.

    Raises:
        SandboxError: no file gave a face.
    """
    kept: list[tuple[np.ndarray, str, str, str]] = []
    refused, faceless, several, twice = [], [], [], []
    met: set[tuple[str, str]] = set()
    for one, name in zip(reader.embedded(files, foremost=True, watch=watch), whose, strict=True):
        if one.refused:
            refused.append(f"{one.file} ({one.refused})")
        elif not one.faces:
            faceless.append(f"{one.file} (no face was found)")
        else:
            several += [str(one.file)] if len(one.faces) > 1 else []
            digest = file_digest(one.file)
            if (name, digest) in met:
                twice.append(str(one.file))
            else:
                kept.append((one.x[0], name, str(one.file), digest))
            met.add((name, digest))
    if not kept:
        raise SandboxError(
            f"none of {counted(len(files), 'image', 'images')} can be used: {first_names(refused + faceless)}"
        )
    left_out = {
        "cannot be read and left out": refused,
        "left out": faceless,
        "with several faces, of which the largest near the middle is taken": several,
        "there twice and taken once": twice,
    }
    notes = [
        f"{counted(len(rows), 'image', 'images')} {what}: {first_names(rows)}"
        for what, rows in left_out.items()
        if rows
    ]
    notes += reader.notes()
    lost = sorted(set(whose) - {name for _, name, _, _ in kept})
    if lost:
        notes.append(f"without an image that can be used, and left out: {first_names(lost)}")
    x, names, paths, digests = zip(*kept, strict=True)
    return make_gallery(np.stack(x), names, paths, digests, [date.today().isoformat()] * len(kept)), notes


def strangers_in(folder: Path) -> tuple[list[Path], list[str], list[str]]:
    """Image files of strangers, and whose each is: a folder directly below `folder`, or itself where it is in none.

    Returns:
        The files, whose each is, and sentences on what was passed over.

    Raises:
        SandboxError: no such folder, no images in it, or parts of a set in place of people.
    """
    if not folder.is_dir():
        raise SandboxError(f"there is no folder {folder} of strangers, or it is a file")
    try:
        said = _refused_parts(folder).notes()
    except OSError as error:
        raise SandboxError(f"cannot read {error.filename or folder}: {reason(error)}") from None
    files, notes = find_images([folder])
    places = [file.relative_to(folder).parts for file in files]
    return files, [same_name(own[0]) for own in places], notes + said


def two_names(rows: Gallery) -> list[str]:
    """A sentence on images that are enrolled as two people's."""
    first: dict[str, int] = {}
    both = []
    for row, digest in enumerate(rows.digests):
        other = first.setdefault(digest, row)
        if digest and rows.person[other] != rows.person[row]:
            both.append(f"{rows.files[other]} = {rows.files[row]}")
    if not both:
        return []
    return [f"byte for byte the same, but enrolled as two people: {first_names(both)}"]


def file_digest(file: Path) -> str:
    """16 hex characters that name the bytes of a file.

    Raises:
        SandboxError: it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    except OSError as error:
        raise SandboxError(f"cannot read {file} any more: {reason(error)}") from None
