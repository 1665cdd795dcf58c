"""A recipe that trains in a second, and what comes of one: digits of 8 pixels, split by class."""

from __future__ import annotations

from pathlib import Path

from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done, Note
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, Recipe

SMALL = Recipe(
    data=DataSpec(name="digits", image_size=8, split="class"),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    precision="float32",
    threads=1,
)


MINED = Recipe(
    miner="hard",
    data=DataSpec(name="digits", image_size=8),
    backbone=BackboneSpec(name="conv4", embedding_dim=16),
    batch=BatchSpec(size=24),
    evaluate=EvaluateSpec(every=4),
    max_steps=8,
    threads=1,
)
"""Eight steps of triplets with batch-hard mining, validated twice; split as digits are by themselves."""


def done(recipe: Recipe, out: Path, **more: bool) -> Done:
    """The end of a run, without pictures unless they are asked for."""
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=more.pop("pictures", False), **more)
    assert isinstance(last, Done)
    return last


def trained(recipe: Recipe, folder: Path) -> tuple[Done, list[str]]:
    """The end of a run without pictures, and its notes."""
    *events, last = experiment.run(recipe, out=folder, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last, [event.text for event in events if isinstance(event, Note)]
