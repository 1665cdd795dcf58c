"""`data.rotations` and what goes with it."""

from __future__ import annotations

from sandbox.errors import SandboxError


def check_rotations(rotations: int, rotate: float) -> None:
    """Refuse a number of rotated copies that there is not, and augmentation that turns one class into another.

    Args:
        rotations: ``data.rotations``.
        rotate: ``augment.rotate``, degrees.

    Raises:
        SandboxError: says which, and what it may be.
    """
    if rotations not in (1, 2, 4):
        raise SandboxError(f"data.rotations is {rotations}, but takes 1 (none), 2 (by 180 degrees) or 4 (by 90 each)")
    most = 180 / rotations
    if rotate > most:
        raise SandboxError(
            f"augment.rotate is {rotate:g}, but with data.rotations {rotations} is at most {most:g} degrees: an image "
            "that is turned further looks like one of the turned copy of its class"
        )
