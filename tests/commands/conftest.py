"""What tests of several commands read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Noise: six classes of 9 to 14 images, coloured, 20x24."""
    root = tmp_path / "root"
    rng = np.random.default_rng(0)
    for place, name in enumerate("abcdef"):
        (root / name).mkdir(parents=True)
        for number in range(9 + place):
            pixels = rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number:02d}.png")
    return root
