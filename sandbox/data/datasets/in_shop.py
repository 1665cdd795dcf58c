"""In-Shop Clothes Retrieval (DeepFashion): 52,712 photographs of 7,982 pieces of clothing, 3,997 to train on."""

from __future__ import annotations

from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.image_lists import located, read_lines
from sandbox.data.images.files import base_of
from sandbox.data.images.image_set import Row
from sandbox.data.splits.published import official
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError, near
from sandbox.recipe.specs import DataSpec

_LIST = "list_eval_partition.txt"
_PARTS = ("train", "query", "gallery")


def load(spec: DataSpec) -> Splits:
    """Read `list_eval_partition.txt` and the images it names, in the root or up to two folders below it.

    Query and gallery become one test set in which each image searches all others, for a split has no gallery of its
    own; a note says so, since figures published for this data set search the gallery alone.

    Raises:
        SandboxError: the list is missing or malformed, or images are that it names.
    """
    root = Path(spec.root).expanduser()
    base = base_of(root, _LIST)
    if base is None:
        raise SandboxError(f"{root} holds no {_LIST} as In-Shop Clothes Retrieval does")
    file = base / _LIST
    lines = read_lines(file, 3, "img/WOMEN/Dresses/id_00000002/02_1_front.jpg id_00000002 train", skip=2)
    images = located(file, _images(root, base), ((line.number, line.words[0]) for line in lines))
    parts: dict[str, list[Row]] = {part: [] for part in _PARTS}
    for line in lines:
        path, item, part = line.words
        if part not in parts:
            raise SandboxError(
                f"{file} line {line.number} says '{part}'{near(part, _PARTS)}; a line ends in train, query or gallery"
            )
        parts[part].append((item, images[path]))
    note = (
        f"{len(parts['query']):,} query and {len(parts['gallery']):,} gallery images are one test set, in which each "
        "searches all others; published figures search the gallery alone"
    )
    test = [*parts["query"], *parts["gallery"]]
    return official(root, parts["train"], test, spec, [note])


def _images(root: Path, base: Path) -> Path:
    """The folder that holds img/, which is often unpacked beside the list or into Img/."""
    tried = (base, base.parent, base.parent / "Img", base / "Img", root)
    return next((folder for folder in tried if (folder / "img").is_dir()), base)


DATA_SET = DataSet(
    name="in_shop",
    load=load,
    line="7,982 pieces of clothing under data.root (In-Shop); tests on clothes never trained on",
    citation="Liu, Luo, Qiu, Wang and Tang (2016), DeepFashion, CVPR",
    source="folder",
    has_files=True,
    image_size=224,
    splits=("auto", "class", "given"),
)
