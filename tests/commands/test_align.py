"""The data command: photographs to aligned faces."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("--data.name", "folder", "--data.image_size", "16")


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Photographs of one, two and no faces, of all kinds, in folders and beside them."""
    import skimage.data

    root = tmp_path / "album"
    (root / "ann" / "2020").mkdir(parents=True)
    face = Image.fromarray(skimage.data.astronaut()).crop((130, 20, 310, 220))
    face.save(root / "loose.png")
    face.save(root / "ann" / "one.jpg")
    face.convert("CMYK").save(root / "ann" / "2020" / "cmyk.jpg")
    face.convert("P").save(root / "ann" / "one.gif", save_all=True, append_images=[Image.new("P", face.size)])
    deep = Image.fromarray(np.asarray(face.convert("L")).astype(np.uint16) * 257)
    deep.save(root / "ann" / "deep.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by 90 degrees clockwise
    face.rotate(90, expand=True).save(root / "ann" / "turned.jpg", exif=turned)
    pair = Image.new("RGB", (420, 200))
    pair.paste(face, (0, 0))
    pair.paste(face, (200, 0))
    pair.save(root / "ann" / "pair.webp")
    Image.fromarray(skimage.data.coffee()).save(root / "coffee.jpg")
    Image.new("L", (1, 1)).save(root / "dot.png")
    (root / "torn.jpg").write_bytes((root / "ann" / "one.jpg").read_bytes()[:1500])
    (root / "text.jpg").write_text("no picture")
    (root / "pairs.txt").write_text("")
    (root / "ann" / "above").symlink_to(root)
    return root


@pytest.mark.needs("facenet_pytorch", "pip install --no-deps facenet-pytorch==2.6.0")
@pytest.mark.needs("skimage", 'pip install -e ".[test]"')
def test_align_writes_faces_that_stand_alike(command: Callable[..., Any], album: Path, tmp_path: Path) -> None:
    from sandbox.data.faces.align import template
    from sandbox.data.faces.detect import Detector

    out = tmp_path / "out"
    said = command("data.py", "align", str(album), str(out), "--size", "96")
    assert said.code == 0 and said.err == ""
    assert said.out.splitlines() == [
        "7 of 11 photographs aligned",
        "2 without a face, left out",
        "2 that cannot be read, left out",
        "1 with several, the largest near the middle taken",
        f"{out}: 96x96 pixels; aligned.csv there says what became of each",
    ]
    ann = {"one.jpg", "one.gif.png", "deep.png", "turned.jpg", "pair.webp.png", "2020/cmyk.jpg"}
    written = {"loose.png", *(f"ann/{name}" for name in ann)}
    assert files_in(out) == {"aligned.csv", "aligned.toml", *written}
    for name in written:
        with Image.open(out / name) as aligned:
            assert aligned.size == (96, 96) and aligned.mode == "RGB"
            assert aligned.format == ("PNG" if name.endswith(".png") else "JPEG")
    first = Image.open(out / "loose.png")
    off = np.abs(Detector()([first])[0][0].points - template(96))
    assert off[:2].max() < 5 and off.max() < 8  # her head is bent, so the nose is not where the template has it
    grey = np.asarray(first.convert("L"), dtype=float).ravel()
    for name in written:
        other = np.asarray(Image.open(out / name).convert("L"), dtype=float).ravel()
        assert np.corrcoef(grey, other)[0, 1] > 0.9, name
    rows = {row["path"]: row for row in csv.DictReader((out / "aligned.csv").open())}
    assert len(rows) == 11 and list(rows) == sorted(rows)
    assert {row["aligned"] for row in rows.values()} == {"", *written}
    assert rows["ann/pair.webp"]["faces"] == "2" and rows["ann/pair.webp"]["done"] == "aligned, one of 2"
    assert rows["ann/one.jpg"]["faces"] == "1" and 0.9 < float(rows["ann/one.jpg"]["confidence"]) <= 1
    assert rows["coffee.jpg"]["done"] == rows["dot.png"]["done"] == "left out, no face"
    assert rows["text.jpg"]["done"] == "left out, cannot be read: is no image"
    assert rows["torn.jpg"]["done"].startswith("left out, cannot be read: ")
    again = command("data.py", "align", str(album), str(out), "--size", "96")
    assert again.code == 0 and "7 of 11 photographs aligned, 9 were done by an earlier run" in again.out


@pytest.mark.needs("facenet_pytorch", "pip install --no-deps facenet-pytorch==2.6.0")
def test_align_refuses_what_it_would_spoil(command: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    def refused(destination: Path, *words: str) -> str:
        before = files_in(tmp_path)
        said = command("data.py", "align", str(folder), str(destination), *words)
        assert said.code == 2 and said.out == "" and said.err.count("\n") == 1 and files_in(tmp_path) == before
        return said.err

    assert "lies in the folder of photographs" in refused(folder)
    assert "lies in the folder of photographs" in refused(folder / "a" / "aligned")
    (tmp_path / "link").symlink_to(folder)
    assert "lies in the folder of photographs" in refused(tmp_path / "link" / "new")
    assert "holds what no earlier run of this wrote" in refused(tmp_path)
    assert "holds what no earlier run of this wrote" in refused(folder / ".." / "root" / ".." / "link" / "..")
    (tmp_path / "file").write_text("")
    assert "holds what no earlier run of this wrote" in refused(tmp_path / "file")
    assert "cannot write" in refused(tmp_path / "file" / "below")
    done = tmp_path / "done"
    said = command("data.py", "align", str(folder), str(done), "--size", "64")
    assert said.code == 0 and said.out.startswith("0 of 69 photographs aligned\n69 without a face, left out\n")
    assert "was written with size 64, not 96" in refused(done, "--size", "96")
    assert "was written with min_face 20, not 30" in refused(done, "--size", "64", "--min_face", "30")
    (tmp_path / "empty").mkdir()
    said = command("data.py", "align", str(tmp_path / "empty"), str(tmp_path / "new"))
    assert said.code == 2 and "there are no photographs in" in said.err and not (tmp_path / "new").exists()


def test_align_without_the_detector_says_how_to_get_it(
    command: Callable[..., Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in {"facenet_pytorch", *(name for name in sys.modules if name.startswith("facenet_pytorch."))}:
        monkeypatch.setitem(sys.modules, module, None)
    said = command("data.py", "align", str(folder), str(tmp_path / "out"))
    assert said.code == 2 and said.out == "" and not (tmp_path / "out").exists()
    assert said.err == "error: detecting faces needs facenet-pytorch: pip install --no-deps facenet-pytorch==2.6.0\n"
