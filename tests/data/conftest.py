from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of this test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("METRIC_LEARNING_SANDBOX_CACHE", str(folder))
    return folder


@pytest.fixture
def write_image() -> Callable[..., Path]:
    """Writes an image of noise, in the format that the file's ending names."""

    def write(path: Path, seed: int = 0, size: tuple[int, int] = (12, 10), mode: str = "L") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(noise).convert(mode).save(path)
        return path

    return write


@pytest.fixture
def write_classes(write_image: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a folder of images for each class."""

    def write(root: Path, counts: Mapping[str, int], ending: str = "png", mode: str = "L") -> Path:
        root.mkdir(parents=True, exist_ok=True)
        for place, (name, count) in enumerate(counts.items()):
            for number in range(count):
                write_image(root / name / f"{number:02d}.{ending}", seed=1000 * place + number, mode=mode)
        return root

    return write
