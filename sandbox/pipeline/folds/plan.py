"""The recipe of each fold, and the folder that the runs of all lie in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.data.catalog import fold_specs
from sandbox.errors import SandboxError
from sandbox.pipeline.prepare import check, prepare
from sandbox.pipeline.warm_start import check_earlier
from sandbox.recipe.specs import Recipe, digest, flat
from sandbox.runs.folder import RunFolder, create
from sandbox.runs.folds import count_of, folds_name
from sandbox.runs.tags import checked_tags
from sandbox.training.distributed import here

_MAY_DIFFER = ("device", "threads", "resume_from")
"""What may change between two calls that go on with one folder; `after` says which run `resume_from` is."""


def fold_recipes(recipe: Recipe) -> tuple[Recipe, ...]:
    """The recipe of each fold's run.

    Args:
        recipe: with ``data.fold = "all"``, its objective spelt canonically.

    Raises:
        SandboxError: the data is missing or has no folds.
    """
    return tuple(replace(recipe, data=spec) for spec in fold_specs(recipe.data))


def begun(recipe: Recipe, *, out: Path, command: str, tags: Sequence[str] = (), trials: int = 0) -> RunFolder:
    """The folder of a recipe: the one that was begun with it before, or a new one.

    Args:
        recipe: with ``data.fold = "all"``.
        out: folder that it lies in.
        command: what a person types to do it again, for the record.
        tags: what its row is called by.
        trials: of the study that found its values.

    Raises:
        SandboxError: before anything is written, for a mistake in the recipe or its data; for a folder that was begun
            with other settings, which are named.
    """
    tags = checked_tags(tags)
    recipe = _canonical(recipe)
    recipes = fold_recipes(recipe)
    path = out / folds_name(recipe)
    if path.exists():
        return _gone_on_with(RunFolder(path), recipe)
    prepare(recipes[0])
    called = {key: value for key, value in {"tags": list(tags), "trials": trials}.items() if value}
    made = create(out, recipe, command, path.name, scores_test=True, folds=len(recipes), **called)
    if made.path != path:  # another process was quicker, and which of the two goes on is settled by a lock
        shutil.rmtree(made.path, ignore_errors=True)
    return RunFolder(path)


def _gone_on_with(folder: RunFolder, recipe: Recipe) -> RunFolder:
    if other := difference(folder.recipe(), recipe):
        raise SandboxError(
            f"{folder.path} was begun with another recipe: {other}; take that folder away, or give another --out"
        )
    return folder


def recipe_of(folder: RunFolder) -> Recipe:
    """The recipe of a folder of folds.

    Raises:
        SandboxError: the folder is damaged, or its recipe was changed after it was begun: what differs is named.
    """
    recipe, facts = folder.recipe(), folder.read_json("run.json")
    if not count_of(facts) or (facts.get("digest"), facts.get("seed")) == (digest(recipe), recipe.seed):
        return recipe
    first = next((RunFolder(one.parent) for one in sorted(folder.path.glob("fold-*/recipe.toml"))), None)
    other = "" if first is None else difference(first.recipe(), recipe, leave_out=("data.fold",))
    raise SandboxError(
        f"{folder.path / 'recipe.toml'} was changed since its runs began{other and f': {other}'}; put it back, or "
        "start anew with --recipe"
    )


def difference(kept: Recipe, asked: Recipe, leave_out: Sequence[str] = ()) -> str:
    """The first setting in which two recipes differ: 'optimizer.lr is 0.1, and was 0.003'; empty where none does.

    Args:
        kept: as it was.
        asked: as it is.
        leave_out: settings that may differ beside those that change no figure.
    """
    before, now = flat(kept), flat(asked)
    for name in dict.fromkeys((*now, *before)):
        old, new = before.get(name), now.get(name)
        if name == "data.root" and str(Path(str(old)).absolute()) == str(Path(str(new)).absolute()):
            continue
        if old != new and name not in (*_MAY_DIFFER, *leave_out):
            return f"{name} is {_spelt(new)}, and was {_spelt(old)}"
    return ""


def _spelt(value: object) -> str:
    return "not given" if value in (None, "") else str(value)


def _canonical(recipe: Recipe) -> Recipe:
    """The recipe as its runs will record it, so that its digest is theirs."""
    if here().count > 1:
        raise SandboxError(
            "data.fold is all, but torchrun trains one network with several processes: start it with python, or give "
            "torchrun one fold"
        )
    for name in ("figures", "after"):
        if asked := getattr(recipe.evaluate, name):
            raise SandboxError(
                f"evaluate.{name} is '{asked}', but data.fold is all, whose report is the mean of accuracy over folds "
                "and has none of it: leave it out, or name one fold"
            )
    recipe = replace(recipe, loss=str(check(recipe)), miner="none")
    _refuse_leak(recipe)
    if not recipe.resume_from:
        return recipe
    earlier = RunFolder(check_earlier(recipe.resume_from)).facts_of_finished()
    return replace(recipe, after=str(earlier.get("digest", "")))


def _refuse_leak(recipe: Recipe) -> None:
    """Refuse to start from what was trained on the data set's own people: each tested fold has some of them."""
    seen: set[Path] = set()
    ahead = _before(recipe)
    while ahead:
        path = ahead.pop()
        if path.resolve() in seen or not (path / "recipe.toml").is_file():
            continue
        seen.add(path.resolve())
        theirs = RunFolder(path).recipe()
        if theirs.data.name == recipe.data.name:
            raise SandboxError(
                f"with data.fold=all nobody who is tested may have been trained on, but {path}, which this recipe "
                f"starts from, was trained on '{theirs.data.name}' itself"
            )
        ahead += _before(theirs)


def _before(recipe: Recipe) -> list[Path]:
    """The folders of the runs that a recipe's first weights are from, and those that files of weights lie in."""
    files = [Path(recipe.backbone.weights)] if Path(recipe.backbone.weights).suffix else []
    runs = [Path(recipe.resume_from)] if recipe.resume_from else []
    return [path.expanduser() for path in (*runs, *(file.parent for file in files))]
