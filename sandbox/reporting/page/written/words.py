"""Words and numbers of a page: what a figure means in a line, and numbers in as many digits as a person reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.evaluation.fewshot.said import is_few_shot
from sandbox.evaluation.figures import printed_name

LEAD = (
    "oneshot/accuracy",
    "retrieval/map@r",
    "retrieval/recall@1",
    "classification/top@1",
    "verification/auc",
    "verification/eer",
)
"""The figures that come first, with those of episodes, which are there where they were asked for; all others stand
behind a click."""

MEANING = {
    "oneshot/accuracy": "share of trials in which the one example most like the query is of its class; by runs",
    "retrieval/map@r": "of the R other images of its class, how many a query finds among its R nearest, and how early",
    "retrieval/recall@1": "share of queries whose nearest image is of their class",
    "classification/top@1": "share of images whose class the classifier names first",
    "verification/auc": "chance that a pair of one class scores above a pair of two; 0.5 is guessing",
    "verification/eer": "error at the threshold where as many impostors pass as genuine pairs fail; lower is better",
}

_UNPRINTED = {"retrieval/unmatched": "queries without a match", "retrieval/index_recall": "index recall"}

FEW = 10
"""Identities below which an interval says little of other identities."""

HEALTH = {
    "active": ("active share", "share of tuples with a loss above zero"),
    "effective_rank": ("effective rank", "about how many dimensions a batch's embeddings use"),
    "mean_cosine": ("mean cosine", "over the pairs of a batch; near 1 all images have one embedding"),
    "gradient_norm": ("gradient norm", "of the network, before clipping"),
}


def name_of(key: str) -> str:
    """What a person calls a figure, those too that papers have no name for."""
    return _UNPRINTED.get(key, printed_name(key))


def leading(keys: Iterable[str]) -> list[str]:
    """Those of the keys that come first."""
    keys = list(keys)
    return [key for key in LEAD if key in keys] + [key for key in keys if is_few_shot(key)]


def meaning(key: str) -> str:
    """What a figure that comes first means, in a line."""
    few_shot = "share of queries that are nearest to the mean of the images known of their class, among those drawn"
    return few_shot if is_few_shot(key) else MEANING[key]


def split_word(split: str) -> str:
    """'validation' for ``val``."""
    return "validation" if split == "val" else split


def number(value: Any) -> str:
    """A value in four digits that count, whole numbers with their thousands apart; a text stays as it is."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not given"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value == 0 or 1e-4 <= abs(value) < 1e6:
            text = f"{value:,.4f}" if abs(value) < 1 else f"{value:,.{max(0, 4 - len(str(int(abs(value)))))}f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(number, value)) or "none"
    return str(value)


def duration(seconds: float) -> str:
    """'5.2 s', '2 min 23 s' or '1 h 2 min'."""
    whole = round(seconds)
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def memory(count: float) -> str:
    """Bytes as '1.07 GB'."""
    return f"{count / 1e9:.2f} GB"
