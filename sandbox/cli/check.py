"""`python -m sandbox check FILE.py`: whether what a plug-in registers keeps its promises."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence

from sandbox.called import called, prefix
from sandbox.cli.say import say
from sandbox.errors import SandboxError
from sandbox.wording import counted, reason

_CLASSES, _SAMPLES, _DIM = 8, 4, 16


def check(words: Sequence[str]) -> None:
    """Try every name that plug-ins register, a line each; exit code 1 where one fails.

    Raises:
        SandboxError: no file is given, or one cannot be loaded.
    """
    from sandbox.runs.plugins import load_plugin

    if not words or words[0].startswith("-"):
        raise SandboxError(f"check takes the files of plug-ins: {' '.join(prefix())} FILE.py")
    warnings.filterwarnings("ignore")
    failed = 0
    for plugin in [load_plugin(word) for word in words]:
        say(f"{plugin.file}: digest {plugin.digest}")
        for kind, name in plugin.names:
            try:
                say(f"  {kind} {name}: {_TRIED[kind](name)}")
            except Exception as error:
                failed += 1
                why = str(error) if isinstance(error, SandboxError) else f"{type(error).__name__}: {reason(error)}"
                say(f"  {kind} {name}: FAILED: {why}")
    if failed:
        say(counted(failed, "name does not keep its promises", "names do not keep their promises"))
        sys.exit(1)


def _loss(name: str) -> str:
    from sandbox.objectives.catalog import REQUIRED, look_up

    needed = [key for key, parameter in look_up(name, "loss")[0].parameters.items() if parameter.default is REQUIRED]
    if needed:
        return f"needs {', '.join(needed)} and was not tried"
    return _rehearsed(name, "none")


def _rehearsed(loss: str, miner: str) -> str:
    """Two steps go through, there is a gradient that parts classes, and a loop of twenty steps lowers the loss."""
    import torch

    from sandbox.objectives.free_rows import own_draws
    from sandbox.objectives.objective import build
    from sandbox.objectives.rehearsal import rehearse
    from sandbox.objectives.resolve import resolve

    expression = resolve(loss, miner=miner)
    rehearse(expression, classes=_CLASSES, samples=_SAMPLES)
    with own_draws():
        objective = build(expression, classes=_CLASSES, dim=_DIM)
        labels = torch.arange(_CLASSES).repeat_interleave(_SAMPLES)
        rows = torch.randn(len(labels), _DIM, requires_grad=True)
        optimizer = torch.optim.Adam([rows, *objective.parameters()], 0.05)
        seen = []
        for _ in range(20):
            loss_now = objective(rows, labels).total
            optimizer.zero_grad()
            loss_now.backward()
            optimizer.step()
            seen.append(loss_now.item())
    return f"trains ({expression}: {seen[0]:.4g} to {seen[-1]:.4g} in 20 steps on free rows)"


def _miner(name: str) -> str:
    told = []
    for loss in ("triplet", "contrastive"):
        try:
            told.append(_rehearsed(loss, name))
        except SandboxError as error:
            refused = error
    if not told:
        raise refused
    return "; ".join(told)


def _distance(name: str) -> str:
    return _rehearsed(f"triplet(distance={name})", "none")


def _network(name: str) -> str:
    import torch

    from sandbox.backbones.catalog import make_backbone, own_backbones

    least = own_backbones()[name].least
    for channels in (1, 3):
        for size in (least, max(32, least)):
            network = make_backbone(name, channels=channels, image_size=size, stem="auto", pretrained=False)
            given = torch.randn(2, channels, size, size)
            features = network.train()(given)
            if features.shape != (2, network.features):
                raise SandboxError(
                    f"gives {tuple(features.shape)} for images {tuple(given.shape)}, but its attribute features is "
                    f"{network.features}: (2, {network.features}) is meant"
                )
            features.square().sum().backward()
            still = [key for key, weight in network.named_parameters() if weight.grad is None]
            if still:
                raise SandboxError(f"has weights without a gradient: {still[0]}")
            with torch.no_grad():
                alone, both = network.eval()(given[:1]), network(given)
            if not torch.allclose(alone[0], both[0], atol=1e-4):
                raise SandboxError("gives an image another embedding beside others than alone, in eval mode")
    return f"takes grey and RGB images of {least} pixels and more, {network.features} features"


def _data_set(name: str) -> str:
    from sandbox.data.catalog import data_kinds, data_sets, load

    if data_sets()[name].source != "embedded":
        return f"reads files or downloads, and was not tried: {called('data')} check --data.name {name} does"
    spec = data_kinds()[name](name=name)
    splits, again = load(spec), load(spec)
    if splits.digest != again.digest:
        raise SandboxError("is read otherwise the second time: its draws need a seed")
    sizes = ", ".join(f"{part} {len(images):,}" for part, images in splits.image_sets().items())
    return f"is read the same twice: {sizes} images of {len(splits.class_counts()):,} classes"


def _metric(name: str) -> str:
    from sandbox.evaluation.register import try_metrics

    found = try_metrics(_DIM, name)
    return "gives " + ", ".join(f"{key} {entry['value']:.4g}" for key, entry in found.items()) + " on random rows"


_TRIED: dict[str, Callable[[str], str]] = {
    "loss": _loss,
    "miner": _miner,
    "distance": _distance,
    "network": _network,
    "data set": _data_set,
    "metric": _metric,
}
