"""People in and out of an npz file, in which nothing is pickled."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np

from sandbox.called import called
from sandbox.data.formats.rows.npz import Declared, NpzError, read_npz
from sandbox.data.images.deep import BITS
from sandbox.errors import SandboxError
from sandbox.files import parse_json, whole_file
from sandbox.inference.embedder import Embedder
from sandbox.inference.load import load_network
from sandbox.inference.network_text import read_text
from sandbox.recognition.gallery import Gallery
from sandbox.recognition.people import Calibrated, NetworkFacts, People, Threshold

T = TypeVar("T")

VERSION = 1
_ARRAYS = {
    "about": ("|u1", 1),
    "x": ("<f4", 2),
    "owner": ("<i8", 1),
    "strangers_x": ("<f4", 2),
    "strangers_owner": ("<i8", 1),
}
"""Each with its type and the number of its dimensions."""
_ABOUT = 64 * 1024
"""Bytes that are said of each row at most: a name, a path and a digest are far shorter."""
_TEXTS = ("names", "files", "digests", "dates")


def save_people(people: People, file: Path) -> None:
    """Write the file whole or not at all: under another name first, which then takes its place.

    Raises:
        SandboxError: it cannot be written.
    """
    about = {
        "version": VERSION,
        "network": dataclasses.asdict(people.network),
        "faces": people.faces,
        "template": people.template,
        "threshold": dataclasses.asdict(people.threshold),
        "calibration": people.calibration and dataclasses.asdict(people.calibration),
        "enrolled": {name: getattr(people.gallery, name) for name in _TEXTS},
        "strangers": people.strangers and {name: getattr(people.strangers, name) for name in _TEXTS},
    }
    about |= {"bits": people.bits} if people.bits else {}
    arrays = {"about": np.frombuffer(json.dumps(about, allow_nan=False).encode(), np.uint8)}
    arrays |= {"x": people.gallery.x, "owner": people.gallery.person}
    if people.strangers is not None:
        arrays |= {"strangers_x": people.strangers.x, "strangers_owner": people.strangers.person}
    with whole_file(file, make_folder=True) as part, part.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def load_people(file: Path) -> People:
    """Read what `save_people` wrote.

    Raises:
        SandboxError: there is no such file, it is of another kind or version, or it is damaged.
    """
    arrays = _arrays(file)
    try:
        about = parse_json(arrays["about"].tobytes(), finite=False)
        if about["version"] != VERSION:
            raise SandboxError(f"{file} has version {about['version']!r}, but this reads version {VERSION}; enrol anew")
        people = People(
            gallery=_rows(about["enrolled"], arrays["x"], arrays["owner"]),
            strangers=None
            if about["strangers"] is None
            else _rows(about["strangers"], arrays["strangers_x"], arrays["strangers_owner"]),
            network=_plain(NetworkFacts, about["network"]),
            faces=_one_of(about["faces"], ("whole", "detect")),
            template=_one_of(about["template"], ("mean", "best")),
            threshold=_plain(Threshold, about["threshold"]),
            calibration=None if about["calibration"] is None else _plain(Calibrated, about["calibration"]),
            bits=_one_of(about.get("bits"), (None, *BITS)),
        )
        _one_of(people.threshold.source, ("strangers", "validation", "by hand"))
        if people.calibration is not None and people.calibration.slope <= 0:
            raise ValueError("its calibration falls where similarities rise")
        widths = {part.x.shape[1] for part in (people.gallery, people.strangers) if part is not None}
        if widths != {people.network.dim}:
            raise ValueError(f"its embeddings are {widths} wide, its network's {people.network.dim}")
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        reason = f"there is no {error.args[0]}" if isinstance(error, KeyError) else str(error).split("\n")[0]
        raise SandboxError(f"{file} is damaged, or no file of enrolled people: {reason}") from None
    return people


def network_of(people: People, file: Path, given: str = "") -> Embedder:
    """The network that people were enrolled with, where it lay then or where it is now.

    Args:
        people: who is enrolled.
        file: where they are kept, for the error.
        given: where the network is now; where it lay then if empty.

    Raises:
        SandboxError: it is not there any more, or another network is.
    """
    path = Path(given or people.network.path)
    if not given and not read_text(str(path)).is_there:
        raise SandboxError(
            f"{people.network.name} ({people.network.digest}), which {file} was made with, is no longer at {path}; "
            "say where it is with --network"
        )
    network = load_network(path)
    people.check_network(network, file)
    return network


def _arrays(file: Path) -> dict[str, np.ndarray]:
    """Every array of the file."""
    if not os.path.isfile(file):
        raise SandboxError(f"there is no file {file} ({called('recognise')} enrol makes one)")
    try:
        return read_npz(file, _ARRAYS, lambda declared, _: _check(file, declared)).arrays
    except NpzError as error:
        if error.too_large:
            raise SandboxError(f"{file} does not fit into memory, or is damaged: {error}") from None
        if error.pickled:
            raise SandboxError(f"{file} holds Python objects, which are not read because they could run code") from None
        raise SandboxError(f"{file} is damaged, or no file of enrolled people: {error}") from None


def _check(file: Path, declared: Mapping[str, Declared]) -> None:
    """Refuse what a file of people does not hold, none of it read yet."""
    for name, one in declared.items():
        kind, dimensions = _ARRAYS[name]
        if one.dtype != np.dtype(kind) or len(one.shape) != dimensions:
            raise SandboxError(
                f"{file} is damaged, or no file of enrolled people: {name} is {one.dtype} of shape {one.shape}"
            )
    rows = {name: declared[name].shape[0] for name in _ARRAYS if name in declared and name != "about"}
    for x, owner in (("x", "owner"), ("strangers_x", "strangers_owner")):
        if x in rows and owner in rows and rows[x] != rows[owner]:
            raise SandboxError(f"{file} is damaged: {rows[x]:,} rows of {x} and {rows[owner]:,} owners do not fit")
    most = _ABOUT * (1 + rows.get("x", 0) + rows.get("strangers_x", 0))
    if "about" in declared and declared["about"].bytes > most:
        raise SandboxError(f"{file} is damaged: it says {declared['about'].bytes:,} bytes of {rows.get('x', 0):,} rows")


def _rows(texts: dict[str, list[str]], x: np.ndarray, owner: np.ndarray) -> Gallery:
    names, files, digests, dates = (_strings(texts[name]) for name in _TEXTS)
    if x.ndim != 2 or x.dtype != np.float32 or not x.size or owner.shape != (len(x),) or owner.dtype != np.int64:
        raise ValueError(f"embeddings {x.dtype} {x.shape} and owners {owner.dtype} {owner.shape} do not fit")
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x))
    if not ((np.abs(lengths - 1) < 1e-3) | (lengths == 0)).all():
        raise ValueError("its embeddings are not of unit length")
    if not {len(files), len(digests), len(dates)} == {len(x)}:
        raise ValueError(f"it has {len(x)} embeddings and {len(files)} images")
    if owner[0] != 0 or owner[-1] != len(names) - 1 or not np.isin(np.diff(owner), (0, 1)).all():
        raise ValueError("its people do not fit its embeddings")
    if any(one >= other for one, other in pairwise(names)):
        raise ValueError("its names are not in order")
    return Gallery(np.ascontiguousarray(x), owner, names, files, digests, dates)


def _strings(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise TypeError("a list of texts is something else")
    return tuple(given)


def _one_of(given: Any, allowed: tuple[Any, ...]) -> Any:
    if given not in allowed:
        raise ValueError(f"{given!r} stands where one of {', '.join(map(str, allowed))} is needed")
    return given


def _plain(kind: type[T], given: dict[str, Any]) -> T:
    """A dataclass of plain values, each of the type that its field has."""
    hints = get_type_hints(kind)
    if given.keys() != hints.keys():
        raise ValueError(f"{kind.__name__} has {', '.join(sorted(given))}")
    for name, value in given.items():
        allowed = [inner if isinstance(inner, type) else str for inner in get_args(hints[name]) or (hints[name],)]
        whole = float in allowed and type(value) is int
        if type(value) not in allowed and not whole:
            raise TypeError(f"{name} is {value!r}")
        if isinstance(value, float) and not np.isfinite(value):
            raise ValueError(f"{name} is {value}")
    return kind(**given)
