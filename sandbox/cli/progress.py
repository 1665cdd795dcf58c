"""How far a command is, on the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path


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
