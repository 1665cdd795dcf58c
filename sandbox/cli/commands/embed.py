"""Embed images by any network, as an npz that evaluate and the data set `embeddings` read: embed.py NETWORK IMAGES."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.outputs import file_named
from sandbox.cli.progress import watched
from sandbox.cli.say import say
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names

if TYPE_CHECKING:
    import numpy as np

    from sandbox.inference.embedder import Embedder

WHAT = (
    "Write the embeddings of images to an npz: `embeddings` (N, D) float32 of unit length, `paths`, and `labels` where "
    "the images lie in a folder each class. NETWORK is the folder of a run or of export.py --hub, an ONNX file, "
    "timm:NAME or torchvision:NAME. An ONNX file from elsewhere gets (pixel - mean) * scale, which with its size and "
    "channels is read from it where it says so, else from the flags; where a network is named in one word, they stand "
    'in brackets: "face.onnx(size=112, mean=127.5, scale=0.0078125, channels=bgr)".'
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What embed.py takes."""

    network: Annotated[str, tyro.conf.Positional]
    """The network: a run, a hub's folder, FILE.onnx, timm:NAME or torchvision:NAME."""
    images: Annotated[str, tyro.conf.Positional]
    """A folder of images, with a folder each class or flat, or a text with one path a line; of a head over rows, a file
    of rows (.npz, .npy, .parquet)."""
    out: str = "embeddings.npz"
    """The npz to write."""
    weights: str = ""
    """timm:NAME and torchvision:NAME: a file as --backbone.weights reads it; what the library publishes without it."""
    size: int | None = None
    """Side of the images in pixels, where the network does not say it."""
    mean: tuple[float, ...] = ()
    """ONNX from elsewhere: what is taken off pixels from 0 to 255; one number, or one for each channel in its order."""
    scale: tuple[float, ...] = ()
    """ONNX from elsewhere: what is multiplied after that, such as 0.0078125 (1/128)."""
    channels: Literal["rgb", "bgr", "grey"] | None = None
    """ONNX from elsewhere: the order of its channels."""
    layout: Literal["nchw", "nhwc"] | None = None
    """ONNX from elsewhere: whether channels come first; by its shape where not given."""
    output: str = ""
    """ONNX from elsewhere: which of its outputs is the embedding."""


def main(argv: Sequence[str]) -> None:
    """Read the flags, embed, say what was written."""
    command = flags.parse(Command, argv, prog=called("embed"), description=WHAT)
    for flag in ("--out", "--weights", "--output"):
        flags.value(argv, flag)  # an empty one is refused
    out = file_named("--out", command.out, ".npz")
    flags.quiet_libraries()
    from sandbox.files import write_whole
    from sandbox.inference.load import load_network

    network = load_network(Path(named(command)), rows=True)
    arrays, notes = (_of_rows if getattr(network, "of_rows", False) else _of_images)(network, Path(command.images))
    write_whole(out, _packed(arrays), make_folder=True)
    for note in notes:
        say(f"note: {note}", file=sys.stderr)
    rows, dim = arrays["embeddings"].shape
    classes = f" of {len(set(arrays['labels'].tolist())):,} classes" if "labels" in arrays else ""
    say(f"{out}: {rows:,} embeddings of {dim:,} numbers{classes}, by {network.name} ({network.digest})")


def named(command: Command) -> str:
    """The network in one word, with the flags that say how its images are made.

    Raises:
        SandboxError: a flag says what the brackets say.
    """
    from sandbox.inference.network_text import read_text

    text = read_text(command.network)
    given: dict[str, str] = {}
    for key in ("weights", "size", "channels", "layout", "output"):
        if (value := getattr(command, key)) not in (None, ""):
            given[key] = str(value)
    given |= {key: " ".join(map(repr, value)) for key in ("mean", "scale") if (value := getattr(command, key))}
    if twice := sorted(given.keys() & text.settings.keys()):
        raise SandboxError(f"--{twice[0]} says what the brackets of {command.network} say: give one of them")
    if given and not text.of_library and not text.name.lower().endswith(".onnx"):
        flag = next(iter(given))
        raise SandboxError(f"--{flag} is for ONNX files and libraries' networks; {text.name} says itself what it takes")
    return str(replace(text, settings={**text.settings, **given}))


def _of_images(network: Embedder, place: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Arrays of the npz, and sentences on what was left out."""
    import numpy as np

    from sandbox.inference.listed import listed
    from sandbox.recognition.reader import Reader

    found = listed(place)
    reader = Reader(network, "whole")
    rows, kept, refused = [], [], []
    for number, one in enumerate(reader.embedded(found.files, watch=watched)):
        if one.refused:
            refused.append(f"{found.paths[number]} {one.refused}")
            continue
        rows.append(one.x[0])
        kept.append(number)
    if not rows:
        raise SandboxError(f"none of the images of {place} can be read: {first_names(refused, 3)}")
    arrays: dict[str, Any] = {
        "embeddings": np.stack(rows),
        "paths": np.array([found.paths[number] for number in kept], dtype=str),
    }
    if found.labels is not None:
        arrays["labels"] = np.array([found.labels[number] for number in kept], dtype=str)
    notes = reader.notes()
    if refused:
        notes.append(f"{counted(len(refused), 'image', 'images')} left out: {first_names(refused, 3)}")
    return arrays, notes


def _of_rows(network: Any, file: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """The same of a file of rows, for a head over such."""
    import numpy as np

    from sandbox.data.datasets.embeddings import EmbeddingsSpec, read_rows
    from sandbox.data.images.rows import Rows

    held = read_rows(EmbeddingsSpec(name="embeddings", root=str(file)))
    if held.rows.shape[1] != network.channels:
        raise SandboxError(
            f"{file} holds rows of {held.rows.shape[1]:,} numbers, and {network.name} takes {network.channels:,}"
        )
    arrays = {"embeddings": network.embed(Rows(held.rows)), "labels": np.array(held.classes, dtype=str)[held.labels]}
    if held.paths is not None:
        arrays["paths"] = np.array(held.paths, dtype=str)
    return arrays, list(held.notes)


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    """An npz, as `np.savez` writes it."""
    import io

    import numpy as np

    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
