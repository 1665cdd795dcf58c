"""Figures: what an evaluation found, as plain numbers by key, and how they are spelt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sandbox.evaluation.intervals.bootstrap import bootstrap_means
from sandbox.recipe.episodes import Task
from sandbox.recipe.extra import Extra, spell_rate
from sandbox.wording import counted

Figures = dict[str, dict[str, float | int]]
"""``{"retrieval/map@r": {"value": 0.68, "low": 0.66, "high": 0.71, "n": 5459}, ...}``: a value, its 95 % interval, what
it was counted over and what else stands with it. ``identities`` stands there where they are fewer than `FEW`."""
_LOWER_IS_BETTER = (
    *("verification/eer", "verification/cllr", "verification/min_cllr"),
    *("verification/fnmr", "verification/fmr"),
)

_PRINTED = {
    "retrieval/precision@1": "P@1",
    "retrieval/r_precision": "R-precision",
    "retrieval/map@r": "MAP@R",
    "retrieval/mrr": "MRR",
    "retrieval/map": "mAP",
    "retrieval/minp": "mINP",
    "verification/auc": "AUC",
    "verification/eer": "EER",
    "verification/d_prime": "d'",
    "verification/cllr": "Cllr",
    "verification/min_cllr": "min Cllr",
    "verification/accuracy": "verification accuracy",
    "verification/fnmr": "FNMR",
    "verification/fmr": "FMR",
    "verification/balanced_accuracy": "balanced accuracy",
    "retrieval/unmatched": "queries without a match",
    "homework/score": "homework mark",
    "oneshot/accuracy": "one-shot accuracy",
    "clustering/ami": "AMI",
    "clustering/nmi": "NMI",
}
FEW = 10
"""Identities below which a 95 % interval by identity says little, and is shown as that."""
SEPARATED, CONCATENATED, AVERAGED = "separated", "concatenated", "averaged"
"""Of a figure of several models, in front of its key: the mean of theirs, that of their embeddings side by side, or
that of the mean of their embeddings."""
AFTER = "after"
"""In front of the key of a figure of what came after the embedding: 'MAP@R, after'."""
_PRINTED_STARTS = {
    "retrieval/recall@": "R@",
    "retrieval/ndcg@": "nDCG@",
    "retrieval/precision@": "P@",
    "verification/pauc@far=": "partial AUC@FAR=",
    "verification/fold_tar@far=": "mean TAR over folds@FAR=",
    "verification/tar@far=": "TAR@FAR=",
    "verification/accuracy@": "verification accuracy@",
    "verification/balanced_accuracy@": "balanced accuracy@",
    "classification/top@": "top-",
    "identification/rank@": "rank-",
    "identification/dir@fpir=": "DIR@FPIR=",
    "identification/strangers@fpir=": "strangers named@FPIR=",
    "identification/accuracy@fpir=": "accuracy@FPIR=",
}
FEW_SHOT = "fewshot/accuracy@"
"""In front of the tasks of episodes, in their keys."""
_FIRST = re.compile(r"first([0-9]+)/(.+)")
_BY = re.compile(r"by/(.+?)/((?:verification|retrieval)/.+)", re.DOTALL)
_TASK = re.compile(r"([0-9]+-way)-([0-9]+-shot)")


def threshold_for_test(entry: Mapping[str, Any]) -> float | None:
    """The threshold that a figure of validation chooses for test; None where it has none.

    Where test's pairs are mixed otherwise than validation's, it is the best for theirs (`Verification.figures`).
    """
    found = entry.get("test_threshold" if "test_share" in entry else "threshold")
    return found if isinstance(found, float) else None


def at_length(length: int) -> str:
    """In front of the key of a figure that the first numbers of the embeddings have: 'first64/'."""
    return f"first{length}/"


def lower_is_better(key: str) -> bool:
    """Whether a figure gets better as it falls; a split in front of its key changes nothing."""
    return key.endswith(_LOWER_IS_BETTER)


def is_after(key: str) -> bool:
    """Whether a figure is of what came after the embedding; a split in front of its key changes nothing."""
    return f"/{AFTER}/" in f"/{key}"


def validation_keys(
    recall_at: Sequence[int], far: Sequence[float], tasks: Sequence[Task] = (), extra: Sequence[Extra] = ()
) -> list[str]:
    """Every figure that a validation can have, for those k, false accept rates, few-shot tasks and further figures."""
    keys = [f"retrieval/{name}" for name in ("precision@1", "r_precision", "map@r", "mrr")]
    keys += [f"retrieval/recall@{k}" for k in recall_at] + ["verification/auc", "verification/eer"]
    keys += [f"verification/tar@far={spell_rate(rate)}" for rate in far]
    keys += ["verification/balanced_accuracy", "verification/accuracy"]
    keys += ["classification/top@1", "classification/top@5", "oneshot/accuracy"]
    return [*keys, *(task.key for task in tasks), *(one.key for one in extra if one.name != "fold_tar")]


def shares(values: Mapping[str, np.ndarray], identities: np.ndarray) -> Figures:
    """The mean of each array (N,), hits or shares of 0 to 1, with its 95 % interval by the identities (N,).

    Nothing where there are no rows.
    """
    if not len(identities):
        return {}
    means, low, high = bootstrap_means(np.column_stack(list(values.values())), identities)
    marked = few_identities(len(np.unique(identities)))
    return on_whole_scale(
        {
            key: {
                "value": float(means[place]),
                "low": float(low[place]),
                "high": float(high[place]),
                "n": len(identities),
                **marked,
            }
            for place, key in enumerate(values)
        }
    )


def few_identities(count: int | None) -> dict[str, int]:
    """The mark of an entry whose interval is by fewer than `FEW` identities; none where they are more, or unknown."""
    return {"identities": count} if count is not None and count < FEW else {}


def on_whole_scale(figures: Figures) -> Figures:
    """The same shares with 0 to 1 as the interval where a single identity says nothing of others: NaN is no JSON."""
    ends = {"low": 0.0, "high": 1.0}
    return {
        key: {name: ends[name] if name in ends and np.isnan(value) else value for name, value in entry.items()}
        for key, entry in figures.items()
    }


def spell(entry: Mapping[str, Any] | None) -> str:
    """One entry of a report as a table shows it; a figure that the data cannot support is not shown."""
    if entry is None:
        return ""
    if entry.get("supported") is False:
        return "unsupported"
    return f"{entry['value']:.4f}" if isinstance(entry["value"], float) else str(entry["value"])


def spell_threshold(value: float, form: str = ".4f") -> str:
    """A threshold as printed; with more digits just below 1, which would read as 1, where nothing is accepted.

    >>> spell_threshold(0.55400512), spell_threshold(0.55400512, ".4g"), spell_threshold(0.99995577)
    ('0.5540', '0.554', '0.99995577')
    """
    return f"{value:.8g}" if 0.9999 < value < 1 else f"{value:{form}}"


def spell_interval(entry: Mapping[str, Any] | None) -> str:
    """The 95 % interval of an entry, or nothing where it has none or is a count.

    One by fewer than `FEW` identities is not shown, and what it is from stands in its place: '2 identities'.
    """
    if entry is None or entry.get("supported") is False or not isinstance(entry["value"], float):
        return ""
    low, high = entry.get("low"), entry.get("high")
    if "identities" in entry and low is not None:
        return counted(entry["identities"], "identity", "identities")
    return "" if low is None or high is None or np.isnan(low) else f"{low:.4f} to {high:.4f}"


def printed_name(key: str) -> str:
    """What papers call a figure: 'MAP@R' for ``retrieval/map@r``, 'TAR@FAR=1e-3' for ``verification/tar@far=1e-3``.

    A figure of several models is named with how they were put together: 'MAP@R, concatenated', one of the embedding's
    first numbers with how many: 'MAP@R, first 64', one of a group with its value: 'FNMR, category=shirt'. A key that
    has no such name, or a split in front, stays as it is.
    """
    if key in _PRINTED:
        return _PRINTED[key]
    for models in (SEPARATED, CONCATENATED, AVERAGED, AFTER):
        if key.startswith(f"{models}/"):
            return f"{printed_name(key.removeprefix(f'{models}/'))}, {models}"
    if group := _BY.fullmatch(key):
        return f"{printed_name(group[2])}, {group[1]}"
    if first := _FIRST.fullmatch(key):
        return f"{printed_name(first[2])}, first {first[1]}"
    if key.startswith(FEW_SHOT) and (task := _TASK.fullmatch(key.removeprefix(FEW_SHOT))):
        return f"{task[1]} {task[2]} accuracy"
    for start, printed in _PRINTED_STARTS.items():
        if key.startswith(start):
            return printed + key.removeprefix(start)
    return key
