"""The memory that a step of an objective takes; a job for `apart`."""

from __future__ import annotations

import os
import resource

import torch

from sandbox.errors import SandboxError
from sandbox.objectives.bounded.demand import check_demand
from sandbox.objectives.objective import build, seed_draws
from sandbox.objectives.rehearsal import rehearse
from sandbox.objectives.resolve import resolve

MOST = 2_000_000_000
DIM = 128


def grown_by(loss: str, miner: str, classes: int, samples: int, steps: int) -> int:
    """Bytes by which this process grows at most over a recipe's objective, its rehearsal included.

    It is tried on rows at random, in tight classes, and close together.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    with open("/proc/self/statm") as file:
        virtual, resident = (int(word) * page for word in file.read().split()[:2])
    resource.setrlimit(resource.RLIMIT_AS, (virtual + 2 * MOST, resource.getrlimit(resource.RLIMIT_AS)[1]))
    expression = resolve(loss, miner)
    y = torch.arange(classes).repeat_interleave(samples)
    check_demand(expression, [samples] * classes)
    try:
        rehearse(expression, classes=classes, samples=samples)
    except SandboxError as error:
        assert "triplet_margin(miner=triplet_margin(type_of_triplets='easy')) cannot learn" in str(error)
    torch.manual_seed(0)
    seed_draws(0, 0)
    noise = torch.randn(len(y), DIM)
    for rows in (noise, torch.randn(classes, DIM)[y] + 0.05 * noise, torch.randn(1, DIM) + 0.2 * noise):
        objective = build(expression, classes=classes, dim=DIM)
        for _ in range(steps):
            x = rows.clone().requires_grad_()
            total = objective(x, y).total
            if total.requires_grad:
                total.backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident
