"""What a person calls a figure, and the report key that it is."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.errors import SandboxError, near
from sandbox.evaluation.figures import printed_name

_SPLITS = {"test": "test", "val": "val", "validation": "val"}


def figure_key(text: str, known: Iterable[str]) -> str:
    """The key of a figure, ``test/retrieval/map@r``, for any of the names that it goes by.

    Args:
        text: ``MAP@R``, ``map@r``, ``retrieval/map@r`` or ``test/retrieval/map@r``; ``val/`` or ``validation/`` in
            front names validation's, without it the figure is test's. Capitals do not count.
        known: the keys that there are, each with its split.

    Raises:
        SandboxError: there is no such figure; the nearest is named.
    """
    keys = list(dict.fromkeys(known))
    head, _, rest = text.strip().partition("/")
    split, wanted = (_SPLITS[head.lower()], rest) if head.lower() in _SPLITS and rest else ("test", text.strip())
    names: dict[str, str] = {}
    for key in keys:
        if key.startswith(f"{split}/"):
            plain = key.partition("/")[2]
            for name in (plain, plain.rpartition("/")[2], printed_name(plain)):
                names.setdefault(name.lower(), key)
    found = names.get(wanted.lower())
    if found is None:
        close = near(wanted.lower(), names)
        where = "validation" if split == "val" else split
        listed = ", ".join(dict.fromkeys(printed_name(key.partition("/")[2]) for key in names.values())) or "none"
        raise SandboxError(f"no run has the figure '{text}' on {where}{close or f'; there are {listed}'}")
    return found
