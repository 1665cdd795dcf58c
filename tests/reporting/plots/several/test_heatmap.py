"""The heat map: what stands in its cells is the mean over the seeds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.reporting.plots.several.heatmap import grid_of, heatmap_figure
from sandbox.reporting.plots.style import quiet
from sandbox.reporting.records.groups import group

from recipes import KEY, made_groups, made_run

VALUES = {
    "triplet": [0.5, 0.6, 0.55],
    "triplet(miner=hard)": [0.7, 0.71, 0.75],
    "contrastive": [0.4],
    "contrastive(miner=semihard)": [0.3, 0.2],
}
LONG = "loss x miner " * 20


def test_cells_hold_means_intervals_and_seeds() -> None:
    groups = made_groups(VALUES)
    grid = grid_of(groups, KEY)
    assert grid.rows == ("triplet_margin", "contrastive") and grid.columns == ("none", "batch_hard", "semihard")
    with quiet([LONG]) as known:
        figure = heatmap_figure([grid], known, ("loss", "miner"), LONG, 3.4)
        figure.canvas.draw()
        axes = figure.axes[0]
        texts = {text.get_position(): text.get_text() for text in axes.texts}
    for (row, column), loss in {
        (0, 0): "triplet",
        (0, 1): "triplet(miner=hard)",
        (1, 2): "contrastive(miner=semihard)",
    }.items():
        mean, half = t_interval(VALUES[loss])
        assert texts[column + 0.5, row + 0.5] == f"{mean:.3f}\n± {half:.3f}\nn = {len(VALUES[loss])}"
    assert texts[0.5, 1.5] == "0.400\nn = 1"  # one seed has no interval
    assert len([text for text in texts.values() if text]) == 4 and axes.patch.get_hatch()  # hatched where no run is
    shown = axes.collections[0].get_array()
    assert np.ma.getmaskarray(shown).sum() == 2 and np.isclose(shown.max(), np.mean(VALUES["triplet(miner=hard)"]))


def test_the_title_stays_inside() -> None:
    with quiet([LONG]) as known:
        figure = heatmap_figure([grid_of(made_groups(VALUES), KEY)], known, ("loss", "miner"), LONG, 3.4)
        figure.canvas.draw()
        box, frame = figure._suptitle.get_window_extent(), figure.bbox
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and box.y1 <= frame.y1
        names = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
        assert not any(one.overlaps(other) for one, other in pairwise(names))


def test_the_dark_end_is_the_better_one() -> None:
    groups = made_groups(VALUES)  # EER = 1 - MAP@R
    with quiet([]) as known:
        figure = heatmap_figure([grid_of(groups, k) for k in (KEY, "test/verification/eer")], known, ("a", "b"), "", 7)
        figure.canvas.draw()
        best = []
        for axes in figure.axes[:2]:
            drawn = axes.collections[0]
            dark = drawn.get_facecolors()[:, :3].sum(1) + 9 * np.ma.getmaskarray(drawn.get_array()).ravel()
            best.append(int(dark.argmin()))
    assert best == [1, 1]


def test_numbers_rise_and_two_recipes_share_no_cell() -> None:
    groups, _ = group([made_run(loss, 0, 0.5, lr=lr) for loss in ("triplet", "arcface") for lr in (0.1, 0.003, 0.01)])
    assert grid_of(groups, KEY, "loss", "optimizer.lr").columns == ("0.003", "0.01", "0.1")
    with pytest.raises(
        SandboxError, match=r"two recipes have objective triplet_margin and miner none and differ in optimizer.lr"
    ):
        grid_of(groups, KEY)
    with pytest.raises(SandboxError, match="both loss"):
        grid_of(groups, KEY, "loss", "loss")
