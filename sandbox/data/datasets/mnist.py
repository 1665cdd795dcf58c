"""MNIST: 70,000 handwritten digits of 28x28, 60,000 to train on and 10,000 to test."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.datasets.download import folder_of, unpack
from sandbox.data.splits.published import Half, parted
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted

_SIDE = 28
_UNSIGNED_BYTES = 8
_LARGEST = 2**29  # bytes of a file, inflated; MNIST's largest has 47 million
_BEYOND = 2**20  # bytes that are read beyond those promised: whether there are more, not how many
_NEEDED = (
    "MNIST/raw/ with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
    "t10k-labels-idx1-ubyte (or .gz)"
)


def load(spec: DataSpec) -> Splits:
    """Read the four idx files, in the root, in its raw/ or in its MNIST/raw/, plain or as .gz; else download them.

    Raises:
        SandboxError: they cannot be downloaded, are missing or damaged, or the shares leave nothing.
    """
    with folder_of(spec, _fetch, _NEEDED) as root:
        folder = _folder(root)
        train, test = _half(folder, "train", 60_000), _half(folder, "t10k", 10_000)
    return parted(train, test, spec, mirror=False)


def _fetch(folder: Path) -> None:
    from torchvision.datasets import MNIST

    for name, md5 in MNIST.resources:
        unpack([mirror + name for mirror in MNIST.mirrors], folder, md5)


def _folder(root: Path) -> Path:
    # By these names alone: torchvision keeps Fashion-MNIST and others, whose files are called the same, beside MNIST.
    for folder in (root, root / "raw", root / "MNIST" / "raw"):
        if any(_found(folder, "train-images-idx3-ubyte")):
            return folder
    raise SandboxError(f"{root} holds no train-images-idx3-ubyte (or .gz), nor do raw/ and MNIST/raw/ in it")


def _found(folder: Path, name: str) -> list[Path]:
    return [file for file in (folder / name, folder / f"{name}.gz") if file.is_file()]


def _half(folder: Path, name: str, published: int) -> Half:
    files = []
    for kind in ("images-idx3", "labels-idx1"):
        found = _found(folder, f"{name}-{kind}-ubyte")
        if not found:
            raise SandboxError(f"{folder} holds no {name}-{kind}-ubyte (or .gz), which belongs to MNIST's four files")
        files.append(found[0])
    pixels, labels = read_idx(files[0], 3), read_idx(files[1], 1)
    if pixels.shape[1:] != (_SIDE, _SIDE):
        raise SandboxError(f"{files[0]} holds images of {pixels.shape[1]} x {pixels.shape[2]}, but MNIST's are 28 x 28")
    if len(pixels) != len(labels):
        raise SandboxError(f"{files[0]} holds {len(pixels):,} images, but {files[1]} {len(labels):,} labels")
    if len(labels) and labels.max() > 9:
        raise SandboxError(f"{files[1]} holds label {labels.max()}, but MNIST's are the digits 0 to 9")
    return Half(pixels[..., None], [str(label) for label in labels.tolist()], published)


def read_idx(file: Path, dimensions: int) -> np.ndarray:
    """The array of bytes in an idx file: 0, 0, 8, the number of dimensions, each as 4 bytes (big end first), bytes.

    Args:
        file: plain, or gzip where its name ends in .gz.
        dimensions: how many it must have.

    Returns:
        uint8, read-only, with that many dimensions.

    Raises:
        SandboxError: another kind of file, damaged, or with more or fewer bytes than its head promises.
        OSError: the file cannot be read.
    """
    length = 4 + 4 * dimensions
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            head = stream.read(length)
            if len(head) < length or head[:4] != bytes((0, 0, _UNSIGNED_BYTES, dimensions)):
                raise SandboxError(
                    f"{file} is no idx file of bytes in {counted(dimensions, 'dimension', 'dimensions')}: it starts "
                    f"with {head[:4].hex(' ') or 'nothing'}, not with 00 00 08 {dimensions:02x} and as many lengths"
                )
            shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, length, 4))
            sides, promised = " x ".join(f"{side:,}" for side in shape), math.prod(shape)
            if promised > _LARGEST:
                raise SandboxError(
                    f"{file} is damaged: its head promises {sides} bytes, and MNIST's largest 47,040,000"
                )
            content = stream.read(promised + _BEYOND)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SandboxError(f"{file} is damaged or cut short: {str(error).lower()}") from None
    if len(content) != promised:
        more = "or more " if len(content) == promised + _BEYOND else ""
        raise SandboxError(
            f"{file} is cut short or damaged: its head promises {sides} bytes, and {len(content):,} {more}follow"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


DATA_SET = DataSet(
    name="mnist",
    load=load,
    line="70,000 handwritten digits, 10 classes, in their published split; downloaded, or read from data.root",
    citation="LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition, IEEE",
    source="downloaded",
    has_files=False,
    image_size=_SIDE,
    splits=("auto", "class", "sample", "given"),
)
