"""Trains a step and opens a database as it is imported, so that processes forked off it find all in memory."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

from optuna.storages import RDBStorage

from sandbox.pipeline.run import run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

import storing  # noqa: F401  # what studies need
import working  # noqa: F401  # and their workers

with tempfile.TemporaryDirectory() as folder:
    recipe = Recipe(
        loss="xbm(contrastive, memory_size=96)",
        data=DataSpec(name="digits", image_size=8),
        backbone=BackboneSpec(name="conv4", embedding_dim=16),
        batch=BatchSpec(size=24),
        max_steps=1,
        threads=1,
    )
    for _ in run(recipe, out=Path(folder), command="to warm up", pictures=False):
        pass
RDBStorage("sqlite://")  # which imports at its first use
for name in ("psycopg", "optuna_dashboard", "scipy.stats"):
    if importlib.util.find_spec(name.partition(".")[0]):
        importlib.import_module(name)
