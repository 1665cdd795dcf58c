from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.formats.rows.embeddings import Embeddings, read_embeddings, renumber
from sandbox.errors import SandboxError

from fuzz import FUZZ, changed, read_or_refused

X = np.arange(8, dtype=np.float32).reshape(4, 2)
PATHS = ["a/1.png", "b/1.png", "a/2.png", "c/1.png"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "e.npz"


def read(file: Path, **arrays: Any) -> Embeddings:
    np.savez(file, **arrays)
    return read_embeddings(file)


def refusal(file: Path, **arrays: Any) -> str:
    with pytest.raises(SandboxError) as caught:
        read(file, **arrays)
    said = str(caught.value)
    assert str(file) in said
    assert "\n" not in said
    return said


def names(found: Embeddings) -> list[str]:
    return [found.classes[label] for label in found.labels]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_rows_labels_and_paths_come_back(file: Path, save: Any) -> None:
    save(file, embeddings=X, labels=[7, -3, 7, 100], paths=PATHS, notes=np.array([{}], dtype=object))
    found = read_embeddings(file)
    assert (found.x.dtype, found.labels.dtype, len(found)) == (np.float32, np.int64, 4)
    assert np.array_equal(found.x, X)
    assert found.classes == ("-3", "7", "100")
    assert found.labels.tolist() == [1, 0, 1, 2]
    assert found.paths == tuple(PATHS)


@pytest.mark.parametrize(
    "values",
    [
        np.array([2**53, 2**53 + 1, 2**53, 5], np.int64),
        np.array([2**64 - 1, 2**64 - 2, 2**63, 0], np.uint64),
        np.array([-128, 127, 0, -128], np.int8),
        np.array([1, 2, 10, 9], ">u2"),
    ],
)
def test_integer_labels_stay_exact_and_rank_as_numbers(file: Path, values: np.ndarray) -> None:
    found = read(file, embeddings=X, labels=values)
    assert [int(name) for name in names(found)] == [int(value) for value in values]
    assert list(found.classes) == [str(value) for value in sorted({int(value) for value in values})]
    assert found.paths is None


@pytest.mark.parametrize("kind", ["str", "bytes"])
def test_names_may_be_text_or_bytes(file: Path, kind: str) -> None:
    labels = ["Zoë", "10", "9", "Zoë"]
    given_labels = np.array(labels if kind == "str" else [label.encode() for label in labels])
    found = read(file, embeddings=X, labels=given_labels)
    assert found.classes == ("10", "9", "Zoë")
    assert names(found) == labels


def test_the_folder_around_a_path_is_its_class(file: Path) -> None:
    given_paths = ["data/Ann/1.png", r"C:\data\Bob\1.png", "/Ann//2.png", "Bob/./2.png"]
    found = read(file, embeddings=X, paths=given_paths)
    assert names(found) == ["Ann", "Bob", "Ann", "Bob"]
    assert found.paths == ("data/Ann/1.png", "C:/data/Bob/1.png", "/Ann//2.png", "Bob/./2.png")
    assert read(file, embeddings=X, paths=[path.encode() for path in given_paths]).paths == found.paths


def test_labels_win_over_folders_and_paths_then_need_none(file: Path) -> None:
    found = read(file, embeddings=X, labels=[1, 1, 2, 2], paths=["1.png", "2.png", "a/3.png", "4.png"])
    assert names(found) == ["1", "1", "2", "2"]
    assert found.paths == ("1.png", "2.png", "a/3.png", "4.png")


@pytest.mark.parametrize("dtype", ["f2", ">f4", "f8", "i8", "u1", "longdouble"])
def test_rows_become_float32(file: Path, dtype: str) -> None:
    given_rows = np.array([[0.1, 2.5], [3, 4]]).astype(dtype)
    found = read(file, embeddings=given_rows, labels=[0, 1])
    assert found.x.dtype == np.float32
    assert np.array_equal(found.x, given_rows.astype(np.float32))


def test_columns_may_lie_one_after_the_other(file: Path) -> None:
    found = read(file, embeddings=np.asfortranarray(X), labels=[0, 1, 2, 3])
    assert np.array_equal(found.x, X)
    assert found.x.flags.c_contiguous


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            {"embeding": X, "labels": [0] * 4},
            "no array named 'embeddings'; there are 'embeding', 'labels'; did you mean",
        ),
        ({}, "no array named 'embeddings'; it holds no array"),
        ({"embeddings": X, "label": [0] * 4}, "neither 'labels' nor 'paths'.* 'label'; did you mean 'label'"),
        ({"embeddings": X[0], "labels": [0] * 2}, r"shape \(2,\), but \(N, D\)"),
        ({"embeddings": np.array(1.0), "labels": [0]}, r"shape \(\), but \(N, D\)"),
        ({"embeddings": X[:0], "labels": []}, r"shape \(0, 2\)"),
        ({"embeddings": X[:, :0], "labels": [0] * 4}, r"shape \(4, 0\)"),
        ({"embeddings": X, "labels": [0] * 3}, r"4 rows, but its labels have the shape \(3,\) instead of \(4,\)"),
        ({"embeddings": X, "labels": [[0]] * 4}, r"its labels have the shape \(4, 1\)"),
        ({"embeddings": X, "labels": [0] * 4, "paths": PATHS[:3]}, r"its paths have the shape \(3,\)"),
        ({"embeddings": X + 1j, "labels": [0] * 4}, "must be floats or integers, not complex64"),
        ({"embeddings": X.astype(str), "labels": [0] * 4}, "must be floats or integers, not <U"),
        ({"embeddings": X > 1, "labels": [0] * 4}, "must be floats or integers, not bool"),
        ({"embeddings": X, "labels": [True, False] * 2}, "labels .* must be integers or strings, not bool"),
        ({"embeddings": X, "labels": np.array([1j] * 4)}, "must be integers or strings, not complex128"),
        ({"embeddings": X, "labels": np.zeros(4, "M8[s]")}, "must be integers or strings, not datetime64"),
        ({"embeddings": X, "labels": [0, 0.5, 1, 1.5]}, "labels .* integers or strings, but row 1 holds 0.5"),
        ({"embeddings": X, "labels": [0, 1, 1, np.nan]}, "row 3 holds nan"),
        ({"embeddings": X, "labels": [0, 1, np.inf, np.nan]}, "row 2 holds inf"),
        ({"embeddings": X, "labels": np.array([0, 1, 1, 3], np.float32)}, r"they are float32; .*2\^24"),
        ({"embeddings": X, "labels": ["a", "", "b", ""]}, "row 1 is empty"),
        ({"embeddings": X, "labels": [b"a", b"b", b"\xff", b"c"]}, "labels .* UTF-8 text, which row 2 is not"),
        ({"embeddings": X, "paths": [b"a/b", b"a/\xff", b"a/c", b"a/d"]}, "paths .* row 1 is not"),
        ({"embeddings": X, "labels": np.array(["a", "b", "c", "\ud800"])}, "row 3 is not"),
        ({"embeddings": X, "paths": [1, 2, 3, 4]}, "paths .* must be strings, not int64"),
        ({"embeddings": X, "paths": ["a/b", "a/c", "./c", "d"]}, "path of row 2 has no such folder: './c'"),
        ({"embeddings": X, "paths": ["a/b", "../c", "c", "d"]}, r"row 1 .* '\.\./c'"),
        ({"embeddings": X, "paths": ["a/b", "a/c", "a/c", ""]}, "row 3 .* ''"),
        ({"embeddings": X.astype(object), "labels": [0] * 4}, "embeddings .* Python objects.* run code; .*np.float32"),
        ({"embeddings": X, "labels": np.array([1, "a", 2, 3], object)}, "labels .* Python objects.* dtype=str"),
        ({"embeddings": X, "paths": np.array(PATHS, object)}, "paths .* Python objects"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(file: Path, arrays: dict[str, Any], said: str) -> None:
    assert re.search(said, refusal(file, **arrays))


def test_many_other_arrays_are_not_all_listed(file: Path) -> None:
    assert "'x11', ..." in refusal(file, **{f"x{place:02d}": X for place in range(30)})


def test_a_character_beyond_unicode_is_named(file: Path) -> None:
    for number in (0x110000, 0xFFFFFFFF, 0xDFFF):
        labels = np.array(["a", "bcd", "c", "d"])
        labels.view(np.uint32)[2 * 3 + 1] = number
        assert "row 2 is not" in refusal(file, embeddings=X, labels=labels)
        assert "row 2 is not" in refusal(file, embeddings=X, paths=labels.astype(">U3"))


def test_rows_that_are_not_finite_are_counted(file: Path) -> None:
    broken = np.ones((6, 3))
    broken[4, 1], broken[2, 0], broken[2, 2] = np.inf, np.nan, -np.inf
    assert "2 of 6 embeddings" in (said := refusal(file, embeddings=broken, labels=range(6)))
    assert "NaN or infinity, the first in row 2" in said
    wide = np.ones((6, 3))
    wide[3, 1], wide[5, 1] = -1e39, 4e38
    assert "2 of 6 embeddings" in (said := refusal(file, embeddings=wide, labels=range(6)))
    assert "beyond float32, whose largest is 3.403e+38, the first in row 3" in said
    wide[1, 1] = np.nan
    assert "1 of 6 embeddings" in (said := refusal(file, embeddings=wide, labels=range(6)))
    assert "NaN or infinity, the first in row 1" in said


def whole(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, X)
    return buffer.getvalue()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # without the time, which would be in the test's name
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"embeddings,labels\n", "is not an npz file"),
        (npy(), "is an npy file"),
        (whole(embeddings=X, labels=[0, 1, 2, 3])[:-40], "damaged or cut short: File is not a zip file"),
        (zipped(embeddings=b"1 2 3", labels=b"4"), "embeddings in .* is damaged or cut short: "),
        (zipped(embeddings=npy()[:-4], labels=b"4"), "embeddings in .* is damaged or cut short: "),
        (zipped(embeddings=npy() + b"?", labels=b"4"), "embeddings in .* goes on after its last number"),
    ],
)
def test_what_is_no_whole_npz_is_named(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    with pytest.raises(SandboxError, match=said) as caught:
        read_embeddings(file)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"cannot read the embeddings .*none\.npz: no such file"):
        read_embeddings(tmp_path / "none.npz")
    with pytest.raises(SandboxError, match="is a directory"):
        read_embeddings(tmp_path)
    with pytest.raises(SandboxError, match="null"):
        read_embeddings(tmp_path / "a\0b")


def test_a_row_count_beyond_memory_is_an_error(file: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000), }\n"
    file.write_bytes(zipped(embeddings=b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header))
    with pytest.raises(SandboxError, match=r"does not fit into memory|damaged"):
        read_embeddings(file)


def test_one_changed_number_is_found_by_its_checksum(file: Path) -> None:
    content = bytearray(whole(embeddings=X, labels=[0, 1, 2, 3]))
    content[content.index(X.tobytes()) + 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(SandboxError, match=r"embeddings in .* is damaged or cut short: Bad CRC-32"):
        read_embeddings(file)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "e.npz"


@FUZZ
@given(data=st.data(), compressed=st.booleans(), kind=st.sampled_from(["whole", "text", "bytes", "object"]))
def test_damage_never_ends_in_a_traceback(scratch: Path, data: st.DataObject, compressed: bool, kind: str) -> None:
    labels = {
        "whole": np.array([1, 2, 1, 2]),
        "text": np.array(["é", "b", "c", "d"]),
        "bytes": np.array([b"a", b"b", b"cc", b"d"]),
        "object": np.array([1, "a", 2, 3], dtype=object),
    }[kind]
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, embeddings=X, labels=labels, paths=PATHS)
    content = bytearray(buffer.getvalue())
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)
    ):
        content[place] = value
    scratch.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
    try:
        found = read_embeddings(scratch)
    except SandboxError as error:
        assert "\n" not in str(error)
    else:
        # Each array has a checksum: what is read is what was written.
        assert np.array_equal(found.x, X)
        assert found.labels.tolist() in (np.unique(labels, return_inverse=True)[1].tolist(), [0, 1, 0, 2])


@FUZZ
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY"]))
def test_garbage_never_ends_in_a_traceback(scratch: Path, content: bytes, start: bytes) -> None:
    scratch.write_bytes(start + content)
    with pytest.raises(SandboxError):
        read_embeddings(scratch)


@FUZZ
@given(
    header=st.fixed_dictionaries(
        {
            "descr": st.sampled_from(
                ["<f4", "<f2", "|O", "<U3", "|S0", "<U0", "|V3", "|b1", "<i8", "<M8[s]", "f99", ""]
            ),
            "fortran_order": st.sampled_from([True, False, 1]),
            "shape": st.sampled_from(
                [(4, 2), (4,), (), (-1, 2), (0,), (2**70,), (2**33, 2**31), (3, 0), "x", (4, 1, 2)]
            ),
        }
    ),
    which=st.sampled_from(["embeddings", "labels", "paths"]),
    follows=st.binary(max_size=64),
)
def test_any_header_is_read_or_refused(scratch: Path, header: dict[str, Any], which: str, follows: bytes) -> None:
    text = (repr(header) + "\n").encode()
    member = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + follows
    buffer = io.BytesIO()
    if which != "embeddings":
        np.savez(buffer, embeddings=X)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(f"{which}.npy", member)
    scratch.write_bytes(buffer.getvalue())
    try:
        found = read_embeddings(scratch)
    except SandboxError as error:
        assert "\n" not in str(error)
    else:
        assert found.x.ndim == 2


@given(st.lists(st.integers(-5, 200), min_size=1, max_size=8), st.lists(st.integers(-5, 200), min_size=1, max_size=8))
def test_one_class_has_one_number_in_query_and_gallery(query: list[int], gallery: list[int]) -> None:
    parts = []
    for values in (query, gallery):
        numbers, labels = np.unique(values, return_inverse=True)
        parts.append(
            Embeddings(np.zeros((len(values), 1), np.float32), labels.astype(np.int64), tuple(map(str, numbers)), None)
        )
    found = renumber(*parts)
    assert found[0].classes == found[1].classes == tuple(map(str, sorted({*query, *gallery})))
    for part, values in zip(found, (query, gallery), strict=True):
        assert names(part) == [str(value) for value in values]
        assert part.labels.dtype == np.int64


def test_names_are_joined_by_name(file: Path) -> None:
    first = read(file, embeddings=X, paths=PATHS)
    second = read(file, embeddings=X[:2], labels=["b", "10"])
    joint = renumber(first, second)
    assert joint[0].classes == joint[1].classes == ("10", "a", "b", "c")
    assert [part.labels.tolist() for part in joint] == [[1, 2, 1, 3], [2, 0]]
    assert joint[0].paths == tuple(PATHS)
    assert joint[0].x is first.x
    assert renumber() == []


@pytest.fixture(scope="module")
def packed() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, embeddings=X, labels=["a", "b", "a", "c"], paths=PATHS)
    return buffer.getvalue()


@FUZZ
@given(data=st.data())
def test_bytes_put_in_taken_out_and_turned_are_read_or_refused(
    scratch: Path, packed: bytes, data: st.DataObject
) -> None:
    scratch.write_bytes(data.draw(changed(packed)))
    read_or_refused(lambda: read_embeddings(scratch))


@pytest.mark.parametrize("kind", ["labels", "bytes", "paths"])
def test_spellings_of_one_name_are_one_class(file: Path, kind: str) -> None:
    given = ["Zo\xeb", "Zoe\u0308", " Zo\xeb", "Zoe"]
    if kind == "paths":
        found = read(file, embeddings=X, paths=[f"x/{name}/1.jpg" for name in given])
        assert found.paths == tuple(f"x/{name}/1.jpg" for name in given)
    else:
        found = read(file, embeddings=X, labels=[name.encode() for name in given] if kind == "bytes" else given)
    assert found.classes == ("Zoe", "Zo\xeb")
    assert names(found) == ["Zo\xeb", "Zo\xeb", "Zo\xeb", "Zoe"]
    assert found.spellings == set(given)


def test_labels_that_can_be_told_apart_stay_apart(file: Path) -> None:
    given = ["Ann Lee", "Ann  Lee", "ann lee", "\uff21nn Lee"]
    assert names(read(file, embeddings=X, labels=given)) == given


def test_a_label_of_blanks_names_no_class(file: Path) -> None:
    assert "row 1 is blank" in refusal(file, embeddings=X, labels=["a", " \u3000", "a", "b"])
    assert "has no such folder" in refusal(file, embeddings=X, paths=["a/1", "x/ /1", "a/2", "b/1"])
