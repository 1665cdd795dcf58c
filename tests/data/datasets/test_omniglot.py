from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

ALPHABETS = ("Greek", "Japanese_(katakana)", "Korean", "Latin", "Tagalog", "Sanskrit")


def read(root: Path, **settings: object) -> Splits:
    return load(DataSpec(name="omniglot", root=str(root), **settings))  # type: ignore[arg-type]


def flat(alphabet: str, character: int) -> str:
    return f"{alphabet}_character{character:02d}"


def nested(alphabet: str, character: int) -> str:
    return f"{alphabet}/character{character:02d}"


def in_two_sets(alphabet: str, character: int) -> str:
    return f"images_{'background' if alphabet < 'L' else 'evaluation'}/{alphabet}/character{character:02d}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Callable[[str, int], str]], Path]:
    def write(name: Callable[[str, int], str]) -> Path:
        for place, alphabet in enumerate(ALPHABETS):
            for character in (1, 2, 3):
                folder = tmp_path / name(alphabet, character)
                folder.mkdir(parents=True)
                for drawing in range(6):
                    ink = np.ones((105, 105), dtype=bool)
                    ink[10 * character : 10 * character + 8, 10 * place : 10 * place + 20 + drawing] = False
                    Image.fromarray(ink).save(folder / f"{place:04d}_{drawing:02d}.png")
        return tmp_path

    return write


@pytest.mark.parametrize("layout", [flat, nested, in_two_sets])
def test_alphabets_part(write: Callable[..., Path], layout: Callable[[str, int], str]) -> None:
    root = write(layout)
    splits = read(root)
    alphabets = [{name.split("/")[0] for name in split.classes} for split in (splits.train, splits.val, splits.test)]
    assert [len(group) for group in alphabets] == [3, 1, 2]
    assert set.union(*alphabets) == set(ALPHABETS)
    assert splits.train.pixels.shape == (54, 32, 32, 1)
    assert splits.train.counts.tolist() == [6] * 9
    assert "Korean/character02" in {*splits.train.classes, *splits.val.classes, *splits.test.classes}
    assert read(root).digest == splits.digest
    assert len({read(root, split_seed=seed).digest for seed in range(4)}) > 1


def test_ink_is_white_on_black(write: Callable[..., Path]) -> None:
    splits = read(write(flat))
    assert splits.train.pixels[:, 31, 31].max() == 0
    assert splits.train.pixels.max(axis=(1, 2, 3)).min() > 200


def test_a_drawing_in_two_sets_is_read_once(write: Callable[..., Path]) -> None:
    root = write(nested)
    source = next((root / "Korean" / "character01").iterdir())
    twin = root / "images_background_small1" / "Korean" / "character01" / source.name
    twin.parent.mkdir(parents=True)
    twin.write_bytes(source.read_bytes())
    splits = read(root)
    assert sum(map(len, (splits.train, splits.val, splits.test))) == 108


def test_by_sample(write: Callable[..., Path]) -> None:
    splits = read(write(flat), split="sample", validation=0.3, test=0.35)
    assert splits.closed_set
    assert len(splits.train.classes) == 18


def test_two_alphabets_are_too_few(write: Callable[..., Path]) -> None:
    root = write(nested)
    for alphabet in ALPHABETS[2:]:
        (root / alphabet).rename(root / f".{alphabet}")
    with pytest.raises(SandboxError, match="2 groups of classes are too few"):
        read(root)


def test_another_tree_is_an_error(tmp_path: Path, write_classes: Callable[..., Path]) -> None:
    with pytest.raises(SandboxError, match=r"holds neither Alphabet/characterNN/\*\.png nor"):
        read(write_classes(tmp_path, {"cats": 2, "dogs": 2}))


def test_a_root_that_torchvision_filled_is_read(write: Callable[..., Path], tmp_path: Path) -> None:
    root = write(in_two_sets)
    (tmp_path / "omniglot-py").mkdir()
    for name in ("images_background", "images_evaluation"):
        (root / name).rename(tmp_path / "omniglot-py" / name)
        (tmp_path / "omniglot-py" / f"{name}.zip").write_bytes(b"kept by torchvision")
    assert sum(map(len, (read(tmp_path).train, read(tmp_path).val, read(tmp_path).test))) == 108
