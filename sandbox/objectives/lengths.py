"""The lengths at which an objective wants its embeddings to be good: their first 64 numbers, their first 128, all."""

from __future__ import annotations

from sandbox.errors import SandboxError
from sandbox.objectives.expression import Bound, Expression


def lengths(expression: Expression) -> tuple[int, ...]:
    """Every length that a wrapper trains, ascending; nothing where no term is one."""
    return tuple(sorted({length for term in expression.terms for length in _of(term.loss)}))


def check_lengths(expression: Expression, dim: int) -> None:
    """Refuse lengths that an embedding does not have, and an embedding of which no term reads the end.

    Args:
        expression: the objective.
        dim: length of an embedding.

    Raises:
        SandboxError: names both lengths and what to set.
    """
    for term in expression.terms:
        longest = max(_of(term.loss), default=0)
        if longest > dim:
            raise SandboxError(
                f"{term.loss} reads the first {longest} numbers of an embedding that has {dim}: set "
                f"backbone.embedding_dim to {longest}, or leave lengths above {dim} out of dims"
            )
    asked = lengths(expression)
    if asked and asked[-1] < dim and all(_of(term.loss) for term in expression.terms):
        raise SandboxError(
            f"{expression} reads no more than the first {asked[-1]} of the embedding's {dim} numbers, so that the rest "
            f"would stay as they began: add {dim} to dims, or set backbone.embedding_dim to {asked[-1]}"
        )


def _of(loss: Bound) -> tuple[int, ...]:
    return tuple(loss.values["dims"]) if loss.wraps else ()
