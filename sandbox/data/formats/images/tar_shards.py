"""A shard of webdataset: a tar archive in which files that follow each other and share a key are one sample.

The key of a file is its path up to the first dot of its name, and what stands behind that dot, in small letters, says
what it is (webdataset, `webdataset/tariterators.py`, `base_plus_ext` and `group_by_keys`); files called ``__so__`` are
its own. A sample here is an image and its class: in a file ``cls`` (or ``class``), or under ``label`` (or ``cls``,
``class``) in a file ``json``, whose other texts and numbers are known of the image as well.
"""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sandbox.data.formats.images.image_table import ImageTable, whole_numbers
from sandbox.data.images.files import ENDINGS
from sandbox.data.images.picture import read_span
from sandbox.errors import SandboxError
from sandbox.files import parse_json
from sandbox.wording import first_names, reason, shown

_KEY = re.compile(r"((?:.*/|)[^./]+)\.([^/]*)", re.DOTALL)
_CLASSES = ("cls", "class")
_LABELS = ("label", *_CLASSES)
_IMAGES = (*(ending[1:] for ending in ENDINGS), "img", "image")  # webdataset writes JPEG under the last two as well
_LONGEST = 2**20  # bytes of a class or of a JSON
_COMPRESSED = {b"\x1f\x8b": "gunzip", b"BZ": "bunzip2", b"\xfd7": "unxz", b"\x28\xb5": "unzstd"}


@dataclass
class _Sample:
    """Files of one key: place and length in bytes by what they are."""

    key: str
    files: dict[str, tuple[int, int]] = field(default_factory=dict)


def read_shard(file: Path) -> ImageTable:
    """Find the images of a shard, and read their classes.

    Raises:
        SandboxError: it is compressed, cut short or damaged, a sample has no class, no image, two of either, or the
            key of another.
    """
    try:
        samples = list(_samples(file))
        with file.open("rb") as stream:
            read = [_read(file, stream, sample) for sample in samples]
    except (SandboxError, OSError):
        raise
    except Exception as error:  # tarfile raises a dozen types on damaged headers
        raise SandboxError(f"{file} is damaged or no tar archive: {reason(error)}") from None
    if not samples:
        raise SandboxError(f"{file} holds no sample, which is an image and its class under one key")
    places = [place for _, place, _ in read]
    names = dict.fromkeys(name for _, _, known in read for name in known)
    columns = {name: [known.get(name, "") for _, _, known in read] for name in names}
    columns["path"] = [path for path, _, _ in read]
    if len(set(columns["path"])) < len(read):
        again = next(path for path, times in Counter(columns["path"]).items() if times > 1)
        raise SandboxError(f"{file} has two samples of the key of {shown(again)}, and a key is one image's")

    def content(row: int) -> bytes:
        return read_span(file, *places[row])

    return whole_numbers(ImageTable(file, "sample", range(1, len(read) + 1), columns, content=content))


def _samples(file: Path) -> Iterator[_Sample]:
    """The samples of an archive in their order."""
    sample: _Sample | None = None
    for name, place, size in _members(file):
        match = _KEY.fullmatch(name)
        if match is None or re.match(r"__[^/]*__($|/)", name):
            continue
        key, kind = match[1], match[2].lower()
        if sample is None or key != sample.key:
            if sample is not None:
                yield sample
            sample = _Sample(key)
        if kind in sample.files:
            raise SandboxError(f"{file} holds {shown(name)} twice in one sample")
        sample.files[kind] = (place, size)
    if sample is not None:
        yield sample


def _members(file: Path) -> Iterator[tuple[str, int, int]]:
    """Name, place and length of each file in an archive.

    `tarfile` ends in silence at a header that is none, so it is seen here what stands where it ended.
    """
    length = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(2)
    if start in _COMPRESSED:
        raise SandboxError(
            f"{file} is compressed, so that no image in it can be reached; use {_COMPRESSED[start]} first"
        )
    with tarfile.open(file, "r:") as archive:
        for member in archive:
            if member.offset_data + member.size > length:
                raise SandboxError(f"{file} is cut short: it has {length:,} bytes, and {shown(member.name)} ends later")
            if member.isreg() and not member.issparse():
                yield member.name, member.offset_data, member.size
        end = archive.offset
    with file.open("rb") as stream:
        stream.seek(end)
        block = stream.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or any(block):
        what = "is damaged" if any(block) else "is cut short"
        raise SandboxError(f"{file} {what}: no file and no end of the archive stands at byte {end:,} of {length:,}")


def _read(file: Path, stream: BinaryIO, sample: _Sample) -> tuple[str, tuple[int, int], dict[str, str]]:
    """Name and place of the image of a sample, and what is known of it, `label` among that."""
    images = [kind for kind in sample.files if kind.rpartition(".")[2] in _IMAGES]
    if len(images) != 1:
        images = [kind for kind in images if "." not in kind]  # beside masks and depths, such as seg.png
    if len(images) != 1:
        holds = first_names([f"{sample.key}.{kind}" for kind in sample.files])
        raise SandboxError(f"{file} must hold one image under the key {shown(sample.key)}, but it holds {holds}")
    known = _known(file, stream, sample)
    named = [kind for kind in _CLASSES if kind in sample.files]
    if named:
        known["label"] = _text(file, stream, sample, named[0]).strip()
    elif "label" not in known:
        holds = first_names([f"{sample.key}.{kind}" for kind in sample.files])
        raise SandboxError(
            f"{file} gives no class for the key {shown(sample.key)}: it holds {holds}, but a .cls is needed, or a "
            ".json with 'label'"
        )
    return f"{sample.key}.{images[0]}", sample.files[images[0]], known


def _known(file: Path, stream: BinaryIO, sample: _Sample) -> dict[str, str]:
    """The texts and numbers of a sample's JSON."""
    if "json" not in sample.files:
        return {}
    text = _text(file, stream, sample, "json")
    try:
        held = parse_json(text, finite=False)
    except ValueError as error:
        raise SandboxError(
            f"{file} holds {shown(sample.key + '.json')}, which cannot be read: {reason(error)}"
        ) from None
    if not isinstance(held, dict):
        return {"label": _plain(held)} if isinstance(held, str | int) else {}
    known = {name: _plain(value) for name, value in held.items() if isinstance(value, str | int | float | None)}
    label = next((known[name] for name in _LABELS if name in known), None)
    rest = {name: value for name, value in known.items() if name not in (*_LABELS, "path") and name}
    return rest if label is None else {"label": label, **rest}


def _plain(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()


def _text(file: Path, stream: BinaryIO, sample: _Sample, kind: str) -> str:
    start, length = sample.files[kind]
    name = shown(f"{sample.key}.{kind}")
    if length > _LONGEST:
        raise SandboxError(f"{file} holds {name} of {length:,} bytes, and at most {_LONGEST:,} are read")
    stream.seek(start)
    try:
        return stream.read(length).decode("utf-8")
    except UnicodeDecodeError:
        raise SandboxError(f"{file} holds {name}, which is no text in UTF-8") from None
