"""`DataSet`: what a data set's file registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sandbox.data.splits.splits import Splits
from sandbox.recipe.size import ImageSize
from sandbox.recipe.specs import DataSpec

if TYPE_CHECKING:
    from sandbox.evaluation.figures import Figures


@dataclass(frozen=True, kw_only=True)
class TestFolds:
    """Test folds of a data set, of which its setting `data.fold` takes one, or ``all``."""

    count: Callable[[Any], int]
    """How many there are, by settings whose `fold` is ``all``; read without any image."""
    protocol: Callable[[Any, int], str]
    """What they are, by those settings and their number: 'LFW view 2, ten folds: ...'."""
    published: Callable[[bool], str]
    """Beside which published figures their mean belongs, by whether the network began with weights from elsewhere."""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One data set that a recipe can name: a file here that holds a `DATA_SET` is found by itself."""

    name: str
    load: Callable[[Any], Splits]
    """Takes settings of the class `settings`, in range, `image_size` filled in, and a root that is a folder."""
    line: str
    """One line that says what it holds."""
    citation: str
    """Where it comes from; empty for a person's own folder."""
    source: Literal["embedded", "downloaded", "folder"]
    """Where it is: in an installed package; downloaded into the cache where `data.root` does not say where it lies; in
    `data.root`, which must be given."""
    has_files: bool
    """Whether its images are files of their own below the root; the others lie in a few packed files."""
    image_size: ImageSize | None
    """Side, or height x width, in pixels where the recipe gives none; None where the reader settles it by what it
    finds."""
    splits: tuple[str, ...]
    """Values of `data.split` that it takes."""
    own_folds: tuple[str, ...] = ()
    """Those of them whose `data.val_fold` the reader itself draws, since kin stay together in it."""
    settings: type[DataSpec] = DataSpec
    """Its settings: a subclass of `DataSpec` where it has some of its own."""
    marks: Callable[[Figures], Figures] | None = None
    """What a split's figures come to by a rule of the data set's own, such as the mark of a homework; their keys start
    with its name."""
    folds: TestFolds | None = None
    """Its test folds, where it has some."""
    endings: tuple[str, ...] = ()
    """How the name of the file ends that `data.root` is; empty where it is a folder."""
    or_folder: bool = False
    """Whether `data.root` may be a folder of such files as well."""
    folder: Callable[[Any], Path | None] | None = None
    """By its settings, the folder that the paths of its images are relative to, where that is not `data.root`; None
    where they are no files of their own."""
    rows: bool = False
    """Whether it holds rows of numbers (`sandbox.data.images.rows`) in the place of images."""
