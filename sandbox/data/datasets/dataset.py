"""`DataSet`: what a data set's file registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.data.splits.splits import Splits
from sandbox.recipe.specs import DataSpec


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One data set that a recipe can name."""

    name: str
    load: Callable[[DataSpec], Splits]
    line: str
    """One line that says what it holds."""
    citation: str
    """Where it comes from; empty for a person's own folder."""
    needs_root: bool
    """Whether its images are files of their own below `data.root`; the others are embedded, or a few packed files."""
    image_size: int
    """Side in pixels where the recipe gives none."""
    splits: tuple[str, ...]
    """Values of `data.split` that it takes."""
    downloads: bool = False
    """Whether `data.root` may be left out, and the data is then downloaded into the cache, once."""
