"""Omniglot: 1,623 handwritten characters of 50 alphabets, 20 drawings each."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.datasets.download import folder_of, unpack
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet, read_rows, without_small
from sandbox.data.images.listing import Listing
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

_NESTED = re.compile(r"character\d+")
_FLAT = re.compile(r"(?P<alphabet>.+)_(?P<character>character\d+)")
_NEEDED = "images_background/ and images_evaluation/, as the two archives of Omniglot unpack"


def load(spec: DataSpec) -> Splits:
    """Read `Alphabet/characterNN/*.png` or `Alphabet_characterNN/*.png`, anywhere under the root; else download them.

    Folders around these (images_background/, images_evaluation/) do not count; a drawing that stands in several of
    them is read once. Ink is made white on black. Whole alphabets are drawn for validation and test, unless
    `data.split` is sample.

    Raises:
        SandboxError: no such folders, or fewer than three alphabets for a split by class; without a root, that they
            cannot be downloaded.
    """
    with folder_of(spec, _fetch, _NEEDED) as root:
        images, unreadable = _read(root, spec)
    images, small = without_small(images, spec.min_images)
    notes = [*unreadable, *small]
    if spec.split == "sample":
        return sample_disjoint(images, spec.validation, spec.test, spec.split_seed, notes=notes)
    alphabets = [name.rpartition("/")[0] for name in images.classes]
    return class_disjoint(images, spec.validation, spec.test, spec.split_seed, groups=alphabets, notes=notes)


def _fetch(folder: Path) -> None:
    from torchvision.datasets import Omniglot

    for name, md5 in Omniglot.zips_md5.items():
        unpack([f"{Omniglot.download_url_prefix}/{name}.zip"], folder, md5)


def _read(root: Path, spec: DataSpec) -> tuple[ImageSet, list[str]]:
    drawings: dict[tuple[str, str, str], Path] = {}
    for file in Listing.below(root).images(root):
        character = _character(file)
        if character is not None:
            drawings.setdefault((*character, file.name), file)
    if not drawings:
        raise SandboxError(
            f"{root} holds neither Alphabet/characterNN/*.png nor Alphabet_characterNN/*.png, as Omniglot does"
        )
    rows = [(f"{alphabet}/{character}", file) for (alphabet, character, _), file in sorted(drawings.items())]
    images, notes = read_rows(root, rows, Form.of(spec))
    return replace(images, pixels=np.subtract(255, images.pixels, dtype=np.uint8)), notes


def _character(file: Path) -> tuple[str, str] | None:
    """Alphabet and character of a drawing, by the folders it lies in."""
    folder = file.parent
    if _NESTED.fullmatch(folder.name):
        return folder.parent.name, folder.name
    flat = _FLAT.fullmatch(folder.name)
    return (flat["alphabet"], flat["character"]) if flat else None


DATA_SET = DataSet(
    name="omniglot",
    load=load,
    line="handwritten characters; tests on alphabets never trained on; downloaded, or read from data.root",
    citation="Lake, Salakhutdinov and Tenenbaum (2015), Human-level concept learning, Science 350",
    source="downloaded",
    has_files=True,
    image_size=32,
    splits=("auto", "class", "sample"),
)
