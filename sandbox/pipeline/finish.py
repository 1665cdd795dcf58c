"""After the last step: the chosen weights are scored once, and the folder is finished."""

from __future__ import annotations

import time

import torch

from sandbox.backbones.weights import put_weights
from sandbox.pipeline.judging.after import add_after
from sandbox.pipeline.judging.baselines import score_baselines, worse_than_pixels
from sandbox.pipeline.judging.evaluate import Judgement, judge
from sandbox.pipeline.saving import UnderWay
from sandbox.runs.checkpoints import remove_checkpoints
from sandbox.runs.embeddings import write_embeddings
from sandbox.runs.environment import peak_memory


def score(r: UnderWay) -> Judgement:
    """Score the chosen weights, once, and keep them and their embeddings."""
    prepared, folder, watch = r.prepared, r.folder, r.watch
    put_weights(prepared.network, watch.weights)
    put_weights(prepared.objective, watch.objective)
    folder.write_tensors("model.safetensors", watch.weights)
    if watch.objective:
        owners = {"names": prepared.objective.names, "classes": prepared.splits.train.classes}
        folder.write_tensors("objective.safetensors", watch.objective, owners)
    judged = judge(prepared, ("val", "test") if r.test else ("val",))
    if facts := add_after(judged, prepared.recipe.evaluate):
        folder.update(after=facts)
    write_embeddings(folder, judged.kept, closed_set=prepared.splits.closed_set)
    folder.write_json("report.json", judged.report)
    folder.update(best={"step": watch.step, "value": watch.value, "monitor": watch.monitor})
    if judged.confused:
        folder.update(confused=judged.confused)
    return judged


def confusions(judged: Judgement) -> str:
    """A sentence on the classes confused most often on the split that was scored last, if there are any."""
    split, rows = next(reversed(judged.confused.items()), ("", []))
    if not rows:
        return ""
    named = (f"{row['truth']} for {row['taken_for']} ({row['n']:,} of {row['of']:,})" for row in rows)
    return f"most often confused on {'validation' if split == 'val' else split}: {', '.join(named)}"


def compare(r: UnderWay, judged: Judgement) -> list[str]:
    """Score the baselines beside the chosen weights, and keep them; sentences that a person should read."""
    prepared, folder = r.prepared, r.folder
    found, notes = score_baselines(prepared, r.first, tuple(judged.report))
    r.first.clear()
    notes = [*judged.notes, *notes]
    folder.write_json("baselines.json", found)
    if sentence := worse_than_pixels(judged.report, found, prepared.recipe.evaluate.monitor):
        notes.append(sentence)
    if notes:
        folder.update(notes=[*prepared.notes, *notes])
    return notes


def finish(r: UnderWay, began: float, training_seconds: float) -> None:
    """Pictures, the page, and the facts that are known only now; the status last."""
    prepared, folder = r.prepared, r.folder
    if r.pictures:
        from sandbox.reporting.page.written.still import draw_run

        split = prepared.splits.pictured(r.test)
        images, pairs, _ = prepared.splits.part(split)
        draw_run(folder, None if images.are_rows else images.pixels, split, pairs, classes=images.classes)
    steps = folder.read_log()[-1]["step"]
    before = folder.read_json("run.json").get("test_evaluations", 0)
    looks = before if type(before) is int else 0  # of a run that was given more steps once it was over
    cuda = prepared.device.type == "cuda"
    shown = (steps - r.start) * prepared.training.batches.size
    folder.update(
        steps=steps,
        seconds={
            "total": round(time.perf_counter() - began, 2),
            "training": round(training_seconds, 2),
            "saving": round(r.saves.spent, 2),
            **({"by_the_clock": round(clock.spent, 3)} if (clock := prepared.training.clock) else {}),
        },
        images_per_second=round(shown / max(training_seconds, 1e-9), 1),
        peak_memory={"resident": peak_memory(), "device": torch.cuda.max_memory_allocated() if cuda else None},
        test_evaluations=looks + int(r.test),
    )
    if r.pictures:
        from sandbox.reporting.page.found.material import pictured
        from sandbox.reporting.page.written.write import write_page

        write_page(folder, pictured(prepared.splits, prepared.splits.pictured(r.test)))
    folder.update(status="done")
    remove_checkpoints(folder, but_newest=r.keep)
