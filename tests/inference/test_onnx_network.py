"""An ONNX file as a network: graphs put together by hand, against NumPy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder
from sandbox.inference.load import load_network
from sandbox.inference.onnx_network import Exported, load_exported

SIZE, DIM = 6, 5
SAID = {
    "format": "metric-learning-sandbox",
    "format_version": "1",
    "name": "a run",
    "digest": "0123456789ab",
    "image_size": str(SIZE),
    "channels": "1",
    "resize": "8",
    "flip": "no",
}


def weights(channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(channels * SIZE * SIZE, DIM)).astype(np.float32)


def model(
    *,
    channels: int = 1,
    kind: int = TensorProto.UINT8,
    names: tuple[str, str] = ("images", "embeddings"),
    shape: list[Any] | None = None,
    shape_out: list[Any] | None = None,
    flat: tuple[int, int] = (0, -1),
    domain: str = "",
    wide: int = 1,
) -> onnx.ModelProto:
    """Pixels times a matrix, made unit length; a zero row stays zero."""
    constants = {
        "w": weights(channels * wide),
        "flat": np.array(flat),
        "axes": np.array([1]),
        "least": np.float32(1e-12),
    }
    nodes = [
        helper.make_node("Cast", [names[0]], ["float"], to=TensorProto.FLOAT, domain=domain),
        helper.make_node("Reshape", ["float", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "w"], ["raw"]),
        helper.make_node("ReduceL2", ["raw", "axes"], ["length"], keepdims=1),
        helper.make_node("Max", ["length", "least"], ["divisor"]),
        helper.make_node("Div", ["raw", "divisor"], [names[1]]),
    ]
    graph = helper.make_graph(
        nodes,
        "by hand",
        [helper.make_tensor_value_info(names[0], kind, shape or ["batch", channels, SIZE, SIZE])],
        [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, shape_out or ["batch", DIM])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def saved(file: Path, made: onnx.ModelProto, **said: str | None) -> Path:
    facts = {key: value for key, value in {**SAID, **said}.items() if value is not None}
    helper.set_model_props(made, facts)
    file.write_bytes(made.SerializeToString())
    return file


def pictures(count: int, channels: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, SIZE, SIZE, channels), dtype=np.uint8)


def by_numpy(pixels: np.ndarray) -> np.ndarray:
    """Images whose channels are right already."""
    rows = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), weights(pixels.shape[3]).shape[0]).astype(
        np.float64
    ) @ weights(pixels.shape[3])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def test_it_says_what_its_file_says(tmp_path: Path) -> None:
    file = saved(tmp_path / "net.ONNX", model(), name="Žofie 李", flip="yes")
    found: Embedder = load_network(file)
    assert isinstance(found, Exported) and found.path == file and found.flip
    assert (found.name, found.digest, found.dim) == ("Žofie 李", "0123456789ab", DIM)
    assert (found.image_size, found.channels, found.resize) == (SIZE, 1, 8)
    assert found.bits is None
    plain = load_exported(saved(tmp_path / "net.onnx", model(), bits="12"))
    assert (plain.flip, plain.bits) == (False, 12)
    with pytest.raises(SandboxError, match="is damaged: its bits is '11'"):
        load_exported(saved(tmp_path / "net.onnx", model(), bits="11"))


def test_files_of_many_views_take_fewer_images_at_once(tmp_path: Path) -> None:
    pixels = pictures(9, 1)
    plain = load_exported(saved(tmp_path / "net.onnx", model()))
    many = load_exported(saved(tmp_path / "net.onnx", model(), views="64"))
    assert (plain.views, many.views) == (1, 64)
    np.testing.assert_array_equal(many.embed(pixels), plain.embed(pixels))  # in batches of 4
    for wrong in ("0", "65", "-1", "2.5", "all"):
        with pytest.raises(SandboxError, match=f"is damaged: its views is '{wrong}'"):
            load_exported(saved(tmp_path / "net.onnx", model(), views=wrong))


@pytest.mark.parametrize("count", [0, 1, 7, 600])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_number_of_images_is_embedded(tmp_path: Path, channels: int, count: int) -> None:
    network = load_exported(saved(tmp_path / "net.onnx", model(channels=channels), channels=str(channels)))
    pixels = pictures(count, channels)
    x = network.embed(pixels)
    assert x.shape == (count, DIM) and x.dtype == np.float32
    np.testing.assert_allclose(x, by_numpy(pixels), atol=1e-6)


def test_a_zero_embedding_stays_zero(tmp_path: Path) -> None:
    pixels = pictures(3, 1)
    pixels[1] = 0
    x = load_exported(saved(tmp_path / "net.onnx", model())).embed(pixels)
    np.testing.assert_array_equal(x[1], 0)
    np.testing.assert_allclose(np.linalg.norm(x[[0, 2]], axis=1), 1, atol=1e-6)


def test_channels_are_brought_to_those_of_the_network(tmp_path: Path) -> None:
    grey = load_exported(saved(tmp_path / "grey.onnx", model()))
    colour = pictures(5, 3)
    by_pillow = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour])[..., None]
    np.testing.assert_array_equal(grey.embed(colour), grey.embed(by_pillow))
    rgb = load_exported(saved(tmp_path / "rgb.onnx", model(channels=3), channels="3"))
    one = pictures(5, 1)
    np.testing.assert_allclose(rgb.embed(one), by_numpy(np.repeat(one, 3, axis=3)), atol=1e-6)


def test_images_that_are_a_view_of_others_are_read_as_they_lie(tmp_path: Path) -> None:
    network = load_exported(saved(tmp_path / "net.onnx", model()))
    pixels = pictures(8, 1)[::-2, :, ::-1]
    np.testing.assert_array_equal(network.embed(pixels), network.embed(pixels.copy()))


FOREIGN = "does not say what images it takes"
NOT_AS_SAID = "its graph does not take and give what its metadata says"
NOT_ANY = "does not take any number of images"


@pytest.mark.parametrize(
    ("said", "graph", "words"),
    [
        (dict.fromkeys(SAID), {}, FOREIGN),
        ({"format": "another"}, {}, FOREIGN),
        ({"format_version": "2"}, {}, "of format version '2', but this code reads 1"),
        ({"format_version": None}, {}, "of format version ''"),
        ({"image_size": str(10**9)}, {}, "its image_size is '1000000000'"),
        ({"image_size": "9" * 5000}, {}, "its image_size is '9999"),
        ({"image_size": "0"}, {}, "its image_size is '0'"),
        ({"image_size": "-6"}, {}, "its image_size is '-6'"),
        ({"image_size": "٦"}, {}, "its image_size is"),
        ({"image_size": None}, {}, "its image_size is ''"),
        ({"channels": "2"}, {}, "its channels is '2'"),
        ({"resize": "5"}, {}, "its resize is '5'"),
        ({"resize": "10000"}, {}, "its resize is '10000'"),
        ({"flip": "maybe"}, {}, "its flip is 'maybe'"),
        ({"digest": "0123"}, {}, "its digest is '0123'"),
        ({"name": ""}, {}, "its name is ''"),
        ({"name": "a\x1b[31m"}, {}, "its name is 'a\\x1b[31m'"),
        ({"name": "x" * 300}, {}, "its name is 'xxx"),
        ({"image_size": "7"}, {}, NOT_AS_SAID),
        ({"channels": "3"}, {}, NOT_AS_SAID),
        ({}, {"names": ("input.1", "embeddings")}, NOT_AS_SAID),
        ({}, {"names": ("images", "683")}, NOT_AS_SAID),
        ({}, {"kind": TensorProto.FLOAT}, NOT_AS_SAID),
        ({}, {"shape": ["batch", 1, "height", "width"]}, NOT_AS_SAID),
        ({}, {"shape": [4, 1, SIZE, SIZE], "shape_out": [4, DIM]}, NOT_ANY),
        ({}, {"domain": "elsewhere"}, "is damaged or no ONNX file"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_in_a_sentence(
    tmp_path: Path, said: dict[str, str | None], graph: dict[str, Any], words: str
) -> None:
    refused(saved(tmp_path / "net.onnx", model(**graph), **said), words)


def refused(file: Path, words: str) -> None:
    with pytest.raises(SandboxError) as error:
        load_exported(file)
    assert words in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 6000


@pytest.mark.parametrize("cut", [lambda held: b"", lambda held: held[: len(held) // 2], lambda held: b"garbage" * 99])
def test_a_damaged_file_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], cut: Callable[[bytes], bytes]
) -> None:
    file = saved(tmp_path / "net.onnx", model())
    load_exported(file)
    file.write_bytes(cut(file.read_bytes()))
    refused(file, "is damaged or no ONNX file")
    assert capfd.readouterr() == ("", "")  # the runtime has a log of its own


def test_what_is_no_onnx_file_by_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    refused(tmp_path / "folder.onnx", "is a folder")
    refused(tmp_path / "none.onnx", "there is no file")
    refused(Path("x" * 5000 + ".onnx"), "there is no file")
    refused(saved(tmp_path / "net.pt", model()), "does not end in .onnx")


def test_a_graph_that_fails_says_so(tmp_path: Path) -> None:
    network = load_exported(saved(tmp_path / "net.onnx", model(flat=(-1, 2 * SIZE * SIZE), wide=2)))
    with pytest.raises(SandboxError, match=r"net.onnx fails on images \(3, 1, 6, 6\)") as error:
        network.embed(pictures(3, 1))
    assert "\n" not in str(error.value)
    with pytest.raises(SandboxError, match=r"it gives \(1, 5\) for 2 images"):
        network.embed(pictures(2, 1))


def test_without_the_runtime_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(tmp_path / "net.onnx", model())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as Python has it where a package is blocked
    refused(file, 'ONNX files need onnxruntime, and onnxruntime is not installed; run: pip install -e ".[onnx]"')


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SAID)), st.one_of(st.text(max_size=12), st.integers(-9, 9999).map(str)))
def test_metadata_is_taken_at_its_word_or_refused(tmp_path: Path, key: str, text: str) -> None:
    made = model()
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    try:
        network = load_exported(saved(tmp_path / "net.onnx", made, **{key: text}))
    except SandboxError as error:
        assert "\n" not in str(error)
        return
    if key not in ("format", "format_version", "flip"):
        assert str(getattr(network, key)) in (text, text.lstrip("0"), "0")
    assert network.image_size == SIZE and (network.resize == 0 or network.resize >= SIZE)
