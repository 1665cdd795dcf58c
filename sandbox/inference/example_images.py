"""Images that an exported network is compared on: a run's validation images, or those of a folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from sandbox.data.catalog import load
from sandbox.data.images.decode import fitted, read_photograph
from sandbox.data.images.listing import Listing
from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import evenly
from sandbox.inference.trained import Trained
from sandbox.recipe.size import sides
from sandbox.runs.folder import RunFolder
from sandbox.wording import counted, reason

IMAGES = 64


def real_images(folder: RunFolder, trained: Trained, images: Path | None) -> tuple[np.ndarray, str]:
    """Up to 64 images (n, H, W, C) uint8 to compare on, spread evenly, and what they are, in words.

    They are the run's validation images, read as its recipe says, or those below a folder.

    Raises:
        SandboxError: the data set is no longer there, or no image can be read.
    """
    if images is not None and trained.of_rows:
        raise SandboxError(f"--images is {images}, but {trained.name} is a head over rows of numbers: leave it out")
    if images is not None:
        if not os.path.isdir(images):
            raise SandboxError(f"there is no folder {images} to take images from")
        try:
            files = Listing().images(images)
        except OSError as error:
            raise SandboxError(f"cannot read {error.filename or images}: {reason(error)}") from None
        if not files:
            raise SandboxError(f"no image lies in {images} or below it")
        some = [image for place in evenly(len(files), IMAGES) if (image := _readable(files[place]))]
        if not some:
            raise SandboxError(f"none of the images in {images} that were tried can be read")
        cut = [fitted(image, trained.image_size, trained.channels, trained.resize) for image in some]
        return np.stack(cut), f"{counted(len(cut), 'image', 'images')} of {images}"
    data = folder.recipe().data
    try:
        val = load(data).val.pixels
    except SandboxError as error:
        raise SandboxError(
            f"the run's images, which an export is compared on, are gone: {error}; give --images FOLDER"
        ) from None
    if val.shape[1:3] != sides(trained.image_size) or not len(val):
        raise SandboxError(f"the data set '{data.name}' now gives images of another size; give --images FOLDER")
    chosen = np.ascontiguousarray(val[evenly(len(val), IMAGES)])
    return chosen, f"{counted(len(chosen), 'validation image', 'validation images')} of {data.name}"


def _readable(file: Path) -> Image.Image | None:
    try:
        return read_photograph(file)
    except SandboxError:
        return None
