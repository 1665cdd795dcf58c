"""CUB-200-2011: 11,788 photographs of 200 kinds of birds, the first 100 to train on and the others to test."""

from __future__ import annotations

from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.images.image_lists import located, read_lines
from sandbox.data.images.files import base_of
from sandbox.data.images.image_set import Row
from sandbox.data.splits.published import official
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

_LAST_TRAINED = 100


def load(spec: DataSpec) -> Splits:
    """Read `images/`, `images.txt` and `image_class_labels.txt`, in the root or up to two folders below it.

    Raises:
        SandboxError: a list is missing or malformed, or images are that it names.
    """
    root = Path(spec.root).expanduser()
    base = base_of(root, "image_class_labels.txt")
    if base is None:
        raise SandboxError(f"{root} holds no images.txt and image_class_labels.txt as CUB-200-2011 does")
    paths = read_lines(base / "images.txt", 2, "1 001.Black_footed_Albatross/0046_18.jpg")
    images = located(base / "images.txt", base / "images", ((line.number, line.words[1]) for line in paths))
    number_of: dict[str, int] = {}
    for line in read_lines(base / "image_class_labels.txt", 2, "1 1"):
        if not line.words[1].isdecimal():
            raise SandboxError(f"{base / 'image_class_labels.txt'} line {line.number} must end in a class number")
        number_of[line.words[0]] = int(line.words[1])
    train: list[Row] = []
    test: list[Row] = []
    for line in paths:
        if line.words[0] not in number_of:
            raise SandboxError(
                f"{base / 'images.txt'} line {line.number} holds image {line.words[0]}, which has no class in "
                "image_class_labels.txt"
            )
        half = train if number_of[line.words[0]] <= _LAST_TRAINED else test
        half.append((line.words[1].partition("/")[0], images[line.words[1]]))
    return official(root, train, test, spec)


DATA_SET = DataSet(
    name="cub200",
    load=load,
    line="200 kinds of birds under data.root (CUB-200-2011); tests on kinds 101 to 200, never trained on",
    citation="Wah, Branson, Welinder, Perona and Belongie (2011), The Caltech-UCSD Birds-200-2011 Dataset",
    source="folder",
    has_files=True,
    image_size=224,
    splits=("auto", "class", "given"),
)
