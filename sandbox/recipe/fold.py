"""`data.val_fold` as it is written: 2/4 is the second of four folds."""

from __future__ import annotations

import re

from sandbox.errors import SandboxError
from sandbox.wording import printable

_FOLD = re.compile(r"([0-9]{1,18})/([0-9]{1,18})", re.ASCII)


def parse_fold(text: str) -> tuple[int, int] | None:
    """Which fold, counted from 1, of how many; None for the empty text, which asks for none.

    Raises:
        SandboxError: it is no such text, names a fold that is not there, or fewer than two folds.
    """
    if not text:
        return None
    given = f"data.val_fold is '{printable(text[:40])}'"
    found = _FOLD.fullmatch(text)
    if found is None:
        raise SandboxError(f"{given}, but names a fold and how many there are, such as 1/4 for the first of four")
    fold, folds = int(found[1]), int(found[2])
    if text != f"{fold}/{folds}":  # one fold has one spelling, so that one recipe has one name
        raise SandboxError(f"{given}, but is written without zeros in front; did you mean {fold}/{folds}?")
    if folds < 2:
        raise SandboxError(f"{given}, but there are at least two folds, or nothing is left to train on")
    if not 1 <= fold <= folds:
        raise SandboxError(f"{given}, but of {folds:,} folds the first is 1/{folds} and the last {folds}/{folds}")
    return fold, folds
