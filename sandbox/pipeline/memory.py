"""What a run will take of memory at the least, added up before any of it is taken.

Only what must be there is counted: weights with their gradients and moments, what each layer keeps of a step for its
gradient, what the losses own, a step's images and the embeddings of an evaluation. So nothing that fits is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import nn

from sandbox.backbones.catalog import stem_without_weights
from sandbox.backbones.network import make_network
from sandbox.data.memory import available_memory, gigabytes
from sandbox.errors import SandboxError
from sandbox.objectives.expression import Bound, Expression
from sandbox.recipe.size import ImageSize, sides
from sandbox.recipe.specs import BackboneSpec

_FLOAT = 4
_TRAINED = 4 * _FLOAT  # a weight, its gradient and Adam's two moments
_MOST_OF_A_PIXEL = 10_000  # numbers that a network keeps for a pixel of its images; resnet50 with its small stem 6,700
_MOST_FEATURES = 2**16
_OF_EACH_CLASS = ("_per_class", "sub_centers")


@dataclass(frozen=True)
class Extent:
    """The numbers that decide what a run takes."""

    channels: int
    image_size: ImageSize
    """Pixels."""
    classes: int
    """That are trained on."""
    batch: int
    """Images of a step, of this process."""
    evaluated: int
    """Images whose embeddings are held at once."""
    kept: int = _FLOAT
    """Bytes of a number that a layer keeps: 4, or 2 where the network runs in bfloat16."""


def check_objective(expression: Expression, *, classes: int, dim: int, device: torch.device | None = None) -> None:
    """Refuse an objective that owns more than the memory that is left.

    Args:
        expression: the objective.
        classes: that are trained on; 1 where they are not counted yet.
        dim: length of an embedding.
        device: where it will lie; the machine's own memory where not given.

    Raises:
        SandboxError: says how much it would take, and of what.
    """
    left = _left(device)
    for bound, key, number in _numbers(expression):
        size = number * dim * _FLOAT * (classes if key.endswith(_OF_EACH_CLASS) else 1)
        if size > left:
            raise SandboxError(
                f"{bound.entry.name}({key}={number:,}) takes {gigabytes(size)} with embeddings of {dim:,} numbers, and "
                f"{gigabytes(left)} of memory are left"
            )


def check_run(spec: BackboneSpec, expression: Expression, extent: Extent, device: torch.device) -> None:
    """Refuse a run that cannot fit into the memory that is left.

    Args:
        spec: the network, its head settled.
        expression: the objective.
        extent: of the data.
        device: where the network will be.

    Raises:
        SandboxError: says how much it would take, and of what.
    """
    left = _left(device)
    if _surely_fits(spec, extent, left) or (network := _outline(spec, extent)) is None:
        return
    weights = sum(parameter.numel() for parameter in network.parameters())
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    owned = extent.classes * network.dim if expression.owns_classes else 0
    pixels = extent.channels * math.prod(sides(extent.image_size))
    parts = {
        f"{weights:,} weights of the network": weights * _FLOAT + trained * (_TRAINED - _FLOAT),
        f"{extent.classes:,} x {network.dim:,} weights of the objective": owned * _TRAINED,
        f"what {extent.batch:,} images leave in its layers": _kept(network, extent) * extent.batch * extent.kept,
        f"{extent.batch:,} images of a step": extent.batch * pixels * _FLOAT,
    }
    if device.type == "cpu":
        parts[f"{extent.evaluated:,} x {network.dim:,} embeddings"] = extent.evaluated * network.dim * _FLOAT
    needed = sum(parts.values())
    if needed > left:
        most = sorted(parts, key=parts.__getitem__, reverse=True)[:2]
        raise SandboxError(
            f"this run takes {gigabytes(needed)} of memory at the least, and {gigabytes(left)} are left: "
            f"{' and '.join(f'{gigabytes(parts[name])} for {name}' for name in most)}; lower data.image_size, "
            "backbone.embedding_dim or batch.size"
        )


def _surely_fits(spec: BackboneSpec, extent: Extent, left: int) -> bool:
    """Whether the generous count fits as well: the exact one takes two seconds, for what torch loads for it."""
    rows = _MOST_FEATURES + extent.classes + extent.evaluated
    pixels = extent.batch * math.prod(sides(extent.image_size))
    return pixels * _MOST_OF_A_PIXEL * _FLOAT + rows * spec.embedding_dim * _TRAINED < left


def _left(device: torch.device | None) -> int:
    if device is not None and device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return available_memory()


def _outline(spec: BackboneSpec, extent: Extent) -> Any:
    """The network without its numbers, on torch's `meta` device; None where a library cannot make it there."""
    stem = stem_without_weights(spec.name, stem=spec.stem, pretrained=spec.weights == "pretrained")
    spec = replace(spec, weights="", stem=cast(Any, stem))
    one = [1.0] * extent.channels
    try:
        with torch.device("meta"):
            return make_network(spec, channels=extent.channels, image_size=extent.image_size, mean=one, std=one)
    except Exception:  # what is wrong with the network is said when it is made
        return None


def _kept(network: nn.Module, extent: Extent) -> int:
    """Numbers that layers with weights put out for an image: kept by those that learn, else only the largest."""
    sizes: list[int] = []

    def count(module: nn.Module, given: Any, out: Any) -> None:
        if isinstance(out, torch.Tensor):
            sizes.append(math.prod(out.shape[1:]))

    layers = [m for m in network.modules() if any(True for _ in m.parameters(recurse=False))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with torch.no_grad():
            network.eval()(torch.empty(1, extent.channels, *sides(extent.image_size), device="meta"))
    except Exception:  # an operation that has no form on `meta`
        return 0
    finally:
        for hook in hooks:
            hook.remove()
    return max(sizes, default=0) if getattr(network, "frozen", False) else sum(sizes)


def _numbers(expression: Expression) -> Iterator[tuple[Bound, str, int]]:
    """Each whole number that an objective was given, and whose it is."""
    found: list[Any] = [term.loss for term in expression.terms]
    while found:
        bound = found.pop()
        for key, value in bound.values.items():
            if isinstance(value, Bound):
                found.append(value)
            elif type(value) is int and bound.entry.parameters[key].kind == "whole":
                yield bound, key, value
