"""How many classes, or images of a class, the shares of a split come to."""

from __future__ import annotations

from sandbox.errors import SandboxError


def check_shares(validation: float, test: float) -> None:
    """Refuse shares that are not shares or leave nothing to train on.

    Raises:
        SandboxError: a share outside 0 to 1, or two that leave nothing.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise SandboxError(
            f"data.validation={validation} and data.test={test} must lie between 0 and 1 and leave a share to train on"
        )


def class_counts(count: int, validation: float, test: float, what: str, least_train: int) -> tuple[int, int]:
    """How many of `count` classes go to val and test: at least two each where that leaves two, else at least one.

    Args:
        count: classes (or groups of classes, which make do with one each).
        validation: share, 0 to 1.
        test: share, 0 to 1.
        what: what is counted, for the error.
        least_train: how many must be left to train on.

    Raises:
        SandboxError: too few to give every split its own.
    """
    least = 2 if count >= 4 + least_train and least_train == 2 else 1
    val_count = max(least, _rounded(count * validation)) if validation > 0 else 0
    test_count = max(least, _rounded(count * test)) if test > 0 else 0
    while count - val_count - test_count < least_train and max(val_count, test_count) > 1:
        val_count, test_count = (val_count - 1, test_count) if val_count > test_count else (val_count, test_count - 1)
    if count - val_count - test_count < least_train:
        needed = least_train + (validation > 0) + (test > 0)
        raise SandboxError(
            f"{count} {what} are too few to keep some unseen for validation and test; {needed} are needed"
        )
    return val_count, test_count


def sample_counts(count: int, validation: float, test: float) -> tuple[int, int]:
    """How many of a class's images go to val and test; at least one stays in training."""
    if count < 3:
        return 0, 0
    val_count = max(int(validation > 0), _rounded(count * validation))
    # Rounding the sum, not each share, keeps small classes from losing more than asked to evaluation.
    test_count = max(int(test > 0), _rounded(count * (validation + test)) - val_count)
    while val_count + test_count >= count:
        val_count, test_count = (val_count - 1, test_count) if val_count > test_count else (val_count, test_count - 1)
    return val_count, test_count


def _rounded(value: float) -> int:
    return int(value + 0.5)
