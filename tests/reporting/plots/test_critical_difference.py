"""Ways by mean rank over data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.reporting.plots.critical_difference import draw_ranks
from sandbox.reporting.plots.style import COLOURS

RANKS = np.array([1.2, 2.1, 2.7])
NAMES = ("triplet_margin(miner=batch_hard)", "arcface", "損失 $x$")


def drawn(path: Path, p: float, names: tuple[str, ...] = NAMES) -> bytes:
    draw_ranks(names, RANKS, np.full((3, 3), p), path, title="MAP@R over 6 data sets")
    return path.read_bytes()


def test_it_is_a_png_a_pdf_or_an_svg_with_its_names(tmp_path: Path) -> None:
    drawn(tmp_path / "a.png", 1.0)
    with Image.open(tmp_path / "a.png") as image:
        assert image.width > image.height > 100
    assert drawn(tmp_path / "a.pdf", 1.0).startswith(b"%PDF")
    svg = drawn(tmp_path / "a.SVG", 1.0).decode()
    for text in ("triplet_margin(miner=batch_hard)  1.20", "arcface  2.10", "MAP@R over 6 data sets", "2.70  "):
        assert text in svg


def test_a_bar_joins_what_is_not_told_apart_and_nothing_else(tmp_path: Path) -> None:
    assert COLOURS[0] in drawn(tmp_path / "joined.svg", 0.06).decode()
    assert COLOURS[0] not in drawn(tmp_path / "apart.svg", 0.05).decode()


def test_names_that_are_alike_or_long_are_drawn_each_for_itself(tmp_path: Path) -> None:
    svg = drawn(tmp_path / "a.svg", 1.0, ("arcface", "arcface", "x" * 200)).decode()
    assert svg.count("arcface") >= 2 and "x" * 41 + "..." in svg and "x" * 42 not in svg


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError):
        drawn(tmp_path / "file" / "a.png", 1.0)
