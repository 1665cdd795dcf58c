from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.names import joined_notes, met_note, same_name, same_path

DECOMPOSED = "Zoe\u0308"
COMPOSED = "Zo\xeb"


@pytest.mark.parametrize("given", [DECOMPOSED, COMPOSED, f" {COMPOSED}\t", f"\u3000{DECOMPOSED}\xa0"])
def test_an_accent_of_its_own_and_blanks_at_the_ends_make_no_other_name(given: str) -> None:
    assert same_name(given) == COMPOSED


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ann", "ann"), ("Ann Lee", "Ann  Lee"), ("Zoe", COMPOSED), ("\uff21nn", "Ann"), ("Ann", "Ann\u200b")],
)
def test_what_can_be_seen_makes_another_name(one: str, other: str) -> None:
    assert same_name(one) != same_name(other)
    assert joined_notes([one, other]) == []


@given(st.text())
def test_every_spelling_comes_to_one(text: str) -> None:
    name = same_name(text)
    assert same_name(name) == name
    assert {same_name(unicodedata.normalize(form, f" {text}\n")) for form in ("NFC", "NFD")} == {name}


@given(st.lists(st.text(st.sampled_from("a e\u0301\u00e9.")), min_size=1, max_size=4))
def test_a_path_is_the_names_of_its_parts(parts: list[str]) -> None:
    assert same_path("/".join(parts)) == "/".join(map(same_name, parts))


def test_what_was_joined_is_counted_and_shown_in_ascii() -> None:
    assert joined_notes([COMPOSED, "Ann", COMPOSED]) == []
    assert joined_notes([COMPOSED, DECOMPOSED, "Ann"]) == [
        r"1 name is spelt in several ways and taken for one: 'Zoe\u0308' = 'Zo\xeb'"
    ]
    (many,) = joined_notes(f"{name}{blank}" for name in "abcde" for blank in ("", " "))
    assert (
        many
        == "5 names are each spelt in several ways and taken for one: 'a' = 'a ', 'b' = 'b ', 'c' = 'c ' and 2 more"
    )


def test_what_was_met_is_counted_and_shown_in_ascii() -> None:
    said = met_note([(COMPOSED, DECOMPOSED)], "the files")
    assert said.startswith("the list names 1 image in another spelling than the files (accents")
    assert said.endswith(r", the first 'Zo\xeb' = 'Zoe\u0308'")
