"""The events of a run, passed on as they come, and told to the programs that follow it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sandbox.evaluation.figures import Figures
from sandbox.pipeline.events import Done, Event, Progress, Started, Validation
from sandbox.reporting.tables.layout import SHOWN
from sandbox.tracking.tracker import Tracker, begin

MAIN = (*SHOWN, "classification/top@1")
"""Figures that have a place of their own beside the report as a whole."""
_POINTS = 1000
"""Of a training's curves, at most."""


def followed(events: Iterable[Event], names: Sequence[str]) -> Iterator[Event]:
    """The same events; every program gets the training's curves, validations, figures at the end and pictures.

    Args:
        events: as `sandbox.pipeline.run.run` yields them.
        names: of the programs, as `check` gives them.
    """
    trackers: list[Tracker] = []
    folder = None
    try:
        for event in events:
            if isinstance(event, Started):
                folder = event.folder
            elif isinstance(event, Progress) and folder is not None:
                if not trackers:
                    trackers = [begin(name, folder.path, folder.recipe(), event.done - 1) for name in names]
                if event.done % max(1, event.total // _POINTS) == 0 or event.done == event.total:
                    values = {"train/loss": event.loss, "train/images_per_second": event.images_per_second}
                    for tracker in trackers:
                        tracker.scalars(values, event.done)
            elif isinstance(event, Validation):
                for tracker in trackers:
                    tracker.scalars(plain(event.figures, "val"), event.step)
            elif isinstance(event, Done):
                trackers = trackers or [begin(name, event.folder.path, event.folder.recipe(), 0) for name in names]
                _conclude(event, trackers)
            yield event
    finally:
        for tracker in trackers:
            tracker.close()


def plain(figures: Figures, split: str) -> dict[str, float]:
    """The value of every figure, with the ends of its interval, by ``SPLIT/KEY``."""
    return {
        f"{split}/{key}" + ("" if part == "value" else f"/{part}"): float(entry[part])
        for key, entry in figures.items()
        for part in ("value", "low", "high")
        if part in entry
    }


def _conclude(done: Done, trackers: Sequence[Tracker]) -> None:
    values = {name: value for split, figures in done.report.items() for name, value in plain(figures, split).items()}
    for baseline, splits in done.folder.read_json("baselines.json").items():
        for split, figures in splits.items():
            main = {f"{baseline}/{split}/{key}": figures[key] for key in MAIN if key in figures}
            values |= {name: float(entry["value"]) for name, entry in main.items()}
    pictures = sorted((done.folder.path / "figures").glob("*.png"))
    for tracker in trackers:
        tracker.figures(values)
        tracker.pictures(pictures)
