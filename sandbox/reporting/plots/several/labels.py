"""What recipes and settings are called on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.errors import SandboxError, near
from sandbox.reporting.plots.several.objective import parts
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.names import printed_setting
from sandbox.wording import first_names

_NEVER = {"loss", "miner", "seed", "device", "threads", "data.root", "data.images", "resume_from", "after"}
_ABSENT = "\0"


def spelt(value: Any) -> str:
    """A value of a setting as a person reads it: at most four digits that count, and no nan.

    >>> spelt(16.0), spelt(0.0013654198505578894), spelt(None), spelt(True)
    ('16', '0.001365', 'none', 'yes')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if value == 0 or 1e-4 <= abs(value) < 1e6 else f"{value:.3g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(spelt, value))
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def called(objective: str) -> str:
    """An objective in a line: the loss, and the miner where it has one."""
    found = parts(objective)
    if found.miner == "none":
        return found.loss
    return f"{found.loss}, {found.miner}" + (" miner" if found.miner in found.loss else "")


def differing(groups: Sequence[Group]) -> list[str]:
    """Dotted names of the settings, but for the objective, that recipes do not share."""
    rows = [group.runs[0].settings for group in groups]
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if name not in _NEVER and len({str(row[name]) for row in rows if name in row}) > 1]


def usual_settings(groups: Sequence[Group]) -> dict[str, Any]:
    """Of the settings that differ, those values that more than half of the recipes have."""
    usual = {}
    for name in differing(groups):
        values = [group.runs[0].settings.get(name, _ABSENT) for group in groups]
        most = max(values, key=values.count)
        if values.count(most) > len(values) / 2 and most != _ABSENT:
            usual[name] = most
    return usual


def usual_said(groups: Sequence[Group]) -> str:
    """What `labels` leave out: ' (lr 0.003 where not said)', or nothing."""
    told = ", ".join(f"{_short(name)} {spelt(value)}" for name, value in usual_settings(groups).items())
    return told and f" ({told} where not said)"


def _short(name: str) -> str:
    return {"optimizer.lr": "lr", "backbone.embedding_dim": "dim"}.get(name, printed_setting(name))


def labels(groups: Sequence[Group]) -> list[str]:
    """A name for each recipe: its objective, then the settings that are not `usual_settings`; no two are alike."""
    names, usual = differing(groups), usual_settings(groups)
    found = []
    for group in groups:
        settings = group.runs[0].settings
        told = [name for name in names if name in settings and settings[name] != usual.get(name, _ABSENT)]
        more = [f"{_short(name)} {spelt(settings[name])}" for name in told]
        found.append(", ".join([called(group.objective), *more]))
    twice = {label for label in found if found.count(label) > 1}
    found = [
        f"{label} ({group.runs[0].digest[:6]}, split {group.runs[0].split[:6]})" if label in twice else label
        for label, group in zip(found, groups, strict=True)
    ]
    return found


def setting_name(given: str, groups: Sequence[Group]) -> str:
    """The setting that a person means: dotted, by its last part, as printed, or a parameter inside the objective.

    Of several parameters of one name the one that differs between recipes is meant.

    Args:
        given: ``optimizer.lr``, ``lr``, ``loss``, ``miner``, ``objective``, ``margin``, ``center.weight``.
        groups: recipes, of which one at least has it.

    Raises:
        SandboxError: no recipe has such a setting, or several settings go by that name.
    """
    word = given.strip()
    if word in ("loss", "miner", "objective"):
        return word
    settings = list(dict.fromkeys(name for group in groups for name in group.runs[0].settings if name not in _NEVER))
    inside = list(dict.fromkeys(name for group in groups for name in parts(group.objective).parameters))
    if word in (*settings, *inside):
        return word
    named = [name for name in settings if name.rpartition(".")[2] == word or printed_setting(name) == word.lower()]
    found = named or [name for name in inside if name.endswith(f".{word}")]
    varied = [name for name in found if len({_value(group, name) for group in groups} - {_ABSENT}) > 1]
    found = varied if len(found) > 1 and len(varied) == 1 else found
    if len(found) > 1:
        raise SandboxError(f"'{given}' may be {' or '.join(found)}; write the one that is meant")
    if not found:
        known = [*settings, *inside, "loss", "miner", "objective"]
        close = near(word, [*known, *(name.rpartition(".")[2] for name in known)])
        raise SandboxError(f"no recipe has a setting '{given}'{close or f'; there are {first_names(known, 12)}'}")
    return found[0]


def _value(group: Group, name: str) -> str:
    try:
        return repr(setting_of(group, name))
    except KeyError:
        return _ABSENT


def setting_of(group: Group, name: str) -> Any:
    """The value of a setting that `setting_name` gave.

    Raises:
        KeyError: the recipe has no such setting.
    """
    found = parts(group.objective)
    if name in ("loss", "miner"):
        return found.loss if name == "loss" else found.miner
    if name == "objective":
        return called(group.objective)
    settings = group.runs[0].settings
    return settings[name] if name in settings else found.parameters[name]
