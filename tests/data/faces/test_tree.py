"""Trees of aligned faces: names, which face is taken, and runs that are broken off."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import png16
from PIL import Image

from sandbox.data.faces.detect import Face, foremost
from sandbox.data.faces.record import Outcome
from sandbox.data.faces.tree import align_tree, aligned_names
from sandbox.errors import SandboxError

DETECTOR = pytest.mark.needs("facenet_pytorch", "pip install --no-deps facenet-pytorch==2.6.0")
PICTURES = pytest.mark.needs("skimage", 'pip install -e ".[test]"')


def unwatched(files: Sequence[Path], what: str) -> Iterable[Path]:
    return files


def align(
    source: Path,
    destination: Path,
    watch: Callable[..., Iterable[Path]] = unwatched,
    without_face: Literal["leave", "middle"] = "leave",
) -> Outcome:
    return align_tree(source, destination, 32, 20, "cpu", watch, without_face)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two people of 20 photographs: the astronaut's face, cut out somewhat differently each time."""
    import skimage.data

    root = tmp_path / "photographs"
    astronaut = Image.fromarray(skimage.data.astronaut())
    for number in range(40):
        left, top = 140 + number % 10, 30 + number // 10
        path = root / ("ann", "bo")[number % 2] / f"{number:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        astronaut.crop((left, top, left + 150, top + 160)).save(path)
    return root


def test_jpeg_and_png_keep_their_names() -> None:
    paths = ["a.jpg", "b/a.JPEG", "b/a.png", "b/a.gif", "b/a.tif", "b/a.gif.png"]
    assert aligned_names(paths) == {
        "a.jpg": "a.jpg",
        "b/a.JPEG": "b/a.JPEG",
        "b/a.png": "b/a.png",
        "b/a.gif": "b/a.gif.png.png",
        "b/a.tif": "b/a.tif.png",
        "b/a.gif.png": "b/a.gif.png",
    }


@given(st.lists(st.from_regex(r"[ab](\.gif|\.png|\.jpg){1,3}", fullmatch=True), unique=True))
def test_no_two_photographs_share_a_name(paths: list[str]) -> None:
    names = aligned_names(paths)
    assert set(names) == set(paths) and len(set(names.values())) == len(paths)
    assert all(name.startswith(path) for path, name in names.items())


def test_of_several_faces_one_near_the_middle_is_taken_before_a_larger_one_at_the_edge() -> None:
    def face(left: float, top: float, side: float) -> Face:
        return Face((left, top, left + side, top + side), np.zeros((5, 2), np.float32), 1.0)

    middle, edge, small = face(80, 80, 90), face(-10, 90, 100), face(110, 110, 30)
    assert foremost([edge, middle, small], (250, 250)) is middle
    assert foremost([middle, face(70, 75, 100)], (250, 250)).area == 10_000
    assert foremost([edge, small], (250, 250)) is small
    assert foremost([edge], (250, 250)) is edge


@DETECTOR
@PICTURES
def test_a_run_that_was_broken_off_is_gone_on_with(photographs: Path, tmp_path: Path) -> None:
    def broken(files: Sequence[Path], what: str) -> Iterator[Path]:
        yield from files[:27]
        raise KeyboardInterrupt

    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    assert align(photographs, whole).lines() == ["40 of 40 photographs aligned"]
    with pytest.raises(KeyboardInterrupt):
        align(photographs, resumed, broken)
    left = contents(resumed)
    rows = list(csv.DictReader((resumed / "aligned.csv").open()))
    assert 0 < len(rows) < 40
    assert set(left) == {"aligned.csv", "aligned.toml", *(row["aligned"] for row in rows)}
    assert all(left[row["aligned"]] == contents(whole)[row["aligned"]] for row in rows)
    done = align(photographs, resumed)
    assert done.kept == len(rows) and len(done.rows) == 40
    assert contents(resumed) == contents(whole)
    assert align(photographs, resumed).lines() == ["40 of 40 photographs aligned, 40 were done by an earlier run"]


@DETECTOR
@PICTURES
def test_only_what_is_wanting_is_done_again(photographs: Path, tmp_path: Path) -> None:
    destination = tmp_path / "aligned"
    (photographs / "ann" / "bad.jpg").write_bytes(b"no picture")
    align(photographs, destination)
    listing = destination / "aligned.csv"
    whole = contents(destination)
    listing.write_bytes(whole["aligned.csv"][:-20])  # where the machine stopped
    (destination / "ann" / "00.jpg").unlink()
    changed = photographs / "ann" / "02.jpg"
    Image.new("RGB", (30, 30)).save(changed)  # shows nobody now
    later = listing.stat().st_mtime + 5
    os.utime(changed, (later, later))
    (photographs / "ann" / "04.jpg").unlink()
    (photographs / "ann" / "bad.jpg").unlink()
    (photographs / "ann" / "06.jpg").rename(photographs / "ann" / "bad.jpg")
    outcome = align(photographs, destination)
    assert outcome.kept == 41 - 1 - 5 and outcome.gone == 2  # but for bad, 00, 02, 04, 06 and the last line
    assert outcome.lines()[1:] == [
        "1 without a face, left out",
        "2 faces of an earlier run whose photographs are gone, left there",
    ]
    after = contents(destination)
    assert "ann/02.jpg" not in after and after["ann/00.jpg"] == whole["ann/00.jpg"]
    assert after["ann/bad.jpg"] == whole["ann/06.jpg"] and after["ann/04.jpg"] == whole["ann/04.jpg"]
    rows = {row["path"]: row for row in csv.DictReader(listing.open())}
    assert len(rows) == 41 and rows["ann/04.jpg"]["done"] == "left there, its photograph is gone"
    assert rows["ann/02.jpg"]["done"] == "left out, no face"


@DETECTOR
def test_where_there_is_no_face_the_middle_keeps_a_list_whole(tmp_path: Path) -> None:
    source, destination = tmp_path / "photographs", tmp_path / "aligned"
    source.mkdir()
    quarters = np.zeros((80, 120, 3), np.uint8)
    quarters[20:60, 40:80] = 200  # the square in the middle, half as wide as the shorter side
    Image.fromarray(quarters).save(source / "wall.png")
    outcome = align(source, destination, without_face="middle")
    (row,) = outcome.rows
    assert (row.faces, row.aligned, row.done) == (0, "wall.png", "no face, its middle taken")
    assert outcome.lines() == ["0 of 1 photograph aligned", "1 without a face, the middle taken"]
    drawn = np.asarray(Image.open(destination / "wall.png"))
    assert drawn.shape == (32, 32, 3) and (drawn[2:-2, 2:-2] == 200).all()
    again = align(source, destination, without_face="middle")
    assert again.kept == 1
    with pytest.raises(SandboxError, match="was written with without_face middle, not leave"):
        align(source, destination)


@DETECTOR
@PICTURES
def test_a_photograph_replaced_by_an_older_one_is_done_again(photographs: Path, tmp_path: Path) -> None:
    destination = tmp_path / "aligned"
    align(photographs, destination)
    before = contents(destination)
    one, other = photographs / "ann" / "00.jpg", photographs / "bo" / "37.jpg"
    one.write_bytes(other.read_bytes())
    os.utime(one, (1, 1))
    assert align(photographs, destination).kept == 39
    after = contents(destination)
    assert after["ann/00.jpg"] != before["ann/00.jpg"] and after["ann/02.jpg"] == before["ann/02.jpg"]
    one.write_bytes(b"no picture")
    align(photographs, destination)
    assert "ann/00.jpg" not in contents(destination)


@DETECTOR
def test_what_is_passed_over_and_how_deep_files_are_scaled_is_said(tmp_path: Path) -> None:
    pixels = np.full((60, 60, 3), (10, 120, 250))
    for name, content in (("deep.png", png16(pixels << 4)), ("notes", b"about"), ("flat", png16(pixels))):
        (tmp_path / "raw" / "ann").mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / "ann" / name).write_bytes(content)
    (tmp_path / "raw" / "@eaDir").mkdir()
    done = align(tmp_path / "raw", tmp_path / "tree", without_face="middle")
    assert done.lines()[1:] == [
        "2 without a face, the middle taken",
        "note: 1 file that is no image passed over: ann/notes",
        "note: 1 entry whose name starts with @ or __MACOSX passed over: @eaDir",
        "note: 2 files of 16 bits or more, such as ann/deep.png, hold values up to 4,000: taken for numbers of 12 "
        "bits, so that 4,095 is white",
    ]
    assert np.asarray(Image.open(tmp_path / "tree" / "ann" / "deep.png"))[0, 0].tolist() == [10, 120, 250]
