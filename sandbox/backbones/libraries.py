"""Any classification network of torchvision or timm as a feature extractor, by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from sandbox.errors import SandboxError, unknown
from sandbox.wording import reason


class Trunk(nn.Module):
    """A library's network without its classifier.

    `features` is the length of what it emits, `name` the library's and its own, and `small` says that its stem is
    another than the library's.
    """

    def __init__(self, network: nn.Module, features: int, name: str, small: bool):
        super().__init__()
        self.network = network
        self.features = features
        self.name = name
        self.small = small

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) float to features (N, F)."""
        return self.network(x).flatten(1)


def torchvision_names() -> list[str]:
    """Every classification network that torchvision builds."""
    import torchvision

    return torchvision.models.list_models(module=torchvision.models)


def timm_names(filter: str = "") -> list[str]:
    """Every network that timm builds."""
    return _timm().list_models(filter)


def torchvision_trunk(name: str, *, channels: int, image_size: int, small: bool, pretrained: bool) -> Trunk:
    """A torchvision network with its last linear (or 1x1 convolution) layer taken off.

    Raises:
        SandboxError: no such network, weights that cannot be fetched, or images too small for it.
    """
    import torchvision

    if name not in torchvision_names():
        raise unknown("torchvision network", name, torchvision_names(), "python experiments/run.py --list backbones")
    extra: dict[str, Any] = {}
    if name in ("inception_v3", "googlenet") and not pretrained:
        extra = {"aux_logits": False, "init_weights": True}
    if name.startswith("vit_") and not pretrained:
        extra = {"image_size": image_size}
    network = _fetch(
        lambda: torchvision.models.get_model(name, weights="DEFAULT" if pretrained else None, **extra), name
    )
    if pretrained and name in ("inception_v3", "googlenet"):
        network.aux_logits = False  # type: ignore[assignment]
    _take_off_classifier(network)
    changed = _adapt(network, channels, small)
    return _measured(network, f"torchvision:{name}", channels, image_size, changed)


def timm_trunk(name: str, *, channels: int, image_size: int, small: bool, pretrained: bool) -> Trunk:
    """A timm network without its classifier.

    Raises:
        SandboxError: timm is not installed, no such network, weights that cannot be fetched, or images too small.
    """
    timm = _timm()
    if not timm.is_model(name):
        raise unknown("timm network", name, timm.list_models(), "python experiments/run.py --list backbones")
    extra: dict[str, Any] = {"img_size": image_size} if _takes_image_size(name) else {}
    network = _fetch(
        lambda: timm.create_model(name, pretrained=pretrained, num_classes=0, in_chans=channels, **extra), name
    )
    changed = small and _keep_resolution(network)
    return _measured(network, f"timm:{name}", channels, image_size, changed)


def whole_network(name: str) -> nn.Module:
    """A library's network as it is published, with its classifiers and random weights.

    Args:
        name: ``torchvision:NAME`` or ``timm:NAME``.
    """
    source, _, inner = name.partition(":")
    if source == "timm":
        return _timm().create_model(inner, pretrained=False)
    import torchvision

    extra: dict[str, Any] = {"init_weights": False} if inner in ("inception_v3", "googlenet") else {}
    return torchvision.models.get_model(inner, weights=None, **extra)


def timm_filter(name: str) -> Callable[..., Any] | None:
    """What timm renames the tensors of a published file with, given them and the network; None where it has none."""
    import sys

    from timm.models import model_entrypoint

    return getattr(sys.modules[model_entrypoint(name.partition(":")[2]).__module__], "checkpoint_filter_fn", None)


def _timm() -> Any:
    try:
        import timm
    except ImportError:
        raise SandboxError("timm is not installed; run: pip install timm") from None
    return timm


def _takes_image_size(name: str) -> bool:
    import inspect

    from timm.models import model_entrypoint

    source = inspect.getsource(inspect.getmodule(model_entrypoint(name)))  # type: ignore[arg-type]
    return (
        name.split("_")[0] in ("vit", "deit", "swin", "swinv2", "beit", "eva", "mixer", "cait") and "img_size" in source
    )


def _fetch(make: Any, name: str) -> nn.Module:
    try:
        return make()
    except (OSError, RuntimeError) as error:  # URLError is an OSError; timm raises RuntimeError where no weights exist
        raise SandboxError(
            f"cannot make {name}: {reason(error, 200)}; leave --backbone.weights out for random weights"
        ) from None


def _take_off_classifier(network: nn.Module) -> None:
    """Replace the last layer that has weights by nothing: in every classification network it is the classifier."""
    path, last = list(_weighted(network))[-1]
    if not isinstance(last, nn.Linear | nn.Conv2d):
        raise SandboxError(f"the network ends in {type(last).__name__}, not in a classifier that could be taken off")
    _put(network, path, nn.Identity())


def _weighted(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for path, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            yield path, module


def _adapt(network: nn.Module, channels: int, small: bool) -> bool:
    """Fit the first convolution to the images; whether the stem is now another."""
    path, first = next((p, m) for p, m in _weighted(network) if isinstance(m, nn.Conv2d))
    if channels != first.in_channels:  # type: ignore[comparison-overlap]
        assert isinstance(first, nn.Conv2d)
        new = _like(first, channels=channels)
        if channels == 1:  # a grey image is worth the sum of what the three channels would have given
            new.weight.data.copy_(first.weight.data.sum(1, keepdim=True))
        _put(network, path, new)
    return small and _keep_resolution(network)


def _keep_resolution(network: nn.Module) -> bool:
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


def _put(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, leaf = path.rpartition(".")
    setattr(network.get_submodule(parent), leaf, module)


def _measured(network: nn.Module, name: str, channels: int, image_size: int, small: bool) -> Trunk:
    """The trunk with its feature length, found by embedding one empty image."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            features = network(torch.zeros(1, channels, image_size, image_size)).flatten(1).shape[1]
    except (RuntimeError, ValueError, AssertionError) as error:
        raise SandboxError(
            f"{name} cannot take {channels} x {image_size} x {image_size} images: {reason(error, 160)}"
        ) from None
    network.train(was_training)
    return Trunk(network, features, name, small)
