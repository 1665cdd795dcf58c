"""Speed as ratios of two things timed alternately in one run: python experiments/benchmark.py."""

from __future__ import annotations

import copy
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sandbox import flags
from sandbox.errors import exit_on_error
from sandbox.recipe import Recipe

HERE = Path(__file__).resolve().parent
WHAT = "Time two things alternately and print the ratio of their medians."


@dataclass(frozen=True, kw_only=True)
class Command:
    """What benchmark.py takes beside a recipe's settings, which the step benchmark trains."""

    settings: Annotated[Recipe, tyro.conf.arg(name="")] = Recipe(miner="hard")
    only: Literal["", "step", "help"] = ""
    """Run one benchmark: step (the loop against a bare step) or help (--help against importing torch)."""
    rounds: int = 30
    """How often the two are timed in turn."""


@dataclass(frozen=True)
class Ratio:
    """Two medians and their ratio."""

    name: str
    ours: float
    other: float
    limit: float

    def __str__(self) -> str:
        """One line: both times, the ratio and what it should stay under."""
        ratio = self.ours / self.other
        times = f"{self.ours * 1e3:.1f} ms against {self.other * 1e3:.1f} ms"
        return f"{self.name}: {times}, ratio {ratio:.3f} (limit {self.limit:.3g})"


def main() -> None:
    """Run what was asked for."""
    command = flags.parse(Command, sys.argv[1:], prog="python experiments/benchmark.py", description=WHAT)
    flags.quiet_libraries()
    if command.only in ("", "help"):
        print(help_against_import(min(command.rounds, 10)), flush=True)
    if command.only in ("", "step"):
        print(step_against_bare(command.settings, command.rounds), flush=True)


def alternate(ours: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of each; one after the other in every round, the order turned each time, the first not counted."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        pair = [(ours, seconds[0]), (other, seconds[1])]
        for action, kept in pair if turn % 2 else reversed(pair):
            began = time.perf_counter()
            action()
            if turn:
                kept.append(time.perf_counter() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def help_against_import(rounds: int) -> Ratio:
    """`run.py --help` against `import torch`, each in a fresh process."""

    def process(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)

    ours, other = alternate(process(str(HERE / "run.py"), "--help"), process("-c", "import torch"), rounds)
    return Ratio("run.py --help against import torch", ours, other, 1 / 3)


def step_against_bare(recipe: Recipe, rounds: int) -> Ratio:
    """A step of the loop against forward, loss, backward and optimizer step on a batch that is in memory."""
    import torch

    from sandbox.backbones.network import to_tensor
    from sandbox.prepare import prepare
    from sandbox.training.loop import train
    from sandbox.training.optimizer import make_optimizer

    t = prepare(recipe).training
    network, objective = copy.deepcopy(t.network), copy.deepcopy(t.objective)
    optimizer = make_optimizer(network, objective, recipe.optimizer)
    index = t.batches.take(0)
    x = to_tensor(t.pixels[index]).to(t.device).float() / 255
    x = x.contiguous(memory_format=torch.channels_last)
    y = torch.from_numpy(t.labels[index]).to(t.device)
    steps = train(t)

    def bare() -> None:
        with torch.autocast(t.device.type, dtype=t.autocast, enabled=t.autocast is not None):
            embeddings = network(x)
        total = objective(embeddings, y).total
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()

    for _ in range(5):  # warm up both
        next(steps)
        bare()
    ours, other = alternate(lambda: next(steps), bare, min(rounds * 5, t.total - 20))
    return Ratio(f"step of {t.batches.size} images against a bare step", ours, other, 1.05)


if __name__ == "__main__":
    exit_on_error(main)
