"""Market-1501: 32,668 boxes of 1,501 people that six cameras saw, 751 people to train on and the others to test.

The tree, the names and what a junk image and a distractor are follow the authors' readme (Zheng, Shen, Tian, Wang,
Wang and Tian, "Scalable Person Re-identification: A Benchmark", ICCV 2015) and torchreid's `market1501.py`: in
`0002_c1s1_000451_03.jpg` 0002 is the person and c1 the camera; -1 is junk, which counts neither as right nor as wrong,
and 0000 a distractor, which is wrong for everybody. DukeMTMC-reID goes about in the same tree.
"""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.images.files import base_of
from sandbox.data.images.image_set import Row
from sandbox.data.images.listing import Listing
from sandbox.data.splits.published import official
from sandbox.data.splits.roles import CAMERA, GALLERY, QUERY
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted, printable

_TRAIN, _QUERY, _GALLERY = "bounding_box_train", "query", "bounding_box_test"
_NAME = re.compile(r"(-1|[0-9]{4,5})_c([0-9]{1,3})(?:s[0-9]+)?_.+", re.DOTALL)
_JUNK, _DISTRACTOR = "-1", 0


def load(spec: DataSpec) -> Splits:
    """Read `bounding_box_train/`, `query/` and `bounding_box_test/`, in the root or up to two folders below it.

    Test are the images of `query/`, which ask, and of `bounding_box_test/`, which are searched. Each distractor is a
    class of its own, since distractors do not show one person. Validation are people held out of training; each of
    their images searches all others, cameras heeded as in test.

    Raises:
        SandboxError: a folder is missing or empty, or an image is not called like those of the data set.
    """
    root = Path(spec.root).expanduser()
    base = base_of(root, _TRAIN)
    missing = [name for name in (_TRAIN, _QUERY, _GALLERY) if base is None or not (base / name).is_dir()]
    if base is None or missing:
        raise SandboxError(
            f"{base or root} holds no {missing[0]}/; Market-1501 has {_TRAIN}/, {_QUERY}/ and {_GALLERY}/"
        )
    listing = Listing.below(root, *(base / name for name in (_TRAIN, _QUERY, _GALLERY)))
    files = {name: listing.images(base / name) for name in (_TRAIN, _QUERY, _GALLERY)}
    for name, found in files.items():
        if not found:
            raise SandboxError(f"{base / name} holds no images")
    known: dict[str, dict[Path, str]] = {CAMERA: {}, QUERY: {}, GALLERY: {}}
    rows: dict[str, list[Row]] = {}
    notes = listing.notes(f"{_TRAIN}/, {_QUERY}/ and {_GALLERY}/")
    for name, found in files.items():
        named = {file: _person_and_camera(root, file) for file in found}
        kept = {file: one for file, one in named.items() if _counts(one[0], name)}
        notes += _said(name, named, kept)
        rows[name] = [(file.stem if int(person) == _DISTRACTOR else person, file) for file, (person, _) in kept.items()]
        known[CAMERA] |= {file: camera for file, (_, camera) in kept.items()}
    known[QUERY] = {file: str(int(name == _QUERY)) for name in (_QUERY, _GALLERY) for _, file in rows[name]}
    known[GALLERY] = {file: str(int(name == _GALLERY)) for name in (_QUERY, _GALLERY) for _, file in rows[name]}
    return official(root, rows[_TRAIN], [*rows[_QUERY], *rows[_GALLERY]], spec, notes, known)


def _person_and_camera(root: Path, file: Path) -> tuple[str, str]:
    found = _NAME.fullmatch(file.name)
    if found is None:
        raise SandboxError(
            f"{printable(file.relative_to(root).as_posix())} does not say which person and camera it shows, as "
            "0002_c1s1_000451_03.jpg does"
        )
    return found[1], found[2]


def _counts(person: str, folder: str) -> bool:
    """Whether an image is used: junk is nowhere, and a distractor only where it can be found in error."""
    return person != _JUNK and (int(person) != _DISTRACTOR or folder == _GALLERY)


def _said(folder: str, named: dict[Path, tuple[str, str]], kept: dict[Path, tuple[str, str]]) -> list[str]:
    """Sentences on the junk and the distractors of a folder."""
    notes = []
    if junk := len(named) - len(kept):
        what = "junk (-1), which counts neither way" if folder == _GALLERY else "junk (-1) or distractors (0000)"
        notes.append(f"{counted(junk, 'image', 'images')} of {folder}/ left out: {what}")
    if wrong := sum(int(person) == _DISTRACTOR for person, _ in kept.values()):
        notes.append(
            f"{counted(wrong, 'distractor', 'distractors')} (0000) of {folder}/, each a class of its own: wrong for "
            "every query"
        )
    return notes


DATA_SET = DataSet(
    name="market1501",
    load=load,
    line="1,501 people seen by six cameras under data.root (Market-1501); queries search a gallery, cameras heeded",
    citation="Zheng, Shen, Tian, Wang, Wang and Tian (2015), Scalable Person Re-identification: A Benchmark, ICCV",
    source="folder",
    has_files=True,
    image_size="256x128",
    splits=("auto", "class", "given"),
)
