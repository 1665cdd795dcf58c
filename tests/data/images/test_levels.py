from __future__ import annotations

import numpy as np

from sandbox.data.images.levels import level_notes


def images(levels: int, count: int = 9, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Noise of so many levels, each of which is there."""
    rng = np.random.default_rng(seed)
    made = rng.integers(0, levels, (count, 16, 16, channels)) * (255 // max(1, levels - 1))
    made.reshape(count, 256, channels)[:, :levels] = (np.arange(levels) * (255 // max(1, levels - 1)))[None, :, None]
    return made.astype(np.uint8)


def test_photographs_say_nothing() -> None:
    assert level_notes([images(32), images(200, seed=1)]) == []
    assert level_notes([images(200), images(2, count=8)]) == []


def test_few_greys_are_counted() -> None:
    said = "the images of this set hold 16 grey levels at most; were they saved with fewer bits, or thresholded?"
    assert level_notes([images(16), images(4, seed=1)]) == [said]
    assert level_notes([images(16, channels=3)]) == [said]
    (some,) = level_notes([images(16), images(200, count=8)])
    assert some.startswith("9 of 17 images looked at hold fewer than 32 grey levels; were they")


def test_one_colour_each_and_one_image_throughout() -> None:
    flat = np.broadcast_to(np.arange(9, dtype=np.uint8)[:, None, None, None], (9, 4, 4, 3))
    assert level_notes([flat, images(200, count=2, channels=3)]) == [
        "9 of 11 images looked at are a single colour each; is something lost in the files?"
    ]
    alike = np.repeat(images(200, count=1), 9, axis=0)
    assert level_notes([alike, alike[:2]]) == ["all images of this set are the same, pixel for pixel"]
