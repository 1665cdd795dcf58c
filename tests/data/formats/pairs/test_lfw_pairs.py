from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.formats.pairs.lfw_pairs import indexed, read_pair_lines
from sandbox.errors import SandboxError

from fuzz import FUZZ, changed, read_or_refused

FOLDS = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nCy_D\t2\t1\nBob\t3\tCy_D\t2\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs.txt"


@pytest.mark.parametrize("separator", ["\t", " ", "   "])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_kinds_and_folds(file: Path, separator: str, ending: str) -> None:
    file.write_bytes(FOLDS.replace("\t", separator).replace("\n", ending).encode())
    lines = read_pair_lines(file)
    assert [(line.left, line.right) for line in lines] == [
        (("Ann", 1), ("Ann", 2)),
        (("Ann", 1), ("Bob", 3)),
        (("Cy_D", 2), ("Cy_D", 1)),
        (("Bob", 3), ("Cy_D", 2)),
    ]
    assert [line.same for line in lines] == [True, False, True, False]
    assert [line.fold for line in lines] == [1, 1, 2, 2]
    assert [line.number for line in lines] == [2, 3, 4, 5]


def test_one_number_is_one_fold(file: Path) -> None:
    file.write_text("2\nA 1 2\nB 1 2\nA 1 B 1\nA 2 B 2\n\n")
    assert [line.fold for line in read_pair_lines(file)] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 must hold"),
        ("Ann 1 2\n", "line 1 must hold .* not 'Ann 1 2'"),
        ("1\nAnn 1 2\nAnn 1 Bob\n", "line 3 must read .* not 'Ann 1 Bob'"),
        ("1\nAnn one 2\nAnn 1 Bob 2\n", "line 2 must read"),
        ("1\nAnn 1 2\nAnn 1 Bob 2 3\n", "line 3 must read"),
        ("1 1\nAnn 1 2\n", "promises 2 pairs, but 1 lines follow"),
    ],
)
def test_malformed_lines_are_named(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(SandboxError, match=rf"pairs\.txt.* {said}"):
        read_pair_lines(file)


def test_a_list_that_is_not_there_or_not_text_is_an_error(file: Path) -> None:
    with pytest.raises(SandboxError, match="cannot read the pair list"):
        read_pair_lines(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SandboxError, match="cannot read the pair list"):
        read_pair_lines(file)


def test_pairs_become_indices(file: Path) -> None:
    file.write_text(FOLDS)
    places = {("Ann", 1): 4, ("Ann", 2): 0, ("Bob", 3): 2, ("Cy_D", 1): 1, ("Cy_D", 2): 3}
    pairs = indexed(read_pair_lines(file), places, file, folds=True)
    assert pairs.left.tolist() == [4, 4, 3, 2]
    assert pairs.right.tolist() == [0, 2, 1, 3]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.fold is not None
    assert pairs.fold.tolist() == [1, 1, 2, 2]
    assert (pairs.left.dtype, pairs.same.dtype) == (np.int64, np.bool_)
    assert indexed(read_pair_lines(file), places, file).fold is None
    assert len(pairs) == 4


def test_absent_images_are_counted_and_named(file: Path) -> None:
    file.write_text(FOLDS)
    with pytest.raises(
        SandboxError, match=r"names 6 images .*: Ann 2 \(line 2\), Bob 3 \(line 3\), Cy_D 2 \(line 4\) \.\.\."
    ):
        indexed(read_pair_lines(file), {("Ann", 1): 0}, file)


@FUZZ
@given(data=st.data())
def test_a_list_with_bytes_turned_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.getbasetemp() / "changed.txt"
    file.write_bytes(data.draw(changed(b"2\t2\nAnn\t1\t2\nBob\t3\t4\nAnn\t1\tBob\t3\nC_D\t2\tBob\t4\n" * 2)))
    read_or_refused(lambda: read_pair_lines(file))
