"""How far a command is, on the terminal: files that are read, and runs that train."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.printable import printable

if TYPE_CHECKING:
    from sandbox.pipeline.events import Done, Event


def watched(files: Sequence[Path], what: str) -> Iterable[Path]:
    """The files one by one, with a bar on a terminal once they have taken a second."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), console=console, transient=True)
    task = bar.add_task("", total=len(files))
    start = time.monotonic()
    try:
        for file in files:
            yield file
            bar.advance(task)
            if console.is_terminal and not bar.live.is_started and time.monotonic() - start > 1:
                bar.start()
    finally:
        if bar.live.is_started:
            bar.stop()


def watch_run(
    events: Iterable[Event], name: str = "training", *, brief: bool = False, again: Callable[[Path], str] | None = None
) -> Done | None:
    """Watch a run to its end, with its notes and a bar; returns its last event, which processes beside rank 0 lack.

    Args:
        events: what happens, as `sandbox.pipeline.run.run` yields it.
        name: what stands before the bar.
        brief: leave no trace but notes: the bar goes when it is full, and is not drawn where there is no terminal.
        again: what to type to go on with the run in a folder, said where it is interrupted.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sandbox.pipeline import events as happened

    console = Console(stderr=True)
    columns = [TextColumn(name, markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    if not brief:
        columns.append(TextColumn("{task.fields[now]}"))
    bar = Progress(*columns, console=console, transient=brief)
    task = bar.add_task("", total=None, now="")
    done: Done | None = None
    folder: Path | None = None
    try:
        for event in events:
            if isinstance(event, happened.Note):
                bar.console.print(printable(event.text), highlight=False, markup=False)
            elif isinstance(event, happened.Progress):
                if console.is_terminal or not brief:
                    bar.start()  # not before: a refused recipe should leave one sentence, and no bar
                value = "" if event.monitor is None else f" val {event.monitor:.4f}"
                now = f"loss {event.loss:.4f} {event.images_per_second:,.0f} img/s{value}"
                bar.update(task, total=event.total, completed=event.done, now=now)
            elif isinstance(event, happened.Validation) and not brief and not console.is_terminal:
                print(f"step {event.step}: validation {event.value:.4f}", file=sys.stderr)
            elif isinstance(event, happened.Done):
                done = event
            elif isinstance(event, happened.Started):
                folder = event.folder.path
    except KeyboardInterrupt:
        if folder and again:
            print(f"\ninterrupted; to go on: {again(folder)}", file=sys.stderr)
        raise
    finally:
        if bar.live.is_started:
            bar.stop()
    return done
