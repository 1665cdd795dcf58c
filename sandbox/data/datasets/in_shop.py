"""In-Shop Clothes Retrieval (DeepFashion): 52,712 photographs of 7,982 pieces of clothing, 3,997 to train on."""

from __future__ import annotations

from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.images.image_lists import located, read_lines
from sandbox.data.images.files import base_of
from sandbox.data.images.image_set import Row
from sandbox.data.splits.published import official
from sandbox.data.splits.roles import GALLERY, QUERY
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError, near
from sandbox.recipe.specs import DataSpec

_LIST = "list_eval_partition.txt"
_PARTS = ("train", "query", "gallery")


def load(spec: DataSpec) -> Splits:
    """Read `list_eval_partition.txt` and the images it names, in the root or up to two folders below it.

    Test are the query images, which search the gallery images alone, as figures published for this data set do.
    Validation are clothes held out of training, each of whose images searches all others.

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
    for part in ("query", "gallery"):
        if not parts[part]:
            raise SandboxError(f"{file} names no {part} images, and a test is made of both, query and gallery")
    test = [(file, part) for part in ("query", "gallery") for _, file in parts[part]]
    known = {
        column: {image: str(int(part == wanted)) for image, part in test}
        for column, wanted in ((QUERY, "query"), (GALLERY, "gallery"))
    }
    return official(root, parts["train"], [*parts["query"], *parts["gallery"]], spec, known=known)


def _images(root: Path, base: Path) -> Path:
    """The folder that holds img/, which is often unpacked beside the list or into Img/."""
    tried = (base, base.parent, base.parent / "Img", base / "Img", root)
    return next((folder for folder in tried if (folder / "img").is_dir()), base)


DATA_SET = DataSet(
    name="in_shop",
    load=load,
    line="7,982 pieces of clothing under data.root (In-Shop); queries search a gallery of clothes never trained on",
    citation="Liu, Luo, Qiu, Wang and Tang (2016), DeepFashion, CVPR",
    source="folder",
    has_files=True,
    image_size=224,
    splits=("auto", "class", "given"),
)
