"""An objective that trains: weighed terms in, one number and its parts out."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from pytorch_metric_learning.utils import common_functions
from torch import nn

from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.objectives.bounded import BOUNDED
from sandbox.objectives.bounded.demand import check_demand, demand
from sandbox.objectives.catalog import SIZES
from sandbox.objectives.expression import Bound, BoundTerm, Expression
from sandbox.objectives.language import Tune
from sandbox.objectives.lengths import check_lengths, lengths

_COUNTED = 256  # images in a batch, beyond which what a step lists is counted before it


Mined = tuple[torch.Tensor, ...]
"""Places in a batch: (anchors, positives, negatives), or (anchors, positives, anchors, negatives)."""


@dataclass(frozen=True)
class Outcome:
    """What one batch gave: `total` () to minimise, and each weighed term () detached."""

    total: torch.Tensor
    terms: dict[str, torch.Tensor]


class Term(nn.Module):
    """One weighed loss with the miner that feeds it."""

    def __init__(self, term: BoundTerm, sizes: dict[str, int]):
        super().__init__()
        entry = term.loss.entry
        # a memory mines itself, against its queue
        mines_itself = "miner" in inspect.signature(term.loss.entry.make).parameters
        values = {key: value for key, value in term.loss.values.items() if mines_itself or key != "miner"}
        miner = None if mines_itself else term.loss.values.get("miner")
        if isinstance(term.weight, Tune):
            raise SandboxError(f"{term}: tune() marks a value for a study; a run needs a number")
        self.weight = term.weight
        self.reads = entry.reads
        self.loss = make(Bound(entry, values), sizes)
        self.miner = make(miner, sizes) if miner else None
        self._takes_mined = term.loss.mined  # its name keeps it out of checkpoints
        self._last: dict[str, Any] = {}
        reducer = getattr(self.loss, "reducer", None)
        if isinstance(reducer, nn.Module):
            reducer.register_forward_pre_hook(lambda _, args: self._last.update(parts=args[0]))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor, mined: Mined | None = None) -> torch.Tensor:
        """Unweighted loss () of raw embeddings (N, D) float32 and labels (N,) int64.

        `mined` are pairs or triplets that were chosen elsewhere, in the place of the miner's.
        """
        _cut_history(self.loss)
        if self.reads == "embeddings":
            return self.loss(embeddings)
        if self.reads == "two views":
            first, second = class_mates(labels)
            return self.loss(embeddings[first], ref_emb=embeddings[second])
        if mined is not None and self.takes_mined:
            return self.loss(embeddings, labels, mined)
        if self.miner is not None:
            return self.loss(embeddings, labels, self.miner(embeddings, labels))
        return self.loss(embeddings, labels)

    @property
    def takes_mined(self) -> bool:
        """Whether it is of pairs or triplets."""
        return self._takes_mined

    def active(self) -> float | None:
        """Share of the last batch's tuples (or images) with a loss above zero; None where there are no such parts."""
        parts = [part["losses"] for part in self._last.get("parts", {}).values() if torch.is_tensor(part["losses"])]
        counted = [part.detach() for part in parts if part.ndim and part.numel() > 1]
        if not counted:
            return None
        return float(torch.cat([(part > 0).flatten() for part in counted]).float().mean())


class Objective(nn.Module):
    """The weighed sum of an expression's terms; owns what weights the losses own."""

    def __init__(self, expression: Expression, *, classes: int, dim: int):
        super().__init__()
        sizes = {"classes": classes, "dim": dim}
        self.names = [name for name, _ in expression.named()]
        self.lengths = lengths(expression)
        self.terms = nn.ModuleList(Term(term, sizes) for term in expression.terms)
        self._listing = expression if any(demand(term.loss, (2, 2)).triplets for term in expression.terms) else None

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor, mined: Mined | None = None) -> Outcome:
        """The objective of raw embeddings (N, D) and labels (N,) int64, in float32 whatever the network ran in.

        Args:
            embeddings: of a batch.
            labels: their classes.
            mined: pairs or triplets for every term that takes some, in the place of its own miner's.

        Raises:
            SandboxError: they are given, and no term takes any; or a step would list more than memory holds.
        """
        if mined is not None and not any(term.takes_mined for term in self._each()):
            raise SandboxError(f"pairs or triplets were given, but {' + '.join(self.names)} takes none")
        if self._listing and len(labels) > _COUNTED:
            check_demand(self._listing, labels.unique(return_counts=True)[1].tolist())
        with torch.autocast(embeddings.device.type, enabled=False):
            embeddings = embeddings.float()
            parts = [term.weight * term(embeddings, labels, mined).reshape(()) for term in self._each()]
        total = parts[0] if len(parts) == 1 else torch.stack(parts).sum()
        return Outcome(total, dict(zip(self.names, (part.detach() for part in parts), strict=True)))

    def active(self) -> float | None:
        """Smallest share of active tuples over the terms that have tuples, for the last batch."""
        shares = [share for share in (term.active() for term in self._each()) if share is not None]
        return min(shares) if shares else None

    @property
    def classifies(self) -> bool:
        """Whether a term has class scores, so that `logits` gives them."""
        return any(hasattr(term.loss, "get_logits") for term in self._each())

    def logits(self, embeddings: torch.Tensor) -> torch.Tensor | None:
        """Class scores (N, C) of the first term that classifies, or None."""
        for term in self._each():
            if hasattr(term.loss, "get_logits"):
                return cast(Any, term.loss).get_logits(embeddings.float())
        return None

    def _each(self) -> Iterator[Term]:
        yield from self.terms  # type: ignore[misc]


def seed_draws(seed: int, step: int) -> None:
    """Fix every random draw that losses and miners make outside torch's own generator."""
    common_functions.NUMPY_RANDOM = np.random.RandomState(np.random.SeedSequence([seed, step]).generate_state(4))


def build(expression: Expression, *, classes: int, dim: int) -> Objective:
    """The objective for a number of training classes and an embedding length.

    Raises:
        SandboxError: a loss refuses its own values, or `tune()` is left in it.
    """
    if marks := expression.tunes():
        raise SandboxError(
            f"tune() marks what tune searches ({', '.join(marks)}); give a number here, or run "
            f"{called('tune')} with the same --loss"
        )
    check_lengths(expression, dim)
    try:
        return Objective(expression, classes=classes, dim=dim)
    except SandboxError:
        raise
    except Exception as error:
        raise SandboxError(f"{expression} is refused: {why(error)}") from None


def check_batch(expression: Expression, batch: int) -> None:
    """Refuse a memory smaller than the batch, and more proxies of the manifold loss than the batch has images.

    Raises:
        SandboxError: names the term and both sizes.
    """
    for term in expression.terms:
        name, values = term.loss.entry.name, term.loss.values
        if name not in ("cross_batch_memory", "manifold"):
            continue
        key = "memory_size" if name == "cross_batch_memory" else "K"
        size = values.get(key, term.loss.entry.parameters[key].default)
        if name == "cross_batch_memory" and size < batch:
            raise SandboxError(f"cross_batch_memory(memory_size={size}) is smaller than the batch of {batch} images")
        if name == "manifold" and size > batch:
            raise SandboxError(f"manifold(K={size}) has more proxies than the batch has images, {batch}")


def make(bound: Bound, sizes: dict[str, int]) -> nn.Module:
    """The module behind a bound name, with nested names made first."""
    arguments: dict[str, Any] = {size: sizes[SIZES[size]] for size in bound.entry.sizes}
    for key, parameter in bound.entry.parameters.items():
        if key not in bound.values and parameter.default not in (None,) and key in bound.entry.note.defaults:
            arguments[key] = parameter.default
    for key, value in bound.values.items():
        if bound.wraps and key == "loss":
            arguments[key] = [make(value, sizes | {"dim": length}) for length in bound.values["dims"]]
        else:
            arguments[key] = _made(value, sizes)
    if bound.entry.name == "class_weighted":
        if len(arguments["weights"]) < sizes["classes"]:
            raise SandboxError(f"class_weighted has {len(arguments['weights'])} weights for {sizes['classes']} classes")
        arguments["weights"] = torch.tensor([float(weight) for weight in arguments["weights"]])
    return BOUNDED.get(bound.entry.make, bound.entry.make)(**arguments)


def class_mates(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two index lists (M,), (M,) that pair each image with another of its class; a lone one is left out."""
    order = labels.argsort(stable=True)
    ranked = labels[order]
    start = torch.searchsorted(ranked, ranked)
    odd = (torch.arange(len(labels), device=labels.device) - start) % 2 == 1
    second = odd.nonzero().squeeze(1)
    return order[second - 1], order[second]


def _cut_history(module: nn.Module) -> None:
    """Detach running state that a loss keeps with its graph (a histogram), which a second backward would walk again."""
    for part in module.modules():
        for key, value in vars(part).items():
            if torch.is_tensor(value) and value.requires_grad and not isinstance(value, nn.Parameter):
                setattr(part, key, value.detach())


def _made(value: Any, sizes: dict[str, int]) -> Any:
    if isinstance(value, Bound):
        return make(value, sizes)
    if isinstance(value, dict):
        return {key: _made(inner, sizes) for key, inner in value.items()}
    return value


def why(error: Exception) -> str:
    """What a loss says of its own failure, on one line."""
    if isinstance(error, KeyError):
        return f"a part of it asks for {error}, which the loss does not give"
    if isinstance(error, ZeroDivisionError):
        return "it divides by a value that is 0"
    text = " ".join(str(error).split())
    return text or type(error).__name__
