"""What pixels are scaled by: mean and standard deviation of each channel."""

from __future__ import annotations

import numpy as np

from sandbox.evaluation.blocks import evenly

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def pixel_statistics(pixels: np.ndarray, labels: np.ndarray, kind: str) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel, in [0, 1]: of up to 2,000 evenly spaced images, ImageNet's, or none.

    Rows of numbers have them in their own unit, and a number that never changes is left as it is.
    """
    channels = pixels.shape[-1]
    if kind == "none":
        return [0.0] * channels, [1.0] * channels
    if kind == "imagenet":
        mean, std = IMAGENET
        return (list(mean), list(std)) if channels == 3 else ([sum(mean) / 3], [sum(std) / 3])
    some = pixels[evenly(len(labels), 2000)].astype(np.float64)
    if pixels.dtype != np.uint8:
        std_of = some.std(axis=(0, 1, 2))
        return some.mean(axis=(0, 1, 2)).tolist(), np.where(std_of > 1e-6 * std_of.max(), std_of, 1.0).tolist()
    some /= 255
    std_of = some.std(axis=(0, 1, 2))
    return some.mean(axis=(0, 1, 2)).tolist(), np.maximum(std_of, 1e-3).tolist()
