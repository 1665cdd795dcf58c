"""`train`, and the run that it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.api.given import place, texts
from sandbox.api.networks import Network, load
from sandbox.api.report import Report
from sandbox.api.settings import recipes_of
from sandbox.called import called
from sandbox.evaluation.figures import printed_name
from sandbox.pipeline.events import Done, Event, Note, Validation
from sandbox.pipeline.run import run
from sandbox.pipeline.stages import in_stages
from sandbox.recipe.specs import Recipe
from sandbox.recipe.text import to_flags
from sandbox.runs.folder import RunFolder
from sandbox.training.stopping import listen

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Run:
    """A finished run."""

    folder: Path
    """What it left: see experiments/README.md, "What a run leaves"."""

    @cached_property
    def report(self) -> dict[str, Report]:
        """Split (``val``, ``test``) -> its figures."""
        return {split: Report(figures) for split, figures in self._kept.read_json("report.json").items()}

    @cached_property
    def baselines(self) -> dict[str, dict[str, Report]]:
        """Raw pixels, and the network as it was at step 0 -> split -> the same figures of the same images."""
        told = self._kept.read_json("baselines.json")
        return {name: {split: Report(of) for split, of in splits.items()} for name, splits in told.items()}

    @cached_property
    def recipe(self) -> Recipe:
        """Every setting."""
        return self._kept.recipe()

    @cached_property
    def facts(self) -> dict[str, Any]:
        """run.json: command, digest, seed, versions, device, seconds, memory, parameters, split."""
        told: dict[str, Any] = self._kept.read_json("run.json")
        return told

    def network(self) -> Network:
        """Its network, with the weights that were best on validation."""
        return load(self.folder)

    def embeddings(self, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
        """Unit embeddings (N, D) float32 of a split's images, and their labels (N,) int64."""
        from sandbox.scoring.from_run import of_run

        held = of_run(self.folder, split).probe
        return held.x, held.labels

    @property
    def _kept(self) -> RunFolder:
        return RunFolder(self.folder)


def train(
    recipe: Recipe | str | Path | None = None,
    *,
    out: str | Path = "results/runs",
    pictures: bool = False,
    tags: Sequence[str] = (),
    watch: Callable[[Event], object] | None = None,
    **settings: Any,
) -> Run:
    """Train, evaluate and record, as the command run does with the same settings.

    Args:
        recipe: what the settings go over: a recipe, the name of one that comes with the sandbox, or a TOML file. One
            with stages is trained stage by stage; the last one's run is given.
        out: folder that the run's folder is made in.
        pictures: draw the figures and the page as well.
        tags: what the run is called by, to choose it in tables.
        watch: called with what happens (`sandbox.pipeline.events`); where not given, a line is printed for each
            validation and each note.
        settings: keys of a recipe file, with dicts for its tables: ``loss="triplet", miner="hard", max_steps=100,
            data={"name": "digits"}``.

    Raises:
        SandboxError: a setting that does not exist or has no such value, or data that cannot be read; or training
            cannot go on.
    """
    folders, tagged = place("out", out), texts("tags", tags)

    def stage(_: int, name: str, of: Recipe) -> Path | None:
        folder = None
        line = " ".join([called("run"), *to_flags(of)])
        for event in run(of, out=folders, command=line, pictures=pictures, tags=tagged, stage=name):
            (watch or _told)(event)
            if isinstance(event, Done):
                folder = event.folder.path
        return folder

    with listen():
        folder = in_stages(recipes_of(recipe, settings), stage)
    assert folder is not None
    return Run(folder)


def _told(event: Event) -> None:
    if isinstance(event, Note):
        print(f"note: {event.text}")
    elif isinstance(event, Validation):
        shown = ", ".join(f"{printed_name(key)} {event.figures[key]['value']:.4f}" for key in _shown(event))
        print(f"step {event.step}: validation {shown or f'{event.value:.4f}'}{', the best so far' * event.best}")


def _shown(event: Validation) -> list[str]:
    first = ("retrieval/map@r", "verification/auc", "classification/top@1")
    return [key for key in first if key in event.figures]
