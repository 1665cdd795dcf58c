"""A network that was exported to an ONNX file: read back, and run by ONNX Runtime without torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.called import called
from sandbox.data.images.deep import BITS
from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder, as_channels
from sandbox.inference.onnx_session import open_session, runtime_reason
from sandbox.recipe.size import ImageSize, is_wrong, sides, spelt

FORMAT = {"format": "metric-learning-sandbox", "format_version": "1"}
"""What an ONNX file says of itself that this code can read."""
INPUT, OUTPUT = "images", "embeddings"
_LARGEST = 4096  # pixels; a damaged file should not ask for all memory
_RESIZE = 2 * _LARGEST
_BATCH = 256
_MOST_VIEWS = 64
_AREA = 1 << 24  # pixels a batch at most, so that large images come in smaller batches


@dataclass(frozen=True)
class Exported:
    """An `Embedder` out of an ONNX file."""

    path: Path
    name: str
    """That of the run it was exported from."""
    digest: str
    """12 hex characters that name the weights, those of the run."""
    dim: int
    image_size: ImageSize
    """Side of the square images it takes, or height x width of others, pixels."""
    channels: int
    """1 for grey, 3 for RGB."""
    resize: int
    """Pixels that a photograph's shorter side gets before its middle is cut out; 0 squeezes it in."""
    flip: bool
    """Whether the graph averages an image and its mirror image; it needs no help with that."""
    session: Any = field(repr=False)
    """The `onnxruntime.InferenceSession`."""
    bits: int | None = None
    """That files of 16 bits or more used among its training images; None where there were none."""
    views: int = 1
    """Versions of an image that the graph makes and averages, by itself."""

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Unit embeddings (N, D) float32 of images (N, H, W, 3 or `channels`) uint8 of the network's size.

        RGB is made grey for a network of grey images as Pillow does it (ITU-R 601-2 luma). An embedding of length zero
        stays zero. Images go through a batch at a time, so that memory does not grow with their number.

        Raises:
            SandboxError: the file's graph fails on them.
        """
        rows = np.empty((len(pixels), self.dim), np.float32)
        step = max(1, min(_BATCH, _AREA // math.prod(sides(self.image_size))) // self.views)
        for start in range(0, len(pixels), step):
            images = as_channels(pixels[start : start + step], self.channels).transpose(0, 3, 1, 2)
            try:
                (found,) = self.session.run([OUTPUT], {INPUT: np.ascontiguousarray(images)})
            except Exception as error:  # the runtime's errors have no common type below Exception
                raise SandboxError(f"{self.path} fails on images {images.shape}: {runtime_reason(error)}") from None
            if found.shape != (len(images), self.dim):
                raise SandboxError(f"{self.path} is damaged: it gives {found.shape} for {len(images)} images")
            rows[start : start + step] = found
        return rows


def load_exported(path: Path) -> Exported:
    """Read what `python experiments/export.py RUN --onnx FILE` wrote.

    It runs on CUDA where the installed ONNX Runtime does, without TF32, else on the CPU.

    Raises:
        SandboxError: ONNX Runtime is not installed, there is no such file, it is damaged or no ONNX file, or one that
            does not say what images it takes, or not what can be.
    """
    return _exported(path, *open_session(path))


def load_onnx(path: Path, given: Mapping[str, str]) -> Embedder:
    """An ONNX file of this project, or one from elsewhere (`sandbox.inference.foreign_onnx`).

    Args:
        path: the file.
        given: settings of one from elsewhere, which go over what it says of itself.

    Raises:
        SandboxError: see `load_exported` and `foreign`; or one of this project is given settings.
    """
    session, metadata = open_session(path)
    if metadata.get("format") == FORMAT["format"]:
        if given:
            raise SandboxError(f"{min(given)} is given, but {path} was exported here and says itself what it takes")
        return _exported(path, session, metadata)
    from sandbox.inference.foreign_onnx import foreign

    return foreign(path, session, metadata, given)


def _exported(path: Path, session: Any, metadata: Mapping[str, str]) -> Exported:
    facts = _facts(path, metadata)
    dim = _dim(path, session, facts["channels"], facts["image_size"])
    return Exported(path=path, dim=dim, session=session, **facts)


def _facts(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What the file's metadata says of the network, checked.

    Raises:
        SandboxError: it says nothing, it is of another format, or a value is out of range.
    """
    if metadata.get("format") != FORMAT["format"]:
        raise SandboxError(
            f"{path} is an ONNX file that does not say what images it takes; networks come from "
            f"{called('export')} RUN --onnx FILE"
        )
    version = metadata.get("format_version", "")
    if version != FORMAT["format_version"]:
        raise SandboxError(
            f"{path} is of format version {version[:20]!r}, but this code reads {FORMAT['format_version']}; export the "
            "run again"
        )
    ranges = {
        "channels": (1, 3),
        "resize": range(_RESIZE + 1),
        "bits": (0, *BITS),
        "views": range(1, _MOST_VIEWS + 1),
    }
    numbers: dict[str, Any] = {key: _number(metadata.get(key, _ABSENT.get(key, ""))) for key in ranges}
    wrong = [key for key, allowed in ranges.items() if numbers[key] not in allowed]
    numbers["image_size"] = _size(metadata.get("image_size", ""))
    if numbers["image_size"] is None:
        wrong.insert(0, "image_size")
    elif numbers["resize"] and numbers["resize"] < max(sides(numbers["image_size"])):
        wrong.append("resize")
    wrong += [key for key, kind in _TEXTS.items() if not re.fullmatch(kind, metadata.get(key, ""))]
    if not metadata.get("name", "").isprintable():
        wrong.append("name")
    if wrong:
        raise SandboxError(f"{path} is damaged: its {wrong[0]} is {metadata.get(wrong[0], '')[:40]!r}")
    numbers["bits"] = numbers["bits"] or None
    return {**numbers, "name": metadata["name"], "digest": metadata["digest"], "flip": metadata["flip"] == "yes"}


_ABSENT = {"bits": "0", "views": "1"}
"""What stands for a number that a file need not have."""
_TEXTS = {"name": r".{1,255}", "digest": r"[0-9a-f]{12}", "flip": "yes|no"}


def _number(text: str) -> int:
    """A whole number, or -1 where it is none or has more digits than any that is allowed."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1


def _size(text: str) -> ImageSize | None:
    """A side, or height x width; None where it is none, or larger than any that is allowed."""
    if not re.fullmatch("[0-9]{1,4}(x[0-9]{1,4})?", text) or is_wrong(size := spelt(text)):
        return None
    return size if 0 < min(sides(size)) and max(sides(size)) <= _LARGEST else None


def _dim(path: Path, session: Any, channels: int, size: ImageSize) -> int:
    """The length of an embedding, once inputs and outputs are what they should be.

    Raises:
        SandboxError: the file has other inputs or outputs than this project writes.
    """
    takes = [(put.name, put.type, put.shape[1:]) for put in session.get_inputs()]
    gives = [(put.name, put.type, len(put.shape)) for put in session.get_outputs()]
    if takes != [(INPUT, "tensor(uint8)", [channels, *sides(size)])] or gives != [(OUTPUT, "tensor(float)", 2)]:
        raise SandboxError(f"{path} is damaged: its graph does not take and give what its metadata says")
    batches = {str(put[0].shape[0]) for put in (session.get_inputs(), session.get_outputs())}
    dim = session.get_outputs()[0].shape[1]
    if not isinstance(dim, int) or dim < 1 or any(batch.isdigit() for batch in batches):
        raise SandboxError(f"{path} is damaged: its graph does not take any number of images")
    return dim
