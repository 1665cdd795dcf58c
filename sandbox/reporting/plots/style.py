"""What all plots share: colours, markers, and how a figure becomes a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

from sandbox.files import whole_file

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#882255", "#f0e442")
"""Of Okabe and Ito, made for people who confuse colours; Tol's wine in place of black, which images are full of."""

MARKERS = "os^"
"""The shape changes where the colours are used up."""

MOST_COLOURED = len(COLOURS) * len(MARKERS)

GREY = "#b4b4b4"


def class_style(place: int) -> tuple[str, str]:
    """Colour and marker of the class at a place, 0 to `MOST_COLOURED` - 1: no two have both alike."""
    return COLOURS[place % len(COLOURS)], MARKERS[place // len(COLOURS)]


def darker(colour: str) -> tuple[float, ...]:
    """Red, green and blue, 0 to 1, of a colour as its edge or its text has them: yellow alone is faint on white."""
    return tuple(0.75 * part for part in to_rgb(colour))


def draw_legend(figure: Any, entries: Sequence[tuple[Any, str]], **more: Any) -> None:
    """A legend of a figure whose labels may be any text: matplotlib leaves out those that begin with a line below.

    Args:
        figure: of matplotlib.
        entries: artists with their labels.
        more: as for `figure.legend`.
    """
    legend = figure.legend(
        [artist for artist, _ in entries], ["x"] * len(entries), frameon=False, alignment="left", **more
    )
    for text, (_, label) in zip(legend.get_texts(), entries, strict=True):
        text.set_text(label)


def save(figure: Any, path: Path, *, dpi: int = 130) -> None:
    """Write a figure as a PNG, whole or not at all, and close it.

    Raises:
        SandboxError: the place cannot be written.
    """
    try:
        with whole_file(path, make_folder=True) as part:
            figure.savefig(part, dpi=dpi, format="png")
    finally:
        plt.close(figure)
