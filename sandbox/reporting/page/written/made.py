"""How a run was made: settings, data, time and memory, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.recipe.specs import Recipe, flat
from sandbox.reporting.page.written.words import duration, memory, number, split_word
from sandbox.reporting.records.run import Run

_TITLE = ("loss", "miner")
"""What the page is headed with."""


@dataclass(frozen=True)
class Made:
    """Tables of names and values, ready to be shown."""

    command: str
    differ: list[tuple[str, str, str]]
    """(setting, its value, the default)."""
    settings: list[tuple[str, str]]
    """All of them."""
    data: list[tuple[str, str, str]]
    """(split, images, classes)."""
    facts: list[tuple[str, str]]
    versions: list[tuple[str, str]]


def how_made(run: Run) -> Made:
    """What a page says of how a run was made."""
    plain = flat(replace(Recipe(), data=type(run.recipe.data)()))
    differ = [
        (name, number(value), number(plain[name]))
        for name, value in run.settings.items()
        if value != plain[name] and name not in _TITLE
    ]
    data = [
        (split_word(split), number(part.get("images")), number(part.get("classes")))
        for split, part in run.facts.get("data", {}).items()
        if isinstance(part, dict)
    ]
    return Made(
        run.command,
        differ,
        [(name, number(value)) for name, value in run.settings.items()],
        data,
        _facts(run),
        [(str(name), str(value)) for name, value in _versions(run.facts)],
    )


def _facts(run: Run) -> list[tuple[str, str]]:
    facts = run.facts
    parameters = facts.get("parameters") or {}
    seconds, peak = facts.get("seconds") or {}, facts.get("peak_memory") or {}
    rows: list[tuple[str, Any]] = [
        ("data set", run.recipe.data.name),
        ("network", run.recipe.backbone.name),
        ("parameters", sum(parameters.values()) if parameters else None),
        ("embedding", f"{run.recipe.backbone.embedding_dim:,} dimensions"),
        ("seed", run.seed),
        ("batch", facts.get("batch")),
        ("steps", facts.get("steps")),
        ("more steps were planned at step", run.recipe.went_on),
        ("trained for", duration(seconds["training"]) if "training" in seconds else None),
        ("whole run", duration(seconds["total"]) if "total" in seconds else None),
        ("images per second", facts.get("images_per_second")),
        ("memory", memory(peak["resident"]) if peak.get("resident") else None),
        ("memory of the device", memory(peak["device"]) if peak.get("device") else None),
        ("device", facts.get("device")),
        ("precision", facts.get("precision")),
        ("started", facts.get("started")),
        ("looks at test", facts.get("test_evaluations")),
        ("tags", ", ".join(run.tags)),
        ("run folder", run.path.resolve().name),
        ("recipe", run.digest),
    ]
    return [(name, number(value)) for name, value in rows if value not in (None, "")]


def _versions(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    git = facts.get("git") or {}
    rows = [("python", facts.get("python")), ("platform", facts.get("platform"))]
    rows += list((facts.get("versions") or {}).items())
    if isinstance(git, dict) and git.get("commit"):
        rows.append(("git", f"{git['commit']}{', with changes' if git.get('changed') else ''}"))
    return [(name, value) for name, value in rows if value is not None]
