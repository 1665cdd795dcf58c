"""Somebody's ONNX network as an `Embedder`: its images made as it takes them, its output made unit length."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.inference.embedder import as_channels
from sandbox.inference.onnx_form import OnnxForm, form_of
from sandbox.inference.onnx_session import runtime_reason
from sandbox.wording import first_names

_AREA = 1 << 22  # pixels a batch at most
_BATCH = 64
_LONGEST = 1 << 20


@dataclass(frozen=True)
class Foreign:
    """An `Embedder` out of an ONNX file that was not made here."""

    path: Path
    name: str
    digest: str
    """12 hex characters that name the file's bytes and how images are made for it."""
    dim: int
    form: OnnxForm
    output: str
    """The name of the output that is the embedding."""
    batch: int | None
    """Images that the graph takes at a time; None where it takes any number."""
    session: Any = field(repr=False)
    resize: int = 0
    bits: int | None = None

    @property
    def image_size(self) -> int:
        """Side of the square images it takes, pixels."""
        return self.form.size

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return self.form.channels

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Unit embeddings (N, D) float32 of images (N, S, S, 3 or `channels`) uint8; zeros stay zero.

        Raises:
            SandboxError: the graph fails on them.
        """
        rows = np.empty((len(pixels), self.dim), np.float32)
        step = self.batch or max(1, min(_BATCH, _AREA // self.form.size**2))
        for start in range(0, len(pixels), step):
            images = as_channels(pixels[start : start + step], self.form.channels)
            rows[start : start + step] = _unit(self._run(images, step))
        return rows

    def _run(self, images: np.ndarray, step: int) -> np.ndarray:
        """What the graph gives for a batch (n, D); one that is short of a fixed number is filled up with its last."""
        count = len(images)
        if self.batch and count < step:
            images = np.concatenate([images, np.repeat(images[-1:], step - count, axis=0)])
        found = _outcome(self.path, self.session, self.output, self.form.put(images))
        found = found.reshape(len(found), -1) if found.ndim > 1 else found.reshape(1, -1)
        if found.shape != (len(images), self.dim):
            raise SandboxError(f"{self.path} gives {found.shape} for {len(images)} images, and not a row for each")
        return found[:count].astype(np.float32)


def foreign(path: Path, session: Any, metadata: Mapping[str, str], given: Mapping[str, str]) -> Foreign:
    """An ONNX network of any origin.

    Args:
        path: the file.
        session: of ONNX Runtime.
        metadata: of the file.
        given: settings that go over what the file says (`sandbox.inference.network_text.SETTINGS`).

    Raises:
        SandboxError: more than one input or output, or what images it takes is not known.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = first_names([put.name for put in inputs])
        raise SandboxError(f"{path} has {len(inputs)} inputs ({names}), and a network of images has one")
    form = form_of(path, inputs[0].shape, inputs[0].type, metadata, {k: v for k, v in given.items() if k != "output"})
    output = _output(path, session, given.get("output", ""))
    first = inputs[0].shape[0]
    batch = first if isinstance(first, int) and first > 0 else None
    blank = np.zeros((batch or 1, form.size, form.size, form.channels), np.uint8)
    found = _outcome(path, session, output, form.put(blank))
    dim = found.size // len(blank)
    if found.dtype.kind != "f" or not 1 <= dim <= _LONGEST or found.size % len(blank):
        raise SandboxError(
            f"output {output} of {path} is {found.shape} of {found.dtype}, and no row of numbers an image"
        )
    return Foreign(path, path.name, _digest(path, form, output), dim, form, output, batch, session)


def _output(path: Path, session: Any, wanted: str) -> str:
    names = [put.name for put in session.get_outputs()]
    if wanted and wanted not in names:
        raise SandboxError(f"{path} has no output {wanted!r}; it has {first_names(names)}")
    if not wanted and len(names) != 1:
        raise SandboxError(
            f"{path} has {len(names)} outputs ({first_names(names)}): which is the embedding? say so with --output NAME"
            f', or in one word "{path}(output=NAME)"'
        )
    return wanted or names[0]


def _outcome(path: Path, session: Any, output: str, images: np.ndarray) -> np.ndarray:
    try:
        (found,) = session.run([output], {session.get_inputs()[0].name: images})
    except Exception as error:  # the runtime's errors have no common type below Exception
        raise SandboxError(f"{path} fails on images {images.shape}: {runtime_reason(error)}") from None
    return np.asarray(found)


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows (n, D) of length 1; zeros stay zero."""
    wide = rows.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.divide(wide, length, out=np.zeros_like(wide), where=length > 0).astype(np.float32)


def _digest(path: Path, form: OnnxForm, output: str) -> str:
    named = hashlib.sha256(f"{form} {output}\0".encode())
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            named.update(block)
    return named.hexdigest()[:12]
