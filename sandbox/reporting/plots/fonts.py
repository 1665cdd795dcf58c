"""The fonts that pictures are lettered in: matplotlib's own, and what the system has for letters that those lack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

_LIGHTER = ("bold", "black", "heavy", "light", "thin", "italic", "oblique", "mono", "serif", "condensed", "extra")
_NO_LETTERS = ("lastresort", "color", "colour", "fallback", "blank")  # boxes for every letter, or pictures of one size


@cache
def own_font(*, bold: bool = False) -> Path:
    """DejaVu Sans, which has Latin, Greek, Cyrillic, Arabic and Hebrew letters and is there wherever matplotlib is."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name


@cache
def system_fonts() -> tuple[Path, ...]:
    """Font files that are installed, plain upright ones first."""
    from matplotlib.font_manager import findSystemFonts

    files = [Path(file) for file in findSystemFonts()]
    files = [file for file in files if not any(word in file.stem.lower() for word in _NO_LETTERS)]
    return tuple(sorted(files, key=lambda file: (sum(word in file.stem.lower() for word in _LIGHTER), str(file))))


def homes(letters: Iterable[str], fonts: Sequence[Path] | None = None) -> dict[str, Path]:
    """The font that draws each of some letters, and of all that DejaVu Sans has; those that no font has are left out.

    Args:
        letters: single characters.
        fonts: files to look into beside DejaVu Sans; all that are installed without it.
    """
    wanted = frozenset(letters)
    own = own_font()
    found = dict.fromkeys(_own_letters(), own)
    if rest := wanted.difference(found):
        found |= _elsewhere(rest, system_fonts() if fonts is None else tuple(fonts))
    return found


@cache
def _own_letters() -> frozenset[str]:
    return _drawable(own_font())


@cache
def _elsewhere(letters: frozenset[str], fonts: tuple[Path, ...]) -> dict[str, Path]:
    """The font of each letter, so that few fonts are needed: the one that has most of them first."""
    having = {font: there for font in fonts if (there := _drawable(font) & letters)}
    found: dict[str, Path] = {}
    while having:
        best = max(having, key=lambda font: len(having[font]))  # of equals the first
        found |= dict.fromkeys(having.pop(best), best)
        having = {font: left for font, there in having.items() if (left := there - found.keys())}
    return found


def _drawable(font: Path) -> frozenset[str]:
    """The characters that a font has outlines of; none of a file that is damaged."""
    from matplotlib.ft2font import FT2Font

    try:
        opened = FT2Font(str(font))
        return frozenset(map(chr, opened.get_charmap())) if opened.scalable else frozenset()
    except (OSError, RuntimeError, ValueError):
        return frozenset()
