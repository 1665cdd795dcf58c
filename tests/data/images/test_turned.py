"""Images and their turned copies as one array: against all of them made at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sandbox.data.images.turned import TurnedPixels

UPRIGHT = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
TURNED = TurnedPixels(UPRIGHT, (0, 1, 2, 3))
NAIVE = np.array([np.rot90(image, quarters) for quarters in range(4) for image in UPRIGHT])


@pytest.mark.parametrize(
    "key",
    [
        *(3, -1, np.int64(17), slice(None), slice(4, 12), slice(None, None, -3)),
        *(np.array([19, 0, 7, 7]), np.zeros(0, np.int64), np.arange(20) % 3 == 0),
        *((slice(None), slice(None), slice(None, None, -1)), (7, 1, 2), (np.array([6, 2]), 0), (..., 0)),
    ],
    ids=str,
)
def test_what_is_read_is_what_an_array_of_all_would_give(key: Any) -> None:
    assert np.array_equal(TURNED[key], NAIVE[key])


def test_it_looks_like_the_array_that_it_stands_for() -> None:
    assert (TURNED.shape, TURNED.ndim, TURNED.dtype, len(TURNED), TURNED.nbytes) == (
        *(NAIVE.shape, NAIVE.ndim, NAIVE.dtype, len(NAIVE), NAIVE.nbytes),
    )
    assert np.array_equal(np.asarray(TURNED), NAIVE)


def test_what_was_read_can_be_written_to_and_the_images_stay(tmp_path: Any) -> None:
    np.save(tmp_path / "pixels.npy", UPRIGHT)
    mapped = TurnedPixels(np.load(tmp_path / "pixels.npy", mmap_mode="r"), (0, 2))
    mapped[np.array([0, 6])][:] = 0
    assert np.array_equal(mapped[:], np.concatenate([UPRIGHT, np.rot90(UPRIGHT, 2, axes=(1, 2))]))


@pytest.mark.parametrize("key", [20, -21, np.array([0, 20])])
def test_a_row_that_is_not_there_is_refused(key: Any) -> None:
    with pytest.raises(IndexError):
        TURNED[key]
