from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet, image_set, read_rows


def some() -> ImageSet:
    pixels = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), dtype=np.uint8)
    return image_set(pixels, list("baccab"), [f"p{number}" for number in range(6)])


def test_classes_are_sorted_and_counted() -> None:
    images = some()
    assert images.classes == ("a", "b", "c")
    assert images.labels.tolist() == [1, 0, 2, 2, 0, 1]
    assert images.labels.dtype == np.int64
    assert images.counts.tolist() == [2, 2, 2]
    assert len(images) == 6


def test_take_keeps_order_and_renumbers_labels() -> None:
    taken = some().take([3, 0, 2])
    assert taken.pixels[:, 0, 0, 0].tolist() == [3, 0, 2]
    assert taken.classes == ("b", "c")
    assert taken.labels.tolist() == [1, 0, 1]
    assert taken.paths == ("p3", "p0", "p2")


@pytest.mark.parametrize("indices", [[], [-1, 0], [5], [2, 3, 4]])
def test_take_equals_picking_rows(indices: list[int]) -> None:
    images = some()
    taken = images.take(indices)
    assert taken.pixels.shape == (len(indices), 2, 2, 1)
    assert [taken.classes[label] for label in taken.labels] == ["baccab"[index] for index in indices]
    assert taken.paths == tuple(images.paths[index] for index in indices)


@pytest.mark.parametrize("indices", [[], [5, 0], [2, 3, 4]])
def test_columns_go_with_their_rows(indices: list[int]) -> None:
    images = replace(some(), columns={"camera": np.array(["c0", "c1", "c2", "", "c4", "c5"])})
    assert images.take(indices).columns["camera"].tolist() == [["c0", "c1", "c2", "", "c4", "c5"][i] for i in indices]


def test_columns_of_files_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    for name in "abd":
        Image.new("L", (4, 4)).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_bytes(b"none")
    rows = [(name, tmp_path / f"{name}.png") for name in "abcd"]
    images, _ = read_rows(tmp_path, rows, Form(4), {"camera": ["1", "2", "3", "40"]})
    assert images.columns["camera"].tolist() == ["1", "2", "40"]


def test_taking_a_run_stays_on_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", some().pixels)
    mapped = image_set(np.load(tmp_path / "x.npy", mmap_mode="r"), list("baccab"), list("012345"))
    assert np.shares_memory(mapped.take([1, 2, 3]).pixels, mapped.pixels)
    assert not mapped.pixels.flags.writeable


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"pixels": np.zeros((2, 4, 4, 2), np.uint8)}, "pixels"),
        ({"pixels": np.zeros((2, 4, 4, 1), np.float32)}, "pixels"),
        ({"labels": np.zeros(2, np.int32)}, "labels"),
        ({"paths": ("one",)}, "paths"),
        ({"classes": ("a", "b")}, "labels"),
        ({"columns": {"camera": np.array(["1"])}}, "column camera"),
        ({"columns": {"camera": np.array([1, 2])}}, "column camera"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, object], word: str) -> None:
    parts: dict[str, object] = {
        "pixels": np.zeros((2, 4, 4, 1), np.uint8),
        "labels": np.zeros(2, np.int64),
        "classes": ("a",),
        "paths": ("one", "two"),
    }
    ImageSet(**parts)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=word):
        ImageSet(**(parts | change))  # type: ignore[arg-type]
