"""Steps after the embedding as they are written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.recipe.after import parse_steps, spell_steps
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import EvaluateSpec, Recipe, digest


def test_a_chain_has_one_spelling_whatever_its_blanks_and_defaults() -> None:
    text = " center+ whiten( dims = 128 ) + rerank(20, k2=8, lambda=3e-1)"
    assert spell_steps(text) == "center + whiten(128) + rerank(k2=8)"
    assert spell_steps(spell_steps(text)) == spell_steps(text)
    first, second, third = parse_steps(text)
    assert (first.fitted, second.whole("dims"), third["lambda"], third.orders) == (True, 128, 0.3, True)
    assert spell_steps("aqe(alpha=1e+1, k=3)") == "aqe(k=3, alpha=10)"
    assert spell_steps("whiten") == "whiten" and spell_steps("  ") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("whitten(128)", "there is no step named 'whitten'; did you mean 'whiten'?; there are center, pca"),
        ("whiten(128", "steps are joined by +, such as 'whiten(128) + rerank(k1=20, k2=6)'"),
        ("whiten(128) rerank", "steps are joined by +"),
        ("whiten(128) +", "steps are joined by +"),
        ("whiten(dim=3)", "whiten takes dims, not 'dim=3'; did you mean 'dims'?"),
        ("whiten(3, 4)", "whiten takes dims, not '4'"),
        ("center(3)", "center takes no number, not '3'"),
        ("whiten(dims=3, dims=4)", "gives dims of whiten twice"),
        ("whiten(2.5)", "dims of whiten is 2.5, but is a whole number"),
        ("whiten(0)", "dims of whiten is 0, but lies between 1 and 65536"),
        ("whiten(ten)", "dims of whiten is 'ten', which is no number"),
        ("aqe(alpha=nan)", "alpha of aqe is nan, but lies between 0 and 100"),
        ("rerank(lambda=1.5)", "lambda of rerank is 1.5, but lies between 0 and 1"),
        ("rerank(k1=5, k2=6)", "where k2 of rerank is 6, but is at most its k1, 5"),
        ("rerank(k1=,k2=6)", "k1 of rerank is '', which is no number"),
        ("pca", "pca needs its dims, such as pca(128)"),
        ("center + center", "names center twice"),
        ("rerank + whiten(3)", "after rerank stands another step"),
        ("aqe + rerank", "after aqe stands another step: aqe and rerank each choose the order"),
    ],
)
def test_what_is_no_chain_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)) as caught:
        check_ranges(Recipe(evaluate=EvaluateSpec(after=text)))
    assert str(caught.value).startswith(f"evaluate.after is '{text}'") and "\n" not in str(caught.value)


def test_a_chain_and_figures_name_a_recipe_only_where_they_are_asked_for_and_however_they_are_spelt() -> None:
    plain = digest(Recipe())
    assert digest(Recipe(evaluate=EvaluateSpec(figures="", after=""))) == plain == "cd2dbe962748"
    named = {digest(Recipe(evaluate=EvaluateSpec(after=text))) for text in ("rerank", "rerank( k1=20,k2=6 )")}
    asked = {digest(Recipe(evaluate=EvaluateSpec(figures=text))) for text in ("map, ndcg@5", "nDCG@5; mAP")}
    assert len(named) == len(asked) == 1 and len(named | asked | {plain}) == 3


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "whiten",
                "rerank",
                "aqe",
                "center",
                "k1",
                "=",
                "(",
                ")",
                ",",
                "+",
                " ",
                "8",
                "1e400",
                "-",
                "\x00",
                "\u0663",
            ]
        )
    ).map("".join)
)
def test_any_text_is_read_or_refused_and_what_is_read_reads_back(text: str) -> None:
    try:
        spelt = spell_steps(text)
    except SandboxError:
        return
    assert spell_steps(spelt) == spelt
