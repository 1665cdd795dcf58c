"""What a person calls a figure or a setting, and the key that it is."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.errors import SandboxError, near
from sandbox.evaluation.figures import printed_name

_SPLITS = {"test": "test", "val": "val", "validation": "val"}
_SETTINGS = {
    "loss": "objective",
    "data.name": "data set",
    "data.root": "folder",
    "data.val_fold": "validation fold",
    "data.test_fold": "test fold",
    "data.validation": "validation share",
    "data.test": "test share",
    "data.min_images": "images of a class at least",
    "data.rotations": "rotations of a class",
    "data.colour": "colour",
    "data.normalize": "normalization",
    "augment.rotate": "rotation",
    "augment.scale": "scaling",
    "augment.translate": "translation",
    "augment.flip": "mirroring in training",
    "augment.erase": "erasing",
    "augment.erase_fill": "erased with",
    "augment.elastic": "elastic distortion",
    "augment.stroke": "stroke thickness",
    "backbone.name": "network",
    "backbone.embedding_dim": "dimensions",
    "backbone.freeze": "trunk frozen",
    "backbone.freeze_head": "head frozen",
    "batch.size": "batch size",
    "batch.classes": "classes a batch",
    "batch.samples": "images of a class",
    "optimizer.name": "optimizer",
    "optimizer.lr": "learning rate",
    "optimizer.loss_lr": "learning rate of the loss",
    "optimizer.clip": "gradient norm at most",
    "optimizer.ema": "decay of averaged weights",
    "optimizer.layer_decay": "decay of the rate by layer",
    "optimizer.head_first": "steps of the head alone",
    "schedule.name": "schedule",
    "schedule.warmup": "warm-up",
    "schedule.gamma": "decay factor",
    "schedule.period": "decay period",
    "evaluate.every": "steps between validations",
    "evaluate.monitor": "monitor",
    "evaluate.recall_at": "k of R@k",
    "evaluate.far": "rates of TAR@FAR",
    "evaluate.flip": "mirrored embeddings",
    "evaluate.figures": "further figures",
    "evaluate.after": "after the embedding",
    "evaluate.views": "views averaged",
    "evaluate.view_strength": "strength of views",
    "max_steps": "steps",
    "max_seconds": "seconds of training",
    "after": "starts from",
    "went_on": "given more steps at",
}


def figure_key(text: str, known: Iterable[str]) -> str:
    """The key of a figure, ``test/retrieval/map@r``, for any of the names that it goes by.

    Args:
        text: ``MAP@R``, ``map@r``, ``retrieval/map@r`` or ``test/retrieval/map@r``; ``val/`` or ``validation/`` in
            front names validation's, without it the figure is test's. Capitals do not count.
        known: the keys that there are, each with its split.

    Raises:
        SandboxError: there is no such figure; the nearest is named.
    """
    # 'map@r' is the plain figure, not that of several models or of what comes after the embedding
    keys = sorted(dict.fromkeys(known), key=lambda key: key.count("/"))
    head, _, rest = text.strip().partition("/")
    split, wanted = (_SPLITS[head.lower()], rest) if head.lower() in _SPLITS and rest else ("test", text.strip())
    names: dict[str, str] = {}
    for key in keys:
        if key.startswith(f"{split}/"):
            plain = key.partition("/")[2]
            for name in (plain, plain.rpartition("/")[2], printed_name(plain)):
                names.setdefault(name.lower(), key)
    found = names.get(wanted.lower())
    if found is None:
        close = near(wanted.lower(), names)
        where = "validation" if split == "val" else split
        listed = ", ".join(dict.fromkeys(printed_name(key.partition("/")[2]) for key in names.values())) or "none"
        raise SandboxError(f"no run has the figure '{text}' on {where}{close or f'; there are {listed}'}")
    return found


def printed_setting(name: str) -> str:
    """What a person calls a setting: 'network' for ``backbone.name``, 'weight decay' for ``optimizer.weight_decay``."""
    return _SETTINGS.get(name) or name.rpartition(".")[2].replace("_", " ")


def setting_name(text: str, known: Iterable[str]) -> str:
    """The dotted name of a setting, for that or for what it is called in print; capitals do not count.

    Raises:
        SandboxError: there is no such setting; the nearest is named.
    """
    names = {name.lower(): name for name in known}
    for name in list(names.values()):
        names.setdefault(printed_setting(name).lower(), name)
    found = names.get(text.strip().lower())
    if found is None:
        raise SandboxError(f"no run has the setting '{text}'{near(text.strip().lower(), names)}")
    return found
