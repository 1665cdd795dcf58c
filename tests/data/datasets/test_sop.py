from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

Write = Callable[..., Path]
HEADER = "image_id class_id super_class_id path"


@pytest.fixture
def root(tmp_path: Path, write_image: Write) -> Path:
    base = tmp_path / "Stanford_Online_Products"
    image = 0
    for name, things in (("Ebay_train.txt", range(1, 8)), ("Ebay_test.txt", range(8, 12))):
        lines = [HEADER]
        for thing in things:
            for view in range(2):
                image += 1
                kind = ("bicycle", "lamp")[thing % 2]
                path = f"{kind}_final/{1000 + thing}_{view}.JPG"
                write_image(base / path, seed=image, mode="RGB")
                lines.append(f"{image} {thing} {thing % 2 + 1} {path}")
        (base / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def read(root: Path, **settings: object) -> Splits:
    return load(DataSpec(name="sop", root=str(root), image_size=16, **settings))  # type: ignore[arg-type]


def test_the_official_halves(root: Path) -> None:
    splits = read(root, validation=0.3)
    assert set(splits.test.classes) == {"8", "9", "10", "11"}
    assert {*splits.train.classes, *splits.val.classes} == {str(thing) for thing in range(1, 8)}
    assert len(splits.val.classes) == 2
    for images in (splits.train, splits.val, splits.test):
        things = [images.classes[label] for label in images.labels]
        assert things == [str(int(Path(path).name.split("_")[0]) - 1000) for path in images.paths]
        assert set(images.counts) == {2}


def test_lists_that_do_not_fit(root: Path) -> None:
    base = root / "Stanford_Online_Products"
    (base / "lamp_final" / "1001_1.JPG").unlink()
    with pytest.raises(SandboxError, match=r"Ebay_train\.txt names 1 image .*: lamp_final/1001_1\.JPG \(line 3\)"):
        read(root)
    (base / "Ebay_train.txt").write_text(f"{HEADER}\n1 1 1\n")
    with pytest.raises(SandboxError, match=r"Ebay_train\.txt line 2 must read like '1 1 1 bicycle_final"):
        read(root)
    (base / "Ebay_train.txt").write_text(f"{HEADER}\n")
    with pytest.raises(SandboxError, match=r"Ebay_train\.txt holds no lines"):
        read(root)
    (base / "Ebay_train.txt").unlink()
    with pytest.raises(SandboxError, match=r"holds no Ebay_train\.txt"):
        read(root)


def test_a_half_that_is_missing(root: Path) -> None:
    (root / "Stanford_Online_Products" / "Ebay_test.txt").unlink()
    with pytest.raises(SandboxError, match=r"cannot read the list .*Ebay_test\.txt: No such file"):
        read(root)
