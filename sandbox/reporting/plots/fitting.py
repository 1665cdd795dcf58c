"""Texts that fit: wrapped between words, or shortened in the middle, by the width that they are drawn in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.reporting.plots.style import draw_legend

Fits = Callable[[str], bool]
_POINTS = 72
_NARROWEST = 0.2  # of the size, narrower than any letter that is seen


class Ruler:
    """Measures texts as a figure draws them."""

    def __init__(self, figure: Any):
        self._text = figure.text(0, 0, "", alpha=0)
        self._text.set_in_layout(False)
        self._renderer, self._dpi = figure.canvas.get_renderer(), figure.dpi

    def inches(self, text: str, size: float, weight: str = "normal") -> float:
        """Width of a text that `Lettering.plotted` gave, at a size in points."""
        self._text.set(text=text, fontsize=size, fontweight=weight)
        wide = self._text.get_window_extent(self._renderer).width / self._dpi
        self._text.set_text("")
        return float(wide)

    def fits(self, size: float, width: float, weight: str = "normal") -> Fits:
        """Whether a text of a size (points) is at most so wide (inches)."""
        most = width * _POINTS / (_NARROWEST * size)  # letters, however narrow: long texts are slow to measure
        return lambda text: len(text) <= most and self.inches(text.replace("$", r"\$"), size, weight) <= width


def shortened(text: str, fits: Fits) -> str:
    """The text, its middle left out where it does not fit: names differ at either end.

    >>> shortened("CYRILLIC CAPITAL LETTER NJE", lambda text: len(text) <= 12)
    'CYRILL…R NJE'
    """
    if fits(text):
        return text
    low, high = 0, len(text) - 1  # characters that are kept; more never fit where fewer do not
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(_without_middle(text, middle)) else (low, middle - 1)
    return _without_middle(text, low)


def _without_middle(text: str, kept: int) -> str:
    head = (kept + 1) // 2
    return f"{text[:head]}…{text[len(text) - (kept - head) :]}"


def wrapped(text: str, fits: Fits, most: int = 2) -> list[str]:
    """The text in at most so many lines, parted between words; a line that is still too long is shortened."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
        elif len(lines) == most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [shortened(line, fits) for line in lines]


def title_above(figure: Any, title: str, *, size: float = 9, most: int = 3) -> int:
    """Put a title over a figure, at its left, in lines that fit; returns how many there are."""
    ruler = Ruler(figure)
    lines = wrapped(title, ruler.fits(size, figure.get_figwidth() - 0.2), most)
    text = "\n".join(lines).replace("$", r"\$")
    figure.suptitle(text, x=0.1 / figure.get_figwidth(), ha="left", fontsize=size)
    return len(lines)


def legend_below(figure: Any, entries: Sequence[tuple[Any, str]], *, size: float = 7.5) -> float:
    """Put a legend under a figure, in as many columns as its labels leave; returns the inches that it takes.

    Args:
        figure: in constrained layout, of its final width.
        entries: artists with their labels, as `Lettering.written` gave them.
        size: points.
    """
    if not entries:
        return 0.0
    ruler, handle, width = Ruler(figure), 0.5, figure.get_figwidth() - 0.15
    fits = ruler.fits(size, width - handle)
    labels = [wrapped(label, fits, 2) for _, label in entries]
    widest = max(ruler.inches(line.replace("$", r"\$"), size) for lines in labels for line in lines)
    columns = max(1, min(4, len(entries), int(width // (widest + handle + 0.15))))
    shown = [(artist, "\n".join(lines).replace("$", r"\$")) for (artist, _), lines in zip(entries, labels, strict=True)]
    draw_legend(
        figure, shown, loc="outside lower left", ncols=columns, fontsize=size, handlelength=2.6,
        columnspacing=1.2, borderaxespad=0.2, labelspacing=0.35,
    )  # fmt: skip
    rows = [shown[column * -(-len(shown) // columns) :][: -(-len(shown) // columns)] for column in range(columns)]
    tallest = max(sum(label.count("\n") + 1 for _, label in column) for column in rows)
    return (1.32 * size * tallest + 8) / _POINTS
