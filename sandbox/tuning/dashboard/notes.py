"""What is written to a trial and to a study in the dashboard, as Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from optuna.storages import BaseStorage

from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import lower_is_better, spell, spell_interval
from sandbox.runs.folder import RunFolder
from sandbox.tuning.dashboard.markdown import block, broken, plain, span, table
from sandbox.tuning.plan.protocol import VALIDATION
from sandbox.tuning.study.record import DEFAULT, StudyRecord, TrialRecord
from sandbox.wording import counted


def trial_note(
    record: TrialRecord, monitors: Sequence[str], folders: Sequence[RunFolder], judge: str = VALIDATION
) -> str:
    """What a trial was, what came of it, and how to train it again.

    Args:
        record: the trial.
        monitors: report keys that the study reaches for; they head the table.
        folders: its run folders; the figures are read there where it is complete.
        judge: what the figures of the study are of (`StudyRecord.judge`).

    Raises:
        SandboxError: a report is damaged.
    """
    parts = [_what(record)]
    if record.why:
        parts.append(f"**Why:** {plain(record.why)}")
    if record.objective:
        parts.append(f"**Objective:** {span(record.objective)}")
    if record.params:
        parts.append(f"**Values:** {', '.join(span(f'{key} {_digits(v)}') for key, v in record.params.items())}")
    if record.constraints:
        rows = [[span(name), _met(by)] for name, by in record.constraints.items()]
        parts.append(f"**Constraints**\n\n{table(['asked', 'reached'], rows)}")
    reports = _reports(folders, judge) if record.state == "complete" else []
    if reports or record.figures:
        figures = _figures(reports, monitors) if reports else _bare_figures(record.figures, monitors)
        parts.append(f"**{judge.capitalize()}**\n\n{figures}")
    if record.line:
        parts.append(f"**Train it again**\n\n{block(broken(record.line))}")
    if record.runs:
        parts.append(f"Run {'folder' if len(record.runs) == 1 else 'folders'}: {', '.join(map(span, record.runs))}")
    return "\n\n".join(parts) + "\n"


def picture_note(study_id: int, trial_id: int, pictures: Mapping[str, str]) -> str:
    """What follows the note of a trial that has pictures: they are shown in it, as large as they are.

    Args:
        study_id: in its storage.
        trial_id: in its storage.
        pictures: id -> file name, as `attach` gives them.
    """
    if not pictures:
        return ""
    shown = [f"![{name}](/artifacts/{study_id}/{trial_id}/{artifact})" for artifact, name in pictures.items()]
    return "\n\n".join([f"\n{_PICTURES}", *shown]) + "\n"


def without_pictures(note: str) -> str:
    """A note without what `picture_note` put behind it."""
    return note.partition(f"\n{_PICTURES}\n")[0]


_PICTURES = "**Pictures, of validation**"


def study_note(record: StudyRecord) -> str:
    """What a study searches, by which rules, and what its figures may be taken for."""
    reach = [f"{span(key)}, {'less' if low else 'more'} is better" for key, low in _directions(record)]
    searched = table(["name", "range"], [[span(name), span(mark)] for name, mark in record.search.items()])
    protocol = table(["setting", "value"], [[plain(key), span(_said(of))] for key, of in record.protocol.items()])
    several = " Trials that no other beats in all of these are the front; pruning looks at the first." * (
        len(record.monitors) > 1
    )
    usual = record.folder.parts[-3:-1] == ("results", "studies")
    name = shlex.quote(record.folder.name if usual else str(record.folder))
    page, fresh = f"{called('tune')} report {name}", f"{called('run')} --from {name} --seeds 5"
    parts = [
        f"**Objective:** {span(record.objective)}",
        f"**Reached for** on {record.judge}: {'; '.join(reach)}.{several}",
        f"**Searched**\n\n{searched}",
        *([f"**The same in all trials**\n\n{protocol}"] if record.protocol else []),
        _MEANING if record.judge == VALIDATION else _MEANING_OF_FOLDS,
        f"**Go on**: the same command, with more `--trials`\n\n{block(broken(record.command))}",
        f"**Report**: a page, Markdown and CSV\n\n{block(page)}",
        f"**Train the best on fresh seeds**\n\n{block(fresh)}",
    ]
    return "\n\n".join(parts) + "\n"


_MEANING = (
    "**What the figures are.** Validation chooses each trial's weights and the best trial among all; test images are "
    "never scored here. The best of many trials looks better than it is, so its figure is no result: train it on fresh "
    "seeds and report those."
)


_MEANING_OF_FOLDS = (
    "**What the figures are.** In each run of a trial one fold of the classes chooses the weights, and prunes; the "
    "next fold, which neither training nor stopping has seen, judges the trial. Test images are never scored here. The "
    "best of many trials looks better than it is, so its figure is no result: `--final` trains it on fresh seeds."
)


def keep_note(storage: BaseStorage, study_id: int, text: str, trial_id: int | None = None) -> None:
    """Write a note where the dashboard reads it; one that stands there already is not written again.

    Args:
        storage: of the study.
        study_id: in that storage.
        text: Markdown.
        trial_id: in that storage, for the note of a trial, which may be over; None for that of the study.
    """
    from optuna_dashboard import save_note

    if read_note(storage, study_id, trial_id) != text:
        save_note(_place(storage, study_id, trial_id), text)


def read_note(storage: BaseStorage, study_id: int, trial_id: int | None = None) -> str:
    """The note of a trial, or of the study; empty where there is none."""
    from optuna_dashboard import get_note

    return str(get_note(_place(storage, study_id, trial_id)))


def keep_facts(storage: BaseStorage, study_id: int, record: StudyRecord) -> None:
    """Write what all trials share to the study's attributes, which the dashboard lists."""
    there = storage.get_study_user_attrs(study_id)
    shared = {"objective": record.objective, "reached for": ", ".join(record.monitors)}
    for key, value in {**shared, **{key: _said(of) for key, of in record.protocol.items()}}.items():
        if there.get(key) != value:
            storage.set_study_user_attr(study_id, key, value)


def _place(storage: BaseStorage, study_id: int, trial_id: int | None) -> Any:
    """What the dashboard asks of a trial; with an id of None its keys are those of the study.

    An `optuna.Trial` made of an id would ask the sampler for values, and a `FrozenTrial` is not taken.
    """
    study = SimpleNamespace(_storage=storage, _study_id=study_id)
    return SimpleNamespace(storage=storage, study=study, _trial_id=trial_id)


def _what(record: TrialRecord) -> str:
    said = record.state
    if record.kind == DEFAULT:
        said = f"the default values, trained as the baseline and counted as no trial; {said}"
    if record.seconds is not None:
        said += f" in {record.seconds:,.1f} s"
    if len(record.runs) > 1:
        said += f", {counted(len(record.runs), 'run', 'runs')}"
    if not record.feasible:
        said += "; **infeasible**: it breaks a constraint"
    return f"**Trial {record.number}**: {said}"


def _met(broken: float) -> str:
    return f"**broken** by {broken:.4g}" if broken > 0 else f"met by {-broken:.4g}" if broken else "just met"


def _reports(folders: Sequence[RunFolder], judge: str) -> list[dict[str, dict[str, Any]]]:
    """The figures of each run that the study is judged by; a fold that judges stands in the place of test."""
    part = "val" if judge == VALIDATION else "test"
    found: list[dict[str, dict[str, Any]]] = []
    for folder in folders:
        report = folder.read_json("report.json")
        figures = report.get(part) if isinstance(report, dict) else None
        if not isinstance(figures, dict) or not all(_is_entry(entry) for entry in figures.values()):
            raise SandboxError(f"{folder.path / 'report.json'} is damaged: it has no figures of {judge}")
        found.append(cast(dict[str, dict[str, Any]], figures))
    return found


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("value"), int | float)


def _figures(reports: Sequence[Mapping[str, Mapping[str, Any]]], monitors: Sequence[str]) -> str:
    """A table of one report, or of the means of several."""
    first = _monitors_first(reports[0], monitors)
    if len(reports) == 1:
        rows = [[_key(key, monitors), spell(e), spell_interval(e), f"{e.get('n', ''):,}"] for key, e in first.items()]
        return table(["figure", "value", "95 % interval", "n"], rows)
    rows = []
    for key in first:
        entries = [report[key] for report in reports if key in report]
        values = [float(entry["value"]) for entry in entries if entry.get("supported") is not False]
        if len(values) < len(reports):
            mean, ends = f"unsupported in {len(reports) - len(values)} of {len(reports)}", ""
        else:
            mean, ends = f"{sum(values) / len(values):.4f}", f"{min(values):.4f} to {max(values):.4f}"
        rows.append([_key(key, monitors), mean, ends, " + ".join(f"{entry.get('n', ''):,}" for entry in entries)])
    return table(["figure", f"mean of {len(reports)} runs", "least to most", "n"], rows)


def _bare_figures(figures: Mapping[str, float], monitors: Sequence[str]) -> str:
    """A table of figures whose reports are not at hand."""
    rows = [[_key(key, monitors), f"{value:.4f}"] for key, value in _monitors_first(figures, monitors).items()]
    return table(["figure", "value"], rows)


def _monitors_first(figures: Mapping[str, Any], monitors: Sequence[str]) -> dict[str, Any]:
    order = [*(key for key in monitors if key in figures), *(key for key in figures if key not in monitors)]
    return {key: figures[key] for key in order}


def _key(key: str, monitors: Sequence[str]) -> str:
    return f"**{span(key)}**" if key in monitors else span(key)


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


def _digits(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
