"""Every family of the study of architectures: it is made for 32 pixels and trains."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import nn

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.cost import least_side, multiply_adds, outline, own_side
from sandbox.backbones.families import FAMILIES, family_of
from sandbox.backbones.libraries import Trunk
from sandbox.errors import SandboxError

LARGE = ("AlexNet", "VGG")  # tens of millions of weights, which need not be drawn to see that they would learn


def made(name: str, size: int, stem: str = "auto") -> Trunk:
    torch.manual_seed(0)
    trunk = make_backbone(name, channels=3, image_size=size, stem=stem, pretrained=False)
    assert isinstance(trunk, Trunk)
    return trunk


@pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])
def test_the_smallest_network_of_a_family_takes_a_step_at_32_pixels(family: object) -> None:
    from sandbox.backbones.families import Family

    assert isinstance(family, Family)
    name = family.networks[0]
    network = outline(name, 32) if family.name in LARGE else made(name, 32)
    device = next(network.parameters()).device
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    before = [weight.detach().clone() for weight in network.parameters()]
    out = network.train()(torch.rand(2, 3, 32, 32, device=device))
    assert out.shape == (2, network.features)
    out.square().mean().backward()
    optimizer.step()
    assert all(weight.grad is not None for weight in network.parameters())
    if family.name not in LARGE:
        assert all(weight.isfinite().all() for weight in network.parameters())
        assert any(not torch.equal(*pair) for pair in zip(before, network.parameters(), strict=True))


def test_every_network_that_is_named_exists_and_is_of_its_family() -> None:
    for family in FAMILIES:
        for name in family.networks:
            source, _, inner = name.partition(":")
            assert timm.is_model(inner) if source == "timm" else inner in torchvision.models.list_models()
            assert family_of(name) == family, name
    assert family_of("timm:resnest50d_4s2x40d") is not family_of("timm:resnet50")
    assert family_of("conv4") is None


@pytest.mark.parametrize("name", ["timm:resnet10t", "timm:mobilenetv2_050", "timm:regnetx_002", "timm:test_nfnet"])
def test_the_small_stem_leaves_more_of_32_pixels_than_the_papers(name: str) -> None:
    def last_map(stem: str) -> int:
        sides: list[int] = []
        network = outline(name, 32, stem)
        for module in network.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
                module.register_forward_hook(lambda m, args, out: sides.append(out.shape[-1]))
        network.eval()(torch.zeros(1, 3, 32, 32, device="meta"))
        return sides[-1]

    assert last_map("small") == 2 * last_map("standard") or last_map("small") == 4 * last_map("standard")


def test_the_small_stem_of_a_network_without_batch_norm_still_scales_its_weights() -> None:
    network = made("timm:test_nfnet", 32).eval()
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        before = network(x)
        first.weight.mul_(7).add_(3)
        assert first.stride == (1, 1) and torch.allclose(network(x), before, atol=1e-4)


def test_a_vision_transformer_gets_small_patches_only_where_they_are_asked_for() -> None:
    def patches(stem: str) -> int:
        return outline("timm:vit_tiny_patch16_224", 32, stem).network.patch_embed.num_patches

    assert (patches("small"), patches("auto"), patches("standard")) == (64, 4, 4)


def test_pixels_that_no_patch_reads_are_said() -> None:
    (said,) = outline("timm:vit_small_patch14_dinov2", 32).notes
    assert said == (
        "timm:vit_small_patch14_dinov2 reads patches of 14 pixels, and 4 of 32 pixels at the right and below are read "
        "by none: --data.image_size 28 or 42"
    )
    assert not outline("timm:test_vit", 32).notes


def test_a_small_stem_that_changes_nothing_is_said() -> None:
    (said,) = outline("torchvision:vit_b_32", 32, "small").notes
    assert said.startswith("--backbone.stem small changes nothing of torchvision:vit_b_32")


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("torchvision:alexnet", 32, "it takes images of at least 63 pixels: raise --data.image_size"),
        ("torchvision:inception_v3", 32, "it takes images of at least 75 pixels: raise --data.image_size"),
        ("timm:test_vit", 8, "it takes images of at least 16 pixels: raise --data.image_size"),
        ("torchvision:vit_b_16", 8, "it takes images of at least 16 pixels: raise --data.image_size"),
        ("torchvision:vit_b_16", 40, "at least 16 pixels, and 48 is the next side above 40 that works: see --data.im"),
    ],
)
def test_images_that_are_too_small_are_refused_with_the_side_that_works(name: str, size: int, said: str) -> None:
    with pytest.raises(SandboxError) as caught, torch.device("meta"):
        make_backbone(name, channels=3, image_size=size, stem="standard", pretrained=False)
    assert str(caught.value).startswith(f"{name} cannot take 3 x {size} x {size} images: ")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_the_smallest_side_is_one_that_works_and_with_one_pixel_less_nothing_does() -> None:
    assert least_side("torchvision:alexnet", "standard") == 63
    assert least_side("torchvision:alexnet", "small") == 7
    assert least_side("timm:test_vit", "standard") == 16
    outline("torchvision:alexnet", 7, "small")
    with pytest.raises(SandboxError):
        outline("torchvision:alexnet", 6, "small")


def test_multiply_adds_are_those_of_each_layer() -> None:
    """By hand: outputs times what each sums over; 1.82 billion is what torchvision's own table says of ResNet-18."""
    network = outline("torchvision:resnet18", 224)
    sums = 0

    def add(module: nn.Module, args: object, out: torch.Tensor) -> None:
        nonlocal sums
        assert isinstance(module, nn.Conv2d)
        sums += out.numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, nn.Conv2d)]
    network.eval()(torch.zeros(1, 3, 224, 224, device="meta"))
    for hook in hooks:
        hook.remove()
    assert multiply_adds(network, 224) == sums
    assert sums == pytest.approx(1.814e9, rel=0.01)
    assert own_side("timm:test_vit") == 160 and own_side("conv4") == 32
