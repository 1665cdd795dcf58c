"""Stanford Online Products: 120,053 photographs of 22,634 things for sale, half of the things to train on."""

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


def load(spec: DataSpec) -> Splits:
    """Read `Ebay_train.txt`, `Ebay_test.txt` and the images they name, in the root or up to two folders below it.

    Raises:
        SandboxError: a list is missing or malformed, or images are that it names.
    """
    root = Path(spec.root).expanduser()
    base = base_of(root, "Ebay_train.txt")
    if base is None:
        raise SandboxError(f"{root} holds no Ebay_train.txt and Ebay_test.txt as Stanford Online Products does")
    train, test = (_rows(base / name) for name in ("Ebay_train.txt", "Ebay_test.txt"))
    return official(root, train, test, spec)


def _rows(file: Path) -> list[Row]:
    """A header, then image, class, kind of thing and path."""
    lines = read_lines(file, 4, "1 1 1 bicycle_final/111085122871_0.JPG", skip=1)
    images = located(file, file.parent, ((line.number, line.words[3]) for line in lines))
    return [(line.words[1], images[line.words[3]]) for line in lines]


DATA_SET = DataSet(
    name="sop",
    load=load,
    line="22,634 things for sale under data.root (Stanford Online Products); tests on things never trained on",
    citation="Song, Xiang, Jegelka and Savarese (2016), Deep Metric Learning via Lifted Structured Feature Embedding",
    source="folder",
    has_files=True,
    image_size=224,
    splits=("auto", "class", "given"),
)
