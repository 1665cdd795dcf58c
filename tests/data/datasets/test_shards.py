"""Images in tar shards as webdataset writes them, and in Parquet files."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.catalog import data_sets, load
from sandbox.data.images.decode import decode
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

from fuzz import FUZZ, changed, read_or_refused
from trees import face, tar

SIDE = 8
Members = dict[str, bytes]


def read(root: Path, **settings: Any) -> Splits:
    return load(DataSpec(name="shards", root=str(root), image_size=SIDE, **settings))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """JPEGs of eight people, four of each, by their keys."""
    place = tmp_path_factory.mktemp("one") / "one.jpg"
    return {f"{n // 4}_{n % 4}": face(place, n // 4, n).read_bytes() for n in range(32)}


def members(images: dict[str, bytes], people: range, ending: str = "cls") -> Members:
    """The files of some people's samples; their classes as text, or in JSON with a camera."""
    held: Members = {}
    for key, content in images.items():
        if int(key[0]) in people:
            person = key[0].encode()
            said = person if ending == "cls" else json.dumps({"label": f"p{key[0]}", "camera": int(key[2])}).encode()
            held |= {f"a/{key}.jpg": content, f"a/{key}.{ending}": said}
    return held


def test_each_image_has_its_class(tmp_path: Path, images: dict[str, bytes]) -> None:
    tar(tmp_path / "0.tar", {"__index__": b"x", "README": b"read me", **members(images, range(5))})
    (tmp_path / "more").mkdir()
    tar(tmp_path / "more" / "1.tar", members(images, range(5, 8)))
    splits = read(tmp_path)
    found = {path: (s, row) for s in splits.image_sets().values() for row, path in enumerate(s.paths)}
    assert set(found) == {f"{'0' if int(key[0]) < 5 else 'more/1'}.tar/a/{key}.jpg" for key in images}
    for path, (part, row) in found.items():
        key = path[-7:-4]
        assert part.classes[part.labels[row]] == key[0]
        np.testing.assert_array_equal(part.pixels[row], decode(images[key], SIDE, 3))
    assert splits.notes == () and not splits.closed_set and len(read(tmp_path / "0.tar").train)


def test_what_a_json_says_goes_with_the_image(tmp_path: Path, images: dict[str, bytes]) -> None:
    held = members(images, range(8), "json")
    held["a/0_0.json"] = json.dumps({"class": "p0", "camera": 0, "boxes": [1, 2]}).encode()
    held |= {f"a/{key}.seg.png": b"a mask" for key in ("0_0", "7_3")}
    ordered = dict(sorted(held.items()))
    splits = read(tar(tmp_path / "x.tar", ordered))
    for part in splits.image_sets().values():
        assert part.columns["camera"].tolist() == [path[-5] for path in part.paths]
        assert [part.classes[label] for label in part.labels] == [f"p{path[-7]}" for path in part.paths]
        assert set(part.columns) == {"camera"}


def test_names_of_shards_say_the_part(tmp_path: Path, images: dict[str, bytes]) -> None:
    tar(tmp_path / "faces-train-000000.tar", members(images, range(3)))
    tar(tmp_path / "faces-train-000001.tar", members(images, range(3, 5)))
    tar(tmp_path / "faces-val-000000.tar", members(images, range(5, 8)))
    splits = read(tmp_path)
    assert splits.test.classes == ("5", "6", "7") and {path[:11] for path in splits.val.paths} == {"faces-train"}
    assert f"{tmp_path.name} names no test images: the 12 that it names for validation are tested" in splits.notes
    tar(tmp_path / "faces-test.tar", members(images, range(7, 8)))
    assert read(tmp_path).test.classes == ("7",)
    tar(tmp_path / "more.tar", members(images, range(1)))
    with pytest.raises(SandboxError, match=r"faces-test\.tar is named as a part of a split, and more\.tar is not"):
        read(tmp_path)


def test_a_folder_of_parquet_files(tmp_path: Path, images: dict[str, bytes]) -> None:
    for part, people in (("train", range(5)), ("test", range(5, 8))):
        keys = [key for key in images if int(key[0]) in people]
        kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        rows = pa.array([{"bytes": images[key], "path": f"{key}.jpg"} for key in keys], kind)
        table = pa.table({"image": rows, "label": [int(key[0]) for key in keys]})
        pq.write_table(table, tmp_path / f"{part}-00000-of-00001.parquet")
    splits = read(tmp_path)
    assert splits.test.classes == ("5", "6", "7")
    assert splits.test.paths[0] == "test-00000-of-00001.parquet/5_0.jpg"
    np.testing.assert_array_equal(splits.test.pixels[0], decode(images["5_0"], SIDE, 3))


def test_shards_are_packed_once(tmp_path: Path, cache: Path, images: dict[str, bytes]) -> None:
    tar(tmp_path / "x.tar", members(images, range(8)))
    first = read(tmp_path)
    kept = sorted((entry.name, entry.stat().st_mtime_ns) for entry in cache.iterdir())
    assert read(tmp_path).digest == first.digest and len(kept) == 2
    assert sorted((entry.name, entry.stat().st_mtime_ns) for entry in cache.iterdir()) == kept


Write = Callable[[Path, Members], object]


def without(name: str) -> Write:
    return lambda file, held: tar(file, {key: content for key, content in held.items() if key != name})


def with_more(**more: bytes) -> Write:
    """Further files of the key a/x, by what they are."""
    return lambda file, held: tar(file, held | {f"a/x.{kind}": content for kind, content in more.items()})


def twice(file: Path, held: Members) -> None:
    tar(file, held)
    with tarfile.open(file, "a") as archive:
        for kind in ("jpg", "cls"):
            member = tarfile.TarInfo(f"a/0_0.{kind}")
            member.size = 1
            archive.addfile(member, io.BytesIO(b"0"))


def cut(file: Path, held: Members) -> None:
    tar(file, held)
    file.write_bytes(file.read_bytes()[:-12_000])


def flip(file: Path, held: Members) -> None:
    """One byte of the header of the 21st file."""
    tar(file, held)
    with tarfile.open(file) as archive:
        at = archive.getmembers()[20].offset
    whole = bytearray(file.read_bytes())
    whole[at + 3] ^= 1
    file.write_bytes(whole)


WRONG: dict[str, tuple[Write, str]] = {
    "no class": (without("a/1_0.cls"), r"no class for the key 'a/1_0': it holds a/1_0\.jpg, but a \.cls is needed, or"),
    "no image": (without("a/1_0.jpg"), r"must hold one image under the key 'a/1_0', but it holds a/1_0\.cls"),
    "two images": (with_more(jpg=b"1", png=b"2", cls=b"3"), r"one image under the key 'a/x', but it holds a/x\.jpg"),
    "empty class": (with_more(cls=b" ", jpg=b""), "sample 33 gives no label"),
    "a key twice": (twice, r"x\.tar has two samples of the key of 'a/0_0\.jpg'"),
    "no UTF-8": (with_more(jpg=b"1", cls=b"\xff"), r"holds 'a/x\.cls', which is no text in UTF-8"),
    "no JSON": (with_more(jpg=b"1", json=b"{"), r"holds 'a/x\.json', which cannot be read: "),
    "cut short": (cut, r"x\.tar is cut short: "),
    "damaged": (flip, r"x\.tar is damaged: no file and no end of the archive stands at byte [0-9,]+ of"),
    "compressed": (lambda file, held: file.write_bytes(gzip.compress(b"x")), "is compressed, .*; use gunzip first"),
    "no tar": (lambda file, held: file.write_bytes(b"x" * 2000), "is damaged or no tar archive"),
    "nothing": (lambda file, held: tar(file, {}), "holds no sample, which is an image and its class"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_shard(tmp_path: Path, images: dict[str, bytes], case: str) -> None:
    change, said = WRONG[case]
    change(tmp_path / "x.tar", members(images, range(8)))
    with pytest.raises(SandboxError, match=said) as refused:
        read(tmp_path)
    assert "\n" not in str(refused.value)


def test_folders_and_files_that_are_no_shards(tmp_path: Path, images: dict[str, bytes]) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(SandboxError, match=r"holds no shard \(\.tar or \.parquet\), but images"):
        read(tmp_path)
    tar(tmp_path / "x.tar", {})
    (tmp_path / "x.parquet").write_bytes(b"")
    with pytest.raises(SandboxError, match=r"holds shards of two kinds, \.parquet and \.tar; give one as data\.root"):
        read(tmp_path)
    (tmp_path / "x.tgz").write_bytes(b"")
    with pytest.raises(SandboxError, match=r"x\.tgz', but data set 'shards' reads \.tar, \.parquet"):
        read(tmp_path / "x.tgz")
    assert data_sets()["shards"].or_folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, images: dict[str, bytes]) -> tuple[Path, bytes]:
    file = tmp_path_factory.mktemp("fuzz") / "x.tar"
    held = members(images, range(4)) | members(images, range(4, 8), "json")
    return file, tar(file, held).read_bytes()


@FUZZ
@given(data=st.data())
def test_damaged_shards_are_read_or_refused(whole: tuple[Path, bytes], data: st.DataObject) -> None:
    file, content = whole
    file.write_bytes(data.draw(changed(content)))
    read_or_refused(lambda: read(file))
