"""Labeled Faces in the Wild: 13,233 photographs of 5,749 people, with the pair lists of its two views.

Nobody in a pair that is evaluated, for validation or for test, is trained on, nor are their other images.

=============  ================================  =================================  ==============================
view           train                             val                                test
=============  ================================  =================================  ==============================
view 1         everyone else                     people drawn from pairsDevTrain,   the people and pairs of
                                                 with the pairs among them          pairsDevTest
view 2         people outside pairs.txt          people drawn from outside          the people of pairs.txt, all
                                                 pairs.txt, no pairs                pairs with their folds
view 2, fold   everyone else, people outside     the people and pairs of the next   the people and pairs of the
k              pairs.txt among them              fold (after 10 comes 1)            fold
=============  ================================  =================================  ==============================

``data.fold = "all"`` stands for a run of each fold (`sandbox.pipeline.folds`).

With ``data.split = "sample"`` those who would be trained on become a closed set: their images are parted into training,
validation and test for classification, and the people and pairs above are verified apart.

Outside pairs.txt there are 1,468 people with 1,549 images, 52 of whom have more than one: too few to learn from, but
apt to test a network that was trained elsewhere. View 1 is for choosing, view 2 for the figure that is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sandbox.data.datasets.dataset import DataSet, TestFolds
from sandbox.data.datasets.lfw_tree import Tree, find_lists, read_tree
from sandbox.data.formats.pairs.kaggle_pairs import read_lfw
from sandbox.data.formats.pairs.lfw_pairs import PairLine
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.draw import sample_disjoint
from sandbox.data.splits.splits import Splits, ToVerify, given
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted

_FOLDS = 10
_COUNTED = {10: "ten"}
_LISTS = {"view1": ("pairsDevTest.txt", "pairsDevTrain.txt"), "view2": ("pairs.txt",)}


@dataclass(frozen=True, kw_only=True)
class LfwSpec(DataSpec):
    """Settings of LFW: those of all, and the protocol."""

    view: Literal["view1", "view2"] = "view1"
    """lfw only: view 1 (pairsDevTrain, pairsDevTest) or view 2 (pairs.txt, ten folds)."""
    fold: int | Literal["all"] | None = None
    """lfw view 2 only: the fold (1 to 10) that is tested, or all of them in turn, each by a network of its own; without
    it the people outside pairs.txt are trained on."""


def load(spec: LfwSpec) -> Splits:
    """Read `Name/Name_0001.jpg` under the root or up to two folders below it, and the pair lists of one view.

    The lists may be LFW's own, or the CSV files that Kaggle has of them.

    Raises:
        SandboxError: images or lists are missing or malformed, or the view and fold do not fit together.
    """
    _check_fold(spec)
    if spec.fold == "all":
        raise SandboxError(f"data.fold is all, a run for each fold, which run.py alone makes; give one, 1 to {_FOLDS}")
    if not spec.validation:
        raise SandboxError(f"data.validation is {spec.validation}, but must lie between 0 and 1")
    if spec.split == "sample" and spec.view == "view2" and spec.fold is None:
        raise SandboxError("data.split=sample with view2 needs data.fold: outside pairs.txt hardly anybody has two")
    faces = read_tree(Path(spec.root).expanduser(), _LISTS[spec.view], Form.of(spec))
    if spec.view == "view1":
        return _view1(faces, spec)
    return _view2(faces, spec) if spec.fold is None else _view2_fold(faces, spec, spec.fold)


def _check_fold(spec: LfwSpec) -> None:
    if spec.fold is None or (spec.view == "view2" and (spec.fold == "all" or 1 <= spec.fold <= _FOLDS)):
        return
    raise SandboxError(
        f"data.fold is {spec.fold} with data.view={spec.view}, but takes 1 to {_FOLDS}, with view2, or all of them"
    )


def _view1(faces: Tree, spec: LfwSpec) -> Splits:
    test_file, val_file = faces.lists["pairsDevTest.txt"], faces.lists["pairsDevTrain.txt"]
    test_lines = faces.pair_lines(test_file)
    tested = _people(test_lines)
    # LFW's lists share nobody; lists that do lose those lines to test.
    lines = [line for line in faces.pair_lines(val_file) if not line.people & tested]
    chosen = _draw_people(lines, spec.validation, spec.split_seed)
    val_lines = [line for line in lines if line.people <= chosen]
    return _parted(faces, spec, val_lines, val_file, test_lines, test_file)


def _view2_fold(faces: Tree, spec: LfwSpec, fold: int) -> Splits:
    file = faces.lists["pairs.txt"]
    lines = faces.pair_lines(file)
    folds = max(line.fold for line in lines)
    if fold > folds or folds < 2:
        raise SandboxError(f"data.fold is {fold}, but {file} has {counted(folds, 'fold', 'folds')}")
    test_lines = [line for line in lines if line.fold == fold]
    tested = _people(test_lines)
    val_lines = [line for line in lines if line.fold == fold % folds + 1 and not line.people & tested]
    return _parted(faces, spec, val_lines, file, test_lines, file)


def _parted(
    faces: Tree,
    spec: LfwSpec,
    val_lines: Sequence[PairLine],
    val_file: Path,
    test_lines: Sequence[PairLine],
    test_file: Path,
) -> Splits:
    """Train on everybody who is in neither list of pairs."""
    tested, chosen = _people(test_lines), _people(val_lines)
    test, val = faces.of(tested), faces.of(chosen)
    kinds = {line.same for line in val_lines}
    if len(kinds) < 2:
        drawn = counted(len(val_lines), "pair", "pairs")
        raise SandboxError(
            f"the validation pairs from {val_file} ({drawn}) are not of both kinds, same and different; "
            f"raise data.validation ({spec.validation})"
        )
    train, small = _trained_on(faces, set(faces.images.classes) - tested - chosen, spec.min_images)
    if spec.split == "sample":
        closed = sample_disjoint(train, spec.validation, spec.test, spec.split_seed)
        return given(
            closed.train,
            closed.val,
            closed.test,
            val_verify=ToVerify(val, faces.indexed(val_lines, val, val_file)),
            test_verify=ToVerify(test, faces.indexed(test_lines, test, test_file)),
            mirror=True,
            notes=[*faces.notes, *small, *closed.notes],
        )
    return given(
        train,
        val,
        test,
        val_pairs=faces.indexed(val_lines, val, val_file),
        test_pairs=faces.indexed(test_lines, test, test_file),
        mirror=True,
        notes=[*faces.notes, *small],
    )


def _view2(faces: Tree, spec: LfwSpec) -> Splits:
    file = faces.lists["pairs.txt"]
    lines = faces.pair_lines(file)
    tested = _people(lines)
    test = faces.of(tested)
    outside = faces.of(set(faces.images.classes) - tested)
    if len(outside.classes) < 4:
        raise SandboxError(
            f"{counted(len(outside.classes), 'person is', 'people are')} outside {file}, too few to train on; "
            f"give data.fold (1 to {_FOLDS})"
        )
    random = np.random.default_rng(spec.split_seed)
    chosen: set[str] = set()
    # Apart, because so few have a second image that a plain draw might leave validation without a match.
    for several in (True, False):
        names = [name for name, count in zip(outside.classes, outside.counts, strict=True) if (count > 1) == several]
        chosen.update(_share(random.permutation(len(names)), names, spec.validation))
    train, small = _trained_on(faces, set(outside.classes) - chosen, spec.min_images)
    return given(
        train,
        faces.of(chosen),
        test,
        test_pairs=faces.indexed(lines, test, file, folds=True),
        mirror=True,
        notes=[*faces.notes, *small],
    )


def count_folds(spec: LfwSpec) -> int:
    """How many folds pairs.txt has; no image is read.

    Raises:
        SandboxError: the list is missing or malformed, or has one fold, or more than can be asked for.
    """
    _check_fold(spec)
    file = find_lists(Path(spec.root).expanduser(), _LISTS["view2"])[1]["pairs.txt"]
    folds = max(line.fold for line in read_lfw(file).lines)
    if not 2 <= folds <= _FOLDS:
        raise SandboxError(f"data.fold is all, which takes 2 to {_FOLDS} folds, but {file} has {folds:,}")
    return folds


def _protocol(spec: LfwSpec, folds: int) -> str:
    return (
        f"LFW view 2, {_COUNTED.get(folds, str(folds))} folds, unrestricted (people are trained on by name): each by a "
        "network of its own that saw nobody of it, its threshold chosen on the pairs of the next fold"
    )


def _published(begins_trained: bool) -> str:
    """The column of https://vis-www.cs.umass.edu/lfw/results.html."""
    if begins_trained:
        return (
            "on the benchmark's results page it belongs to 'Unrestricted, Labeled Outside Data', unless the weights "
            "that it began with were learnt without labels"
        )
    return (
        "on the benchmark's results page it belongs to 'Unrestricted, Label-Free Outside Data' where the images are "
        "aligned by software that was trained elsewhere (lfw-a, MTCNN), else to 'Unrestricted, No Outside Data'"
    )


def _share(order: Iterable[int], names: Sequence[str], share: float) -> list[str]:
    return [names[place] for place in list(order)[: max(1, round(share * len(names)))]]


def _trained_on(faces: Tree, people: set[str], least: int) -> tuple[ImageSet, list[str]]:
    """Small classes are left out of training alone: the lists need the others whole."""
    train = faces.of(people, least)
    present = len(people & set(faces.images.classes))
    left = present - len(train.classes)
    note = f"{counted(left, 'person', 'people')} with fewer than {least} images left out of training"
    return train, [note] if left else []


def _draw_people(lines: Sequence[PairLine], share: float, seed: int) -> frozenset[str]:
    """People of whole pairs, drawn until they are that share of all: the two kinds of pair in turn.

    Drawn singly, hardly any pair of different people would have both of them.
    """
    order = np.random.default_rng(seed).permutation(len(lines))
    same = [lines[place] for place in order if lines[place].same]
    different = [lines[place] for place in order if not lines[place].same]
    enough = share * len(_people(lines))
    chosen: set[str] = set()
    for pair in zip(same, different, strict=False):
        for line in pair:
            chosen |= line.people
        if len(chosen) >= enough:
            break
    return frozenset(chosen)


def _people(lines: Iterable[PairLine]) -> frozenset[str]:
    return frozenset(person for line in lines for person in line.people)


DATA_SET = DataSet(
    name="lfw",
    load=load,
    line="faces of 5,749 people under data.root with their pair lists; tests on people never trained on",
    citation="Huang, Ramesh, Berg and Learned-Miller (2007), Labeled Faces in the Wild, UMass Amherst 07-49",
    source="folder",
    has_files=True,
    image_size=64,
    splits=("auto", "class", "sample", "given"),
    settings=LfwSpec,
    folds=TestFolds(count=count_folds, protocol=_protocol, published=_published),
)
