"""The first table of a run: what a newcomer should see of its report, beside its baselines, in ten rows at most.

Episodes that were asked for come on top of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.wording import printable

if TYPE_CHECKING:
    from sandbox.evaluation.figures import Figures

_NAME = 12
"""Columns that a name should have, as TAR@FAR=1e-4 has no place to be parted."""
_FURTHER = (
    *("retrieval/map", "retrieval/minp", "retrieval/ndcg@", "retrieval/precision@"),
    *("verification/pauc@", "verification/fold_tar@", "own/"),
)
_NOT_FURTHER = ("retrieval/map@r", "retrieval/precision@1")
"""All others that begin like these are there only where they were asked for."""
_UNKNOWN = 80
"""Columns that a table may take where nothing says how many there are: in a pipe, or a file."""


@dataclass(frozen=True)
class Shown:
    """What is shown of a finished run."""

    title: str
    report: Mapping[str, Figures]
    """``val`` and ``test`` -> figures."""
    baselines: Mapping[str, Mapping[str, Figures]] = field(default_factory=dict)
    """Name -> split -> figures."""
    judged_on: str = ""
    """What validation and test are."""
    health: Sequence[str] = ()
    """What health noticed, in sentences."""
    begins_trained: bool = False
    """Whether the network at step 0 had learnt before: published weights, or an earlier run's."""

    @property
    def splits(self) -> list[str]:
        """Of the report, test last."""
        return [split for split in ("val", "test") if split in self.report]


@dataclass(frozen=True)
class Row:
    """A figure: the key that it has in each split."""

    name: str
    keys: Mapping[str, str]

    def entry(self, figures: Mapping[str, Any], split: str) -> Mapping[str, Any] | None:
        """The entry of the figure on a split, out of its report or a baseline's."""
        return figures.get(self.keys.get(split, ""))


def print_report(shown: Shown, *, every: bool = False) -> None:
    """The figures of each split side by side, the interval and the baselines of the last split.

    Args:
        shown: the run.
        every: every figure, not only those that matter first.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sandbox.evaluation.figures import spell, spell_interval

    splits, last = shown.splits, shown.splits[-1]
    table = Table(title=Text(printable(shown.title)), title_justify="left", box=SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 0, 0, 1)  # that it fits into 80 columns
    table.add_column("", overflow="fold")
    for name in (*(_called(split) for split in splits), "95 % interval", *(_column(shown, b) for b in shown.baselines)):
        table.add_column(name, justify="right", overflow="fold")
    rows = _every_row(shown.report) if every else first_rows(shown.report)
    texts = []
    for row in rows:
        entries = [row.entry(shown.report[split], split) for split in splits]
        beside = [row.entry(base.get(last, {}), last) for base in shown.baselines.values()]
        texts.append([*map(spell, entries), spell_interval(entries[-1]), *map(spell, beside)])
    console = Console()
    if not console.is_terminal:
        console = Console(width=_UNKNOWN)
    heads = [str(column.header) for column in table.columns[1:]]
    right = sum(max(map(len, column)) + 2 for column in zip(heads, *texts, strict=True))
    if console.width - right - 1 < _NAME:
        table.padding, right = (0, 0, 0, 0), right - len(heads) - 1
    for row, cells in zip(rows, texts, strict=True):
        table.add_row(_folded(_short(row.name), console.width - right - 1), *cells)
    console.print(table)
    for line in _below(shown, rows):
        console.print(Text(printable(line)), soft_wrap=not console.is_terminal)


def _short(name: str) -> str:
    """The name of a row without what stands below the table, since widths are short."""
    name = name.removeprefix("verification ")
    return name.removesuffix(" accuracy") if "-shot " in name else name


def _folded(name: str, room: int) -> str:
    """The name of a figure on as many lines as it needs: parted at a blank, or before @validation."""
    lines = [""]
    for part in re.split(r"(?<= )|(?=@validation)", name):
        if lines[-1] and len((lines[-1] + part).rstrip()) > room:
            lines.append("")
        lines[-1] += part
    return "\n".join(map(str.rstrip, lines))


def first_rows(report: Mapping[str, Figures]) -> list[Row]:
    """At most ten rows, each figure once: precision@1 is recall@1, and accuracy is that of validation's threshold.

    Episodes come on top, MAP@R at the lengths of a Matryoshka objective, further figures, a plug-in's and what came
    after the embedding, since a person has asked for them. An accuracy after it is at a threshold that test chose,
    and stays below --all.
    """
    from sandbox.evaluation.figures import AFTER, printed_name

    splits = list(report)
    known = list(dict.fromkeys(key for split in splits for key in report[split]))
    starting = lambda start: [key for key in known if key.startswith(start)]  # noqa: E731
    recalls = sorted(starting("retrieval/recall@"), key=lambda key: int(key.rpartition("@")[2]))
    supported = [
        key
        for key in starting("verification/tar@far=")
        if all(report[split].get(key, {}).get("supported") for split in splits)
    ]
    strict = sorted(supported, key=lambda key: float(key.rpartition("=")[2]))[:1]
    folded = [key for key in starting("verification/accuracy@") if key.endswith("-fold")]
    accuracy = [key for key in ("verification/accuracy", "verification/balanced_accuracy") if key in known][:1]
    first = ["retrieval/precision@1"] if "retrieval/recall@1" not in known else []
    wanted = [
        "oneshot/accuracy",
        "retrieval/map@r",
        *sorted((key for key in starting("first") if key.endswith("/retrieval/map@r")), key=_length),
        *first,
        *recalls[:2],
        *(key for start in _FURTHER for key in starting(start) if key not in _NOT_FURTHER),
        *starting("fewshot/"),
        "verification/auc",
        "verification/eer",
        *strict,
        *folded,
    ]
    after = [f"{AFTER}/{key}" for key in wanted if "accuracy" not in key or key in folded]
    wanted += [*([] if folded else accuracy), "classification/top@1", "homework/score", *after]
    return [
        Row(printed_name(key), {split: _of_validation(key, report[split]) for split in splits})
        for key in wanted
        if key in known
    ]


def _length(key: str) -> int:
    """Of a figure of the first numbers of the embeddings, how many they are."""
    return int(key.partition("/")[0].removeprefix("first"))


def _every_row(report: Mapping[str, Figures]) -> list[Row]:
    """Every figure once."""
    from sandbox.evaluation.figures import printed_name

    keys = list(dict.fromkeys(key for figures in report.values() for key in figures))
    keys = [k for k in keys if not k.endswith("retrieval/precision@1") or k.replace("precision", "recall") not in keys]
    return [Row(printed_name(key), dict.fromkeys(report, key)) for key in keys]


def _of_validation(key: str, figures: Mapping[str, Any]) -> str:
    """The key at the threshold that validation chose, where a split has it."""
    return f"{key}@validation" if f"{key}@validation" in figures else key


def _below(shown: Shown, rows: Sequence[Row]) -> list[str]:
    """The lines under the table."""
    last = shown.splits[-1]
    lines = [shown.judged_on] if shown.judged_on else []
    if lines and shown.baselines:
        *names, final = (_column(shown, name) for name in shown.baselines)
        lines[0] += f"; {' and '.join([', '.join(names), final] if names else [final])}: on {_called(last)}"
    if any("identities" in (row.entry(shown.report[last], last) or {}) for row in rows):
        lines.append("an interval by so few identities would say little, so it is not shown")
    from sandbox.evaluation.fewshot.said import said

    lines += said(shown.report[last], interval=True)
    return lines + [f"health: {sentence.partition(';')[0]}" for sentence in shown.health]


def _called(split: str) -> str:
    return "validation" if split == "val" else split


def _column(shown: Shown, baseline: str) -> str:
    from sandbox.reporting.records.run import UNTRAINED

    return "step 0" if baseline == UNTRAINED and shown.begins_trained else baseline
