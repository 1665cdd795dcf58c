"""What a page is made of: a finished run, its log, the embeddings of its judged split, and their images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.oneshot import ACCURACY as ONE_SHOT
from sandbox.reporting.records.read import read_run
from sandbox.reporting.records.run import Run
from sandbox.runs.embeddings import KeptSet, read_embeddings
from sandbox.runs.folder import RunFolder


@dataclass(frozen=True)
class Pictured:
    """The images of a split."""

    images: ImageSet = field(repr=False)
    apart: ImageSet | None = field(default=None, repr=False)
    """What is verified in their place, where that is apart."""


@dataclass(frozen=True)
class Material:
    """A run with what its page shows."""

    run: Run
    log: list[dict[str, Any]] = field(repr=False)
    split: str
    """The split that is shown: ``test``, or ``val`` of a run whose test holds one-shot trials alone or was not looked
    at."""
    own: KeptSet = field(repr=False)
    """Its embeddings."""
    verified: KeptSet = field(repr=False)
    """What its pairs are of: the same, or what is verified apart."""
    classes: tuple[str, ...] = field(repr=False)
    """The name of each label."""
    pictured: Pictured | None = field(default=None, repr=False)
    """None where the images cannot be read."""

    @property
    def judged(self) -> str:
        """The split whose figures come first: ``test``, or ``val`` of a run that looked at no test."""
        return "test" if "test" in self.run.report else self.split

    @property
    def apart(self) -> bool:
        """Whether pairs are of other images than those that are retrieved."""
        return self.verified is not self.own


def shown_split(folder: RunFolder) -> str:
    """The split that a page shows: ``test``, or ``val`` where that holds one-shot trials alone or was not looked at.

    Raises:
        SandboxError: the report is absent or damaged.
    """
    report = folder.read_json("report.json")
    if not isinstance(report, dict) or not {"val", "test"} & set(report):
        raise SandboxError(f"{folder.path / 'report.json'} is damaged: it holds no split; move the folder away")
    return "test" if set(report.get("test", ())) - {ONE_SHOT} else "val"


def pictured(splits: Splits, split: str) -> Pictured:
    """The images of a split, and what is verified apart from them."""
    images, _, to_verify = splits.part(split)
    return Pictured(images, None if to_verify is None else to_verify.images)


def read_material(folder: RunFolder, images: Pictured | None = None) -> Material:
    """What a page shows of a run.

    Args:
        folder: the run.
        images: of the split that is shown; the page has no pictures without.

    Raises:
        SandboxError: it has no embeddings, a file is damaged, or the images are not those of the embeddings.
    """
    if not (folder.path / "embeddings.safetensors").is_file():
        folder.refuse_folds(folder.read_json("run.json"))
        raise SandboxError(f"{folder.path} has no embeddings.safetensors, and a page is made of those; train it again")
    run, split = read_run(folder), shown_split(folder)
    kept = read_embeddings(folder)
    own = kept.take(split)
    verified = kept.take(f"{split}/verify") if f"{split}/verify" in kept else own
    for sort, rows in (("images", own), ("apart", verified if verified is not own else None)):
        shown = getattr(images, sort, None)
        if shown is not None and rows is not None and not np.array_equal(shown.labels, rows.labels):
            raise SandboxError(f"the labels of the {split} embeddings in {folder.path} are not those of its data")
    names = tuple(f"class {number}" for number in range(int(own.labels.max()) + 1))
    return Material(
        run, folder.read_log(), split, own, verified, names if images is None else images.images.classes, images
    )
