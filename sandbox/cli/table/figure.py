"""What `table.py figure` takes and does: pictures out of several runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.say import say
from sandbox.cli.table.commands import Chosen, chosen_runs
from sandbox.errors import SandboxError, unknown

if TYPE_CHECKING:
    from sandbox.reporting.records.groups import Group

_FIRST = "test/retrieval/map@r"
KINDS = {
    "heatmap": "a figure over two settings, losses down and miners across (--rows, --columns)",
    "forest": "means with intervals, or with --baseline differences on shared seeds",
    "parameter": "a figure over the setting --x",
    "curves": "learning curves, with the health of the training",
    "roc": "true accept rate over false accept rate, with bands",
    "det": "false reject rate over false accept rate, on the scale of normal deviates",
    "recall": "recall@k over k",
    "cost": "a figure over parameters, images per second or hours (--x)",
}
_TAKES = {
    "metrics": ("heatmap", "forest", "parameter", "cost"),
    "rows": ("heatmap",),
    "columns": ("heatmap",),
    "baseline": ("forest",),
    "x": ("parameter", "cost"),
}
"""Flags that other kinds have no use for."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Draw finished runs: heatmap, forest, parameter, curves, roc, det, recall or cost."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="KIND [RUNS ...]")] = ()
    """What to draw, then run folders or folders that hold them (results/runs where none is given)."""
    out: str = ""
    """The picture to write: its ending .png, .svg or .pdf says what it is; text stays text in the last two."""
    metrics: tuple[str, ...] = ()
    """Figures, such as MAP@R or val/AUC, a panel for each; MAP@R where not given."""
    rows: str = "loss"
    """heatmap: a setting, or loss, miner or objective."""
    columns: str = "miner"
    """heatmap: another."""
    baseline: str = ""
    """forest: compare with this objective (as --loss takes it) or digest, on the seeds that both have."""
    x: str = ""
    """parameter: a setting, such as optimizer.lr, or of the objective, such as margin. cost: parameters, hours or
    images_per_second."""
    width: float = 7.0
    """Inches: 3.4 fits a column of a paper, 7 its page."""
    where: str = ""
    """Only runs of which this is true, such as "data.name = glyphs and seed < 5"."""
    tag: tuple[str, ...] = ()
    """Only runs that were given one of these with --tag."""


@dataclass(frozen=True)
class _Drawing:
    """What is asked for, checked."""

    command: Command
    groups: Sequence[Group] = field(repr=False)
    path: Path

    def keys(self) -> list[str]:
        """The figures that are wanted, by their keys."""
        from sandbox.reporting.records.names import figure_key

        known = sorted({key for group in self.groups for run in group.runs for key in run.figures})
        return list(dict.fromkeys(figure_key(name, known) for name in self.command.metrics or (_FIRST,)))


def act(command: Command, results: Path) -> None:
    """Draw what is asked for, and say what it shows.

    Raises:
        SandboxError: no such kind, a file that is no picture, flags of another kind, or runs that cannot be drawn.
    """
    kind = _check(command)
    from sandbox.reporting.plots.lettering import not_written
    from sandbox.reporting.plots.several.labels import labels
    from sandbox.reporting.plots.style import picture_file
    from sandbox.reporting.records.groups import group

    path = picture_file(command.out)
    runs = chosen_runs(Chosen(runs=command.words[1:], where=command.where, tag=command.tag), results)
    groups, notes = group(runs)
    draw: dict[str, Callable[[_Drawing], tuple[str, list[str]]]] = {
        "heatmap": _heatmap, "forest": _forest, "parameter": _parameter, "curves": _curves,
        "roc": _trade_offs, "det": _trade_offs, "recall": _recall, "cost": _cost,
    }  # fmt: skip
    said, more = draw[kind](_Drawing(command, groups, path))
    for note in (*notes, *more, *not_written(labels(groups))):
        say(f"note: {note}", file=sys.stderr)
    say(f"{path}: {said}")


def _check(command: Command) -> str:
    """The kind that is asked for.

    Raises:
        SandboxError: none, an unknown one, flags that it has no use for, or a width out of range.
    """
    kind = command.words[0] if command.words else ""
    if not kind:
        raise SandboxError(f"say what to draw, {', '.join(KINDS)}: {called('table')} figure heatmap RUNS --out a.png")
    if kind not in KINDS:
        raise unknown("figure to draw", kind, KINDS)
    given = flags.given(sys.argv)
    for flag, kinds in _TAKES.items():
        if flag in given and kind not in kinds:
            raise SandboxError(f"--{flag} says nothing to {kind}; it is for {', '.join(kinds)}")
    if not 2.5 <= command.width <= 20:
        raise SandboxError(f"--width is {command.width:g} inches, but lies between 2.5 and 20")
    return kind


def _heatmap(drawing: _Drawing) -> tuple[str, list[str]]:
    from sandbox.reporting.plots.several.heatmap import draw_heatmap
    from sandbox.reporting.plots.several.labels import setting_name

    command, groups = drawing.command, drawing.groups
    rows, columns = (setting_name(name, groups) for name in (command.rows, command.columns))
    return draw_heatmap(groups, drawing.keys(), drawing.path, rows=rows, columns=columns, width=command.width), []


def _forest(drawing: _Drawing) -> tuple[str, list[str]]:
    from sandbox.reporting.plots.several.chosen import named_recipe, of_one_split
    from sandbox.reporting.plots.several.forest import draw_forest

    command, groups = drawing.command, drawing.groups
    of_one_split(groups)
    baseline = named_recipe(command.baseline, groups, "--baseline") if command.baseline else None
    return draw_forest(groups, drawing.keys(), drawing.path, baseline=baseline, width=command.width)


def _parameter(drawing: _Drawing) -> tuple[str, list[str]]:
    from sandbox.reporting.plots.several.chosen import of_one_split
    from sandbox.reporting.plots.several.labels import setting_name
    from sandbox.reporting.plots.several.parameter import draw_parameter

    if not drawing.command.x:
        raise SandboxError("say over which setting with --x, such as --x optimizer.lr or --x margin")
    name = setting_name(drawing.command.x, drawing.groups)
    if not name.startswith("data."):
        of_one_split(drawing.groups)
    return draw_parameter(drawing.groups, drawing.keys(), drawing.path, name=name, width=drawing.command.width)


def _curves(drawing: _Drawing) -> tuple[str, list[str]]:
    from sandbox.reporting.plots.several.chosen import of_one_split
    from sandbox.reporting.plots.several.learning import draw_learning

    of_one_split(drawing.groups)
    return draw_learning(drawing.groups, drawing.path, width=drawing.command.width)


def _trade_offs(drawing: _Drawing) -> tuple[str, list[str]]:
    from sandbox.reporting.plots.several.chosen import of_one_split
    from sandbox.reporting.plots.several.verified import draw_verified

    of_one_split(drawing.groups)
    det = drawing.command.words[0] == "det"
    return draw_verified(drawing.groups, drawing.path, det=det, width=drawing.command.width)


def _recall(drawing: _Drawing) -> tuple[str, list[str]]:
    from sandbox.reporting.plots.several.chosen import of_one_split
    from sandbox.reporting.plots.several.recall import draw_recall

    of_one_split(drawing.groups)
    return draw_recall(drawing.groups, drawing.path, width=drawing.command.width)


def _cost(drawing: _Drawing) -> tuple[str, list[str]]:
    from sandbox.reporting.plots.several.chosen import of_one_split
    from sandbox.reporting.plots.several.cost import draw_cost

    of_one_split(drawing.groups)
    x = drawing.command.x or "parameters"
    return draw_cost(drawing.groups, drawing.keys(), drawing.path, x=x, width=drawing.command.width)
