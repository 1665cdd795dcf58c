"""The data command: what it draws, finds and counts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("--data.name", "folder", "--data.image_size", "16")


def cells(path: Path, rows: int, columns: int) -> list[np.ndarray]:
    """The cells of a picture of 16x16 images, found by the frame around each, and brought back to that size."""
    sheet = np.asarray(Image.open(path).convert("RGB"))
    framed = (sheet == 0xCC).all(2)
    lines, ups = (np.flatnonzero(framed.sum(axis) > 0.5 * framed.sum(axis).max()) for axis in (1, 0))
    assert len(lines) == 2 * rows and len(ups) == 2 * columns  # an edge on either side of each
    return [
        sheet[top + 1 : bottom : 4, left + 1 : right : 4]
        for top, bottom in zip(lines[::2], lines[1::2], strict=True)
        for left, right in zip(ups[::2], ups[1::2], strict=True)
    ]


def test_show_draws_the_images_of_a_split(command: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    from sandbox.data.catalog import load
    from sandbox.recipe.specs import DataSpec

    out = tmp_path / "pictures" / "grid.png"
    words = ("show", *SHARED, "--data.root", str(folder), "--classes", "2", "--images", "3", "--split", "train")
    said = command("data.py", *words, "--out", str(out))
    assert said.code == 0, said.err
    assert said.out == f"{out}: folder, train: 2 of 2 classes, 16x16 RGB\n"
    drawn = cells(out, 2, 3)
    assert not any(np.array_equal(one, other) for one, other in combinations(drawn, 2))
    train = load(DataSpec(name="folder", root=str(folder), image_size=16)).train
    labels = []
    for cell in drawn:
        found = [place for place, pixels in enumerate(train.pixels) if np.array_equal(pixels, cell)]
        assert len(found) == 1
        labels.append(int(train.labels[found[0]]))
    assert labels[:3] == labels[:1] * 3 and labels[3:] == labels[3:4] * 3 and labels[0] < labels[3]
    before = out.read_bytes()
    command("data.py", *words, "--out", str(out))
    assert out.read_bytes() == before
    command("data.py", *words, "--out", str(out), "--seed", "1")
    assert out.read_bytes() != before
    words = ("show", *SHARED, "--data.root", str(folder), "--classes", "1", "--images", "4", "--split", "train")
    assert ": 1 of 2 classes" in command("data.py", *words, "--out", str(out)).out
    assert len(cells(out, 1, 4)) == 4


def test_show_augmented_draws_the_image_and_its_changes(
    command: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "grid.png"
    words = ("show", *SHARED, "--data.root", str(folder), "--classes", "2", "--images", "4", "--out", str(out))
    said = command("data.py", *words, "--augmented")
    assert said.code == 0, said.err
    drawn = cells(out, 2, 5)
    assert not any(np.array_equal(one, other) for one, other in combinations(drawn, 2))
    still = ("rotate", "scale", "shear", "translate")
    none = [word for name in still for word in (f"--augment.{name}", "0")]
    assert command("data.py", *words, "--augmented", *none).code == 0
    drawn = cells(out, 2, 5)
    assert all(np.array_equal(cell, drawn[0]) for cell in drawn[:5])
    assert command("data.py", *words, "--augmented", *none, "--augment.flip", "yes").code == 0
    drawn = cells(out, 2, 5)
    erased = ("--augment.erase", "1", "--augment.erase_fill", "mixed")
    assert command("data.py", *words, "--augmented", *none, *erased).code == 0
    mixed = cells(out, 2, 5)
    assert all(np.array_equal(mixed[place], drawn[place]) for place in (0, 5))
    for place in (0, 5):
        changed = mixed[place + 1 : place + 5]
        assert any((cell != mixed[place]).any() for cell in changed)
        assert all(((cell == mixed[place]) | (cell == mixed[5 - place])).all() for cell in changed)  # no third image
    for row in (drawn[:5], drawn[5:]):  # grid_sample may be off by a grey level
        near = [[np.abs(cell.astype(int) - at).max() <= 1 for at in (row[0], row[0][:, ::-1])] for cell in row]
        assert all(sum(kinds) == 1 for kinds in near)


@pytest.mark.parametrize("name", ["glyphs", "digits"])
def test_embedded_sets_work_in_all_three(command: Callable[..., Any], tmp_path: Path, name: str) -> None:
    out = tmp_path / "grid.png"
    assert command("data.py", "show", "--data.name", name, "--split", "test", "--out", str(out)).code == 0
    assert out.stat().st_size > 0
    check = command("data.py", "check", "--data.name", name)
    assert check.code == 0 and "files: none, the data set is embedded" in check.out
    stats = command("data.py", "stats", "--data.name", name)
    assert stats.code == 0 and stats.out.startswith(f"{name}: ")


def test_check_says_what_it_found_and_strict_makes_it_an_error(command: Callable[..., Any], folder: Path) -> None:
    words = ("check", *SHARED, "--data.root", str(folder))
    clean = command("data.py", *words, "--strict")
    assert clean.code == 0 and clean.out.endswith("files: 69\n\nnothing found\n")
    (folder / "a" / "bad.png").write_bytes(b"")
    (folder / "a" / "copy.png").write_bytes((folder / "a" / "00.png").read_bytes())
    Image.new("L", (3, 2)).save(folder / "b" / "small.png")
    Image.new("L", (30, 30)).save(folder / "loose.png")
    said = command("data.py", *words)
    assert said.code == 0, said.err
    assert "files: 71; 1 more can be read and are in no split" in said.out
    assert said.out.count("a/bad.png (empty file)") == 1  # as a finding, and not as a note of loading once more
    assert "duplicate-files: 2 files" in said.out and "    a/00.png = a/copy.png\n" in said.out
    assert "tiny-images: 1 image is" in said.out and "    b/small.png (3x2)\n" in said.out
    assert said.out.endswith("3 kinds of findings\n")
    assert command("data.py", *words, "--strict").code == 1


def test_check_says_that_a_closed_set_is_one(command: Callable[..., Any]) -> None:
    said = command("data.py", "check", "--data.name", "digits", "--data.split", "sample")
    assert said.code == 0 and "closed set: every class" in said.out and "classes-in-two-splits" not in said.out


def test_stats_are_what_numpy_counts(command: Callable[..., Any], folder: Path) -> None:
    from sandbox.data.catalog import load
    from sandbox.recipe.specs import DataSpec

    Image.new("L", (50, 40)).save(folder / "c" / "grey.jpg")
    said = command("data.py", "stats", *SHARED, "--data.root", str(folder))
    assert said.code == 0, said.err
    splits = load(DataSpec(name="folder", root=str(folder), image_size=16))
    assert f"70 images of 6 classes, 16x16 RGB\nsplit: train {len(splits.train)}, val" in said.out
    assert splits.digest in said.out
    rows = {row.split("  ")[0].strip(): row.split() for row in said.out.splitlines()}
    for name, images in (("train", splits.train), ("val", splits.val), ("test", splits.test)):
        counts = np.bincount(images.labels)
        expected = [len(images), len(counts), counts.min(), np.median(counts), counts.max(), 0]
        assert [float(word) for word in rows[name][1:]] == expected
    counts = np.array([9, 10, 12, 12, 13, 14])
    assert [float(word) for word in rows["train, val and test"][4:]] == [70, 6, 9, np.median(counts), 14, 0]
    bars = re.findall(r"^ +(\d+) █+ +(\d+) class(?:es)? +([\d.]+)%, +([\d.]+)% of", said.out, re.M)
    assert [tuple(map(float, bar)) for bar in bars] == [
        (count, many, round(100 * many / 6, 1), round(100 * count * many / 70, 1))
        for count, many in zip(*np.unique(counts, return_counts=True), strict=True)
    ]
    assert f"1% of the classes have {14 / 70:.1%} of" in said.out
    assert f"10% have {14 / 70:.1%}, 50% have {39 / 70:.1%}" in said.out
    assert "formats: PNG 69, JPEG 1" in said.out and "modes: RGB 69, L 1" in said.out
    assert "sizes: 20x24 69, 50x40 1" in said.out and "widths 20 to 50, heights 24 to 40" in said.out
    pixels = splits.train.pixels / 255.0
    for name, values in (("mean", pixels.mean((0, 1, 2))), ("std", pixels.std((0, 1, 2)))):
        found = re.search(rf"{name} +([\d. ]+)\n", said.out)
        assert found and [float(word) for word in found[1].split()] == [round(value, 4) for value in values]


def test_a_recipe_gives_the_data_and_flags_go_over_it(
    command: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'[data]\nname = "folder"\nroot = "{folder.as_posix()}"\nimage_size = 16\n')
    assert "69 images of 6 classes, 16x16" in command("data.py", "stats", "--recipe", str(recipe)).out
    said = command("data.py", "check", "--recipe", str(recipe), "--data.image_size", "12")
    assert "69 images of 6 classes, 12x12" in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("chek",), "no thing to do named 'chek'; did you mean 'check'?"),
        (("show", "--data.name", "digit"), "no data set named 'digit'; did you mean 'digits'?"),
        (("show", "--data.nam", "digits"), "no flag '--data.nam'; did you mean '--data.name'?"),
        (("show", "--data.name", "digits", "--classes", "0"), "--classes is 0, but is at least 1"),
        (("show", "--data.name", "digits", "--images", "-3"), "--images is -3, but is at least 1"),
        (("show", "--data.name", "digits", "--images", "2000"), "makes 24,000 cells; a picture has at most 10,000"),
        (("show", "--data.name", "digits", "--out", "grid.txt"), "--out is 'grid.txt', but names a file that ends"),
        (("show", "--data.name", "digits", "--out", ""), "--out is empty"),
        (("show", "--data.name", "digits", "--seed", "-1"), "--seed is -1, but is at least 0"),
        (("show", "--augmented", "--augment.rotate", "999"), "augment.rotate is 999"),
        (("check", "--data.name", "folder", "--data.root", "/no/such"), "no folder at data.root '/no/such'"),
        (("stats", "--data.name", "folder"), "data set 'folder' reads a folder: say which with data.root"),
        (("align",), "align takes two folders, SRC with photographs and DST to write"),
        (("align", "only"), "align takes two folders"),
        (("align", "/no/such", "out"), "there is no folder of photographs '/no/such'"),
        (("align", "a", "b", "--size", "7"), "--size is 7, but lies between 8 and 1,024"),
        (("align", "a", "b", "--min_face", "11"), "--min_face is 11, but lies between 12 and 10,000"),
        (("align", "a", "b", "--device", "gpu"), "no device named 'gpu'"),
        (("align", "a", "b", "--siz", "9"), "no flag '--siz'; did you mean '--size'?"),
    ],
)
def test_a_mistake_is_one_sentence(command: Callable[..., Any], words: tuple[str, ...], sentence: str) -> None:
    said = command("data.py", *words)
    assert said.code == 2 and said.out == ""
    assert said.err.startswith("error: ") and sentence in said.err and said.err.count("\n") == 1


def test_a_picture_that_cannot_be_written_is_one_sentence(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = command("data.py", "show", "--data.name", "digits", "--out", str(tmp_path / "file" / "grid.png"))
    assert said.code == 2 and said.err.startswith("error: cannot write ") and said.err.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("show",), ("check",), ("stats",), ("align",)])
def test_help_needs_no_torch(words: tuple[str, ...]) -> None:
    code = (
        f"import sys, runpy; sys.argv = ['data.py', *{words!r}, '--help']\n"
        "try:\n    runpy.run_path('experiments/data.py', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert {(): "show", ("align",): "--min_face"}.get(words, "--data.image_size") in ran.stdout


@pytest.mark.parametrize("what", ["check", "stats"])
def test_what_is_passed_over_stands_in_every_answer(command: Callable[..., Any], folder: Path, what: str) -> None:
    (folder / "a" / "@eaDir").mkdir()
    (folder / "b" / "no\x1b[2Jtes").write_text("about")
    (folder / "c" / "00.png").rename(folder / "c" / "00")
    said = command("data.py", what, *SHARED, "--data.root", str(folder))
    assert said.code == 0
    assert "69 images of 6 classes" in said.out
    assert "note: 1 file that is no image passed over: b/no\\x1b[2Jtes\n" in said.out
    assert "note: 1 entry whose name starts with @ or __MACOSX passed over: a/@eaDir\n" in said.out


def test_parts_without_classes_are_refused_by_every_command(command: Callable[..., Any], tmp_path: Path) -> None:
    for path in (
        *(f"train/{name}/{n}.png" for name in "abcdef" for n in range(4)),
        *(f"test/{n}.png" for n in range(4)),
    ):
        (tmp_path / "kaggle" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / "kaggle" / path)
    meant = f"is {tmp_path}/kaggle/train the data.root that is meant?\n"
    for script, *words in (("run.py", "--max_steps", "1"), ("data.py", "check"), ("data.py", "stats")):
        said = command(script, *words, *SHARED, "--data.root", str(tmp_path / "kaggle"), "--data.split", "sample")
        assert (said.code, said.out, said.err.endswith(meant)) == (2, "", True), said
