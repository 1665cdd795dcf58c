"""Photographs, whose faces are found first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder
from sandbox.inference.load import load_network
from sandbox.recognition.enrol import Options, enrol
from sandbox.recognition.identify import NO_FACE, identify
from sandbox.recognition.verify import compare, cut_by_hand

pytestmark = [
    pytest.mark.needs("facenet_pytorch", "pip install --no-deps facenet-pytorch==2.6.0"),
    pytest.mark.needs("skimage", 'pip install -e ".[test]"'),
]


@pytest.fixture(scope="module")
def network(run: Path) -> Embedder:
    return load_network(run)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """One face, the same twice (once small and mirrored), and none."""
    import skimage.data

    astronaut = Image.fromarray(skimage.data.astronaut())
    astronaut.save(tmp_path / "one.png")
    both = Image.new("RGB", (900, 512))
    both.paste(astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((300, 300)), (0, 100))
    both.paste(astronaut, (388, 0))
    both.save(tmp_path / "two.png")
    Image.fromarray(skimage.data.coffee()).save(tmp_path / "none.png")
    Image.new("L", (1, 1)).save(tmp_path / "dot.png")
    return tmp_path


def test_every_face_of_a_photograph_is_named(network: Embedder, run: Path, photographs: Path) -> None:
    from sandbox.data.faces.align import align_face
    from sandbox.data.faces.detect import Detector

    for name in ("Eileen", "Nobody"):
        (photographs / "people" / name).mkdir(parents=True)
    for name in ("one", "two"):
        Image.open(photographs / f"{name}.png").save(photographs / "people" / "Eileen" / f"{name}.png")
    Image.open(photographs / "none.png").save(photographs / "people" / "Nobody" / "none.png")
    people, notes = enrol(network, run, photographs / "people", Options(faces="detect", threshold=0.9, template="best"))
    assert people.gallery.names == ("Eileen",) and len(people.gallery) == 2
    assert any(note.startswith("1 image left out: ") and "(no face was found)" in note for note in notes)
    assert any("1 image with several faces, of which the largest near the middle is taken: " in note for note in notes)
    image = Image.open(photographs / "two.png")
    faces = Detector()([image])[0]
    pixels = np.stack([np.asarray(align_face(image, face.points, 16)) for face in faces])
    expected = network.embed(pixels)
    np.testing.assert_allclose(people.gallery.x[1], expected[0], atol=1e-5)  # of the larger face
    rows = identify(people, network, [photographs / f"{name}.png" for name in ("none", "two", "dot")])
    assert [row.refused for row in rows] == [NO_FACE, "", "", NO_FACE]
    for row, face, x in zip(rows[1:3], faces, expected, strict=True):
        assert row.box is not None and np.abs(np.subtract(row.box, face.box)).max() < 0.01
        assert row.similarity == pytest.approx((people.gallery.x @ x).max(), abs=1e-5)
    assert rows[1].name == "Eileen"


def test_the_largest_face_is_compared(network: Embedder, photographs: Path) -> None:
    files = photographs / "one.png", photographs / "two.png"
    found = compare(network, *files, faces="detect", cut=cut_by_hand(0.5))
    assert found.same and found.similarity > 0.99 and found.probability is None
    assert found.notes == (f"{files[1]} shows 2 faces; the largest near the middle is taken",)
    with pytest.raises(SandboxError, match=r"no face was found in .*none.png"):
        compare(network, files[0], photographs / "none.png", faces="detect", cut=cut_by_hand(0.5))


def test_a_network_shown_the_middle_of_aligned_faces_gets_it_from_photographs(
    network: Embedder, photographs: Path, tmp_path: Path
) -> None:
    """Aligned into a tree and read from there, or found in the photograph: the same pixels, but for a resize."""
    from sandbox.data.faces.tree import align_tree
    from sandbox.data.images.decode import decode
    from sandbox.recognition.reader import Reader

    (tmp_path / "raw").mkdir()
    (photographs / "one.png").rename(tmp_path / "raw" / "one.png")
    align_tree(tmp_path / "raw", tmp_path / "tree", 96, 20, "cpu", lambda files, what: files)
    cut = replace(cast(Any, network), image_size=48, channels=3, resize=64)
    from_tree = decode(tmp_path / "tree" / "one.png", 48, 3, 64).astype(np.int16)
    ((one,),) = Reader(cut, "detect").read([tmp_path / "raw" / "one.png"])
    assert np.abs(one.pixels[0] - from_tree).mean() < 3
    whole = decode(tmp_path / "tree" / "one.png", 48, 3).astype(np.int16)
    assert np.abs(whole - from_tree).mean() > 10
