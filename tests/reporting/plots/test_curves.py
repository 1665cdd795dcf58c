"""What all figures share, and the distributions of scores."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.reporting.plots.curves import cmc_figure, draw_cmc, draw_curves
from sandbox.reporting.plots.scores import Mark, ScoreCounts, counts_figure, draw_counts, spell_share
from sandbox.reporting.plots.style import save


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


COUNTS = ScoreCounts(np.linspace(-1, 1, 5), np.array([0, 0, 2, 5]), np.array([3, 900, 10, 0]))


def test_counts_are_drawn_with_and_without_a_mark(tmp_path: Path) -> None:
    draw_counts(COUNTS, tmp_path / "plain.png", title="faces")
    with Image.open(tmp_path / "plain.png") as opened:
        assert opened.format == "PNG" and opened.width > 900
    figure = counts_figure(COUNTS, "faces", Mark(0.5, "most accurate on validation", 0.1, 0.2))
    upper, lower = figure.axes
    assert {tuple(line.get_xdata()) for line in (*upper.lines, *lower.lines)} == {(0.5, 0.5)}
    assert lower.get_title(loc="left") == "FRR 20 % of genuine pairs, below"
    assert lower.get_title(loc="right") == "FAR 10 % of impostor pairs, at or above"
    assert not counts_figure(COUNTS, "faces", None).axes[0].lines


def test_a_long_name_is_not_cut_at_both_sides() -> None:
    name = "20261126-025931-triplet_margin-margin-0.2834304818851159-miner-triplet_margin-type_of_triplets-semihard-s0"
    figure = counts_figure(COUNTS, f"{name}, test: all pairs", None)
    figure.canvas.draw()
    box = figure._suptitle.get_window_extent()
    assert 0 <= box.x0 and box.x1 <= figure.bbox.x1
    text = figure._suptitle.get_text()
    assert text.startswith("20261126-") and "semihard-s0, test: all pairs" in text.replace("\n", " ")


def test_the_curves_of_a_run_have_the_field_s_names(tmp_path: Path) -> None:
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "val": {"retrieval/map@r": 0.5}}]
    draw_curves(rows, "retrieval/map@r", tmp_path / "curves.png", title="a title " * 60)
    draw_curves([], "retrieval/map@r", tmp_path / "none.png")
    with Image.open(tmp_path / "curves.png") as opened:
        assert opened.width == 1050


def test_cmc_is_the_share_found_up_to_each_rank(tmp_path: Path) -> None:
    ranks, people = np.array([1, 1, 2, 4, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    (axes,) = cmc_figure(ranks, people, "each image against all others", 50).axes
    assert np.allclose(axes.lines[0].get_xydata(), [[1, 3 / 6], [2, 4 / 6], [3, 4 / 6], [4, 5 / 6]])
    draw_cmc(ranks, tmp_path / "cmc.png")
    assert (tmp_path / "cmc.png").is_file()


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (1.0, "100 %"), (0.00012345, "0.0123 %"), (0.3333333, "33.3 %")]
)
def test_a_share_has_three_digits(share: float, text: str) -> None:
    assert spell_share(share) == text
