"""What every network must do, ours and a sample of torchvision's and timm's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sandbox.backbones.catalog import make_backbone, own_backbones
from sandbox.backbones.embed import embed
from sandbox.backbones.network import Network, make_network
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec

CPU = torch.device("cpu")
OWN = [(name, max(size, own.least)) for name, own in own_backbones().items() for size in (32, 64)]
OWN = list(dict.fromkeys(OWN))
OTHERS = [
    ("torchvision:resnet18", 32),
    ("torchvision:mobilenet_v3_small", 32),
    ("torchvision:squeezenet1_1", 64),
    ("torchvision:shufflenet_v2_x0_5", 32),
    ("torchvision:densenet121", 32),
    ("torchvision:googlenet", 64),
    ("torchvision:alexnet", 224),
    ("timm:resnet10t", 32),
    ("timm:efficientnet_lite0", 32),
    ("timm:vit_tiny_patch16_224", 32),
]
GREY = [*dict(OWN).items(), *((name, size) for name, size in OTHERS if name.split(":")[1] in ("resnet18", "resnet10t"))]
CASES = [(name, size, 3) for name, size in OWN + OTHERS] + [(name, size, 1) for name, size in GREY]
FEATURES = {
    "conv4": 4096,
    "conv6": 4096,
    "nn4_small2": 128,
    "resnet18_projected": 512,
    "resnet_small": 4096,
    "shufflenet_thumbnail": 2048,
    "torchvision:resnet18": 512,
    "torchvision:mobilenet_v3_small": 1024,
    "torchvision:squeezenet1_1": 512,
    "torchvision:shufflenet_v2_x0_5": 1024,
    "torchvision:densenet121": 1024,
    "torchvision:googlenet": 1024,
    "torchvision:alexnet": 4096,
    "timm:resnet10t": 512,
    "timm:efficientnet_lite0": 1280,
    "timm:vit_tiny_patch16_224": 192,
}


def network(name: str, size: int, channels: int = 3, **spec: object) -> Network:
    torch.manual_seed(0)
    return make_network(
        BackboneSpec(name=name, embedding_dim=24, **spec),  # type: ignore[arg-type]
        channels=channels,
        image_size=size,
        mean=[0.4] * channels,
        std=[0.2] * channels,
    )


def pixels(n: int, size: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, channels), dtype=np.uint8)


@pytest.mark.parametrize(("name", "size", "channels"), CASES)
def test_it_trains_and_embeds_each_image_by_itself(name: str, size: int, channels: int) -> None:
    made = network(name, size, channels)
    assert made.backbone.features == FEATURES.get(name, made.backbone.features)
    assert made.dim == 24
    images = pixels(4, size, channels)
    x = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255).requires_grad_()
    made(x)[:, :12].square().sum().backward()
    assert x.grad is not None
    assert x.grad.flatten(1).any(1).all()  # every image has its say
    gradients = [p.grad for p in made.parameters() if p.requires_grad]
    assert all(g is not None and g.isfinite().all() for g in gradients)

    made.train()
    together = embed(made, images, device=CPU)
    alone = embed(made, images[2:3], device=CPU)
    assert together.shape == (4, 24)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together[2], alone[0], atol=1e-4)
    assert np.allclose(together, embed(made, images, device=CPU, batch=3), atol=1e-4)
    assert made.training
    assert all(module.training for module in made.modules())
    embed(made.eval(), images[:1], device=CPU)
    assert not made.training


@pytest.mark.parametrize(("name", "size"), [*OWN[:2], *OTHERS[:1]])
def test_a_head_of_none_puts_out_the_features(name: str, size: int) -> None:
    made = network(name, size, head="none")
    assert made.dim == FEATURES[name]
    assert made(torch.zeros(2, 3, size, size)).shape == (2, FEATURES[name])


def first_map(backbone: torch.nn.Module, size: int) -> int:
    """Side of the map that the first convolution puts out."""
    sides = []
    for module in backbone.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda m, args, out: sides.append(out.shape[-1]))
    backbone.eval()(torch.zeros(1, 3, size, size))
    return sides[0]


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("torchvision:resnet18", 16),
        ("torchvision:mobilenet_v3_small", 16),
        ("timm:resnet10t", 16),
        ("timm:resnet18", 16),
    ],
)
def test_the_small_stem_keeps_the_resolution_of_the_first_layer(name: str, standard: int) -> None:
    def first(size: int, stem: str) -> int:
        return first_map(make_backbone(name, channels=3, image_size=size, stem=stem, pretrained=False), size)

    assert first(32, "small") == 32
    assert first(32, "standard") == standard
    assert first(32, "auto") == 32
    assert first(64, "auto") == 64
    assert first(96, "auto") == 48


def test_the_small_stem_drops_the_pooling_too() -> None:
    made = make_backbone("torchvision:resnet18", channels=3, image_size=32, stem="small", pretrained=False)
    assert not any(isinstance(module, torch.nn.MaxPool2d) for module in made.modules())


@pytest.mark.parametrize("name", ["conv4", "torchvision:resnet18"])
def test_freezing_leaves_the_head_alone_trainable(name: str) -> None:
    made = network(name, 32, freeze=True)
    trained = {key for key, p in made.named_parameters() if p.requires_grad}
    assert trained == {"head.weight", "head.bias"}
    assert not any(p.requires_grad for p in network(name, 32, freeze=True, head="none").parameters())


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("conv44", 32, "no backbone named 'conv44'; did you mean 'conv4'"),
        ("resnet18", 32, "torchvision:NAME and timm:NAME"),
        ("torchvision:resnet19", 32, "no torchvision network named 'resnet19'; did you mean 'resnet1"),
        ("timm:resnet10", 32, "no timm network named 'resnet10'; did you mean 'resnet1"),
        ("torchvision:", 32, "no backbone named 'torchvision:'"),
        ("huggingface:bert", 32, "no backbone named"),
        ("conv4", 7, "takes images of at least 8 pixels, not 7"),
        ("resnet_small", 4, "takes images of at least 8 pixels, not 4"),
        ("nn4_small2", 64, "nn4_small2 takes images of at least 65 pixels, not 64"),
        ("torchvision:alexnet", 32, "alexnet cannot take 3 x 32 x 32 images"),
        ("torchvision:vgg11", 8, "vgg11 cannot take 3 x 8 x 8 images"),
        ("timm:vit_tiny_patch16_224", 8, "cannot take 3 x 8 x 8 images"),
    ],
)
def test_a_name_or_size_that_does_not_fit_is_refused_in_a_sentence(name: str, size: int, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        network(name, size, stem="auto" if name in own_backbones() else "standard")


@pytest.mark.parametrize("name", own_backbones())
def test_a_network_of_ours_has_no_other_stem_and_nothing_to_fetch(name: str) -> None:
    for stem in ("small", "standard"):
        with pytest.raises(SandboxError, match=rf"--backbone.stem {stem} .* the first layer of {name} is fixed"):
            network(name, 96, stem=stem)
    with pytest.raises(SandboxError, match=rf"fetches weights for {name}; give a file .* --backbone.weights ''\)"):
        network(name, 96, weights="pretrained")


def test_every_network_of_ours_has_a_line() -> None:
    assert all(own.line and "\n" not in own.line for own in own_backbones().values())
    assert {name for name, _ in OWN if not own_backbones()[name].rows} <= FEATURES.keys()


@pytest.mark.parametrize("name", ["conv4", "torchvision:resnet18"])
def test_weights_go_out_and_come_back(name: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    made = network(name, 32)
    with torch.no_grad():
        for p in made.parameters():
            p.add_(0.01)
    save_file(made.state_dict(), tmp_path / "w.safetensors")
    back = network(name, 32, weights=str(tmp_path / "w.safetensors"))
    assert all(torch.equal(value, back.state_dict()[key]) for key, value in made.state_dict().items())
