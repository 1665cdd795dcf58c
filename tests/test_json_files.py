"""JSON that other people may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.memory import available_memory, gigabytes
from sandbox.errors import SandboxError
from sandbox.files import parse_json, read_json

from fuzz import FUZZ, changed, read_or_refused

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_python_writes_is_read_as_python_reads_it(value: Any) -> None:
    text = json.dumps(value)
    assert parse_json(text) == json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested deeper than 50"),
        ("[" * 51 + "]" * 51, "nested deeper than 50"),
        ('{"a":' * 51 + "1" + "}" * 51, "nested deeper than 50"),
        ("9" * 400, "a whole number of 400 digits"),
        ("-" + "9" * 5000, "a whole number of 5,001 digits"),
        ("1e999", "not finite"),
        ("[NaN]", "not finite"),
        ("-Infinity", "not finite"),
        ('{"a": {"b": 1, "c": 2, "b": 1}}', "the key 'b' stands twice"),
        ("", "Expecting value"),
    ],
)
def test_what_is_no_plain_json_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_json(text)


def test_numbers_that_are_not_finite_are_taken_where_asked_for() -> None:
    assert parse_json("[1e999, -Infinity]", finite=False) == [float("inf"), -float("inf")]


def test_a_file_is_read_up_to_a_length(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("[1, 2]")
    assert read_json(file, most=6) == [1, 2]
    with pytest.raises(SandboxError, match="cannot be read: it is longer than 5 bytes"):
        read_json(file, most=5)
    with file.open("r+b") as stream:
        stream.truncate(2**33)  # a hole of eight gigabytes
    with pytest.raises(SandboxError, match="cannot be read: it is longer than"):
        read_json(file)
    with pytest.raises(SandboxError, match="cannot be read: Is a directory"):
        read_json(tmp_path)


@FUZZ
@given(data=st.data())
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = tmp_path_factory.getbasetemp() / "turned.json"
    file.write_bytes(data.draw(changed(b'{"a": [1, 2.5e3, null, true, "\\u00e9"], "b": {"c": {}}}', most=6)))
    read_or_refused(lambda: read_json(file))


def test_some_memory_is_left_and_is_spelt() -> None:
    assert 2**20 < available_memory() < 2**63
    assert [gigabytes(size) for size in (7.44e9, 12e6, 0)] == ["7.4 GB", "12 MB", "0 MB"]
