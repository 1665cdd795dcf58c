"""Counts and lists of names as they stand in notes and errors."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, one: str, many: str) -> str:
    """'1 class' or '2,000 classes'."""
    return f"{count:,} {one if count == 1 else many}"


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first few names, fit to print, and how many more there are."""
    shown = ", ".join(name.encode("utf-8", "replace").decode() for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")
