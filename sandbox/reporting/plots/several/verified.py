"""The test embeddings that runs keep, verified again for curves: with the evaluator's own pairs and counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from sandbox.errors import SandboxError
from sandbox.evaluation.report import both_kinds, verify
from sandbox.evaluation.verification.metrics import Verification
from sandbox.reporting.plots.several.chosen import data_said, seeds_said
from sandbox.reporting.plots.several.labels import labels
from sandbox.reporting.plots.several.trade_offs import GRID, TradeOff, mean_trade_off, trade_off_figure
from sandbox.reporting.plots.style import quiet, save
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run
from sandbox.runs.embeddings import KeptEmbeddings, read_embeddings
from sandbox.runs.folder import RunFolder
from sandbox.wording import counted, first_names

T = TypeVar("T")


def verification_of(run: Run) -> Verification:
    """The verification of a run's test split, as its report was made, exact at `GRID`.

    Raises:
        SandboxError: the run keeps no test embeddings, or there is no genuine or no impostor pair.
    """
    kept = embeddings_of(run)
    judged = kept.take("test/verify" if "test/verify" in kept else "test")
    if not both_kinds(judged.labels, judged.pairs):
        raise SandboxError(f"{run.path.name} has no genuine or no impostor pair on test")
    return verify(judged.x, judged.labels, judged.pairs, far=tuple(GRID.tolist()))


def embeddings_of(run: Run) -> KeptEmbeddings:
    """What a run keeps, with its test split.

    Raises:
        SandboxError: it keeps no test embeddings, or they are damaged.
    """
    if not (run.path / "embeddings.safetensors").is_file():
        raise SandboxError(f"{run.path.name} keeps no embeddings")
    kept = read_embeddings(RunFolder(run.path))
    if "test" not in kept:
        raise SandboxError(f"{run.path.name} has no embeddings of its test split")
    return kept


def of_each(
    groups: Sequence[Group], what: str, make: Callable[[Run], T]
) -> tuple[list[tuple[str, list[T]]], list[str]]:
    """What each run that can gives, by the recipe's name, and a sentence on those that cannot.

    Args:
        groups: recipes.
        what: that is drawn, for the error.
        make: of a run; a SandboxError leaves the run out.

    Raises:
        SandboxError: no run can.
    """
    found, left = [], []
    for group, label in zip(groups, labels(groups), strict=True):
        made = []
        for run in group.runs:
            try:
                made.append(make(run))
            except SandboxError as error:
                left.append(str(error))
        if made:
            found.append((label, made))
    if not found:
        raise SandboxError(f"{what} is drawn of the test embeddings of runs: {first_names(left, 1)}")
    count = counted(len(left), "run is", "runs are")
    return found, [f"{count} left out: {first_names(left)}"] if left else []


def draw_verified(groups: Sequence[Group], path: Path, *, det: bool, width: float) -> tuple[str, list[str]]:
    """Draw ROC or DET of recipes; what it shows in a sentence, and notes.

    Raises:
        SandboxError: no run keeps test embeddings with both kinds of pairs.
    """
    kind = "DET" if det else "ROC"
    found, notes = of_each(groups, kind, verification_of)
    lines: list[TradeOff] = [mean_trade_off(label, made) for label, made in found]
    seeds = seeds_said(groups)
    band = "95 % interval by identity" if all(line.seeds == 1 for line in lines) else "95 % t-interval over seeds"
    if len({line.seeds > 1 for line in lines}) > 1:
        band += " (by identity where there is one)"
    title = f"{kind} on {data_said(groups)}, {seeds}: band {band}"
    with quiet([title, *(line.label for line in lines)]) as known:
        figure = trade_off_figure(lines, known, kinds=("det",) if det else ("roc",), title=title, width=width)
        save(figure, path, dpi=200)
    first = lines[0]
    return (
        f"{counted(len(lines), 'recipe', 'recipes')}, {first.genuine:,} genuine and {first.impostors:,} impostor pairs",
        notes,
    )
