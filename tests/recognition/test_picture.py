"""Pictures of named faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.recognition import picture as drawing
from sandbox.recognition.identify import NO_FACE, Named
from sandbox.recognition.picture import draw_named

BLUE, RED = (0x00, 0x72, 0xB2), (0xB3, 0x26, 0x1E)


@pytest.fixture
def photograph(tmp_path: Path) -> str:
    Image.new("RGB", (400, 300), "#8080ff").save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def drawn(rows: list[Named], file: Path) -> np.ndarray:
    draw_named(rows, file)
    return np.asarray(Image.open(file).convert("RGB"))


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(axis=2)


def test_each_face_is_framed_in_the_colour_of_its_answer(photograph: str, tmp_path: Path) -> None:
    rows = [
        Named(photograph, "Žofie", "Žofie", 0.9, 0.97, (40.0, 120.0, 140.0, 220.0), 1.0),
        Named(photograph, None, "Bo", 0.2, None, (250.0, -20.0, 500.0, 120.0), 1.0),
    ]
    picture = drawn(rows, tmp_path / "new" / "out.png")
    blue, red = has(picture, BLUE), has(picture, RED)
    left, top = 14 + 40, 14 + 120  # a photograph larger than a thumbnail is not enlarged
    assert blue[top + 2 : top + 98, left].all() and blue[top + 2 : top + 98, left + 100].all()
    assert not blue[top + 10 : top + 90, left + 10 : left + 90].any()
    assert red[14 + 20 : 14 + 100, 14 + 250].all()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.png"]


def test_other_names_are_other_pictures_and_all_of_the_text_is_within(photograph: str, tmp_path: Path) -> None:
    pictures = []
    for name in ("Žofie", "Zofie", "W" * 300):
        box = (380.0, 0.0, 399.0, 20.0)
        pictures.append(drawn([Named(photograph, name, name, 0.9, None, box, 1.0)], tmp_path / "out.png"))
    assert len({picture.tobytes() for picture in pictures}) == 3
    for picture in pictures:
        assert picture.shape == pictures[0].shape
        blue = has(picture, BLUE)
        assert blue.any() and not blue[:14].any() and not blue[:, 14 + 400 :].any()
        assert blue[:, : 14 + 360].any()  # moved to the left, so that all of it is seen


def test_a_crop_has_its_name_below_it(tmp_path: Path) -> None:
    Image.new("L", (16, 16), 77).save(tmp_path / "crop.png")
    row = Named(str(tmp_path / "crop.png"), "二 Žofie", "二 Žofie", 0.5)
    picture = drawn([row], tmp_path / "out.png")
    crop = has(picture, (77, 77, 77))
    side = int(np.sqrt(crop.sum()))
    assert side**2 == crop.sum() and side % 16 == 0 and side >= 180
    assert has(picture, BLUE)[np.flatnonzero(crop.any(1)).max() + 1 :].any()


def test_images_stand_in_a_grid_and_each_once(tmp_path: Path, photograph: str) -> None:
    rows = []
    for place in range(5):
        file = tmp_path / f"{place}.png"
        Image.new("RGB", (64, 64), (place + 1, 0, 200)).save(file)
        rows += [Named(str(file), "A", "A", 0.5), Named(str(file), None, "A", 0.1)][: 1 + place % 2]
    rows += [Named(str(tmp_path / "gone.png"), refused="is no image"), Named(photograph, refused=NO_FACE)]
    picture = drawn(rows, tmp_path / "out.png")
    middles = []
    for place in range(5):
        there = np.argwhere(has(picture, (place + 1, 0, 200)))
        assert len(there) == 192 * 192
        middles.append(there.mean(axis=0))
    assert middles[0][0] == middles[1][0] == middles[2][0] < middles[3][0] == middles[4][0]
    assert middles[0][1] < middles[1][1] < middles[2][1] and middles[3][1] == middles[0][1]


def test_what_cannot_be_drawn_is_refused(tmp_path: Path, photograph: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match="no image to draw"):
        draw_named([Named("x.png", refused="is no image")], tmp_path / "out.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="cannot write"):
        draw_named([Named(photograph, "A", "A", 0.5)], tmp_path / "file" / "out.png")
    monkeypatch.setattr(drawing, "MOST", 1)
    with pytest.raises(SandboxError, match="--picture draws 1 images at most, not 2"):
        draw_named([Named(name, "A", "A", 0.5) for name in ("a.png", "b.png")], tmp_path / "out.png")
