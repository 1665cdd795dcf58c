"""Free rows: embeddings that no network computes, on which an objective shows what its gradient does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pytorch_metric_learning.utils import common_functions
from torch.nn import functional as F

from sandbox.objectives.objective import Objective, seed_draws

CLASSES, SAMPLES, DIM = 6, 4, 16
STEPS = 30
_RATE = 0.1


@contextmanager
def own_draws() -> Iterator[None]:
    """Random draws of its own, the same each time; afterwards every generator is as it was."""
    drawn = common_functions.NUMPY_RANDOM
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seed_draws(0, 0)
        try:
            yield
        finally:
            common_functions.NUMPY_RANDOM = drawn


def labels() -> torch.Tensor:
    """The classes (N,) int64 of the rows."""
    return torch.arange(CLASSES).repeat_interleave(SAMPLES)


def scattered() -> torch.Tensor:
    """Normal rows (N, D) float32, whatever their class."""
    return torch.randn(CLASSES * SAMPLES, DIM, generator=torch.Generator().manual_seed(0))


def together(spread: float) -> torch.Tensor:
    """Rows (N, D) of norm about 4 around one place, as an untrained network puts them; `spread` is a deviation."""
    draw = torch.Generator().manual_seed(1)
    return torch.randn(1, DIM, generator=draw) + spread * torch.randn(CLASSES * SAMPLES, DIM, generator=draw)


def exchanged() -> torch.Tensor:
    """Rows (N, D) that lie near those of other classes and far from their own: what any miner of hard tuples finds."""
    draw = torch.Generator().manual_seed(2)
    places = torch.linalg.qr(torch.randn(DIM, SAMPLES, generator=draw))[0].T  # one for the k-th row of every class
    return 4 * places.repeat(CLASSES, 1) + 0.1 * torch.randn(CLASSES * SAMPLES, DIM, generator=draw)


def apart() -> torch.Tensor:
    """Rows (N, D) of norm about 4 that lie near those of their own class and far from others, as training ends."""
    draw = torch.Generator().manual_seed(3)
    return torch.randn(CLASSES, DIM, generator=draw)[labels()] + 0.3 * torch.randn(
        CLASSES * SAMPLES, DIM, generator=draw
    )


def gradient(objective: Objective, rows: torch.Tensor) -> torch.Tensor:
    """The gradient (N, D) of an objective at some rows; zero where it does not depend on them."""
    x = rows.clone().requires_grad_()
    total = objective(x, labels()).total
    if total.requires_grad:
        total.backward()
    return torch.zeros_like(x) if x.grad is None else x.grad


def force_between(pull: torch.Tensor) -> float:
    """Share of a gradient (N, D) that moves whole classes against one another, between 0 and 1.

    What moves all rows alike (a regularizer of their mean) counts for nothing.
    """
    pull = pull - pull.mean(0)
    of_classes = pull.view(CLASSES, SAMPLES, -1).mean(1)
    whole = float(pull.norm())
    return SAMPLES**0.5 * float(of_classes.norm()) / whole if whole > 0 else 0.0


def after_steps(objective: Objective, rows: torch.Tensor) -> torch.Tensor:
    """The rows after steps of Adam along the gradient, in which what the losses own takes part."""
    x = rows.clone().requires_grad_()
    moved = [x, *objective.parameters()]
    mean, square = ([torch.zeros_like(p) for p in moved] for _ in range(2))
    for step in range(1, STEPS + 1):
        total = objective(x, labels()).total
        if not total.requires_grad:
            break
        found = torch.autograd.grad(total, moved, allow_unused=True)
        with torch.no_grad():  # by hand: torch.optim takes a second to import
            for p, g, m, s in zip(moved, found, mean, square, strict=True):
                if g is not None:
                    m.lerp_(g, 0.1)
                    s.lerp_(g.square(), 0.001)
                    scale = (s / (1 - 0.999**step)).sqrt() + 1e-8
                    p.sub_(_RATE * m / (1 - 0.9**step) / scale)
    return x.detach()


def auc(rows: torch.Tensor) -> float:
    """Probability that two rows of one class are nearer in cosine than two of different classes; ties count half."""
    unit, y = F.normalize(rows), labels()
    first, second = torch.triu_indices(len(y), len(y), 1)
    similarity, same = (unit[first] * unit[second]).sum(1), y[first] == y[second]
    difference = similarity[same][:, None] - similarity[~same][None, :]
    return float((difference > 0).float().mean() + 0.5 * (difference == 0).float().mean())
