"""What tuning gave, as rows and as Markdown."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from sandbox.evaluation.intervals.paired import paired
from sandbox.reporting.tuning_table import Tuned, against_default, as_rows, between_winners
from sandbox.reporting.tuning_text import to_markdown

MAP, EER = "retrieval/map@r", "verification/eer"


def made(name: str, default: list[float], winner: list[float], seeds: tuple[int, ...] = (10, 11, 12)) -> Tuned:
    eers = {"default": [0.3] * len(seeds), "winner": [0.2, 0.1, 0.3][: len(seeds)]}
    return Tuned(
        name=name,
        default=f"{name}()",
        winner=f"{name}(margin=0.3)",
        trials=20,
        default_value=0.61,
        winner_value=0.67,
        seeds=seeds,
        default_figures={MAP: default, EER: eers["default"]},
        winner_figures={MAP: winner, EER: np.array(eers["winner"])},
    )


# Differences 0.1, 0, 0.1: mean 1/15, error 1/30, t = 2. Those of the other 0.1, 0.2, 0.3: mean 0.2, error 0.1/sqrt(3),
# t = sqrt(12). With 2 degrees of freedom p = 1 - t / sqrt(2 + t^2), and the interval reaches 4.302653 errors.
TRIPLET = made("triplet", [0.5, 0.6, 0.7], [0.6, 0.6, 0.8])
ARCFACE = made("arcface", [0.5, 0.5, 0.5], [0.6, 0.7, 0.8])
P_TRIPLET, P_ARCFACE = 1 - 2 / math.sqrt(6), 1 - math.sqrt(12 / 14)


def markdown(*tuned: Tuned) -> str:
    """With the blanks taken out that make columns."""
    return re.sub(" +", " ", to_markdown(tuned, monitor=MAP, split="digits, split abc"))


def test_tuned_against_default_is_paired_and_corrected_over_the_objectives() -> None:
    first, second = against_default([TRIPLET, ARCFACE])[:2]
    assert (first.objective, first.other, first.metric) == ("triplet", "default", MAP)
    assert first.found and second.found
    assert (first.found.difference, first.found.half) == pytest.approx((1 / 15, 4.302653 / 30))
    assert (second.found.difference, second.found.half) == pytest.approx((0.2, 4.302653 * 0.1 / math.sqrt(3)))
    assert (first.found.p, second.found.p) == pytest.approx((P_TRIPLET, P_ARCFACE))
    assert (first.adjusted, second.adjusted) == pytest.approx((P_TRIPLET, 2 * P_ARCFACE))  # 0.184 and 0.148


def test_the_cells_are_those_by_hand() -> None:
    text = markdown(TRIPLET, ARCFACE)
    assert "| triplet | default | 0.6100 | 0.6000 ± 0.2484 | 0.3000 ± 0.0000 | 3 |\n" in text
    assert "\n| | tuned | 0.6700 | 0.7000 ± 0.2484 | 0.2000 ± 0.2484 | 3 |\n" in text
    assert "\n| | tuned - default | | +0.0667 ± 0.1434<br>p = 0.184, better in 2 of 3, 1 tie |" in text
    assert "\n| | tuned - default | | +0.2000 ± 0.2484<br>p = 0.148, better in 3 of 3 |" in text
    # Winners differ by 0, -0.1, 0: t = -1, and p = 1 - 1 / sqrt(3), of one pair.
    assert "\n| triplet | arcface | MAP@R | -0.0333 ± 0.1434 | p = 0.423 | 0 of 3, 2 ties |\n" in text


def test_less_is_better_for_an_error_rate() -> None:
    (one,) = [row for row in against_default([TRIPLET]) if row.metric == EER]
    assert one.found and one.found.difference == pytest.approx(-0.1) and one.found.better == pytest.approx(2 / 3)
    assert "EER (less is better)" in markdown(TRIPLET) and "better in 2 of 3, 1 tie" in markdown(TRIPLET)


def test_the_text_keeps_tuning_and_results_apart() -> None:
    text = to_markdown([TRIPLET, ARCFACE], monitor=MAP, split="digits, split abc", header="made so", notes=["Note."])
    assert text.startswith("<!-- made so -->\n\n### Tuned against default\n")
    assert "MAP@R, validation, best of 20 trials: no result" in text
    for said in (
        "- Split: digits, split abc.",
        "too good by chance; it chose them, and is no result.",
        "on seeds 10 to 12; test was scored once for each of these runs, then and only then",
        "Holm's correction, for each figure by itself: over 2 objectives against their defaults, and over 1 pair of",
        "- triplet, 20 trials: default `triplet()`, tuned `triplet(margin=0.3)`",
        "- Note.",
    ):
        assert said in text
    alone = markdown(replace(TRIPLET, trials=1, seeds=(3, 9, 4), default_value=None))
    assert "Winners against each other" not in alone and "over 1 objective against their defaults." in alone
    assert "did not train" in alone and "seeds 3, 4, 9;" in alone and "triplet, 1 trial:" in alone


def test_winners_are_paired_by_seed_and_not_by_place() -> None:
    turned = replace(
        ARCFACE,
        seeds=(12, 11, 10),
        winner_figures={key: list(values)[::-1] for key, values in ARCFACE.winner_figures.items()},
        default_figures={key: list(values)[::-1] for key, values in ARCFACE.default_figures.items()},
    )
    assert between_winners([TRIPLET, turned]) == between_winners([TRIPLET, ARCFACE])
    assert "other seeds" not in markdown(TRIPLET, turned)


def test_other_seeds_are_paired_over_those_in_common_and_it_is_said() -> None:
    other = replace(ARCFACE, seeds=(11, 12, 13))
    found = between_winners([TRIPLET, other])[0].found
    assert found == paired([0.6, 0.8], [0.6, 0.7])
    text = markdown(TRIPLET, other)
    assert "1 objective has other seeds than triplet, and winners are paired over those in common: arcface." in text
    assert "`arcface(margin=0.3)`, seeds 11 to 13" in text
    apart = replace(ARCFACE, seeds=(1, 2, 3))
    assert between_winners([TRIPLET, apart])[0].found is None
    assert "no seed in common" in markdown(TRIPLET, apart)


def test_a_run_that_came_to_nothing_leaves_its_pair_and_is_named() -> None:
    lost = replace(TRIPLET, winner_figures={MAP: [0.6, math.nan, 0.8], EER: [0.2, math.nan, 0.3]})
    gain = against_default([lost])[0].found
    assert gain == paired([0.6, 0.8], [0.5, 0.7])
    text = markdown(lost, ARCFACE)
    assert "1 retrained run came to nothing, left out of means and pairs: triplet tuned seed 11." in text
    assert gain and math.isnan(gain.half) and "+0.1000 (no interval)<br>no p, better in 2 of 2" in text
    partly = markdown(replace(TRIPLET, winner_figures={MAP: [0.6, math.nan, 0.8], EER: [0.2, 0.1, 0.3]}))
    assert "0.7000 ± 1.2706 (n = 2)" in partly and "came to nothing" not in partly  # 12.7062 * 0.1
    nothing = markdown(replace(TRIPLET, winner_figures={MAP: [math.nan] * 3, EER: [math.nan] * 3}), ARCFACE)
    assert "| | tuned | 0.6700 | none | none | 0 |\n| | tuned - default | | none | none | 0 |" in nothing
    assert "3 retrained runs came to nothing" in nothing


def test_one_seed_has_neither_interval_nor_p() -> None:
    text = markdown(made("triplet", [0.5], [0.6], seeds=(7,)))
    assert "+0.1000 (no interval)<br>no p, better in 1 of 1" in text and "0.6000 |" in text and "seeds 7;" in text


def test_rows_are_flat_and_json() -> None:
    rows = as_rows([TRIPLET, ARCFACE])
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert len({tuple(row) for row in rows}) == 1
    assert [row["row"] for row in rows] == ["default", "default", "tuned", "tuned"] * 2 + ["difference"] * 4 + [
        "winners"
    ] * 2
    tuned = rows[2]
    assert (tuned["values"], tuned["trials"], tuned["validation"], tuned["n"], tuned["seeds"]) == (
        "triplet(margin=0.3)", 20, 0.67, 3, "10 11 12",
    )  # fmt: skip
    difference = next(row for row in rows if row["row"] == "difference" and row["objective"] == "arcface")
    assert difference["p"] == pytest.approx(P_ARCFACE) and difference["p_holm"] == pytest.approx(2 * P_ARCFACE)
    assert difference["mean"] == pytest.approx(0.2) and difference["probability"] == 1


def test_names_that_would_break_a_table_do_not() -> None:
    text = markdown(replace(TRIPLET, name="a|b\nc\x1b[2J"))
    assert "a\\|b\\nc\\x1b[2J" in text and "\x1b" not in text


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": ()},
        {"seeds": (1, 1, 2)},
        {"seeds": (1, 2)},
        {"winner_figures": {MAP: [0.1, 0.2, 0.3]}},
        {"winner_figures": {MAP: [0.1, 0.2, math.inf], EER: [0.1] * 3}},
        {"winner_figures": {MAP: [[0.1, 0.2, 0.3]], EER: [0.1] * 3}},
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="triplet: "):
        replace(TRIPLET, **change)


def test_objectives_that_cannot_stand_in_one_table_are_refused() -> None:
    only = replace(ARCFACE, default_figures={MAP: [0.1] * 3}, winner_figures={MAP: [0.1] * 3})
    for tuned in ([], [TRIPLET, TRIPLET], [TRIPLET, only]):
        for function in (against_default, between_winners, as_rows):
            with pytest.raises(ValueError, match=r"objectives are called|arcface has"):
                function(tuned)
        with pytest.raises(ValueError, match=r"objectives are called|arcface has"):
            markdown(*tuned)
