"""What the pictures of a study rest on: how far an axis goes, where a surface is laid, and what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.reporting.plots.study_history import Front, draw_front, draw_history, draw_learning_curves, draw_spread
from sandbox.reporting.plots.study_marks import (
    BROKEN,
    COMPLETE,
    FAILED,
    PRUNED,
    ParameterAxis,
    TrialPoints,
    digits,
    span,
    wrapped,
)
from sandbox.reporting.plots.study_parallel import draw_parallel
from sandbox.reporting.plots.study_space import draw_contour, draw_slice


def points(count: int = 20, *, lower: bool = False) -> TrialPoints:
    random = np.random.default_rng(0)
    values = random.uniform(0.4, 0.6, count)
    states = [(COMPLETE, COMPLETE, COMPLETE, PRUNED, BROKEN, FAILED)[n % 6] for n in range(count)]
    values[[n for n, state in enumerate(states) if state == FAILED]] = np.nan
    complete = [n for n, state in enumerate(states) if state == COMPLETE]
    best = min(complete, key=lambda n: values[n] if lower else -values[n]) if complete else None
    return TrialPoints(np.arange(count), values, states, best, 0.5, "map@r", lower)


def axis(name: str, count: int = 20, seed: int = 1, **more: object) -> ParameterAxis:
    places = np.random.default_rng(seed).uniform(0.001, 1, count)
    return ParameterAxis(name, places, **more)  # type: ignore[arg-type]


def same(one: Path, other: Path) -> bool:
    with Image.open(one) as first, Image.open(other) as second:
        return first.size == second.size and first.tobytes() == second.tobytes()


def test_an_axis_holds_all_but_what_collapsed() -> None:
    values = np.array([0.6, 0.61, 0.59, 0.58, 0.62, 0.01, np.nan])
    low, high, beyond = span(values, lower=False)
    assert 0.4 < low < 0.58 and high > 0.62
    assert beyond.tolist() == [False] * 5 + [True, False]
    low, high, beyond = span(-values, lower=True)
    assert low < -0.62 and -0.58 < high < -0.4 and beyond.sum() == 1
    low, high, beyond = span(values, lower=False, keep=[0.005])
    assert low < 0.005 and not beyond.any()


@pytest.mark.parametrize("values", [[], [np.nan], [0.5], [0.5, 0.5], [np.inf, 0.5], [0.0]])
def test_an_axis_has_an_extent_whatever_there_is(values: list[float]) -> None:
    low, high, beyond = span(np.array(values, np.float64), lower=False, room=0)
    assert np.isfinite([low, high]).all() and low < high and not beyond.any()


def test_what_lies_beyond_the_axis_is_counted(tmp_path: Path) -> None:
    values = np.array([0.6, 0.61, 0.59, 0.58, 0.62, 0.01])
    made = TrialPoints(np.arange(6), values, [COMPLETE] * 6, 4, None, "map@r")
    assert draw_history(made, tmp_path / "a.png") == 1
    assert draw_learning_curves([{1: v} for v in values], made, tmp_path / "b.png") == 1


def test_each_state_changes_the_picture(tmp_path: Path) -> None:
    values = np.array([0.5, 0.6, 0.55])
    for number, state in enumerate((COMPLETE, BROKEN, PRUNED)):
        made = TrialPoints(np.arange(3), values, [COMPLETE, COMPLETE, state], 1, None, "map@r")
        draw_history(made, tmp_path / f"{number}.png")
    pictures = [tmp_path / f"{number}.png" for number in range(3)]
    assert not same(*pictures[:2]) and not same(*pictures[1:]) and not same(*pictures[::2])


def test_a_surface_is_laid_where_trials_lie_around_and_only_there(tmp_path: Path) -> None:
    out = tmp_path / "contour.png"
    assert draw_contour(points(40), axis("a", 40, log=True), axis("b", 40, seed=2), out)
    assert not draw_contour(points(6), axis("a", 6), axis("b", 6, seed=2), out)
    assert not draw_contour(points(40), axis("a", 40), axis("b", 40), out)  # on one line
    assert not draw_contour(points(40), axis("a", 40), ParameterAxis("b", np.full(40, 3.0)), out)
    choices = ParameterAxis("b", np.arange(40) % 2.0, choices=("x", "y"))
    assert not draw_contour(points(40), axis("a", 40), choices, out)
    assert draw_contour(points(80, lower=True), axis("a", 80), axis("b", 80, seed=2), out)


def test_the_scale_of_an_axis_shows(tmp_path: Path) -> None:
    draw_slice(points(), axis("a"), tmp_path / "linear.png")
    draw_slice(points(), axis("a", log=True), tmp_path / "log.png")
    assert not same(tmp_path / "linear.png", tmp_path / "log.png")


def test_missing_values_and_names_of_any_kind_are_drawn(tmp_path: Path) -> None:
    holed = ParameterAxis("$a_b$ 二", np.where(np.arange(20) % 3, 0.5, np.nan), choices=("_x", "$"))
    whole = axis("a", default=0.3, log=True)
    draw_slice(points(), holed, tmp_path / "a.png")
    draw_parallel(points(), [holed, whole, axis("b")], tmp_path / "b.png")
    draw_spread(points(lower=True), tmp_path / "c.png")
    assert all((tmp_path / f"{name}.png").stat().st_size > 5000 for name in "abc")


def test_the_front_is_drawn_for_two_and_three_figures(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(size=(6, 3))
    front, feasible = np.array([1, 1, 0, 0, 0, 0], bool), np.array([1, 1, 1, 1, 0, 0], bool)
    for figures in (2, 3):
        names, lower = ["a", "b", "c"][:figures], [False, True, False][:figures]
        made = Front(values[:, :figures], np.arange(6), front, feasible, names, lower, [0.5] * figures)
        draw_front(made, tmp_path / f"{figures}.png")
    with Image.open(tmp_path / "2.png") as two, Image.open(tmp_path / "3.png") as three:
        assert three.height > 1.5 * two.height


def test_names_are_broken_after_dots_and_underscores() -> None:
    assert wrapped("optimizer.weight_decay") == "optimizer.\nweight_decay"
    assert wrapped("a.b_c") == "a.b_c"
    assert wrapped("backbone.embedding_dimension_x").replace("\n", "") == "backbone.embedding_dimension_x"


def test_ticks_have_three_digits() -> None:
    assert [digits(value) for value in (0.000123456, 1e-5, 1e6, 0.5)] == ["0.000123", "1e-5", "1e6", "0.5"]
