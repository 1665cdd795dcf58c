"""The commands and the training step against what they cannot do without."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable

from sandbox.benchmarks.timing import Ratio, alternate
from sandbox.called import started_by
from sandbox.recipe.specs import Recipe


def help_against_import(rounds: int) -> Ratio:
    """`run.py --help` against `import torch`, each in a fresh process."""

    def process(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    bare = process(sys.executable, "-c", "import torch")
    ours, other = alternate(process(*started_by("run"), "--help"), bare, rounds)
    return Ratio("run.py --help against import torch", ours, other, 1 / 3)


def step_against_bare(recipe: Recipe, rounds: int) -> Ratio:
    """A step of the loop against forward, loss, backward and optimizer step on a batch that is in memory."""
    import torch

    from sandbox.backbones.embed import to_tensor
    from sandbox.pipeline.prepare import prepare
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
