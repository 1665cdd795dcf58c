"""How recipes are told apart: by objective, and by the settings that differ where that is not enough."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.evaluation.figures import printed_name
from sandbox.recipe.specs import flat
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.names import printed_setting
from sandbox.reporting.records.spelling import short_value, shortened
from sandbox.wording import counted

_NO_SETTINGS = {"loss", "miner", "seed", "device", "threads", "data.root", "data.images", "resume_from"}


def figure_name(key: str) -> str:
    """``MAP@R`` for ``test/retrieval/map@r``, ``validation MAP@R`` for validation's."""
    split, _, plain = key.partition("/")
    return printed_name(plain) if split == "test" else f"validation {printed_name(plain)}"


def differing(groups: Sequence[Group]) -> list[str]:
    """Dotted names of the settings, beside the objective, in which recipes differ."""
    rows = [flat(group.recipe) for group in groups]
    names = dict.fromkeys(name for row in rows for name in row)
    return [
        name for name in names if name not in _NO_SETTINGS and len({str(row[name]) for row in rows if name in row}) > 1
    ]


def names_of(groups: Sequence[Group]) -> list[str]:
    """A name for each: its objective, with the settings that differ where another has the same objective."""
    alike = [[other for other in groups if other.objective == group.objective] for group in groups]
    short = shortened("loss", [group.objective for group in groups])
    names = [_with(short[one.objective], one, differing(others)) for one, others in zip(groups, alike, strict=True)]
    if len(set(names)) == len(names):
        return names
    return [f"{name} [{group.runs[0].digest}]" for name, group in zip(names, groups, strict=True)]


def described(group: Group, among: Sequence[Group]) -> str:
    """A recipe as a list of several shows it: digest, objective, settings that differ, seeds, and its split if need be.

    >>> described(group, groups)  # doctest: +SKIP
    'a3a4fc1b5c6a triplet_margin (optimizer.lr = 0.1; 5 seeds)'
    """
    settings = flat(group.recipe)
    parts = [f"{name} = {settings[name]}" for name in differing(among) if name in settings][:3]
    digest = group.runs[0].digest
    if sum(other.runs[0].digest == digest for other in among) > 1:
        parts.append(f"split {group.runs[0].split}")
    return f"{digest} {group.called} ({'; '.join([*parts, counted(len(group.seeds), 'seed', 'seeds')])})"


def _with(objective: str, group: Group, names: Sequence[str]) -> str:
    settings = flat(group.recipe)
    parts = [f"{printed_setting(name)} {short_value(settings[name])}" for name in names if name in settings]
    return f"{objective} ({', '.join(parts)})" if parts else objective
