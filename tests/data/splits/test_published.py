from __future__ import annotations

from pathlib import Path

import numpy as np
from image_files import png16

from sandbox.data.images.image_set import Row
from sandbox.data.splits.published import official
from sandbox.recipe.specs import DataSpec


def rows(root: Path, classes: range, top: int) -> list[Row]:
    found = []
    for place in classes:
        for number in range(2):
            file = root / f"{place}-{number}.png"
            noise = np.random.default_rng(2 * place + number).integers(0, top, (8, 8, 1))
            noise[0, 0] = top - 1
            file.write_bytes(png16(noise))
            found.append((f"c{place}", file))
    return found


def test_both_halves_are_read_at_one_scale(tmp_path: Path) -> None:
    train, test = rows(tmp_path, range(6), 900), rows(tmp_path, range(6, 9), 4000)
    splits = official(tmp_path, train, test, DataSpec(name="sop", root=str(tmp_path), image_size=8, validation=0.3))
    assert [images.bits for images in splits.image_sets().values()] == [12, 12, 12]
    assert splits.train.pixels.max() == 899 >> 4
    assert splits.test.pixels.max() == 3999 >> 4
