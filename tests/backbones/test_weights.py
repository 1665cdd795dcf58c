"""Weights of every network of ours, and of one of torchvision's, out of a file and into a network."""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from sandbox.backbones.catalog import own_backbones
from sandbox.backbones.network import Network, make_network
from sandbox.backbones.weights import load_weights
from sandbox.backbones.weights_file import read_weights
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec

NAMES = [*own_backbones(), "torchvision:resnet18"]


def size_for(name: str) -> int:
    """Side of the images, pixels: 32, or the smallest that a network takes."""
    return max(32, own_backbones()[name].least) if name in own_backbones() else 32


def network(name: str = "conv4", channels: int = 3, head: str = "linear", dim: int = 24) -> Network:
    spec = BackboneSpec(name=name, head=head, embedding_dim=dim)  # type: ignore[arg-type]
    size = size_for(name)
    return make_network(spec, channels=channels, image_size=size, mean=[0.4] * channels, std=[0.2] * channels)


def images(name: str, n: int) -> torch.Tensor:
    return torch.rand(n, 3, size_for(name), size_for(name))


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
    given(images(name, 4))  # batch statistics too
    save_file(given.state_dict(), tmp_path / "model.safetensors")
    torch.manual_seed(2)
    taken = network(name)
    load_weights(taken, tmp_path / "model.safetensors")
    assert all(torch.equal(value, taken.state_dict()[key]) for key, value in given.state_dict().items())
    x = images(name, 2)
    assert torch.equal(given.eval()(x), taken.eval()(x))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_under_the_other_kind_s_name_is_refused(name: str, tmp_path: Path) -> None:
    made = network(name)
    torch.save(made.state_dict(), tmp_path / "model.safetensors")
    save_file(made.state_dict(), tmp_path / "model.pth")
    assert "is damaged or no safetensors file" in refusal(made, tmp_path / "model.safetensors")
    assert "is damaged or nothing that torch saved" in refusal(made, tmp_path / "model.pth")


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
    weights = [key for key in state if not key.endswith("num_batches_tracked")]  # a lone one would be filled in
    gone = [key for key in weights if key.startswith("backbone.") or name == "linear"][-1]  # which has a head alone
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


def forms(state: dict[str, torch.Tensor]) -> dict[str, Any]:
    """A state dict in the ways that people save one."""
    doubly = {f"module.{key}": value for key, value in state.items()}
    return {
        "alone": state,
        "under state_dict": {
            "epoch": 3,
            "state_dict": state,
            "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]},
        },
        "under model": {"model": state},
        "of DataParallel": doubly,
        "of DataParallel under model": {"model": doubly, "best": 0.5},
        "of parameters": {k: nn.Parameter(v) if v.is_floating_point() else v for k, v in state.items()},
    }


FORMS = list(forms({}))


@pytest.mark.parametrize("part", ["whole", "backbone"])
@pytest.mark.parametrize("form", FORMS)
def test_what_torch_saved_is_read_whole_or_as_the_backbone_alone(form: str, part: str, tmp_path: Path) -> None:
    given, path = network("conv4"), tmp_path / "model.pth"
    given(images("conv4", 4))
    source = given if part == "whole" else given.backbone
    torch.save(forms(source.state_dict())[form], path)
    torch.manual_seed(9)
    taken = network("conv4")
    before = {key: value.clone() for key, value in taken.state_dict().items()}
    load_weights(taken, path)
    for key, value in given.state_dict().items():
        kept = part == "backbone" and not key.startswith("backbone.")
        assert torch.equal(taken.state_dict()[key], before[key] if kept else value), key


@pytest.mark.parametrize("name", [name for name in NAMES if name != "linear"])
def test_a_backbone_s_own_names_fit_from_either_kind_of_file(name: str, tmp_path: Path) -> None:
    given = network(name)
    save_file(given.backbone.state_dict(), tmp_path / "model.safetensors")
    torch.save(given.backbone.state_dict(), tmp_path / "model.pt")
    for file in ("model.safetensors", "model.pt"):
        taken = network(name, head="none")
        load_weights(taken, tmp_path / file)
        assert all(torch.equal(v, taken.backbone.state_dict()[key]) for key, v in given.backbone.state_dict().items())


def test_a_misfit_of_the_backbone_is_listed_under_its_own_names(tmp_path: Path) -> None:
    made, path = network(), tmp_path / "model.pth"
    state = dict(made.backbone.state_dict())
    state["layers.0.wieght"] = state.pop("layers.0.weight")
    state["layers.4.weight"] = torch.zeros(3, 3)
    torch.save({f"module.{key}": value for key, value in state.items()}, path)
    said = refusal(made, path)
    assert "1 missing (layers.0.weight)" in said
    assert "1 unexpected (layers.0.wieght)" in said
    assert "1 of another shape (layers.4.weight)" in said


def test_a_file_without_counts_of_batches_fits_and_one_with_some_of_them_does_not(tmp_path: Path) -> None:
    made, path = network(), tmp_path / "model.pth"
    counts = [key for key in made.state_dict() if key.endswith("num_batches_tracked")]
    torch.save({key: value for key, value in made.state_dict().items() if key not in counts}, path)
    load_weights(made, path)
    torch.save({key: value for key, value in made.state_dict().items() if key != counts[0]}, path)
    assert f"1 missing ({counts[0]})" in refusal(made, path)


class Touches:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before torch 1.6"])
@pytest.mark.parametrize("place", ["alone", "beside the weights", "in their stead"])
def test_a_checkpoint_that_would_run_code_is_refused_and_not_run(place: str, old: bool, tmp_path: Path) -> None:
    made, path, mark = network(), tmp_path / "model.pth", Touches(tmp_path / "ran")
    state = made.state_dict()
    given = {
        "alone": mark,
        "beside the weights": {"state_dict": state, "x": mark},
        "in their stead": {**state, "x": mark},
    }
    torch.save(given[place], path, _use_new_zipfile_serialization=not old)
    said = refusal(made, path)
    assert f"asks for {os.name}.mkdir" in said
    assert "can run code are refused" in said and said.endswith("save the network's state_dict() alone")
    assert not (tmp_path / "ran").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "ran").exists()  # so that its absence above means something


def saved(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def tar(file: io.BytesIO) -> None:
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            archive.addfile(tarfile.TarInfo(name))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda file: torch.save(nn.Linear(2, 2), file), "asks for torch.nn.modules.linear.Linear"),
        (lambda file: torch.save({"a": np.ones(2)}, file), r"asks for numpy\._?core\.multiarray\._reconstruct"),
        (lambda file: torch.jit.save(torch.jit.script(nn.Linear(2, 2)), file), "is a TorchScript program"),
        (tar, "is of torch's oldest format, a tar file"),
        (lambda file: torch.save([torch.ones(2)], file), r"holds no tensors by name \(a list\)"),
        (lambda file: torch.save({}, file), r"holds no tensors by name \(a dict\)"),
        (
            lambda file: torch.save({"weight": {"a": torch.ones(2)}}, file),
            "holds 'weight', which is no plain tensor; .*'model'",
        ),
        (lambda file: torch.save({3: torch.ones(2)}, file), "holds 3, which is no plain tensor"),
        (lambda file: torch.save({"a": torch.ones(2).to_sparse()}, file), "holds 'a', which is no plain tensor"),
        (lambda file: torch.save({"a": torch.ones(2, device="meta")}, file), "holds 'a', which is no plain tensor"),
        (lambda file: None, "is damaged or nothing that torch saved"),
        (lambda file: file.write(b"weights" * 99), "is damaged or nothing that torch saved"),
    ],
)
def test_what_is_no_state_dict_is_refused_by_what_it_is(
    write: Callable[[io.BytesIO], object], said: str, tmp_path: Path
) -> None:
    (tmp_path / "model.pth").write_bytes(saved(write))
    assert re.search(said, refusal(network(), tmp_path / "model.pth"))


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before torch 1.6"])
def test_a_torch_file_cut_short_is_refused(old: bool, tmp_path: Path) -> None:
    made, path = network(dim=5), tmp_path / "model.pth"
    torch.save(made.state_dict(), path, _use_new_zipfile_serialization=not old)
    whole = path.read_bytes()
    for length in (1, 9, 100, len(whole) // 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "is damaged or nothing that torch saved" in refusal(made, path)


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder.pth").mkdir()
    for name in ("folder.pth", "gone.pt", "gone.safetensors"):
        assert refusal(network(), tmp_path / name) == f"no weights at {tmp_path / name}"
    assert "are neither .safetensors nor .pth or .pt" in refusal(network(), tmp_path / "model.h5")


def test_a_dictionary_that_holds_itself_is_refused(tmp_path: Path) -> None:
    nest: dict[str, object] = {}
    nest["model"] = nest
    torch.save(nest, tmp_path / "itself.pth")
    with pytest.raises(SandboxError, match="which is no plain tensor"):
        read_weights(tmp_path / "itself.pth")
