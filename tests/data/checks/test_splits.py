from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies
from PIL import Image

from sandbox.data.catalog import files_of, load
from sandbox.data.checks.files import DataFinding, left_out
from sandbox.data.checks.mirrors import TOLERANCE, same_and_mirrored
from sandbox.data.checks.splits import check, check_classes, check_twins
from sandbox.data.checks.statistics import file_kinds, histogram, share_of_largest
from sandbox.data.images.image_set import ImageSet, image_set
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

COUNTS = {name: 4 for name in "abcdefgh"}


def found(root: Path, **settings: object) -> dict[str, DataFinding]:
    spec = DataSpec(name="folder", root=str(root), **({"image_size": 8} | settings))  # type: ignore[arg-type]
    return {finding.rule: finding for finding in check(spec, load(spec)).findings}


@pytest.fixture
def clean(tmp_path: Path, write_classes: Callable[..., Path]) -> Path:
    return write_classes(tmp_path / "root", COUNTS)


@pytest.fixture
def given_split(tmp_path: Path, write_classes: Callable[..., Path]) -> Path:
    root = tmp_path / "root"
    write_classes(root, {f"train/{name}": 3 for name in "ab"} | {"val/c": 3, "val/d": 3, "test/e": 3, "test/f": 3})
    return root


def test_nothing_is_found_in_clean_data(clean: Path) -> None:
    assert found(clean) == {}


def test_unreadable_files_are_counted_with_their_reasons(clean: Path) -> None:
    (clean / "a" / "broken.png").write_bytes(b"no image")
    (clean / "b" / "empty.png").write_bytes(b"")
    whole = (clean / "c" / "00.png").read_bytes()
    (clean / "c" / "cut.png").write_bytes(whole[: len(whole) // 2])
    findings = found(clean)
    assert findings.keys() == {"unreadable-files"}
    finding = findings["unreadable-files"]
    assert finding.count == 3
    assert "3 unreadable images" in finding.text
    assert "a/broken.png (not an image)" in finding.text and "b/empty.png (empty file)" in finding.text
    assert "c/cut.png" in finding.text


def test_what_is_left_out_is_told_apart(clean: Path, write_image: Callable[..., Path]) -> None:
    used = files_of(spec := DataSpec(name="folder", root=str(clean), image_size=8), load(spec))
    write_image(clean / "loose.png", seed=99_000)
    (clean / "bad.png").write_bytes(b"")
    rest = left_out(clean, used)
    assert (rest.unreadable, rest.readable) == (1, 1)
    (clean / "bad.png").unlink()
    os.symlink(used[0], clean / "again.png")  # an image of a split under another name is none that is left out
    rest = left_out(clean, used)
    assert (rest.unreadable, rest.reasons, rest.readable) == (0, (), 1)
    checked = check(spec, load(spec))
    assert (checked.findings, checked.files, checked.unused) == ([], sum(COUNTS.values()), 1)


def test_tiny_images_are_counted_and_the_smallest_named(clean: Path, write_image: Callable[..., Path]) -> None:
    write_image(clean / "a" / "low.png", seed=99_000, size=(12, 5))
    write_image(clean / "b" / "thin.png", seed=99_001, size=(3, 20))
    write_image(clean / "c" / "just.png", seed=99_002, size=(8, 8))
    findings = found(clean)
    assert findings.keys() == {"tiny-images"}
    finding = findings["tiny-images"]
    assert finding.count == 2 and "smallest 3x20" in finding.text
    assert finding.examples == ("b/thin.png (3x20)", "a/low.png (12x5)")
    assert found(clean, image_size=11)["tiny-images"].count == sum(COUNTS.values()) + 3  # noise is 12x10


def test_duplicate_files_are_those_of_the_same_bytes(clean: Path) -> None:
    for name in ("copy.png", "third.png"):
        shutil.copy(clean / "a" / "00.png", clean / "a" / name)
    shutil.copy(clean / "b" / "01.png", clean / "b" / "x.png")
    with Image.open(clean / "c" / "00.png") as image:  # the same pixels in other bytes
        image.save(clean / "c" / "same.bmp")
    finding = found(clean)["duplicate-files"]
    assert finding.count == 5 and "in 2 groups" in finding.text
    assert finding.examples == ("a/00.png = a/copy.png = a/third.png", "b/01.png = b/x.png")


def test_a_twin_across_splits_is_found_in_other_bytes(given_split: Path) -> None:
    with Image.open(given_split / "train" / "a" / "00.png") as image:
        image.save(given_split / "test" / "e" / "copy.bmp")
    findings = found(given_split)
    assert findings.keys() == {"twins-across-splits", "twins-across-classes"}
    for finding in findings.values():
        assert finding.count == 2
        assert finding.examples == ("train/a/00.png (a, train) = test/e/copy.bmp (e, test)",)


def test_a_twin_within_a_class_and_split_is_no_finding(given_split: Path) -> None:
    with Image.open(given_split / "train" / "a" / "00.png") as image:
        image.save(given_split / "train" / "a" / "copy.bmp")
    assert found(given_split) == {}


def test_a_mirrored_copy_in_another_split_is_found(given_split: Path) -> None:
    with Image.open(given_split / "train" / "a" / "00.png") as image:
        small = image.resize((8, 8))  # the size it is used at, so that no rounding of a resize stands between
        small.save(given_split / "train" / "a" / "00.png")
        small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(given_split / "val" / "c" / "flipped.png")
    findings = found(given_split)
    assert findings.keys() == {"mirror-twins-across-splits", "mirror-twins-across-classes"}
    finding = findings["mirror-twins-across-splits"]
    assert finding.count == 2
    assert finding.examples == ("train/a/00.png (a, train) mirrors val/c/flipped.png (c, val)",)


@pytest.mark.parametrize("size", [(90, 70), (640, 480), (97, 101), (301, 200), (331, 77)])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_full_size_flip_is_a_mirror_twin_after_the_resize(
    given_split: Path, size: tuple[int, int], ending: str
) -> None:
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)).resize(size)
    photo.save(given_split / "train" / "a" / f"photo.{ending}", quality=90)
    photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(given_split / "test" / "e" / f"flip.{ending}", quality=80)
    findings = found(given_split, image_size=32, colour="grey")
    del findings["tiny-images"]  # the noise around it
    assert findings.keys() == {"mirror-twins-across-splits", "mirror-twins-across-classes"}
    assert findings["mirror-twins-across-splits"].count == 2


def test_only_what_is_within_the_tolerance_is_a_mirror_image() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(40, 200, (16, 18, 1), dtype=np.uint8)
    near, far = image[:, ::-1].copy(), image[:, ::-1].copy()
    near[3, 2] += TOLERANCE
    far[3, 2] += TOLERANCE + 1
    other = rng.integers(40, 200, (16, 18, 1), dtype=np.uint8)
    same, mirrored = same_and_mirrored([np.stack([image, other]), np.stack([near, image])])
    assert same.tolist() == [0, 1, 2, 0] and mirrored.tolist() == [2, -1, 0, 2]
    assert same_and_mirrored([np.stack([image, other]), far[None]])[1].tolist() == [-1, -1, -1]


def test_an_image_that_is_nearly_symmetric_mirrors_none() -> None:
    even = np.random.default_rng(0).integers(40, 200, (8, 1, 1), dtype=np.uint8).repeat(6, axis=1)
    nearly = even.copy()
    nearly[0, 0] += 5
    assert same_and_mirrored([np.stack([even, nearly])])[1].tolist() == [-1, -1]


def test_a_symmetric_image_is_a_twin_and_no_mirror_twin(given_split: Path) -> None:
    half = np.random.default_rng(0).integers(0, 256, (8, 4), dtype=np.uint8)
    for part in ("train/a", "test/e"):
        Image.fromarray(np.hstack([half, half[:, ::-1]])).save(given_split / part / "even.png")
    assert found(given_split).keys() == {"twins-across-splits", "twins-across-classes", "duplicate-files"}


def naive_twins(sets: dict[str, ImageSet]) -> dict[str, int]:
    """Each image beside each, with loops."""
    rows = [
        (part, images.classes[label], pixels)
        for part, images in sets.items()
        for pixels, label in zip(images.pixels, images.labels, strict=True)
    ]
    counts: Counter[str] = Counter()
    for one in rows:
        rules = set()
        for other in rows:
            same = np.array_equal(one[2], other[2])
            mirrored = not same and np.array_equal(one[2][:, ::-1], other[2])
            for prefix, alike in (("twins", same), ("mirror-twins", mirrored)):
                rules |= {f"{prefix}-across-splits"} if alike and one[0] != other[0] else set()
                rules |= {f"{prefix}-across-classes"} if alike and one[1] != other[1] else set()
        counts.update(rules)
    return dict(counts)


@given(strategies.integers(0, 2**32 - 1), strategies.integers(1, 3), strategies.sampled_from([1, 3]))
def test_twins_are_those_that_a_loop_finds(seed: int, values: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    sets = {}
    for part in ("train", "val", "test"):
        count = int(rng.integers(1, 7))
        # Few values make many twins; those that differ do so by more than is forgiven.
        pixels = (100 * rng.integers(0, values, (count, 1, 3, channels))).astype(np.uint8)
        names = [str(name) for name in rng.integers(0, 3, count)]
        sets[part] = image_set(pixels, names, [f"{part}/{place}" for place in range(count)])
    findings = check_twins(sets)
    assert {finding.rule: finding.count for finding in findings} == naive_twins(sets)
    for finding in findings:
        assert 1 <= len(finding.examples) <= min(5, finding.count)
        for example in finding.examples:
            sides = example.split(" mirrors " if finding.rule.startswith("mirror") else " = ")
            places = [side.split(" ")[0].split("/") for side in sides]
            one, other = (sets[part].pixels[int(place)] for part, place in places)
            assert np.array_equal(one[:, ::-1] if finding.rule.startswith("mirror") else one, other)


def test_images_of_nobody_known_are_twins_across_splits_alone() -> None:
    pixels = np.zeros((2, 1, 1, 1), np.uint8)
    sets = {
        part: image_set(pixels, names, names) for part, names in (("val pairs", ["p", "q"]), ("test pairs", ["r", "s"]))
    }
    (finding,) = check_twins(sets)
    assert (finding.rule, finding.count) == ("twins-across-splits", 4)
    assert finding.examples == ("p (val pairs) = r (test pairs)",)


def test_a_file_in_two_lists_is_one_image() -> None:
    pixels = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1)
    listed = ["p", "q", "r"]
    sets = {part: image_set(pixels, listed, listed) for part in ("val pairs", "test pairs")}
    assert check_twins(sets) == []
    (finding,) = check_twins({"train": image_set(pixels[1:2], ["ann"], ["ann/0"]), **sets})
    assert (finding.rule, finding.count) == ("twins-across-splits", 2)
    assert finding.examples == ("ann/0 (ann, train) = q (val pairs)",)


def test_at_most_five_examples_each_of_another_pair() -> None:
    pixels = np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1).repeat(2, axis=2)
    sets = {part: image_set(pixels, list("aabbccd"), [f"{part}{n}" for n in range(7)]) for part in ("train", "test")}
    (finding,) = check_twins(sets)
    assert finding.count == 14
    assert finding.examples == tuple(f"train{n} ({c}, train) = test{n} ({c}, test)" for n, c in enumerate("aabbc"))


def test_classes_of_one_image_are_counted_over_all_splits(given_split: Path, write_image: Callable[..., Path]) -> None:
    write_image(given_split / "train" / "lone" / "0.png", seed=99_000)
    write_image(given_split / "test" / "only" / "0.png", seed=99_001)
    findings = found(given_split)
    assert findings.keys() == {"single-image-classes"}
    assert findings["single-image-classes"].count == 2
    assert findings["single-image-classes"].examples == ("lone", "only")


def test_classes_in_two_splits_are_found_unless_all_are(given_split: Path, write_image: Callable[..., Path]) -> None:
    write_image(given_split / "test" / "a" / "0.png", seed=99_000)
    findings = found(given_split)
    assert findings.keys() == {"classes-in-two-splits"}
    assert findings["classes-in-two-splits"].examples == ("a (train, test)",)


def test_a_closed_set_is_no_finding(tmp_path: Path, write_classes: Callable[..., Path]) -> None:
    root = write_classes(tmp_path / "root", {"a": 12, "b": 12})
    splits = load(DataSpec(name="folder", root=str(root), image_size=8, split="sample"))
    assert splits.closed_set and check_classes(splits) == []


@pytest.mark.parametrize("name", ["glyphs", "digits"])
def test_embedded_sets_have_no_findings_of_files(name: str) -> None:
    spec = DataSpec(name=name)
    splits = load(spec)
    assert files_of(spec, splits) == []
    assert not {finding.rule for finding in check(spec, splits).findings} & {
        "unreadable-files",
        "tiny-images",
        "duplicate-files",
        "classes-in-two-splits",
    }


def test_a_file_that_is_gone_is_one_sentence(clean: Path) -> None:
    spec = DataSpec(name="folder", root=str(clean), image_size=8)
    splits = load(spec)
    (clean / "a" / "00.png").unlink()
    with pytest.raises(SandboxError, match=r"a/00\.png any more: No such file"):
        check(spec, splits)


def test_every_file_passes_the_watch(clean: Path) -> None:
    spec = DataSpec(name="folder", root=str(clean), image_size=8)
    seen: dict[str, list[Path]] = {}

    def watch(files: object, what: str) -> object:
        seen[what] = list(files)  # type: ignore[call-overload]
        return files

    check(spec, load(spec), watch)  # type: ignore[arg-type]
    assert sorted(seen["sizes"]) == sorted(clean.glob("*/*.png"))


@given(strategies.lists(strategies.integers(1, 300), min_size=1, max_size=60))
def test_a_histogram_has_every_class_once(counts: list[int]) -> None:
    bins = histogram(np.array(counts))
    for part in bins:
        inside = [count for count in counts if part.least <= count <= part.most]
        assert (part.classes, part.images) == (len(inside), sum(inside))
    assert sum(part.classes for part in bins) == len(counts)
    assert all(one.most < other.least for one, other in pairwise(bins))
    assert bins[0].classes and bins[-1].classes


@given(strategies.lists(strategies.integers(1, 50), min_size=1, max_size=40))
def test_share_of_the_largest_classes_is_a_sum(counts: list[int]) -> None:
    ordered = sorted(counts, reverse=True)
    for percent in (1, 10, 50, 100):
        many = -(-percent * len(counts) // 100)
        assert share_of_largest(np.array(counts), percent / 100) == sum(ordered[:many]) / sum(counts)


def test_kinds_of_files(tmp_path: Path, write_image: Callable[..., Path]) -> None:
    sides = product((10, 20), (30, 40))
    files = [write_image(tmp_path / f"{n}.png", size=size, mode="RGB") for n, size in enumerate(sides)]
    files.append(write_image(tmp_path / "grey.jpg", size=(10, 30), mode="L"))
    kinds = file_kinds(files)
    assert (kinds.looked_at, kinds.of) == (5, 5)
    assert kinds.formats == {"PNG": 4, "JPEG": 1} and kinds.modes == {"RGB": 4, "L": 1}
    assert kinds.sizes == {(10, 30): 2, (10, 40): 1, (20, 30): 1, (20, 40): 1}
    some = file_kinds(files, most=3)  # the first, the middle one, the last
    assert (some.looked_at, some.of, some.formats) == (3, 5, {"PNG": 2, "JPEG": 1})


def test_class_counts_are_those_of_the_folders(given_split: Path, write_image: Callable[..., Path]) -> None:
    write_image(given_split / "test" / "a" / "0.png", seed=99_000)
    splits = load(DataSpec(name="folder", root=str(given_split), image_size=8))
    assert splits.class_counts() == {"a": 4, "b": 3, "c": 3, "d": 3, "e": 3, "f": 3}
