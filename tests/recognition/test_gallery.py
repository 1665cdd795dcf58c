from __future__ import annotations

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.recognition.gallery import clean_name, make_gallery


def test_rows_of_one_person_come_together_and_go_together() -> None:
    x = np.eye(4, dtype=np.float32)
    rows = make_gallery(x, ["b", "a", "b", "c"], list("0123"), list("wxyz"), ["d"] * 4)
    assert rows.names == ("a", "b", "c") and rows.person.tolist() == [0, 1, 1, 2]
    assert rows.files == tuple("1023") and rows.digests == tuple("xwyz")
    assert rows.x.argmax(1).tolist() == [1, 0, 2, 3] and rows.counts.tolist() == [1, 2, 1]
    left = rows.take(rows.person != 0)
    assert left.names == ("b", "c") and left.files == tuple("023") and left.person.tolist() == [0, 0, 1]
    both = left.joined(make_gallery(x[:1], ["c"], ["9"], [""], ["e"]))
    assert both.names == ("b", "c") and both.files == tuple("0239") and both.counts.tolist() == [2, 2]


@pytest.mark.parametrize(("given", "kept"), [(" Anna ", "Anna"), ("Z\u030cofie", "\u017dofie"), ("a b", "a b")])
def test_one_name_has_one_spelling(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize("given", ["", "  ", "UNKNOWN", "unknown "])
def test_what_is_nobody_s_name_is_refused(given: str) -> None:
    with pytest.raises(SandboxError, match=r"is no name|nobody can be enrolled"):
        clean_name(given)
