from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sandbox.data.images.image_set import ImageSet, image_set
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.splits import Splits, given
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs


def made(counts: dict[str, int], prefix: str = "") -> ImageSet:
    names = [name for name, count in counts.items() for _ in range(count)]
    paths = [f"{prefix}{name}/{number}" for name, count in counts.items() for number in range(count)]
    pixels = np.random.default_rng(0).integers(0, 256, (len(names), 4, 4, 1), dtype=np.uint8)
    return image_set(pixels, names, paths)


def twenty() -> ImageSet:
    return made({f"c{number:02d}": 10 for number in range(20)})


def paths(splits: Splits) -> tuple[tuple[str, ...], ...]:
    return splits.train.paths, splits.val.paths, splits.test.paths


def test_classes_part_whole() -> None:
    splits = class_disjoint(twenty(), 0.15, 0.25, seed=0)
    assert [len(split.classes) for split in (splits.train, splits.val, splits.test)] == [12, 3, 5]
    together = [*splits.train.classes, *splits.val.classes, *splits.test.classes]
    assert sorted(together) == list(twenty().classes)
    assert not splits.closed_set
    for split in (splits.train, splits.val, splits.test):
        assert [path.split("/")[0] for path in split.paths] == [split.classes[label] for label in split.labels]


@pytest.mark.parametrize("draw", [class_disjoint, sample_disjoint])
def test_the_seed_decides(draw: Callable[..., Splits]) -> None:
    one, again, other = (draw(twenty(), 0.15, 0.25, seed) for seed in (3, 3, 4))
    assert paths(one) == paths(again)
    assert one.digest == again.digest
    assert paths(one) != paths(other)
    assert one.digest != other.digest
    assert len(one.digest) == 12
    assert int(one.digest, 16) >= 0


def test_groups_stay_together() -> None:
    images = made({f"{group}{number}": 3 for group in "abcde" for number in range(4)})
    splits = class_disjoint(images, 0.2, 0.2, seed=1, groups=[name[0] for name in images.classes])
    groups = [{name[0] for name in split.classes} for split in (splits.train, splits.val, splits.test)]
    assert [len(group) for group in groups] == [3, 1, 1]
    assert set.union(*groups) == set("abcde")


@pytest.mark.parametrize(("classes", "sizes"), [(4, [2, 1, 1]), (5, [3, 1, 1]), (6, [2, 2, 2]), (8, [4, 2, 2])])
def test_few_classes_leave_two_to_train_on(classes: int, sizes: list[int]) -> None:
    splits = class_disjoint(made({f"c{number}": 2 for number in range(classes)}), 0.15, 0.25, seed=0)
    assert [len(split.classes) for split in (splits.train, splits.val, splits.test)] == sizes
    assert sum("single class" in note for note in splits.notes) == sizes.count(1)


def test_too_few_classes_are_an_error() -> None:
    with pytest.raises(SandboxError, match=r"3 classes are too few .* 4 are needed"):
        class_disjoint(made({"a": 5, "b": 5, "c": 5}), 0.15, 0.25, seed=0)


@pytest.mark.parametrize("seed", range(5))
def test_samples_of_every_class_are_in_every_split(seed: int) -> None:
    counts = {"d": 3, "a": 10, "b": 7, "c": 4, "e": 2, "f": 1, "g": 40}
    splits = sample_disjoint(made(counts), 0.15, 0.25, seed)
    assert splits.train.classes == ("a", "b", "c", "d", "g", "e", "f")
    assert splits.val.classes == splits.test.classes == ("a", "b", "c", "d", "g")
    assert splits.closed_set
    assert splits.train.counts.tolist() == [6, 4, 2, 1, 24, 2, 1]
    assert splits.val.counts.tolist() == [2, 1, 1, 1, 6]
    assert splits.test.counts.tolist() == [2, 2, 1, 1, 10]
    assert splits.notes == ("2 classes of fewer than 3 images: trained on, not evaluated",)
    assert len({path for split in paths(splits) for path in split}) == sum(counts.values())


@pytest.mark.parametrize("draw", [class_disjoint, sample_disjoint])
@pytest.mark.parametrize("shares", [(-0.1, 0.2), (0.5, 0.5), (1.0, 0.0), (0.2, 1.5), (float("nan"), 0.1)])
def test_impossible_shares_are_an_error(draw: Callable[..., Splits], shares: tuple[float, float]) -> None:
    with pytest.raises(SandboxError, match=r"data\.validation=.*data\.test="):
        draw(twenty(), *shares, seed=0)


@pytest.mark.parametrize("draw", [class_disjoint, sample_disjoint])
@pytest.mark.parametrize(("shares", "name"), [((0.0, 0.2), "validation"), ((0.2, 0.0), "test")])
def test_an_empty_split_is_an_error(draw: Callable[..., Splits], shares: tuple[float, float], name: str) -> None:
    with pytest.raises(SandboxError, match=f"the {name} split is empty"):
        draw(twenty(), *shares, seed=0)


def test_a_split_without_a_match_is_an_error() -> None:
    with pytest.raises(SandboxError, match="no two of the 3 images of the validation split show one class"):
        class_disjoint(made({f"c{number:02d}": 1 for number in range(20)}), 0.15, 0.25, seed=0)
    with pytest.raises(SandboxError, match="validation split"):
        sample_disjoint(made({"a": 3, "b": 3}), 0.15, 0.25, seed=0)


def test_given_puts_shared_classes_first_so_that_labels_agree() -> None:
    splits = given(made({"z": 2, "a": 2, "m": 2}, "1"), made({"z": 2}, "2"), made({"m": 2, "z": 2}, "3"))
    assert splits.closed_set
    assert splits.train.classes == ("z", "m", "a")
    assert splits.test.classes == ("z", "m")
    for split in (splits.train, splits.val, splits.test):
        assert [path[1] for path in split.paths] == [split.classes[label] for label in split.labels]


def test_given_with_unknown_classes_is_open() -> None:
    assert not given(made({"a": 2, "b": 2}), made({"c": 2}), made({"d": 2})).closed_set
    assert not given(made({"a": 2, "b": 2}, "1"), made({"a": 2, "b": 2}, "2"), made({"b": 2, "c": 2}, "3")).closed_set


def test_given_needs_something_to_score() -> None:
    train, single, fine = made({"a": 2, "b": 2}), made({"c": 1, "d": 1}), made({"e": 2})
    with pytest.raises(SandboxError, match="no two of the 2 images of the validation split"):
        given(train, single, fine)
    pairs = Pairs(left=np.array([0]), right=np.array([1]), same=np.array([False]))
    assert given(train, single, fine, val_pairs=pairs).val_pairs is pairs
    closed = given(train, made({"a": 1, "b": 1}, "v"), made({"a": 1, "b": 1}, "t"))
    assert closed.closed_set


def test_training_needs_two_classes() -> None:
    with pytest.raises(SandboxError, match="at least two classes; here there are 1"):
        given(made({"a": 9}), made({"b": 2}), made({"c": 2}))


def test_an_image_in_two_splits_is_an_error() -> None:
    with pytest.raises(SandboxError, match="2 images are in both train and test, such as b/0"):
        given(made({"a": 2, "b": 2}), made({"c": 2}), made({"b": 2}))


def test_the_digest_knows_classes_and_splits() -> None:
    one, two, three = made({"a": 2, "b": 2}), made({"c": 2}), made({"d": 2})
    digest = given(one, two, three).digest
    assert digest != given(one, three, two).digest
    assert digest != given(replace(one, classes=("a", "bb")), two, three).digest
    assert digest == given(one, two, three, notes=["said"], mirror=True).digest
