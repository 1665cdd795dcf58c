"""Several finished runs as one: their embeddings of the same images side by side, and the mean of these embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.errors import SandboxError
from sandbox.evaluation.ensemble import mean_figures, mean_rows, side_by_side
from sandbox.evaluation.fewshot.oneshot import Trials
from sandbox.evaluation.figures import AVERAGED, CONCATENATED, SEPARATED, Figures
from sandbox.evaluation.pairs import Pairs
from sandbox.recipe.specs import flat
from sandbox.runs.folder import RunFolder
from sandbox.scoring.from_run import count_look, read_split
from sandbox.scoring.inputs import Inputs, Options
from sandbox.scoring.score import Scored, score

_SETS = ("probe", "verify", "validation", "validation_verify")


@dataclass(frozen=True)
class Ensemble:
    """What there is to score of several runs."""

    names: tuple[str, ...]
    members: tuple[Inputs, ...]
    concatenated: Inputs
    averaged: Inputs | None
    """None where the runs' embeddings are of several lengths."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ScoredEnsemble:
    """Their figures."""

    members: dict[str, Figures]
    """Name -> figures, of each run by itself."""
    separated: Figures
    """The mean of those, with t-intervals over runs."""
    concatenated: Scored = field(repr=False)
    averaged: Figures | None

    def document(self) -> dict[str, Any]:
        """What report.json holds."""
        averaged = {} if self.averaged is None else {AVERAGED: self.averaged}
        together = {SEPARATED: self.separated, CONCATENATED: self.concatenated.figures, **averaged}
        return {"runs": self.members, **together}

    def rows(self) -> dict[str, Figures]:
        """What is printed: each run, their mean, and what they are as one."""
        averaged = {} if self.averaged is None else {AVERAGED: self.averaged}
        mean = {f"mean of {len(self.members)}": self.separated}
        return {**self.members, **mean, CONCATENATED: self.concatenated.figures, **averaged}


def of_runs(paths: Sequence[Path], split: str) -> Ensemble:
    """A split of finished runs that were judged on the same images.

    Runs of several folds of one data set share their test images alone: then no thresholds come from validation.
    Scoring the test split counts as one more look at it in the run.json of each.

    Raises:
        SandboxError: a run is named twice, is not finished or has no such embeddings; or two of them were judged on
            other images, which says what differs.
    """
    names = _names(paths)
    folders = [RunFolder(path) for path in paths]
    members = [read_split(folder, split) for folder in folders]
    whole = _check_same_images(folders, names, split)
    if not whole:
        members = [replace(one, validation=None, validation_pairs=None, validation_verify=None) for one in members]
    for name, other in zip(names[1:], members[1:], strict=True):
        _check_alike(members[0], other, (names[0], name))
    lengths = [one.probe.x.shape[1] for one in members]
    notes = [] if whole else ["the runs share their test images alone, so that validation chooses no thresholds"]
    if len(set(lengths)) > 1:
        notes.append(f"averaged embeddings were left out: the runs have {' and '.join(map(str, lengths))} dimensions")
    for folder in folders if split == "test" else ():
        count_look(folder)
    averaged = _joined(members, mean_rows) if len(set(lengths)) == 1 else None
    return Ensemble(names, tuple(members), _joined(members, side_by_side), averaged, (*notes, *_copies(names, members)))


def score_together(ensemble: Ensemble, options: Options) -> ScoredEnsemble:
    """Each run by itself, their mean, and what they are as one.

    Raises:
        SandboxError: see `score`.
    """
    members = {name: score(one, options).figures for name, one in zip(ensemble.names, ensemble.members, strict=True)}
    averaged = None if ensemble.averaged is None else score(ensemble.averaged, options).figures
    together = score(ensemble.concatenated, options)
    return ScoredEnsemble(members, mean_figures(list(members.values())), together, averaged)


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    """The runs' folders, with what lies above them where two have one name."""
    places = [path.resolve() for path in paths]
    for place, path in enumerate(paths):
        if places[place] in places[:place]:
            raise SandboxError(f"--run names {path} twice, but an ensemble is of several runs")
    short = tuple(place.name for place in places)
    return short if len(set(short)) == len(short) else tuple(str(path) for path in paths)


def _check_same_images(folders: Sequence[RunFolder], names: Sequence[str], split: str) -> bool:
    """Whether the runs share their whole split; else they share the images of test.

    Raises:
        SandboxError: they share neither.
    """
    facts: list[dict[str, Any]] = [folder.read_json("run.json") for folder in folders]
    recipes = [flat(folder.recipe()) for folder in folders]
    whole = True
    for name, one, recipe in zip(names[1:], facts[1:], recipes[1:], strict=True):
        same = one.get("split") == facts[0].get("split") and recipe["data.name"] == recipes[0]["data.name"]
        whole = whole and same
        tested = one.get("test_images")
        if same or (split == "test" and tested is not None and tested == facts[0].get("test_images")):
            continue
        raise SandboxError(
            f"{names[0]} was judged on other images than {name}: their splits are {facts[0].get('split')} and "
            f"{one.get('split')}{_differing(recipes[0], recipe)}; an ensemble needs the same"
        )
    return whole


def _differing(one: dict[str, Any], other: dict[str, Any]) -> str:
    names = [name for name in one if name.startswith("data.") and name in other and one[name] != other[name]]
    listed = ", ".join(f"{name} is {one[name]!s:.80} and {other[name]!s:.80}" for name in names[:3])
    return f" ({listed})" if listed else ""


def _check_alike(one: Inputs, other: Inputs, names: tuple[str, str]) -> None:
    """Refuse sets whose rows are not of the same classes in the same order, or whose pairs differ."""
    for part in _SETS:
        a, b = (getattr(side, part) for side in (one, other))
        if (a is None) != (b is None) or (a is not None and not np.array_equal(a.labels, b.labels)):
            raise SandboxError(
                f"the embeddings of {names[0]} and {names[1]} have other labels, so that they are not of the same "
                "images in the same order; an ensemble needs the same"
            )
    trials = [None if side.tried is None else side.tried.trials for side in (one, other)]
    if not _same_trials(*trials):
        raise SandboxError(f"{names[0]} and {names[1]} have other one-shot trials; an ensemble needs the same")
    if not (_same(one.pairs, other.pairs) and _same(one.validation_pairs, other.validation_pairs)):
        raise SandboxError(f"{names[0]} and {names[1]} were verified on other pairs; an ensemble needs the same")


def _same(one: Pairs | None, other: Pairs | None) -> bool:
    if one is None or other is None:
        return one is other
    if (one.fold is None) != (other.fold is None):
        return False
    parts = [(one.left, other.left), (one.right, other.right), (one.same, other.same)]
    parts += [(one.fold, other.fold)] if one.fold is not None and other.fold is not None else []
    return all(np.array_equal(a, b) for a, b in parts)


def _same_trials(one: Trials | None, other: Trials | None) -> bool:
    if one is None or other is None:
        return one is other
    parts = ("support", "query", "answer", "run")
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in parts)


def _joined(members: Sequence[Inputs], join: Callable[[list[np.ndarray]], np.ndarray]) -> Inputs:
    """The first run's inputs with the embeddings of all put together."""
    changed: dict[str, Embeddings] = {}
    for part in _SETS:
        sets = [getattr(one, part) for one in members]
        if sets[0] is not None:
            changed[part] = replace(sets[0], x=join([one.x for one in sets]))
    joined = replace(members[0], **changed)  # type: ignore[arg-type]
    tried = [one.tried for one in members if one.tried is not None]
    return replace(joined, tried=replace(tried[0], x=join([one.x for one in tried]))) if tried else joined


def _copies(names: Sequence[str], members: Sequence[Inputs]) -> list[str]:
    """A sentence on each run whose embeddings are those of an earlier one."""
    said = []
    for place, one in enumerate(members):
        for earlier in range(place):
            if np.array_equal(one.probe.x, members[earlier].probe.x):
                said.append(f"{names[earlier]} and {names[place]} have the same embeddings, to the bit: one is a copy")
                break
    return said
