"""Tags: what a person calls runs by, to choose them later."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from sandbox.errors import SandboxError
from sandbox.wording import shown

LONGEST = 64
"""Characters of a tag."""


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept, each once; one letter that can be written in two ways (Unicode) is one.

    Raises:
        SandboxError: one is empty, too long, or holds more than letters, digits, ``-``, ``_`` and ``.``.
    """
    kept = [unicodedata.normalize("NFC", tag) for tag in tags]
    for tag in kept:
        # Marks, as letters of many scripts have them, are letters here.
        if not tag or not all(c in "-_." or unicodedata.category(c)[0] in "LMN" for c in tag):
            raise SandboxError(f"{shown(tag)} is no tag: letters, digits, - _ and . make one")
        if len(tag) > LONGEST:
            raise SandboxError(f"the tag {shown(tag)} has {len(tag):,} characters, but has at most {LONGEST}")
    return tuple(dict.fromkeys(kept))
