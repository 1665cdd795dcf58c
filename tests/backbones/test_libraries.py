from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.libraries import Trunk
from sandbox.errors import SandboxError


def made(name: str, size: int, stem: str, channels: int = 3) -> Trunk:
    torch.manual_seed(0)
    trunk = make_backbone(f"torchvision:{name}", channels=channels, image_size=size, stem=stem, pretrained=False)
    assert isinstance(trunk, Trunk)
    return trunk


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


# Layers of each stage, and the parameters of the published network with its classifier of 1000.
DEEP = {
    "resnet50": ([3, 4, 6, 3], 25_557_032),
    "resnet101": ([3, 4, 23, 3], 44_549_160),
    "resnet152": ([3, 8, 36, 3], 60_192_808),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_deep_resnet_with_the_small_stem_is_the_one_for_thumbnails(name: str) -> None:
    depths, standard = DEEP[name]
    trunk = made(name, 32, "small")
    stages = [trunk.network.get_submodule(f"layer{n}") for n in (1, 2, 3, 4)]
    assert [len(list(stage.children())) for stage in stages] == depths
    assert all(isinstance(b, torchvision.models.resnet.Bottleneck) for stage in stages for b in stage.children())

    stem = trunk.network.conv1
    assert isinstance(stem, nn.Conv2d)
    assert (stem.kernel_size, stem.stride, stem.padding, stem.bias) == ((3, 3), (1, 1), (1, 1), None)
    assert not any(isinstance(module, nn.MaxPool2d) for module in trunk.modules())
    assert not any(isinstance(module, nn.Linear) for module in trunk.modules())
    assert parameters(trunk) == standard - (2048 * 1000 + 1000) - 64 * 3 * (7 * 7 - 3 * 3)

    sides = []
    for stage in stages:
        stage.register_forward_hook(lambda module, args, out: sides.append(tuple(out.shape[1:])))
    with torch.no_grad():
        out = trunk.eval()(torch.zeros(1, 3, 32, 32))
    assert sides == [(256, 32, 32), (512, 16, 16), (1024, 8, 8), (2048, 4, 4)]
    assert out.shape == (1, trunk.features) == (1, 2048)


def test_auto_takes_the_small_stem_for_thumbnails_and_the_standard_one_for_large_images() -> None:
    assert parameters(made("resnet50", 32, "auto")) == parameters(made("resnet50", 32, "small")) == 23_500_352
    assert parameters(made("resnet50", 224, "auto")) == parameters(made("resnet50", 32, "standard")) == 23_508_032


def test_the_gradient_reaches_every_parameter_of_a_deep_resnet() -> None:
    trunk = made("resnet50", 32, "small")
    trunk(torch.randn(4, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in trunk.parameters())


@pytest.mark.parametrize("name", ["resnet18", "resnet34"])
def test_the_shallow_resnets_put_out_512_features(name: str) -> None:
    for size, stem in ((32, "small"), (64, "standard"), (224, "auto")):
        trunk = made(name, size, stem)
        assert trunk.features == 512
        with torch.no_grad():
            assert trunk.eval()(torch.zeros(1, 3, size, size)).shape == (1, 512)


@pytest.mark.parametrize(
    ("size", "stem", "first", "expected"),
    [
        (224, "auto", 55, 57_003_840),
        (64, "standard", 15, 57_003_840),
        (63, "standard", 15, 57_003_840),
        (64, "auto", 64, 57_003_840 - 64 * 3 * (11 * 11 - 3 * 3)),
    ],
)
def test_alexnet_without_its_last_layer_puts_out_4096_features(size: int, stem: str, first: int, expected: int) -> None:
    trunk = made("alexnet", size, stem)
    assert parameters(trunk) == expected
    assert [m.out_features for m in trunk.modules() if isinstance(m, nn.Linear)] == [4096, 4096]
    sides = []
    trunk.network.get_submodule("features.0").register_forward_hook(lambda m, args, out: sides.append(out.shape[-1]))
    with torch.no_grad():
        out = trunk.eval()(torch.randn(2, 3, size, size))
    assert sides == [first]
    assert out.shape == (2, trunk.features) == (2, 4096)
    assert (out >= 0).all()  # the second of its two ReLUs comes last
    assert out.any()


@pytest.mark.parametrize("size", [32, 62])
def test_alexnet_with_its_own_stem_refuses_images_that_its_pooling_uses_up(size: int) -> None:
    with pytest.raises(SandboxError, match=f"alexnet cannot take 3 x {size} x {size} images: .*too small"):
        made("alexnet", size, "standard")
