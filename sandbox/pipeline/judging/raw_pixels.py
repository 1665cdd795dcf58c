"""Raw pixels as a baseline: the images themselves in the place of embeddings.

A row is the pixels of an image as the network gets them (after resizing and colour, before any statistics are taken
off), compared by cosine like embeddings. The mean of the pixels is not taken off: on digits split by class that makes
MAP@R 0.719, and without the mean it is 0.749. What came out is kept in the cache, since it is the same for every run
on a split.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.images.cache import cache_folder, cached_file
from sandbox.data.images.image_set import ImageSet
from sandbox.data.memory import available_memory, gigabytes
from sandbox.data.splits.roles import roles_of
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.oneshot import ACCURACY as ONE_SHOT
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Options
from sandbox.evaluation.roles import Roles
from sandbox.evaluation.trials import Trials
from sandbox.evaluation.verification.by_value import Groups
from sandbox.files import read_json
from sandbox.pipeline.judging.by_value import groups_of
from sandbox.pipeline.judging.evaluate import figures_of, mix_of_test, options_of
from sandbox.recipe.specs import EvaluateSpec
from sandbox.runs.embeddings import KeptSet

_VERSION = 1  # raise it when the evaluation changes what it gives, so that older caches are passed over
_MOST_PRODUCTS = 6 * 10**12
"""Multiplications of all pairs: a minute or two on two processors."""
_BYTES = 32
"""That a pixel takes while it is evaluated: a float32, and float64 in three stages."""


@dataclass(frozen=True)
class _Part:
    """Images, and what is asked of them."""

    images: ImageSet
    pairs: Pairs | None = None
    trials: Trials | None = None
    roles: Roles | None = None
    groups: Groups | None = None
    every_pair: bool = True
    """Whether each image is compared with each other."""


Parts = dict[str, _Part]


def score_raw_pixels(splits: Splits, names: Sequence[str], spec: EvaluateSpec) -> dict[str, Figures]:
    """The figures of raw pixels, split by split, as a report has them.

    Args:
        splits: whose images.
        names: ``val``, and ``test`` where it is scored.
        spec: what is reported.

    Raises:
        SandboxError: the images are too many or too large for it, or no figure could be trusted on them.
    """
    report: dict[str, Figures] = {}
    mix = mix_of_test(splits, names)
    for name in names:
        parts = _parts(splits, name, spec.by)
        for part in parts.values():
            _refuse_too_large(part)
        file = _file(parts, options_of(name, spec, report.get("val"), mix))
        found = None if file is None else read_figures(file)
        if found is None:
            kept = {
                key: KeptSet(
                    _rows(part.images), part.images.labels, part.pairs, part.trials, part.roles, part.images.columns
                )
                for key, part in parts.items()
            }
            found = figures_of(kept, name, spec, report.get("val"), mix)
            if file is not None:
                write_figures(file, found)
        report[name] = found
    return report


def _parts(splits: Splits, name: str, by: str) -> Parts:
    """The images of a split with its pairs and trials, and what is verified or tried apart from them.

    One-shot trials of which figures are published are of the drawings in the size that those are of.
    """
    images, pairs, apart = splits.part(name)
    task = splits.one_shot(name)
    parts: Parts = {}
    if len(images):
        parts[name] = _Part(
            images,
            pairs,
            None if task is None or task.images is not None else task.trials,
            roles_of(images),
            groups_of(images, by),
        )
    if apart is not None:
        parts[f"{name}/verify"] = _Part(apart.images, apart.pairs)
    if task is not None and task.images is not None:
        parts[f"{name}/oneshot"] = _Part(task.drawings or task.images, None, task.trials, every_pair=False)
    return parts


def _rows(images: ImageSet) -> np.ndarray:
    """(N, H * W * C) float32; of rows of numbers these themselves."""
    return np.asarray(images.pixels).reshape(len(images), -1).astype(np.float32)


def _refuse_too_large(part: _Part) -> None:
    count, pixels = len(part.images), int(np.prod(part.images.pixels.shape[1:]))
    needed, free = count * pixels * _BYTES, available_memory()
    kind = "rows" if part.images.are_rows else "images"
    if part.every_pair and count * count * pixels > _MOST_PRODUCTS:
        raise SandboxError(f"{count:,} {kind} of {pixels:,} numbers each are too many to compare all pairs of")
    if needed > free / 2:
        raise SandboxError(f"{count:,} {kind} of {pixels:,} numbers each take {gigabytes(needed)} of memory")


def _file(parts: Parts, options: Options) -> Path | None:
    """Where the figures of these very pixels, labels and pairs are kept, evaluated like this; None without a cache."""
    rules = asdict(options)
    del rules["roles"], rules["by"]  # they are of a part
    if not options.episodes.tasks:  # then the caches of versions without episodes hold the same
        del rules["episodes"]
    if not options.extra:
        del rules["extra"]
    if options.mix is None:
        del rules["mix"]
    digest = hashlib.blake2b(json.dumps([_VERSION, rules]).encode(), digest_size=12)
    for name, part in parts.items():
        pairs, trials = part.pairs, part.trials
        listed = () if pairs is None else (pairs.left, pairs.right, pairs.same, pairs.fold)
        tried = () if trials is None else (trials.support, trials.query, trials.answer, trials.run)
        roles = () if part.roles is None else (part.roles.query, part.roles.gallery, part.roles.camera)
        groups = () if part.groups is None else (part.groups.values,)
        for array in (part.images.pixels, part.images.labels, *listed, *tried, *roles, *groups):
            if array is None:
                continue
            digest.update(f"{name} {array.shape} {array.dtype}\0".encode())
            digest.update(np.ascontiguousarray(array).data)
    with suppress(SandboxError):  # a folder that cannot be written costs a second each time, and no run
        return cache_folder() / f"raw-pixels-{digest.hexdigest()}.json"
    return None


def read_figures(file: Path) -> Figures | None:
    """Figures that were kept; None where there are none, or the file is damaged."""
    try:
        held = read_json(file)
    except (FileNotFoundError, SandboxError):
        return None
    return held if _is_figures(held) else None


def _is_figures(held: Any) -> bool:
    """Whether what a cache holds is figures."""
    return (
        isinstance(held, dict)
        and bool({"retrieval/map@r", ONE_SHOT} & set(held))
        and all(isinstance(entry, dict) and type(entry.get("value")) in (int, float) for entry in held.values())
    )


def write_figures(file: Path, figures: Mapping[str, Any]) -> None:
    """Keep figures; where the cache cannot be written, they are counted again next time."""
    with suppress(SandboxError), cached_file(file) as part:
        part.write_text(json.dumps(figures, allow_nan=False), encoding="utf-8")
