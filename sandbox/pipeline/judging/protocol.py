"""What validation and test of a run are, in a sentence."""

from __future__ import annotations

from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.roles import roles_of
from sandbox.data.splits.splits import OneShotTask, Splits, ToVerify
from sandbox.evaluation.figures import FEW
from sandbox.evaluation.pairs import Pairs
from sandbox.wording import counted


def protocol(splits: Splits, *, test: bool) -> str:
    """'validation: 362 images of 2 classes not trained on, chose the checkpoint; test: 539 images of ..., scored once'.

    Args:
        splits: of the run.
        test: whether the test split is scored at the end.
    """
    val = _with_trials(_part(splits.train, *splits.part("val")), splits.val_oneshot)
    chosen = f"validation: {val}, chose the checkpoint; test: "
    if not test:
        return f"{chosen}not looked at"
    own = _part(splits.train, *splits.part("test")) if len(splits.test) else ""
    return f"{chosen}{_with_trials(own, splits.test_oneshot)}, scored once"


def few_classes(splits: Splits) -> list[str]:
    """A sentence where validation holds fewer than `FEW` classes, by which checkpoints and settings are chosen."""
    images = splits.val if splits.val_verify is None else max(splits.val, splits.val_verify.images, key=_classes)
    if _classes(images) >= FEW:
        return []
    return [
        f"validation holds {counted(_classes(images), 'class', 'classes')}, fewer than {FEW}: which checkpoint, and in "
        "a study which settings, are best may be luck, and its intervals say little"
    ]


def _with_trials(text: str, task: OneShotTask | None) -> str:
    """What a split is, with its one-shot trials."""
    if task is None:
        return text
    trials = f"{counted(len(task.trials), 'one-shot trial', 'one-shot trials')} of {task.trials.ways} classes each"
    if task.images is not None:
        trials += (
            f" on {counted(len(task.images), 'other image' if text else 'image', 'other images' if text else 'images')}"
        )
    return f"{text}, with {trials}" if text else trials


def _classes(images: ImageSet) -> int:
    return len(images.classes)


def _part(train: ImageSet, images: ImageSet, pairs: Pairs | None, apart: ToVerify | None) -> str:
    known = len(set(images.classes) & set(train.classes))
    of = counted(len(images.classes), "class", "classes")
    if known == len(images.classes):
        of = f"the {of} trained on" if known == len(train.classes) else f"{of} that are trained on"
    else:
        of += f", {known:,} of them trained on" if known else " not trained on"
    text = f"{counted(len(images), 'image', 'images')} of {of}"
    given = pairs if apart is None else apart.pairs
    if given is not None:
        text += f", with {counted(len(given), 'given pair', 'given pairs')}"
    if apart is not None:
        text += f" of {counted(len(apart.images), 'other image', 'other images')}" if given is not None else ""
    roles = roles_of(images)
    return text if roles is None else f"{text}, where {roles}"
