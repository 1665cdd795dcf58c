"""What a look at the pixels of a person's own images tells: too few greys, one colour, one image over and over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sandbox.evaluation.blocks import evenly
from sandbox.wording import counted

_FEW = 32  # grey levels; a photograph has over a hundred, a drawing in black and white, once resized, some dozens
_LOOKED_AT = 500


def level_notes(sets: Sequence[np.ndarray]) -> list[str]:
    """A sentence where most images of a set hold hardly anything, which some fault before may have lost.

    Args:
        sets: (N, H, W, C) uint8 each; 500 images evenly spread over them are looked at.
    """
    places = evenly(sum(map(len, sets)), _LOOKED_AT)
    starts = np.cumsum([0, *map(len, sets)])
    ends = zip(sets, starts, starts[1:], strict=False)
    images = [pixels[place - a] for pixels, a, b in ends for place in places if a <= place < b]
    if len(images) > 1 and all(np.array_equal(images[0], image) for image in images[1:]):
        return ["all images of this set are the same, pixel for pixel"]
    levels = np.array([_levels(image) for image in images])
    many = f"of {counted(len(images), 'image', 'images')} looked at"
    if 2 * (levels == 1).sum() > len(levels):
        return [f"{(levels == 1).sum():,} {many} are a single colour each; is something lost in the files?"]
    if 2 * (levels < _FEW).sum() <= len(levels):
        return []
    if levels.max() < _FEW:
        most = f"the images of this set hold {levels.max()} grey levels at most"
    else:
        most = f"{(levels < _FEW).sum():,} {many} hold fewer than {_FEW} grey levels"
    return [f"{most}; were they saved with fewer bits, or thresholded?"]


def _levels(image: np.ndarray) -> int:
    """Different values of the channel that has most."""
    return max(len(np.unique(channel)) for channel in image.transpose(2, 0, 1))
