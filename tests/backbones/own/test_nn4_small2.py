"""NN4.small2.v1 against the table of its layers; the published file was not at hand: its names and shapes are here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.network import Network, make_network
from sandbox.backbones.own.nn4_small2 import Inception, NN4Small2, RootOfSquares
from sandbox.backbones.weights import load_weights
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec

# layer: channels in; 3x3 (reduced to, out), 5x5 (likewise), projection of the pool, 1x1; channels and side out
INCEPTION = {
    14: (192, (96, 128), (16, 32), 32, 64, 256, 12),
    15: (256, (96, 128), (32, 64), 64, 64, 320, 12),
    16: (320, (128, 256), (32, 64), 0, 0, 640, 6),
    17: (640, (96, 192), (32, 64), 128, 256, 640, 6),
    18: (640, (160, 256), (64, 128), 0, 0, 1024, 3),
    19: (1024, (96, 384), None, 96, 256, 736, 3),
    21: (736, (96, 384), None, 96, 256, 736, 3),
}


def published_shapes(channels: int = 3) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that openface.pth holds, from the table; it is older than counts of batches."""
    shapes: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, inner: int, outer: int, kernel: int) -> None:
        shapes.update({f"{name}.weight": (outer, inner, kernel, kernel), f"{name}.bias": (outer,)})

    def norm(name: str, width: int) -> None:
        shapes.update({f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")})

    for layer, inner, outer, kernel in ((1, channels, 64, 7), (6, 64, 64, 1), (9, 64, 192, 3)):
        convolution(f"layer{layer}", inner, outer, kernel)
        norm(f"layer{layer + 1}", outer)
    for layer, (inner, three, five, projection, single, _, _) in INCEPTION.items():
        branches = [(kernel, widths) for kernel, widths in ((3, three), (5, five)) if widths]
        for place, (kernel, (reduced, outer)) in enumerate(branches):
            name = f"layer{layer}.seq_list.{place}"
            convolution(f"{name}.1_conv", inner, reduced, 1)
            norm(f"{name}.2_bn", reduced)
            convolution(f"{name}.4_conv", reduced, outer, kernel)
            norm(f"{name}.5_bn", outer)
        pool, one = f"layer{layer}.seq_list.{len(branches)}", f"layer{layer}.seq_list.{len(branches) + 1}"
        if projection:
            convolution(f"{pool}.2_conv", inner, projection, 1)
            norm(f"{pool}.3_bn", projection)
        if single:
            convolution(f"{one}.1_conv", inner, single, 1)
            norm(f"{one}.2_bn", single)
    shapes |= {"layer25.weight": (128, 736), "layer25.bias": (128,)}
    return shapes


def published(channels: int = 3) -> dict[str, torch.Tensor]:
    """A stand-in for openface.pth, which was not at hand: its names and shapes, with numbers of our own."""
    draw = torch.Generator().manual_seed(7)
    state = {}
    for key, shape in published_shapes(channels).items():
        fan = torch.Size(shape[1:]).numel()
        values = torch.randn(shape, generator=draw) / fan**0.5 if len(shape) > 1 else torch.rand(shape, generator=draw)
        state[key] = values + 0.5 if key.endswith(("running_var", "bn.weight")) else values
    return state


def made(channels: int = 3, size: int = 96) -> NN4Small2:
    torch.manual_seed(0)
    return NN4Small2(channels, size)


def network(channels: int = 3, size: int = 96, **spec: object) -> Network:
    torch.manual_seed(0)
    return make_network(
        BackboneSpec(name="nn4_small2", head="none", **spec),  # type: ignore[arg-type]
        channels=channels,
        image_size=size,
        mean=[0.0] * channels,
        std=[1.0] * channels,
    )


def by_the_formulas(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The network in eval mode once more, from the table and the tensors alone, each step as its formula says."""

    def conv(name: str, x: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, padding)

    def relu_norm(name: str, x: torch.Tensor) -> torch.Tensor:
        mean, var, weight, bias = (
            state[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return ((x - mean) / (var + 1e-5).sqrt() * weight + bias).clamp_min(0)

    def response(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for c in range(x.shape[1]):
            near = x[:, max(0, c - 2) : c + 3].square().sum(1)
            out[:, c] = x[:, c] / (1 + 1e-4 / 5 * near) ** 0.75
        return out

    def pool(layer: int, x: torch.Tensor) -> torch.Tensor:
        step = 3 if layer in (15, 17, 19) else 2
        n = (x.shape[-1] - 3) // step + 1
        out = x.new_zeros(*x.shape[:2], n, n)
        for row in range(n):
            for column in range(n):
                square = x[:, :, step * row : step * row + 3, step * column : step * column + 3].flatten(2)
                out[:, :, row, column] = square.square().sum(2).sqrt() if step == 3 else square.amax(2)
        return out

    def inception(layer: int, x: torch.Tensor) -> torch.Tensor:
        _, three, five, projection, single, channels, side = INCEPTION[layer]
        stride = x.shape[-1] // side
        parts, branches = [], [(kernel, widths) for kernel, widths in ((3, three), (5, five)) if widths]
        for place, (kernel, _) in enumerate(branches):
            name = f"layer{layer}.seq_list.{place}"
            y = relu_norm(f"{name}.2_bn", conv(f"{name}.1_conv", x))
            parts.append(relu_norm(f"{name}.5_bn", conv(f"{name}.4_conv", y, stride, kernel // 2)))
        name = f"layer{layer}.seq_list.{len(branches)}"
        y = pool(layer, x)
        y = relu_norm(f"{name}.3_bn", conv(f"{name}.2_conv", y)) if projection else y
        framed = x.new_zeros(*y.shape[:2], side, side)
        start = (side - y.shape[-1]) // 2
        framed[:, :, start : start + y.shape[-1], start : start + y.shape[-1]] = y
        parts.append(framed)
        if single:
            name = f"layer{layer}.seq_list.{len(branches) + 1}"
            parts.append(relu_norm(f"{name}.2_bn", conv(f"{name}.1_conv", x)))
        joined = torch.cat(parts, 1)
        assert joined.shape[1:] == (channels, side, side)
        return joined

    x = response(F.max_pool2d(relu_norm("layer2", conv("layer1", x, 2, 3)), 3, 2, 1))
    x = relu_norm("layer7", conv("layer6", x))
    x = F.max_pool2d(response(relu_norm("layer10", conv("layer9", x, padding=1))), 3, 2, 1)
    for layer in INCEPTION:
        x = inception(layer, x)
    x = x.sum((2, 3)) / 9 @ state["layer25.weight"].T + state["layer25.bias"]
    return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


def test_the_parameters_are_those_of_the_table() -> None:
    count = sum(parameter.numel() for parameter in made().parameters())
    assert count == 3_733_968
    learnt = [shape for key, shape in published_shapes().items() if "running" not in key]
    assert sum(torch.Size(shape).numel() for shape in learnt) == count
    assert sum(parameter.numel() for parameter in made(1).parameters()) == count - 2 * 64 * 49


def test_it_costs_what_the_table_says() -> None:
    backbone, done = made().eval(), []
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda m, args, out: done.append(out[0].numel() * m.weight[0].numel()))
    backbone(torch.zeros(1, 3, 96, 96))
    assert 195e6 < sum(done) < 205e6


def test_every_layer_puts_out_the_map_of_the_table() -> None:
    backbone, seen = made(), {}
    for name, module in backbone.named_children():
        module.register_forward_hook(lambda m, args, out, name=name: seen.update({name: tuple(out.shape[1:])}))
    out = backbone(torch.rand(2, 3, 96, 96))
    stem = {1: (64, 48, 48), 4: (64, 24, 24), 5: (64, 24, 24), 6: (64, 24, 24), 9: (192, 24, 24), 13: (192, 12, 12)}
    for layer, shape in stem.items():
        assert seen[f"layer{layer}"] == shape
    for layer, (*_, channels, side) in INCEPTION.items():
        assert seen[f"layer{layer}"] == (channels, side, side)
    assert seen["layer22"] == (736, 1, 1)
    assert out.shape == (2, backbone.features) == (2, 128)


def test_its_tensors_have_the_published_names_and_shapes() -> None:
    ours = {key: tuple(v.shape) for key, v in made().state_dict().items() if not key.endswith("num_batches_tracked")}
    assert ours == published_shapes()
    assert "layer14.seq_list.1.4_conv.weight" in ours and "layer19.seq_list.2.1_conv.weight" in ours


def test_it_computes_what_the_table_and_the_formulas_say() -> None:
    state = {key: value.double() for key, value in published().items()}
    backbone = made().double().eval()
    backbone.load_state_dict(state, strict=False)
    x = torch.rand(3, 3, 96, 96, dtype=torch.float64)
    out = backbone(x)
    expected = by_the_formulas(state, x)
    assert expected.std(0).max() > 1e-4  # the images differ, so that the next line means something
    assert torch.allclose(out, expected, rtol=0, atol=1e-9)


def test_lengths_are_right_under_bfloat16_too() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = made().eval()(torch.rand(4, 3, 96, 96))
    assert out.dtype == torch.float32
    assert torch.allclose(out.norm(dim=1), torch.ones(4), atol=1e-4)


def test_the_length_is_that_of_the_formula() -> None:
    backbone = made().eval()
    x = torch.rand(2, 3, 96, 96)
    assert torch.allclose(backbone(x).norm(dim=1), torch.ones(2), atol=1e-3)
    with torch.no_grad():
        backbone.layer25.weight.zero_()
        backbone.layer25.bias.zero_()
        backbone.layer25.bias[5] = 1e-3
    assert torch.allclose(backbone(x)[:, 5], torch.tensor(1e-3 / (1e-6 + 1e-6) ** 0.5))  # half of it is the 1e-6


def test_root_of_squares_is_l2_pooling_with_a_gradient_where_all_is_zero() -> None:
    x = torch.relu(torch.randn(2, 5, 7, 8)).requires_grad_()
    assert torch.allclose(RootOfSquares()(x), F.lp_pool2d(x, 2.0, 3, 3), atol=1e-6)
    assert RootOfSquares()(x).shape == (2, 5, 2, 2)
    flat = torch.zeros(1, 1, 3, 3, requires_grad=True)
    RootOfSquares()(flat).sum().backward()
    assert flat.grad is not None and not flat.grad.any()
    assert torch.autograd.gradcheck(RootOfSquares(), torch.rand(1, 2, 6, 6, dtype=torch.float64).requires_grad_())


def test_a_pooled_map_stands_in_the_middle_of_zeros() -> None:
    layer = Inception(4, {3: (2, 3)}, nn.MaxPool2d(3, 2)).eval()
    for side, place in ((12, slice(3, 8)), (6, slice(2, 4)), (3, slice(1, 2))):
        x = 1 + torch.rand(1, 4, side, side)
        out = layer(x)[:, 3:]
        assert torch.equal(out[:, :, place, place], F.max_pool2d(x, 3, 2))
        assert (out != 0).sum() == 4 * (place.stop - place.start) ** 2
    even = Inception(4, {3: (2, 3)}, nn.MaxPool2d(3, 2), stride=2).eval()
    out = even(1 + torch.rand(1, 4, 6, 6))[:, 3:]
    assert out.shape[2:] == (3, 3) and (out[..., :2, :2] != 0).all() and not out[..., 2, :].any()


def test_the_gradient_reaches_every_parameter_and_is_finite() -> None:
    backbone = made()
    backbone(torch.rand(4, 3, 96, 96))[:, :64].square().sum().backward()  # all 128 have the same length, whatever x
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [65, 80, 97, 128])
def test_other_sizes_and_grey_images_work(size: int, channels: int) -> None:
    assert make_backbone("nn4_small2", channels=channels, image_size=size, stem="auto", pretrained=False)(
        torch.rand(2, channels, size, size)
    ).shape == (2, 128)


def test_sixty_five_pixels_are_the_fewest() -> None:
    with pytest.raises(RuntimeError):  # the network itself has nothing left of sixty-four
        made(3, 64)(torch.zeros(2, 3, 64, 64))
    with pytest.raises(
        SandboxError, match=r"nn4_small2 takes images of at least 65 pixels, not 64; raise --data.image"
    ):
        network(size=64)


@pytest.mark.parametrize("old", [True, False], ids=["before torch 1.6", "today"])
def test_the_published_file_is_read_as_it_was_saved_on_cuda(old: bool, tmp_path: Path) -> None:
    """The file itself was not at hand: this one has its names, its shapes and the mark of a CUDA device."""
    path, state = tmp_path / "openface.pth", published()
    torch.save(state, path, _use_new_zipfile_serialization=not old)
    if old:
        whole = path.read_bytes()
        mark = b"X\x03\x00\x00\x00cpu"
        assert mark in whole
        path.write_bytes(whole.replace(mark, b"X\x06\x00\x00\x00cuda:0"))
        if not torch.cuda.is_available():
            with pytest.raises(RuntimeError, match="on a CUDA device"):
                torch.load(path, weights_only=True)
    taken = network(weights=str(path))
    assert all(torch.equal(value, taken.backbone.state_dict()[key]) for key, value in state.items())
    assert not any(v.any() for key, v in taken.state_dict().items() if key.endswith("num_batches_tracked"))
    x = torch.rand(2, 3, 96, 96)
    assert torch.allclose(taken.eval()(x), by_the_formulas(state, x), atol=1e-4)


def test_published_weights_for_colour_are_refused_for_grey_images_by_name(tmp_path: Path) -> None:
    torch.save(published(), tmp_path / "openface.pth")
    with pytest.raises(SandboxError) as caught:
        load_weights(network(channels=1), tmp_path / "openface.pth")
    said = str(caught.value)
    assert "1 of another shape (layer1.weight)" in said
    assert said.endswith("the file is for images of 3 channels, these have 1: see --data.colour")
