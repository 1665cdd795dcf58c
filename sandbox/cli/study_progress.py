"""How far a search is, on the terminal: a line a trial, a bar for each that runs, and the time that is left."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cli.say import say
from sandbox.wording import printable

if TYPE_CHECKING:
    from sandbox.tuning.events import Event, TrialBegun, TrialOver
    from sandbox.tuning.record import TrialRecord


@dataclass
class _Pace:
    """How long trials have taken here, and how many are done at once."""

    workers: int
    trials: int
    seconds: list[float] = field(default_factory=list)

    def left(self, over: int) -> str:
        if not self.seconds or over >= self.trials:
            return ""
        each = sum(self.seconds[-20:]) / len(self.seconds[-20:])
        return f"   {duration(each * (self.trials - over) / self.workers)} left"


def watch_study(events: Iterable[Event], *, trials: int, workers: int = 1) -> str:
    """Watch a search to its end; why it ended, where that is not that all trials asked for are over."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sandbox.tuning import events as happened

    console = Console(stderr=True)
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    bar = Progress(*columns, TextColumn("{task.fields[now]}", markup=False), console=console, transient=True)
    tasks: dict[int, Any] = {}
    pace, why = _Pace(workers, trials), ""
    said: set[str] = set()
    try:
        for event in events:
            if isinstance(event, happened.TrialBegun):
                if console.is_terminal:
                    bar.start()
                tasks[event.number] = bar.add_task(_name(event), total=event.steps or None, now="")
                if event.adopted:
                    _line(bar, console.is_terminal, f"trial {event.number:>4}  goes on where it was cut off")
            elif isinstance(event, happened.TrialStep) and event.number in tasks:
                now = "" if event.value is None else f"{event.value:.4f}"
                bar.update(tasks[event.number], completed=event.done, total=event.steps, now=now)
            elif isinstance(event, happened.TrialOver):
                if event.trial.number in tasks:
                    bar.remove_task(tasks.pop(event.trial.number))
                if event.trial.seconds is not None:
                    pace.seconds.append(event.trial.seconds)
                _line(bar, console.is_terminal, trial_line(event, trials) + pace.left(event.over))
            elif isinstance(event, happened.Waiting):
                _line(bar, console.is_terminal, "other workers are at what is left; waiting for them")
            elif isinstance(event, happened.Ended):
                why = why or event.why
            elif isinstance(event, happened.Note) and event.text not in said:
                said.add(event.text)
                _line(bar, console.is_terminal, event.text, error=True)
    finally:
        if bar.live.is_started:
            bar.stop()
    return why


def _line(bar: Any, live: bool, text: str, *, error: bool = False) -> None:
    if live and bar.live.is_started:
        bar.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)
        return
    say(text, file=sys.stderr if error else None, flush=True)


def _name(begun: TrialBegun) -> str:
    return "default" if begun.kind == "default" else f"trial {begun.number}"


def trial_line(event: TrialOver, trials: int) -> str:
    """A line on a trial that is over: what came of it, its values, its seconds, and the best so far."""
    trial = event.trial
    name = "default   " if trial.kind == "default" else f"trial {trial.number:>4}"
    took = "" if trial.seconds is None else f"   {duration(trial.seconds)}"
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
    return ", ".join(f"{named[name]} {short(value)}" for name, value in values.items())


def short(value: Any) -> str:
    """A number at three digits that count."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 or not value.is_integer() else f"{value:.0f}"
    return str(value)


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
