"""Names of people, classes and files: which spellings are one name, and what there is to say of that."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from sandbox.wording import counted

_SHOWN = 3


def same_name(text: str) -> str:
    """The spelling that all spellings of one name come to: composed characters (Unicode's NFC), no blanks at its ends.

    Keyboards and file systems differ in whether an accent is a character of its own; nobody sees the difference. Upper
    and lower case, wide characters, and blanks inside a name stay as they are: these can be seen.
    """
    return unicodedata.normalize("NFC", text).strip()


def same_path(path: str) -> str:
    """The same of every part of a path; for comparing alone, since a file opens by its own spelling only."""
    return path if path.isascii() and " " not in path else "/".join(map(same_name, path.split("/")))


def joined_notes(spellings: Iterable[str]) -> list[str]:
    """A sentence on the names that are spelt in several ways and taken for one; none where there are no such names.

    The spellings are shown in ASCII: as they are, they look the same.
    """
    ways: dict[str, list[str]] = {}
    for spelling in sorted(set(spellings)):
        ways.setdefault(same_name(spelling), []).append(spelling)
    joined = [" = ".join(map(ascii, names)) for names in ways.values() if len(names) > 1]
    if not joined:
        return []
    names = counted(len(joined), "name is", "names are each")
    more = f" and {len(joined) - _SHOWN:,} more" if len(joined) > _SHOWN else ""
    return [f"{names} spelt in several ways and taken for one: {', '.join(joined[:_SHOWN])}{more}"]


def met_note(met: Sequence[tuple[str, str]], others: str) -> str:
    """A sentence on images that a list names in another spelling than their own; the first is shown in ASCII.

    Args:
        met: how the list spells each image, and how it is spelt.
        others: where it is spelt so.
    """
    first, there = met[0]
    return (
        f"the list names {counted(len(met), 'image', 'images')} in another spelling than {others} (accents as "
        f"characters of their own, or blanks at the ends), the first {first!a} = {there!a}"
    )
