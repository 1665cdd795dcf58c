"""Result tables out of run folders: one row for the seeds of a recipe, a column for each setting that differs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import SandboxError, near
from sandbox.evaluation.figures import lower_is_better
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.recipe.specs import Recipe, digest, flat
from sandbox.runs.folder import RunFolder, run_folders
from sandbox.wording import counted, first_names

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("test/retrieval/map@r", "test/retrieval/precision@1", "test/verification/auc", "test/verification/eer")
FORMATS = ("terminal", "markdown", "latex", "csv")
_SECTIONS = [field.name for field in dataclasses.fields(Recipe)]
_NEVER_A_COLUMN = {"loss", "miner", "seed", "device", "threads", "data.root", "resume_from"}


@dataclass(frozen=True)
class Run:
    """What a table needs of one finished run."""

    digest: str
    seed: int
    recipe: Recipe
    figures: dict[str, float]
    """``test/retrieval/map@r`` -> value, over all splits."""
    split: str
    """Digest of the images that were trained on and judged."""
    command: str
    """What was typed to make it."""


@dataclass(frozen=True)
class Table:
    """Rows of groups, best first, and what a reader should know about them."""

    frame: pd.DataFrame
    metrics: tuple[str, ...]
    settings: tuple[str, ...]
    notes: tuple[str, ...]


def read_runs(places: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Finished runs below the given folders, and a sentence on those whose files are damaged, which are left out.

    Raises:
        SandboxError: a place does not exist, or holds no finished run.
    """
    runs, damaged = [], []
    for place in places:
        if not place.is_dir():
            raise SandboxError(
                f"no folder {place}; train something first: python experiments/run.py --loss triplet --miner hard"
            )
        for folder in run_folders(place):
            try:
                if folder.is_finished():
                    runs.append(_read(folder))
            except SandboxError as error:
                damaged.append(str(error))
    if not runs:
        beside = f"; left out: {first_names(damaged)}" if damaged else ""
        raise SandboxError(
            f"no finished run in {', '.join(map(str, places))}; runs that failed or go on are in no table{beside}"
        )
    count = counted(len(damaged), "run cannot be read and is left out", "runs cannot be read and are left out")
    return runs, [f"{count}: {first_names(damaged)}"] if damaged else []


def build_table(runs: Sequence[Run], metrics: Sequence[str] = SHOWN, *, sort: str = "") -> Table:
    """Group runs by recipe and take the mean of each figure over its seeds.

    Columns of the frame: ``objective``, one for each setting that differs, ``n`` (seeds), and for each metric its
    mean, ``METRIC low`` and ``METRIC high`` (95 % t-interval; empty for a single seed).

    Raises:
        SandboxError: no run has such a metric, or `sort` is none of the metrics.
    """
    import pandas as pd

    known = sorted({key for run in runs for key in run.figures})
    for metric in (*metrics, *([sort] if sort else [])):
        if metric not in known:
            close = near(metric, known) or f"; there are {', '.join(known)}"
            raise SandboxError(f"no run has the figure '{metric}'{close}")
    groups, notes = _group(runs)
    settings = _differing([group[0].recipe for group in groups])
    if len({run.digest for run in runs}) < len(groups):  # one recipe on several folders
        settings.append("data.root")
    rows = []
    for group in groups:
        settings_here = flat(group[0].recipe)
        row: dict[str, Any] = {
            "objective": group[0].recipe.loss,
            **{name: settings_here.get(name, "") for name in settings},
        }
        row["n"] = len(group)
        for metric in metrics:
            mean, half = t_interval([run.figures[metric] for run in group if metric in run.figures])
            row |= {metric: mean, f"{metric} low": mean - half, f"{metric} high": mean + half}
        rows.append(row)
    by = sort or metrics[0]
    if by not in metrics:
        raise SandboxError(f"--sort '{by}' is not among the metrics of the table: {', '.join(metrics)}")
    frame = pd.DataFrame(rows).sort_values(by, ascending=lower_is_better(by), kind="stable", ignore_index=True)
    return Table(frame, tuple(metrics), tuple(settings), tuple(notes))


def render(table: Table, style: str, *, header: str = "") -> str:
    """The table as text: ``markdown``, ``latex`` (booktabs), ``csv`` (with the intervals' ends) or ``terminal``.

    Args:
        table: what to show.
        style: one of `FORMATS`.
        header: lines that say how the table was made; a comment in the style's own way.
    """
    if style == "csv":
        comment = "".join(f"# {line}\n" for line in header.splitlines())
        return comment + table.frame.to_csv(index=False)
    shown = _readable(table)
    if style == "latex":
        comment = "".join(f"% {line}\n" for line in header.splitlines())
        shown.columns = [_latex(name) for name in shown.columns]
        cells = shown.map(lambda cell: _latex(str(cell)).replace("±", r"$\pm$"))
        left = len(table.settings) + 1
        return comment + cells.to_latex(
            index=False, escape=False, column_format="l" * left + "r" * (len(cells.columns) - left)
        )
    if style == "markdown":
        comment = f"<!-- {header} -->\n\n" if header else ""
        notes = "".join(f"\n{note}\n" for note in table.notes)
        body = shown.map(lambda cell: str(cell).replace("|", "\\|")).to_markdown(index=False, disable_numparse=True)
        return f"{comment}{body}\n{notes}"
    return (
        shown.to_markdown(index=False, tablefmt="simple", disable_numparse=True)
        + "".join(f"\n{n}" for n in table.notes)
        + "\n"
    )


def _read(folder: RunFolder) -> Run:
    """What a table needs of a run folder.

    Raises:
        SandboxError: a file of it is damaged, a figure is not finite, or its recipe was changed after the run.
    """
    facts, report, recipe = folder.read_json("run.json"), folder.read_json("report.json"), folder.recipe()
    try:
        if not isinstance(report, dict):
            raise TypeError(report)
        figures = {
            f"{split}/{key}": _number(entry["value"]) for split in report for key, entry in report[split].items()
        }
        run = Run(str(facts["digest"]), int(facts["seed"]), recipe, figures, str(facts["split"]), str(facts["command"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SandboxError(
            f"{folder.path} is damaged: run.json or report.json lacks a part; move the folder away"
        ) from None
    if (run.digest, run.seed) != (digest(recipe), recipe.seed):
        raise SandboxError(f"{folder.path / 'recipe.toml'} was changed after the run; move the folder away")
    if not all(map(math.isfinite, figures.values())):
        raise SandboxError(f"{folder.path / 'report.json'} holds a figure that is not finite; move the folder away")
    return run


def _number(value: object) -> float:
    """A figure, which JSON may hold as a whole number, but not as text or a truth."""
    if type(value) not in (int, float):
        raise TypeError(value)
    return float(value)  # type: ignore[arg-type]


def _group(runs: Sequence[Run]) -> tuple[list[list[Run]], list[str]]:
    """Runs of one recipe on one split together, one for each seed: of a seed that ran twice the later stays."""
    by_name: dict[tuple[str, str], dict[int, Run]] = {}
    twice = 0
    for run in runs:
        seeds = by_name.setdefault((run.digest, run.split), {})
        twice += run.seed in seeds
        seeds[run.seed] = run
    groups = [[seeds[seed] for seed in sorted(seeds)] for seeds in by_name.values()]
    notes = ["Mean over n seeds ± half the 95 % t-interval."] if any(len(group) > 1 for group in groups) else []
    if twice:
        notes.append(f"{twice} older runs of a recipe and seed that ran again are left out.")
    return groups, notes


def _differing(recipes: Sequence[Recipe]) -> list[str]:
    rows = [flat(recipe) for recipe in recipes]
    names = sorted(
        dict.fromkeys(name for row in rows for name in row), key=lambda name: _SECTIONS.index(name.partition(".")[0])
    )

    def differs(name: str) -> bool:
        return len({str(row[name]) for row in rows if name in row}) > 1  # a data set may lack a setting of another

    return [name for name in names if name not in _NEVER_A_COLUMN and differs(name)]


def _readable(table: Table) -> pd.DataFrame:
    """One cell a figure: the mean, with half the interval where there is one."""
    shown = table.frame[["objective", *table.settings, "n"]].copy()
    for metric in table.metrics:
        half = (table.frame[f"{metric} high"] - table.frame[f"{metric} low"]) / 2
        pairs = zip(table.frame[metric], half, strict=True)
        shown[metric] = [_cell(mean, half) for mean, half in pairs]
    return shown


def _cell(mean: float, half: float) -> str:
    if math.isnan(mean):
        return ""
    return f"{mean:.4f}" if math.isnan(half) else f"{mean:.4f} ± {half:.4f}"


def _latex(text: str) -> str:
    for char in "&%$#_{}":
        text = text.replace(char, "\\" + char)
    return text
