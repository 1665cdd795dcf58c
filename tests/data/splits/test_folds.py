"""Class-disjoint folds of training and validation."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from sandbox.data.images.image_set import ImageSet, image_set
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.folds import folds_of, in_fold
from sandbox.data.splits.splits import Splits, ToVerify, given
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs

PAIRS = Pairs(left=np.array([0, 0]), right=np.array([1, 2]), same=np.array([True, False]))


def made(names: Sequence[str], images: int = 3, prefix: str = "", side: int = 4) -> ImageSet:
    paths = [f"{prefix}{name}/{number}" for name in names for number in range(images)]
    pixels = np.random.default_rng(len(paths)).integers(0, 256, (len(paths), side, side, 1), dtype=np.uint8)
    return image_set(pixels, [path[len(prefix) :].split("/")[0] for path in paths], paths)


def drawn(classes: int = 20, *, validation: float = 0.2) -> Splits:
    return class_disjoint(made([f"c{number:02d}" for number in range(classes)]), validation, 0.25, seed=1)


def test_folds_are_runs_of_neighbours_by_name() -> None:
    names = ["b", "a", "d", "c", "g", "f", "e"]
    assert folds_of(names, 3, 0) == [["a", "b"], ["c", "d"], ["e", "f", "g"]]
    assert folds_of(names, 7, 0) == [[name] for name in "abcdefg"]


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["10", "9", "1", "100", "2", "x2", "x10", "x02", "", "x", "9" * 5000]
    assert [*chain(*folds_of(names, 2, 0))] == ["", "1", "2", "9", "10", "100", "9" * 5000, "x", "x02", "x2", "x10"]


def test_a_seed_turns_the_circle_of_names() -> None:
    names = [f"{place:02d}" for place in range(40)]
    starts = set()
    for seed in range(1, 9):
        folds = folds_of(names, 4, seed)
        start = names.index(folds[0][0])
        assert [*chain(*folds)] == names[start:] + names[:start] and folds == folds_of(names, 4, seed)
        starts.add(start % 10)
    assert len(starts) > 4


@pytest.mark.parametrize("folds", [2, 3, 4, 7, 15])
def test_each_class_is_in_one_fold_and_test_is_left_alone(folds: int) -> None:
    splits = drawn()
    parts = [in_fold(splits, fold, folds, seed=3) for fold in range(1, folds + 1)]
    known = {*splits.train.classes, *splits.val.classes}
    assert sorted(name for part in parts for name in part.val.classes) == sorted(known)
    sizes = [len(part.val.classes) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    for part in parts:
        assert set(part.train.classes) == known - set(part.val.classes)
        assert part.test is splits.test
        assert not part.closed_set
    assert len({splits.digest, *(part.digest for part in parts)}) == folds + 1


def test_another_fold_stands_in_the_place_of_test() -> None:
    names = [f"c{number}" for number in range(8)]
    apart = ToVerify(made("pqr", prefix="v"), PAIRS)
    splits = given(made(names[2:]), made(names[:2]), made("xyz"), test_pairs=PAIRS, test_verify=apart)
    for fold, (val, test) in enumerate([("01", "23"), ("23", "45"), ("45", "67"), ("67", "01")], start=1):
        part = in_fold(splits, fold, 4, seed=0, test_fold=fold % 4 + 1)
        assert part.val.classes == tuple(f"c{one}" for one in val)
        assert part.test.classes == tuple(f"c{one}" for one in test)
        assert set(part.train.classes) == set(names) - {*part.val.classes, *part.test.classes}
        assert len(part.train) == 12 and part.test_pairs is None and part.test_verify is None
        assert not any(path[0] in "vxyz" for images in part.image_sets().values() for path in images.paths)
        assert "in place of test is fold" in part.notes[-1] and "test itself is not used" in part.notes[-1]
        assert part.digest != in_fold(splits, fold, 4, seed=0).digest


def test_two_folds_that_are_held_out_leave_two_classes_to_train_on() -> None:
    splits = given(made("abc"), made("d"), made("xy"))
    assert in_fold(splits, 1, 4, seed=0, test_fold=2).train.classes == ("c", "d")
    with pytest.raises(SandboxError, match="would leave fewer than two of the 4 classes"):
        in_fold(splits, 1, 3, seed=0, test_fold=2)


def test_every_image_keeps_its_pixels_and_its_class() -> None:
    splits = drawn()
    sources = (splits.train, splits.val)
    pixels = {path: one for part in sources for path, one in zip(part.paths, part.pixels, strict=True)}
    for part in (in_fold(splits, 2, 3, seed=0).train, in_fold(splits, 2, 3, seed=0).val):
        assert [path.split("/")[0] for path in part.paths] == [part.classes[label] for label in part.labels]
        assert list(part.paths) == sorted(part.paths) and list(part.classes) == sorted(part.classes)
        np.testing.assert_array_equal(part.pixels, np.stack([pixels[path] for path in part.paths]))


def test_columns_go_with_their_images_and_are_empty_where_a_part_has_none() -> None:
    splits = drawn()
    known = replace(splits.train, columns={"camera": np.array([f"of {path}" for path in splits.train.paths])})
    learnt = set(splits.train.paths)
    parts = in_fold(replace(splits, train=known), 1, 3, seed=0)
    for images in (parts.train, parts.val):
        said = [f"of {path}" if path in learnt else "" for path in images.paths]
        assert images.columns["camera"].tolist() == said
    assert not parts.test.columns


def test_a_fold_does_not_hang_on_how_validation_was_drawn_before() -> None:
    train, test = made([f"c{number}" for number in range(9)]), made(["t", "u"])
    one, other = (
        given(train.take(np.flatnonzero(~held)), train.take(np.flatnonzero(held)), test)
        for held in (train.labels < 2, train.labels > 4)
    )
    assert one.digest != other.digest
    first, second = in_fold(one, 2, 4, seed=5), in_fold(other, 2, 4, seed=5)
    assert first.digest == second.digest
    np.testing.assert_array_equal(first.train.pixels, second.train.pixels)


def test_images_of_one_class_in_training_and_validation_come_together() -> None:
    splits = given(made("abcd", prefix="2"), made("ab", prefix="1"), made("xy"), notes=["kept"], mirror=True)
    splits = replace(splits, notes=("kept", "trained on as well: 2 of the 2 validation classes"))
    fold = in_fold(splits, 1, 2, seed=0)
    assert fold.val.paths == tuple(f"{part}{name}/{number}" for name in "ab" for part in "12" for number in range(3))
    assert fold.val.classes == ("a", "b") and fold.val.counts.tolist() == [6, 6] and fold.mirror
    assert fold.notes == ("kept", "validation is fold 1 of 2 of the 4 classes of training and validation: 2 classes, "
                          "'a' to 'b'")  # fmt: skip


def test_remarks_on_the_validation_that_was_are_left_out_and_those_on_the_new_one_said() -> None:
    splits = drawn(5)
    assert "the validation split holds a single class" in splits.notes[0]
    assert len(in_fold(splits, 1, 2, seed=0).notes) == 1 + (len(splits.test.classes) == 1)
    again = in_fold(splits, 1, 4, seed=0).notes
    assert sum("fewer folds hold more" in note for note in again) == 1
    assert not any("validation" in note and "data.split=sample" in note for note in again)


def test_what_is_verified_in_test_stays() -> None:
    apart = ToVerify(made("pqr", prefix="v"), PAIRS)
    splits = given(made("abcd"), made("efgh"), made("xyz"), test_pairs=PAIRS, test_verify=apart)
    fold = in_fold(splits, 1, 2, seed=0)
    assert fold.test_pairs is PAIRS and fold.test_verify is apart
    assert fold.digest != in_fold(replace(splits, test_verify=None), 1, 2, seed=0).digest


def bits_of(train: int | None, val: int | None) -> int | None:
    splits = given(replace(made("abcd"), bits=train), replace(made("efgh"), bits=val), made("xy"))
    return in_fold(splits, 1, 2, seed=0).bits


def test_the_scale_of_deep_files_is_kept() -> None:
    assert (bits_of(12, 12), bits_of(None, 12), bits_of(None, None)) == (12, 12, None)


CLOSED = sample_disjoint(made("abc", 8), 0.25, 0.25, 0)
SHARED = given(made("abcd", prefix="1"), made("ef", prefix="2"), made("fgh", prefix="3"))
LISTED = given(made("abcd"), made("efgh"), made("xyz"), val_pairs=PAIRS)
APART = given(made("abcd"), made("efgh"), made("xyz"), val_verify=ToVerify(made("pqr", prefix="v"), PAIRS))


@pytest.mark.parametrize(
    ("splits", "folds", "said"),
    [
        (CLOSED, 2, "3 of the 3 classes of test are in training or validation as well, such as 'a'; take a split by"),
        (SHARED, 2, "1 of the 3 classes of test are in training or validation as well, such as 'f'"),
        (LISTED, 2, "validation comes with a list of what is to be verified"),
        (APART, 2, "validation comes with a list of what is to be verified"),
        (drawn(), 16, "the 15 classes of training and validation make 15 folds at most"),
        (drawn(), 10**9, "the 15 classes of training and validation make 15 folds at most"),
        (given(made("ab"), made("c"), made("xy")), 2, "would leave fewer than two of the 3 classes"),
    ],
)
def test_folds_that_make_no_sense_are_refused(splits: Splits, folds: int, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)) as refused:
        in_fold(splits, 1, folds, seed=0)
    assert f"data.val_fold is '1/{folds}'" in str(refused.value) and "\n" not in str(refused.value)


def test_a_fold_without_a_match_is_refused_whichever_is_asked_for() -> None:
    few = image_set(np.zeros((5, 4, 4, 1), np.uint8), list("bbcde"), [f"few{number}" for number in range(5)])
    for fold in (1, 2):
        with pytest.raises(SandboxError, match=r"no class of fold 2/2 has two images .*'c' to 'e'.*data\.min_images"):
            in_fold(given(few, made("a"), made("xy")), fold, 2, seed=0)


def test_no_third_copy_of_the_pixels_is_made() -> None:
    splits = class_disjoint(made([f"c{number:02d}" for number in range(40)], 100, side=64), 0.2, 0.25, seed=0)
    held = splits.train.pixels.nbytes + splits.val.pixels.nbytes
    tracemalloc.start()
    try:
        in_fold(splits, 1, 4, seed=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < peak < 1.9 * held


def test_what_does_not_fit_into_memory_is_refused() -> None:
    def vast(images: ImageSet) -> ImageSet:  # a terabyte an image, of one byte
        return replace(images, pixels=np.broadcast_to(np.zeros(1, np.uint8), (len(images), 2**20, 2**20, 1)))

    splits = given(vast(made("abcd")), vast(made("ef")), vast(made("xy")))
    with pytest.raises(SandboxError, match=r"in memory twice for a moment, and 19,791\.2 GB more do not fit"):
        in_fold(splits, 1, 2, seed=0)
