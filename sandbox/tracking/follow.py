"""The events of a run, passed on as they come, and told to the programs that follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from sandbox.evaluation.figures import Figures
from sandbox.pipeline.events import Done, Event, Note, Progress, Started, Validation
from sandbox.reporting.tables.layout import SHOWN
from sandbox.runs.folder import RunFolder
from sandbox.tracking.tracker import Tracker, begin
from sandbox.wording import reason

MAIN = (*SHOWN, "classification/top@1")
"""Figures that have a place of their own beside the report as a whole."""
_POINTS = 1000
"""Of a training's curves, at most."""


def followed(events: Iterable[Event], names: Sequence[str]) -> Iterator[Event]:
    """The same events; every program gets the training's curves, validations, figures at the end and pictures.

    A program that fails is left out from there on, and a note says so: no training ends for its sake.

    Args:
        events: as `sandbox.pipeline.run.run` yields them.
        names: of the programs, as `check` gives them.
    """
    team = _Team(names)
    try:
        for event in events:
            yield from map(Note, team.hear(event))
            yield event
    finally:
        team.close()


class _Team:
    """The programs that follow a run, as long as they work."""

    def __init__(self, names: Sequence[str]):
        self.names = list(names)
        self.trackers: dict[str, Tracker] = {}
        self.folder: RunFolder | None = None

    def hear(self, event: Event) -> list[str]:
        """Tell an event; sentences on what failed."""
        if isinstance(event, Started):
            self.folder = event.folder
        elif isinstance(event, Progress):
            if event.done % max(1, event.total // _POINTS) == 0 or event.done == event.total:
                values = {"train/loss": event.loss, "train/images_per_second": event.images_per_second}
                return self._each(lambda tracker: tracker.scalars(values, event.done), begins=event.done - 1)
        elif isinstance(event, Validation):
            return self._each(lambda tracker: tracker.scalars(plain(event.figures, "val"), event.step))
        elif isinstance(event, Done):
            self.folder = event.folder
            return self._each(lambda tracker: _conclude(event, tracker))
        return []

    def close(self) -> None:
        """Nothing more comes."""
        for tracker in self.trackers.values():
            with suppress(Exception):
                tracker.close()

    def _each(self, tell: Callable[[Tracker], None], begins: int = 0) -> list[str]:
        """Tell every program, and begin those that have not heard of the run, which is at step `begins`."""
        if self.folder is None:
            return []
        failed = []
        for name in list(self.names):
            try:
                if name not in self.trackers:
                    self.trackers[name] = begin(name, self.folder.path, self.folder.recipe(), begins)
                tell(self.trackers[name])
            except Exception as error:
                self.names.remove(name)
                failed.append(f"--log {name} failed and is left out: {type(error).__name__}: {reason(error)}")
        return failed


def plain(figures: Figures, split: str) -> dict[str, float]:
    """The value of every figure, with the ends of its interval, by ``SPLIT/KEY``."""
    return {
        f"{split}/{key}" + ("" if part == "value" else f"/{part}"): float(entry[part])
        for key, entry in figures.items()
        for part in ("value", "low", "high")
        if part in entry
    }


def _conclude(done: Done, tracker: Tracker) -> None:
    values = {name: value for split, figures in done.report.items() for name, value in plain(figures, split).items()}
    for baseline, splits in done.folder.read_json("baselines.json").items():
        for split, figures in splits.items():
            main = {f"{baseline}/{split}/{key}": figures[key] for key in MAIN if key in figures}
            values |= {name: float(entry["value"]) for name, entry in main.items()}
    tracker.figures(values)
    tracker.pictures(sorted((done.folder.path / "figures").glob("*.png")))
