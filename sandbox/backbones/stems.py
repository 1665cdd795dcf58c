"""The first and the last layer of a library's network: a stem for small images, other channels, no classifier."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from torch import nn

from sandbox.errors import SandboxError


def take_off_classifier(network: nn.Module) -> None:
    """Replace the last layer that has weights by nothing: in every classification network it is the classifier."""
    path, last = list(_weighted(network))[-1]
    if not isinstance(last, nn.Linear | nn.Conv2d):
        raise SandboxError(f"the network ends in {type(last).__name__}, not in a classifier that could be taken off")
    _put(network, path, nn.Identity())


def _weighted(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for path, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            yield path, module


def fit_channels(network: nn.Module, channels: int, small: bool) -> bool:
    """Fit the first convolution to the images; whether the stem is now another."""
    path, first = next((p, m) for p, m in _weighted(network) if isinstance(m, nn.Conv2d))
    if channels != first.in_channels:  # type: ignore[comparison-overlap]
        assert isinstance(first, nn.Conv2d)
        new = _like(first, channels=channels)
        if channels == 1:  # a grey image is worth the sum of what the three channels would have given
            new.weight.data.copy_(first.weight.data.sum(1, keepdim=True))
        _put(network, path, new)
    return small and keep_resolution(network)


def keep_resolution(network: nn.Module) -> bool:
    """The stem for small images: the first convolution has stride 1 (7x7 becomes 3x3), the max-pool after it goes.

    Returns:
        Whether there was anything to change.
    """
    seen, changed = 0, False
    for path, module in list(network.named_modules()):
        if isinstance(module, nn.Conv2d):
            seen += 1
            if seen == 1 and module.stride != (1, 1) and module.kernel_size[0] <= 11:
                _put(network, path, _like(module, stride=1, kernel=min(3, module.kernel_size[0])))
                changed = True
        if isinstance(module, nn.MaxPool2d) and seen <= 1:
            _put(network, path, nn.Identity())
            return True
    return changed


def _like(layer: nn.Conv2d, *, channels: int = 0, stride: int = 0, kernel: int = 0) -> nn.Conv2d:
    if stride and kernel and _standardised(layer):
        return _standardised_like(layer, stride, kernel)
    size = kernel or layer.kernel_size[0]
    padding = size // 2 if kernel else layer.padding
    return nn.Conv2d(
        channels or layer.in_channels,
        layer.out_channels,
        size,
        stride or layer.stride,  # type: ignore[arg-type]
        padding,  # type: ignore[arg-type]
        bias=layer.bias is not None,
    )


def _standardised(layer: nn.Conv2d) -> bool:
    """Whether a layer scales its weights before it uses them, as those of networks without batch norm do."""
    return type(layer).__name__.startswith(("ScaledStdConv2d", "StdConv2d"))


def _standardised_like(layer: nn.Conv2d, stride: int, kernel: int) -> nn.Conv2d:
    """The same kind of layer over the middle of its weights: a plain convolution in its place would not scale them."""
    new = copy.deepcopy(layer)
    cut = (layer.kernel_size[0] - kernel) // 2
    new.weight = nn.Parameter(layer.weight.detach()[:, :, cut : cut + kernel, cut : cut + kernel].clone())
    new.kernel_size, new.stride, new.padding = (kernel, kernel), (stride, stride), (kernel // 2, kernel // 2)
    if hasattr(new, "scale"):  # by the root of the weights that each output sums over
        new.scale = layer.scale * layer.kernel_size[0] / kernel  # type: ignore[operator,assignment]
    if hasattr(new, "same_pad"):
        new.same_pad = False  # type: ignore[assignment]  # at stride 1 both paddings are one
    return new


def _put(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, leaf = path.rpartition(".")
    setattr(network.get_submodule(parent), leaf, module)
