"""The figures of a page as rows: the few that come first with what they mean, then all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.evaluation.fewshot.said import episodes_of, is_few_shot
from sandbox.evaluation.figures import Figures, lower_is_better, printed_name, spell, spell_interval
from sandbox.reporting.page.found.material import Material
from sandbox.reporting.page.found.operating import Operating
from sandbox.reporting.page.written.words import FEW, leading, meaning, name_of, split_word
from sandbox.reporting.records.run import as_they_are
from sandbox.wording import counted


@dataclass(frozen=True)
class Cell:
    """A figure of one split."""

    value: str = ""
    interval: str = ""
    few: str = ""
    """How few identities the interval is from."""
    over: str = ""
    """What it was counted over."""


@dataclass(frozen=True)
class Row:
    """A figure with its columns."""

    name: str
    meaning: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class FigureTable:
    """Rows below a head."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


def figure_tables(material: Material, counted_pairs: Operating | None) -> tuple[FigureTable, FigureTable]:
    """The figures that come first, with the baselines beside them, and all others."""
    report, split = material.run.report, material.judged
    baselines = {name: part[split] for name, part in material.run.baselines.items() if split in part}
    shown = [split, *(other for other in ("val",) if other in report and other != split)]
    head = tuple(split_word(name) for name in shown)
    keys = list(dict.fromkeys(key for name in shown for key in report[name]))
    first = leading(keys)
    lead = [
        Row(
            name_of(key),
            meaning(key),
            tuple(_cell(key, report[name].get(key), identities(material, name)) for name in shown)
            + tuple(Cell(spell(part.get(key))) for part in baselines.values()),
        )
        for key in first
    ]
    rest = [
        Row(
            name_of(key),
            _beside(key, counted_pairs),
            tuple(_cell(key, report[name].get(key), 0) for name in shown),
        )
        for key in keys
        if key not in first and not _repeats(key, report)
    ]
    return FigureTable((*head, *baselines), tuple(lead)), FigureTable(head, tuple(rest))


def figure_cell(material: Material, key: str) -> Cell:
    """A figure of the judged split."""
    return _cell(key, material.run.report[material.judged].get(key), identities(material, material.judged))


def identities(material: Material, split: str) -> int:
    """How many identities a split has; 0 where that is not known."""
    data = material.run.facts.get("data", {}).get(split, {})
    if split == material.split:
        return len(np.unique(material.own.labels))
    return int(data.get("classes", 0)) if isinstance(data, dict) else 0


def verdict(material: Material) -> str:
    """The figures that come first, in one line: 'MAP@R 0.6232, R@1 0.9833, AUC 0.8489, EER 0.2390'."""
    own = material.run.report[material.judged]
    return ", ".join(f"{printed_name(key)} {spell(own[key])}" for key in leading(own))


def warnings(material: Material) -> list[str]:
    """What a reader must know before the figures: few identities, and a run that is below its raw pixels."""
    said = []
    split, report = material.judged, material.run.report
    for name in dict.fromkeys((split, "val")):
        count = identities(material, name) if name in report else FEW
        if 0 < count < FEW:
            use = "; it chose the checkpoint on them" if name == "val" else ""
            few = counted(count, "identity", "identities")
            said.append(f"{split_word(name).capitalize()} has {few}{use}: its intervals say little of others.")
    which, untouched = as_they_are(material.run.baselines)
    raw = untouched.get(split, {})
    below = [key for key in leading(report[split]) if _is_below(report[split].get(key), raw.get(key), key)]
    if below:
        named = ", ".join(f"{printed_name(key)} {spell(report[split][key])} against {spell(raw[key])}" for key in below)
        said.append(f"On {split_word(split)} this run is below its {which}: {named}.")
    return said


def _is_below(own: Mapping[str, Any] | None, raw: Mapping[str, Any] | None, key: str) -> bool:
    if own is None or raw is None:
        return False
    return own["value"] > raw["value"] if lower_is_better(key) else own["value"] < raw["value"]


def _cell(key: str, entry: Mapping[str, Any] | None, count: int) -> Cell:
    """A figure with its interval and its n; identities are told where they are few."""
    if entry is None:
        return Cell()
    unit = {"verification": "pairs", "retrieval": "queries", "oneshot": "trials"}.get(
        key.split("/")[-2] if "/" in key else "", "images"
    )
    over = f"{entry['n']:,} {unit}" if "n" in entry else ""
    if is_few_shot(key) and "queries" in entry:
        over, count = episodes_of(entry), entry["classes"] if count else 0
    few = f"from {counted(count, 'identity', 'identities')}" if 0 < count < FEW and "runs" not in entry else ""
    interval = spell_interval(entry)
    return Cell(spell(entry), interval, few if interval else "", over)


def _repeats(key: str, report: Mapping[str, Figures]) -> bool:
    """Whether a figure is R@1 under another name."""
    return key == "retrieval/precision@1" and any("retrieval/recall@1" in part for part in report.values())


def _beside(key: str, counted_pairs: Operating | None) -> str:
    """What must stand beside the accuracy over all pairs: what is reached without looking."""
    if key != "verification/accuracy" or counted_pairs is None:
        return ""
    share = counted_pairs.impostors / (counted_pairs.impostors + counted_pairs.genuine)
    return f"calling every pair different is right for {share:.4f} of them"
