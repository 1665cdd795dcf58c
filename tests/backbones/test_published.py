"""Weight files as torchvision and timm publish them, made here by the libraries themselves, with their classifiers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from sandbox.backbones.network import Network, make_network
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec

State = dict[str, torch.Tensor]
SMALL = "timm:test_resnet"


def network(
    name: str, path: Path | None = None, *, size: int = 64, stem: str = "standard", channels: int = 3
) -> Network:
    """Its embeddings are the features themselves."""
    spec = BackboneSpec(name=name, head="none", weights=str(path or ""), stem=stem)  # type: ignore[arg-type]
    return make_network(spec, channels=channels, image_size=size, mean=[0.4] * channels, std=[0.2] * channels)


def published(name: str) -> nn.Module:
    """The library's own network, classifier and all, with batch statistics of its own."""
    source, _, inner = name.partition(":")
    torch.manual_seed(3)
    made = timm.create_model(inner) if source == "timm" else torchvision.models.get_model(inner)
    for key, value in made.state_dict().items():
        if key.endswith("running_mean"):
            value.normal_(0, 0.1)
        if key.endswith("running_var"):
            value.uniform_(0.5, 2)
    return made.eval()


def twin(name: str, original: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What the library's own network gives to its classifier: the naive twin."""
    if name.startswith("timm:"):
        return original.forward_head(original.forward_features(x), pre_logits=True).flatten(1)  # type: ignore[operator]
    seen = []
    last = [module for module in original.modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    last.register_forward_pre_hook(lambda module, args: seen.append(args[0].flatten(1)))
    original(x)
    return seen[0]


def assert_loaded(name: str, original: nn.Module, taken: Network, size: int = 64) -> None:
    x = torch.rand(2, 3, size, size)
    with torch.no_grad():
        expected = twin(name, original, (x - 0.4) / 0.2)
        assert torch.allclose(taken.eval()(x), expected, atol=1e-5)
        assert not torch.allclose(network(name, size=size).eval()(x), expected, atol=1e-2)  # it could have failed


def refusal(name: str, path: Path, **more: Any) -> str:
    with pytest.raises(SandboxError) as caught:
        network(name, path, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "size", "classifier"),
    [
        ("torchvision:resnet18", 64, "2 tensors: fc.bias, fc.weight"),
        ("torchvision:mobilenet_v3_small", 64, "2 tensors: classifier.3.bias, classifier.3.weight"),
        (SMALL, 64, "2 tensors: fc.bias, fc.weight"),
        ("timm:test_convnext", 64, "2 tensors: head.fc.bias, head.fc.weight"),
        ("timm:test_vit", 160, "2 tensors: head.bias, head.weight"),
    ],
)
def test_a_published_file_fits_without_its_classifier(name: str, size: int, classifier: str, tmp_path: Path) -> None:
    original, path = published(name), tmp_path / "published.pth"
    torch.save(original.state_dict(), path)
    taken = network(name, path, size=size)
    assert_loaded(name, original, taken, size)
    (said,) = taken.notes
    statistics = "mean 0.485, 0.456, 0.406" if name.startswith("torchvision:") else "mean 0.5, 0.5, 0.5, deviation 0.5"
    assert said.startswith(
        f"left out the classifier of {path} ({classifier}); weights that were published with one expect the pixel "
        f"statistics of --data.normalize library ({statistics}"
    )


def prefixed(prefix: str) -> Callable[[State], State]:
    return lambda state: {prefix + key: value for key, value in state.items()}


FORMS: dict[str, Callable[[State], Any]] = {
    "module.": prefixed("module."),
    "module._orig_mod.": prefixed("module._orig_mod."),
    "_orig_mod.module.": prefixed("_orig_mod.module."),
    "model.backbone.": prefixed("model.backbone."),
    "network.net.encoder.": prefixed("network.net.encoder."),
    "teacher.": prefixed("teacher."),
    "compiled layers": lambda state: {key.replace(".", "._orig_mod.", 1): value for key, value in state.items()},
    "net": lambda state: {"net": state},
    "model_state_dict": lambda state: {"model_state_dict": state, "loss": 0.3},
    "deep": lambda state: {"epoch": 3, "model": {"state_dict": {"network": prefixed("module.")(state)}}},
    "beside an optimizer": lambda state: {
        "weights": state,
        "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]},
    },
    "among numbers": lambda state: {**state, "epoch": 7, "best": 0.5, "name": "r"},
    "averages that are empty": lambda state: {"state_dict_ema": {}, "state_dict": state, "ema": None, "model_ema": 0.9},
    "float16": lambda state: {
        key: value.half() if value.is_floating_point() else value for key, value in state.items()
    },
    "no counts": lambda state: {key: value for key, value in state.items() if "num_batches" not in key},
}


@pytest.mark.parametrize("form", FORMS)
def test_usual_prefixes_and_nests_are_seen_through(form: str, tmp_path: Path) -> None:
    original = published(SMALL)
    torch.save(FORMS[form](original.state_dict()), tmp_path / "model.pth")
    taken = network(SMALL, tmp_path / "model.pth").backbone.network.state_dict()  # type: ignore[union-attr]
    for key, value in taken.items():
        expected = original.state_dict()[key]
        expected = expected.half().float() if form == "float16" and expected.is_floating_point() else expected
        assert torch.equal(value, expected) or (form == "no counts" and key.endswith("num_batches_tracked"))


@pytest.mark.parametrize("ending", ["pt", "bin", "ckpt", "pth.tar", "safetensors", "PTH"])
def test_usual_endings_are_read(ending: str, tmp_path: Path) -> None:
    original, path = published(SMALL), tmp_path / f"model.{ending}"
    (save_file if ending == "safetensors" else torch.save)(original.state_dict(), path)  # type: ignore[operator]
    assert_loaded(SMALL, original, network(SMALL, path))


def test_what_lies_beside_the_network_is_left_out_and_said(tmp_path: Path) -> None:
    """As MoCo publishes it: two encoders, of which the one that learns is meant, a head of its own and a queue."""
    original, path = published(SMALL), tmp_path / "moco.pth.tar"
    state = {key: value for key, value in original.state_dict().items() if not key.startswith("fc.")}
    state |= {f"fc.{n}.{kind}": torch.zeros(2, 2) for n in (0, 2) for kind in ("weight", "bias")}
    other = {f"module.encoder_k.{key}": torch.zeros_like(value) for key, value in state.items()}
    moco = {**other, **prefixed("module.encoder_q.")(state), "module.queue": torch.zeros(4, 4)}
    torch.save({"epoch": 200, "arch": "resnet18", "state_dict": moco}, path)
    taken = network(SMALL, path)
    assert_loaded(SMALL, original, taken)
    assert "(4 tensors: fc.0.bias, fc.0.weight, fc.2.bias and 1 more)" in taken.notes[0]
    assert taken.notes[1].startswith(
        f"left out what {path} holds beside the network ({len(other) + 1} tensors: module."
    )


def test_a_checkpoint_of_lightning_fits_without_what_its_module_owns_beside(tmp_path: Path) -> None:
    original, path = published(SMALL), tmp_path / "last.ckpt"
    state = prefixed("model.backbone.")(original.state_dict())
    state |= {"model.head.weight": torch.ones(2, 2), "loss.W": torch.ones(3)}
    torch.save({"pytorch-lightning_version": "2.5.0", "global_step": 9, "state_dict": state, "callbacks": {}}, path)
    taken = network(SMALL, path)
    assert_loaded(SMALL, original, taken)
    assert taken.notes[1].endswith("(2 tensors: model.head.weight, loss.W)")


def test_names_with_any_number_of_wrappers_are_soon_refused(tmp_path: Path) -> None:
    words = ("module", "model", "net", "backbone")
    names = [".".join(words[n // 4**k % 4] for k in range(8)) + f".{n}" for n in range(600)]
    torch.save({name: torch.zeros(1) for name in [*names, "module." * 9999 + "x"]}, tmp_path / "model.pth")
    assert "does not fit the network: " in refusal(SMALL, tmp_path / "model.pth")


@pytest.mark.parametrize("nest", ["state_dict_ema", "model_ema", "ema"])
def test_averaged_weights_go_first_and_that_is_said(nest: str, tmp_path: Path) -> None:
    original, path = published(SMALL), tmp_path / "model.pth"
    last = {key: torch.zeros_like(value) for key, value in original.state_dict().items()}
    torch.save({"state_dict": last, nest: prefixed("module.")(original.state_dict())}, path)
    taken = network(SMALL, path)
    assert_loaded(SMALL, original, taken)
    assert taken.notes[0] == f"took the weights under '{nest}' of {path}, not those under 'state_dict'"


def test_averages_that_do_not_fit_give_way_and_that_is_said(tmp_path: Path) -> None:
    original, path = published(SMALL), tmp_path / "model.pth"
    shadow = {key: torch.zeros_like(value) for key, value in original.named_parameters()}  # no batch statistics
    torch.save({"model": original.state_dict(), "model_ema": shadow}, path)
    taken = network(SMALL, path)
    assert_loaded(SMALL, original, taken)
    assert taken.notes[0] == f"took the weights under 'model' of {path}, not those under 'model_ema'"


@pytest.mark.parametrize("form", ["nests", "prefixes", "two names"])
def test_two_networks_of_which_none_is_plainly_meant_are_refused(form: str, tmp_path: Path) -> None:
    state, path = published(SMALL).state_dict(), tmp_path / "model.pth"
    pair = {
        "nests": {"student": state, "teacher": dict(state)},
        "prefixes": prefixed("student.")(state) | prefixed("teacher.")(state),
        "two names": prefixed("net.")(state) | prefixed("model.")(state),
    }
    torch.save(pair[form], path)
    first, second = ("'model'", "'net'") if form == "two names" else ("'student'", "'teacher'")
    said = refusal(SMALL, path)
    assert said.startswith(f"{path} holds the network twice, under {first} and {second}; save the state_dict() of")


def test_names_of_older_versions_of_torchvision_are_read(tmp_path: Path) -> None:
    """DenseNet's published files have `denselayer1.norm.1`, those of vision transformers `mlp.linear_1`."""
    from sandbox.backbones.published import renewed

    old = [
        "features.denseblock1.denselayer2.norm.1.weight",
        "encoder.layers.encoder_layer_0.mlp.linear_2.bias",
        "other",
    ]
    new = ["features.denseblock1.denselayer2.norm1.weight", "encoder.layers.encoder_layer_0.mlp.3.bias"]
    assert renewed(old, new) == dict(zip(old, [*new, "other"], strict=True))
    assert renewed(old, ["unrelated"]) == dict(zip(old, old, strict=True))
    torchvision_names = torchvision.models.get_model("densenet121").state_dict().keys()
    assert new[0] in torchvision_names


def test_names_that_timm_renames_are_read(tmp_path: Path) -> None:
    """As Facebook published ConvNeXt; timm's own reader knows the way from there."""
    original, path = published("timm:test_convnext"), tmp_path / "model.pth"
    state = dict(original.state_dict())
    assert "stem.0.weight" in state
    parts = (("stem.", "downsample_layers.0."), (".conv_dw.", ".dwconv."), (".mlp.fc1.", ".pwconv1."))
    parts += ((".mlp.fc2.", ".pwconv2."), ("head.norm.", "norm."), ("head.fc.", "head."))  # type: ignore[assignment]
    old = {}
    for key, value in state.items():
        for new, before in parts:
            key = key.replace(new, before) if not key.startswith("stages.") or new.startswith(".") else key
        key = key.replace(".downsample.", ".DOWN.")
        if key.startswith("stages."):
            stage, rest = key.split(".", 2)[1:]
            key = f"downsample_layers.{stage}.{rest[5:]}" if rest.startswith("DOWN.") else f"stages.{stage}.{rest}"
            key = key.replace(".blocks.", ".")
        old[key] = value
    assert not {"stem.0.weight", "head.fc.weight"} & old.keys()
    torch.save({"model": old}, path)
    taken = network("timm:test_convnext", path)
    assert_loaded("timm:test_convnext", original, taken)
    assert taken.notes[0] == f"{path} has names that timm itself brought into its own"


def test_reading_a_published_file_draws_no_random_number(tmp_path: Path) -> None:
    torch.save(published(SMALL).state_dict(), tmp_path / "model.pth")
    draws = []
    for path in (None, tmp_path / "model.pth"):
        torch.manual_seed(5)
        network(SMALL, path)
        draws.append(torch.rand(1))
    assert torch.equal(*draws)


def test_the_file_of_a_whole_resnet18_fits_both_libraries_and_no_small_stem(tmp_path: Path) -> None:
    original, path = published("torchvision:resnet18"), tmp_path / "model.pth"
    torch.save(original.state_dict(), path)
    assert_loaded("torchvision:resnet18", original, network("timm:resnet18", path))
    said = refusal("torchvision:resnet18", path, stem="small", size=32)
    assert "1 of another shape (conv1.weight); conv1.weight is 64 x 3 x 7 x 7 in the file, 64 x 3 x 3 x 3" in said
    assert said.endswith("--backbone.stem standard")


def test_a_small_stem_of_the_same_shapes_is_said(tmp_path: Path) -> None:
    torch.save(published(SMALL).state_dict(), tmp_path / "model.pth")
    assert network(SMALL, tmp_path / "model.pth", stem="small").notes[-1].endswith("--backbone.stem standard")
    assert len(network(SMALL, tmp_path / "model.pth").notes) == 1


def test_what_does_not_fit_is_listed_with_what_helps(tmp_path: Path) -> None:
    path, state = tmp_path / "model.pth", dict(published(SMALL).state_dict())
    torch.save(state, path)
    said = refusal("timm:test_convnext", path)
    assert "missing (" in said and "unexpected (" in said and f"knows 0 of its {len(state)} names" in said
    state["conv1.0.wieght"] = state.pop("conv1.0.weight")
    torch.save(state, path)
    said = refusal(SMALL, path)
    assert "1 missing (conv1.0.weight); 1 unexpected (conv1.0.wieght)" in said
    assert f"knows {len(state) - 3} of its {len(state) - 2} names" in said


def test_a_grey_file_is_refused_for_images_of_colour(tmp_path: Path) -> None:
    grey = network(SMALL, channels=1)
    torch.save(grey.backbone.network.state_dict(), tmp_path / "model.pth")  # type: ignore[union-attr]
    said = refusal(SMALL, tmp_path / "model.pth")
    assert said.endswith("the file is for images of 1 channels, these have 3: see --data.colour")
    assert not network(SMALL, tmp_path / "model.pth", channels=1).notes


def test_grey_images_are_repeated_for_weights_of_colour_and_that_is_said(tmp_path: Path) -> None:
    original, path = published(SMALL), tmp_path / "model.pth"
    torch.save(original.state_dict(), path)
    taken = network(SMALL, path, channels=1).eval()
    assert taken.notes[-1] == (
        f"the images are grey and the weights of {SMALL} were learnt in colour: each is repeated to three channels"
    )
    x = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        assert torch.allclose(taken(x), twin(SMALL, original, (x.repeat(1, 3, 1, 1) - 0.4) / 0.2), atol=1e-5)


def test_names_that_fit_with_shapes_that_do_not_are_refused_with_both_sizes(tmp_path: Path) -> None:
    path, state = tmp_path / "model.pth", published(SMALL).state_dict()
    torch.save({f"module.{key}": value[..., None] for key, value in state.items()}, path)
    said = refusal(SMALL, path)
    assert f"{len(state) - 2} of another shape (bn1.bias, " in said
    assert "bn1.bias is 32 x 1 in the file, 32 in the network" in said


def test_places_of_images_of_another_size_are_refused_with_both_sizes(tmp_path: Path) -> None:
    name = "timm:vit_tiny_patch16_224"
    torch.save(published(name).state_dict(), tmp_path / "model.pth")
    said = refusal(name, tmp_path / "model.pth", size=64)
    assert "pos_embed is 1 x 197 x 192 in the file, 1 x 17 x 192 in the network" in said
    assert said.endswith("see --data.image_size")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.onnx", b"\x08\x08", "is a network in ONNX"),
        ("model.safetensors.index.json", b"{}", "lists the parts of weights that lie in several files"),
        ("model.h5", b"", "are neither .safetensors nor .pth or .pt, .bin, .ckpt"),
        ("model.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
        ("model.safetensors", b"<!DOCTYPE html><title>404</title>", "is a page of a web site"),
    ],
)
def test_other_files_are_refused_by_what_they_are(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refusal(SMALL, tmp_path / name)


@pytest.mark.parametrize("held", [{"state_dict": {}}, {}])
def test_an_empty_state_dict_is_refused(held: dict[str, Any], tmp_path: Path) -> None:
    torch.save(held, tmp_path / "model.pth")
    assert "holds no tensors by name" in refusal(SMALL, tmp_path / "model.pth")
    save_file({}, tmp_path / "model.safetensors")
    assert "does not fit the network" in refusal(SMALL, tmp_path / "model.safetensors")
