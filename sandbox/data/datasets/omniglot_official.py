"""Omniglot as its authors split it: background alphabets to learn from, and the official one-shot task.

==========  ====================================================================================================
train       background alphabets (`data.background`), but those held out
val         background alphabets held out whole, with one-shot trials of the official making drawn from them
test        evaluation alphabets, where they are there; and the 400 official one-shot trials, in images of their own
==========  ====================================================================================================

With ``data.validation`` 0 every background alphabet is learnt from, and two drawers of each are validation.
With ``data.val_fold`` the background alphabets are held out in turn, so many in each fold; with ``data.test_fold`` one
more fold of them stands in the place of test, and the official trials are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sandbox.data.datasets.omniglot_alphabets import BACKGROUND, DRAWERS, EVALUATION, Background, background
from sandbox.data.datasets.omniglot_runs import PUBLISHED, SIDE, OneShotRun, content, find_runs, trials_of
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet, Row, read_rows, without_small
from sandbox.data.splits.folds import in_fold
from sandbox.data.splits.sizes import check_shares
from sandbox.data.splits.splits import OneShotTask, Splits, given, with_one_shot
from sandbox.data.splits.trials import WAYS, drawn_trials, has_trials
from sandbox.errors import SandboxError
from sandbox.recipe.fold import parse_fold
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted, first_names

Drawings = Mapping[tuple[str, str, str], Path]
"""Alphabet, character and file name -> file."""
Ink = Callable[[ImageSet], ImageSet]


def official(
    root: Path,
    files: Sequence[Path],
    drawings: Drawings,
    which: Background,
    spec: DataSpec,
    ink: Ink,
) -> Splits:
    """The official split of what lies below a root.

    Args:
        root: what paths are relative to.
        files: every image file below it.
        drawings: those that show a character.
        which: the background set.
        spec: the shares, seeds and folds, and how images are read.
        ink: turns images so that ink is white on black.

    Raises:
        SandboxError: the runs are not as published, alphabets are missing, too few of them, or an unreadable drawing
            in a run.
    """
    runs, notes = find_runs(root, files)
    there = {alphabet for alphabet, _, _ in drawings}
    learnt = _background(root, there, which)
    notes += _told(there, learnt, which, drawings)
    tested = [name for name in EVALUATION if name in there]
    if not tested:
        notes.append("there are no evaluation alphabets, so test holds the official one-shot trials alone")
    rows: list[Row] = [
        (f"{alphabet}/{character}", file)
        for names in (learnt, tested)
        for (alphabet, character, _), file in sorted(drawings.items())
        if alphabet in names
    ]
    rows += [row for run in runs for row in run.named()]
    images, unread = read_rows(root, rows, Form.of(spec))  # together, so that they have one colour and one scale
    images = ink(images)
    alphabet = np.array([group_of(name) for name in images.classes])[images.labels]
    of = lambda names: images.take(np.flatnonzero(np.isin(alphabet, list(names))))  # noqa: E731
    task, said = _task(root, runs, of(run.name for run in runs), ink)
    train, small = without_small(of(learnt), spec.min_images)
    splits = _parted(train, of(tested), task, spec, [*notes, *said, *unread, *small])
    return _with_trials(splits, spec)


def group_of(name: str) -> str:
    """The alphabet of a class ``Latin/character01``, or the run of one that is drawn for it."""
    return name.rpartition("/")[0]


def _background(root: Path, there: set[str], which: Background) -> list[str]:
    """The background alphabets to use, which of the minimal sets must all be there."""
    asked = background(which)
    found = [name for name in asked if name in there]
    missing = [name for name in asked if name not in there]
    if which != "all" and missing:
        raise SandboxError(
            f"data.background is {which}, which is {first_names(asked)}, but {root} has no {first_names(missing)}"
        )
    if len(found) < 2:
        raise SandboxError(
            f"{root} holds {counted(len(found), 'background alphabet', 'background alphabets')} of Omniglot's "
            f"{len(BACKGROUND)}, and two are needed: one to learn from and one to choose on; they are folders such as "
            "Latin/character01 or Latin_character01"
        )
    return found


def _told(there: set[str], learnt: Sequence[str], which: Background, drawings: Drawings) -> list[str]:
    """Sentences on what of the background is learnt from, what is not whole, and what is left out."""
    named = "" if which == "all" else f" (data.background {which})"
    notes = [
        f"learnt from and chosen on: {len(learnt)} of the {len(BACKGROUND)} background alphabets{named}: "
        f"{first_names(learnt)}"
    ]
    counts: dict[str, int] = {}
    for alphabet, _, _ in drawings:
        counts[alphabet] = counts.get(alphabet, 0) + 1
    published = {**BACKGROUND, **EVALUATION}
    partial = [
        f"{name} ({counts[name]:,} of {published[name] * DRAWERS:,} drawings)"
        for name in (*learnt, *EVALUATION)
        if name in there and counts[name] != published[name] * DRAWERS
    ]
    if partial:
        alphabets = counted(len(partial), "alphabet is", "alphabets are")
        notes.append(f"{alphabets} not as published, so figures do not compare: {first_names(partial, 3)}")
    foreign = sorted(there - set(published))
    if foreign:
        alphabets = counted(len(foreign), "alphabet that is", "alphabets that are")
        notes.append(f"{alphabets} not Omniglot's left out: {first_names(foreign)}")
    return notes


def _task(root: Path, runs: Sequence[OneShotRun], images: ImageSet, ink: Ink) -> tuple[OneShotTask, list[str]]:
    """The official trials, and a sentence where they are not those that were published."""
    rows = [row for run in runs for row in run.named()]
    row = {root / path: place for place, path in enumerate(images.paths)}
    unread = [file.relative_to(root).as_posix() for _, file in rows if file not in row]
    if unread:
        raise SandboxError(
            f"{counted(len(unread), 'drawing', 'drawings')} of the one-shot runs cannot be read as images: "
            f"{first_names(unread)}"
        )
    drawings = ink(read_rows(root, rows, Form(SIDE, "grey"))[0])
    trials = trials_of(runs, row)
    same = content(drawings.pixels > 127, trials) == PUBLISHED
    said = "the one-shot runs are not those that were published, so figures on them do not compare"
    return OneShotTask(trials, images, drawings), [] if same else [said]


def _parted(train: ImageSet, test: ImageSet, task: OneShotTask, spec: DataSpec, notes: Iterable[str]) -> Splits:
    """Whole alphabets held out of the background: a share of them, or a fold."""
    fold = parse_fold(spec.val_fold)
    if fold is not None:
        tested = parse_fold(spec.test_fold, "data.test_fold")
        whole = Splits(train, train.take([]), test, test_oneshot=task, notes=tuple(notes))
        return in_fold(whole, *fold, spec.fold_seed, test_fold=tested[0] if tested else 0, group_of=group_of)
    check_shares(spec.validation, 0.0)
    if spec.validation == 0:
        return _all_learnt(train, test, task, spec, notes)
    chosen = _held_out(train, spec)
    held = np.isin(np.array([group_of(name) for name in train.classes])[train.labels], chosen)
    said = f"validation holds out {counted(len(chosen), 'alphabet', 'alphabets')}: {first_names(chosen)}"
    parts = train.take(np.flatnonzero(~held)), train.take(np.flatnonzero(held))
    return given(*parts, test, test_oneshot=task, notes=[*notes, said])


def _all_learnt(train: ImageSet, test: ImageSet, task: OneShotTask, spec: DataSpec, notes: Iterable[str]) -> Splits:
    """Every alphabet to learn from, once all choices are made; two drawers stay out, to see that training works."""
    drawers = np.array(drawers_of(train))
    names = np.unique(drawers)
    if len(names) < 3:
        raise SandboxError(
            f"data.validation is 0, which holds out two of the people who drew each alphabet, but here "
            f"{counted(len(names), 'person', 'people')} drew; give data.validation a share of the alphabets"
        )
    out = np.sort(np.random.default_rng(spec.split_seed).choice(names, 2, replace=False))
    held = np.isin(drawers, out)
    said = (
        f"data.validation is 0: every alphabet is learnt from but for drawers {' and '.join(out)} of each, whose "
        "drawings of the same characters are validation: it shows that training works, and is nothing to choose "
        "settings by"
    )
    parts = train.take(np.flatnonzero(~held)), train.take(np.flatnonzero(held))
    return given(*parts, test, test_oneshot=task, notes=[*notes, said])


def _held_out(train: ImageSet, spec: DataSpec) -> list[str]:
    """The alphabets to choose on, of which the first drawn that one-shot trials can be made of is one."""
    groups = [group_of(name) for name in train.classes]
    names = sorted(set(groups))
    count = min(max(1, int(len(names) * spec.validation + 0.5)), len(names) - 1)
    drawn = [names[place] for place in np.random.default_rng(spec.split_seed).permutation(len(names))]
    able = [name for name in drawn if has_trials(train, groups, drawers_of(train), name)]
    first = able[:1]
    return sorted([*first, *(name for name in drawn if name not in first)][:count])


def drawers_of(images: ImageSet) -> list[str]:
    """Who drew each image: ``05`` of ``0108_05.png``, a number that means another person in each alphabet."""
    return [Path(path).stem.partition("_")[2] for path in images.paths]


def _with_trials(splits: Splits, spec: DataSpec) -> Splits:
    """The splits with trials drawn from validation, and from test where that is a fold of the background."""
    drawn = []
    for images in (splits.val, splits.test):
        groups = [group_of(name) for name in images.classes]
        trials = drawn_trials(images, groups, drawers_of(images), spec.split_seed)
        drawn.append(None if trials is None else OneShotTask(trials))
    notes = splits.notes
    if drawn[0] is None:
        notes += (f"validation has no one-shot trials: no alphabet in it has {WAYS} characters that two people drew",)
    test = drawn[1] if spec.test_fold else splits.test_oneshot
    return with_one_shot(replace(splits, notes=notes), drawn[0], test)
