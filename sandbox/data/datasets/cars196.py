"""Cars-196: 16,185 photographs of 196 models of cars, the first 98 to train on and the others to test."""

from __future__ import annotations

from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.images.image_lists import located
from sandbox.data.formats.images.mat_annotations import read_annotations
from sandbox.data.images.files import base_of, subfolders
from sandbox.data.images.image_set import Row
from sandbox.data.images.listing import Listing
from sandbox.data.splits.published import official
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

_LAST_TRAINED = 98
_NUMBERED = tuple[int, Path]


def load(spec: DataSpec) -> Splits:
    """Read any of the three shapes it goes about in, in the root or up to two folders below it.

    - `cars_annos.mat` with `car_ims/`;
    - `cars_train/` and `cars_test/` with `cars_train_annos.mat` and `cars_test_annos_withlabels.mat`, which may lie in
      `devkit/`;
    - `train/` and `test/` with a folder for each model; the models are numbered by name, as they are in the lists.

    Its own halves of photographs are pooled: what is tested are models, not photographs, that were never trained on.

    Raises:
        SandboxError: no such shape, a list that cannot be read, or images that it names and are not there.
    """
    root = Path(spec.root).expanduser()
    rows = _one_list(root) or _devkit(root) or _folders(root)
    if not rows:
        raise SandboxError(
            f"{root} holds neither cars_annos.mat, nor cars_train_annos.mat and cars_test_annos_withlabels.mat, nor "
            "train/ and test/ with a folder for each model, as Cars-196 does"
        )
    train: list[Row] = [(f"{number:03d}", file) for number, file in rows if number <= _LAST_TRAINED]
    test: list[Row] = [(f"{number:03d}", file) for number, file in rows if number > _LAST_TRAINED]
    return official(root, train, test, spec)


def _one_list(root: Path) -> list[_NUMBERED]:
    base = base_of(root, "cars_annos.mat")
    return [] if base is None else _listed(base / "cars_annos.mat", base, "relative_im_path")


def _devkit(root: Path) -> list[_NUMBERED]:
    rows: list[_NUMBERED] = []
    for lists, folder in (
        (("cars_train_annos.mat",), "cars_train"),
        (("cars_test_annos_withlabels.mat", "cars_test_annos_with_labels.mat"), "cars_test"),
    ):
        files = ((base, name) for name in lists if (base := base_of(root, name)) is not None)
        base, name = next(files, (None, ""))
        images = base_of(root, folder)
        if base is None or images is None:
            return []
        inner = images / folder
        # Unpacked by some archivers into a folder of the same name.
        inner = inner / folder if (inner / folder).is_dir() else inner
        rows += _listed(base / name, inner, "fname")
    return rows


def _folders(root: Path) -> list[_NUMBERED]:
    base = base_of(root, "train")
    if base is None or not (base / "test").is_dir():
        return []
    models = sorted({model.name for part in ("train", "test") for model in subfolders(base / part)})
    if len(models) <= _LAST_TRAINED:
        return []
    listing = Listing.below(root)
    return [
        (models.index(model.name) + 1, file)
        for part in ("train", "test")
        for model in subfolders(base / part)
        for file in listing.images(model)
    ]


def _listed(file: Path, images: Path, field: str) -> list[_NUMBERED]:
    """Number and image of each row of a MATLAB file."""
    rows = read_annotations(file, field)
    found = located(file, images, ((place, path) for place, (path, _) in enumerate(rows, start=1)))
    return [(number, found[path]) for path, number in rows]


DATA_SET = DataSet(
    name="cars196",
    load=load,
    line="196 models of cars under data.root (Cars-196); tests on models 99 to 196, never trained on",
    citation="Krause, Stark, Deng and Fei-Fei (2013), 3D Object Representations for Fine-Grained Categorization",
    source="folder",
    has_files=True,
    image_size=224,
    splits=("auto", "class", "given"),
)
