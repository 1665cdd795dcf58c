from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_files import as_bytes, grey
from PIL import Image, features

from sandbox.data.images.decode import decode
from sandbox.data.images.files import ENDINGS, is_image, subfolders, visible
from sandbox.data.images.listing import Listing

PHOTOGRAPH = Image.fromarray(grey()).convert("RGB")
KINDS = ["JPEG", "PNG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP", "JPEG2000", "QOI", "SGI", "PCX", "TGA", "DDS"]
KINDS += ["AVIF"] if features.check("avif") else []
UNMARKED = ("DIB", "TGA")  # which nothing but their ending tells


@pytest.mark.parametrize("ending", [".jfif", ".JPE", ".Jpg", ".heic", ".jpg.1", ".txt", ".jpg?size=large", ".", ""])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in UNMARKED])
def test_an_image_of_any_name_is_one(tmp_path: Path, kind: str, ending: str) -> None:
    file = tmp_path / f"x{ending}"
    file.write_bytes(as_bytes(PHOTOGRAPH, kind))
    assert is_image(file)
    assert np.abs(decode(file, 12, 1)[..., 0].astype(int) - grey()).mean() < 20


@pytest.mark.parametrize(("kind", "ending"), [("DIB", "dib"), ("TGA", "TGA"), ("PNG", "apng")])
def test_an_ending_is_believed(tmp_path: Path, kind: str, ending: str) -> None:
    file = tmp_path / f"x.{ending}"
    file.write_bytes(as_bytes(PHOTOGRAPH, kind))
    assert is_image(file)
    assert decode(file, 12, 1).shape == (12, 12, 1)


def test_a_known_ending_is_not_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / f"x{ending.upper()}" for ending in ENDINGS]
    for file in files:
        file.touch()
    monkeypatch.setattr(Path, "open", None)
    assert all(map(is_image, files))


def test_a_name_that_no_file_can_have_is_no_image(tmp_path: Path) -> None:
    assert not is_image(tmp_path / "a\0.png")
    assert not is_image(tmp_path / "none.png")
    assert not is_image(tmp_path)


def test_what_is_hidden_or_set_aside_is_not_there(tmp_path: Path) -> None:
    for name in (".git", "@eaDir", "__MACOSX", "a", "b@c", "_"):
        (tmp_path / name).mkdir()
    (tmp_path / "@x.png").touch()
    assert [entry.name for entry in subfolders(tmp_path)] == ["_", "a", "b@c"]
    assert [entry.name for entry in visible(tmp_path)] == ["_", "a", "b@c"]


def test_what_is_passed_over_is_counted_and_the_first_named(tmp_path: Path, write_image: Callable[..., Path]) -> None:
    for name in (
        "a/1.png",
        "a/@eaDir/1.png/M.jpg",
        "a/.2.png",
        "a/.ipynb_checkpoints/1.png",
        ".git/x.png",
        "loose.png",
    ):
        write_image(tmp_path / name)
    for name in ("a/Thumbs.db", "a/desktop.ini", "a/.DS_Store", "readme.txt", *(f"a/{n}.json" for n in range(5))):
        (tmp_path / name).write_text("about")
    listing = Listing.below(tmp_path, tmp_path / "a")
    listing.around(tmp_path)
    assert listing.images(tmp_path / "a") == [tmp_path / "a" / "1.png"]
    assert listing.notes("the class folders") == [
        "5 files that are no images passed over: a/0.json, a/1.json, a/2.json and 2 more",
        "1 entry whose name starts with @ or __MACOSX passed over: a/@eaDir",
        "2 hidden images or folders passed over: a/.2.png, a/.ipynb_checkpoints",
        "1 image lies beside the class folders and left out: loose.png",
    ]


def test_lists_at_the_root_say_nothing(tmp_path: Path, write_image: Callable[..., Path]) -> None:
    write_image(tmp_path / "1.png")
    for name in ("pairs.txt", "labels.csv", "film.mp4", "a.txt/pairs.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("about")
    listing = Listing.below(tmp_path)
    assert len(listing.images(tmp_path)) == 1
    assert listing.notes() == ["2 files that are no images passed over: a.txt/pairs.txt, film.mp4"]
