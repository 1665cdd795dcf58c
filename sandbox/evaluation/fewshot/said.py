"""What a reader must know of few-shot figures: how many episodes, of how many queries, from how many classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.errors import SandboxError
from sandbox.evaluation.figures import FEW_SHOT, printed_name
from sandbox.wording import first_names

Entry = Mapping[str, Any]


def is_few_shot(key: str) -> bool:
    """Whether a figure is of episodes; a split in front of its key changes nothing."""
    return key.startswith(FEW_SHOT) or f"/{FEW_SHOT}" in key


def episodes_of(entry: Entry) -> str:
    """'1,000 episodes of 15 queries a class' of an entry of a report."""
    return f"{entry['n']:,} episodes of {entry['queries']:,} queries a class"


def said(figures: Mapping[str, Entry], *, interval: bool) -> list[str]:
    """A sentence on the few-shot figures among others, one for those that are drawn alike; no full stop.

    Args:
        figures: report key -> entry.
        interval: whether an interval over episodes is shown, and is to be explained.
    """
    alike: dict[str, list[str]] = {}
    for key, entry in figures.items():
        if is_few_shot(key) and "queries" in entry:
            drawn = f"{episodes_of(entry)}, drawn from {entry['classes']:,} classes"
            alike.setdefault(drawn, []).append(printed_name(key).removesuffix(" accuracy"))
    ends = "; their interval is over episodes, and says nothing of other classes" if interval else ""
    return [f"{first_names(names)} accuracy: {drawn}{ends}" for drawn, names in alike.items()]


def check_alike(key: str, entries: Iterable[Entry]) -> None:
    """Refuse to put few-shot figures of other episodes side by side; other figures have none, and pass.

    Args:
        key: of a figure, with a split in front.
        entries: of that figure.

    Raises:
        SandboxError: some are of more episodes, or of other queries, than others.
    """
    drawn = list(dict.fromkeys(episodes_of(entry) for entry in entries if "queries" in entry))
    if len(drawn) > 1:
        raise SandboxError(
            f"{printed_name(key.partition('/')[2])} is over {' and '.join(drawn[:2])}, which do not compare: choose "
            "runs of the same evaluate.episode_count and evaluate.episode_queries"
        )
