"""Classes with fewer images than asked for, left out."""

from __future__ import annotations

import numpy as np

from sandbox.data.images import ImageSet
from sandbox.errors import SandboxError
from sandbox.wording import counted, first_names


def without_small(images: ImageSet, least: int) -> tuple[ImageSet, list[str]]:
    """The classes with at least `least` images, and a sentence that counts and names the others.

    Raises:
        SandboxError: fewer than two classes are left.
    """
    large = images.counts >= least
    if large.all():
        return images, []
    if large.sum() < 2:
        raise SandboxError(
            f"data.min_images is {least}, and {large.sum()} of the {len(large):,} classes have as many images; "
            f"two are needed, and the second largest has {np.sort(images.counts)[-2:][0]}"
        )
    small = [name for name, enough in zip(images.classes, large, strict=True) if not enough]
    note = f"{counted(len(small), 'class', 'classes')} with fewer than {least} images left out: {first_names(small)}"
    return images.take(np.flatnonzero(large[images.labels])), [note]
