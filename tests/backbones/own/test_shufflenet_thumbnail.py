from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models.shufflenetv2 import InvertedResidual

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.own.shufflenet_thumbnail import BasicUnit, DownUnit, ShuffleNetThumbnail, shuffle_channels
from sandbox.errors import SandboxError


def made(channels: int = 3, size: int = 32) -> ShuffleNetThumbnail:
    torch.manual_seed(0)
    return ShuffleNetThumbnail(channels, size)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def put_out(network: nn.Module, names: list[str], x: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """Shape (C, H, W) that each named part puts out."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> None:
        network.get_submodule(name).register_forward_hook(
            lambda module, args, out: shapes.update({name: tuple(out.shape[1:])})
        )

    for name in names:
        note(name)
    network(x)
    return shapes


def test_the_parameters_are_those_of_the_table() -> None:
    network = made()
    assert parameters(network.conv1) == 336
    assert parameters(network.stage2) == 87_280
    assert parameters(network.stage3) == 1_726_952
    assert parameters(network.conv5) == 2_002_944
    assert parameters(network) == 3_817_512
    assert parameters(nn.Linear(network.features, 2300)) == 4_712_700
    assert parameters(nn.Sequential(network, nn.Linear(network.features, 2300))) == 8_530_212


def test_the_maps_are_those_of_the_table() -> None:
    stages = [f"stage{n}.{unit}" for n in (2, 3) for unit in range(4)]
    shapes = put_out(made(), ["conv1", *stages, "conv5", "pool"], torch.zeros(2, 3, 32, 32))
    assert shapes.pop("conv1") == (24, 31, 31)
    assert shapes.pop("conv5") == (2048, 7, 7)
    assert shapes.pop("pool") == (2048, 1, 1)
    assert shapes == {name: (224, 15, 15) if name.startswith("stage2") else (976, 7, 7) for name in stages}


def test_an_image_takes_215_million_multiply_adds_with_2300_classes() -> None:
    done: list[int] = []
    network = nn.Sequential(made(), nn.Linear(2048, 2300))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(
                lambda module, args, out: done.append(out[0].numel() * module.weight[0].numel())
            )
    network.eval()(torch.zeros(1, 3, 32, 32))
    assert sum(done) / 1e6 == pytest.approx(215.3, abs=0.05)


def test_every_convolution_has_no_bias_and_a_batch_norm_after_it() -> None:
    modules = [m for m in made().modules() if not list(m.children())]
    convolutions = [place for place, m in enumerate(modules) if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 1 + 2 * (5 + 3 * 3) + 1
    assert all(modules[place].bias is None for place in convolutions)
    for place in convolutions:
        after = modules[place + 1]
        assert isinstance(after, nn.BatchNorm2d)
        assert after.num_features == modules[place].out_channels
    # A depthwise convolution is followed by batch norm alone, every other one by ReLU too.
    for place in convolutions:
        assert isinstance(modules[place + 2], nn.ReLU) == (modules[place].groups == 1)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 3), half=st.integers(1, 7), height=st.integers(1, 4), width=st.integers(1, 4))
def test_the_channel_shuffle_is_that_of_a_loop(n: int, half: int, height: int, width: int) -> None:
    x = torch.arange(n * 2 * half * height * width).view(n, 2 * half, height, width)
    expected = torch.empty_like(x)
    for group in range(2):
        for place in range(half):  # (groups, channels of a group) turned to (channels of a group, groups)
            expected[:, place * 2 + group] = x[:, group * half + place]
    assert torch.equal(shuffle_channels(x[:, :half], x[:, half:]), expected)
    last = x.contiguous(memory_format=torch.channels_last)
    assert torch.equal(shuffle_channels(last[:, :half], last[:, half:]), expected)


def test_half_of_the_channels_pass_a_basic_unit_untouched() -> None:
    x = torch.randn(2, 12, 5, 5)
    out = BasicUnit(12)(x)
    assert out.shape == x.shape
    assert torch.equal(out[:, 0::2], x[:, :6])
    assert not torch.isclose(out[:, 1::2], x[:, 6:]).all()


def test_a_basic_unit_is_that_of_the_paper() -> None:
    ours, theirs = BasicUnit(16), InvertedResidual(16, 16, 1)
    for mode in (True, False):
        theirs.branch2.load_state_dict(ours.right.state_dict())
        x = torch.randn(3, 16, 6, 6)
        assert torch.allclose(ours.train(mode)(x), theirs.train(mode)(x), atol=1e-6)


def test_a_down_unit_is_that_of_the_paper_without_padding_where_their_widths_agree() -> None:
    ours, theirs = DownUnit(8, 16), InvertedResidual(8, 16, 2)  # the paper's right branch is outer / 2 wide, ours inner
    for module in theirs.modules():
        if isinstance(module, nn.Conv2d):
            module.padding = (0, 0)
    for mode in (True, False):
        theirs.branch1.load_state_dict(ours.left.state_dict())
        theirs.branch2.load_state_dict(ours.right.state_dict())
        x = torch.randn(3, 8, 9, 9)
        out = ours.train(mode)(x)
        assert out.shape == (3, 16, 4, 4)
        assert torch.allclose(out, theirs.train(mode)(x), atol=1e-6)


def test_the_right_branch_of_a_down_unit_widens_at_its_end() -> None:
    unit = DownUnit(24, 224)
    assert [m.weight.shape for m in unit.left if isinstance(m, nn.Conv2d)] == [(24, 1, 3, 3), (112, 24, 1, 1)]
    right = [m.weight.shape for m in unit.right if isinstance(m, nn.Conv2d)]
    assert right == [(24, 24, 1, 1), (24, 1, 3, 3), (112, 24, 1, 1)]


def test_the_gradient_reaches_every_parameter() -> None:
    network = made()
    network(torch.randn(4, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in network.parameters())


def test_in_eval_mode_an_image_does_not_depend_on_its_batch_and_in_train_mode_it_does() -> None:
    network, x = made().double(), torch.randn(4, 3, 32, 32, dtype=torch.float64)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics of the last batch, so that images come out well apart
    started = network.conv1[1].running_mean.clone()  # type: ignore[union-attr, operator]
    with torch.no_grad():
        assert not torch.allclose(network(x[:2]), network(x)[:2], rtol=1e-3)
        moved = network.conv1[1].running_mean.clone()  # type: ignore[union-attr, operator]
        assert not torch.equal(started, moved)
        network.eval()
        together, alone = network(x), torch.cat([network(x[n : n + 1]) for n in range(4)])
    assert together.std(0).max() > 0.1  # the images differ, so that the next line means something
    assert torch.allclose(together, alone, rtol=0, atol=1e-9)
    assert torch.equal(network.conv1[1].running_mean, moved)  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize(("size", "last"), [(8, 1), (9, 1), (12, 2), (31, 6), (33, 7), (64, 15)])
def test_other_sizes_are_averaged_to_the_same_features(size: int, last: int) -> None:
    network = made(1, size)
    assert put_out(network, ["stage3"], torch.zeros(2, 1, size, size))["stage3"] == (976, last, last)
    assert network(torch.zeros(2, 1, size, size)).shape == (2, 2048)


def test_eight_pixels_are_the_fewest() -> None:
    with pytest.raises(RuntimeError):  # the network itself has nothing left of seven
        made(3, 7)(torch.zeros(2, 3, 7, 7))
    with pytest.raises(SandboxError, match="shufflenet_thumbnail takes images of at least 8 pixels, not 7"):
        make_backbone("shufflenet_thumbnail", channels=3, image_size=7, stem="auto", pretrained=False)
    make_backbone("shufflenet_thumbnail", channels=3, image_size=8, stem="auto", pretrained=False)
