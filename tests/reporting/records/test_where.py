"""The language of --where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.reporting.records.where import DEEPEST, LONGEST, Both, Comparison, Either, Not, comparisons_in, parse_where

from fuzz import FUZZ, read_or_refused


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("seed < 5", [("seed", "<", [5.0])]),
        ("seed==1e0", [("seed", "=", [1.0])]),
        ("data.name = glyphs", [("data.name", "=", ["glyphs"])]),
        ("loss = \"triplet(margin=0.2, miner=triplet(type_of_triplets='hard'))\"", None),
        ("tag in (a, 'two words', 2024)", [("tag", "in", ["a", "two words", 2024.0])]),
        ("TAR@FAR=1e-3 >= .5", [("TAR@FAR=1e-3", ">=", [0.5])]),
        ("dir@fpir=1e-2>.5", [("dir@fpir=1e-2", ">", [0.5])]),
        ("'MAP@R' != none", [("MAP@R", "!=", [None])]),
        ("backbone.freeze=TRUE", [("backbone.freeze", "=", [True])]),
        ('tag = "true"', [("tag", "=", ["true"])]),
        ("data.val_fold = 1/4", [("data.val_fold", "=", ["1/4"])]),
        ("метка = 二", [("метка", "=", ["二"])]),
        ("digest = 45e931af682f", [("digest", "=", ["45e931af682f"])]),
        ("digest = 12e456789012", [("digest", "=", ["12e456789012"])]),
    ],
)
def test_a_test_is_a_name_an_operator_and_values(text: str, parts: list[tuple[str, str, list[object]]] | None) -> None:
    found = [
        (test.name, test.operator, [value.plain for value in test.values]) for test in comparisons_in(parse_where(text))
    ]
    assert found == (parts or [("loss", "=", ["triplet(margin=0.2, miner=triplet(type_of_triplets='hard'))"])])


def test_not_binds_before_and_and_that_before_or() -> None:
    tree = parse_where("a = 1 or not b = 2 and c not in (3) or not (d = 4 or e = 5)")
    assert isinstance(tree, Either) and len(tree.parts) == 3
    first, both, last = tree.parts
    assert isinstance(first, Comparison) and isinstance(both, Both) and isinstance(last, Not)
    assert [type(part) for part in both.parts] == [Not, Not] and isinstance(last.inner, Either)
    assert [str(test) for test in comparisons_in(tree)] == ["a = 1", "b = 2", "c in (3)", "d = 4", "e = 5"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", '--where is empty; write for example "data.name = glyphs and seed < 5"'),
        ("seed", "--where at character 5: one of =, !=, <, <=, >, >= and in is expected, not the end"),
        ("min Cllr < 1", "is expected, not 'Cllr'; a name of several words stands in quotes"),
        ("seed <", "--where at character 7: a value is expected, not the end"),
        ("seed < and", "--where at character 8: a value is expected, not 'and'"),
        ("seed < 5 loss = a", "--where at character 10: 'and', 'or' or the end is expected, not 'loss'"),
        ("and seed < 5", "--where at character 1: a name, such as data.name or seed, is expected, not 'and'"),
        ("seed < 5 and", "--where at character 13: a name, such as data.name or seed, is expected, not the end"),
        ("(seed < 5", "--where at character 10: ')', 'and' or 'or' is expected, not the end"),
        ("seed in 5", "--where at character 9: '(' is expected, not '5'"),
        ("seed in ()", "--where at character 10: a value is expected, not ')'"),
        ("seed in (1 2)", "--where at character 12: ',' or ')' is expected, not '2'"),
        ("seed not 5", "--where at character 10: 'in' is expected, not '5'"),
        ("data.name = 'glyphs", "--where at character 13: a quote is not closed"),
        ("seed ! 5", "--where at character 6: '!' stands there, but signs are =, !=, <, <=, >, >="),
        ("loss = triplet(margin=1)", "what has parentheses stands in quotes, such as loss = "),
        ("'' = 1", "--where at character 1: the name is empty"),
        ("seed = 1 and " * 400, f"--where has 5,200 characters, but at most {LONGEST:,} are read"),
        ("(" * 900, f"it is nested deeper than {DEEPEST}"),
        ("not " * 400 + "seed = 1", f"it is nested deeper than {DEEPEST}"),
    ],
)
def test_a_mistake_is_one_sentence_that_points_at_it(text: str, said: str) -> None:
    with pytest.raises(SandboxError) as caught:
        parse_where(text)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_long_choice_is_no_deep_one() -> None:
    text = " or ".join(f"seed = {seed}" for seed in range(120))
    assert len(list(comparisons_in(parse_where(text)))) == 120


@FUZZ
@given(
    st.text(alphabet=st.sampled_from("ab.@far=1e-3<>!()'\", \t\n二notandi\x00\u202e"), max_size=80)
    | st.text(max_size=60)
)
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    read_or_refused(lambda: parse_where(text))
