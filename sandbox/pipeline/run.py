"""From a recipe to a run folder: trains, embeds, evaluates, records, as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from sandbox.backbones.weights import put_weights
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import LOWER_IS_BETTER, Figures
from sandbox.pipeline.evaluate import judge, validate
from sandbox.pipeline.events import Done, Event, Note, Progress, Started, Validation
from sandbox.pipeline.prepare import Prepared, facts, prepare
from sandbox.recipe.specs import Recipe, digest
from sandbox.runs import folder as runs
from sandbox.runs.environment import peak_memory, surroundings
from sandbox.runs.folder import RunFolder
from sandbox.training import checkpoint
from sandbox.training.distributed import here
from sandbox.training.loop import Step, Training, train


@dataclass
class _Best:
    """The best validation so far, and how long ago it was."""

    value: float | None = None
    step: int = 0
    since: int = 0
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    objective: dict[str, torch.Tensor] = field(default_factory=dict)


def run(
    recipe: Recipe, *, out: Path, command: str, test: bool = True, pictures: bool = True, stage: str = ""
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

    Raises:
        SandboxError: before anything is written, for a mistake in the recipe or its data; afterwards, with the run's
            status saying so, where training cannot go on.
    """
    ranks = here()
    with ranks.first():
        prepared = prepare(recipe)
    if ranks.rank:
        return _follow(prepared, 0, _Best())
    folder = runs.create(out, prepared.recipe, command)
    if stage:
        folder.update(stage=stage)
    yield from _recorded(prepared, folder, start=0, best=_Best(), test=test, pictures=pictures)


def resume(path: Path, *, pictures: bool = True, device: str | None = None) -> Iterator[Event]:
    """Go on with an interrupted run from its last checkpoint, to the weights it would have reached uninterrupted.

    Raises:
        SandboxError: no run there, a finished run, or no checkpoint that fits.
    """
    folder = RunFolder(path)
    recipe = folder.recipe()
    recorded = folder.read_json("run.json")
    if not isinstance(recorded, dict) or recorded.get("status") == "done":
        why = "is finished; there is nothing to resume" if isinstance(recorded, dict) else "has a damaged run.json"
        raise SandboxError(f"the run {path} {why}")
    if recorded.get("digest") != digest(recipe):
        raise SandboxError(
            f"{path / 'recipe.toml'} was changed since the run began; start a run of its own with --recipe"
        )
    ranks = here()
    with ranks.first():
        prepared = prepare(replace(recipe, device=device) if device else recipe)
    start, best = _from_checkpoint(prepared, folder)
    if ranks.rank:
        return _follow(prepared, start, best)
    folder.cut_log(start)
    folder.update(status="running", resumed_at=[*recorded.get("resumed_at", []), start])
    yield Note(f"going on from step {start} of {prepared.training.total}")
    test = bool(recorded.get("scores_test", True))
    yield from _recorded(prepared, folder, start=start, best=best, test=test, pictures=pictures)


def _from_checkpoint(p: Prepared, folder: RunFolder) -> tuple[int, _Best]:
    """Put the last checkpoint back; a run that was cut off before its first starts again."""
    if not (folder.path / "checkpoint.safetensors").is_file():
        return 0, _Best()
    tensors, state = folder.read_tensors("checkpoint.safetensors")
    try:
        start, kept = int(state["step"]), state["best"]
        weights, objective = (checkpoint.under(tensors, f"{part}/") for part in ("best", "best_objective"))
        best = _Best(kept["value"], kept["step"], kept["since"], weights, objective)
    except (KeyError, TypeError, ValueError):
        raise SandboxError(f"{folder.path / 'checkpoint.safetensors'} is no checkpoint of a run") from None
    checkpoint.restore(p.training, tensors, state)
    return start, best


def _recorded(
    p: Prepared, folder: RunFolder, *, start: int, best: _Best, test: bool, pictures: bool
) -> Iterator[Event]:
    """Train, evaluate and finish a run folder; whatever ends it early stands in its status."""
    began = time.perf_counter()
    status = "interrupted"
    try:
        yield Started(folder)
        folder.update(**facts(p), **surroundings(), scores_test=test)
        for text in p.notes:
            yield Note(text)
        training_seconds = yield from _train(p, folder, start, best)
        report = _report(p, folder, best, test)
        yield from _finish(p, folder, report, began, training_seconds, start, pictures, test)
        status = "done"
    except SandboxError as error:
        status = f"failed: {error}"
        raise
    except Exception as error:
        status = f"failed: {type(error).__name__}: {error}"
        raise
    finally:
        if status != "done":
            folder.update(status=status)
    yield Done(folder, report)


def _train(p: Prepared, folder: RunFolder, start: int, best: _Best) -> Any:
    """Take the steps; returns the seconds that training itself took."""
    t, recipe = p.training, p.recipe
    seconds, last, collapsed = 0.0, None, 0
    if _enough(p, best):  # cut off after training had stopped early
        return seconds
    tick = time.perf_counter()
    log_every, health_every = max(1, t.total // 200), max(1, t.total // 40)
    for step in train(t, start, health_every=health_every):
        seconds += time.perf_counter() - tick
        speed = (step.done - start) * t.batches.size / seconds
        if step.health or step.done % log_every == 0 or step.done == t.total:
            folder.log(_log_row(step, speed))
        if step.health and step.done > t.total // 4:  # hard miners often pass through such a state early on
            collapsed = collapsed + 1 if step.health.collapsed else 0
        if step.health and collapsed == 3:
            yield Note(
                f"at step {step.done} all images have nearly one embedding (mean cosine {step.health.mean_cosine:.3f});"
                " a lower --optimizer.lr, --backbone.head linear_bn or another miner may help"
            )
        if _validates(p, step.done):
            figures = validate(p)
            if recipe.evaluate.monitor not in figures:
                raise SandboxError(f"validation has no {recipe.evaluate.monitor}: it lacks pairs of one kind")
            value = float(figures[recipe.evaluate.monitor]["value"])
            improved = _remember(best, value, step.done, t, recipe.evaluate.monitor)
            last = value
            folder.log({"step": step.done, "val": {key: entry["value"] for key, entry in figures.items()}})
            _save(p, folder, step.done, best)
            _meet(p, _enough(p, best))
            yield Validation(step.done, figures, value, improved)
        yield Progress(step.done, t.total, step.loss, speed, last)
        if _enough(p, best):
            yield Note(f"stopped at step {step.done}: no better {recipe.evaluate.monitor} in {best.since} validations")
            break
        tick = time.perf_counter()
    return seconds


def _follow(p: Prepared, start: int, best: _Best) -> None:
    """What the processes beside rank 0 do: the same steps; they wait where it validates, and stop where it stops."""
    if _enough(p, best):
        return
    for step in train(p.training, start):
        if _validates(p, step.done) and _meet(p, False):
            return


def _meet(p: Prepared, enough: bool) -> bool:
    """After a validation: whether rank 0 has seen enough, on every process, and what its losses own."""
    # On CUDA sums come in no fixed order, so what each process computes for itself may drift apart.
    p.training.ranks.spread(p.objective)
    return p.training.ranks.tell(enough)


def _validates(p: Prepared, done: int) -> bool:
    return done % p.every == 0 or done == p.training.total


def _enough(p: Prepared, best: _Best) -> bool:
    """Whether validation has gone without a better value for as long as the recipe's patience."""
    return 0 < p.recipe.evaluate.patience <= best.since


def _remember(best: _Best, value: float, step: int, t: Training, monitor: str) -> bool:
    sign = -1 if monitor in LOWER_IS_BETTER else 1
    if best.value is not None and sign * value <= sign * best.value:
        best.since += 1
        return False
    best.value, best.step, best.since = value, step, 0
    best.weights, best.objective = checkpoint.kept(t.network), checkpoint.kept(t.objective)
    return True


def _save(p: Prepared, folder: RunFolder, step: int, best: _Best) -> None:
    tensors, state = checkpoint.capture(p.training)
    tensors |= {f"best/{key}": value for key, value in best.weights.items()}
    tensors |= {f"best_objective/{key}": value for key, value in best.objective.items()}
    state |= {"step": step, "best": {"value": best.value, "step": best.step, "since": best.since}}
    folder.write_tensors("checkpoint.safetensors", tensors, state)


def _report(p: Prepared, folder: RunFolder, best: _Best, test: bool) -> dict[str, Figures]:
    """Score the chosen weights, once, and keep them and their embeddings."""
    put_weights(p.network, best.weights)
    put_weights(p.objective, best.objective)
    folder.write_tensors("model.safetensors", best.weights)
    if best.objective:
        folder.write_tensors(
            "objective.safetensors", best.objective, {"names": p.objective.names, "classes": p.splits.train.classes}
        )
    report, kept = judge(p, ("val", "test") if test else ("val",))
    folder.write_tensors("embeddings.safetensors", kept, {"closed_set": p.splits.closed_set})
    folder.write_json("report.json", report)
    folder.update(best={"step": best.step, "value": best.value, "monitor": p.recipe.evaluate.monitor})
    return report


def _finish(
    p: Prepared,
    folder: RunFolder,
    report: dict[str, Figures],
    began: float,
    training_seconds: float,
    start: int,
    pictures: bool,
    test: bool,
) -> Iterator[Event]:
    """Pictures, the page, and the facts that are known only now; the status last."""
    if pictures:
        from sandbox.reporting.page import draw_run, write_page

        judged = p.splits.test if test else p.splits.val
        draw_run(folder, judged.pixels, "test" if test else "val", p.splits.test_pairs if test else p.splits.val_pairs)
    steps = folder.read_log()[-1]["step"]
    cuda = p.device.type == "cuda"
    folder.update(
        steps=steps,
        seconds={"total": round(time.perf_counter() - began, 2), "training": round(training_seconds, 2)},
        images_per_second=round((steps - start) * p.training.batches.size / max(training_seconds, 1e-9), 1),
        peak_memory={"resident": peak_memory(), "device": torch.cuda.max_memory_allocated() if cuda else None},
        test_evaluations=int(test),
        status="done",
    )
    if pictures:
        write_page(folder)
    (folder.path / "checkpoint.safetensors").unlink(missing_ok=True)
    yield from ()


def _log_row(step: Step, speed: float) -> dict[str, Any]:
    row: dict[str, Any] = {"step": step.done, "loss": step.loss, "lr": step.lr, "images_per_second": round(speed, 1)}
    if len(step.terms) > 1:
        row["terms"] = {name: float(value) for name, value in step.terms.items()}
    if step.health:
        row |= vars(step.health)
    return row
