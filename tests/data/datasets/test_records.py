"""InsightFace's training sets, written here as MXNet and dmlc-core write them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.catalog import load
from sandbox.data.images.decode import decode
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

from fuzz import FUZZ, changed, read_or_refused
from trees import insightface, record, write_records

SIDE = 8
MAGIC = struct.pack("<I", 0xCED7230A)


def read(root: Path, **settings: object) -> Splits:
    return load(DataSpec(name="records", root=str(root), image_size=SIDE, **settings))  # type: ignore[arg-type]


def pixels_of(splits: Splits) -> dict[str, tuple[str, np.ndarray]]:
    """Class and pixels of every image, by its name."""
    return {
        path: (part.classes[label], row)
        for part in (splits.train, splits.val, splits.test)
        for path, label, row in zip(part.paths, part.labels, part.pixels, strict=True)
    }


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    return insightface(tmp_path_factory.mktemp("one"))


def test_each_image_has_its_person(tmp_path: Path, held: dict[int, bytes]) -> None:
    root = write_records(tmp_path, held)
    (root / "property").write_text("7,16,16")
    splits = read(root)
    found = pixels_of(splits)
    assert set(found) == {f"train.rec/{key}" for key in range(1, 19)} and splits.mirror
    for key in range(1, 19):
        name, pixels = found[f"train.rec/{key}"]
        assert name == str((key - 1) // 3)
        np.testing.assert_array_equal(pixels, decode(held[key][24:], SIDE, 3))
    assert splits.notes == ("property says '7,16,16' (classes, height, width), but there are 6 classes",)


def test_a_record_that_holds_the_magic_number_is_put_together_again(tmp_path: Path, held: dict[int, bytes]) -> None:
    plain = pixels_of(read(write_records(tmp_path, held)))
    comment = bytes(-(24 + 4) % 4) + MAGIC + b"abcd" + MAGIC * 2  # a comment in a JPEG, where any bytes may stand
    parted = dict(held)
    for key in (1, 5, 18):
        image = held[key][24:]
        parted[key] = held[key][:24] + image[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2 + 2) + b"\0\0"
        parted[key] += comment + image[2:]
        assert parted[key].find(MAGIC) % 4 == 0
    root = write_records(tmp_path, parted)
    assert (root / "train.rec").read_bytes().count(MAGIC) == len(held) + 9  # each part has its own
    again = pixels_of(read(root))
    for name, (person, pixels) in plain.items():
        assert again[name][0] == person
        np.testing.assert_array_equal(again[name][1], pixels)


def test_without_a_first_record_every_record_is_an_image(tmp_path: Path, held: dict[int, bytes]) -> None:
    images = [content[24:] for key, content in held.items() if 0 < key < 19]
    several = {key: record([float(key // 3), 0.5], image) for key, image in enumerate(images)}  # of which one counts
    splits = read(write_records(tmp_path, several))
    assert {path: name for path, (name, _) in pixels_of(splits).items()} == {
        f"train.rec/{key}": str(key // 3) for key in range(18)
    }


def test_it_may_lie_two_folders_deeper_and_is_packed_once(tmp_path: Path, cache: Path, held: dict[int, bytes]) -> None:
    (tmp_path / "faces" / "set").mkdir(parents=True)
    write_records(tmp_path / "faces" / "set", held)
    first = read(tmp_path)
    kept = sorted((entry.name, entry.stat().st_mtime_ns) for entry in cache.iterdir())
    assert read(tmp_path).digest == first.digest
    assert sorted((entry.name, entry.stat().st_mtime_ns) for entry in cache.iterdir()) == kept and len(kept) == 2


def cut(root: Path) -> None:
    whole = (root / "train.rec").read_bytes()
    (root / "train.rec").write_bytes(whole[: len(whole) - 700])


def swap(root: Path) -> None:
    index = (root / "train.idx").read_text().split("\n")
    (root / "train.idx").write_text("\n".join([index[0], *(f"{line}4" for line in index[1:-1])]))


def twice(root: Path) -> None:
    (root / "train.idx").write_text((root / "train.idx").read_text() + "3\t0\n")


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no index": (lambda root: (root / "train.idx").unlink(), r"holds train\.rec, but no train\.idx, which says where"),
    "no records": (lambda root: (root / "train.rec").unlink(), r"holds no train\.rec, as InsightFace's"),
    "cut short": (
        cut,
        r"1 record that cannot be read, the first of key 18 at byte [0-9,]+ of [0-9,]+: the file is cut",
    ),
    "empty": (lambda root: (root / "train.rec").write_bytes(b""), "holds no record"),
    "another index": (swap, r"18 records that cannot be read, the first of key 1 at byte .*; do file and index belong"),
    "no numbers": (
        lambda root: (root / "train.idx").write_text("0\t0\n1;44"),
        r"line 2 must be a key and a place, such as '1 144', not '1;44'",
    ),
    "a key twice": (twice, r"train\.idx line [0-9]+ gives key 3 a second time"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_such_set(tmp_path: Path, held: dict[int, bytes], case: str) -> None:
    # What stands behind the images is left out, so that what is cut off the end is an image.
    root = write_records(tmp_path, {key: content for key, content in held.items() if key < 19})
    change, said = WRONG[case]
    change(root)
    with pytest.raises(SandboxError, match=said) as refused:
        read(root)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "content", "said"),
    [
        (4, struct.pack("<IfQQ", 0, 1.5, 4, 0), r"record 4 of .* has the label 1\.5, but a class is a whole number"),
        (4, struct.pack("<IfQQ", 0, float("nan"), 4, 0), "record 4 of .* has a label that is not finite"),
        (4, struct.pack("<IfQQ", 9, 1.0, 4, 0) + bytes(4), "record 4 of .* says that it has 9 labels, but ends before"),
        (4, b"abcd", "record 4 of .* holds 4 bytes, but its header has 24"),
        (0, record([1.0, 9.0], b""), r"record 0 beside .* says that the images end at 1, which is no key of one"),
    ],
)
def test_records_that_say_what_cannot_be(
    tmp_path: Path, held: dict[int, bytes], key: int, content: bytes, said: str
) -> None:
    with pytest.raises(SandboxError, match=said):
        read(write_records(tmp_path, {**held, key: content}))


def test_images_that_the_index_lacks_are_counted(tmp_path: Path, held: dict[int, bytes]) -> None:
    splits = read(write_records(tmp_path, {key: content for key, content in held.items() if key != 7}))
    assert "the index lacks 1 of the 18 images that record 0 says there are" in splits.notes


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, held: dict[int, bytes]) -> Path:
    return write_records(tmp_path_factory.mktemp("fuzz"), held)


@pytest.fixture(scope="module")
def whole(written: Path) -> dict[str, bytes]:
    return {name: (written / name).read_bytes() for name in ("train.rec", "train.idx")}


@FUZZ
@given(data=st.data())
def test_damaged_records_are_read_or_refused(written: Path, whole: dict[str, bytes], data: st.DataObject) -> None:
    damaged = data.draw(st.sampled_from(sorted(whole)))
    for name, content in whole.items():
        (written / name).write_bytes(data.draw(changed(content)) if name == damaged else content)
    read_or_refused(lambda: read(written))
