"""`table.py compare`: two ways of training on shared seeds or on the same images, or several over data sets."""

from __future__ import annotations

import datetime
import math
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.outputs import from_here
from sandbox.cli.say import say
from sandbox.errors import SandboxError
from sandbox.files import write_whole

if TYPE_CHECKING:
    from sandbox.reporting.compare.several import OverData
    from sandbox.reporting.compare.sides import Sides
    from sandbox.reporting.compare.written import Style, Written
    from sandbox.reporting.records.groups import Group

SHOWN = ("map@r", "auc", "eer", "recall@1", "oneshot/accuracy")
_BY_ENDING: dict[str, Style] = {".md": "markdown", ".json": "json", ".csv": "csv"}
_PICTURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, kw_only=True)
class Command:
    """Compare A and B: each a run folder, a folder of runs of one recipe, a digest, or an objective such as triplet."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="A B")] = ()
    """A and B, before any flag that takes several words; with --over also none (all) or more than two objectives."""
    in_: Annotated[tuple[str, ...], tyro.conf.arg(name="in")] = ()
    """Folders of the runs that digests and objectives name (results/runs where not given)."""
    where: str = ""
    """Only runs of which this is true, such as "data.name = glyphs and seed < 5"."""
    tag: tuple[str, ...] = ()
    """Only runs that were given one of these with --tag."""
    metrics: tuple[str, ...] = ()
    """Figures to compare (MAP@R, AUC, EER and R@1 where not given; with --over the first alone)."""
    equal: float = 0.0
    """A difference that counts as none, such as 0.005: says whether they are equal within it (two one-sided tests)."""
    over: str = ""
    """Compare over data sets, five or more, that this setting tells apart, such as data.name: Friedman's test, mean
    ranks and every pair; --out NAME.png, .svg or .pdf draws the critical-difference diagram."""
    format: Literal["terminal", "markdown", "json", "csv"] = "terminal"
    """How to write it; json holds everything."""
    out: str = ""
    """File to write; printed where not given. The ending .md, .json or .csv chooses the format where none is given."""


def act(command: Command, results: Path) -> None:
    """Compare, and print or write what was found.

    Raises:
        SandboxError: see `sandbox.reporting.compare`.
    """
    from sandbox.reporting.compare.sides import Sides
    from sandbox.reporting.records.chosen import Choice

    _check(command)
    sides = Sides([Path(p) for p in command.in_] or [results / "runs"], Choice(command.where, command.tag))
    if command.over:
        from sandbox.reporting.compare.several_written import write_data

        result = _over_data(command, sides)
        if Path(command.out).suffix.lower() in _PICTURES:
            return _draw(result, write_data(result), Path(command.out))
        return put(write_data(result), command.format, command.out)
    a, b = (sides.find(name) for name in command.names)
    _tell(sides)
    put(compare(a, b, command.metrics, command.equal), command.format, command.out)


def compare(a: Group, b: Group, metrics: Sequence[str] = (), margin: float = 0.0) -> Written:
    """Two recipes, over the seeds that both have; where that is one, by the embeddings of its two runs.

    Args:
        a: the first.
        b: the second.
        metrics: figures by any of their names; `SHOWN`, where both have them, if none is given.
        margin: a difference that counts as none; 0 for no such question.

    Raises:
        SandboxError: other images or rules, no seed in common, or a figure that is not there.
    """
    from sandbox.evaluation.fewshot.said import check_alike
    from sandbox.reporting.compare import pair_written
    from sandbox.reporting.compare.fit import check_same_rules, shared_seeds
    from sandbox.reporting.compare.names import names_of
    from sandbox.reporting.compare.seeds import over_seeds
    from sandbox.reporting.compare.single import of_two_runs
    from sandbox.reporting.records.run import entries_of

    first, second = names_of([a, b])
    names = (first, second)
    check_same_rules([a, b], names)
    shared = shared_seeds(a, b, names)
    keys = _keys(metrics, [a, b])
    for key in keys:
        check_alike(key, entries_of([*a.runs, *b.runs], key))
    notes = [shared.note] if shared.note else []
    if len(shared.seeds) > 1:
        return pair_written.write_seeds(over_seeds(a, b, names, shared.seeds, keys, margin), notes)
    one, other = (next(run for run in group.runs if run.seed == shared.seeds[0]) for group in (a, b))
    if len(a.seeds) > 1 or len(b.seeds) > 1:
        notes.append("one seed in common: its two runs are compared on their test images, with no interval over seeds")
    return pair_written.write_two(of_two_runs(one, other, names, keys, margin), notes)


def put(written: Written, style: Style, out: str) -> None:
    """Print a comparison, or write it to a file that says how it was made."""
    from sandbox.reporting.compare.written import render

    if not out:
        say(render(written, style), end="")
        return
    if style == "terminal":
        style = _BY_ENDING.get(Path(out).suffix.lower(), style)
    made = f"{flags.program()}\n{datetime.date.today()}, {platform.machine()}"
    write_whole(Path(out), render(written, style, header=made), make_folder=True)
    say(f"the comparison to {out}")


def _check(command: Command) -> None:
    """Refuse what no runs need be read for."""
    count = len(command.names)
    if not math.isfinite(command.equal) or command.equal < 0:
        raise SandboxError(f"--equal is {command.equal:g}, but is a difference above 0, such as 0.005")
    picture = Path(command.out).suffix.lower() in _PICTURES
    if command.out and Path(command.out).is_dir():
        raise SandboxError(f"--out is '{command.out}', which is a folder; name a file")
    if command.over:
        if count == 1:
            raise SandboxError(f"'{command.names[0]}' alone is given; --over compares all ways, or two and more named")
        if command.equal:
            raise SandboxError("--equal has no place beside --over, which ranks ways over data sets")
        return
    if count != 2:
        given = f"{count} are given" if count else "none is given"
        more = "; several are compared over data sets by --over data.name" if count > 2 else ""
        words = "; words after --in, --tag and --metrics belong to those flags" if count < 2 else ""
        raise SandboxError(f"compare takes two names, A and B, but {given}{more}{words}")
    if picture:
        raise SandboxError(f"--out is '{command.out}', but a picture is drawn of several ways over data sets (--over)")


def _keys(metrics: Sequence[str], groups: Sequence[Group]) -> list[str]:
    """Report keys of the figures that are asked for; of `SHOWN` those that every recipe has."""
    from sandbox.reporting.records.names import figure_key

    has = [dict.fromkeys(key for run in group.runs for key in run.figures) for group in groups]
    common = [key for key in has[0] if all(key in each for each in has)]
    if metrics:
        keys = list(dict.fromkeys(figure_key(metric, (*common, *has[0], *has[1])) for metric in metrics))
        for group, each in zip(groups, has, strict=True):
            for key in keys:
                if key not in each:
                    raise SandboxError(f"no run of {group.called} has the figure {key}; the other one has it")
        return keys
    plain = {key.rpartition("/")[2]: key for key in common if key.startswith("test/")}
    found = [plain[name] for name in SHOWN if name in plain]
    if not found:
        raise SandboxError(f"none of {', '.join(SHOWN)} is a test figure of every run; choose others with --metrics")
    return found


def _over_data(command: Command, sides: Sides) -> OverData:
    from sandbox.reporting.compare.several import over_data
    from sandbox.reporting.records.names import figure_key

    groups, wanted = sides.groups, []
    _tell(sides)
    if command.names:
        from sandbox.objectives.resolve import resolve

        wanted = [str(resolve(name)) for name in command.names]
        there = {group.objective for group in groups}
        for name in wanted:
            if name not in there:
                sides.find(name)  # says what there is
    if len(command.metrics) > 1:
        raise SandboxError(f"--over ranks by one figure, but {len(command.metrics)} are given to --metrics")
    known = dict.fromkeys(key for group in groups for run in group.runs for key in run.figures)
    key = figure_key((*command.metrics, SHOWN[0])[0], known)
    return over_data(groups, command.over, key, wanted)


def _draw(result: OverData, written: Written, path: Path) -> None:
    """The diagram to a file, and the text to the terminal."""
    import numpy as np

    from sandbox.reporting.plots.critical_difference import draw_ranks

    p = np.ones((len(result.names), len(result.names)))
    for pair in result.found.pairs:
        p[pair.first, pair.second] = p[pair.second, pair.first] = pair.holm
    draw_ranks(result.names, result.found.ranks, p, path, title=written.title)
    put(written, "terminal", "")
    say(f"the diagram to {path}")


def _tell(sides: Sides) -> None:
    """What was left out on the way, on stderr."""
    from sandbox.runs.folder import interrupted_runs

    again = [f"{called('run')} --resume {from_here(f.path)}" for p in sides.read for f in interrupted_runs(p)]
    for note in (*sides.notes, *(f"not looked at, as it was interrupted; to go on: {line}" for line in again)):
        say(f"note: {note}", file=sys.stderr)
