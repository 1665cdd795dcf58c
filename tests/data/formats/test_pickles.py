from __future__ import annotations

import builtins
import copyreg
import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.formats.pickles import read_pickle
from sandbox.errors import SandboxError

from fuzz import FUZZ, changed, read_or_refused

PLAIN = {b"data": [1, 2.5, None, True, (b"x", "text", -3)], "nested": {1: [[]], 2: ()}}
ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "held.pickle"


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_plain_values_come_back(file: Path, protocol: int) -> None:
    file.write_bytes(pickle.dumps(PLAIN, protocol=protocol))
    assert read_pickle(file) == PLAIN


@pytest.mark.parametrize("array", [ARRAY, ARRAY.astype(">f4"), np.asfortranarray(ARRAY.astype(float)), ARRAY[:0]])
def test_arrays_come_back(file: Path, array: np.ndarray) -> None:
    for protocol in (3, 4):
        file.write_bytes(pickle.dumps([array, array + 1], protocol=protocol))
        first, second = read_pickle(file)
        np.testing.assert_array_equal(first, array)
        np.testing.assert_array_equal(second, array + 1)
        assert first.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
    joblib.dump([array, b"between", array + 1], file)
    first, between, second = read_pickle(file)
    assert between == b"between"
    np.testing.assert_array_equal(first, array)
    np.testing.assert_array_equal(second, array + 1)


class Calls:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "held",
    [
        Calls(os.mkdir, ("went off",)),
        [ARRAY.tolist(), Calls(builtins.eval, ("__import__('os').mkdir('went off')",))],
        Calls(copyreg._reconstructor, (dict, dict, {})),
        {"key": Calls(np.load, ("x.npy",))},
    ],
)
def test_what_would_run_is_refused_and_not_run(
    file: Path, held: object, protocol: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    file.write_bytes(pickle.dumps(held, protocol=protocol))
    with pytest.raises(SandboxError, match=r"held\.pickle asks for '.*', which is refused because it could run code"):
        read_pickle(file)
    assert not (file.parent / "went off").exists()


@pytest.mark.parametrize(
    "program",
    [
        b"Pkept\n.",  # an object kept elsewhere
        b"\x80\x02\x82\x01.",  # a registered extension
    ],
)
def test_other_ways_to_objects_are_refused(file: Path, program: bytes) -> None:
    file.write_bytes(program)
    with pytest.raises(SandboxError, match="which is refused"):
        read_pickle(file)


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b".",
        b"\x80\x02K\x01)R.",  # a call of a number
        b"\x80\x02cnumpy\ndtype\n(K\x01K\x02lb.",  # a state for a name
        b"\x80\x02K\x01}b.",  # a state for a number
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R(K\x01K\x02K\x03t" + b"b.",  # a state of three
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # bytes without end
        b"\x80\x02]r\xff\xff\xff\x7f",  # place two thousand millions of the memo
    ],
)
def test_programs_that_make_no_sense_are_damage(file: Path, program: bytes) -> None:
    file.write_bytes(program)
    with pytest.raises(SandboxError, match="is damaged, cut short or not a pickle"):
        read_pickle(file)


LAUGHS = b"]\x94(" + b"".join(b"h" + bytes([k]) + b"h" + bytes([k]) + b"\x86\x94" for k in range(60))
"""Tuples of two that hold the one before twice, 60 deep: 2^60 lists to whoever walks through them."""


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x05\x8e" + (10**10).to_bytes(8, "little") + b"x.",  # 10 GB of bytes are declared
        b"\x80\x05\x96" + (10**10).to_bytes(8, "little") + b"x.",  # of a bytearray, which would be zeroed first
        b"\x80\x04\x95" + (10**10).to_bytes(8, "little") + b"N.",  # of a frame
        b"\x80\x04\x8d" + (10**10).to_bytes(8, "little") + b"x.",  # of text
        b"\x80\x02\x8b" + (2**31 - 1).to_bytes(4, "little") + b"x.",  # of a whole number
        b"\x80\x02\x8b" + b"\xff\xff\xff\xff" + b"x.",  # of a length below 0
        b"I" + b"9" * 5000 + b"\n.",  # more digits than Python reads
        b"L" + b"9" * 5000 + b"L\n.",
        b"\x80\x04" + LAUGHS + b"}h" + bytes([60]) + b"Ns.",  # a key that takes 2^60 steps to hash
        b"\x80\x04" + LAUGHS + b"(h" + bytes([60]) + b"Nd.",
        b"\x80\x04" + LAUGHS + b"}(h" + bytes([60]) + b"Nu.",
        b"\x80\x04" + LAUGHS + b"\x8f(h" + bytes([60]) + b"\x90.",  # a set of it
        b"\x80\x04" + LAUGHS + b"(h" + bytes([60]) + b"\x91.",
        b"\x80\x04cnumpy\ndtype\n" + LAUGHS + b"0h" + bytes([60]) + b"\x85R(K\x03\x8c\x01<tbN.",  # a type that it names
        b"\x80\x05\x97.",  # a buffer kept elsewhere
        b"\x80\x02]N0h\x05.",  # a place of the memo that is not there
        b"(" * 100_000,
        b"]" * 10_000 + b"a" * 10_001 + b".",
        b"]q\x00h\x00ah\x00N\x86a",
    ],
    ids=range(19),
)
def test_a_hostile_program_takes_neither_memory_nor_time(file: Path, program: bytes) -> None:
    file.write_bytes(program)
    tracemalloc.start()
    try:
        with pytest.raises(SandboxError, match="is damaged, cut short or not a pickle"):
            read_pickle(file)
        assert tracemalloc.get_traced_memory()[1] < 512 * 2**20
    finally:
        tracemalloc.stop()


def test_instructions_are_counted(file: Path) -> None:
    file.write_bytes(b"]" + b"\x94" * 2_000_001 + b".")  # each makes an entry of a hundred bytes
    with pytest.raises(SandboxError, match="more than 2,000,000 instructions"):
        read_pickle(file)


def test_lists_in_lists_ten_thousand_deep_are_a_plain_value(file: Path) -> None:
    file.write_bytes(b"]" * 10_000 + b"a" * 9_999 + b".")
    assert len(read_pickle(file)) == 1


@pytest.mark.parametrize("array", [np.array(["a"], dtype=object), np.array(["text"]), np.arange(3)])
def test_arrays_of_other_things_are_refused(file: Path, array: np.ndarray) -> None:
    file.write_bytes(pickle.dumps(array, protocol=4))
    with pytest.raises(SandboxError, match="neither bytes nor floats"):
        read_pickle(file)


@pytest.mark.parametrize("shape", [(2, 3, 5), (-24,), (10**30,), (24.0,), [24]])
def test_shapes_that_do_not_fit_are_damage(file: Path, shape: Any) -> None:
    again, made, (version, _, kind, by_columns, content) = ARRAY.__reduce__()
    state = (version, shape, kind, by_columns, content)
    file.write_bytes(pickle.dumps(Calls(again, made, state), protocol=4))
    with pytest.raises(SandboxError, match=r"held\.pickle is damaged"):
        read_pickle(file)


@FUZZ
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.booleans())
def test_whatever_is_changed_gives_plain_values_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: bool
) -> None:
    content = bytearray(pickle.dumps({b"data": ARRAY, **PLAIN}, protocol=2 + place % 3))
    place %= len(content)
    content[place] = value
    file = tmp_path_factory.getbasetemp() / "changed.pickle"
    file.write_bytes(content[:place] if cut else content)
    try:
        read_pickle(file)
    except SandboxError as error:
        assert str(file) in str(error) and "\n" not in str(error)


WHOLE = [pickle.dumps({b"data": ARRAY, **PLAIN}, protocol=protocol) for protocol in (2, 3, 4)]


@FUZZ
@given(data=st.data(), whole=st.sampled_from(WHOLE))
def test_bytes_put_in_taken_out_and_turned_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, whole: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "changed.pickle"
    file.write_bytes(data.draw(changed(whole)))
    read_or_refused(lambda: read_pickle(file))
