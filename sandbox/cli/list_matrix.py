"""`--list matrix`: losses by miners, each pair built and tried; and what goes with one loss."""

from __future__ import annotations

import string
import sys
from collections.abc import Iterable, Sequence

from sandbox.cli.help import width, wrap
from sandbox.cli.list_entry import LABEL, said
from sandbox.cli.listing import heading, hung, joined
from sandbox.cli.say import say
from sandbox.errors import SandboxError
from sandbox.objectives.catalog import Entry, look_up
from sandbox.objectives.goes_with import (
    DEAR,
    IMAGES,
    SAMPLES,
    Mark,
    distances_of,
    mark,
    shapes_of,
    takes_miner,
    usable,
    written,
)
from sandbox.objectives.resolve import resolve
from sandbox.objectives.step_cost import DIM, growth, step_bytes
from sandbox.wording import counted

SIGNS: dict[Mark, tuple[str, str]] = {
    "trains": (".", "the pair trains"),
    "refused": ("x", "refused: run.py says why"),
    "nothing": ("=", "trains as without a miner: the miner changes no gradient"),
    "dear": ("$", f"costs more than it gives: a step takes {DEAR:g} times the memory of one without a miner, or more"),
}


def matrix(names: Sequence[str]) -> str:
    """Losses down, miners across, a sign where they meet; each pair is built and tried: all take a minute.

    Args:
        names: losses; all that take pairs or triplets where none is given.

    Raises:
        SandboxError: no loss is called so, or one takes no miner.
    """
    found = [look_up(name, "loss")[0] for name in names] or usable("loss")
    rows = [entry for entry in found if written(entry) and takes_miner(entry)]
    others = [entry for entry in found if entry not in rows]
    if names and others:
        raise SandboxError(f"{others[0].name} takes no miner, so --list matrix has no row of it")
    miners = usable("miner")
    say(f"building and trying {counted(len(rows) * len(miners), 'pair', 'pairs')}", file=sys.stderr)
    letters = dict(zip(string.ascii_lowercase + string.ascii_uppercase, miners, strict=False))
    column = max((len(entry.name) for entry in rows), default=0) + 4
    lines = [*heading("losses by miners"), " " * column + " ".join(letters)]
    for entry in rows:
        signs = [SIGNS[mark(written(entry), miner.name)][0] for miner in letters.values()]
        lines.append(f"  {entry.name}".ljust(column) + " ".join(signs))
    lines += ["", joined((f"{letter}={miner.name}" for letter, miner in letters.items()), 2), ""]
    lines += [hung(told, f"{sign}  ", 3) for sign, told in SIGNS.values()]
    lines += [
        "",
        wrap(f"A batch has {IMAGES} images, {SAMPLES} of each class; every name is at its defaults.", width()),
    ]
    if others:
        lines += ["", "take no --miner:", joined((entry.name for entry in others), 2)]
    return "\n".join(lines)


def goes_with(entry: Entry) -> Iterable[str]:
    """What makes sense with a loss: distances, miners, batches; and what it costs. Each is tried."""
    text = written(entry)
    if entry.note.refused or not text:
        return
    if distances := distances_of(entry):
        yield said("distances", _names([name for name, wrong in distances.items() if not wrong]))
        if wrong := [name for name, why in distances.items() if why]:
            yield _below(f"refused: {', '.join(wrong)}")
    if takes_miner(entry):
        marks = {miner.name: mark(text, miner.name) for miner in usable("miner")}
        yield said("miners", _names([name for name, found in marks.items() if found == "trains"]))
        for kind in ("dear", "nothing", "refused"):
            if names := [name for name, found in marks.items() if found == kind]:
                yield _below(f"{SIGNS[kind][1].partition(':')[0]}: {', '.join(names)}")
    yield said("batch", _shapes(text))
    few, many = (step_bytes(resolve(text), images) for images in (IMAGES, 2 * IMAGES))
    yield said(
        "cost",
        f"{_megabytes(few)} in a step of {IMAGES} images ({IMAGES // SAMPLES} classes x {SAMPLES}) with embeddings of "
        f"{DIM} numbers, {_megabytes(many)} in one of {2 * IMAGES}: grows as N^{growth(few, many):.1f} of the batch",
    )


def _below(text: str) -> str:
    """A line under the one before it, without a label."""
    return hung(text, " " * LABEL, LABEL)


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _shapes(text: str) -> str:
    """Which batches give a gradient, and how they are drawn where nothing is asked for."""
    shapes = list(shapes_of(text))
    drawn = "classes x images of each (pxk)" if resolve(text).takes_tuples else "shuffled epochs"
    able, unable = ([f"{p} x {k}" for p, k, able in shapes if able is wanted] for wanted in (True, False))
    beside = f"; {', '.join(unable)} gives no gradient" if unable else ""
    return f"{drawn} by itself; of {IMAGES} images train {', '.join(able) or 'none'}{beside}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
