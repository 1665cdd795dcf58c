"""What is asked of an objective before any data is read, and what is said of it."""

from __future__ import annotations

import torch

from sandbox.errors import SandboxError
from sandbox.objectives.expression import Expression
from sandbox.objectives.free_rows import own_draws
from sandbox.objectives.learnable import fault, faulty_terms, meaning, nearest
from sandbox.objectives.lengths import lengths
from sandbox.objectives.margins import check_margins, margin_notes
from sandbox.objectives.objective import build, check_batch, why


def rehearse(expression: Expression, *, classes: int, samples: int, dim: int = 16) -> None:
    """Try an objective on random embeddings, so that what cannot work is refused before any data is read.

    Two steps on a batch of the shape that is asked for must go through; on free rows the objective must have a
    gradient that pulls classes apart (`sandbox.objectives.learnable`). The random state is left as it was.

    Args:
        expression: the objective.
        classes: classes in the rehearsed batch (P), at least 2.
        samples: images of each (K).
        dim: embedding length of the rehearsal.

    Raises:
        SandboxError: a margin is none, the objective fails or gives no finite number on such a batch, or it cannot
            learn; says why, and what is near and can.
    """
    check_margins(expression)
    check_batch(expression, classes * samples)
    with own_draws():
        _two_steps(expression, classes, samples, max(lengths(expression), default=dim))
    _check_learns(expression)


def notes_on(expression: Expression) -> list[str]:
    """What a person should know of an objective that is not refused."""
    notes = margin_notes(expression)
    entries = [term.loss.core.entry for term in expression.terms]
    if all(entry.note.alone for entry in entries):
        needs = "add a loss that separates classes, such as triplet"
        notes += [f"{entry.name} {entry.note.alone}; {needs}" for entry in entries]
    notes += [f"the term {term.loss} {wrong.said} if it stands alone" for term, wrong in faulty_terms(expression)]
    return notes


def _two_steps(expression: Expression, classes: int, samples: int, dim: int) -> None:
    objective = build(expression, classes=classes, dim=dim)
    labels = torch.arange(classes).repeat_interleave(samples)
    try:
        for _ in range(2):
            embeddings = torch.randn(len(labels), dim, requires_grad=True)
            total = objective(embeddings, labels).total
            if not bool(total.isfinite()):
                raise SandboxError(f"{expression} gives no finite number on random embeddings; mend its values")
            if total.requires_grad:
                total.backward()
    except Exception as error:
        if isinstance(error, SandboxError):
            raise
        shape = f"a batch of {classes} classes x {samples}"
        raise SandboxError(f"{expression} cannot train on {shape}: {why(error)}") from None


def _check_learns(expression: Expression) -> None:
    wrong, subject = fault(str(expression)), str(expression)
    if not wrong:  # a term that does nothing is a mistake beside others as well
        still = [(term, found) for term, found in faulty_terms(expression) if found.kind == "no gradient"]
        if not still:
            return
        subject, wrong = f"the term {still[0][0].loss}", still[0][1]
    near = nearest(expression)
    raise SandboxError(f"{subject} {wrong.said}{meaning(expression)}{near and f'; {near} does learn'}")
