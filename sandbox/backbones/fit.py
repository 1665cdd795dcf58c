"""Which of a file's tensors are a network's: under which prefix, in which nest, without the classifier."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import torch
from torch import nn

from sandbox.backbones.efficientnet_names import is_carried_over, refuse_other_arithmetic
from sandbox.backbones.libraries import Trunk
from sandbox.backbones.pixel_form import pixel_form
from sandbox.backbones.published import filtered, left_out_names, renewed
from sandbox.backbones.weights_file import AVERAGES, Held
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names

_WRAPPERS = {
    *("module", "_orig_mod", "model", "backbone", "encoder", "encoder_q", "base_encoder", "network", "net", "trunk"),
    *("student", "teacher"),
    *AVERAGES,
}
"""Names that wrappers of a network put before its own: DataParallel, torch.compile, Lightning, MoCo, DINO."""
_DEEPEST, _MOST = 16, 32  # wrappers around a network, and runs of them in a file; a stranger's may have any number
_ANYWHERE = re.compile(r"\b(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")  # around single layers too


@dataclass(frozen=True)
class Fit:
    """Tensors of a file, read as those of a module."""

    module: nn.Module
    """The network, or the part of it that the file is of."""
    nest: tuple[str, ...]
    """Keys of the dictionaries around the tensors, outermost first."""
    prefix: str
    """What stood before each name, its last point with it."""
    tensors: dict[str, torch.Tensor]
    """By the names that the module has for them; those that it has not are kept under their own."""
    classifier: tuple[str, ...] = ()
    """Names of the published network's classifier, left out."""
    beside: tuple[str, ...] = ()
    """Names that lie outside the prefix, left out."""
    carried_over: bool = False
    """Whether the file is an EfficientNet of TensorFlow's, see `sandbox.backbones.efficientnet_names`."""

    @property
    def where(self) -> tuple[str, ...]:
        """Nest and prefix, word by word."""
        return (*self.nest, *self.prefix.split(".")[:-1])

    @property
    def known(self) -> int:
        """Tensors that the module has names for."""
        return len(self.module.state_dict().keys() & self.tensors.keys())

    @property
    def missing(self) -> int:
        """Names of the module that have no tensor."""
        return len(self.module.state_dict().keys() - self.tensors.keys())

    @property
    def fits(self) -> bool:
        """Whether names and shapes are those of the module."""
        return {k: v.shape for k, v in self.module.state_dict().items()} == {
            k: v.shape for k, v in self.tensors.items()
        }


@dataclass(frozen=True)
class _Part:
    """What a file may be of."""

    module: nn.Module
    trunk: Trunk | None = None
    """Whose network the module is, if any library's; it knows by which name that was published."""


def best_fit(network: nn.Module, states: Sequence[Held], path: Path) -> tuple[Fit, list[str]]:
    """The reading of a file that fits, or that comes nearest, and sentences on what was chosen and left out.

    Args:
        network: whole; its backbone, or the library's network in that, may be what the file is of.
        states: what the file holds.
        path: for the sentences.

    Raises:
        SandboxError: several readings fit and nothing says which is meant, or the one that does is of a network that
            computes otherwise.
    """
    parts = _parts(network)
    readings = [fit for part in parts for held in states for fit in _readings(part, held)]
    nearest = max(readings, key=lambda fit: (fit.known, -fit.missing))  # of equals the first, which is the larger part
    fitting = [fit for fit in readings if fit.module is nearest.module and fit.fits]
    if fitting:
        chosen, trunk = _chosen(fitting, path), parts[-1].trunk
        if chosen.carried_over and trunk is not None:
            refuse_other_arithmetic(trunk, path)
        left_out = _left_out(chosen, path, trunk)
        return chosen, [*_passed_over(chosen, readings, path), *left_out, *_other_stem(chosen, parts)]
    if by_timm := next((fit for held in states for fit in _by_timm(parts[-1], held) if fit.fits), None):
        left_out = _left_out(by_timm, path, parts[-1].trunk)
        return by_timm, [f"{path} has names that timm itself brought into its own", *left_out]
    return nearest, []


def _parts(network: nn.Module) -> list[_Part]:
    """The network, and its backbone under the backbone's own names, which a library's network gives itself."""
    backbone = getattr(network, "backbone", None)
    if isinstance(backbone, Trunk):
        return [_Part(network), _Part(backbone.network, backbone)]
    return [_Part(network), _Part(backbone)] if isinstance(backbone, nn.Module) else [_Part(network)]


def _readings(part: _Part, held: Held) -> Iterator[Fit]:
    """A state dict under each prefix that it has, the shortest first."""
    tensors = {_ANYWHERE.sub("", name): value for name, value in held.tensors.items()}
    tensors = tensors if len(tensors) == len(held.tensors) else held.tensors  # two that would become one stay two
    for prefix, under in _under_prefixes(tensors):
        beside = tuple(name for name in tensors if not name.startswith(prefix))
        yield _reading(part, (held.nest, prefix), under, beside)


def _reading(
    part: _Part, where: tuple[tuple[str, ...], str], tensors: Mapping[str, torch.Tensor], beside: tuple[str, ...]
) -> Fit:
    wanted = part.module.state_dict()
    new = renewed(tensors, wanted.keys())
    named = {new[name]: value for name, value in tensors.items()}
    classifier: list[str] = []
    if part.trunk and wanted.keys() & named.keys() and (more := named.keys() - wanted.keys()):
        classifier = left_out_names(part.trunk, sorted(more))
    kept = {name: value for name, value in named.items() if name not in set(classifier)}
    carried_over = part.trunk is not None and is_carried_over(tensors)
    return Fit(part.module, *where, with_counts(wanted, kept), tuple(classifier), beside, carried_over)


def _by_timm(part: _Part, held: Held) -> Iterator[Fit]:
    """A state dict under each prefix as timm renames it; a tensor whose shape it would change stays as it was."""
    if part.trunk is None or not part.trunk.name.startswith("timm:"):
        return
    for prefix, under in _under_prefixes(held.tensors):
        if changed := filtered(part.trunk, under):
            kept = {n: under[n] if n in under and under[n].shape != v.shape else v for n, v in changed.items()}
            yield _reading(part, (held.nest, prefix), kept, ())


def _under_prefixes(tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """Every run of wrappers' names that names begin with, the empty one first, and the tensors under it."""
    found: Counter[str] = Counter()
    for name in tensors:
        words = name.split(".", _DEEPEST)[:-1]
        wrappers = list(takewhile(_WRAPPERS.__contains__, words))
        found.update(".".join(wrappers[:count]) + "." for count in range(1, len(wrappers) + 1))
    frequent = [prefix for prefix, _ in found.most_common(_MOST)]
    for prefix in ["", *sorted(frequent, key=lambda prefix: (prefix.count("."), prefix))]:
        yield prefix, {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def _chosen(fitting: Sequence[Fit], path: Path) -> Fit:
    """The averaged weights where there are some, else the first; several in one place are told apart by nobody."""
    averaged = [fit for fit in fitting if set(AVERAGES) & set(fit.where)]
    first, *others = averaged or fitting
    for other in others:
        pair = {"student", "teacher"} & set(first.where), {"student", "teacher"} & set(other.where)
        if first.nest == other.nest or (pair[0] != pair[1] and all(pair)):
            places = " and ".join(f"'{'.'.join(fit.where)}'" for fit in (first, other))
            raise SandboxError(
                f"{path} holds the network twice, under {places}; save the state_dict() of the one that is meant alone"
            )
    return first


def _passed_over(chosen: Fit, readings: Sequence[Fit], path: Path) -> list[str]:
    """A sentence on what else of the same names lies in other nests."""
    others = {".".join(fit.nest): None for fit in readings if fit.nest != chosen.nest and 2 * fit.known > chosen.known}
    if not others:
        return []
    names = first_names([f"'{name}'" for name in others])
    return [f"took the weights under '{'.'.join(chosen.nest)}' of {path}, not those under {names}"]


def _left_out(fit: Fit, path: Path, trunk: Trunk | None) -> list[str]:
    notes = []
    if fit.classifier:
        form = pixel_form(trunk.name) if trunk else None
        expected = f"library ({form.statistics})" if form else "imagenet"
        notes.append(
            f"left out the classifier of {path} ({counted(len(fit.classifier), 'tensor', 'tensors')}: "
            f"{first_names(fit.classifier, 3)}); weights that were published with one expect the pixel statistics of "
            f"--data.normalize {expected}"
        )
    if fit.beside:
        notes.append(
            f"left out what {path} holds beside the network ({counted(len(fit.beside), 'tensor', 'tensors')}: "
            f"{first_names(fit.beside, 3)})"
        )
    return notes


def _other_stem(fit: Fit, parts: Sequence[_Part]) -> list[str]:
    """A sentence where a published file fits, but the network looks at images in another way than it did there."""
    if not fit.classifier or not any(part.trunk and part.trunk.small for part in parts):
        return []
    return [
        "the network keeps the resolution of small images in its first layers, as it did not where its weights were "
        "published: --backbone.stem standard"
    ]


def with_counts(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`state` with the counts of batches, each 0, that files from before torch 0.4.1 lack; no embedding reads them.

    Args:
        wanted: the tensors that the network has.
        state: the tensors that were read; if any count is among them, or no name is known, they are returned as they
            are.
    """
    if not wanted.keys() & state.keys():
        return dict(state)
    counts = {key: torch.zeros_like(value) for key, value in wanted.items() if key.endswith(".num_batches_tracked")}
    return dict(state) if counts.keys() & state.keys() else {**counts, **state}
