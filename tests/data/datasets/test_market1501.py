from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.catalog import load
from sandbox.data.splits.roles import roles_of
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

import trees
from fuzz import FUZZ


@pytest.fixture
def root(tmp_path: Path) -> Path:
    trees.market1501(tmp_path, 0)
    return tmp_path


def read(root: Path) -> Splits:
    return load(DataSpec(name="market1501", root=str(root), image_size="16x8", validation=0.4))


def test_queries_gallery_cameras_distractors_and_junk(root: Path) -> None:
    splits = read(root)
    assert splits.test.pixels.shape[1:] == (16, 8, 3) and splits.mirror is True
    people = [name for name in splits.test.classes if len(name) == 4]
    assert people == ["0007", "0008", "0009", "0010"] and len(splits.test.classes) == len(people) + 3
    assert not [path for path in splits.test.paths if "/-1_" in path]
    roles = roles_of(splits.test)
    assert roles is not None and roles.camera is not None
    for row, path in enumerate(splits.test.paths):
        folder, name = path.split("/")[-2:]
        assert roles.query[row] == (folder == "query") and roles.gallery[row] == (folder == "bounding_box_test")
        assert splits.test.columns["camera"][row] == name.split("_")[1][1]
        distractor = name.startswith("0000")
        assert splits.test.classes[splits.test.labels[row]] == (name.removesuffix(".jpg") if distractor else name[:4])
    assert (roles.query.sum(), roles.gallery.sum()) == (8, 19)
    assert splits.notes[:2] == (
        "2 images of bounding_box_test/ left out: junk (-1), which counts neither way",
        "3 distractors (0000) of bounding_box_test/, each a class of its own: wrong for every query",
    )


def test_validation_is_of_other_people_and_has_cameras(root: Path) -> None:
    splits = read(root)
    assert len(splits.val.classes) == 2 and not set(splits.val.classes) & set(splits.train.classes)
    roles = roles_of(splits.val)
    assert roles is not None and roles.camera is not None and roles.query.all() and roles.gallery.all()
    assert len(np.unique(roles.camera)) == 2
    assert set(splits.train.columns["camera"]) == {"1", "2"}
    assert len(read(root / "Market-1501-v15.09.15").test) == len(splits.test)  # the folder inside, too


def test_the_names_of_sets_in_the_same_tree(root: Path) -> None:
    """DukeMTMC-reID's 0005_c2_f0046985.jpg, and cameras of three digits as VeRi has them."""
    base = root / "Market-1501-v15.09.15"
    for file in sorted(base.rglob("0007_c1*")):
        file.rename(file.with_name(file.name.replace("_c1s1_", "_c1_f")))
    for file in sorted(base.rglob("0008_c2*")):
        file.rename(file.with_name(file.name.replace("_c2s1_", "_c012_")))
    test = read(root).test
    cameras = {path.split("/")[-1][:4]: test.columns["camera"][row] for row, path in enumerate(test.paths)}
    assert len(test) == 27 and {cameras["0007"], cameras["0008"]} <= {"1", "2", "012"}
    assert sorted(np.unique(test.columns["camera"])) == ["012", "1", "2"]


def test_trees_that_do_not_fit(root: Path) -> None:
    base = root / "Market-1501-v15.09.15"
    odd = trees.face(base / "query" / "someone.jpg", 1, 1)
    with pytest.raises(SandboxError, match=r"15\.09\.15/query/someone\.jpg does not say which person and camera it"):
        read(root)
    odd.unlink()
    (base / "query").rename(base / "queries")
    with pytest.raises(SandboxError, match="holds no query/; Market-1501 has bounding_box_train/, query/ and b"):
        read(root)
    (base / "query").mkdir()
    with pytest.raises(SandboxError, match="query holds no images"):
        read(root)


NAMES = st.from_regex(
    r"(-?[0-9]{1,6}|[a-z]{1,4})_?c?[0-9]{0,4}(s[0-9])?_?[0-9a-z]{0,6}\.(jpg|png|txt|JPG)", fullmatch=True
)
TREE = st.fixed_dictionaries(
    {name: st.lists(NAMES, max_size=4, unique=True) for name in ("bounding_box_train", "query", "bounding_box_test")}
)


WHOLE = {
    "bounding_box_train": [f"{person:04d}_c{camera}_0.png" for person in range(1, 5) for camera in (1, 2)],
    "query": ["0007_c1_0.png"],
    "bounding_box_test": ["0007_c2_0.png", "0000_c1_0.png", "-1_c1_0.png"],
}


@FUZZ
@given(TREE, st.booleans())
def test_trees_of_any_names_are_read_or_refused_in_a_sentence(tree: dict[str, list[str]], whole: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        content = trees.face(root / "one.png", 1, 1).read_bytes()
        for folder, names in tree.items():
            (root / folder).mkdir()
            for name in (*names, *(WHOLE[folder] if whole else ())):
                (root / folder / name).write_bytes(content)
        try:
            splits = read(root)
        except SandboxError as error:
            assert "\n" not in str(error)
        else:
            roles = roles_of(splits.test)
            assert roles is not None and roles.query.any() and roles.gallery.any()
