"""What comes after the embedding, of what evaluate.py scores: never fitted on what is scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.errors import SandboxError
from sandbox.evaluation.after.chain import Fit, Given, after_figures
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.lint.embeddings import Finding
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled
from sandbox.scoring.inputs import Inputs, Options
from sandbox.wording import counted


def score_after(
    inputs: Inputs, pairs: Pairs | None, options: Options, *, retrieval: bool
) -> tuple[Figures, list[Finding]]:
    """The figures after the steps, and a finding on what was fitted; none where no steps are asked for.

    Args:
        inputs: what is scored.
        pairs: of it, in folds where these are asked for.
        options: how.
        retrieval: whether rows are searched for at all.

    Raises:
        SandboxError: nothing there to fit on, or steps that the data do not allow.
    """
    steps = options.after
    if not steps:
        return {}, []
    held, called = (inputs.validation, "validation") if inputs.fit is None else (inputs.fit, "--fit")
    fitted = [str(step) for step in steps if step.fitted]
    if fitted and held is None:
        raise SandboxError(
            f"{' and '.join(fitted)} of --after fits on embeddings that are in no test, and there are none: give --fit "
            "FILE.npz or --validation FILE.npz, or of a run --split test"
        )
    given = Given(
        rows=Labelled(inputs.probe.x, inputs.probe.labels),
        gallery=None if inputs.gallery is None else Labelled(inputs.gallery.x, inputs.gallery.labels),
        pairs=pairs,
        verified=None if inputs.verify is None else Labelled(inputs.verify.x, inputs.verify.labels),
        marks=inputs.marks,
        gallery_marks=inputs.gallery_marks,
    )
    fit = None if held is None or not fitted else Fit(held.x, called)
    figures = after_figures(steps, given, replace(options, retrieval=retrieval, roles=inputs.roles), fit)
    return figures, [] if fit is None or held is None else [_said(fitted, held, called, inputs)]


def _said(fitted: list[str], held: Embeddings, called: str, inputs: Inputs) -> Finding:
    classes = np.unique(held.labels)
    shared = 0 if inputs.closed else int(np.isin(classes, inputs.probe.labels).sum())
    verb = "was" if len(fitted) == 1 else "were"
    text = (
        f"{' and '.join(fitted)} {verb} fitted on {counted(len(held), 'row', 'rows')} of {called}, of "
        f"{counted(len(classes), 'class', 'classes')}"
    )
    return Finding("after-fitted", text + (f", {shared:,} of them in the test too" if shared else ""))
