"""Files as they come from anywhere: each ends as an image or as a sentence that counts and names it."""

from __future__ import annotations

import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_files import as_bytes, chunk, grey, looping_tiff, png, png16
from PIL import Image

from sandbox.data.images.form import Form
from sandbox.data.images.listing import Listing
from sandbox.data.images.pack import pack

IMAGE, UNREADABLE, PASSED = "image", "unreadable", "passed over"
RGB = Image.fromarray(np.stack([grey(), grey(seed=1), grey(seed=2)], axis=2))
JPEG, PNG, GIF = as_bytes(RGB, "JPEG"), as_bytes(RGB, "PNG"), as_bytes(grey(), "GIF")
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(touched) (w) file closefile showpage\n"
HEIC, FILM = (b"\0\0\0\x18ftyp" + kind + bytes(60) for kind in (b"heicmif1", b"isomiso2"))


def turned(orientation: int) -> bytes:
    exif = RGB.getexif()
    exif[0x0112] = orientation
    return as_bytes(RGB, "JPEG", exif=exif)


def clear_palette() -> bytes:
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 10, 10])
    return as_bytes(palette, "PNG", transparency=1)


FILES: dict[str, tuple[bytes, str]] = {
    "empty.jpg": (b"", UNREADABLE),
    "empty": (b"", PASSED),
    "half.jpg": (JPEG[: len(JPEG) // 2], UNREADABLE),
    "half.png": (PNG[: len(PNG) // 2], UNREADABLE),
    "head.png": (PNG[:33], UNREADABLE),
    "head.jpg": (JPEG[:20], UNREADABLE),
    "zeros.jpg": (bytes(4000), UNREADABLE),
    "bomb.png": (png(60_000, 60_000, bytes(100)), UNREADABLE),
    "bomb": (png(60_000, 60_000, bytes(100)), UNREADABLE),
    "endless.png": (png(2**31 - 1, 2**31 - 1, b""), UNREADABLE),
    "large.bmp": (as_bytes(grey(), "BMP")[:18] + struct.pack("<ii", 30_000, 30_000) + bytes(80), UNREADABLE),
    "large.ppm": (b"P6 99999 99999 255\n123", UNREADABLE),
    "wide.png": (png(4_000_000, 1, bytes(100)), UNREADABLE),
    "text bomb.png": (
        png(9, 9, bytes(90), before=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)))),
        UNREADABLE,
    ),
    "checksum.png": (PNG[:60] + b"\xff\xff" + PNG[62:], UNREADABLE),
    "png.jpg": (PNG, IMAGE),
    "jpeg.png": (JPEG, IMAGE),
    "jpeg": (JPEG, IMAGE),
    "jpeg.heic": (JPEG, IMAGE),
    "webp.jpg.part": (as_bytes(RGB, "WEBP"), IMAGE),
    "plain.txt": (b"P2\n3 3\n9\n1 2 3 4 5 6 7 8 9\n", IMAGE),
    "words.txt": (b"P5 is a name, and this no image", PASSED),
    "notes.jpg": (b"no image", UNREADABLE),
    "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", UNREADABLE),
    "drawing.svg": (SVG, PASSED),
    "drawing.png": (SVG, UNREADABLE),
    "paper.pdf": (b"%PDF-1.7\n1 0 obj\n", PASSED),
    "paper.eps": (EPS, PASSED),
    "paper.jpg": (EPS, UNREADABLE),
    "paper.tif": (b"%PDF-1.7\n1 0 obj\n", UNREADABLE),
    "metafile": (struct.pack("<IHhhhhHIH", 0x9AC6CDD7, 0, 0, 0, 9, 9, 1440, 0, 0) + bytes(40), PASSED),
    "film.mp4": (FILM, PASSED),
    "film.jpg": (FILM, UNREADABLE),
    "photo.heic": (HEIC, PASSED),
    "camera.dng": (as_bytes(grey(), "TIFF"), PASSED),
    "movie.gif": (as_bytes(grey(), "GIF", save_all=True, append_images=[Image.fromarray(grey(seed=3))]), IMAGE),
    "no frame.gif": (GIF[:13] + b";", UNREADABLE),
    "no side.gif": (GIF[:6] + bytes(4) + GIF[10:13] + b";", UNREADABLE),
    "cmyk.jpg": (as_bytes(RGB.convert("CMYK"), "JPEG"), IMAGE),
    "clear palette.png": (clear_palette(), IMAGE),
    "bits.png": (as_bytes(Image.fromarray(grey()).convert("1"), "PNG"), IMAGE),
    "upside down.jpg": (turned(3), IMAGE),
    "no such way.jpg": (turned(77), IMAGE),
    "progressive.jpg": (as_bytes(RGB, "JPEG", progressive=True), IMAGE),
    "profile.jpg": (as_bytes(RGB, "JPEG", icc_profile=b"garbage" * 9), IMAGE),
    "exif.jpg": (as_bytes(RGB, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage"), IMAGE),
    "no exif.jpg": (as_bytes(RGB, "JPEG", exif=b"Exif\0\0garbage"), IMAGE),
    "loop.tif": (looping_tiff(), IMAGE),
    "no tags.tif": (b"II*\0\x08\0\0\0\0\0\x08\0\0\0", UNREADABLE),
    "many tags.tif": (b"II*\0\x08\0\0\0\xff\xff" + bytes(50), UNREADABLE),
    "far.tif": (b"II*\0\xff\xff\xff\xff", UNREADABLE),
    "brand.avif": (b"\0\0\0\x18ftypavif" + bytes(60), UNREADABLE),
    "brand": (b"\0\0\0\x18ftypavif" + bytes(60), PASSED),
    "head.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20), UNREADABLE),
    "half.webp": (as_bytes(RGB, "WEBP")[:40], UNREADABLE),
    "icon": (as_bytes(RGB, "ICO", sizes=[(12, 12)]), IMAGE),
    "deep.png": (png16(np.full((6, 6, 4), 65535)), IMAGE),
    "deep and clear.png": (png16(np.full((6, 6, 2), 65535)), IMAGE),
    "nan.tif": (as_bytes(Image.fromarray(np.full((6, 6), np.nan, np.float32)), "TIFF"), IMAGE),
    "infinite.tif": (as_bytes(Image.fromarray(np.full((6, 6), np.inf, np.float32)), "TIFF"), IMAGE),
    "\x1b[31m\u202e.jpg": (b"no image", UNREADABLE),
    "name\nof two lines": (b"no image", PASSED),
    os.fsdecode(b"\xff\xfe.png"): (b"", UNREADABLE),
    os.fsdecode(b"\xff\xfe"): (JPEG, IMAGE),
}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)  # the whole path may be longer than an address


def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("a.png", PNG)


SPECIAL: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe.jpg": (fifo, PASSED),
    "pipe": (fifo, PASSED),
    "socket.png": (listener, PASSED),
    "nowhere.jpg": (lambda path: path.symlink_to("nothing"), PASSED),
    "itself.jpg": (lambda path: path.symlink_to(path.name), PASSED),
    "null.png": (lambda path: path.symlink_to("/dev/null"), PASSED),
    "zip.jpg": (archive, UNREADABLE),
    "arrays.npz": (lambda path: np.savez(path, x=np.zeros(3)), PASSED),
    ".hidden.png": (lambda path: path.write_bytes(PNG), PASSED),  # type: ignore[dict-item, return-value]
    "@thumb.png": (lambda path: path.write_bytes(PNG), PASSED),  # type: ignore[dict-item, return-value]
}


def outcome(root: Path, name: str) -> str:
    """What becomes of a file beside one that is an image; one sentence is printed where it is not read."""
    (root / "a" / "whole.png").write_bytes(as_bytes(grey(), "PNG"))
    listing = Listing.below(root, root / "a")
    files = listing.images(root / "a")
    packed = pack(files, root, Form(8, "grey"))
    kept = {files[place].name for place in packed.kept}
    assert "whole.png" in kept
    if name in kept:
        return IMAGE
    unread = [note for note in packed.notes if note.startswith("1 unreadable image left out: a/")]
    passed = listing.notes()
    (note,) = unread + passed
    assert note.startswith("1 ") and note.isprintable()
    return UNREADABLE if unread else PASSED


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_an_image_or_said(tmp_path: Path, name: str) -> None:
    content, becomes = FILES[name]
    (tmp_path / "a").mkdir()
    try:
        (tmp_path / "a" / name).write_bytes(content)
    except OSError:
        pytest.skip("this file system takes only names that are text")
    assert outcome(tmp_path, name) == becomes


@pytest.mark.parametrize("name", SPECIAL)
def test_what_is_no_plain_file_is_said(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, becomes = SPECIAL[name]
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    make(tmp_path / "a" / name)
    assert outcome(tmp_path, name) == becomes


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser reads everything")
@pytest.mark.parametrize(("name", "becomes"), [("x.png", UNREADABLE), ("x", PASSED)])
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, name: str, becomes: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / name).write_bytes(PNG)
    (tmp_path / "a" / name).chmod(0)
    assert outcome(tmp_path, name) == becomes


def test_nothing_is_run_that_a_file_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (tmp_path / "bin" / "gs").chmod(0o755)  # what Pillow would start for it
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "paper.png").write_bytes(EPS)
    assert outcome(tmp_path, "paper.png") == UNREADABLE
    assert not (tmp_path / "ran").exists()
