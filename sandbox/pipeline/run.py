"""From a recipe to a run folder: trains, embeds, evaluates, records, as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.errors import Interrupted, SandboxError
from sandbox.evaluation.figures import Figures, printed_name
from sandbox.files import sweep_parts
from sandbox.pipeline.events import Done, Event, Note, Progress, Started, Validation
from sandbox.pipeline.finish import compare, confusions, finish, score
from sandbox.pipeline.going_on import record, with_more
from sandbox.pipeline.judging.baselines import first_weights
from sandbox.pipeline.judging.evaluate import validate
from sandbox.pipeline.judging.protocol import protocol
from sandbox.pipeline.prepare import VALIDATIONS, Prepared, facts, prepare
from sandbox.pipeline.saving import Found, Saves, UnderWay, check_split, find
from sandbox.pipeline.timed import Timed
from sandbox.pipeline.transfer import judged_untrained, time_left
from sandbox.pipeline.watch import Watch, health_of, miners_of
from sandbox.recipe.specs import Recipe, digest
from sandbox.runs import plugins
from sandbox.runs.checkpoints import remove_checkpoints
from sandbox.runs.environment import forget_peak, surroundings
from sandbox.runs.folder import RunFolder, create
from sandbox.runs.lock import locked
from sandbox.runs.tags import checked_tags
from sandbox.training.average import averaged
from sandbox.training.distributed import here
from sandbox.training.loop import HEALTH_PARTS, Step, train
from sandbox.training.stopping import held, requested

_LOGGED = 200
"""Rows of a run's log, beside those of validations and of its health."""


def run(
    recipe: Recipe,
    *,
    out: Path,
    command: str,
    test: bool = True,
    pictures: bool = True,
    stage: str = "",
    save_every: int = 0,
    name: str = "",
    tags: Sequence[str] = (),
    purpose: str = "",
    trials: int = 0,
    keep_checkpoint: bool = False,
) -> Generator[Event, None, None]:
    """Train a recipe and record it, yielding what happens; the last event is `Done`.

    Under torchrun, rank 0 does; the others take the same steps, yield nothing and end once rank 0's training has.

    Args:
        recipe: what to do.
        out: folder that the run's folder is made in.
        command: what a person types to do it again, for the record.
        test: score the test split at the end; a study leaves it alone.
        pictures: draw the figures and the page.
        stage: which stage of a recipe file this run is, for the record.
        save_every: steps between two checkpoints; 0 leaves it to the time and the validations.
        name: of the run's folder; by time, objective and seed where not given.
        tags: what the run is called by, to choose it later (`sandbox.runs.tags`).
        purpose: ``picture`` for a run that is no result, and in no table.
        trials: of the study that found its values, where one did; for the record.
        keep_checkpoint: leave the last training state in the folder, so that `resume` can be given more steps.

    Raises:
        SandboxError: before anything is written, for a mistake in the recipe or its data; afterwards, with the run's
            status saying so, where training cannot go on.
        Interrupted: a signal asked for an end (`sandbox.training.stopping`); the last step is saved.
    """
    called = {"stage": stage, "tags": list(checked_tags(tags)), "purpose": purpose, "trials": trials}
    called |= {"plugins": plugins.records(), "keep_checkpoint": keep_checkpoint}
    planned_anew, recipe = recipe.went_on, replace(recipe, went_on="")
    ranks = here()
    with ranks.first():
        prepared = prepare(recipe)
    watch = _watch(prepared)
    if ranks.rank:
        return _follow(prepared, Found(0, True, watch, ""))
    first = first_weights(prepared.network)
    more = {key: value for key, value in called.items() if value}
    folder = create(out, prepared.recipe, command, name, scores_test=test, **more)
    with locked(folder.path):
        if planned_anew:
            yield Note(f"the recipe is of a run that was given more steps at step {planned_anew}; this one begins at 0")
        saves = Saves(save_every)
        r = UnderWay(prepared, folder, watch, 0, test, pictures, saves, first=first, keep=keep_checkpoint)
        yield from _story(r)


def resume(
    path: Path,
    *,
    pictures: bool = True,
    device: str | None = None,
    save_every: int = 0,
    max_steps: int | None = None,
    keep_checkpoint: bool = False,
) -> Generator[Event, None, None]:
    """Go on with an interrupted run from its last checkpoint, to the weights it would have reached uninterrupted.

    Args:
        path: its folder.
        pictures: draw the figures and the page.
        device: other than the run's own.
        save_every: steps between two checkpoints; 0 leaves it to the time and the validations.
        max_steps: more steps than it planned (`sandbox.pipeline.going_on`); then it may be finished.
        keep_checkpoint: leave the last training state in the folder; it is left anyway where the run began so.

    Raises:
        SandboxError: no run there, a finished run, one that another process is at work on, or no checkpoint that fits.
    """
    more = _More(max_steps, keep_checkpoint)
    folder = RunFolder(path)
    if here().rank:
        yield from _resumed(folder, pictures, device, save_every, more)
        return
    folder.recipe()  # no lock is left in a folder that holds no run
    with locked(folder.path):
        yield from _resumed(folder, pictures, device, save_every, more)


@dataclass(frozen=True)
class _More:
    """What a run is gone on with beside its own recipe."""

    steps: int | None
    keep: bool


def _resumed(
    folder: RunFolder, pictures: bool, device: str | None, save_every: int, more: _More
) -> Generator[Event, None, None]:
    """The rest of a run that nobody else is at work on; processes beside rank 0 yield nothing."""
    path, planned_before = folder.path, folder.recipe()
    recorded = _recorded(folder, more)
    recipe = planned_before if more.steps is None else with_more(folder, planned_before, recorded, more.steps)
    if recorded.get("digest") not in (digest(planned_before), digest(recipe)):
        raise SandboxError(
            f"{path / 'recipe.toml'} was changed since the run began; start a run of its own with --recipe"
        )
    ranks = here()
    with ranks.first():
        prepared = prepare(replace(recipe, device=device) if device else recipe)
    check_split(prepared, recorded, path)
    first = {} if ranks.rank else first_weights(prepared.network)
    found = find(prepared, folder, _watch(prepared))
    lengthened = recipe.went_on != planned_before.went_on
    if lengthened:
        found.watch.since = 0  # of a run that stopped early as well, more steps are asked for
    if ranks.rank:
        return _follow(prepared, found)
    sweep_parts(path)
    keep = more.keep or recorded.get("keep_checkpoint") is True
    if lengthened:
        Saves().save(prepared, folder, found.watch, found.start, judged=found.judged)
        record(folder, recipe, recorded)
    folder.cut_log(found.start)
    planned = prepared.training.planned(found.start)
    found.watch.remember(folder.read_log(), planned)
    folder.update(status="running", resumed_at=[*recorded.get("resumed_at", []), found.start], **health_of(folder))
    if keep:
        folder.update(keep_checkpoint=True)
    test = bool(recorded.get("scores_test", True))
    r = UnderWay(
        prepared, folder, found.watch, found.start, test, pictures, Saves(save_every), found.judged, first, keep
    )
    if found.note:
        yield Note(found.note)
    yield Note(f"going on from step {found.start} of {time_left(prepared.training) or planned}")
    yield from _story(r)


def _recorded(folder: RunFolder, more: _More) -> dict[str, Any]:
    """What run.json holds of a run that can be gone on with.

    Raises:
        SandboxError: it is damaged, or the run is finished and no more steps are asked for.
    """
    recorded = folder.read_json("run.json")
    if not isinstance(recorded, dict):
        raise SandboxError(f"the run {folder.path} has a damaged run.json")
    if recorded.get("status") == "done" and more.steps is None:
        if recorded.get("keep_checkpoint") is True:
            raise SandboxError(
                f"the run {folder.path} is finished; there is nothing to resume, unless --max_steps gives it more steps"
            )
        remove_checkpoints(folder)  # where the process ended between its last two deeds
        raise SandboxError(f"the run {folder.path} is finished; there is nothing to resume")
    return recorded


def _story(r: UnderWay) -> Generator[Event, None, None]:
    """Train, validate, keep the best, save, stop early; then score what was kept, and finish the folder.

    Whatever ends it before that stands in the folder's status.
    """
    prepared, training, folder, watch = r.prepared, r.prepared.training, r.folder, r.watch
    began, status, at = time.perf_counter(), "interrupted", ""
    forget_peak(prepared.device)
    log_every, health_every = max(1, training.total // _LOGGED), max(1, training.total // HEALTH_PARTS)
    try:
        yield Started(folder)
        folder.update(**facts(prepared), judged_on=protocol(prepared.splits, test=r.test), **surroundings())
        for text in prepared.notes:
            yield Note(text)
        last: float | None = None
        if not r.judged or judged_untrained(training, watch):
            yield (judgement := _validated(r, r.start))
            last = judgement.value
        # Nothing is left to train of a run that was cut off after it had stopped early.
        steps = Timed(() if watch.enough else train(training, r.start, health_every=health_every))
        with held():
            for step in steps:
                speed = (step.done - r.start) * training.batches.size / steps.seconds
                planned = training.planned(step.done)
                if step.health or training.reached(step.done, log_every, _LOGGED) or training.ends(step.done):
                    folder.log(_log_row(step, speed))
                if sentence := watch.collapse(step, planned):
                    folder.log({"step": step.done, "health": sentence})
                    folder.update(**health_of(folder))
                    yield Note(sentence)
                validates = _validates(prepared, step.done)
                stop = training.ranks.agree(requested())
                if stop or r.saves.due(step.done):
                    r.save(step.done, judged=not validates)
                if stop:
                    at = f" at step {step.done}"
                    raise Interrupted(stop)
                if validates:
                    yield (judgement := _validated(r, step.done))
                    last = judgement.value
                yield Progress(step.done, planned, step.loss, speed, last)
                if watch.enough:
                    figure = printed_name(watch.monitor)
                    yield Note(f"stopped at step {step.done}: no better {figure} in {watch.since} validations")
                    break
        judged = score(r)
        if sentence := confusions(judged):
            yield Note(sentence)
        for sentence in compare(r, judged):
            yield Note(sentence)
        finish(r, began, steps.seconds)
        status = "done"
    except SandboxError as error:
        status = f"failed: {error}"
        raise
    except Interrupted as stop:
        status = f"interrupted by {stop.name}{at}"
        raise
    except Exception as error:
        status = f"failed: {type(error).__name__}: {error}"
        raise
    finally:
        if status != "done":
            with suppress(SandboxError):  # a full disk: what it hindered first is the error to show
                folder.update(status=status)
    yield Done(folder, judged.report)


def _validated(r: UnderWay, done: int) -> Validation:
    """Judge the validation split after `done` steps, keep the weights if they are the best, and save."""
    prepared, watch = r.prepared, r.watch
    with averaged(prepared.training.average):
        figures = validate(prepared)
        value = _monitored(figures, watch.monitor)
        improved = watch.see(value, done, prepared.training)
    r.folder.log({"step": done, "val": {key: entry["value"] for key, entry in figures.items()}})
    r.save(done, judged=True)
    _meet(prepared, watch.enough)
    return Validation(done, figures, value, improved)


def _follow(prepared: Prepared, found: Found) -> None:
    """What the processes beside rank 0 do: the same steps; they wait where it validates, and stop where it stops."""
    first = not found.judged or judged_untrained(prepared.training, found.watch)
    if found.watch.enough or (first and _meet(prepared, False)):
        return
    with held():
        for step in train(prepared.training, found.start):
            if stop := prepared.training.ranks.agree(requested()):
                raise Interrupted(stop)
            if _validates(prepared, step.done) and _meet(prepared, False):
                return


def _meet(prepared: Prepared, enough: bool) -> bool:
    """After a validation: whether rank 0 has seen enough, on every process, and what its losses own."""
    enough = prepared.training.ranks.tell(enough)
    # On CUDA sums come in no fixed order, so what each process computes for itself may drift apart.
    prepared.training.ranks.spread(prepared.objective)
    return enough


def _validates(prepared: Prepared, done: int) -> bool:
    training = prepared.training
    if training.clock is None or prepared.recipe.evaluate.every is not None:
        return done % prepared.every == 0 or training.ends(done)
    return training.clock.passed(VALIDATIONS) or training.ends(done)


def _monitored(figures: Figures, monitor: str) -> float:
    if monitor not in figures:
        raise SandboxError(f"validation has no {monitor}: it lacks pairs of one kind")
    return float(figures[monitor]["value"])


def _watch(prepared: Prepared) -> Watch:
    asked = prepared.recipe.evaluate
    return Watch(asked.monitor, asked.patience, miners=miners_of(prepared.expression))


def _log_row(step: Step, speed: float) -> dict[str, Any]:
    row: dict[str, Any] = {"step": step.done, "loss": step.loss, "lr": step.lr, "images_per_second": round(speed, 1)}
    if len(step.terms) > 1:
        row["terms"] = {name: float(value) for name, value in step.terms.items()}
    if step.health:
        row |= vars(step.health)
    return row
