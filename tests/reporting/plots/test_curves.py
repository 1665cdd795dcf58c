"""What all figures share, and the distributions of scores."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.reporting.plots.scores import Mark, ScoreCounts, draw_counts, spell_share
from sandbox.reporting.plots.style import MOST_COLOURED, class_style, save


def test_no_two_classes_look_alike() -> None:
    styles = [class_style(place) for place in range(MOST_COLOURED)]
    assert len(set(styles)) == MOST_COLOURED == 24
    for one, other in combinations(dict.fromkeys(colour for colour, _ in styles), 2):
        rgb = [np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) for colour in (one, other)]
        assert np.abs(rgb[0] - rgb[1]).sum() > 60


def test_a_figure_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    figure, _ = plt.subplots()
    out = tmp_path / "new" / "one.PNG"
    save(figure, out)
    with Image.open(out) as opened:
        assert opened.format == "PNG"
    assert [path.name for path in out.parent.iterdir()] == ["one.PNG"]
    assert not plt.get_fignums()
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(SandboxError, match="cannot write"):
        save(plt.subplots()[0], tmp_path / "taken.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "taken.png"]
    assert not plt.get_fignums()


def test_counts_are_drawn_with_and_without_a_mark(tmp_path: Path) -> None:
    counts = ScoreCounts(np.linspace(-1, 1, 5), np.array([0, 0, 2, 5]), np.array([3, 900, 10, 0]))
    plain, marked, other = (tmp_path / f"{name}.png" for name in ("plain", "marked", "other"))
    draw_counts(counts, plain, title="faces")
    draw_counts(counts, marked, title="faces", mark=Mark(0.5, "most accurate on validation", 0.0, 0.2))
    draw_counts(counts, other, title="faces", mark=Mark(0.5, "most accurate on validation", 0.1, 0.2))
    assert len({path.read_bytes() for path in (plain, marked, other)}) == 3
    with Image.open(marked) as opened:
        assert opened.format == "PNG" and opened.width > 900


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (1.0, "100 %"), (0.00012345, "0.0123 %"), (0.3333333, "33.3 %")]
)
def test_a_share_has_three_digits(share: float, text: str) -> None:
    assert spell_share(share) == text
