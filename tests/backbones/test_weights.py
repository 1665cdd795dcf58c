"""Weights of every network of ours, and of one of torchvision's, out of a file and into a network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sandbox.backbones.catalog import own_backbones
from sandbox.backbones.network import Network, load_weights, make_network
from sandbox.errors import SandboxError
from sandbox.recipe import BackboneSpec

NAMES = [*own_backbones(), "torchvision:resnet18"]


def network(name: str = "conv4", channels: int = 3, head: str = "linear", dim: int = 24) -> Network:
    spec = BackboneSpec(name=name, head=head, embedding_dim=dim)  # type: ignore[arg-type]
    return make_network(spec, channels=channels, image_size=32, mean=[0.4] * channels, std=[0.2] * channels)


def refusal(made: Network, path: Path) -> str:
    """What is said of weights that are refused; the network must be as it was."""
    before = {key: value.clone() for key, value in made.state_dict().items()}
    with pytest.raises(SandboxError) as caught:
        load_weights(made, path)
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_takes_its_own_weights(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    given = network(name)
    given(torch.rand(4, 3, 32, 32))  # batch statistics too
    save_file(given.state_dict(), tmp_path / "model.safetensors")
    torch.manual_seed(2)
    taken = network(name)
    load_weights(taken, tmp_path / "model.safetensors")
    assert all(torch.equal(value, taken.state_dict()[key]) for key, value in given.state_dict().items())
    x = torch.rand(2, 3, 32, 32)
    assert torch.equal(given.eval()(x), taken.eval()(x))


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_written_by_torch_is_refused_under_either_name(name: str, tmp_path: Path) -> None:
    made = network(name)
    for file in ("model.pth", "model.safetensors"):
        torch.save(made.state_dict(), tmp_path / file)
    assert "pickled checkpoints are refused" in refusal(made, tmp_path / "model.pth")
    assert "is damaged or no safetensors file" in refusal(made, tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_short_is_refused(name: str, tmp_path: Path) -> None:
    made, path = network(name), tmp_path / "model.safetensors"
    save_file(made.state_dict(), path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for length in (0, 7, 8, header // 2, header, (header + len(whole)) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "is damaged or no safetensors file" in refusal(made, path)
    path.write_bytes(whole + b"x")
    assert "is damaged or no safetensors file" in refusal(made, path)


@pytest.mark.parametrize("name", NAMES)
def test_keys_that_are_missing_or_unexpected_are_listed(name: str, tmp_path: Path) -> None:
    made, path = network(name), tmp_path / "model.safetensors"
    state = made.state_dict()
    gone = [key for key in state if key.startswith("backbone.")][-1]
    state["backbone.nowhere"] = state.pop(gone)
    save_file(state, path)
    said = refusal(made, path)
    assert f"1 missing ({gone})" in said
    assert "1 unexpected (backbone.nowhere)" in said


def test_a_damaged_header_is_always_refused_or_harmless(tmp_path: Path) -> None:
    given, path = network(dim=5), tmp_path / "model.safetensors"
    save_file(given.state_dict(), path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    refused = 0
    for place in range(0, header, 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            load_weights(given, path)
        except SandboxError:
            refused += 1
    assert refused > header // 5 * 0.9  # a changed space or escape may read the same


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    made, path = network(), tmp_path / "model.safetensors"
    state = {key: tensor.clone() for key, tensor in made.state_dict().items()}
    state["head.weight"][3, 5] = value
    save_file(state, path)
    assert "holds NaN or infinite values in head.weight (1 tensors in all)" in refusal(made, path)


@pytest.mark.parametrize("kind", [torch.bool, torch.int32, torch.complex64])
def test_weights_that_are_no_floats_are_refused(kind: torch.dtype, tmp_path: Path) -> None:
    made, path = network(), tmp_path / "model.safetensors"
    save_file(made.state_dict() | {"head.weight": torch.ones(24, 4096).to(kind)}, path)
    assert "1 of another kind of number (head.weight)" in refusal(made, path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_another_precision_are_taken(kind: torch.dtype, tmp_path: Path) -> None:
    made, path = network(), tmp_path / "model.safetensors"
    given = torch.randn(24, 4096).to(kind)
    save_file(made.state_dict() | {"head.weight": given}, path)
    load_weights(made, path)
    assert torch.equal(made.state_dict()["head.weight"], given.float())


@pytest.mark.parametrize(
    ("theirs", "ours", "advice"),
    [
        (("linear", 16), ("linear", 24), "the file's is --backbone.head linear --backbone.embedding_dim 16"),
        (("linear", 16), ("none", 24), "the file's is --backbone.head linear --backbone.embedding_dim 16"),
        (("linear_bn", 16), ("linear", 16), "the file's is --backbone.head linear_bn --backbone.embedding_dim 16"),
        (("linear", 24), ("linear_bn", 24), "the file's is --backbone.head linear --backbone.embedding_dim 24"),
        (("none", 24), ("linear", 24), "the file has none: --backbone.head none"),
    ],
)
def test_another_head_is_named_by_the_flags_that_take_it(
    theirs: tuple[str, int], ours: tuple[str, int], advice: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    given = network("conv4", 3, *theirs)
    save_file(given.state_dict(), path)
    said = refusal(network("conv4", 3, *ours), path)
    assert said.endswith("; only the head differs, and " + advice)
    words = said.split()
    head = words[words.index("--backbone.head") + 1]
    dim = int(words[words.index("--backbone.embedding_dim") + 1]) if "--backbone.embedding_dim" in words else 24
    load_weights(network("conv4", 3, head, dim), path)  # the advice holds


def test_a_head_that_no_flag_makes_gets_no_advice(tmp_path: Path) -> None:
    made, path = network(), tmp_path / "model.safetensors"
    for state in ({"head.other": torch.zeros(3)}, {"head.weight": torch.zeros(())}):
        kept = {key: value for key, value in made.state_dict().items() if not key.startswith("head.")}
        save_file(kept | state, path)
        assert "--backbone" not in refusal(made, path)


def test_weights_for_images_of_other_colours_are_named_so(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(network(channels=1).state_dict(), path)
    said = refusal(network(channels=3), path)
    assert said.endswith("the file is for images of 1 channels, these have 3: see --data.colour")


def test_weights_of_another_network_lead_to_the_recipe_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(network("conv6").state_dict(), path)
    assert "recipe.toml" not in refusal(network("conv4"), path)
    (tmp_path / "recipe.toml").write_text("")
    assert refusal(network("conv4"), path).endswith("recipe.toml names the network it belongs to")
