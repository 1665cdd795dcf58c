"""What is written to a trial and to a study in the dashboard, as Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from optuna.storages import BaseStorage

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import lower_is_better, spell, spell_interval
from sandbox.runs.folder import RunFolder
from sandbox.tuning.record import DEFAULT, StudyRecord, TrialRecord
from sandbox.wording import counted


def trial_note(record: TrialRecord, monitors: Sequence[str], folders: Sequence[RunFolder]) -> str:
    """What a trial was, what came of it, and how to train it again.

    Args:
        record: the trial.
        monitors: report keys that the study reaches for; they head the table.
        folders: its run folders; the figures are read there where it is complete.

    Raises:
        SandboxError: a report is damaged.
    """
    parts = [_what(record)]
    if record.why:
        parts.append(f"**Why:** {_plain(record.why)}")
    if record.objective:
        parts.append(_code(record.objective))
    if record.constraints:
        parts.append(_constraints(record.constraints))
    reports = _reports(folders) if record.state == "complete" else []
    if reports:
        parts.append(_figures(reports, monitors))
    elif record.figures:
        rows = [[_span(key), f"{value:.4f}"] for key, value in _monitors_first(record.figures, monitors).items()]
        parts.append(_table(["validation", "value"], rows))
    if record.line:
        parts.append(f"**Train it again**\n\n{_code(_broken(record.line))}")
    if record.runs:
        parts.append(f"Run {'folder' if len(record.runs) == 1 else 'folders'}: {', '.join(map(_span, record.runs))}")
    return "\n\n".join(parts) + "\n"


def study_note(record: StudyRecord) -> str:
    """What a study searches, by which rules, and what its figures may be taken for."""
    reach = [f"{_span(key)}, {'less' if low else 'more'} is better" for key, low in _directions(record)]
    searched = _table(["searched", "range"], [[_span(name), _span(mark)] for name, mark in record.search.items()])
    protocol = _table(
        ["all trials", "the same"],
        [[_plain(str(key)), _span(_said(value))] for key, value in record.protocol.items()],
    )
    several = " Trials that no other beats in all of these are the front; pruning looks at the first." * (
        len(record.monitors) > 1
    )
    parts = [
        f"**Objective**\n\n{_code(record.objective)}",
        f"**Reached for** on validation: {'; '.join(reach)}.{several}",
        searched,
        *([protocol] if record.protocol else []),
        _MEANING,
        f"**Go on**: the same command, with more `--trials`\n\n{_code(_broken(record.command))}",
        f"**Report**: a page, Markdown and CSV\n\n{_code(f'python experiments/tune.py report {record.name}')}",
        f"**Train the best on fresh seeds**\n\n{_code(f'python experiments/run.py --from {record.name} --seeds 5')}",
    ]
    return "\n\n".join(parts) + "\n"


_MEANING = (
    "**What the figures are.** Validation chooses each trial's weights and the best trial among all; test images are "
    "never scored here. The best of many trials looks better than it is, so its figure is no result: train it on fresh "
    "seeds and report those."
)


def keep_note(storage: BaseStorage, study_id: int, text: str, trial_id: int | None = None) -> None:
    """Write a note where the dashboard reads it; one that stands there already is not written again.

    Args:
        storage: of the study.
        study_id: in that storage.
        text: Markdown.
        trial_id: in that storage, for the note of a trial, which may be over; None for that of the study.
    """
    import optuna_dashboard

    place: Any = _Place(storage, _StudyPlace(storage, study_id), trial_id)
    if optuna_dashboard.get_note(place) != text:
        optuna_dashboard.save_note(place, text)


@dataclass(frozen=True)
class _StudyPlace:
    _storage: BaseStorage
    _study_id: int


@dataclass(frozen=True)
class _Place:
    """What the dashboard asks of a trial; with an id of None its keys are those of the study.

    An `optuna.Trial` of an id would ask the sampler for values, and a `FrozenTrial` is not taken.
    """

    storage: BaseStorage
    study: _StudyPlace
    _trial_id: int | None


def _what(record: TrialRecord) -> str:
    said = record.state
    if record.kind == DEFAULT:
        said = f"the default values, trained as the baseline and counted as no trial; {said}"
    if record.seconds is not None:
        said += f" in {record.seconds:,.1f} s"
    if len(record.runs) > 1:
        said += f", {counted(len(record.runs), 'run', 'runs')}"
    return f"**Trial {record.number}**: {said}"


def _constraints(constraints: Mapping[str, float]) -> str:
    rows = [[_span(name), f"broken by {by:.4g}" if by > 0 else "met"] for name, by in constraints.items()]
    return _table(["constraint", ""], rows)


def _reports(folders: Sequence[RunFolder]) -> list[dict[str, dict[str, Any]]]:
    """The figures of validation of each run."""
    found: list[dict[str, dict[str, Any]]] = []
    for folder in folders:
        match folder.read_json("report.json"):
            case {"val": {**figures}} if all(_is_entry(entry) for entry in figures.values()):
                found.append(cast(dict[str, dict[str, Any]], figures))
            case _:
                raise SandboxError(f"{folder.path / 'report.json'} is damaged: it has no figures of validation")
    return found


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("value"), int | float)


def _figures(reports: Sequence[Mapping[str, Mapping[str, Any]]], monitors: Sequence[str]) -> str:
    """A table of one report, or of the means of several."""
    first = _monitors_first(reports[0], monitors)
    if len(reports) == 1:
        rows = [[_key(key, monitors), spell(e), spell_interval(e), f"{e.get('n', ''):,}"] for key, e in first.items()]
        return _table(["validation", "value", "95 % interval", "n"], rows)
    rows = []
    for key in first:
        entries = [report[key] for report in reports if key in report]
        values = [float(entry["value"]) for entry in entries if entry.get("supported") is not False]
        if len(values) < len(reports):
            mean, ends = f"unsupported in {len(reports) - len(values)} of {len(reports)}", ""
        else:
            mean, ends = f"{sum(values) / len(values):.4f}", f"{min(values):.4f} to {max(values):.4f}"
        rows.append([_key(key, monitors), mean, ends, " + ".join(f"{entry.get('n', ''):,}" for entry in entries)])
    return _table(["validation", f"mean of {len(reports)} runs", "least to most", "n"], rows)


def _monitors_first(figures: Mapping[str, Any], monitors: Sequence[str]) -> dict[str, Any]:
    order = [*(key for key in monitors if key in figures), *(key for key in figures if key not in monitors)]
    return {key: figures[key] for key in order}


def _key(key: str, monitors: Sequence[str]) -> str:
    return f"**{_span(key)}**" if key in monitors else _span(key)


def _directions(record: StudyRecord) -> list[tuple[str, bool]]:
    lower = record.lower or tuple(map(lower_is_better, record.monitors))
    return list(zip(record.monitors, lower, strict=True))


def _said(value: Any) -> str:
    """A value of the protocol as a person reads it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value)) or "none"
    return str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """A text in which Markdown sees no marks."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#~$" else c for c in " ".join(text.split()))


def _span(text: str) -> str:
    """A text as code, within a table as well."""
    text = " ".join(text.split()).replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`" if text else ""


def _code(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _broken(line: str, width: int = 76) -> str:
    r"""A command over several lines, each with a backslash at its end, so that it can still be pasted into a shell."""
    try:
        words = shlex.split(line)
    except ValueError:  # no words of a shell
        return line
    lines: list[str] = []
    for word in map(shlex.quote, words):
        if lines and len(lines[-1]) + 1 + len(word) <= width and not (word.startswith("--") and len(lines[-1]) > 60):
            lines[-1] += f" {word}"
        else:
            lines.append(word if not lines else f"  {word}")
    return " \\\n".join(lines)
