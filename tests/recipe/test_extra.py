"""Figures by other tables' names, as they are written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.recipe.extra import parse_extra, spell_extra
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import EvaluateSpec, Recipe


def test_figures_have_one_spelling_and_one_key_each() -> None:
    assert spell_extra("pauc@1e-2,  mINP;precision@5, mAP, ndcg@010") == "map, minp, ndcg@10, precision@5, pauc@0.01"
    assert [one.key for one in parse_extra("map, precision@5, pauc@0.01, fold_tar@1e-3")] == [
        "retrieval/map",
        "retrieval/precision@5",
        "verification/pauc@far=1e-2",
        "verification/fold_tar@far=1e-3",
    ]
    assert parse_extra(" ") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("maps", "'maps' is no figure; did you mean 'map'?; there are map, minp, ndcg@10"),
        ("map,", "'' is no figure"),
        ("map@5", "map is of the whole gallery and takes no @5"),
        ("ndcg", "ndcg has a k from 1 to 1,000,000, as in ndcg@10"),
        ("precision@0", "precision has a k from 1"),
        ("precision@2.5", "precision has a k from 1"),
        ("pauc@0", "pauc has a false accept rate above 0"),
        ("pauc@inf", "pauc has a false accept rate above 0"),
        ("fold_tar@1", "fold_tar has a false accept rate above 0 and below 1"),
        ("map, mAP", "names map twice"),
    ],
)
def test_what_names_no_figure_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)) as caught:
        check_ranges(Recipe(evaluate=EvaluateSpec(figures=text)))
    assert str(caught.value).startswith("evaluate.figures is '")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["map", "ndcg", "pauc", "@", ",", ";", " ", "8", "0.1", "1e400", "-", "\x00", "\u0663", "\u00b2"]
        )
    ).map("".join)
)
def test_any_text_is_read_or_refused_and_what_is_read_reads_back(text: str) -> None:
    try:
        spelt = spell_extra(text)
    except SandboxError:
        return
    assert spell_extra(spelt) == spelt
