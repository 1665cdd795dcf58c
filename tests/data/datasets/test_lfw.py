from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sandbox.data.catalog import fold_specs, load
from sandbox.data.datasets.lfw import LfwSpec
from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs

FOLDS = 4
PEOPLE = [f"Person_{number:02d}" for number in range(60)]
"""0-39 are in pairs.txt, ten to a fold; 0-11 in DevTest, 20-43 in DevTrain: the views overlap, as LFW's do."""


def pair_list(header: str, folds: list[list[str]]) -> str:
    lines = [header]
    for people in folds:
        lines += [f"{name}\t1\t2" for name in people[::2]]
        lines += [f"{one}\t1\t{other}\t2" for one, other in zip(people[::2], people[1::2], strict=True)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def root(tmp_path: Path, write_image: Callable[..., Path]) -> Path:
    for place, name in enumerate(PEOPLE):
        for number in (1, 2, 3)[: 1 + (place < 50) + (place % 7 == 0)]:
            write_image(
                tmp_path / "images" / name / f"{name}_{number:04d}.jpg", seed=10 * place + number, size=(20, 20)
            )
    folds = [PEOPLE[10 * fold : 10 * fold + 10] for fold in range(FOLDS)]
    (tmp_path / "pairs.txt").write_text(pair_list(f"{FOLDS}\t5", folds))
    (tmp_path / "pairsDevTest.txt").write_text(pair_list("6", [PEOPLE[:12]]))
    (tmp_path / "pairsDevTrain.txt").write_text(pair_list("12", [PEOPLE[20:44]]))
    return tmp_path


def read(root: Path, **settings: object) -> Splits:
    return load(LfwSpec(name="lfw", root=str(root), **settings))  # type: ignore[arg-type]


def named(images: ImageSet, pairs: Pairs | None) -> set[tuple[str, str]]:
    assert pairs is not None
    return {(images.paths[left], images.paths[right]) for left, right in zip(pairs.left, pairs.right, strict=True)}


VIEWS = [{}, {"split_seed": 3}, {"view": "view2"}, *({"view": "view2", "fold": fold} for fold in (1, 2, 3, 4))]


@pytest.mark.parametrize("settings", VIEWS, ids=str)
def test_nobody_in_an_evaluated_pair_is_trained_on(root: Path, settings: dict[str, object]) -> None:
    splits = read(root, **settings)
    for images, pairs in ((splits.val, splits.val_pairs), (splits.test, splits.test_pairs)):
        if pairs is None:
            continue
        shown = {images.classes[images.labels[place]] for place in (*pairs.left, *pairs.right)}
        assert not shown & set(splits.train.classes)
        same = images.labels[pairs.left] == images.labels[pairs.right]
        assert np.array_equal(same, pairs.same)
        assert 0 < pairs.same.sum() < len(pairs)
    assert not set(splits.val.classes) & {*splits.train.classes, *splits.test.classes}
    assert not set(splits.train.classes) & set(splits.test.classes)
    together = sum(map(len, (splits.train, splits.val, splits.test)))
    assert together == len(list((root / "images").glob("*/*.jpg")))
    assert splits.mirror
    assert not splits.closed_set


def test_view1(root: Path) -> None:
    splits = read(root, validation=0.3)
    assert splits.test.classes == tuple(PEOPLE[:12])
    assert len(named(splits.test, splits.test_pairs)) == 12
    assert ("images/Person_00/Person_00_0001.jpg", "images/Person_01/Person_01_0002.jpg") in named(
        splits.test, splits.test_pairs
    )
    assert set(splits.val.classes) <= set(PEOPLE[20:44])
    assert 8 <= len(splits.val.classes) <= 10
    assert splits.test_pairs is not None
    assert splits.test_pairs.fold is None
    assert splits.train.pixels.shape[1:] == (64, 64, 1)
    assert splits.digest == read(root, validation=0.3).digest
    assert splits.digest != read(root, validation=0.3, split_seed=1).digest


def test_view2_trains_outside_the_pairs(root: Path) -> None:
    splits = read(root, view="view2")
    assert splits.test.classes == tuple(PEOPLE[:40])
    assert {*splits.train.classes, *splits.val.classes} == set(PEOPLE[40:])
    assert splits.val.counts.max() > 1
    assert splits.val_pairs is None
    assert splits.test_pairs is not None
    assert splits.test_pairs.fold is not None
    assert splits.test_pairs.fold.tolist() == [fold for fold in range(1, FOLDS + 1) for _ in range(10)]


@pytest.mark.parametrize("fold", [1, FOLDS])
def test_view2_fold(root: Path, fold: int) -> None:
    splits = read(root, view="view2", fold=fold)
    following = fold % FOLDS
    assert splits.test.classes == tuple(PEOPLE[10 * fold - 10 : 10 * fold])
    assert splits.val.classes == tuple(PEOPLE[10 * following : 10 * following + 10])
    assert set(PEOPLE[40:]) <= set(splits.train.classes)
    assert len(named(splits.test, splits.test_pairs)) == len(named(splits.val, splits.val_pairs)) == 10


def test_small_classes_are_left_out_of_training_alone(root: Path) -> None:
    splits = read(root, view="view2", fold=1, min_images=3)
    assert splits.train.counts.min() >= 3
    assert splits.test.counts.min() == 2
    assert "people with fewer than 3 images left out of training" in splits.notes[0]


@pytest.mark.parametrize("inner", ["", "images", "lfw-deepfunneled/lfw-deepfunneled"])
def test_where_the_people_may_lie(root: Path, inner: str) -> None:
    target = root / "elsewhere" / inner
    target.parent.mkdir(parents=True, exist_ok=True)
    (root / "images").rename(target)
    splits = read(root / "elsewhere", view="view2")
    assert len(splits.test.classes) == 40


def test_a_missing_list_is_named(root: Path) -> None:
    (root / "pairs.txt").rename(root / "pears.txt")
    read(root)
    with pytest.raises(SandboxError, match=r"no pairs\.txt beside the images; looked in"):
        read(root, view="view2")


def test_absent_images_are_named(root: Path) -> None:
    (root / "images" / PEOPLE[2] / f"{PEOPLE[2]}_0001.jpg").unlink()
    with pytest.raises(SandboxError, match=r"pairsDevTest\.txt names 2 images .* Person_02 1 \(line 3\)"):
        read(root)


def test_malformed_lines_are_named(root: Path) -> None:
    text = (root / "pairsDevTest.txt").read_text()
    (root / "pairsDevTest.txt").write_text(text.replace("Person_04\t1\t2\n", "Person_04 1\n"))
    with pytest.raises(SandboxError, match=r"pairsDevTest\.txt line 4 must read"):
        read(root)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fold": 2}, "data.fold is 2 with data.view=view1, but takes 1 to 10, with view2"),
        ({"view": "view2", "fold": 0}, "data.fold is 0"),
        ({"view": "view2", "fold": 11}, "data.fold is 11"),
        ({"view": "view2", "fold": 7}, "data.fold is 7, but .*pairs.txt has 4 folds"),
        ({"validation": 0.0}, "data.validation is 0.0"),
        ({"split": "sample", "view": "view2"}, "data.split=sample with view2 needs data.fold"),
    ],
)
def test_settings_that_cannot_be(root: Path, settings: dict[str, object], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        read(root, **settings)


def test_another_tree_is_an_error(tmp_path: Path, write_classes: Callable[..., Path]) -> None:
    with pytest.raises(SandboxError, match=r"holds no Name/Name_0001\.jpg"):
        read(write_classes(tmp_path, {"cats": 2, "dogs": 2}))


def test_a_closed_set_is_verified_on_other_people(tmp_path: Path, root: Path, write_image: Callable[..., Path]) -> None:
    for place, name in enumerate(PEOPLE[44:]):
        for number in range(4, 16):
            write_image(root / "images" / name / f"{name}_{number:04d}.jpg", seed=5000 + 10 * place + number)
    splits = read(root, split="sample", min_images=6, validation=0.2)
    apart = read(root, min_images=6, validation=0.2)
    assert splits.closed_set and not apart.closed_set
    assert splits.train.classes == splits.val.classes == splits.test.classes == apart.train.classes
    assert sum(map(len, (splits.train, splits.val, splits.test))) == len(apart.train)
    for held, images, pairs in (
        (splits.val_verify, apart.val, apart.val_pairs),
        (splits.test_verify, apart.test, apart.test_pairs),
    ):
        assert held is not None
        assert not set(held.images.classes) & set(splits.train.classes)
        assert named(held.images, held.pairs) == named(images, pairs)


def kaggle(root: Path) -> None:
    """The lists of the tree as Kaggle has them, in place of LFW's own."""
    for name in ("pairsDevTest", "pairsDevTrain"):
        lines = [line.split("\t") for line in (root / f"{name}.txt").read_text().splitlines()[1:]]
        heads = {3: "name,imagenum1,imagenum2", 4: "name,imagenum1,name,imagenum2"}
        for count, prefix in ((3, "match"), (4, "mismatch")):
            rows = [heads[count], *(",".join(line) for line in lines if len(line) == count)]
            (root / f"{prefix}{name}.csv").write_text("\r\n".join(rows))
        (root / f"{name}.txt").unlink()
    lines = [line.split("\t") for line in (root / "pairs.txt").read_text().splitlines()[1:]]
    rows = [",".join([*line, ""][:4]) for line in lines]
    (root / "pairs.csv").write_text("\n".join(["name,imagenum1,imagenum2,", *rows]))
    (root / "pairs.txt").unlink()


def test_kaggle_s_lists_are_the_same_lists(root: Path) -> None:
    own, second = read(root), read(root, view="view2")
    (root / "lfw-deepfunneled").mkdir()
    (root / "images").rename(root / "lfw-deepfunneled" / "lfw-deepfunneled")
    kaggle(root)
    splits = read(root)
    assert splits.notes == tuple(
        f"match{name}.csv and mismatch{name}.csv are read as one list: {count} same pairs and {count} different ones"
        for name, count in (("pairsDevTest", 6), ("pairsDevTrain", 12))
    )
    for found, wanted in ((splits, own), (read(root, view="view2"), second)):
        assert found.train.classes == wanted.train.classes and found.test.classes == wanted.test.classes
        assert np.array_equal(found.test.pixels, wanted.test.pixels)
        assert found.test_pairs is not None and wanted.test_pairs is not None
        for side in ("left", "right", "same"):
            assert np.array_equal(getattr(found.test_pairs, side), getattr(wanted.test_pairs, side))
    inner = root / "lfw-deepfunneled" / "lfw-deepfunneled"
    assert read(inner).test.classes == own.test.classes
    (root / "mismatchpairsDevTrain.csv").unlink()
    with pytest.raises(SandboxError, match=r"matchpairsDevTrain\.csv holds pairs of one person alone, and mismatch"):
        read(root)


def test_ten_folds_of_kaggle_s_list_can_be_tested(root: Path) -> None:
    lines = (root / "pairs.txt").read_text().splitlines()[1:]
    same, different = ([line for line in lines if line.count("\t") == tabs][:20] for tabs in (2, 3))
    folds = [line for at in range(0, 20, 2) for line in (*same[at : at + 2], *different[at : at + 2])]
    (root / "pairs.txt").write_text("\n".join(["10\t2", *folds]))
    own = read(root, view="view2", fold=2)
    kaggle(root)
    splits = read(root, view="view2", fold=2)
    assert splits.digest == own.digest
    assert set(splits.notes) - set(own.notes) == {
        "the list is in LFW's 10 folds by its order, 2 same pairs and as many different ones in each"
    }


def renamed(root: Path, people: list[str], name: Callable[[str], str]) -> None:
    """Other names for people, in the tree alone."""
    for person in people:
        folder = root / "images" / person
        for image in folder.iterdir():
            image.rename(folder / image.name.replace(person, name(person)))
        folder.rename(folder.with_name(name(person)))


def test_names_with_blanks_are_parted_by_tabs(root: Path) -> None:
    own = read(root)
    renamed(root, PEOPLE, lambda name: name.replace("_", " of "))
    for file in root.glob("*.txt"):
        file.write_text(file.read_text().replace("Person_", "Person of "))
    splits = read(root)
    assert splits.notes == () and np.array_equal(splits.test.pixels, own.test.pixels)
    assert named(splits.test, splits.test_pairs) == {
        tuple(path.replace("Person_", "Person of ") for path in pair) for pair in named(own.test, own.test_pairs)
    }


@pytest.mark.parametrize(("tree", "listed"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_people_of_lists_and_folders_meet_in_any_spelling(root: Path, tree: str, listed: str) -> None:
    own = read(root)
    renamed(root, PEOPLE[:3], lambda name: unicodedata.normalize(tree, name.replace("Person", "Zoë")))  # type: ignore[arg-type]
    for file in root.glob("*.txt"):
        text = re.sub(r"Person_(0[012])\b", "Zoë_\\1", file.read_text())
        file.write_text(unicodedata.normalize(listed, text))  # type: ignore[arg-type]
    splits = read(root)
    assert splits.test.classes == (*PEOPLE[3:12], "Zoë_00", "Zoë_01", "Zoë_02")
    assert len(named(splits.test, splits.test_pairs)) == len(named(own.test, own.test_pairs))
    told = [note for note in splits.notes if note.startswith("3 names are each spelt in several ways")]
    assert len(told) == (tree != listed) and len(splits.notes) == len(told)
    assert all(r"'Zoe\u0308_00' = 'Zo\xeb_00'" in note for note in told)


def test_faces_that_a_tool_cut_out_are_found_by_their_image(root: Path) -> None:
    own = read(root)
    for image in list((root / "images").glob("*/*.jpg")):
        image.rename(image.with_name(f"{image.stem}_0.jpg"))
    splits = read(root)
    assert splits.notes == ()
    assert np.array_equal(splits.test.pixels, own.test.pixels)
    assert {(a.replace("_0.", "."), b.replace("_0.", ".")) for a, b in named(splits.test, splits.test_pairs)} == named(
        own.test, own.test_pairs
    )
    person = root / "images" / PEOPLE[0]
    shutil.copy(person / f"{PEOPLE[0]}_0001_0.jpg", person / f"{PEOPLE[0]}_0001_1.jpg")
    splits = read(root)
    assert splits.notes[0].startswith("1 image shows several faces, of which a list means the one numbered 0")
    assert any(left.endswith("Person_00_0001_0.jpg") for left, _ in named(splits.test, splits.test_pairs))
    (person / f"{PEOPLE[0]}_0001_0.jpg").rename(person / f"{PEOPLE[0]}_0001_2.jpg")
    with pytest.raises(SandboxError, match=r"names 2 images that are not there .*: Person_00 1 \(line 2\)"):
        read(root)


def test_a_list_of_one_kind_is_refused(root: Path) -> None:
    (root / "pairs.txt").unlink()
    (root / "pairs.csv").write_text("name,imagenum1,imagenum2\nPerson_00,1,2\n")
    with pytest.raises(SandboxError, match=r"pairs\.csv holds pairs of one kind alone"):
        read(root, view="view2")


def test_all_folds_are_counted_without_an_image(root: Path) -> None:
    shutil.rmtree(root / "images" / PEOPLE[0])  # a list that names it is refused only where its images are read
    spec = LfwSpec(name="lfw", root=str(root), view="view2", fold="all")
    assert [one.fold for one in fold_specs(spec)] == [1, 2, 3, 4]  # type: ignore[attr-defined]
    with pytest.raises(SandboxError, match=r"data\.fold is all, a run for each fold, which run\.py alone makes"):
        load(spec)
    (root / "pairs.txt").write_text(pair_list("5", [PEOPLE[:10]]))
    with pytest.raises(SandboxError, match=r"which takes 2 to 10 folds, but .*pairs\.txt has 1"):
        fold_specs(spec)
    (root / "pairs.txt").unlink()
    with pytest.raises(SandboxError, match=r"no pairs\.txt beside the images"):
        fold_specs(spec)
