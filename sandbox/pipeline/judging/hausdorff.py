"""The modified Hausdorff distance as a baseline of one-shot trials that have published figures of it.

It is of the drawings in the size that those figures are of, so it is the same for every run and kept in the cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from sandbox.data.images.cache import cache_folder
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.hausdorff import oneshot_hausdorff
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.trials import Trials
from sandbox.pipeline.judging.raw_pixels import read_figures, write_figures

_VERSION = 1  # raise it when the evaluation changes what it gives, so that older caches are passed over
_INK = 127  # grey levels above which a pixel is ink


def score_hausdorff(splits: Splits, names: Sequence[str]) -> dict[str, Figures]:
    """Split -> figures, of those that have trials over drawings in the published size.

    Raises:
        SandboxError: a drawing without ink.
    """
    report: dict[str, Figures] = {}
    for name in names:
        task = splits.one_shot(name)
        if task is None or task.drawings is None:
            continue
        ink = task.drawings.pixels.max(axis=3) > _INK
        file = _file(ink, task.trials)
        found = None if file is None else read_figures(file)
        if found is None:
            found = oneshot_hausdorff(ink, task.trials)
            if file is not None:
                write_figures(file, found)
        report[name] = found
    return report


def _file(ink: np.ndarray, trials: Trials) -> Path | None:
    """Where the figures of these very drawings and trials are kept; None without a cache."""
    digest = hashlib.blake2b(f"{_VERSION} {ink.shape}\0".encode(), digest_size=12)
    for array in (np.packbits(ink), trials.support, trials.query, trials.answer, trials.run):
        digest.update(np.ascontiguousarray(array).data)
    with suppress(SandboxError):  # a folder that cannot be written costs some seconds each time, and no run
        return cache_folder() / f"hausdorff-{digest.hexdigest()}.json"
    return None
