"""Names of any script on pictures: in fonts that have their letters, or as ASCII where this machine has none.

Text from right to left is drawn as it stands in the name; Pillow and matplotlib turn and join it where they can.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

from sandbox.reporting.plots.fonts import homes, own_font
from sandbox.wording import counted

_SPOKEN = ("HANGUL SYLLABLE ", "HIRAGANA LETTER ", "KATAKANA LETTER ")  # Unicode calls these by how they sound
_BARE, _SYLLABLE, _NUMBER = range(3)


@dataclass(frozen=True)
class Lettering:
    """The font of each letter of some texts; a letter that is not there has none."""

    homes: Mapping[str, Path] = field(repr=False)

    def written(self, text: str) -> str:
        """A text as Pillow draws it: on one line, without characters that cannot be seen, as ASCII if it must be."""
        text = one_line(text)
        return text if all(letter in self.homes for letter in text) else as_ascii(text)

    def plotted(self, text: str) -> str:
        """A text as matplotlib draws it, which takes what stands between dollars for a formula."""
        return self.written(text).replace("$", r"\$")

    @contextmanager
    def for_plots(self) -> Iterator[None]:
        """Within it, matplotlib has the fonts of these texts beside its own."""
        if not (others := sorted(set(self.homes.values()) - {own_font()})):
            yield
            return
        import matplotlib as mpl

        families = [*mpl.rcParams["font.family"], "DejaVu Sans", *map(_family, others)]
        log = logging.getLogger("matplotlib.font_manager")
        before = log.level
        log.setLevel(logging.ERROR)  # about fonts that have no bold cut
        try:
            with mpl.rc_context({"font.family": families}):
                yield
        finally:
            log.setLevel(before)

    def letters(self, size: int, *, bold: bool = False) -> Letters:
        """These fonts for Pillow.

        Args:
            size: pixels.
            bold: the heavy cut, where DejaVu Sans draws a letter.
        """
        return Letters(self, size, bold)


@dataclass(frozen=True)
class Letters:
    """Fonts of one size to draw texts in with Pillow, each letter in the font that has it."""

    lettering: Lettering
    size: int
    """Pixels."""
    bold: bool = False

    @property
    def height(self) -> int:
        """Pixels from one line to the next."""
        return sum(self._own.getmetrics())

    def length(self, text: str) -> float:
        """Width of a text that `Lettering.written` gave, pixels."""
        return sum(font.getlength(run) for font, run in self._runs(text))

    def draw(self, pen: ImageDraw.ImageDraw, place: tuple[float, float], text: str, fill: str, anchor: str) -> None:
        """Draw a text that `Lettering.written` gave, at a place that an anchor of Pillow (la, ma, rm) names."""
        runs = list(self._runs(text))
        if len(runs) < 2 and all(font is self._own for font, _ in runs):
            pen.text(place, text, fill=fill, font=self._own, anchor=anchor)
            return
        ascent, descent = self._own.getmetrics()
        across = place[0] - self.length(text) * {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]]
        down = place[1] + (ascent if anchor[1] == "a" else (ascent - descent) / 2)
        for font, run in runs:
            pen.text((across, down), run, fill=fill, font=font, anchor="ls")
            across += font.getlength(run)

    def wrapped(self, text: str, width: float) -> list[str]:
        """A text that `Lettering.written` gave in one line or two, parted between words, cut where that is not enough.

        Args:
            text: any.
            width: of a line at most, pixels.
        """
        words = text.split(" ")
        fitting = [n for n in range(1, len(words) + 1) if self.length(" ".join(words[:n])) <= width]
        first = fitting[-1] if fitting else len(words)
        lines = [" ".join(words[:first]), " ".join(words[first:])]
        return [self.cut(line, width) for line in lines if line]

    def cut(self, text: str, width: float) -> str:
        """The text, its beginning left out where it is too long: names that are long differ at their ends."""
        if self.length(text) <= width:
            return text
        return next((f"…{text[n:]}" for n in range(len(text)) if self.length(f"…{text[n:]}") <= width), "…")

    @property
    def _own(self) -> ImageFont.FreeTypeFont:
        return _opened(own_font(bold=self.bold), self.size)

    def _runs(self, text: str) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
        """Stretches of a text with the font that draws each."""
        own = own_font()
        for home, letters in groupby(text, lambda letter: self.lettering.homes.get(letter, own)):
            yield self._own if home == own else _opened(home, self.size), "".join(letters)


def lettering(texts: Iterable[str], fonts: Sequence[Path] | None = None) -> Lettering:
    """The fonts that some texts are written in.

    Args:
        texts: all that a picture will show of names.
        fonts: font files to look into beside DejaVu Sans; all that are installed without it.
    """
    return Lettering(homes({letter for text in texts for letter in one_line(text)}, fonts))


def not_written(texts: Iterable[str], fonts: Sequence[Path] | None = None) -> list[str]:
    """A note on the texts that pictures show as ASCII, if there are any.

    Args:
        texts: names.
        fonts: see `lettering`.
    """
    texts = list(dict.fromkeys(map(one_line, texts)))
    known = lettering(texts, fonts)
    other = [text for text in texts if known.written(text) != text]
    if not other:
        return []
    return [
        f"{counted(len(other), 'name is', 'names are')} written as ASCII, as no font of this machine has the letters, "
        f"the first '{other[0][:80]}' as '{known.written(other[0])[:80]}'; install one that has, such as Noto's "
        "(Debian: fonts-noto, fonts-noto-cjk)"
    ]


def one_line(text: str) -> str:
    """A text without characters that cannot be seen: blanks of any kind become spaces, controls question marks."""
    text = text.encode("utf-8", "replace").decode()
    kept = (letter for letter in text if unicodedata.category(letter) != "Cf")
    return "".join(" " if c.isspace() else "?" if unicodedata.category(c) == "Cc" else c for c in kept)


def as_ascii(text: str) -> str:
    """A text in ASCII that a person can still tell: accents go, syllables are spelt, other letters numbered.

    >>> as_ascii("김철수"), as_ascii("王 Jos\u00e9")
    ('gim-ceol-su', 'U+738B Jose')
    """
    said, before = "", _BARE
    for letter in unicodedata.normalize("NFC", text):
        kind, word = _plain(letter)
        if said and said[-1].isalnum() and word[:1].isalnum() and (kind, before) != (_BARE, _BARE):
            said += "-" if kind == before == _SYLLABLE else " "
        said, before = said + word, kind
    return said


def _plain(letter: str) -> tuple[int, str]:
    """What stands for a letter in ASCII, and of what kind that is."""
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if bare:
        return _BARE, bare
    name = unicodedata.name(letter, "")
    if name.startswith(_SPOKEN):
        return _SYLLABLE, name.split()[-1].lower()
    return _NUMBER, f"U+{ord(letter):04X}"


@cache
def _opened(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), size)


@cache
def _family(file: Path) -> str:
    """A name by which matplotlib finds this one file: other cuts of its family may lack the letters."""
    from matplotlib.font_manager import fontManager, ttfFontProperty
    from matplotlib.ft2font import FT2Font

    name = f"file:{file}"
    fontManager.ttflist.append(replace(ttfFontProperty(FT2Font(str(file))), name=name))
    return name
