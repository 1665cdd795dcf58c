"""Small networks that were really trained, and folders of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.data.catalog import load
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe
from sandbox.recognition.gallery import Gallery, make_gallery

OPEN = Recipe(
    loss="multi_similarity",
    data=DataSpec(name="digits", split="class"),
    backbone=BackboneSpec(embedding_dim=16),
    batch=BatchSpec(size=32),
    max_steps=40,
    threads=1,
    precision="float32",
)
"""Digits, of which 0, 1, 5, 8 and 9 are trained on, 4 and 6 validated on, and 2, 3 and 7 left over."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose validation digits were not trained on."""
    *_, last = experiment.run(OPEN, out=tmp_path_factory.mktemp("runs"), command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder.path


@pytest.fixture
def digits(tmp_path: Path) -> Callable[..., Path]:
    """Writes images of digits: `digits("people", {"Žofie": ("2", 4)})` makes a folder of four twos."""
    splits = load(DataSpec(name="digits", split="class"))
    images = {
        name: part.pixels[part.labels == label]
        for part in (splits.train, splits.val, splits.test)
        for label, name in enumerate(part.classes)
    }

    def write(folder: str, people: dict[str, tuple[str, int]], first: int = 0) -> Path:
        for name, (digit, count) in people.items():
            (tmp_path / folder / name).mkdir(parents=True, exist_ok=True)
            for place, pixels in enumerate(images[digit][first : first + count]):
                Image.fromarray(pixels[..., 0]).save(tmp_path / folder / name / f"{place:03d}.png")
        return tmp_path / folder

    return write


def rows_of(rng: np.random.Generator, people: int, each: int, dim: int = 6, noise: float = 0.8) -> Gallery:
    """Unit rows of people who overlap; each has 1 to `each` of them."""
    whose = np.repeat(np.arange(people), rng.integers(1, each + 1, people))
    x = rng.normal(size=(people, dim))[whose] + noise * rng.normal(size=(len(whose), dim))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    nothing = [""] * len(whose)
    return make_gallery(x.astype(np.float32), [f"p{person:04d}" for person in whose], nothing, nothing, nothing)


@pytest.fixture(scope="session")
def some_rows() -> Callable[..., Gallery]:
    """`some_rows(rng, people, each)`."""
    return rows_of
