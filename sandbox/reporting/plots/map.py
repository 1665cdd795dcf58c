"""A map of embeddings: every image drawn where t-SNE put it, in a frame of its class's colour, as a PNG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from PIL import Image, ImageDraw, ImageOps

from sandbox.reporting.plots.fitting import shortened
from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.map_layout import Chosen, choose, free_spot, move_apart, take, tsne
from sandbox.reporting.plots.style import GREY, badge, class_style, darker, draw_legend, ink, save
from sandbox.wording import counted

_SIDE, _DPI = 1500, 150  # width of the map itself, pixels, and pixels an inch
_MARGIN, _HEADER, _FLATTEST, _ABOVE = 40, 110, 500, 40  # pixels; the last for names above and below
_FILLED = 0.42  # of the map by images, before they are moved apart
_LARGEST = 0.075  # side of an image, as a share of the map's
_POINT = 0.01  # of a point, the same
_NAME, _LONGEST = 26, 40  # characters on the map and beside it


def draw_map(
    x: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    path: Path,
    *,
    name: str,
    image: Callable[[int], Image.Image | None] | None = None,
    images: int = 500,
    coloured: int = 12,
    seed: int = 0,
) -> str:
    """Draw embeddings as a PNG.

    Args:
        x: (N, D) float32.
        labels: (N,) int64, numbers into `classes`.
        classes: the name of each.
        path: ends in .png; its folder is made.
        name: what they are embeddings of.
        image: the image of a row, or None where it has none; points only without it.
        images: shown at most.
        coloured: classes in colour at most; the others are grey.
        seed: draws images, and the map.

    Returns:
        What the picture shows, in a sentence.

    Raises:
        SandboxError: as `choose` and `tsne`, or the file cannot be written.
    """
    chosen = choose(labels, images=images, classes=coloured, seed=seed)
    places, perplexity = tsne(x[chosen.rows], seed)
    shown = labels[chosen.rows]
    styles = [chosen.coloured.index(label) if label in chosen.coloured else None for label in shown.tolist()]
    pictures = [None if image is None else image(int(row)) for row in chosen.rows]
    bare = np.array([picture is None for picture in pictures])
    side = _POINT if bare.all() else min(_LARGEST, float(np.sqrt(_FILLED / len(places))))
    places, side, down = _to_pixels(places if bare.all() else move_apart(places, side), side)
    caption = _caption(labels, chosen, perplexity)
    known = lettering([name, *(classes[label] for label in chosen.coloured)])
    names = [known.written(classes[label]) for label in chosen.coloured]
    width = (
        _SIDE + _MARGIN + 80 + 13 * max(16, *(_width(_short(each, _LONGEST)) + 6 for each in names))
    )  # the legend's own on the right
    height = down + _HEADER + _MARGIN
    with sns.axes_style("white"), known.for_plots():
        figure = plt.figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        axes = figure.add_axes((_MARGIN / width, _MARGIN / height, _SIDE / width, down / height))
        # One unit is one pixel of the file, so that images are shown as they are scaled here and no second time.
        axes.set(xlim=(0, _SIDE), ylim=(down, 0), xticks=[], yticks=[])
        for edge in axes.spines.values():
            edge.set_color("#cccccc")
        if not bare.all():
            canvas = _canvas(down, places, side, styles, pictures)
            axes.imshow(canvas, extent=(0, _SIDE, down, 0), interpolation="none")
        _draw_points(axes, places[bare], [style for style, alone in zip(styles, bare, strict=True) if alone])
        _draw_legend(figure, names, styles, ((_MARGIN + _SIDE + 20) / width, (_MARGIN + down) / height))
        _draw_names(figure, axes, _taken(places, side, down), places, side, styles, names)
        figure.text(
            _MARGIN / width,
            1 - 34 / height,
            _plain(known.written(name), 90),
            fontsize=13,
            fontweight="bold",
            va="center",
        )
        figure.text(_MARGIN / width, 1 - 78 / height, caption, fontsize=10, va="center", color="#444444")
        save(figure, path, dpi=_DPI)
    return caption


def _caption(labels: np.ndarray, chosen: Chosen, perplexity: float) -> str:
    there = np.count_nonzero(np.bincount(labels))
    some = f"{len(chosen.rows):,} of " if len(chosen.rows) < len(labels) else ""
    kinds = f"the {len(chosen.coloured)} most frequent of {there:,} classes in colour, others grey"
    kinds = kinds if len(chosen.coloured) < there else f"all {there} classes in colour"
    return f"t-SNE of {some}{counted(len(labels), 'image', 'images')}, perplexity {perplexity:.3g}; {kinds}"


def _to_pixels(places: np.ndarray, side: float) -> tuple[np.ndarray, float, int]:
    """Middles and side of images in pixels of a map as wide as they need, and its height; a flat map gets room."""
    low, high = places.min(0) - 0.7 * side, places.max(0) + 0.7 * side
    span = high - low
    scale = _SIDE / float(span.max())
    down = max(_FLATTEST, round(float(span[1]) * scale) + 2 * _ABOVE)
    middle = np.array([_SIDE, down]) / 2
    return middle + (places - (low + high) / 2) * scale, side * scale, down


def _canvas(
    height: int,
    places: np.ndarray,
    side: float,
    styles: Sequence[int | None],
    pictures: Sequence[Image.Image | None],
) -> Image.Image:
    """The images in their frames, on white."""
    canvas = Image.new("RGB", (_SIDE, height), "white")
    pen = ImageDraw.Draw(canvas)
    whole = max(6, int(side) - 1)
    frame = max(2, round(whole / 14))
    for (across, down), place, picture in zip(places, styles, pictures, strict=True):
        if picture is None:
            continue
        left, top = round(across - whole / 2), round(down - whole / 2)
        colour = GREY if place is None else class_style(place)[0]
        width = max(1, frame // 2) if place is None else frame
        pen.rectangle((left, top, left + whole - 1, top + whole - 1), fill=colour)
        inside = whole - 2 * width
        small = ImageOps.fit(picture.convert("RGB"), (inside, inside), Image.Resampling.LANCZOS)
        canvas.paste(small, (left + width, top + width))
        if place is not None:
            canvas.paste(badge(*class_style(place), max(10, round(0.28 * whole))), (left, top))
    return canvas


def _draw_points(axes: Any, places: np.ndarray, styles: Sequence[int | None]) -> None:
    for style in sorted(set(styles), key=lambda place: -1 if place is None else place):  # grey below the others
        colour, marker = (GREY, "o") if style is None else class_style(style)
        ours = np.array([place == style for place in styles])
        size = 18 if style is None else 36
        axes.scatter(
            *places[ours].T, s=size, c=colour, marker=marker, edgecolors=[darker(colour)], linewidths=0.5, zorder=2
        )


def _draw_legend(figure: Any, names: Sequence[str], styles: Sequence[int | None], corner: tuple[float, float]) -> None:
    entries = [
        (class_style(place), f"{_plain(name, _LONGEST)} ({styles.count(place)})") for place, name in enumerate(names)
    ]
    entries += [((GREY, "o"), f"others ({styles.count(None)})")] if None in styles else []
    draw_legend(
        figure,
        [
            (plt.Line2D([], [], linestyle="", marker=marker, color=colour, markersize=9), label)
            for (colour, marker), label in entries
        ],
        loc="upper left",
        bbox_to_anchor=corner,
        borderaxespad=0,
        fontsize=10,
        title="class (images)",
        handletextpad=0.2,
    )


def _draw_names(
    figure: Any,
    axes: Any,
    taken: np.ndarray,
    places: np.ndarray,
    side: float,
    styles: Sequence[int | None],
    names: Sequence[str],
) -> None:
    """The name of each coloured class at the free spot nearest to the middle of its images, with a line to one."""
    for place, name in enumerate(names):
        ours = np.array([style == place for style in styles])
        if not ours.any():
            continue
        middle = np.median(places[ours], axis=0)
        text = axes.text(*middle, _plain(name, _NAME), fontsize=11, fontweight="bold", ha="center", va="center")
        colour = ink(class_style(place)[0])
        text.set_color(colour)
        box = text.get_window_extent(figure.canvas.get_renderer())
        wide, high = int(box.width) + 6, int(box.height) + 6
        spot = free_spot(taken, middle, wide, high)
        if spot is None:
            text.remove()  # the legend names it
            continue
        text.set_position(spot)
        take(taken, spot[0] - wide / 2, spot[1] - high / 2, wide, high)
        _draw_leader(axes, np.array(spot), (wide / 2, high / 2), places[ours], side, colour)


def _draw_leader(
    axes: Any, spot: np.ndarray, half: tuple[float, float], ours: np.ndarray, side: float, colour: Any
) -> None:
    """A line from a name to the nearest image of its class, unless it stands right beside one."""
    edge = spot + np.clip(ours - spot, -np.array(half), half)  # the point of the name's box nearest to each image
    away = np.linalg.norm(ours - edge, axis=1)
    nearest = int(away.argmin())
    if away[nearest] > 0.75 * side + 14:
        ends = np.stack([edge[nearest], ours[nearest]])
        for width, ink in ((2.6, "white"), (1.0, colour)):  # seen on images as well
            axes.plot(*ends.T, color=ink, linewidth=width, zorder=2.5, solid_capstyle="round")


def _taken(places: np.ndarray, side: float, height: int) -> np.ndarray:
    """(height, width) bool: the pixels of the map that images cover."""
    taken = np.zeros((height, _SIDE), bool)
    for across, down in places:
        take(taken, across - side / 2, down - side / 2, side, side)
    return taken


def _plain(name: str, most: int) -> str:
    """A name as matplotlib takes it, which reads a formula between dollars."""
    return _short(name, most).replace("$", r"\$")


def _short(name: str, most: int) -> str:
    """The name, its middle left out where it is too long: names differ at either end."""
    return shortened(name, lambda text: len(text) <= most)


def _width(name: str) -> int:
    """Characters of a name, those counted twice that are as wide as two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in name)
