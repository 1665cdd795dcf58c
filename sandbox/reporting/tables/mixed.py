"""What may not stand in one column: figures of other images, or by other rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import is_after, printed_name
from sandbox.recipe.specs import EMBEDDED_BY, flat, own_settings
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.spelling import shortened
from sandbox.reporting.tables.arrange import settings_of
from sandbox.wording import first_names

_LEARNT_WITH = {"data.image_size", "data.resize", "data.colour", "data.normalize", "data.root"}
"""Settings of the data that change what a network sees, and not which images are judged."""


def judged_by(group: Group, key: str = "") -> tuple[Any, ...]:
    """What must be the same for two groups' figures to be comparable: the images, and the rule.

    Args:
        group: of runs.
        key: of the figure; what comes after the embedding is a rule of its own figures alone.
    """
    run, data = group.runs[0], group.recipe.data
    own = tuple((name, getattr(data, name)) for name in own_settings(type(data)))
    images = (str(run.facts.get("test_images") or data.root), group.folds) if group.folds else run.split
    rows = flat(group.recipe)
    embedded = tuple(rows[name] for name in _rules(key))
    return images, data.name, own, embedded


def check_column(groups: Sequence[Group], key: str, block: str, across: Sequence[str]) -> None:
    """Refuse groups that were judged on other images or by other rules than each other.

    Args:
        groups: that share a column.
        key: report key of its figure.
        block: what the column is of, such as ``glyphs``.
        across: settings that stand across already.

    Raises:
        SandboxError: names what differs, and the ways out.
    """
    rules, by = [judged_by(one, key) for one in groups], _rules(key)
    many = len(set(rules))
    if many < 2:
        return
    settings = [settings_of(one) for one in groups]
    names = ["data.name", *sorted(n for n in settings[0] if n.startswith("data.") and n not in _LEARNT_WITH)]
    same_images = len({rule[:-1] for rule in rules}) == 1  # then settings of the data differ in words alone
    differing = [name for name in (by if same_images else [*names, *by]) if _several(name, settings)]
    differing = differing or (["data.root"] if _several("data.root", settings) else [])
    where = f"{printed_name(key.partition('/')[2])}{f' of {block}' if block else ''}"
    if not differing:
        splits = first_names(sorted({str(one["split"]) for one in settings}))
        raise SandboxError(
            f"the column {where} would hold figures of {many} sets of images under one recipe (splits {splits}), which "
            "do not compare: name the folders of the runs that belong together, or give --mixed"
        )
    name = differing[0]
    values = list(shortened(name, [one.get(name, "") for one in settings]).values())
    what = "data sets" if name == "data.name" else "splits" if name not in by else "ways of embedding"
    columns, example = " ".join([*across, name]), _example(name, groups[0])
    raise SandboxError(
        f"the column {where} would hold figures of {len(values)} {what} ({name} {first_names(values)}), which do not "
        f"compare: give each a column with --columns {columns}, choose with --where{example}, or give --mixed"
    )


def _rules(key: str) -> tuple[str, ...]:
    return (*EMBEDDED_BY, "evaluate.after") if is_after(key) else EMBEDDED_BY


def _example(name: str, group: Group) -> str:
    """What may stand behind --where; nothing for folds, of which one alone is no row, and for several words."""
    value = flat(group.recipe).get(name, "")
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return f' "{name} = {text}"' if text and " " not in text and not name.endswith("_fold") else ""


def _several(name: str, settings: Sequence[dict[str, Any]]) -> bool:
    return len({str(one.get(name)) for one in settings}) > 1
