"""What all pictures share: marks that stay apart, texts that fit, files of three kinds."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sandbox.errors import SandboxError
from sandbox.reporting.plots.fitting import Ruler, legend_below, shortened, title_above, wrapped
from sandbox.reporting.plots.placing import place_names
from sandbox.reporting.plots.several.ticks import plain, plain_numbers, spans_decades
from sandbox.reporting.plots.style import (
    COLOURS,
    MOST_COLOURED,
    badge,
    class_style,
    ink,
    lightness,
    line_style,
    picture_file,
    quiet,
    save,
)

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009
SIGHTS = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def seen(colour: str, sight: np.ndarray) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ sight.T
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("sight", SIGHTS)
def test_a_dozen_colours_are_told_apart_by_every_eye(sight: str) -> None:
    from skimage.color import deltaE_ciede2000, rgb2lab

    lab = [rgb2lab(seen(colour, SIGHTS[sight])) for colour in COLOURS]
    assert min(float(deltaE_ciede2000(a, b)) for a, b in combinations(lab, 2)) > 10


def test_a_dozen_classes_share_neither_colour_nor_marker() -> None:
    styles = [class_style(place) for place in range(MOST_COLOURED)]
    assert len(set(styles)) == MOST_COLOURED == 24
    for kind in (0, 1):
        assert len({style[kind] for style in styles[:12]}) == 12
    assert len({(line["marker"], str(line["linestyle"])) for line in map(line_style, range(24))}) == 24


def test_badges_differ_in_their_shape_alone() -> None:
    marks = [np.asarray(badge("#888888", class_style(place)[1], 16).convert("L")).astype(int) for place in range(12)]
    assert min(int((np.abs(a - b) > 60).sum()) for a, b in combinations(marks, 2)) >= 8


def test_text_is_dark_enough() -> None:
    for colour in COLOURS:
        assert 1.05 / (lightness(ink(colour)) + 0.05) >= 4.5


def test_a_text_is_shortened_in_the_middle() -> None:
    for most in range(1, 30):
        short = shortened("CYRILLIC CAPITAL LETTER NJE", lambda text, most=most: len(text) <= most)  # type: ignore[misc]
        assert len(short) == min(most, 27)
    assert shortened("CYRILLIC CAPITAL LETTER NJE", lambda text: len(text) <= 12) == "CYRILL…R NJE"
    assert wrapped("one two three four", lambda text: len(text) <= 8, 2) == ["one two", "thre…our"]
    assert wrapped("", lambda text: True) == [""]


@pytest.mark.parametrize("text", ["x" * 200, "a $x_1$ name of a run " * 6, "金 王 " * 12])
def test_titles_and_legends_stay_inside_and_apart(text: str) -> None:
    with quiet([text]) as known:
        figure = plt.figure(figsize=(3.4, 3), layout="constrained")
        axes = figure.subplots()
        entries = [(axes.plot([n, 1], **line_style(n))[0], f"{n} {known.written(text)} {n}") for n in range(14)]
        title_above(figure, known.written(text))
        figure.set_figheight(3 + legend_below(figure, entries))
        figure.canvas.draw()
        boxes = [figure._suptitle.get_window_extent()]
        boxes += [label.get_window_extent() for label in figure.legends[0].get_texts()]
        assert Ruler(figure).inches("wider", 9) > Ruler(figure).inches("wide", 9)
    for box in boxes:
        assert 0 <= box.x0 and box.x1 <= figure.bbox.x1 and 0 <= box.y0 and box.y1 <= figure.bbox.y1
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    assert not any(box.overlaps(axes.get_tightbbox()) for box in boxes)
    assert axes.get_window_extent().height > 150


def test_names_are_placed_apart_with_lines_to_what_they_name() -> None:
    figure, axes = plt.subplots(figsize=(4, 4), dpi=100)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    figure.canvas.draw()
    wanted = [((0.5, 0.5), (0.5, 0.5), f"class number {n}", "black") for n in range(9)]
    texts = place_names(figure, axes, [*wanted, ((0.99, 0.5), (1.05, 0.5), "at the border", "black")])
    boxes = [text.get_window_extent() for text in texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert sum(text.get_text() == "" for text in axes.texts) == 9  # all but the first have moved


def test_files_of_three_kinds(tmp_path: Path) -> None:
    heads = {".png": b"\x89PNG", ".svg": b"<?xml", ".PDF": b"%PDF"}
    for ending, head in heads.items():
        written = []
        for _ in range(2):
            with quiet(["MAP@R"]):
                figure, axes = plt.subplots()
                axes.set_title("MAP@R on digits")
                save(figure, tmp_path / f"a{ending}")
            written.append((tmp_path / f"a{ending}").read_bytes())
        assert written[0].startswith(head) and written[0] == written[1]
    assert ">MAP@R on digits<" in (tmp_path / "a.svg").read_text()  # text stays text
    assert b"/FontFile2" in (tmp_path / "a.PDF").read_bytes() and b"/Type3" not in (tmp_path / "a.PDF").read_bytes()


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    assert picture_file("a.SVG") == Path("a.SVG")
    (tmp_path / "folder.png").mkdir()
    for given in ("a.jpg", "a", str(tmp_path / "folder.png")):
        with pytest.raises(SandboxError, match=r"--out is '.*', but names a picture that ends in .png, .svg or .pdf"):
            picture_file(given)
    with pytest.raises(SandboxError, match="--out is not given"):
        picture_file("")


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0001, "0.0001"), (3.0, "3"), (0.25, "0.25"), (30000, "30,000"), (2.5e6, "2.5 M"), (1e-9, "1e-09")],
)
def test_plain_numbers(value: float, said: str) -> None:
    assert plain(value) == said


def test_a_logarithmic_axis_has_plain_numbers() -> None:
    figure, axes = plt.subplots()
    axes.set(xscale="log", xlim=(0.0005, 500))
    plain_numbers(axes.xaxis)
    figure.canvas.draw()
    assert {"0.001", "1", "100"} <= {label.get_text() for label in axes.get_xticklabels()}
    assert spans_decades([1, 31]) and not spans_decades([1, 30]) and not spans_decades([0, 100])
