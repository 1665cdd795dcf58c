from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

KINDS = {1: "001.Albatross", 2: "002.Auklet", 3: "003.Cowbird", 99: "099.Ovenbird", 100: "100.Pelican"}
TESTED = {101: "101.Pelican", 102: "102.Phoebe", 200: "200.Yellowthroat"}
Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path, write_image: Write) -> Path:
    base = tmp_path / "CUB_200_2011"
    paths: list[str] = []
    labels: list[str] = []
    for number, name in (KINDS | TESTED).items():
        for image in range(3):
            write_image(base / "images" / name / f"Bird_{image:04d}.jpg", seed=10 * number + image, mode="RGB")
            paths.append(f"{len(paths) + 1} {name}/Bird_{image:04d}.jpg")
            labels.append(f"{len(labels) + 1} {number}")
    (base / "images.txt").write_text("\n".join(paths) + "\n")
    (base / "image_class_labels.txt").write_text("\n".join(labels) + "\n")
    write_image(base / "images" / "001.Albatross" / "not_in_the_list.jpg")
    return tmp_path


def read(root: Path, **settings: object) -> Splits:
    settings = {"image_size": 16} | settings
    return load(DataSpec(name="cub200", root=str(root), **settings))  # type: ignore[arg-type]


def test_the_official_classes(root: Path) -> None:
    splits = read(root, validation=0.4)
    assert splits.test.classes == tuple(TESTED.values())
    assert {*splits.train.classes, *splits.val.classes} == set(KINDS.values())
    assert len(splits.val.classes) == 2
    assert not set(splits.train.classes) & set(splits.val.classes)
    for images in (splits.train, splits.val, splits.test):
        assert [images.classes[label] for label in images.labels] == [path.split("/")[-2] for path in images.paths]
        assert not any("not_in_the_list" in path for path in images.paths)
        assert set(images.counts) == {3}
    assert splits.mirror
    assert not splits.closed_set
    assert read(root / "CUB_200_2011").test.classes == splits.test.classes


def test_the_seed_draws_validation_and_never_test(root: Path) -> None:
    splits = [read(root, split_seed=seed) for seed in range(8)]
    assert len({one.val.classes for one in splits}) > 1
    assert {one.test.classes for one in splits} == {tuple(TESTED.values())}


def test_images_and_lists_that_do_not_fit(root: Path) -> None:
    base = root / "CUB_200_2011"
    labels = (base / "image_class_labels.txt").read_text()
    (base / "image_class_labels.txt").write_text(labels.replace("\n4 2\n", "\n"))
    with pytest.raises(SandboxError, match=r"images\.txt line 4 holds image 4, which has no class"):
        read(root)
    (base / "image_class_labels.txt").write_text(labels.replace("\n4 2\n", "\n4 two\n"))
    with pytest.raises(SandboxError, match=r"image_class_labels\.txt line 4 must end in a class number"):
        read(root)
    (base / "images" / "002.Auklet" / "Bird_0001.jpg").unlink()
    with pytest.raises(SandboxError, match=r"images\.txt names 1 image .*: 002\.Auklet/Bird_0001\.jpg \(line 5\)"):
        read(root)


@pytest.mark.parametrize(("share", "said"), [(0.0, "data.validation is 0, but"), (1.0, "lies between 0 and 0.9")])
def test_shares_that_cannot_be(root: Path, share: float, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        read(root, validation=share)


def test_small_classes_are_left_out_of_training_alone(root: Path) -> None:
    base = root / "CUB_200_2011"
    paths = (base / "images.txt").read_text().splitlines()
    (base / "images.txt").write_text("\n".join([*paths[2:-2]]) + "\n")  # one image each of the first and the last
    splits = read(root, min_images=2)
    assert "001.Albatross" not in (*splits.train.classes, *splits.val.classes)
    assert "200.Yellowthroat" in splits.test.classes
    assert any("1 class with fewer than 2 images left out: 001.Albatross" in note for note in splits.notes)
