"""`Run`: what tables, comparisons and figures need of one finished run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.evaluation.figures import Figures
from sandbox.recipe.specs import Recipe, flat

RAW_PIXELS, UNTRAINED = "raw pixels", "untrained"
"""The baselines of a run: its images as they are, and its own network at step 0."""
ROWS = "rows as they are"
"""What raw pixels are of images, of a data set of rows of numbers."""
HAUSDORFF = "modified Hausdorff distance"
"""One more, of one-shot trials that have published figures."""


@dataclass(frozen=True)
class Run:
    """One finished run."""

    path: Path
    """Its folder."""
    digest: str
    """Of the recipe: seeds of one recipe share it."""
    seed: int
    recipe: Recipe = field(repr=False)
    report: Mapping[str, Figures] = field(repr=False)
    """``val`` and ``test`` -> report key -> value, interval and n."""
    split: str
    """Digest of the images that were trained on and judged."""
    command: str = field(repr=False)
    """What was typed to make it."""
    tags: tuple[str, ...] = ()
    """What --tag called it."""
    baselines: Mapping[str, Mapping[str, Figures]] = field(default_factory=dict, repr=False)
    """`RAW_PIXELS` (or `ROWS`), `UNTRAINED` and `HAUSDORFF` -> split -> figures; empty for runs from before they were
    scored."""
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All of run.json."""

    @cached_property
    def figures(self) -> dict[str, float]:
        """``test/retrieval/map@r`` -> value, over all splits."""
        return {
            f"{split}/{key}": float(entry["value"])
            for split, part in self.report.items()
            for key, entry in part.items()
        }

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Dotted name -> value of every setting of the recipe."""
        return flat(self.recipe)


def as_they_are(baselines: Mapping[str, Mapping[str, Figures]]) -> tuple[str, Mapping[str, Figures]]:
    """The name and the figures, split by split, of what was not embedded: raw pixels, or rows as they are."""
    name = ROWS if ROWS in baselines else RAW_PIXELS
    return name, baselines.get(name, {})


def entries_of(runs: Sequence[Run], key: str) -> list[Mapping[str, Any]]:
    """What the reports of runs have of a figure (``test/retrieval/map@r``), of those that have it."""
    split, _, plain = key.partition("/")
    return [run.report[split][plain] for run in runs if plain in run.report.get(split, {})]
