"""How far a search is, on the terminal: a line a trial, a bar for each that runs, and the time that is left."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cli.say import say
from sandbox.tuning.study.spelling import spell_parameter, spell_seconds
from sandbox.wording import printable

if TYPE_CHECKING:
    from sandbox.tuning.search.events import Event, Retrained, TrialOver
    from sandbox.tuning.study.record import TrialRecord


@dataclass
class _Pace:
    """How long trials have taken here, and how many are done at once."""

    workers: int
    trials: int
    seconds: list[float] = field(default_factory=list)

    def left(self, seconds: float | None, over: int) -> str:
        if seconds is not None:
            self.seconds.append(seconds)
        if not self.seconds or over >= self.trials:
            return ""
        each = sum(self.seconds[-20:]) / len(self.seconds[-20:])
        return f"   {spell_seconds(each * (self.trials - over) / self.workers)} left"


def watch_study(events: Iterable[Event], *, trials: int, workers: int = 1, studies: int = 1) -> str:
    """Watch a search to its end; why it ended, where that is not that all trials asked for are over.

    Args:
        events: what happens.
        trials: asked for, of each study.
        workers: that are at work.
        studies: that are searched in turn.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sandbox.tuning.search import events as happened

    console = Console(stderr=True)
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    bar = Progress(*columns, TextColumn("{task.fields[now]}", markup=False), console=console, transient=True)
    show = _Shown(bar, console.is_terminal)
    pace, why, said = _Pace(workers, studies * trials), "", set[str]()
    over = dict[str, int]()
    try:
        for event in events:
            if isinstance(event, happened.TrialBegun):
                name = "default" if event.kind == "default" else f"trial {event.number}"
                show.begin((event.study, event.number), _of_study(event.study, name, studies), event.steps)
                if event.adopted:
                    show.line(_of_study(event.study, f"{name} goes on where it was cut off", studies))
            elif isinstance(event, happened.TrialStep):
                now = "" if event.value is None else f"{event.value:.4f}"
                show.step((event.study, event.number), event.done, event.steps, now)
            elif isinstance(event, happened.TrialOver):
                show.end((event.study, event.trial.number))
                over[event.study] = event.over
                left = pace.left(event.trial.seconds, sum(over.values()))
                show.line(_of_study(event.study, trial_line(event, trials), studies) + left)
            elif isinstance(event, happened.Retraining):
                key = (event.study, event.kind, event.seed)
                show.begin(key, _of_study(event.study, f"{event.kind}, seed {event.seed}", studies), event.steps)
                show.step(key, event.done, event.steps, "")
            elif isinstance(event, happened.Retrained):
                show.end((event.study, event.kind, event.seed))
                show.line(_of_study(event.study, retrained_line(event), studies))
            elif isinstance(event, happened.Waiting):
                show.line("other workers are at what is left; waiting for them")
            elif isinstance(event, happened.Ended):
                why = why or event.why
            elif isinstance(event, happened.Note) and event.text not in said:
                said.add(event.text)
                show.line(event.text, error=True)
    finally:
        if bar.live.is_started:
            bar.stop()
    return why


@dataclass
class _Shown:
    """The bars, and the lines above them; a file gets the lines alone."""

    bar: Any
    live: bool
    tasks: dict[Hashable, Any] = field(default_factory=dict)

    def begin(self, key: Hashable, name: str, steps: int) -> None:
        if self.live and not self.bar.live.is_started:
            self.bar.start()
        if key not in self.tasks:
            self.tasks[key] = self.bar.add_task(name, total=steps or None, now="")

    def step(self, key: Hashable, done: int, steps: int, now: str) -> None:
        if key in self.tasks:
            self.bar.update(self.tasks[key], completed=done, total=steps, now=now)

    def end(self, key: Hashable) -> None:
        if key in self.tasks:
            self.bar.remove_task(self.tasks.pop(key))

    def line(self, text: str, *, error: bool = False) -> None:
        if self.live and self.bar.live.is_started:
            self.bar.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)
        else:
            say(text, file=sys.stderr if error else None, flush=True)


def _of_study(study: str, text: str, studies: int) -> str:
    return f"{study}: {text}" if studies > 1 else text


def retrained_line(event: Retrained) -> str:
    """A line on a run on a fresh seed."""
    figure = "came to nothing" if event.figure is None else f"test {event.figure:.4f}"
    return (
        f"{event.kind:<7}  seed {event.seed}   {figure}   {spell_seconds(event.seconds)}   {event.over} of {event.of}"
    )


def trial_line(event: TrialOver, trials: int) -> str:
    """A line on a trial that is over: what came of it, its values, its seconds, and the best so far."""
    trial = event.trial
    name = "default   " if trial.kind == "default" else f"trial {trial.number:>4}"
    took = "" if trial.seconds is None else f"   {spell_seconds(trial.seconds)}"
    best = "" if event.best is None else f"   best {event.best[1]:.4f} ({_of(event.best[0], trial)})"
    return f"{name}  {outcome(trial):<8}  {short_values(trial.params)}{took}{best}   {event.over} of {trials}"


def _of(number: int, trial: TrialRecord) -> str:
    return "this" if number == trial.number else f"trial {number}"


def outcome(trial: TrialRecord) -> str:
    """Its figures, or why there are none."""
    if trial.state == "complete":
        broken = [name for name, value in trial.constraints.items() if value > 0]
        return " ".join(f"{value:.4f}" for value in trial.values) + (f" (breaks {', '.join(broken)})" if broken else "")
    return trial.why if trial.state == "pruned" else f"{trial.state}: {trial.why}"


def short_values(values: Mapping[str, Any]) -> str:
    """Values at three digits that count, by the shortest names that tell them apart."""
    ends = [name.rpartition(".")[2] for name in values]
    named = {
        name: end if ends.count(end) == 1 and end != "weight" else name for name, end in zip(values, ends, strict=True)
    }
    return ", ".join(f"{named[name]} {spell_parameter(value)}" for name, value in values.items())
