"""The plane: panels of raw features."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.plane import Panel, draw_plane, plane_figure
from sandbox.reporting.plots.style import COLOURS


def panel(classes: int, *, scale: float = 1.0, centers: bool = False, title: str = "softmax") -> Panel:
    """Ten points around each of several corners."""
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * np.arange(classes) / classes
    corners = scale * np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    y = np.repeat(np.arange(classes), 10)
    x = corners[y] + (0.05 * scale * rng.normal(size=(len(y), 2))).astype(np.float32)
    return Panel(title, x, y, 0.5, corners if centers else None)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        assert opened.format == "PNG"
        return np.asarray(opened.convert("RGB"))


def of_colour(drawn: np.ndarray, colour: str) -> np.ndarray:
    """(M, 2) columns and rows of the pixels that have a colour."""
    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return np.argwhere((drawn == wanted).all(-1))[:, ::-1]


def test_every_class_is_in_every_panel_and_a_row_has_one_scale(tmp_path: Path) -> None:
    out = tmp_path / "plane.png"
    small, large = panel(4, scale=1), panel(4, scale=10, centers=True)
    half = Panel("half as large", small.features / 2, small.labels, 0.5)
    draw_plane([[small, half], [large, large]], list("abcd"), out, title="four corners")
    drawn = pixels(out)
    width, height = drawn.shape[1], drawn.shape[0]
    spans = {}
    for row, down in enumerate((slice(0, height // 2), slice(height // 2, height))):
        for column, across in enumerate((slice(0, int(width * 0.43)), slice(int(width * 0.43), int(width * 0.84)))):
            part = drawn[down, across]
            found = [of_colour(part, colour) for colour in COLOURS[:4]]
            assert min(map(len, found)) > 50
            spans[row, column] = found[0][:, 0].mean() - found[2][:, 0].mean()  # from the right corner to the left
    assert abs(spans[0, 1] / spans[0, 0] - 0.5) < 0.05  # the same axes: half as large is drawn half as large
    assert abs(spans[1, 1] / spans[1, 0] - 1) < 0.05 and abs(spans[1, 0] / spans[0, 0] - 1) < 0.1


def test_more_classes_than_colours(tmp_path: Path) -> None:
    out = tmp_path / "plane.png"
    draw_plane([[panel(30)]], [f"person number {n} of many" for n in range(30)], out, title="thirty")
    first = out.read_bytes()
    assert len(of_colour(pixels(out), "#b4b4b4")) > 50  # those after the 24th are grey
    draw_plane([[panel(30)]], [f"person number {n} of many" for n in range(30)], out, title="thirty")
    assert out.read_bytes() == first


def test_every_cluster_has_its_name_and_rows_say_their_scale() -> None:
    names = [f"person {n}" for n in range(9)] + ["a person with a name of many words"]
    rows = [[panel(10, scale=10)] * 2, [panel(10, centers=True)] * 2]
    figure = plane_figure(rows, names, lettering(names), "ten people " * 30)
    for axes in figure.axes[:4]:
        shown = [text for text in axes.texts if text.get_text()]
        assert [text.get_text() for text in shown] == [*names[:9], "a perso… words"]
        boxes, frame = [text.get_window_extent() for text in shown], axes.get_window_extent()
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
        assert all(
            frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes
        )
    assert figure._supxlabel.get_text().startswith("each row has a scale of its own: its axes span ")
    assert figure._suptitle.get_window_extent().x1 <= figure.bbox.x1
    assert plane_figure(rows[:1], names, lettering(names), "one row")._supxlabel is None
