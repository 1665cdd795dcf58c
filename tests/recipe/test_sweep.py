"""What --sweep says, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.sweep import check_settings, combinations, count, read_sweep, settings_of

KINDS = data_kinds()


def words_of(text: str) -> list[str]:
    return [" ".join(one.words(KINDS)) for one in combinations(read_sweep(text))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("loss = triplet | arcface", ["--loss triplet", "--loss arcface"]),
        ("loss=triplet", ["--loss triplet"]),
        (
            "loss = a | b; optimizer.lr = 0.1 | 0.2",
            [f"--loss {loss} --optimizer.lr {lr}" for loss in "ab" for lr in ("0.1", "0.2")],
        ),
        (
            "loss = triplet(margin=0.1, swap=True) + 0.5*center | multi_similarity(alpha=2, beta=40)",
            ["--loss triplet(margin=0.1, swap=True) + 0.5*center", "--loss multi_similarity(alpha=2, beta=40)"],
        ),
        (
            "(loss, miner) = (triplet(margin=0.1, swap=True), hard) | (arcface, none); seed = 1",
            ["--loss triplet(margin=0.1, swap=True) --miner hard --seed 1", "--loss arcface --miner none --seed 1"],
        ),
        ("data.root = 'a|b;c' | \"it's\" | it's", None),
        ("loss = pnp(variant='Dq') | pnp(variant=\"Iu\")", ["--loss pnp(variant='Dq')", '--loss pnp(variant="Iu")']),
        ("backbone.weights = '' | pretrained", ["--backbone.weights ", "--backbone.weights pretrained"]),
        ("backbone.freeze = true | False", ["--backbone.freeze", "--backbone.no_freeze"]),
        ("evaluate.recall_at = 1 5 | 1", ["--evaluate.recall_at 1 5", "--evaluate.recall_at 1"]),
        ("optimizer.lr = -1 | 1e-3", ["--optimizer.lr=-1", "--optimizer.lr 1e-3"]),
        ("data.name = glyphs | 'digits'", ["--data.name glyphs", "--data.name digits"]),
    ],
)
def test_every_combination_is_a_row_of_flags(text: str, words: list[str] | None) -> None:
    if words is None:
        with pytest.raises(SandboxError, match=r"data.root has the value \"it's\" twice"):
            read_sweep(text)
    else:
        assert words_of(text) == words


def test_the_last_axis_runs_fastest_and_combinations_are_counted() -> None:
    axes = read_sweep("(loss, miner) = (a, x) | (b, y) | (c, z); max_steps = 1 | 2")
    assert settings_of(axes) == ("loss", "miner", "max_steps")
    assert count(axes) == len(combinations(axes)) == 6
    assert [str(one) for one in combinations(axes)[1:3]] == [
        "loss = a, miner = x, max_steps = 2",
        "loss = b, miner = y, max_steps = 1",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" ", "--sweep is empty; write for example"),
        ("x" * 30_000, "has 30,000 characters"),
        ("loss", "'loss' is no NAME = VALUE"),
        ("= 3", "'= 3' is no NAME = VALUE"),
        ("lo ss = 3", "'lo ss' is no name of a setting"),
        ("loss =", "a value of loss is empty; an empty text is written ''"),
        ("loss = a |", "a value of loss is empty"),
        ("loss = a || b", "a value of loss is empty"),
        ("(loss, miner) = (a, )", r"a value of \(loss, miner\) is empty"),
        ("loss = a; ", 'nothing beside a ";"'),
        ("loss = a; loss = b", "has the setting 'loss' twice"),
        ("(loss, loss) = (a, b)", "has the setting 'loss' twice"),
        ("loss = a | b | a", "loss has the value 'a' twice"),
        ("loss = a | 'a'", "loss has the value \"'a'\" twice"),
        ("(loss, miner) = (a, b) | (c)", r"'\(c\)' has not a value for each of loss, miner"),
        ("(loss, miner) = a, b", "'a, b' has not a value for each"),
        ("(loss, miner) = (a, b, c)", "has not a value for each"),
        ("loss = triplet(margin=0.1 | arcface", r"at character 15: '\(' is not closed"),
        ("loss = triplet) | arcface", r"at character 15: '\)' closes no bracket"),
        ("loss = f([1) | b", r"at character 12: '\)' closes no bracket"),
        ("data.root = 'a | b", "at character 13: a quote is not closed"),
    ],
)
def test_what_is_no_sweep_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said) as caught:
        read_sweep(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "given_flags", "said"),
    [
        ("los = a", (), "no setting named 'los'; did you mean 'loss'"),
        ("optimizer.rate = 1", (), "no setting named 'optimizer.rate'"),
        ("recipe = quick", (), "no setting named 'recipe'"),
        ("seed = 1 | 2", (), "cannot vary seed: --seed and --seeds say"),
        ("(loss, device) = (a, cpu) | (b, cuda)", (), "cannot vary device"),
        ("after = abc", (), "cannot vary after"),
        ("loss = a | b", ("loss", "out"), "loss is swept and given as the flag --loss"),
        ("backbone.freeze = true", ("backbone.no_freeze",), "backbone.freeze is swept and given"),
    ],
)
def test_settings_that_cannot_be_swept_are_refused(text: str, given_flags: tuple[str, ...], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        check_settings(read_sweep(text), KINDS, given_flags)


def test_settings_of_single_data_sets_and_other_flags_are_no_mistake() -> None:
    check_settings(read_sweep("data.view = view1 | view2; backbone.name = conv4"), KINDS, ("loss", "backbone.stem"))


def test_a_truth_and_a_list_are_read_as_such() -> None:
    with pytest.raises(SandboxError, match=r"backbone\.freeze is 'maybe', but takes true or false"):
        words_of("backbone.freeze = maybe")
    with pytest.raises(SandboxError, match=r"evaluate\.recall_at is"):
        words_of("evaluate.recall_at = 1' 5")


@given(st.lists(st.text(alphabet="ab|;=,()'\" []", min_size=1, max_size=12), min_size=1, max_size=3))
def test_whatever_is_typed_is_read_or_refused_in_a_sentence(parts: list[str]) -> None:
    text = "loss = " + " | ".join(parts)
    try:
        axes = read_sweep(text)
    except SandboxError:
        return
    assert count(axes) == len(combinations(axes)) >= 1
