"""A recipe that trains in a second, and what comes of one: digits of 8 pixels, split by class."""

from __future__ import annotations

from pathlib import Path

from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Note
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

SMALL = Recipe(
    data=DataSpec(name="digits", image_size=8, split="class"),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    precision="float32",
    threads=1,
)


def trained(recipe: Recipe, folder: Path) -> tuple[Done, list[str]]:
    """The end of a run without pictures, and its notes."""
    *events, last = experiment.run(recipe, out=folder, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last, [event.text for event in events if isinstance(event, Note)]
