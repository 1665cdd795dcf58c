"""How the runs of a column were judged, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.recipe.specs import EvaluateSpec
from sandbox.reporting.records.closed import closed_set
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run
from sandbox.wording import counted

_SETS = {"train": "trained on", "val": "chosen on", "test": "tested on"}


def protocol(groups: Sequence[Group], tested: bool) -> list[str]:
    """Sentences on the images of the groups' runs, the same ones once: how classes are split, and how many there are.

    Args:
        groups: of a block.
        tested: whether figures of test are shown.
    """
    return list(dict.fromkeys(_said(one, tested) for one in groups))


def _said(group: Group, tested: bool) -> str:
    run = group.runs[0]
    averaged = _averaged(run.recipe.evaluate)
    if run.facts.get("folds"):
        return f"{'; '.join(part for part in (*_of_test_folds(group), averaged) if part)}."
    sets = run.facts.get("data")
    told = []
    for name, verb in _SETS.items():
        part = sets.get(name) if isinstance(sets, dict) else None
        images, classes = (part.get("images"), part.get("classes")) if isinstance(part, dict) else (None, None)
        if isinstance(images, int) and isinstance(classes, int) and (tested or name != "test"):
            told.append(f"{verb} {counted(classes, 'class', 'classes')} ({counted(images, 'image', 'images')})")
    folds = [_of_folds(group)] if group.folds else []
    trials = run.facts.get("trials")
    count = trials.get("test" if tested else "val") if isinstance(trials, dict) else None
    tried = f"one-shot accuracy is of {count:,} trials" if isinstance(count, int) else ""
    parts = [part for part in (_set(run), ", ".join(told), tried, *folds, averaged) if part]
    return f"{run.recipe.data.name}: {'; '.join(parts)}." if parts else ""


def _averaged(spec: EvaluateSpec) -> str:
    """Of what an embedding is the mean; nothing where it is an image's own."""
    if spec.views == 1:
        return "embeddings are the mean of an image's and its mirror image's" if spec.flip else ""
    mirrored = f" and {spec.views} of its mirror image" if spec.flip else ""
    far = "" if spec.view_strength == 1 else f", changed {spec.view_strength:g} times as far as by default"
    return f"embeddings are the mean of those of {spec.views} affine versions of an image{mirrored}{far}"


def _of_test_folds(group: Group) -> list[str]:
    """What a row of test folds is of, its standard error where it is of one seed, and what it may be held against."""
    run = group.runs[0]
    means = [entry for entry in run.report["test"].values() if "standard_error" in entry]
    said = [_of_mean(means[0])] if means and len(group.runs) == 1 else []
    pooled = "AUC, EER and TAR@FAR pool the scores of networks that differ"
    told = [str(run.facts[name]) for name in ("judged_on", "published") if run.facts.get(name)]
    return [*told[:1], *said, pooled, *told[1:]]


def _of_mean(entry: Mapping[str, Any]) -> str:
    interval = f"its 95 % interval by t over folds {entry['low']:.4f} to {entry['high']:.4f}"
    return f"standard error of the mean over folds {entry['standard_error']:.4f}, {interval}"


def _of_folds(group: Group) -> str:
    many = group.folds[0][0].partition("/")[2]
    judged = "tested on another" if group.folds[0][1] else "tested on the same images"
    return (
        f"{len(group.folds)} of {many} folds, each chosen on one and {judged}, of which a seed's value is the mean; "
        "the counts are those of the first"
    )


def _set(run: Run) -> str:
    """Whether what is judged was trained on; nothing where the run's files do not say."""
    closed = closed_set(run)
    if closed is None:
        return ""
    return "closed set (each class that is judged is trained on)" if closed else "open set (classes judged are new)"
