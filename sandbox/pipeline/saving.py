"""When a run is saved, what of it, and how it is found again."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from sandbox.errors import SandboxError
from sandbox.pipeline.prepare import Prepared
from sandbox.pipeline.watch import Watch
from sandbox.runs.checkpoints import read_checkpoint, write_checkpoint
from sandbox.runs.folder import RunFolder
from sandbox.training import checkpoint

_SECONDS, _MOST = 20.0, 50.0
_SHARE = 0.02
"""Of the time that passes, what saving may take, unless more than `_MOST` seconds of work would be at stake."""


@dataclass
class Saves:
    """Decides when a run is saved between its validations: by time, and every so many steps where that is asked."""

    every: int = 0
    """Steps; 0 leaves it to the time."""
    seconds: float = _SECONDS
    """Between two saves; more where a save is slow."""
    spent: float = 0.0
    """Seconds that saving has taken."""
    _last: float = field(default_factory=time.monotonic)

    def due(self, done: int) -> bool:
        """Whether the state after `done` steps should be saved."""
        return bool(self.every and done % self.every == 0) or time.monotonic() - self._last >= self.seconds

    def save(self, prepared: Prepared, folder: RunFolder, watch: Watch, done: int, *, judged: bool) -> None:
        """Write what the next step needs, and the best so far.

        Args:
            prepared: the run's training.
            folder: where to.
            watch: the best so far.
            done: steps taken.
            judged: whether the validation that these steps call for is over.

        Raises:
            SandboxError: it cannot be written, or the disk is full.
        """
        began = time.monotonic()
        tensors, state = checkpoint.capture(prepared.training)
        tensors |= {f"best/{key}": value for key, value in watch.weights.items()}
        tensors |= {f"best_objective/{key}": value for key, value in watch.objective.items()}
        best = {"value": watch.value, "step": watch.step, "since": watch.since}
        write_checkpoint(folder, tensors, {**state, "step": done, "judged": judged, "best": best})
        self._last = time.monotonic()
        self.spent += self._last - began
        self.seconds = min(_MOST, max(_SECONDS, (self._last - began) / _SHARE))


@dataclass(frozen=True)
class UnderWay:
    """A run under way."""

    prepared: Prepared
    folder: RunFolder
    watch: Watch
    start: int
    """Steps that were taken before this process began."""
    test: bool
    """Whether the test split is scored at the end."""
    pictures: bool
    saves: Saves
    judged: bool = True
    """Whether the validation that `start` calls for was over."""
    first: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    """What training changes of the network, as it was at step 0, on the CPU; empty once that is scored."""
    keep: bool = False
    """Whether the last training state stays in the folder."""

    def save(self, done: int, *, judged: bool) -> None:
        """Keep the state after `done` steps."""
        self.saves.save(self.prepared, self.folder, self.watch, done, judged=judged)


@dataclass(frozen=True)
class Found:
    """Where a run goes on."""

    start: int
    """Steps that were taken."""
    judged: bool
    """Whether the validation that they call for was over."""
    watch: Watch
    note: str
    """Why it is not the newest checkpoint; else empty."""


def check_split(prepared: Prepared, recorded: Mapping[str, Any], path: Path) -> None:
    """Refuse to go on with other images than a run began with: files may have changed, or how a split is drawn.

    Raises:
        SandboxError: the digest of the split is not that of run.json.
    """
    seen = recorded.get("split")  # a run that was killed at once has none yet
    if seen is not None and seen != prepared.splits.digest:
        raise SandboxError(
            f"the data has changed since the run {path} began: its split was {seen} and is {prepared.splits.digest} "
            "now, so it cannot go on; start a run of its own with --recipe"
        )


def find(prepared: Prepared, folder: RunFolder, watch: Watch) -> Found:
    """Put the newest whole checkpoint back; a run that was cut off before its first starts again.

    Raises:
        SandboxError: all are damaged, or are of no run of this recipe.
    """
    held = read_checkpoint(folder)
    if held is None:
        return Found(0, True, watch, "")
    tensors, state, note = held
    try:
        start, judged = _whole(state["step"], prepared.training.total), bool(state.get("judged", True))
        watch.value, watch.step, watch.since = _best(state["best"], start)
    except (KeyError, TypeError, ValueError) as error:
        raise SandboxError(f"the checkpoint of {folder.path} is of no such run: {error}") from None
    watch.weights, watch.objective = (checkpoint.under(tensors, f"{part}/") for part in ("best", "best_objective"))
    _check_best(prepared, watch)
    checkpoint.restore(prepared.training, tensors, state)
    return Found(start, judged, watch, note)


def _best(best: dict[str, object], start: int) -> tuple[float | None, int, int]:
    value = best["value"]
    if value is not None and not (type(value) in (int, float) and math.isfinite(float(value))):  # type: ignore[arg-type]
        raise ValueError(f"its best value is {value!r}")
    return None if value is None else float(value), _whole(best["step"], start), _whole(best["since"], start)  # type: ignore[arg-type]


def _whole(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no step from 0 to {most:,}")
    return value


def _check_best(prepared: Prepared, watch: Watch) -> None:
    """The best weights are of this network and objective, as the last ones are."""
    if watch.value is None:
        return
    training = prepared.training
    _same_form("best", watch.weights, training.network.state_dict())
    _same_form("best_objective", watch.objective, training.objective.state_dict())


def _same_form(name: str, kept: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    for key in {**wanted, **kept}:
        if key not in kept or key not in wanted or kept[key].shape != wanted[key].shape:
            raise SandboxError(f"the checkpoint does not fit this recipe: {name}/{key} is missing or of another shape")
