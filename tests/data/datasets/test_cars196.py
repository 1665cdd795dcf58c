from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

Write = Callable[..., Path]
MODELS = [1, 2, 3, 97, 98, 99, 150, 196]


def read(root: Path) -> Splits:
    return load(DataSpec(name="cars196", root=str(root), image_size=8, validation=0.3))


def annotate(file: Path, field: str, rows: list[tuple[str, int]]) -> None:
    """A MATLAB file with the box of each car, as they come."""
    table = np.zeros((1, len(rows)), dtype=[("bbox_x1", "O"), ("class", "O"), (field, "O")])
    for place, (path, number) in enumerate(rows):
        table[0, place] = (np.uint8(7), np.uint8(number), path)
    file.parent.mkdir(parents=True, exist_ok=True)
    savemat(file, {"annotations": table})


def one_list(root: Path, write: Write) -> Path:
    rows = [(f"car_ims/{place:06d}.jpg", number) for place, number in enumerate(sorted(MODELS * 3), start=1)]
    for place, (path, _) in enumerate(rows):
        write(root / path, seed=place, mode="RGB")
    annotate(root / "cars_annos.mat", "relative_im_path", rows)
    return root


def devkit(root: Path, write: Write) -> Path:
    for part, lists, numbers in (
        ("cars_train", "devkit/cars_train_annos.mat", MODELS * 2),
        ("cars_test", "cars_test_annos_withlabels.mat", MODELS),
    ):
        rows = [(f"{place:05d}.jpg", number) for place, number in enumerate(numbers, start=1)]
        for place, (path, _) in enumerate(rows):
            write(root / part / path, seed=place, mode="RGB")
        annotate(root / lists, "fname", rows)
    return root


@pytest.mark.parametrize("shape", [one_list, devkit])
def test_the_first_98_models_are_trained_on(tmp_path: Path, write_image: Write, shape: Callable[..., Path]) -> None:
    splits = read(shape(tmp_path, write_image))
    assert splits.test.classes == ("099", "150", "196")
    assert {*splits.train.classes, *splits.val.classes} == {"001", "002", "003", "097", "098"}
    assert len(splits.val.classes) == 2
    for images in (splits.train, splits.val, splits.test):
        assert set(images.counts) == {3}


def test_folders_are_numbered_by_name(tmp_path: Path, write_image: Write) -> None:
    for number in range(1, 103):
        for part in ("train", "test"):
            write_image(
                tmp_path / "car_data" / "car_data" / part / f"Model {number:03d} 2012" / f"{part}.jpg", seed=number
            )
    splits = read(tmp_path / "car_data")
    assert splits.test.classes == ("099", "100", "101", "102")
    for images in (splits.train, splits.val, splits.test):
        assert [images.classes[label] for label in images.labels] == [
            path.split("Model ")[1][:3] for path in images.paths
        ]
        assert set(images.counts) == {2}


def test_what_does_not_fit(tmp_path: Path, write_image: Write) -> None:
    root = one_list(tmp_path, write_image)
    (root / "car_ims" / "000004.jpg").unlink()
    with pytest.raises(SandboxError, match=r"cars_annos\.mat names 1 image .*: car_ims/000004\.jpg \(line 4\)"):
        read(root)
    (root / "cars_annos.mat").write_bytes(b"no matrix")
    with pytest.raises(SandboxError, match=r"cannot read .*cars_annos\.mat as annotations of Cars-196"):
        read(root)
    (root / "cars_annos.mat").unlink()
    with pytest.raises(SandboxError, match=r"holds neither cars_annos\.mat"):
        read(root)
