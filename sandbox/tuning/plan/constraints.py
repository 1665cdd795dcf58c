"""What a trial must keep to, such as ``images_per_second >= 500``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.errors import SandboxError, near

OF_A_RUN = ("images_per_second", "memory", "parameters", "seconds", "effective_rank", "mean_cosine")
"""What a run says of itself beside its figures: memory in GB; the last two tell of collapse."""
_FORM = re.compile(r"\s*([^\s<>]+?)\s*(<=|>=|<|>)\s*(\S+)\s*")  # a key may hold =, as in far=1e-3


@dataclass(frozen=True)
class Constraint:
    """A figure or fact, and the end that it must not pass."""

    key: str
    most: bool
    """Whether the end is the most that is allowed; else it is the least."""
    end: float

    def __str__(self) -> str:
        return f"{self.key} {'<=' if self.most else '>='} {self.end:g}"

    def broken_by(self, known: Mapping[str, float]) -> float:
        """By how much it is broken; at 0 and below it is met.

        Raises:
            SandboxError: nothing of that name is known.
        """
        if self.key not in known:
            raise SandboxError(f"the constraint '{self}' cannot be judged: the trial has no {self.key}")
        value = known[self.key]
        if math.isnan(value):
            return math.inf
        return value - self.end if self.most else self.end - value


def read_constraint(text: str, keys: Sequence[str]) -> Constraint:
    """A constraint as a person writes it.

    Args:
        text: KEY <= NUMBER, or KEY >= NUMBER.
        keys: report keys of validation.

    Raises:
        SandboxError: it is no such sentence, or the key is none.
    """
    match = _FORM.fullmatch(text)
    if not match:
        raise SandboxError(f"--constraint '{text}' is none: write KEY <= NUMBER or KEY >= NUMBER, in quotes")
    key, sign, number = match.groups()
    allowed = [*OF_A_RUN, *keys]
    if key not in allowed:
        raise SandboxError(
            f"--constraint '{text}': there is no {key}{near(key, allowed)}; there are {', '.join(allowed)}"
        )
    try:
        end = float(number)
    except ValueError:
        end = math.nan
    if not math.isfinite(end):
        raise SandboxError(f"--constraint '{text}': {number} is no number")
    return Constraint(key, "<" in sign, end)
