from __future__ import annotations

import math

import pytest
import torch
import torchvision
from torch import nn

from sandbox.backbones.own.resnet18_projected import ProjectedBlock, ResNet18Projected


def made(channels: int = 3, size: int = 224) -> ResNet18Projected:
    torch.manual_seed(0)
    return ResNet18Projected(channels, size)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def blocks(network: nn.Module) -> list[ProjectedBlock]:
    return [module for module in network.modules() if isinstance(module, ProjectedBlock)]


def test_every_one_of_the_eight_blocks_has_a_projection() -> None:
    found = blocks(made())
    assert [block.shortcut[0].out_channels for block in found] == [64, 64, 128, 128, 256, 256, 512, 512]
    for block in found:
        convolution, norm = block.shortcut
        assert isinstance(convolution, nn.Conv2d) and convolution.kernel_size == (1, 1)
        assert isinstance(norm, nn.BatchNorm2d)
    assert [block.shortcut[0].stride[0] for block in found] == [1, 1, 2, 1, 2, 1, 2, 1]


def test_the_parameters_are_those_of_resnet18_and_of_five_more_projections() -> None:
    usual = parameters(torchvision.models.resnet18()) - (512 * 1000 + 1000)
    more = sum(width * width + 2 * width for width in (64, 64, 128, 256, 512))
    assert (usual, more) == (11_176_512, 354_304)
    assert parameters(made()) == usual + more == 11_530_816
    assert parameters(made(1)) == 11_530_816 - 2 * 64 * 49


@pytest.mark.parametrize(("size", "sides"), [(224, [56, 56, 28, 14, 7]), (64, [16, 16, 8, 4, 2]), (8, [2, 2, 1, 1, 1])])
def test_the_maps_halve_from_stage_to_stage(size: int, sides: list[int]) -> None:
    network, shapes = made(3, size), []
    for part in (network.stem, *network.stages):
        part.register_forward_hook(lambda module, args, out: shapes.append(tuple(out.shape[1:])))
    out = network(torch.zeros(2, 3, size, size))
    widths = [64, 64, 128, 256, 512]
    assert shapes == [(width, side, side) for width, side in zip(widths, sides, strict=True)]
    assert out.shape == (2, network.features) == (2, 512)


def with_identities(theirs: nn.Module) -> ResNet18Projected:
    """Ours with the weights of torchvision's, and projections that change nothing where theirs has none."""
    ours = made()
    ours.stem[0].load_state_dict(theirs.conv1.state_dict())  # type: ignore[union-attr, operator]
    ours.stem[1].load_state_dict(theirs.bn1.state_dict())  # type: ignore[union-attr, operator]
    kept = [m for m in theirs.modules() if isinstance(m, torchvision.models.resnet.BasicBlock)]
    for block, given in zip(blocks(ours), kept, strict=True):
        for place, name in ((0, "conv1"), (1, "bn1"), (3, "conv2"), (4, "bn2")):
            block.body[place].load_state_dict(given.get_submodule(name).state_dict())
        if given.downsample is not None:
            block.shortcut.load_state_dict(given.downsample.state_dict())
        else:
            convolution, norm = block.shortcut
            nn.init.dirac_(convolution.weight)  # type: ignore[arg-type]
            nn.init.constant_(norm.weight, math.sqrt(1 + norm.eps))  # type: ignore[arg-type, operator]
    return ours


def test_projections_that_change_nothing_leave_the_usual_resnet18() -> None:
    torch.manual_seed(1)
    theirs = torchvision.models.resnet18()
    theirs.fc = nn.Identity()
    theirs(torch.randn(4, 3, 64, 64))  # batch statistics of their own
    ours, theirs = with_identities(theirs).eval(), theirs.eval()
    for size in (64, 224):
        x = torch.randn(2, 3, size, size)
        expected = theirs(x)
        assert expected.std() > 1e-3
        assert torch.allclose(ours(x), expected, rtol=1e-4, atol=1e-5)


def test_a_projection_has_its_say() -> None:
    network, x = made().eval(), torch.randn(2, 3, 64, 64)
    before = network(x)
    for block in blocks(network):
        weight = block.shortcut[0].weight
        kept = weight.detach().clone()
        nn.init.zeros_(weight)  # type: ignore[arg-type]
        assert not torch.allclose(network(x), before, rtol=1e-3)
        weight.data.copy_(kept)  # type: ignore[union-attr, operator]
    assert torch.equal(network(x), before)


def test_the_gradient_reaches_every_parameter() -> None:
    network = made()
    network(torch.randn(4, 3, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in network.parameters())


def test_in_eval_mode_an_image_does_not_depend_on_its_batch_and_in_train_mode_it_does() -> None:
    network, x = made().double(), torch.randn(4, 3, 64, 64, dtype=torch.float64)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics of the last batch, so that images come out well apart
    started = network.stem[1].running_mean.clone()  # type: ignore[union-attr, operator]
    with torch.no_grad():
        assert not torch.allclose(network(x[:2]), network(x)[:2], rtol=1e-3)
        moved = network.stem[1].running_mean.clone()  # type: ignore[union-attr, operator]
        assert not torch.equal(started, moved)
        network.eval()
        together, alone = network(x), torch.cat([network(x[n : n + 1]) for n in range(4)])
    assert together.std(0).max() > 0.1  # the images differ, so that the next line means something
    assert torch.allclose(together, alone, rtol=0, atol=1e-9)
    assert torch.equal(network.stem[1].running_mean, moved)  # type: ignore[union-attr, arg-type]
