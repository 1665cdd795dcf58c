"""The forest plot: paired on shared seeds, with its interval and p."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sandbox.errors import SandboxError
from sandbox.evaluation.intervals.paired import holm, t_interval
from sandbox.reporting.plots.several.forest import effects, forest_figure, p_said
from sandbox.reporting.plots.style import quiet
from sandbox.reporting.records.groups import group

from recipes import KEY, made_groups, made_run

BASE, BETTER, WORSE = [0.5, 0.6, 0.55], [0.7, 0.71, 0.76], [0.4, 0.52, 0.5, 0.45]


def test_effects_are_paired_by_seed() -> None:
    groups = made_groups({"triplet": BASE, "arcface": BETTER, "contrastive": WORSE, "cosface": [0.9]})
    rows, notes = effects(groups, KEY, groups[0])
    assert [row.label for row in rows] == ["cosface", "arcface", "contrastive"]  # the best first
    one, two = np.subtract(BETTER, BASE), np.subtract(WORSE[:3], BASE)
    assert np.allclose((rows[1].value, rows[1].half), t_interval(one.tolist()))
    tests = [float(stats.ttest_1samp(d, 0).pvalue) for d in (one, two)]
    assert np.allclose([rows[1].p, rows[2].p], holm([*tests, math.nan])[:2])
    assert rows[0].n == 1 and math.isnan(rows[0].half) and math.isnan(rows[0].p)
    assert notes == [
        "2 recipes have seeds without a partner, which are left out: contrastive (seeds 3), cosface (seeds 1, 2)"
    ]


def test_ends_of_bars_are_those_of_the_interval() -> None:
    groups = made_groups({"triplet": BASE, "arcface": BETTER, "contrastive": WORSE[:3]})
    rows, _ = effects(groups, KEY, groups[0])
    with quiet([]) as known:
        figure = forest_figure([rows], [KEY], known, "title", 3.4, against=True)
        figure.canvas.draw()
        (axes,) = figure.axes
        bars = [bar.lines[2][0].get_segments()[0] for bar in axes.containers]
        texts = [text.get_text() for text in axes.texts]
        frame = figure.bbox
        assert all(text.get_window_extent().x1 <= frame.x1 for text in axes.texts)
    for row, segment in zip(rows, bars, strict=True):
        assert np.allclose(segment[:, 0], (row.value - row.half, row.value + row.half))
    assert any(np.allclose(line.get_xdata(), 0) for line in axes.lines)  # where nothing differs
    assert texts[:3] == ["n", "3", "3"] and texts[3:] == ["p (Holm)", *(p_said(row.p) for row in rows)]


def test_without_a_baseline_the_means() -> None:
    rows, notes = effects(made_groups({"triplet": BASE, "arcface": [0.9]}), KEY)
    assert [(row.label, row.n) for row in rows] == [("arcface", 1), ("triplet_margin", 3)] and not notes
    assert np.isclose(rows[1].value, np.mean(BASE)) and math.isnan(rows[0].half)
    errors, _ = effects(made_groups({"triplet": BASE, "arcface": [0.9]}), "test/verification/eer")
    assert [row.label for row in errors] == ["arcface", "triplet_margin"]  # the least


def test_no_shared_seed() -> None:
    groups, _ = group([made_run("triplet", 0, 0.5), made_run("arcface", 1, 0.5)])
    with pytest.raises(SandboxError, match="none has MAP@R on a seed that the baseline has"):
        effects(groups, KEY, groups[0])


@pytest.mark.parametrize(("p", "said"), [(math.nan, "-"), (0.0004, "< 0.001"), (0.0342, "0.034"), (0.5, "0.50")])
def test_p_in_few_digits(p: float, said: str) -> None:
    assert p_said(p) == said
