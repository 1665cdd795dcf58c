from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.runs.tags import LONGEST, checked_tags

from fuzz import FUZZ, read_or_refused


def test_a_tag_is_of_any_script_and_kept_once() -> None:
    tags = ("pilot", "v2.1_x-y", "二", "กำลัง", "हिन्दी", "pilot", "e\u0301", "\u00e9", "x" * LONGEST)
    assert checked_tags(tags) == ("pilot", "v2.1_x-y", "二", "กำลัง", "हिन्दी", "\u00e9", "x" * LONGEST)


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("", "'' is no tag: letters, digits, - _ and . make one"),
        ("two words", "'two words' is no tag"),
        ("a\x1b[2J", r"'a\x1b[2J' is no tag"),
        ("a\u202eb", "is no tag"),
        ("a,b", "'a,b' is no tag"),
        ("../up", "'../up' is no tag"),
        ("x" * 65, "has 65 characters, but has at most 64"),
        ("x" * 10**6, "has 1,000,000 characters"),
    ],
)
def test_what_is_no_tag_is_refused(tag: str, said: str) -> None:
    with pytest.raises(SandboxError) as caught:
        checked_tags([tag])
    assert said in str(caught.value) and len(str(caught.value)) < 200


@FUZZ
@given(st.text(max_size=70))
def test_a_tag_that_is_kept_can_be_seen_and_typed(tag: str) -> None:
    kept = read_or_refused(lambda: checked_tags([tag]))
    assert kept is None or (kept[0].isprintable() and not set(kept[0]) & set(" ,/\\\"'()=<>!"))
