"""Any classification network of torchvision or timm as a feature extractor, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from sandbox.backbones.sides import Make, what_it_takes
from sandbox.backbones.stems import fit_channels, keep_resolution, take_off_classifier
from sandbox.called import called
from sandbox.errors import SandboxError, unknown
from sandbox.recipe.size import ImageSize, sides, size_of, times
from sandbox.wording import reason


class Trunk(nn.Module):
    """A library's network without its classifier.

    `features` is the length of what it emits, `name` the library's and its own, and `small` says that its stem is
    another than the library's. `notes` are sentences for the person who asked for it.
    """

    def __init__(self, network: nn.Module, features: int, name: str, small: bool, notes: Sequence[str] = ()):
        super().__init__()
        self.notes = list(notes)
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


def torchvision_trunk(name: str, *, channels: int, image_size: ImageSize, small: bool, pretrained: bool) -> Trunk:
    """A torchvision network with its last linear (or 1x1 convolution) layer taken off.

    Raises:
        SandboxError: no such network, weights that cannot be fetched, or images too small for it.
    """
    import torchvision

    if name not in torchvision_names():
        raise unknown("torchvision network", name, torchvision_names(), f"{called('run')} --list backbones")
    sized = made_for_one_side(f"torchvision:{name}") and not pretrained
    if made_for_one_side(f"torchvision:{name}"):
        _refuse_oblong(f"torchvision:{name}", image_size)

    def make(side: ImageSize) -> nn.Module:
        extra: dict[str, Any] = {"image_size": side} if sized else {}
        if name in ("inception_v3", "googlenet") and not pretrained:
            extra = {"aux_logits": False, "init_weights": True}
        network = torchvision.models.get_model(name, weights="DEFAULT" if pretrained else None, **extra)
        if pretrained and name in ("inception_v3", "googlenet"):
            network.aux_logits = False
        take_off_classifier(network)
        return network

    network = _fetch(make, f"torchvision:{name}", channels, image_size)
    changed = fit_channels(network, channels, small)
    return _measured(network, f"torchvision:{name}", channels, image_size, changed, make if sized else None)


def timm_trunk(
    name: str, *, channels: int, image_size: ImageSize, small: bool, pretrained: bool, patch: int | None = None
) -> Trunk:
    """A timm network without its classifier.

    Args:
        name: timm's.
        channels: 1 (grey) or 3 (RGB).
        image_size: side of the images, or height x width, pixels.
        small: keep the resolution of the first convolution.
        pretrained: fetch what timm publishes.
        patch: side of the patches of a vision transformer, pixels; its own where not given.

    Raises:
        SandboxError: timm is not installed, no such network, weights that cannot be fetched, or images too small.
    """
    timm = _timm()
    if not timm.is_model(name):
        raise unknown("timm network", name, timm.list_models(), f"{called('run')} --list backbones")
    sized = made_for_one_side(f"timm:{name}")
    extra: dict[str, Any] = {} if patch is None else {"patch_size": patch}

    def make(side: ImageSize) -> nn.Module:
        size = {"img_size": side if isinstance(side, int) else sides(side)} if sized else {}
        return timm.create_model(name, pretrained=pretrained, num_classes=0, in_chans=channels, **size, **extra)

    network = _fetch(make, f"timm:{name}", channels, image_size)
    changed = patch is not None or (small and keep_resolution(network))
    again = make if sized and not pretrained else None
    return _measured(network, f"timm:{name}", channels, image_size, changed, again)


def made_for_one_side(name: str) -> bool:
    """Whether a network is made for images of one side, which it is given as it is built.

    Args:
        name: ``torchvision:NAME`` or ``timm:NAME``.
    """
    source, _, inner = name.partition(":")
    return _takes_image_size(inner) if source == "timm" else inner.startswith("vit_")


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


def pretrained_form(name: str) -> Any:
    """What a library says of the images its published weights take: torchvision's transforms, timm's `PretrainedCfg`.

    Args:
        name: ``torchvision:NAME`` or ``timm:NAME``; None for any other, and where nothing is published.
    """
    source, _, inner = name.partition(":")
    if source == "torchvision" and inner in torchvision_names():
        import torchvision

        weights = torchvision.models.get_model_weights(inner)
        return weights.DEFAULT.transforms() if len(weights) else None
    return _timm().get_pretrained_cfg(inner) if source == "timm" and _timm().is_model(inner) else None


def timm_layers(network: nn.Module) -> Mapping[str, int] | None:
    """The layer, from 0 at the image, that timm counts each weight of a network of its own to; None if it does not."""
    from timm.models import group_parameters

    matcher = getattr(network, "group_matcher", None)
    return None if matcher is None else group_parameters(network, matcher(coarse=False), reverse=True)


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


def _fetch(make: Callable[[ImageSize], nn.Module], name: str, channels: int, image_size: ImageSize) -> nn.Module:
    try:
        return make(image_size)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; timm raises RuntimeError where no weights exist
        raise SandboxError(
            f"cannot make {name}: {reason(error, 200)}; leave --backbone.weights out for random weights"
        ) from None
    except (AssertionError, ValueError, ZeroDivisionError) as error:  # those that are made for one side alone
        raise _refused(name, channels, image_size, error, make, sized=True) from None


def _refused(
    name: str, channels: int, image_size: ImageSize, error: Exception, make: Make, *, sized: bool
) -> SandboxError:
    return SandboxError(
        f"{name} cannot take {channels} x {times(image_size)} images: {reason(error, 160)}"
        f"{what_it_takes(make, channels, min(sides(image_size)), sized=sized)}"
    )


def _refuse_oblong(name: str, image_size: ImageSize) -> None:
    """Refuse images that are not square for a network of which the library makes none for them."""
    if not isinstance(image_size, int):
        height, width = sides(image_size)
        raise SandboxError(
            f"{name} takes square images alone, not {height} x {width}: give --data.image_size {min(height, width)}, "
            "or timm's network of that kind, which takes others"
        )


def _measured(
    network: nn.Module, name: str, channels: int, image_size: ImageSize, small: bool, make: Make | None = None
) -> Trunk:
    """The trunk with its feature length, found by embedding one empty image; `make` makes it for another side."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            features = network(torch.zeros(1, channels, *sides(image_size))).flatten(1).shape[1]
    except (RuntimeError, ValueError, AssertionError, IndexError) as error:
        again = make or (lambda side: network)
        raise _refused(name, channels, image_size, error, again, sized=make is not None) from None
    network.train(was_training)
    return Trunk(network, features, name, small, _unread(network, name, image_size))


def _unread(network: nn.Module, name: str, image_size: ImageSize) -> list[str]:
    """A sentence where patches do not fill the image, so that a vision transformer never sees its edge."""
    patch = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    side = patch[0] if isinstance(patch, tuple) else 0
    if not side or not any(one % side for one in sides(image_size)):
        return []
    one = next(one for one in sides(image_size) if one % side)
    whole = [one - one % side for one in sides(image_size)]
    more = [one - one % side + side * (one % side > 0) for one in sides(image_size)]
    return [
        f"{name} reads patches of {side} pixels, and {one % side} of {one} pixels at the right and below are read by "
        f"none: --data.image_size {size_of(*whole)} or {size_of(*more)}"
    ]
