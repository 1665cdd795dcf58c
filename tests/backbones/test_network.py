from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from sandbox.backbones.embed import embed, to_tensor
from sandbox.backbones.network import Network
from sandbox.backbones.weights import load_weights
from sandbox.data.images.pixels import IMAGENET, pixel_statistics
from sandbox.errors import SandboxError


def network() -> Network:
    return Network(nn.Flatten(), nn.Linear(3 * 4, 5), 5, [0.5, 0.4, 0.3], [0.1, 0.2, 0.4])


def some(n: int = 7) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 2, 2, 3), dtype=np.uint8)


def test_pixels_are_scaled_and_normalised_before_the_backbone_sees_them() -> None:
    made = Network(nn.Flatten(), nn.Identity(), 12, [0.5, 0.4, 0.3], [0.1, 0.2, 0.4])
    images = some(1)
    out = made(to_tensor(images)).view(3, 2, 2)
    for c, (mean, std) in enumerate(zip([0.5, 0.4, 0.3], [0.1, 0.2, 0.4], strict=True)):
        assert np.allclose(out[c], (images[0, :, :, c] / 255 - mean) / std, atol=1e-5)
    assert torch.allclose(made(to_tensor(images)), made(to_tensor(images).float() / 255))


def test_embed_returns_unit_rows_of_the_raw_embeddings_in_order() -> None:
    made, images = network(), some()
    raw = made(to_tensor(images)).detach().numpy()
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    for batch in (1, 3, 512):
        assert np.allclose(embed(made, images, device=torch.device("cpu"), batch=batch), expected, atol=1e-6)


def test_an_embedding_of_length_zero_stays_zero() -> None:
    made = network()
    nn.init.zeros_(made.head.weight)  # type: ignore[arg-type]
    nn.init.zeros_(made.head.bias)  # type: ignore[arg-type]
    assert not embed(made, some(), device=torch.device("cpu")).any()


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e-13, 1e20, 1e30])
def test_rows_whose_squares_float32_does_not_hold_are_of_unit_length_too(scale: float) -> None:
    made, images = network(), some()
    plain = embed(made, images, device=torch.device("cpu"))
    made.head.weight.data *= scale  # type: ignore[union-attr, operator]
    made.head.bias.data *= scale  # type: ignore[union-attr, operator]
    for flip in (False, True):
        rows = embed(made, images, device=torch.device("cpu"), flip=flip)
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
        assert flip or np.allclose(rows, plain, atol=1e-5)


def test_embedding_no_images_gives_no_rows() -> None:
    assert embed(network(), some()[:0], device=torch.device("cpu")).shape == (0, 5)


def test_embed_under_bfloat16_is_float32_and_near() -> None:
    made, images, cpu = network(), some(), torch.device("cpu")
    low = embed(made, images, device=cpu, autocast=torch.bfloat16)
    assert low.dtype == np.float32
    assert np.allclose(np.linalg.norm(low, axis=1), 1, atol=1e-5)
    assert np.allclose(low, embed(made, images, device=cpu), atol=0.03)


def test_to_tensor_keeps_every_pixel_in_its_place() -> None:
    images = some()
    tensor = to_tensor(images[::2])
    assert tensor.dtype == torch.uint8
    assert tensor.shape == (4, 3, 2, 2)
    assert all(tensor[n, c, h, w] == images[2 * n, h, w, c] for n, c, h, w in np.ndindex(4, 3, 2, 2))


def test_statistics_of_the_data_are_its_mean_and_deviation() -> None:
    images = some(50)
    mean, std = pixel_statistics(images, np.zeros(50), "dataset")
    assert mean == pytest.approx((images / 255).mean((0, 1, 2)))
    assert std == pytest.approx((images / 255).std((0, 1, 2)))


def test_statistics_of_blank_images_do_not_divide_by_nothing() -> None:
    _, std = pixel_statistics(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3), "dataset")
    assert std == [1e-3]


def test_statistics_that_are_named_are_taken() -> None:
    assert pixel_statistics(some(), np.zeros(7), "none") == ([0.0] * 3, [1.0] * 3)
    assert pixel_statistics(some(), np.zeros(7), "imagenet") == (list(IMAGENET[0]), list(IMAGENET[1]))
    grey = pixel_statistics(some()[..., :1], np.zeros(7), "imagenet")
    assert grey == ([pytest.approx(np.mean(IMAGENET[0]))], [pytest.approx(np.mean(IMAGENET[1]))])


def test_weights_that_do_not_fit_are_listed(tmp_path: Path) -> None:
    state = network().state_dict()
    state["head.wieght"] = state.pop("head.weight")
    state["head.bias"] = torch.zeros(6)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(SandboxError) as caught:
        load_weights(network(), tmp_path / "w.safetensors")
    said = str(caught.value)
    assert "1 missing (head.weight)" in said
    assert "1 unexpected (head.wieght)" in said
    assert "1 of another shape (head.bias)" in said


def test_long_lists_of_keys_are_cut(tmp_path: Path) -> None:
    save_file({f"k{n}": torch.zeros(1) for n in range(9)}, tmp_path / "w.safetensors")
    with pytest.raises(SandboxError, match=r"9 unexpected \(k0, k1, k2, \.\.\.\)"):
        load_weights(network(), tmp_path / "w.safetensors")


def test_a_refused_file_leaves_the_weights_alone(tmp_path: Path) -> None:
    made = network()
    before = {key: value.clone() for key, value in made.state_dict().items()}
    save_file({"head.weight": torch.zeros(5, 12)}, tmp_path / "w.safetensors")
    with pytest.raises(SandboxError):
        load_weights(made, tmp_path / "w.safetensors")
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())


class Touches:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.bin", "w", "w.safetensors"])
def test_a_pickled_file_is_refused_and_never_run(name: str, protocol: int, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Touches(tmp_path / "ran"), protocol))
    with pytest.raises(SandboxError, match=r"pickled checkpoints .* ?(are )?refused|no safetensors file"):
        load_weights(network(), tmp_path / name)
    assert not (tmp_path / "ran").exists()
    pickle.loads((tmp_path / name).read_bytes())
    assert (tmp_path / "ran").exists()  # so that its absence above means something


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"no weights at .*w\.safetensors"):
        load_weights(network(), tmp_path / "w.safetensors")
