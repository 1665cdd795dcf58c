"""What goes with a loss: which distances, miners and batches, found by building each pair and taking steps with it.

Nothing of it is listed by hand, so a new loss or miner has its row and its column as soon as it has its file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import torch

from sandbox.errors import SandboxError
from sandbox.objectives import free_rows
from sandbox.objectives.bounded.demand import check_demand
from sandbox.objectives.catalog import REQUIRED, Entry, catalog
from sandbox.objectives.expression import Expression
from sandbox.objectives.learnable import trainable
from sandbox.objectives.objective import build
from sandbox.objectives.rehearsal import rehearse
from sandbox.objectives.resolve import resolve
from sandbox.objectives.step_cost import step_bytes

Mark = Literal["trains", "refused", "nothing", "dear"]
IMAGES = 128
"""In the batch that is asked about, that of batch.size where it is not given."""
CLASSES, SAMPLES = 32, 4
DEAR = 2.0
"""Times the memory of a step without a miner, from which on mining costs more than it gives."""


def written(entry: Entry) -> str:
    """A loss as one writes it with no more than it needs; empty where it needs what cannot be guessed."""
    needed = [key for key, parameter in entry.parameters.items() if parameter.default is REQUIRED]
    if any(entry.parameters[key].kind != "loss" for key in needed):
        return ""
    return entry.name + (f"({', '.join(f'{key}=contrastive' for key in needed)})" if needed else "")


def having(text: str, key: str, value: str) -> str:
    """A loss as written, with one more value."""
    return f"{text[:-1]}, {key}={value})" if text.endswith(")") else f"{text}({key}={value})"


def usable(slot: Literal["loss", "miner", "distance"]) -> list[Entry]:
    """The names of a catalogue that are not refused."""
    return [entry for entry in catalog(slot).values() if not entry.note.refused]


def fault_of(text: str, miner: str = "none") -> str:
    """Why an objective cannot train on the usual batch, by building it and taking steps; empty where it can."""
    try:
        expression = resolve(text, miner)
        check_demand(expression, [SAMPLES] * CLASSES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rehearse(expression, classes=CLASSES, samples=SAMPLES)
    except SandboxError as error:
        return str(error)
    return ""


@lru_cache(maxsize=1024)
def mark(text: str, miner: str) -> Mark:
    """How a loss and a miner go together.

    Args:
        text: a loss that takes pairs or triplets, as one writes it.
        miner: its name.

    Returns:
        ``refused`` where run.py refuses the pair; ``nothing`` where its gradient is that without a miner on every kind
        of rows that is tried (at random, mixed, close together, apart by class); ``dear`` where a step of 128 images
        takes twice the memory of one without a miner; else ``trains``.
    """
    if fault_of(text, miner):
        return "refused"
    plain, mined = resolve(text), resolve(text, miner)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if trainable(plain) and _same_gradients(plain, mined):
            return "nothing"
        return "dear" if step_bytes(mined, IMAGES) >= DEAR * _bytes_of(text) else "trains"


@lru_cache(maxsize=256)
def _bytes_of(text: str) -> int:
    return step_bytes(resolve(text), IMAGES)


def takes_miner(entry: Entry) -> bool:
    """Whether `--miner` has something to do beside a loss."""
    try:
        resolve(written(entry), usable("miner")[0].name)
    except SandboxError:
        return False
    return True


def distances_of(entry: Entry) -> dict[str, str]:
    """Distance -> why the loss cannot train with it, empty where it can; none where it takes no distance."""
    if "distance" not in entry.parameters:
        return {}
    text = written(entry)
    return {one.name: fault_of(having(text, "distance", one.name)) for one in usable("distance")}


def shapes_of(text: str) -> Iterator[tuple[int, int, bool]]:
    """Classes and images of each in a batch of 128, and whether a step on it gives a gradient.

    Lone images are left out where a loss compares images, as the sampler leaves them out.
    """
    expression = resolve(text)
    for samples in (2, 4, 8, 16, 32) if expression.takes_tuples else (1, 2, 4, 8, 16, 32):
        yield IMAGES // samples, samples, _has_gradient(expression, IMAGES // samples, samples)


def _has_gradient(expression: Expression, classes: int, samples: int) -> bool:
    labels = torch.arange(classes).repeat_interleave(samples)
    with free_rows.own_draws(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            objective = build(expression, classes=classes, dim=free_rows.DIM)
            rows = torch.randn(len(labels), free_rows.DIM, requires_grad=True)
            for _ in range(2):  # a memory compares nothing before its second step
                rows.grad = None
                total = objective(rows, labels).total
                if total.requires_grad:
                    total.backward()
        except Exception:  # as losses refuse a batch that they cannot read
            return False
    return rows.grad is not None and bool(rows.grad.isfinite().all()) and bool(rows.grad.any())


def _same_gradients(plain: Expression, mined: Expression) -> bool:
    """Whether a miner changes no gradient."""
    for rows in (free_rows.scattered(), free_rows.exchanged(), free_rows.together(0.3), free_rows.apart()):
        found = []
        for expression in (plain, mined):
            with free_rows.own_draws():
                objective = build(expression, classes=free_rows.CLASSES, dim=free_rows.DIM)
                free_rows.gradient(objective, rows)  # a memory compares nothing before its second step
                found.append(free_rows.gradient(objective, rows))
        if not torch.allclose(found[0], found[1], rtol=1e-4, atol=1e-7):
            return False
    return True
