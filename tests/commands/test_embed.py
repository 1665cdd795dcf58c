"""`embed.py`, and what other commands do with the networks that it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import wanted, write
from PIL import Image

from sandbox.data.formats.rows.embeddings import read_embeddings
from sandbox.data.images.decode import decode

pytestmark = pytest.mark.needs("onnxruntime", 'pip install -e ".[onnx]"')
FACE = ("--mean", "127.5", "--scale", "0.0078125", "--channels", "bgr")
KIND = {"mean": 127.5, "scale": 1 / 128, "bgr": True}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people with three photographs each, in noise of their own, and a file that is no image."""
    root = tmp_path_factory.mktemp("images")
    for person in range(3):
        (root / f"person {person}").mkdir()
        for number in range(3):
            own, other = (np.random.default_rng(s).integers(0, 128, (12, 12, 3)) for s in (person, 100 + number))
            Image.fromarray((own + other).astype(np.uint8)).save(root / f"person {person}" / f"{number}.png")
    (root / "person 1" / "9.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    return root


def test_a_folder_of_classes_a_flat_one_and_a_list(command: Callable[..., Any], images: Path, tmp_path: Path) -> None:
    face, out = write(tmp_path / "face.onnx"), tmp_path / "e.npz"
    said = command("embed.py", str(face), str(images), *FACE, "--out", str(out))
    assert "9 embeddings of 4 numbers of 3 classes, by face.onnx" in said.out
    assert "1 image left out: person 1/9.png" in said.err
    held = read_embeddings(out)
    assert held.classes == ("person 0", "person 1", "person 2") and held.paths is not None
    pixels = np.stack([decode(images / path, 8, 3) for path in held.paths])
    np.testing.assert_allclose(held.x, wanted(pixels, **KIND), atol=1e-5)

    flat = images / "person 0"
    assert "3 embeddings of 4 numbers, by" in command("embed.py", str(face), str(flat), *FACE, "--out", str(out)).out
    (images / "list.txt").write_text("person 2/1.png\n\nperson 0/0.png\n")
    listed = command("embed.py", f"{face}(mean=127.5, scale=0.0078125, channels=bgr)", str(images / "list.txt"),
                     "--out", str(out))  # fmt: skip
    assert listed.code == 0
    with np.load(out) as made:
        assert made["paths"].tolist() == ["person 2/1.png", "person 0/0.png"] and "labels" not in made
        of = {path: row for path, row in zip(held.paths, held.x, strict=True)}
        np.testing.assert_allclose(made["embeddings"], [of[path] for path in made["paths"]], atol=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("face.onnx", "IMAGES"), "does not say its channels, mean and scale"),
        (("two.onnx", "IMAGES", *FACE), "which is the embedding? say so with --output NAME"),
        (("face.onnx(mean=1)", "IMAGES", *FACE), "--mean says what the brackets"),
        (("face.onnx", "IMAGES/none.txt", *FACE), "cannot read the list"),
        (("face.onnx", "IMAGES/bad.txt", *FACE), "line 2 of "),
        (("absent.onnx", "IMAGES", *FACE), "there is no file absent.onnx"),
        (("IMAGES", "IMAGES", "--size", "8"), "--size is for ONNX files and libraries' networks"),
        (("timm:resnet10", "IMAGES", "--size", "32"), "no timm network named 'resnet10'"),
    ],
)
def test_mistakes_are_sentences(
    words: tuple[str, ...], said: str, command: Callable[..., Any], images: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "face.onnx")
    write(tmp_path / "two.onnx", outputs=("a", "b"))
    (images / "bad.txt").write_text("person 2/1.png\nperson 7/1.png\n")
    found = command("embed.py", *(word.replace("IMAGES", str(images)) for word in words))
    assert found.code == 2 and said in found.err.replace("\n", " ") and "Traceback" not in found.err
    assert not (tmp_path / "embeddings.npz").exists()


def test_a_library_network_with_the_weights_of_a_file(
    command: Callable[..., Any], images: Path, tmp_path: Path
) -> None:
    import torch

    from sandbox.backbones.catalog import make_backbone

    torch.manual_seed(0)
    trunk = make_backbone("timm:resnet10t", channels=3, image_size=32, stem="auto", pretrained=False)
    torch.save(trunk.network.state_dict(), tmp_path / "w.pth")  # type: ignore[union-attr]
    words = ("timm:resnet10t", str(images), "--size", "32", "--weights", str(tmp_path / "w.pth"))
    assert command("embed.py", *words, "--out", str(tmp_path / "e.npz")).code == 0
    held = read_embeddings(tmp_path / "e.npz")
    assert held.x.shape == (9, 512) and np.allclose(np.linalg.norm(held.x, axis=1), 1, atol=1e-5)


def test_people_are_enrolled_and_named_by_a_foreign_network(
    command: Callable[..., Any], images: Path, tmp_path: Path
) -> None:
    face = write(tmp_path / "face.onnx")
    network = f"{face}(mean=127.5, scale=0.0078125, channels=bgr)"
    people = tmp_path / "people.npz"
    enrolled = command("recognise.py", "enrol", network, str(images), "--threshold", "0.5", "--out", str(people))
    assert enrolled.code == 0 and "3 people" in enrolled.out
    named = command("recognise.py", "identify", str(people), str(images / "person 2" / "1.png"))
    assert named.code == 0 and "person 2" in named.out  # its settings stand in the file
    assert "is a network and holds no images or lists" in command("evaluate.py", "--run", network).err
