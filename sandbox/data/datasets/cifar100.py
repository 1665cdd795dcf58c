"""CIFAR-100: 60,000 colour images of 32x32 in 100 classes, 500 of each to train on and 100 to test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.datasets.download import folder_of, unpack
from sandbox.data.formats.pickles import read_pickle
from sandbox.data.splits.published import Half, parted
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

_FOLDER = "cifar-100-python"
_SIDE = 32
_TWINS = (
    "about a tenth of CIFAR-100's test images have a near-duplicate among the training images (Barz and Denzler 2020), "
    "so figures come out too good"
)
_NEEDED = f"{_FOLDER}/ with train, test and meta, as cifar-100-python.tar.gz unpacks"


def load(spec: DataSpec) -> Splits:
    """Read the pickles train, test and meta, in the root or in its cifar-100-python/; else download them.

    Nothing that the pickles name is called. Classes go by their fine names.

    Raises:
        SandboxError: they cannot be downloaded, are missing or damaged, or the shares leave nothing.
    """
    with folder_of(spec, _fetch, _NEEDED) as root:
        folder = _folder(root)
        names = _names(folder / "meta")
        train, test = _half(folder / "train", names, 50_000), _half(folder / "test", names, 10_000)
    notes = [] if spec.split == "class" else [_TWINS]
    return parted(train, test, spec, mirror=True, notes=notes)


def _fetch(folder: Path) -> None:
    from torchvision.datasets import CIFAR100

    unpack([CIFAR100.url], folder, CIFAR100.tgz_md5)


def _folder(root: Path) -> Path:
    for folder in (root / _FOLDER, root):
        if (folder / "train").is_file():
            missing = [name for name in ("test", "meta") if not (folder / name).is_file()]
            if missing:
                raise SandboxError(f"{folder} holds no {' and no '.join(missing)} beside train, as CIFAR-100 does")
            return folder
    raise SandboxError(f"{root} holds no {_FOLDER}/train, nor a file train of its own, as CIFAR-100 does")


def _names(file: Path) -> list[str]:
    """The words for the labels, in the order of the labels."""
    names = _entry(file, _dict(file), "fine_label_names")
    if not isinstance(names, list) or not all(isinstance(name, bytes | str) and name for name in names):
        raise SandboxError(f"{file} must list the class names as fine_label_names")
    words = [name.decode("utf-8", "replace") if isinstance(name, bytes) else name for name in names]
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise SandboxError(f"{file} names two classes '{twice[0]}'")
    return words


def _half(file: Path, names: list[str], published: int) -> Half:
    held = _dict(file)
    pixels, labels = _entry(file, held, "data"), _entry(file, held, "fine_labels")
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (3 * _SIDE * _SIDE,):
        raise SandboxError(f"{file} must hold data as rows of 3,072 bytes, the 32 x 32 pixels of an image in RGB")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise SandboxError(f"{file} must list whole numbers as fine_labels")
    if len(labels) != len(pixels):
        raise SandboxError(f"{file} holds {len(pixels):,} images, but {len(labels):,} fine_labels")
    wrong = [label for label in labels if not 0 <= label < len(names)]
    if wrong:
        raise SandboxError(f"{file} holds label {wrong[0]}, but meta names classes 0 to {len(names) - 1}")
    planes = pixels.reshape(-1, 3, _SIDE, _SIDE)  # red, green and blue one after the other
    return Half(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), [names[label] for label in labels], published)


def _dict(file: Path) -> dict[Any, Any]:
    held = read_pickle(file)
    if not isinstance(held, dict):
        raise SandboxError(f"{file} must hold a dict, as CIFAR-100's files do")
    return held


def _entry(file: Path, held: dict[Any, Any], key: str) -> Any:
    """A value by its key, which Python 2 wrote as bytes."""
    for spelling in (key.encode(), key):
        if spelling in held:
            return held[spelling]
    raise SandboxError(f"{file} holds no {key}, as CIFAR-100's files do")


DATA_SET = DataSet(
    name="cifar100",
    load=load,
    line="60,000 small photographs, 100 classes, in their published split; downloaded, or read from data.root",
    citation="Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images",
    source="downloaded",
    has_files=False,
    image_size=_SIDE,
    splits=("auto", "class", "sample", "given"),
)
