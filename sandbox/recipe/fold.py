"""`data.val_fold` and `data.test_fold` as they are written: 2/4 is the second of four folds."""

from __future__ import annotations

import re

from sandbox.errors import SandboxError
from sandbox.wording import printable

_FOLD = re.compile(r"([0-9]{1,18})/([0-9]{1,18})", re.ASCII)


def parse_fold(text: str, setting: str = "data.val_fold") -> tuple[int, int] | None:
    """Which fold, counted from 1, of how many; None for the empty text, which asks for none.

    Args:
        text: as it is written.
        setting: that it is of, for the error.

    Raises:
        SandboxError: it is no such text, names a fold that is not there, or fewer than two folds.
    """
    if not text:
        return None
    given = f"{setting} is '{printable(text[:40])}'"
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


def check_folds(val: str, test: str) -> None:
    """Refuse `data.val_fold` and `data.test_fold` that are none, or do not go together.

    Raises:
        SandboxError: says which, and what it may be.
    """
    validated, tested = parse_fold(val), parse_fold(test, "data.test_fold")
    if tested is None:
        return
    given = f"data.test_fold is '{test}'"
    if validated is None:
        raise SandboxError(f"{given}, but needs data.val_fold beside it, another one of the same {tested[1]:,} folds")
    if validated[1] != tested[1]:
        raise SandboxError(f"{given} and data.val_fold '{val}', but both are of one number of folds")
    if validated == tested:
        raise SandboxError(f"{given} and so is data.val_fold, but what chooses the weights cannot judge them as well")
    if tested[1] < 3:
        raise SandboxError(
            f"{given}, but with data.val_fold there are at least three folds, or nothing is left to train on"
        )
