"""Thresholds and calibrations against loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.evaluation.identification.closed_set import Template
from sandbox.recognition.gallery import Gallery
from sandbox.recognition.search import PeopleSearcher, mean_rows
from sandbox.recognition.thresholds import (
    calibrate,
    evenly,
    fit_by_strangers,
    genuine_scores,
    impostor_scores,
    take_by_hand,
)

Some = Callable[..., Gallery]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.floats(0.01, 0.9), st.sampled_from(["mean", "best"]))
def test_a_threshold_is_the_lowest_that_keeps_the_rate(
    some_rows: Some, seed: int, fpir: float, template: Template
) -> None:
    rng = np.random.default_rng(seed)
    searcher, strangers = PeopleSearcher(some_rows(rng, 6, 3), template), some_rows(rng, 15, 3)
    threshold = fit_by_strangers(searcher, strangers, fpir, "strangers")
    tops = searcher.search(strangers.x).scores[:, 0]
    accepted = lambda at: float((tops >= np.float32(at)).mean())  # noqa: E731
    assert accepted(threshold.value) == threshold.reached <= fpir
    lower = [level for level in tops if level < np.float32(threshold.value)]
    assert not lower or accepted(max(lower)) > fpir
    assert (threshold.images, threshold.people) == (len(strangers), 15)
    assert threshold.supported == (len(strangers) * fpir >= 30)


def test_a_threshold_by_hand_says_what_it_lets_in(some_rows: Some) -> None:
    rng = np.random.default_rng(0)
    searcher, strangers = PeopleSearcher(some_rows(rng, 6, 3), "mean"), some_rows(rng, 50, 3)
    threshold = take_by_hand(searcher, strangers, 0.5)
    tops = [max(float(t @ x) for t in searcher.x) for x in strangers.x]
    assert threshold.reached == pytest.approx(np.mean([top >= 0.5 for top in tops]))
    assert (threshold.value, threshold.source, threshold.fpir) == (0.5, "by hand", None)
    assert take_by_hand(searcher, None, 0.5).reached is None


@pytest.mark.parametrize("value", [1.5, -2.0, float("nan")])
def test_a_threshold_that_is_no_cosine_is_refused(value: float, some_rows: Some) -> None:
    with pytest.raises(SandboxError, match="a similarity lies between -1 and 1"):
        take_by_hand(PeopleSearcher(some_rows(np.random.default_rng(0), 2, 1), "mean"), None, value)


@pytest.mark.parametrize("template", ["mean", "best"])
@pytest.mark.parametrize("most", [None, 1, 2])
def test_genuine_scores_leave_the_image_out_of_its_template(
    template: Template, most: int | None, some_rows: Some
) -> None:
    rows = some_rows(np.random.default_rng(3), 12, 5)
    expected = []
    for person in range(12):
        x = rows.x[rows.person == person].astype(np.float64)
        for place in range(len(x) if len(x) > 1 else 0):
            others = [x[(place + step) % len(x)] for step in range(1, len(x))][: most or len(x)]
            mean = np.sum(others, axis=0)
            best = max(other @ x[place] for other in others)
            expected.append(mean / np.linalg.norm(mean) @ x[place] if template == "mean" else best)
    np.testing.assert_allclose(genuine_scores(rows, template, most), expected, atol=1e-12)


@pytest.mark.parametrize("template", ["mean", "best"])
def test_impostor_scores_are_all_between_people(template: Template, some_rows: Some) -> None:
    rng = np.random.default_rng(4)
    rows, strangers = some_rows(rng, 7, 4), some_rows(rng, 5, 3)
    expected = []
    probes = [*zip(rows.x, rows.person, strict=True), *((x, -1) for x in strangers.x)]
    for x, whose in probes:
        for person in range(7):
            own = mean_rows(rows)[person : person + 1] if template == "mean" else rows.x[rows.person == person]
            if person != whose:
                expected.append(max(float(row.astype(np.float64) @ x) for row in own))
    np.testing.assert_allclose(np.sort(impostor_scores(rows, strangers, template)), np.sort(expected), atol=1e-6)


def test_probabilities_rise_with_similarity_and_are_fair_at_even_odds(some_rows: Some) -> None:
    rng = np.random.default_rng(5)
    rows, strangers = some_rows(rng, 60, 6, noise=0.5), some_rows(rng, 200, 1)
    calibrated = calibrate(rows, strangers, "mean")
    assert calibrated is not None
    same, other = genuine_scores(rows, "mean", None), impostor_scores(rows, strangers, "mean")
    assert (calibrated.genuine, calibrated.impostors) == (len(same), len(other))
    grid = calibrated.probability(np.linspace(-1, 1, 50))
    assert (np.diff(grid) > 0).all() and 0 < grid[0] and grid[-1] < 1
    # At even odds the logistic fit's mean probability is one half: what it gives to both kinds sums to one.
    both = calibrated.probability(same).mean() + calibrated.probability(other).mean()
    assert both == pytest.approx(1, abs=0.02)
    assert calibrated.probability(same).mean() > 0.8


def test_few_scores_make_no_certainty(some_rows: Some) -> None:
    rng = np.random.default_rng(6)
    rows = some_rows(rng, 3, 3, dim=32, noise=0.02)  # nothing overlaps
    calibrated = calibrate(rows, None, "mean")
    assert calibrated is not None and calibrated.genuine < 10
    assert 0.6 < calibrated.probability(np.array([1.0]))[0] < 0.99
    assert calibrated.probability(np.array([0.0]))[0] > 0.01


def test_without_two_images_of_one_person_there_is_no_calibration(some_rows: Some) -> None:
    rng = np.random.default_rng(7)
    rows = some_rows(rng, 5, 1)
    assert calibrate(rows, None, "mean") is None
    assert calibrate(rows, some_rows(rng, 9, 1), "mean") is None
    several = calibrate(rows, some_rows(rng, 9, 4, noise=0.2), "mean")
    assert several is not None and several.genuine > 0
    alone = some_rows(np.random.default_rng(2), 1, 4)
    assert len(alone) > 1 and calibrate(alone, None, "mean") is None


@given(st.integers(0, 300), st.integers(1, 40))
def test_places_are_spread_evenly(count: int, most: int) -> None:
    places = evenly(count, most)
    assert len(places) == min(count, most) and len(set(places)) == len(places)
    if len(places) > 1:
        assert places[0] == 0 and places[-1] == count - 1 and np.ptp(np.diff(places)) <= 1
