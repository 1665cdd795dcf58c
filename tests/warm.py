"""Trains for a step as it is imported, so that processes forked off the importing one find all in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sandbox.pipeline.run import run
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

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
