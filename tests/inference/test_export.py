"""Networks to files: every backbone of ours against torch, and what must leave nothing behind."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sandbox.backbones.catalog import own_backbones
from sandbox.backbones.network import Network, make_network
from sandbox.backbones.views import Views
from sandbox.data.catalog import load
from sandbox.errors import SandboxError
from sandbox.inference import export as exporting
from sandbox.inference.example_images import real_images
from sandbox.inference.export import LIMIT, export, metadata
from sandbox.inference.onnx_network import load_exported
from sandbox.inference.trained import Trained, network_digest
from sandbox.recipe.specs import BackboneSpec, DataSpec, Recipe
from sandbox.runs.folder import RunFolder, create

ROOT = Path(__file__).resolve().parents[2]
ALIKE = {"conv6": "conv4", "resnet_small": "resnet18_projected"}  # networks of the same layers as another
CASES = [*(name for name in own_backbones() if name not in ALIKE), "timm:test_resnet"]
# The exporter is torch's: one network stands for all where time is short.
THOROUGH = [name if name == "conv4" else pytest.param(name, marks=pytest.mark.thorough) for name in CASES]
SIZES = {"nn4_small2": 96, "conv4": 50}  # 50: windows of adaptive pooling that are not all alike


def trained(network: Network, *, size: int = 16, channels: int = 1, **other: Any) -> Trained:
    facts = {"name": "a run", "resize": 0, "flip": False, "device": torch.device("cpu"), "autocast": None, **other}
    return Trained(
        network=network.eval(),
        digest=network_digest(network.state_dict(), size, facts["resize"], facts["flip"]),
        image_size=size,
        channels=channels,
        **facts,
    )


def made(name: str = "conv4", *, size: int = 16, channels: int = 1, **other: Any) -> Trained:
    """A backbone with random weights and, as after training, batch statistics that are not 0 and 1."""
    torch.manual_seed(0)
    spec = BackboneSpec(name=name, embedding_dim=24, head="linear_bn")
    network = make_network(spec, channels=channels, image_size=size, mean=[0.4] * channels, std=[0.2] * channels)
    for key, value in network.named_buffers():
        if key.endswith(("running_mean", "running_var")):
            value.copy_(torch.rand_like(value) + (0.5 if key.endswith("var") else -0.5))
    return trained(network.to(memory_format=torch.channels_last), size=size, channels=channels, **other)


def pictures(count: int, size: int, channels: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


@torch.no_grad()
def by_hand(t: Trained, pixels: np.ndarray) -> np.ndarray:
    """Unit rows of the network's parts in turn, without any of the code that embeds."""

    def unit(x: torch.Tensor) -> torch.Tensor:
        length = x.square().sum(1, keepdim=True).sqrt()
        return torch.where(length > 0, x / length, x)

    x = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255
    sides = [unit(t.network.head(t.network.backbone((s - t.network.mean) / t.network.std))) for s in (x, x.flip(3))]
    return (unit(sides[0] + sides[1]) if t.flip else sides[0]).numpy()


@pytest.mark.parametrize(("name", "other"), ALIKE.items())
def test_networks_that_are_alike_have_the_same_layers(name: str, other: str) -> None:
    parts = [made(each, size=32).network.modules() for each in (name, other)]
    one, two = ({type(part) for part in each if not [*part.children()]} for each in parts)
    assert one - {nn.Identity} <= two


@pytest.mark.parametrize("name", THOROUGH)
def test_every_network_is_exported(tmp_path: Path, name: str) -> None:
    size, turn = SIZES.get(name, 32), CASES.index(name) % 2
    t = made(name, size=size, channels=3 if size > 32 or turn else 1, flip=bool(turn))
    (written,) = export(t, pictures(3, size, t.channels), onnx=tmp_path / "net.onnx", program=None)
    assert all(weight.requires_grad for weight in t.network.parameters())  # the network in memory is as it was
    assert [*tmp_path.iterdir()] == [written.path] and written.size == written.path.stat().st_size
    assert 0 <= written.difference <= LIMIT
    network = load_exported(written.path)
    assert network.dim == 24 and network.digest == t.digest and network.flip == t.flip
    assert (network.image_size, network.channels) == (size, t.channels)
    others = pictures(5, size, t.channels)
    np.testing.assert_allclose(network.embed(others), by_hand(t, others), atol=LIMIT)


def test_both_files_say_and_do_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    facts: dict[str, Any] = {"flip": True, "resize": 60, "autocast": torch.bfloat16}
    t = replace(small(lambda x: x - 0.4, size=50, channels=3), name="Žofie\n李", **facts)
    files = {"onnx": tmp_path / "deep" / "net.onnx", "program": tmp_path / "net.PT2"}
    written = export(t, pictures(4, 50, 3), **files)
    assert capfd.readouterr() == ("", "")
    assert [file.path for file in written] == [*files.values()]
    with_torch = torch.export.load(files["program"]).module()
    for count in (1, 2, 9):  # in float32, though the run had bfloat16
        pixels = pictures(count, 50, 3)
        np.testing.assert_allclose(load_exported(files["onnx"]).embed(pixels), by_hand(t, pixels), atol=1e-5)
        rows = with_torch(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous())
        np.testing.assert_allclose(rows.numpy(), by_hand(t, pixels), atol=1e-5)
    network = load_exported(files["onnx"])
    assert (network.name, network.resize, network.flip) == ("Žofie?李", 60, True)
    with zipfile.ZipFile(files["program"]) as archive:
        (inner,) = [name for name in archive.namelist() if name.endswith("extra/metadata.json")]
        assert json.loads(archive.read(inner)) == metadata(t)
    assert dict(network.session.get_modelmeta().custom_metadata_map) == metadata(t)
    for file in files.values():
        assert str(ROOT).encode() not in file.read_bytes()  # the stack traces of exporters


@pytest.mark.parametrize("flip", [False, True])
def test_the_average_over_views_is_in_both_files(tmp_path: Path, flip: bool) -> None:
    t = replace(made("conv4", size=32, channels=3, flip=flip), views=Views(5, 2.0), digest="0123456789ab")
    files = {"onnx": tmp_path / "net.onnx", "program": tmp_path / "net.pt2"}
    written = export(t, pictures(3, 32, 3), **files)
    assert all(one.difference <= LIMIT for one in written)
    network = load_exported(files["onnx"])
    assert (network.views, network.flip) == (5, flip)
    assert metadata(t)["view_strength"] == "2" and "views" not in metadata(replace(t, views=Views()))
    pixels = pictures(4, 32, 3)
    wanted = t.embed(pixels)
    assert np.abs(wanted - replace(t, views=Views()).embed(pixels)).max() > 10 * LIMIT
    np.testing.assert_allclose(network.embed(pixels), wanted, atol=LIMIT)
    rows = torch.export.load(files["program"]).module()(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous())
    np.testing.assert_allclose(rows.numpy(), wanted, atol=LIMIT)


class Small(nn.Module):
    """The first pixels of a row, done something to."""

    def __init__(self, change: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self.change = change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.change(x.flatten(1)[:, :5])


def small(change: Callable[[torch.Tensor], torch.Tensor], *, size: int = 8, channels: int = 1) -> Trained:
    network = Network(Small(change), nn.Identity(), 5, [0.0] * channels, [1.0] * channels)
    return trained(network, size=size, channels=channels)


def test_a_zero_embedding_stays_zero(tmp_path: Path) -> None:
    files = {"onnx": tmp_path / "net.onnx", "program": tmp_path / "net.pt2"}
    t = small(lambda x: x - 0)
    pixels = pictures(3, 8, 1)
    pixels[1] = 0
    export(t, pixels, **files)
    np.testing.assert_array_equal(load_exported(files["onnx"]).embed(pixels)[1], 0)
    np.testing.assert_allclose(load_exported(files["onnx"]).embed(pixels), by_hand(t, pixels), atol=1e-6)


def branching(x: torch.Tensor) -> torch.Tensor:
    return x if x.sum() > 0 else -x


ONNX_CANNOT = torch.special.modified_bessel_i0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x + 0.5 * torch.compiler.is_exporting(), r"differ from torch's by up to 0\.\d+ on 3 images, but"),
        (lambda x: x / (0 if torch.compiler.is_exporting() else 1), "differ from torch's by up to nan on 3 images"),
        (branching, "torch.export cannot trace the network: "),
        (ONNX_CANNOT, "torch.onnx cannot write the network: .*bessel"),
    ],
    ids=["another", "nan", "branch", "operation"],
)
def test_what_does_not_agree_or_cannot_be_written_leaves_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], change: Callable[[torch.Tensor], torch.Tensor], words: str
) -> None:
    (tmp_path / "net.onnx").write_text("an earlier one")
    with pytest.raises(SandboxError, match=words) as error:
        export(small(change), pictures(3, 8, 1), onnx=tmp_path / "net.onnx", program=tmp_path / "net.pt2")
    assert "\n" not in str(error.value)
    assert (tmp_path / "net.onnx").read_text() == "an earlier one" and len([*tmp_path.iterdir()]) == 1
    assert capfd.readouterr() == ("", "")


def test_what_onnx_has_no_operation_for_is_a_program_all_the_same(tmp_path: Path) -> None:
    (written,) = export(small(ONNX_CANNOT), pictures(3, 8, 1), onnx=None, program=tmp_path / "net.pt2")
    assert written.difference <= LIMIT and [*tmp_path.iterdir()] == [tmp_path / "net.pt2"]


def test_an_onnx_file_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_LARGEST_FILE", 10**5)
    with pytest.raises(SandboxError, match="an ONNX file holds 2 GB, but the weights are"):
        export(made(), pictures(2, 16, 1), onnx=tmp_path / "net.onnx", program=None)


def test_packages_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as Python has it where a package is blocked
    with pytest.raises(SandboxError, match=r"and onnxscript is not installed; run: pip install -e \"\.\[onnx\]\""):
        export(made(), pictures(2, 16, 1), onnx=tmp_path / "net.onnx", program=None)


@pytest.mark.parametrize(
    ("place", "words"), [("folder", "is a folder, but a file"), ("file/net", "cannot write"), ("x" * 300, "too long")]
)
def test_a_place_that_cannot_be_written_is_found_out_at_once(tmp_path: Path, place: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    never: Any = lambda x: pytest.fail("it was run first")  # noqa: E731
    with pytest.raises(SandboxError, match=words):
        export(small(never), pictures(2, 8, 1), onnx=tmp_path / place, program=None)


def recorded(data: DataSpec, out: Path) -> RunFolder:
    return create(out, Recipe(data=data), "a test")


def test_real_images_are_the_run_s_validation_images(tmp_path: Path) -> None:
    data = DataSpec(name="digits")
    pixels, words = real_images(recorded(data, tmp_path), made(), None)
    val = load(data).val.pixels
    assert pixels.shape == (64, 16, 16, 1) and words == "64 validation images of digits"
    np.testing.assert_array_equal(pixels[[0, -1]], val[[0, -1]])
    assert len({image.tobytes() for image in pixels}) > 60
    with pytest.raises(SandboxError, match="now gives images of another size; give --images"):
        real_images(recorded(data, tmp_path), made(size=20), None)


def test_images_of_a_folder_stand_in(tmp_path: Path) -> None:
    folder = recorded(DataSpec(name="folder", root=str(tmp_path / "gone")), tmp_path / "runs")
    with pytest.raises(SandboxError, match=r"are gone: no folder at data.root .*; give --images FOLDER"):
        real_images(folder, made(), None)
    places = tmp_path / "pictures"
    with pytest.raises(SandboxError, match="there is no folder"):
        real_images(folder, made(), places)
    (places / "deep").mkdir(parents=True)
    with pytest.raises(SandboxError, match="no image lies in"):
        real_images(folder, made(), places)
    for number in range(70):
        Image.fromarray(pictures(1, 16, 3)[0] // 2 + number).save(places / "deep" / f"{number:02d}.png")
    pixels, words = real_images(folder, made(channels=3), places)
    assert pixels.shape == (64, 16, 16, 3) and words == f"64 images of {places}"
    np.testing.assert_array_equal(pixels[-1], pictures(1, 16, 3)[0] // 2 + 69)
    assert real_images(folder, made(channels=1, resize=20), places)[0].shape == (64, 16, 16, 1)
    (places / "deep" / "00.png").write_bytes(b"no image")
    assert real_images(folder, made(), places)[1] == f"63 images of {places}"  # one that is damaged is passed over
    for file in (places / "deep").iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(SandboxError, match=r"none of the images in .* can be read"):
        real_images(folder, made(), places)
