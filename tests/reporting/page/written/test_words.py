"""Numbers and drawings of a page as a person reads them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from sandbox.reporting.page.found.packed import as_script, packed
from sandbox.reporting.page.written.curves import curve_panels
from sandbox.reporting.page.written.svg import ticks
from sandbox.reporting.page.written.words import LEAD, duration, leading, meaning, memory, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.6391944159946573, "0.6392"), (742.53, "742.5"), (1234, "1,234"), (12345.678, "12,346"), (0.003, "0.003"),
        (1.0, "1"), (3e-7, "3e-07"), (True, "yes"), (None, "not given"), ((1, 5), "1, 5"), ((), "none"),
        ("adamw", "adamw"),        (16.0, "16"), (100.0, "100"), (-0.25, "-0.25"), (0.0, "0"),
    ],
)  # fmt: skip
def test_a_value_has_the_digits_that_count(value: Any, text: str) -> None:
    assert number(value) == text


def test_seconds_and_bytes_are_readable() -> None:
    assert [duration(s) for s in (5.19, 42.4, 143, 3725)] == ["5.2 s", "42 s", "2 min 23 s", "1 h 2 min"]
    assert memory(2_053_046_272) == "2.05 GB"


def test_no_name_ends_the_element_that_holds_the_data() -> None:
    names = ["</script><script>alert(1)</script>", "<!--", "]]>", "a&b", "\u2028", "\ud800"]
    text = as_script(names)
    assert not set("<>&\u2028") & set(text) and json.loads(text) == names


def test_arrays_are_little_endian() -> None:
    assert packed(np.array([1, 258]), "u2") == {"kind": "u2", "bytes": "AQACAQ=="}


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.54, 0.72), (-3, 1e5), (1e-9, 2e-9)])
def test_ticks_lie_within_their_range(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 7 and all(low - 1e-12 <= value <= high * (1 + 1e-9) for value in found)


def test_curves_mark_the_best_validation_and_leave_out_what_is_not_finite() -> None:
    log = [
        {"step": k, "loss": float("nan") if k == 2 else 1.0, "val": {"verification/eer": e}}
        for k, e in ((1, 0.3), (2, 0.1), (3, 0.2))
    ]
    panels = {panel.title: panel for panel in curve_panels({"": log}, "verification/eer")}
    assert list(panels) == ["training loss", "validation EER"]
    assert panels["validation EER"].word == "best (framed): 0.1000 at step 2"
    assert "nan" not in panels["training loss"].svg and 'class="best"' in panels["validation EER"].svg
    assert curve_panels({"": []}, "verification/eer") == []


def test_episodes_come_first_where_they_are() -> None:
    few_shot = "fewshot/accuracy@5-way-1-shot"
    assert leading([few_shot, "retrieval/mrr", "verification/eer", "retrieval/map@r"]) == [
        "retrieval/map@r", "verification/eer", few_shot,
    ]  # fmt: skip
    assert meaning(few_shot).startswith("share of queries that are nearest to the mean of the images known")
    assert all(meaning(key) for key in LEAD)
