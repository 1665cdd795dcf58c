"""The recipes of a sweep, each found and checked before anything trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.cli.sweep.asked import Asked
from sandbox.errors import SandboxError
from sandbox.recipe.parting import parted

if TYPE_CHECKING:
    from sandbox.data.splits.splits import Splits
    from sandbox.recipe.specs import DataSpec, Recipe
    from sandbox.reporting.again.standing import Standing

T = TypeVar("T")


@dataclass(frozen=True)
class Planned:
    """A combination whose recipe was found to be one that can train."""

    asked: Asked
    digest: str
    """As its runs record it."""
    split: str
    """Digest of the images that it is trained and judged on."""

    def __str__(self) -> str:
        return str(self.asked.combination)


def plan(asked: Sequence[Asked], read: Callable[[Sequence[str]], Recipe], seeds: range) -> list[Planned]:
    """Find and check every recipe: first what needs no data, of all of them, then the rest.

    Args:
        asked: the combinations.
        read: the recipe of the words behind run.py.
        seeds: that each is run with.

    Raises:
        SandboxError: names the first combination that cannot train or that is another one over again, and counts.
    """
    recipes = _of_each(asked, lambda one: _check(read(one.words), seeds))
    loaded = _Loaded()
    found = _of_each(asked, lambda one: _prepared(one, recipes[one], loaded))
    earlier: dict[str, Planned] = {}
    for one in found.values():
        if other := earlier.get(one.digest):
            raise SandboxError(
                f"--sweep: '{other}' and '{one}' are one recipe (digest {one.digest}), whose runs cannot be told apart;"
                " leave one of the two out"
            )
        earlier[one.digest] = one
    return list(found.values())


def refuse_strangers(planned: Sequence[Planned], seeds: range, there: Standing) -> None:
    """Refuse to count what was made of other images: files may have changed, or lie elsewhere.

    Raises:
        SandboxError: names the first run.
    """
    from sandbox.runs.folder import RunFolder

    for one, seed in ((one, seed) for one in planned for seed in seeds):
        key = (one.digest, seed)
        if run := there.folders.get(key):
            path, split = run.path, run.split
        elif key in there.begun:
            path = Path(there.begun[key])
            split = RunFolder(path).read_json("run.json").get("split", one.split)  # which one killed at once lacks
        else:
            continue
        if split != one.split:
            raise SandboxError(
                f"the run {path} has the recipe of '{one}', seed {seed}, but was made of other images (split {split}, "
                f"and {one.split} now); give another --out, or take it away"
            )


class _Loaded:
    """The images of the last data settings that were asked for: most combinations share theirs."""

    def __init__(self) -> None:
        self.spec: DataSpec | None = None
        self.splits: Any = None

    def of(self, spec: DataSpec) -> Splits:
        from sandbox.data.catalog import load

        if spec != self.spec:
            self.spec = self.splits = None  # not both in memory at once
            self.splits = load(spec)
            self.spec = spec
        splits: Splits = self.splits
        return splits


def _check(recipe: Recipe, seeds: range) -> Recipe:
    from sandbox.data.catalog import in_all_folds
    from sandbox.pipeline.prepare import check
    from sandbox.recipe.ranges import check_ranges

    if in_all_folds(recipe.data):
        raise SandboxError("data.fold=all has no place in --sweep; run each of its recipes by itself")
    check(recipe)
    check_ranges(replace(recipe, seed=seeds[-1]))
    return recipe


def _prepared(one: Asked, recipe: Recipe, loaded: _Loaded) -> Planned:
    from sandbox.pipeline.prepare import prepare
    from sandbox.recipe.specs import digest

    prepared = prepare(recipe, loaded.of(recipe.data))
    return Planned(one, digest(prepared.recipe), prepared.splits.digest)


def _of_each(asked: Sequence[Asked], act: Callable[[Asked], T]) -> dict[Asked, T]:
    """What comes of each combination.

    Raises:
        SandboxError: the sentence on the first that is refused, and how many are.
    """
    found: dict[Asked, T] = {}
    wrong: list[tuple[Asked, SandboxError]] = []
    for one in asked:
        try:
            found[one] = act(one)
        except SandboxError as error:
            wrong.append((one, error))
    if not wrong:
        return found
    (first, why), more = wrong[0], ""
    if len(asked) > 1:
        more = f"; {len(wrong):,} of {len(asked):,} combinations cannot train"
    values = first.combination.values
    if any(len(parted(text, ",")) > 1 for _, text in values):
        more += "; values of --sweep are parted by |"
    elif found and len(values) > 1:
        more += ", and (loss, miner) = (triplet, hard) | (arcface, none) pairs values that go together"
    raise SandboxError(f"--sweep: {first.combination}: {why}{more}")
