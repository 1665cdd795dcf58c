"""Lists of images, and the files that they mean."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.formats.images.image_lists import located, read_lines
from sandbox.errors import SandboxError

Write = Callable[..., Path]


def words(file: Path, text: str, count: int) -> list[tuple[str, ...]]:
    file.write_text(text)
    return [line.words for line in read_lines(file, count, "a.jpg 17")]


def test_where_a_line_holds_tabs_names_may_hold_blanks(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    assert words(file, "my cat.jpg\tAnn Lee\nb.jpg 17\n c.jpg \t 5\n", 2) == [
        ("my cat.jpg", "Ann Lee"),
        ("b.jpg", "17"),
        ("c.jpg", "5"),
    ]
    assert words(file, "a.jpg\tb.jpg 1\n", 3) == [("a.jpg", "b.jpg", "1")]
    with pytest.raises(SandboxError, match=r"line 1 must read like 'a\.jpg 17'"):
        words(file, "my cat.jpg 17\n", 2)


SPELT = ("Zo\xeb/Jos\xe9.png", "Bo /a b.png", "c.png")


@pytest.mark.parametrize(("listed", "tree"), [("NFC", "NFC"), ("NFC", "NFD"), ("NFD", "NFC")])
def test_files_are_found_in_any_spelling_and_opened_by_their_own(
    tmp_path: Path, write_image: Write, listed: str, tree: str
) -> None:
    names, files = ([unicodedata.normalize(form, path) for path in SPELT] for form in (listed, tree))  # type: ignore[arg-type]
    for path in files:
        write_image(tmp_path / path)
    names[1] = names[1].replace("Bo ", "Bo")
    notes: list[str] = []
    found = located(tmp_path / "list.txt", tmp_path, enumerate(names, start=1), notes)
    assert found == {name: tmp_path / path for name, path in zip(names, files, strict=True)}
    assert all(path.is_file() for path in found.values())
    (told,) = notes
    assert told.startswith(f"the list names {'1 image' if listed == tree else '2 images'} in another spelling than")
    first = 1 if listed == tree else 0
    assert told.endswith(f"the first {names[first]!a} = {files[first]!a}")


def test_of_two_spellings_beside_each_other_neither_is_guessed(tmp_path: Path, write_image: Write) -> None:
    for name in ("a", "a "):
        write_image(tmp_path / name / "b.png")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system takes them for one")
    assert located(tmp_path / "l", tmp_path, [(1, "a /b.png")]) == {"a /b.png": tmp_path / "a " / "b.png"}
    with pytest.raises(SandboxError, match=r"names 1 image that is not in .*:  a/b\.png \(line 7\)"):
        located(tmp_path / "l", tmp_path, [(7, " a/b.png")])


@given(st.text(st.sampled_from("a/.\\ e\u0301\u00e9\0"), max_size=12))
def test_no_name_leads_outside_or_to_a_traceback(name: str) -> None:
    base = Path(__file__).parent
    with pytest.raises(SandboxError, match="names 1 image that is not in"):
        located(base / "list.txt", base, [(1, f"{name}.png")])
