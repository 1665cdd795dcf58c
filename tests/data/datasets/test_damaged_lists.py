"""The lists of the retrieval literature, damaged in any way: read, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from sandbox.data.catalog import load
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

import trees
from fuzz import FUZZ, changed

LISTS = [
    ("cub200", "CUB_200_2011/images.txt"),
    ("cub200", "CUB_200_2011/image_class_labels.txt"),
    ("sop", "Ebay_train.txt"),
    ("sop", "Ebay_test.txt"),
    ("in_shop", "list_eval_partition.txt"),
]
MAT = ("cars196", "cars_annos.mat")


def cars196(root: Path) -> None:
    """`cars_annos.mat` with `car_ims/`, of eight models."""
    numbers = sorted([1, 2, 3, 98, 99, 100, 150, 196] * 2)
    table = np.zeros((1, len(numbers)), dtype=[("relative_im_path", "O"), ("class", "O"), ("test", "O")])
    for place, number in enumerate(numbers):
        path = f"car_ims/{place + 1:06d}.jpg"
        trees.face(root / path, number, place)
        table[0, place] = (path, np.uint8(number), np.uint8(place % 2))
    savemat(root / "cars_annos.mat", {"annotations": table})


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name, _ in (*LISTS, MAT)}
    for name, root in made.items():
        cars196(root) if name == "cars196" else trees.READERS[name](root, 0)
    return made


def read(name: str, root: Path) -> int:
    return len(load(DataSpec(name=name, root=str(root), image_size=8, validation=0.4)).test)


def test_whole_lists_are_read(roots: dict[str, Path]) -> None:
    assert {name: read(name, root) for name, root in roots.items()} == {
        "cub200": 6, "sop": 8, "in_shop": 12, "cars196": 8,
    }  # fmt: skip


def damaged(roots: dict[str, Path], of: tuple[str, str], data: st.DataObject) -> None:
    name, where = of
    file = roots[name] / where
    whole = file.read_bytes()
    file.write_bytes(data.draw(changed(whole)))
    try:
        assert read(name, roots[name]) > 0
    except SandboxError as error:
        assert "\n" not in str(error)
    finally:
        file.write_bytes(whole)


@FUZZ
@given(st.data())
def test_damaged_lists_are_read_or_refused_in_a_sentence(roots: dict[str, Path], data: st.DataObject) -> None:
    damaged(roots, data.draw(st.sampled_from(LISTS)), data)


@settings(FUZZ, max_examples=max(2, FUZZ.max_examples // 20))  # each is read in a process of its own
@given(st.data())
def test_damaged_annotations_of_matlab_do_not_end_the_process(roots: dict[str, Path], data: st.DataObject) -> None:
    damaged(roots, MAT, data)
