"""What comes after the embedding in a run: its figures beside the plain ones.

Steps are fitted on the validation embeddings, which choose the checkpoint as well; so what is fitted has figures on
test alone, and only the order of a gallery changes on validation too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.errors import SandboxError
from sandbox.evaluation.after.chain import Fit, Given, after_figures
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.report import Labelled
from sandbox.pipeline.judging.evaluate import Judgement, options_of
from sandbox.recipe.after import Step, parse_steps
from sandbox.recipe.specs import EvaluateSpec
from sandbox.runs.embeddings import KeptSet
from sandbox.wording import counted


def add_after(judged: Judgement, spec: EvaluateSpec) -> dict[str, Any]:
    """Add the figures after the steps to the report of each split that has some.

    Returns:
        What run.json says of it: the steps, what was fitted on which rows, and a sentence on each split that has no
        such figures; nothing where no steps are asked for.
    """
    steps = parse_steps(spec.after)
    if not steps:
        return {}
    fitted, held = [str(step) for step in steps if step.fitted], judged.kept.get("val")
    facts: dict[str, Any] = {"steps": " + ".join(map(str, steps))}
    if fitted and held is not None:
        classes = len(set(held.labels.tolist()))
        facts["fitted"] = {"steps": fitted, "split": "val", "rows": len(held.labels), "classes": classes}
    notes = []
    for name in judged.report:
        if fitted and name == "val" and held is not None:
            rows = counted(len(held.labels), "embedding", "embeddings")
            notes.append(f"{' and '.join(fitted)} fitted on the {rows} of validation: figures after it are of test")
            continue
        try:
            judged.report[name] |= _figures(steps, judged.kept, name, spec, judged.report.get("val"))
        except SandboxError as error:
            where = "validation" if name == "val" else name
            notes.append(f"figures of {where} after {facts['steps']} were left out: {error}")
    judged.notes.extend(notes)
    return facts | ({"notes": notes} if notes else {})


def _figures(
    steps: tuple[Step, ...], kept: Mapping[str, KeptSet], name: str, spec: EvaluateSpec, validation: Figures | None
) -> Figures:
    if name not in kept:
        raise SandboxError("it holds one-shot trials alone")
    own, apart, held = kept[name], kept.get(f"{name}/verify"), kept.get("val")
    given = Given(
        rows=Labelled(own.x, own.labels),
        pairs=own.pairs if apart is None else apart.pairs,
        verified=None if apart is None else Labelled(apart.x, apart.labels),
    )
    options = replace(options_of(name, spec, validation), roles=own.roles)
    return after_figures(steps, given, options, None if held is None else Fit(held.x))
