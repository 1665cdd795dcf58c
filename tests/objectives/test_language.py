from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.objectives.language import LONGEST, Call, Term, Tune, parse, parse_call, parse_value
from sandbox.objectives.resolve import resolve

from fuzz import FUZZ, bounded, changed, read_or_refused


def test_a_bare_name_is_a_term_of_weight_one() -> None:
    assert parse("triplet") == (Term(1.0, Call("triplet")),)


def test_terms_are_kept_in_order_with_their_weights() -> None:
    assert parse("arcface + 0.5*triplet(0.1) + 2*center(alpha=0.3)") == (
        Term(1.0, Call("arcface")),
        Term(0.5, Call("triplet", (0.1,))),
        Term(2.0, Call("center", (), {"alpha": 0.3})),
    )


def test_a_hundred_terms_are_no_depth() -> None:
    assert len(parse("+".join(["triplet"] * 100))) == 100


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1.5e-3", -0.0015),
        ("+2", 2),
        ("--2", 2),
        ("True", True),
        ("None", None),
        ("'a b'", "a b"),
        ("[1, 2.5, [3]]", (1, 2.5, (3,))),
        ("(1, 2)", (1, 2)),
        ("{'loss': mean}", {"loss": Call("mean")}),
        ("f(1, x=g(2))", Call("f", (1,), {"x": Call("g", (2,))})),
        ("tune(0, 1)", Tune(0, 1)),
        ("tune(1e-3, 1, log=True)", Tune(1e-3, 1, log=True)),
        ("tune([64, 'all', hard])", Tune(choices=(64, "all", Call("hard")))),
        ("tune()", Tune()),
    ],
)
def test_a_value_reads_as(text: str, value: object) -> None:
    read = parse_value(text)
    assert read == value
    assert type(read) is type(value)


def test_only_an_unmarked_range_is_bare() -> None:
    assert Tune().bare
    assert not Tune(0, 1).bare
    assert not Tune(choices=(1,)).bare


@pytest.mark.parametrize("mark", [Tune(), Tune(0.1, 0.5), Tune(1, 8, log=True), Tune(choices=(1, "all", True))])
def test_a_mark_reads_back_from_its_text(mark: Tune) -> None:
    assert parse_value(str(mark)) == mark


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_objective_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SandboxError, match="is empty; write for example"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("triplet +", "invalid syntax"),
        ("triplet(margin=0.1", "never closed"),
        ("triplet - center", "is no term"),
        ("triplet / 2", "is no term"),
        ("triplet * 2", "is no weight"),
        ("True*triplet", "is no weight"),
        ("'2'*triplet", "is no weight"),
        ("0*triplet", "is not above 0"),
        ("-1*triplet", "is not above 0"),
        ("1e-400*triplet", "is not above 0"),
        ("tune(-1, 1)*triplet", "is not above 0"),
        ("tune([0.1, 0])*triplet", "is not above 0"),
        ("tune(['a'])*triplet", "is no weight"),
        ("2*3*triplet", "is no value"),
        ("2*(triplet + center)", "is no name"),
        ("-triplet", "is no name"),
        ("3", "is no name"),
        ("losses.triplet", "is no name"),
        ("triplet()()", "is no name"),
        ("triplet(*[1])", r"which the objective language does not have"),
        ("triplet(**{'margin': 1})", r"which the objective language does not have"),
        ("triplet(margin=1, margin=2)", "'margin' is given twice"),
        ("f(x={'a': b, 'a': c})", "'a' is given twice"),
        ("f(x=a.b)", "is no value"),
        ("f(x=1j)", "is no value"),
        ("f(x=b'1')", "is no value"),
        ("f(x=...)", "is no value"),
        ("f(x=-'1')", "is no value"),
        ("f(x=-True)", "is no value"),
        ("f(x=1 + 1)", "is no value"),
        ("f(x={**{}})", "is no value"),
        ("f(x=1e999)", "no number that a float can hold"),
        ("f(x=-1e999)", "no number that a float can hold"),
        (f"f(x={'9' * 400})", "no number that a float can hold"),
        (f"{'9' * 400}*f", "no number that a float can hold"),
        ("f(x=tune(1))", "takes two numbers"),
        ("f(x=tune(1, 2, 3))", "takes two numbers"),
        ("f(x=tune('a', 'b'))", "takes two numbers"),
        ("f(x=tune(True, 2))", "takes two numbers"),
        ("f(x=tune([]))", "takes two numbers"),
        ("f(x=tune([tune(0, 1)]))", "takes two numbers"),
        ("f(x=tune(log=True))", "takes two numbers"),
        ("f(x=tune(1, 2, step=1))", "not 'step'"),
        ("f(x=tune(1, 2, log=1))", "log is True or False"),
        ("f(x=tune(2, 1))", "not below the high end"),
        ("f(x=tune(1, 1))", "not below the high end"),
        ("f(x=tune(0, 1, log=True))", "starts above 0"),
    ],
)
def test_what_the_grammar_lacks_is_refused(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        parse(text)


HOSTILE = [
    "__import__('os').system('true')",
    "triplet(margin=__import__('os'))",
    "(lambda: 1)()",
    "triplet(margin=lambda: 1)",
    "[x for x in (1,)]",
    "triplet(margin=[x for x in (1,)])",
    "triplet(margin=2**99999999)",
    "2**2*triplet",
    "f'{1}'",
    "triplet(margin=f'{1}')",
    "triplet(\0)",
    "triplet\0",
    "trïplet",
    "(y := triplet)",
    "await triplet",
    "yield",
    "triplet if 1 else center",
    "triplet; center",
    "import os",
    "triplet, center",
    "triplet(miner=hard)[0]",
    "a" * (LONGEST + 1),
    "(" * 900 + ")" * 900,
    "[" * 150 + "]" * 150,
    "f(" * 900 + ")" * 900,
    "triplet(margin=" + "-" * 1000 + "1)",
    "triplet(margin=" + "[" * 40 + "]" * 40 + ")",
    "xbm(" * 60 + "triplet" + ")" * 60,
    "a" + ".a" * 900,
    "triplet" + "()" * 900,
    "\ud800",
    "triplet\x0c + \x0c(1,)",
    "\\",
    "'\\N{",
    "#",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(SandboxError) as caught:
        resolve(text)
    assert 0 < len(str(caught.value)) < 3 * LONGEST


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@FUZZ
@given(
    st.text(max_size=40)
    | st.text(alphabet="trilp(),=+-*[]{}:'\"x019. \n\r\t#\\_", max_size=40)
    | st.lists(
        st.sampled_from(
            ["triplet", "tune", "xbm", "none", "(", ")", "[", "]", "{", "}", ",", "=", "+", "*", "1", "'a'", ":", "0.5"]
        ),
        max_size=14,
    ).map("".join)
)
@example("0_0*triplet")
@example("xbm(none)")
@example("triplet(reducer=multiple(none))")
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (resolve, parse_value, lambda words: parse_call(words, "miner")):
        try:
            read(text)  # type: ignore[operator]
        except SandboxError as error:
            assert str(error)


MORE = [
    "(" * 10_000 + "triplet" + ")" * 10_000,
    "triplet(margin=1e999)",
    "triplet(margin=-1e999)",
    "triplet(margin=" + "9" * 1900 + ")",
    "triplet(margin=0x" + "f" * 1900 + ")",
    "1e999*triplet",
    "9" * 400 + "*triplet",
    "tr\u0456plet",  # a Cyrillic letter
    "\uff54\uff52\uff49\uff50\uff4c\uff45\uff54(margin=\uff11)",  # wide letters, and a digit that is no number
    "triplet\0",
    "triplet(margin='\0')",
    "a" * 1999,
    "a" * 10**6,
    "triplet(" + "a" * 1900 + "=1)",
    "__import__('os').system('true')",
    "triplet(margin=__import__('os'))",
    "triplet(margin=" + "[" * 900 + "]" * 900 + ")",
    "triplet(margin=" + "-" * 1900 + "1)",
    "+".join(["triplet"] * 5000),
    "+".join(["arcfase"] * 240),
    "triplet(" + ",".join(["margin=1"] * 200) + ")",
    "xbm(" * 300 + "triplet" + ")" * 300,
    "triplet(margin=10**10**10)",
    "triplet(margin=lambda: 1)",
    "triplet if 1 else triplet",
    "f'{triplet}'",
    "triplet(margin='" + "\U0010ffff" * 1900 + "')",
    "*" * 2000,
    "triplet(margin={" + ",".join(f"{k}: 1" for k in range(250)) + "})",
]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("text", MORE, ids=range(len(MORE)))
def test_what_would_run_or_never_end_is_refused_in_bounds(text: str) -> None:
    with bounded(), pytest.raises(SandboxError):
        resolve(text)


VALID = [
    "triplet(margin=0.1, miner=semihard) + 0.003*center",
    "xbm(contrastive(pos_margin=0, neg_margin=1), memory_size=1024)",
    "arcface(margin=tune(5, 45), scale=tune([16, 32.0, 64]))",
]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@FUZZ
@given(data=st.data(), text=st.sampled_from(VALID))
def test_an_objective_with_characters_turned_is_read_or_refused(data: st.DataObject, text: str) -> None:
    given = data.draw(changed(text.encode())).decode("latin-1")
    read_or_refused(lambda: resolve(given))
