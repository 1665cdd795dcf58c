"""The face homework of CMU 11-785, in whichever of its shapes: classification of a closed set, verification apart.

What has no answers in the tree cannot be a test. Where they are missing another test is made, and a note says so:

- Test images without labels: classes with four validation images or more give every second one to test. Where most
  classes have fewer (in S19 and S20 they have two) validation stays whole, and the last two training images, by name,
  of each class with four or more are held out as test.
- Pairs without answers: the list with answers is cut in two; every second pair of each kind goes to test.
- Strangers among known people (1:N): every second image of unknown_dev/, of known people and of strangers apart, goes
  to test. Each image is paired with every image in known/.

What is to be handed in for the parts without answers is in `sandbox.data.homework.submission`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.homework.closed_set import Reader, read_closed
from sandbox.data.homework.layouts import Known, PairLists, Tree, find
from sandbox.data.homework.submission import combined_score
from sandbox.data.homework.verification import known_halves, pair_halves
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import common_bits
from sandbox.data.images.levels import level_notes
from sandbox.data.splits.splits import Splits, given, refuse_lone_images
from sandbox.recipe.specs import DataSpec

if TYPE_CHECKING:
    from sandbox.evaluation.figures import Figures

_SIZE, _SMALL_SIZE = 64, 32  # pixels; the images of S19 and S20 have no more


@dataclass(frozen=True, kw_only=True)
class HomeworkSpec(DataSpec):
    """Settings of the homework: those of all, and which set of people."""

    part: str = ""
    """homework only: medium or large (S19/S20); medium where not given."""


def load(spec: HomeworkSpec) -> Splits:
    """Read a homework; which era it is of is seen from the tree (`sandbox.data.homework.layouts`).

    Images of S19 and S20 stay at their 32 pixels where the recipe gives no size; `data.part` chooses among their two
    sets of people.

    Raises:
        SandboxError: no such tree, a list that is malformed or names images that are not there, or too few images: of
            all, or of each class in validation or test.
    """
    tree = find(Path(spec.root).expanduser(), spec.part)
    size = spec.image_size or (_SMALL_SIZE if tree.closed.small else _SIZE)
    form = Form(size, spec.colour, spec.resize or 0)
    splits = _read(tree, Reader(tree.root, form), spec.min_images)
    if bits := common_bits(splits.image_sets().values()):  # one scale for all that is read apart
        splits = _read(tree, Reader(tree.root, replace(form, bits=bits)), spec.min_images)
    refuse_lone_images(splits)
    notes = [*splits.notes, *level_notes([images.pixels for images in splits.image_sets().values()])]
    if not splits.closed_set:
        notes.append("validation and test show different people, so that classification is not judged")
    return replace(splits, notes=tuple(notes))


def _read(tree: Tree, reader: Reader, least: int) -> Splits:
    train, val, test = read_closed(tree.closed, reader, least)
    verification, alike = tree.verification, reader.like(train)
    val_verify = test_verify = None
    if isinstance(verification, PairLists):
        val_verify, test_verify = pair_halves(verification, alike)
        reader.notes.append(f"{verification.val.name} is cut in two, every second pair of each kind is test")
    elif isinstance(verification, Known) and verification.answers is not None:
        val_verify, test_verify = known_halves(verification, verification.answers, alike)
        reader.notes.append(
            f"{verification.dev.name}/ is cut in two, every second image of known people and of strangers is test; "
            f"each is compared with every image of {verification.known.name}/"
        )
    else:
        reader.notes.append(
            "no pairs with answers are there, so that verification is judged on the classification images"
        )
    return given(train, val, test, val_verify=val_verify, test_verify=test_verify, mirror=True, notes=reader.notes)


def mark(figures: Figures) -> Figures:
    """(accuracy + 1 - EER) / 2, the mark of later homeworks; its ends come from the ends of both."""
    accuracy, eer = figures.get("classification/top@1"), figures.get("verification/eer")
    if accuracy is None or eer is None:
        return {}
    ends = {"value": ("value", "value"), "low": ("low", "high"), "high": ("high", "low")}
    found: dict[str, float | int] = {k: combined_score(accuracy[a], eer[b]) for k, (a, b) in ends.items()}
    return {"homework/score": found | {"n": accuracy["n"]}}


DATA_SET = DataSet(
    name="homework",
    load=load,
    line="the face homework of CMU 11-785 under data.root, of any year (S19, S20 at 32 pixels): a closed set, and "
    "people to verify apart",
    citation="Carnegie Mellon University, 11-785 Introduction to Deep Learning, homework 2 part 2, 2019 to 2026",
    source="folder",
    has_files=True,
    image_size=None,
    settings=HomeworkSpec,
    marks=mark,
    splits=("auto", "given"),
)
