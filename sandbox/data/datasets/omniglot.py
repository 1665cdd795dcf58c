"""Omniglot: 1,623 handwritten characters of 50 alphabets, 20 drawings each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.datasets.download import added_to, folder_of, unpack
from sandbox.data.datasets.omniglot_alphabets import Background
from sandbox.data.datasets.omniglot_official import official
from sandbox.data.datasets.omniglot_runs import NEEDED as RUNS_NEEDED
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


_RUNS = (
    "https://raw.githubusercontent.com/brendenlake/omniglot/057f034baf2ecb8530bc5710e5a23584d2a519cc/python/"
    "one-shot-classification/all_runs.zip"
)


@dataclass(frozen=True, kw_only=True)
class OmniglotSpec(DataSpec):
    """Settings of Omniglot: those of all, and what the official split learns from."""

    background: Background = "all"
    """omniglot, split official: the background alphabets to learn from; all that are found, or those of one of the two
    minimal sets of five."""


def load(spec: OmniglotSpec) -> Splits:
    """Read `Alphabet/characterNN/*.png` or `Alphabet_characterNN/*.png`, anywhere under the root; else download them.

    Folders around these (images_background/, images_evaluation/) do not count; a drawing that stands in several of
    them is read once. Ink is made white on black. Whole alphabets are drawn for validation and test, unless
    `data.split` is sample, or official: then it is as the authors split it (`omniglot_official`).

    Raises:
        SandboxError: no such folders, or fewer than three alphabets for a split by class; without a root, that they
            cannot be downloaded; of the official split, what `official` refuses.
    """
    if spec.background != "all" and spec.split != "official":
        raise SandboxError(
            f"data.background is {spec.background}, but is of the official split alone: add --data.split official, or "
            "leave it out"
        )
    with folder_of(spec, _fetch, _NEEDED) as root:
        if spec.split == "official" and not spec.root:
            added_to(root, "all_runs", _fetch_runs, RUNS_NEEDED)
        files = Listing.below(root).images(root)
        drawings = _drawings(root, files)
        if spec.split == "official":
            return official(root, files, drawings, spec.background, spec, _ink_white)
        rows = [(f"{alphabet}/{character}", file) for (alphabet, character, _), file in sorted(drawings.items())]
        images, unreadable = read_rows(root, rows, Form.of(spec))
    images, small = without_small(_ink_white(images), spec.min_images)
    notes = [*unreadable, *small]
    if spec.split == "sample":
        return sample_disjoint(images, spec.validation, spec.test, spec.split_seed, notes=notes)
    alphabets = [name.rpartition("/")[0] for name in images.classes]
    return class_disjoint(images, spec.validation, spec.test, spec.split_seed, groups=alphabets, notes=notes)


def _fetch(folder: Path) -> None:
    from torchvision.datasets import Omniglot

    for name, md5 in Omniglot.zips_md5.items():
        unpack([f"{Omniglot.download_url_prefix}/{name}.zip"], folder, md5)


def _fetch_runs(folder: Path) -> None:
    unpack([_RUNS], folder)  # of a fixed commit; what is in it is compared with what was published when it is read


def _drawings(root: Path, files: Sequence[Path]) -> dict[tuple[str, str, str], Path]:
    """The file of each alphabet, character and name."""
    drawings: dict[tuple[str, str, str], Path] = {}
    for file in files:
        character = _character(file)
        if character is not None:
            drawings.setdefault((*character, file.name), file)
    if not drawings:
        raise SandboxError(
            f"{root} holds neither Alphabet/characterNN/*.png nor Alphabet_characterNN/*.png, as Omniglot does"
        )
    return drawings


def _ink_white(images: ImageSet) -> ImageSet:
    return replace(images, pixels=np.subtract(255, images.pixels, dtype=np.uint8))


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
    splits=("auto", "class", "sample", "official"),
    settings=OmniglotSpec,
    own_folds=("official",),
)
