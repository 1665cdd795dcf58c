"""What `table.py again --run` starts: run.py, tune.py and table.py, with this Python and through no shell."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.called import ROOT, started_by
from sandbox.cli import flags
from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.cli.table.again_places import places_of
from sandbox.errors import SandboxError
from sandbox.reporting.again.lines import Line, spelt
from sandbox.reporting.again.standing import Standing, Wanted, spans
from sandbox.reporting.records import ledger
from sandbox.reporting.records.run import Run
from sandbox.wording import printable

_STOPPED = tuple(code for number in (signal.SIGINT, signal.SIGTERM) for code in (-number, 128 + number))


def start(program: str, words: Sequence[str], *, quiet: bool = False) -> None:
    """Run one of our commands to its end; what it prints is shown unless it is to be quiet.

    Raises:
        SandboxError: it failed; what it trained before stays.
    """
    if program not in ("run", "tune", "table"):
        raise SandboxError(f"{program}.py is not started from here")
    line = spelt(program, list(words))
    if not quiet:
        say(f"$ {line}", flush=True)
    # What it prints goes to stderr: this command's own stdout is for what came of it.
    process = subprocess.Popen(
        [*started_by(program), *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_paths()])},
        stdout=subprocess.DEVNULL if quiet else 2,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
    )
    said, stopped = None, False
    while said is None:
        try:
            said = process.communicate()[1] or ""
        except KeyboardInterrupt:  # the command has it too, and saves what it has before it ends
            stopped = True
    if stopped or process.returncode in _STOPPED:
        raise KeyboardInterrupt
    if process.returncode:
        last = said.strip().splitlines()[-1:]
        why = printable(last[0].removeprefix("error: ")) if last else f"its exit code is {process.returncode}"
        raise SandboxError(f"{line} failed: {why}")


def train(wanted: Sequence[Wanted], there: Standing, out: Path, *, anew: bool = False) -> int:
    """Train what is missing: runs that were begun first, then the seeds that are absent.

    Args:
        wanted: the runs of a table.
        there: what there is of them.
        out: folder that new runs go into.
        anew: train what only the ledger has, too.

    Returns:
        How many runs were started or gone on with.
    """
    count = 0
    missing = ("absent", "ledger", "begun") if anew else ("absent", "begun")
    lines: dict[str, tuple[Line, list[int]]] = {}
    for one in wanted:
        if there.where(one) not in missing:
            continue
        count += 1
        begun = [there.begun[name, one.seed] for name in one.digests if (name, one.seed) in there.begun]
        if begun and len(one.digests) == 1:
            plain = [word for word in one.line.words if word in ("--no_pictures", "--no-pictures")]
            start("run", ["--resume", begun[-1], *plain])
        else:
            lines.setdefault(one.line.text, (one.line, []))[1].append(one.seed)
    for line, seeds in lines.values():
        words = flags.without(line.words, ("--seed", "--seeds", "--out"))
        for first, many in spans(seeds):
            start("run", [*words, "--seed", str(first), "--seeds", str(many), "--out", from_here(out)])
    return count


def build(line: Line, runs: Sequence[Run], folder: Path, suffix: str) -> str:
    """The text of a table, built by its own command of these runs alone.

    Args:
        line: the table.py command of its head.
        runs: what it is made of.
        folder: for the files that are needed meanwhile.
        suffix: ending of the table's name.
    """
    ledger.write(folder / "runs.csv", runs)
    words = flags.without(line.words, ("--out",))
    places = places_of(words)
    kept = [word for word in words if word not in places]
    made = folder / f"again{suffix}"
    start("table", [str(folder / "runs.csv"), *kept, "--out", str(made)], quiet=True)
    return made.read_text(encoding="utf-8")


def _paths() -> list[str]:
    return [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
