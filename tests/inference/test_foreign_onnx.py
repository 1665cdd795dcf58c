"""ONNX networks from elsewhere: what their images are made like, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import wanted, write
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.inference.load import load_network
from sandbox.inference.network_text import NetworkText, is_network_alone, read_text

from fuzz import FUZZ, bounded, changed

pytestmark = pytest.mark.needs("onnxruntime", 'pip install -e ".[onnx]"')

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
FACE = "(mean=127.5, scale=0.0078125, channels=bgr)"


def network(path: Path, settings: str = "") -> Any:
    return load_network(Path(f"{path}{settings}"))


@pytest.mark.parametrize(
    ("made", "settings", "like"),
    [
        ({}, FACE, {"mean": 127.5, "scale": 1 / 128, "bgr": True}),
        ({}, "(mean=0, scale=1, channels=rgb)", {}),
        ({"shape": (1, 3, 8, 8)}, FACE, {"mean": 127.5, "scale": 1 / 128, "bgr": True}),
        ({"shape": (2, 3, 8, 8)}, FACE, {"mean": 127.5, "scale": 1 / 128, "bgr": True}),
        ({"shape": ("n", 3, "h", "w")}, "(size=8, mean=1 2 3, scale=2, channels=rgb)", {"mean": (1, 2, 3), "scale": 2}),
        ({"shape": ("n", 8, 8, 3)}, "(mean=5, scale=1, channels=rgb)", {"mean": 5}),
        ({"kind": "UINT8"}, "(channels=bgr)", {"bgr": True}),
        (
            {"said": {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "Normalized_1_1"}},
            "",
            {"mean": 127.5, "scale": 1 / 127.5, "bgr": True},
        ),
        ({"said": {"mean": "10,20,30", "scale": "0.5", "channels": "RGB"}}, "", {"mean": (10, 20, 30), "scale": 0.5}),
        ({"outputs": ("embedding", "other")}, "(output=embedding, mean=0, scale=1, channels=rgb)", {}),
    ],
)
def test_its_embeddings_are_those_of_the_images_as_it_takes_them(
    made: dict[str, Any], settings: str, like: dict[str, Any], tmp_path: Path
) -> None:
    found = network(write(tmp_path / "face.onnx", **made), settings)
    assert (found.dim, found.image_size, found.channels) == (4, 8, 3)
    np.testing.assert_allclose(found.embed(PIXELS), wanted(PIXELS, **like), atol=1e-5)
    assert found.embed(PIXELS[:0]).shape == (0, 4)


def test_its_digest_names_the_file_and_how_images_are_made(tmp_path: Path) -> None:
    path = write(tmp_path / "face.onnx")
    first = network(path, FACE).digest
    assert first == network(path, FACE).digest != network(path, "(mean=0, scale=1, channels=bgr)").digest


@pytest.mark.parametrize(
    ("made", "settings", "said"),
    [
        (
            {},
            "",
            r"its channels, mean and scale: give it, such as --channels bgr --mean .*; .*onnx\(channels=bgr, mean=",
        ),
        ({"shape": ("n", 3, "h", "w")}, FACE, r"its size: give it, such as --size 112; .*onnx\(size=112\)\"$"),
        ({"outputs": ("a", "b")}, FACE, r"has 2 outputs \(a, b\): which is the embedding\? say so with --output NAME"),
        ({"outputs": ("a", "b")}, "(output=c, mean=0, scale=1, channels=rgb)", r"has no output 'c'; it has a, b"),
        ({}, "(size=112, mean=0, scale=1, channels=rgb)", r"size is 112, but .* takes images of 8 pixels"),
        ({}, "(mean=0, scale=1, channels=grey)", r"takes images of 3 channels, and channels grey are 1"),
        ({}, "(mean=0, scale=1, channels=rbg)", r"channels of .* is 'rbg', but is one of rgb, bgr, grey"),
        ({}, "(mean=1 2, scale=1, channels=rgb)", r"mean of .* is '1 2', but is one number, or three"),
        ({}, "(mean=0, scale=0, channels=rgb)", r"scale of .* is '0'"),
        ({"kind": "UINT8"}, FACE, r"takes pixels 0 to 255 as they are"),
        ({"kind": "INT64"}, FACE, r"and no batch of images"),
        ({"shape": ("n", 3, 8, 4)}, FACE, r"takes images of 4 x 8, and only square ones"),
        ({}, "(weights=a.pth)", r"weights is a setting of timm:NAME and torchvision:NAME"),
        ({}, "(sise=8)", r"no setting of a network named 'sise'; did you mean 'size'"),
        ({}, "(size=)", r"size has no value"),
    ],
)
def test_what_is_not_known_is_asked_for(made: dict[str, Any], settings: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=said) as refused:
        network(write(tmp_path / "face.onnx", **made), settings)
    assert "\n" not in str(refused.value)


def test_a_network_in_one_word(tmp_path: Path) -> None:
    named = read_text("a/face.onnx(size=112, mean=1 2 3)")
    assert named == NetworkText("a/face.onnx", {"size": "112", "mean": "1 2 3"})
    assert read_text(str(named)) == named
    (tmp_path / "odd.onnx(1)").mkdir()  # what lies there is meant
    assert read_text(str(tmp_path / "odd.onnx(1)")).settings == {}
    alone = ["face.onnx", "face.onnx(size=8)", "timm:resnet10t", "torchvision:resnet18(weights=a.pth)"]
    assert all(map(is_network_alone, alone)) and not is_network_alone(str(tmp_path))
    assert read_text("timm:resnet10t").is_there and not read_text("a/face.onnx(size=112)").is_there


def test_metadata_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "face.onnx", said={"channels": "rgb"})
    path.write_bytes(path.read_bytes().replace(b"channels", b"\x80hannels"))
    with pytest.raises(SandboxError, match="is damaged or no ONNX file"):
        network(path)


@FUZZ
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    source = folder / "source.onnx"
    if not source.exists():
        write(source, said={"channels": "rgb", "mean": "127.5", "scale": "0.0078125"})
    damaged = folder / "damaged.onnx"
    damaged.write_bytes(data.draw(changed(source.read_bytes())))
    with bounded():
        try:
            found = network(damaged)
            side = found.image_size
            if side <= 64:
                assert found.embed(np.zeros((2, side, side, 3), np.uint8)).shape == (2, found.dim)
        except SandboxError as error:
            assert "\n" not in str(error)
