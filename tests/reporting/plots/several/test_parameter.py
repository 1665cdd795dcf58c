"""A figure over one setting."""

from __future__ import annotations

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.paired import t_interval
from sandbox.reporting.plots.several.parameter import parameter_figure, series_of
from sandbox.reporting.plots.style import quiet
from sandbox.reporting.records.groups import group

from recipes import KEY, made_groups, made_run

RATES = (0.0001, 0.003, 0.1)
VALUES = {(rate, loss): [place / 10 + (loss == "arcface"), place / 7] for place, rate in enumerate(RATES)
          for loss in ("triplet", "arcface")}  # fmt: skip
GROUPS = group([made_run(loss, s, v, lr=r) for (r, loss), many in VALUES.items() for s, v in enumerate(many)])[0]


def test_a_line_for_each_recipe_that_differs_in_nothing_else() -> None:
    series, notes = series_of([*GROUPS, *made_groups({"cosface": [0.5]})], KEY, "optimizer.lr")
    assert [line.label for line in series] == ["arcface", "triplet_margin"] and series[0].x == RATES
    assert notes == ["1 recipe is left out, as no other differs from it in optimizer.lr alone: cosface"]
    with quiet([]) as known:
        figure = parameter_figure([series], [KEY], known, "learning rate", "title", 3.4)
        figure.canvas.draw()
        (axes,) = figure.axes
        assert axes.get_xscale() == "log"
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.0001", "0.003", "0.1"]
        band = axes.collections[0].get_paths()[0].vertices
    for at, rate in enumerate(RATES):
        mean, half = t_interval(VALUES[rate, "arcface"])
        assert np.isclose(axes.lines[0].get_ydata()[at], mean)
        ends = band[np.isclose(band[:, 0], rate), 1]
        assert np.allclose((ends.min(), ends.max()), (mean - half, mean + half))


def test_a_parameter_inside_the_objective() -> None:
    margins = {
        0.05: "triplet(miner=hard)",
        0.4: "triplet(margin=0.4, miner=hard)",
        0.2: "triplet(margin=0.2, miner=hard)",
    }
    groups = made_groups({loss: [margin] for margin, loss in margins.items()})
    (line,), notes = series_of(groups, KEY, "triplet_margin.margin")
    assert (
        line.x == (0.05, 0.2, 0.4) and line.label == "triplet_margin, batch_hard" and not notes
    )  # 0.05 is the default
    assert [mean.value for mean in line.means] == [0.05, 0.2, 0.4]


def test_words_are_places_and_narrow_numbers_no_logarithm() -> None:
    groups = made_groups({"triplet": [0.5, 0.7], "triplet(miner=hard)": [0.6, 0.7]})
    (line,), _ = series_of(groups, KEY, "miner")
    assert line.label == "triplet_margin" and series_of(groups, KEY, "objective")[0][0].label == "all objectives"
    assert set(line.x) == {"none", "batch_hard"}
    with quiet([]) as known:
        figure = parameter_figure([[line]], [KEY], known, "miner", "", 7)
        figure.canvas.draw()
        axes = figure.axes[0]
        assert axes.get_xscale() == "linear" and len(axes.containers) == 1
        assert [tick.get_text() for tick in axes.get_xticklabels()] == list(line.x)


def test_lines_that_begin_at_other_values_are_not_named_by_them() -> None:
    rates = [("triplet", 0.1), ("triplet", 0.01), ("arcface", 1.0), ("arcface", 2.0)]
    groups, _ = group([made_run(loss, 0, 0.5 + (loss == "triplet"), lr=lr) for loss, lr in rates])
    assert [line.label for line in series_of(groups, KEY, "optimizer.lr")[0]] == ["triplet_margin", "arcface"]


def test_nothing_that_varies() -> None:
    with pytest.raises(
        SandboxError, match=r"no two recipes differ in batch.size alone.*it is 128; what differs is optimizer.lr"
    ):
        series_of(GROUPS, KEY, "batch.size")
