"""How the runs of a column were judged, in a sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence

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
    mirrored = ["embeddings are the mean of an image's and its mirror image's"] if group.recipe.evaluate.flip else []
    if run.facts.get("folds"):
        return f"{'; '.join([*_of_test_folds(group), *mirrored])}."
    sets = run.facts.get("data")
    told = []
    for name, verb in _SETS.items():
        part = sets.get(name) if isinstance(sets, dict) else None
        images, classes = (part.get("images"), part.get("classes")) if isinstance(part, dict) else (None, None)
        if isinstance(images, int) and isinstance(classes, int) and (tested or name != "test"):
            told.append(f"{verb} {counted(classes, 'class', 'classes')} ({counted(images, 'image', 'images')})")
    folds = [_of_folds(group)] if group.folds else []
    parts = [part for part in (_set(run), ", ".join(told), *folds, *mirrored) if part]
    return f"{run.recipe.data.name}: {'; '.join(parts)}." if parts else ""


def _of_test_folds(group: Group) -> list[str]:
    """What a row of test folds is of, its standard error where it is of one seed, and what it may be held against."""
    run = group.runs[0]
    errors = [entry["standard_error"] for entry in run.report["test"].values() if "standard_error" in entry]
    said = [f"standard error of the mean over folds {errors[0]:.4f}"] if errors and len(group.runs) == 1 else []
    pooled = "AUC, EER and TAR@FAR pool the scores of networks that differ"
    told = [str(run.facts[name]) for name in ("judged_on", "published") if run.facts.get(name)]
    return [*told[:1], *said, pooled, *told[1:]]


def _of_folds(group: Group) -> str:
    many = group.folds[0][0].partition("/")[2]
    judged = "tested on another" if group.folds[0][1] else "tested on the same images"
    return (
        f"{len(group.folds)} of {many} folds, each chosen on one and {judged}, of which a seed's value is the mean; "
        "the counts are those of the first"
    )


def _set(run: Run) -> str:
    """Whether what is judged was trained on; nothing where the run's files do not say."""
    closed = _closed(run)
    if closed is None:
        return ""
    return "closed set (each class that is judged is trained on)" if closed else "open set (classes judged are new)"


def _closed(run: Run) -> bool | None:
    path = run.path / "embeddings.safetensors"
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            state = json.loads((file.metadata() or {}).get("state", "null"))
    except (SafetensorError, OSError, ValueError, RecursionError):
        return None
    closed = state.get("closed_set") if isinstance(state, dict) else None
    return closed if isinstance(closed, bool) else None
