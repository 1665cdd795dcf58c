"""The column that figures of a run are given by."""

from __future__ import annotations

from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError, near
from sandbox.evaluation.verification.by_value import Groups, check_groups, left_out
from sandbox.wording import printable


def groups_of(images: ImageSet, name: str) -> Groups | None:
    """The column of that name; None where none is asked for, or these images lack it."""
    return Groups(name, images.columns[name]) if name and name in images.columns else None


def check_by(name: str, splits: Splits) -> list[str]:
    """Sentences on what figures by a column leave out of test.

    Raises:
        SandboxError: test has no such column, which has too many values or none, or is verified on images apart.
    """
    if not name:
        return []
    known = sorted(splits.test.columns)
    if name not in known:
        there = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if known else "there are none"
        raise SandboxError(
            f"evaluate.by is '{printable(name)}', but the images have no such column{near(name, known)}; {there}"
        )
    if splits.test_verify is not None:
        raise SandboxError(f"evaluate.by is '{name}', but verification here is of other images than those of test")
    groups = Groups(name, splits.test.columns[name])
    check_groups(groups, "evaluate.by")
    return left_out(groups, splits.test.labels, splits.test_pairs)
