"""The few-shot episodes of a run: what its settings ask for, and whether its images allow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.suited import check_possible, passed_over, possible
from sandbox.evaluation.figures import FEW_SHOT
from sandbox.recipe.episodes import Episodes
from sandbox.recipe.specs import EvaluateSpec
from sandbox.wording import counted, first_names

_SETTING = "evaluate.episode_queries"
_CLOSED = (
    "few-shot accuracy is of classes that are not trained on, but {} are trained on: there it is no figure for a "
    "few-shot table"
)


def asked(spec: EvaluateSpec, labels: np.ndarray | None = None) -> Episodes:
    """The episodes that the settings of a run ask for; of images with these labels (N,), those that they allow."""
    episodes = Episodes.of(spec.episodes, spec.episode_count, spec.episode_queries)
    return episodes if labels is None else replace(episodes, tasks=possible(labels, episodes))


def watched(spec: EvaluateSpec) -> Episodes:
    """Of these episodes those that choose the weights; none where another figure does."""
    episodes = asked(spec)
    return replace(episodes, tasks=tuple(task for task in episodes.tasks if task.key == spec.monitor))


def check_episodes(spec: EvaluateSpec, splits: Splits) -> list[str]:
    """Refuse episodes that test, or validation for the monitor, has too few classes or images for.

    Returns:
        Sentences: what validation is too small for, which classes are not drawn from, and which were trained on.

    Raises:
        SandboxError: says which task, and how many classes have images enough.
    """
    episodes, notes = asked(spec), []
    if spec.monitor.startswith(FEW_SHOT):
        check_possible(splits.val.labels, watched(spec), "validation", _SETTING)
    check_possible(splits.test.labels, episodes, "test", _SETTING)
    try:
        check_possible(splits.val.labels, episodes, "validation", _SETTING)
    except SandboxError as error:
        here = asked(spec, splits.val.labels).tasks
        without = first_names([str(task) for task in episodes.tasks if task not in here])
        notes.append(f"validation has no accuracy of {without} episodes: {error}")
    parts = {"validation": splits.val, "test": splits.test}
    drawn = {name: asked(spec, images.labels) for name, images in parts.items()}
    for name, images in parts.items():
        notes += passed_over(images.labels, images.classes, drawn[name], name)
    return notes + _trained_on({name: parts[name] for name in parts if drawn[name].tasks}, splits.train)


def _trained_on(parts: Mapping[str, ImageSet], train: ImageSet) -> list[str]:
    """A sentence where few-shot accuracy is not of new classes."""
    found = []
    for name, images in parts.items():
        if known := len(set(images.classes) & set(train.classes)):
            found.append(f"{known:,} of {counted(len(images.classes), 'class', 'classes')} of {name}")
    return [_CLOSED.format(" and ".join(found))] if found else []
