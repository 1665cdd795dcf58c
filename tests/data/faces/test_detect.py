"""Faces and their points, in photographs that scikit-image ships."""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = [
    pytest.mark.needs("facenet_pytorch", "pip install --no-deps facenet-pytorch==2.6.0"),
    pytest.mark.needs("skimage", 'pip install -e ".[test]"'),
]

EYES = np.array([[206, 103], [246, 104]])  # of the astronaut, as a person points at them
ROOT = Path(__file__).resolve().parents[3]


@lru_cache
def detector(min_face: int) -> Any:
    from sandbox.data.faces.detect import Detector

    return Detector(min_face)


def detect_faces(image: Image.Image, min_face: int = 20) -> Any:
    return detector(min_face)([image])[0]


def photograph(name: str) -> Image.Image:
    import skimage.data

    return Image.fromarray(getattr(skimage.data, name)()).convert("RGB")


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    return photograph("astronaut")


def test_the_astronaut_has_one_face(astronaut: Image.Image) -> None:
    (face,) = detect_faces(astronaut)
    assert face.points.shape == (5, 2) and face.points.dtype == np.float32
    assert np.abs(face.points[:2] - EYES).max() < 4
    left, top, right, bottom = face.box
    assert left < face.points[:, 0].min() < face.points[:, 0].max() < right
    assert top < face.points[:, 1].min() < face.points[:, 1].max() < bottom
    assert 0.99 < face.confidence <= 1 and type(face.confidence) is float
    (again,) = detect_faces(astronaut)
    assert again.box == face.box and np.array_equal(again.points, face.points)


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
def test_where_there_is_no_face_none_is_found(name: str) -> None:
    assert detect_faces(photograph(name)) == []


def test_it_finds_what_the_cascade_of_the_library_finds(astronaut: Image.Image) -> None:
    from facenet_pytorch import MTCNN

    from sandbox.data.faces.detect import Detector

    crowd = Image.new("RGB", (900, 512))
    crowd.paste(astronaut)
    crowd.paste(astronaut.resize((300, 300)), (540, 100))
    theirs = MTCNN(keep_all=True)
    for picture in (astronaut, crowd, astronaut.rotate(15), astronaut.crop((150, 30, 300, 200)), photograph("camera")):
        faces = Detector()([picture])[0]
        boxes, scores, points = theirs.detect(picture, landmarks=True)
        assert len(faces) == len(boxes)
        for face, box, score, five in zip(faces, boxes, scores, points, strict=True):
            assert np.abs(np.array(face.box) - box.astype(float)).max() < 1e-3
            assert np.abs(face.points - five.astype(float)).max() < 1e-3
            assert abs(face.confidence - score) < 1e-5


def test_of_several_the_largest_is_first_and_those_of_others_do_not_matter(astronaut: Image.Image) -> None:
    from sandbox.data.faces.detect import Detector

    crowd = Image.new("RGB", (512, 512))
    crowd.paste(astronaut.resize((256, 256)), (0, 0))
    crowd.paste(astronaut.resize((400, 400)), (200, 112))
    detector = Detector()
    pictures = [crowd, photograph("coffee"), astronaut, Image.new("L", (512, 512), 90), astronaut.rotate(10), crowd]
    together = detector(pictures)
    assert [len(faces) for faces in together] == [2, 0, 1, 0, 1, 2]
    assert together[0][0].area > together[0][1].area
    assert together[0][0].points[0, 0] > 256 > together[0][1].points[0, 0]
    for picture, faces in zip(pictures, together, strict=True):
        for face, alone in zip(faces, detector([picture])[0], strict=True):
            assert np.abs(face.points - alone.points).max() < 1e-3


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 300), (300, 1), (19, 40), (20, 20), (4000, 3), (2000, 30)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_odd_pictures_have_no_face_and_break_nothing(size: tuple[int, int], mode: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    for picture in (Image.fromarray(noise).convert(mode), Image.new(mode, size)):
        assert detect_faces(picture, min_face=12) == []


def test_a_face_that_the_edge_cuts_breaks_nothing(astronaut: Image.Image) -> None:
    from sandbox.data.faces.detect import Detector

    cuts = [astronaut.crop((x, y, x + 140, y + 140)) for x in range(120, 270, 30) for y in range(20, 180, 40)]
    found = Detector(min_face=12)(cuts)
    assert len(found) == len(cuts) and any(found) and not all(found)
    for faces in found:
        for face in faces:
            assert np.isfinite(face.points).all() and face.area > 0


def test_a_large_picture_is_searched_shrunk_and_points_are_in_its_own_pixels(astronaut: Image.Image) -> None:
    large = astronaut.resize((4096, 3072))
    (face,) = detect_faces(large)
    assert np.abs(face.points[:2] - EYES * (8, 6)).max() < 4 * 8
    tiny = Image.new("RGB", (4096, 4096))
    tiny.paste(astronaut.resize((256, 256)))  # a face of 50 pixels, 12 of those that are searched
    assert detect_faces(tiny) == []
    assert len(detect_faces(tiny.crop((0, 0, 512, 512)))) == 1


def test_the_smallest_face_can_be_set(astronaut: Image.Image) -> None:
    from sandbox.errors import SandboxError

    assert len(detect_faces(astronaut, min_face=60)) == 1
    assert detect_faces(astronaut, min_face=200) == []
    with pytest.raises(SandboxError, match="the smallest face is 11 pixels, but MTCNN finds none below 12"):
        detect_faces(astronaut, min_face=11)


@pytest.mark.thorough
def test_it_warns_of_nothing_and_leaves_gradients_on() -> None:
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "import skimage.data, torch\nfrom PIL import Image\nfrom sandbox.data.faces.detect import Detector\n"
        "assert len(Detector()([Image.fromarray(skimage.data.astronaut())])[0]) == 1\nassert torch.is_grad_enabled()"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
