"""What all plots share: colours, markers, dashes, sizes, and how a figure becomes a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a picture is a file here, never a window

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.colors import to_rgb
from matplotlib.markers import MarkerStyle
from PIL import Image, ImageDraw

from sandbox.errors import SandboxError
from sandbox.files import whole_file
from sandbox.reporting.plots.lettering import Lettering, lettering

COLOURS = (
    *("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#882255", "#f0e442"),
    *("#4a3600", "#1212b0", "#f6c3b4", "#12d6d6"),
)
"""Eight of Okabe and Ito, made for people who confuse colours, with Tol's wine in place of black, which images are full
of; and four that are farthest from those and from each other in normal sight, deuteranopia and protanopia."""

MARKERS = "os^DvPX<*>hd"
"""Shapes: where colours are lost, in grey, these tell a dozen apart."""

_DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1, 1, 1, 1, 1)))

MOST_COLOURED = 2 * len(COLOURS)

GREY = "#b4b4b4"
INK = "#333333"

COLUMN, PAGE = 3.4, 7.0
"""Inches across a column and a page of two columns."""
ENDINGS = (".png", ".svg", ".pdf")

_QUIET = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#666666",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.fontsize": 7.5,
    "hatch.linewidth": 0.5,
    "axes.unicode_minus": False,
}
_FILES = {"svg.fonttype": "none", "svg.hashsalt": "sandbox", "pdf.fonttype": 42}  # text stays text
_UNDATED = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}  # the same file again


def class_style(place: int) -> tuple[str, str]:
    """Colour and marker of the class at a place, 0 to `MOST_COLOURED` - 1: no two have both alike.

    Of the first dozen no two have either alike.
    """
    rounds, within = divmod(place, len(COLOURS))
    return COLOURS[within], MARKERS[(within + 5 * rounds) % len(MARKERS)]


def line_style(place: int) -> dict[str, Any]:
    """Colour, marker and dashes of the line at a place, as `plot` takes them: any number, alike only far apart."""
    colour, marker = class_style(place % MOST_COLOURED)
    return {"color": colour, "marker": marker, "linestyle": _DASHES[place % len(_DASHES)]}


def draw_band(axes: Any, x: Any, low: Any, high: Any, colour: str, *, of: int = 1) -> None:
    """The interval of a line, lighter where many lines have one: their edges are then what is seen of them.

    Args:
        axes: of matplotlib.
        x: (P,) along the line.
        low: (P,) lower ends, NaN where there is none.
        high: (P,) upper ends.
        colour: of the line.
        of: lines in the axes.
    """
    axes.fill_between(x, low, high, color=colour, alpha=0.16 if of <= 3 else 0.05, linewidth=0, zorder=1)
    if of > 3:
        for end in (low, high):
            axes.plot(x, end, color=colour, alpha=0.45, linewidth=0.5, zorder=1, label="_edge")


def darker(colour: str) -> tuple[float, ...]:
    """Red, green and blue, 0 to 1, of a colour as its edge or its text has them: yellow alone is faint on white."""
    return tuple(0.75 * part for part in to_rgb(colour))


def ink(colour: str) -> tuple[float, ...]:
    """The colour as dark as text on white has to be: 4.5 times darker than it (WCAG's contrast)."""
    parts = to_rgb(colour)
    while 1.05 / (lightness(parts) + 0.05) < 4.5:
        parts = tuple(0.95 * part for part in parts)  # type: ignore[assignment]
    return parts


def lightness(parts: Sequence[float]) -> float:
    """Relative luminance, 0 to 1, of red, green and blue, 0 to 1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@cache
def badge(colour: str, marker: str, side: int) -> Image.Image:
    """A square of a class's colour with its marker in it, for the corner of an image: (side, side) pixels."""
    fine = 4 * side
    drawn = Image.new("RGB", (fine, fine), colour)
    shape = MarkerStyle(marker)
    path: Any = shape.get_path().transformed(shape.get_transform())
    reach = float(abs(path.vertices).max())
    shade = "black" if lightness(to_rgb(colour)) > 0.18 else "white"
    for polygon in path.to_polygons():
        points = [(fine * (0.5 + 0.36 * x / reach), fine * (0.5 - 0.36 * y / reach)) for x, y in polygon]
        ImageDraw.Draw(drawn).polygon(points, fill=shade)
    return drawn.resize((side, side), Image.Resampling.LANCZOS)


@contextmanager
def quiet(texts: Iterable[str]) -> Iterator[Lettering]:
    """Within it figures have the style of all pictures of several runs, and fonts for these texts."""
    known = lettering(texts)
    with sns.axes_style("ticks"), plt.rc_context(_QUIET), known.for_plots():
        yield known


def draw_legend(figure: Any, entries: Sequence[tuple[Any, str]], **more: Any) -> Any:
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
    return legend


def picture_file(place: str, flag: str = "--out") -> Path:
    """The file that a picture goes to.

    Raises:
        SandboxError: nothing is named, a folder, or a file of another kind.
    """
    path = Path(place)
    if path.suffix.lower() not in ENDINGS or path.is_dir():
        given = f"{flag} is '{place}'" if place else f"{flag} is not given"
        raise SandboxError(f"{given}, but names a picture that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    return path


def save(figure: Any, path: Path, *, dpi: int = 130) -> None:
    """Write a figure as the ending of the file says (PNG, SVG, PDF), whole or not at all, and close it.

    Raises:
        SandboxError: the place cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    try:
        with whole_file(path, make_folder=True) as part, plt.rc_context(_FILES):
            figure.savefig(part, dpi=dpi, format=kind, metadata=_UNDATED[kind])
    finally:
        plt.close(figure)
