"""`data.py table`: a data set as a list that `--data.name table` reads again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli.image_table import write_table
from sandbox.data.catalog import load
from sandbox.data.datasets.table import TableSpec
from sandbox.data.splits.roles import roles_of
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

from trees import READERS, folders, records, table


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRIC_LEARNING_SANDBOX_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("name", ["folder", "in_shop", "table"])
def test_what_is_written_is_the_same_set(tmp_path: Path, name: str) -> None:
    root, out = tmp_path / "set", tmp_path / "out.csv"
    root.mkdir()
    spec = table(root) if name == "table" else READERS[name](root, 0)[0]
    spec = replace(spec, root=spec.root or str(root), image_size=8, colour="rgb")
    told = write_table(spec, (str(out), ""))
    assert told[-1].endswith(f"images; read by --data.name table --data.root {out} --data.images {root}")
    whole, again = load(spec), load(TableSpec(root=str(out), name="table", images=str(root), image_size=8))
    assert again.digest == whole.digest
    for part, images in whole.image_sets().items():
        other = again.image_sets()[part]
        assert (images.pixels == other.pixels).all()
        for column in images.columns:
            if column not in ("is_query", "is_gallery"):
                assert images.columns[column].tolist() == other.columns[column].tolist()
        said, read = roles_of(images), roles_of(other)
        assert (said is None) == (read is None)
        if said is not None and read is not None:
            assert (said.query == read.query).all() and (said.gallery == read.gallery).all()
        if part != "train" and said is None:
            assert set(other.columns["is_query"]) == {"1"}


def test_a_folder_is_given_as_a_word_and_signs_are_kept(tmp_path: Path, command: Callable[..., Any]) -> None:
    folders(tmp_path / "set", range(8), 3)
    for old, new in (("p00", "# of marks"), ("p01", 'a "comma", and more')):
        (tmp_path / "set" / old).rename(tmp_path / "set" / new)
    out = tmp_path / "set" / "list.csv"
    done = command("data.py", "table", str(tmp_path / "set"), str(out))
    assert done.code == 0 and done.out.endswith(f"24 images; read by --data.name table --data.root {out}\n")
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["label"], Path(row["path"]).parent.name) for row in rows} == {
        (name, name) for name in (*(f"p{number:02d}" for number in range(2, 8)), "# of marks", 'a "comma", and more')
    }
    assert {row["split"] for row in rows} == {"train", "validation", "test"}
    spec = DataSpec(name="folder", root=str(tmp_path / "set"), image_size=8)
    assert load(TableSpec(name="table", root=str(out), image_size=8)).digest == load(spec).digest


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (("", ""), {}, r"table takes a folder and the list to write, ROOT OUT\.csv, or --data flags and OUT\.csv$"),
        (("out.txt", ""), {}, r"OUT is 'out\.txt', but names a file that ends in \.csv"),
        (("a", "out.csv"), {"root": "b"}, r"lies in 'a' and in --data\.root 'b', and one is meant"),
        (("out.csv", ""), {"name": "digits"}, "the images of 'digits' are no files of their own, so that no list can"),
        (("x", "out.csv"), {"name": "tabel"}, "no data set named 'tabel'; did you mean 'table'"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str], settings: dict[str, str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SandboxError, match=said) as refused:
        write_table(DataSpec(**settings), words)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value) and not list(tmp_path.iterdir())


def test_a_set_without_files_and_a_list_over_itself_are_refused(tmp_path: Path) -> None:
    records(tmp_path)
    with pytest.raises(SandboxError, match="the images of 'records' are no files of their own"):
        write_table(DataSpec(name="records", root=str(tmp_path)), (str(tmp_path / "out.csv"), ""))
    spec = table(tmp_path)
    with pytest.raises(SandboxError, match="is to be written and to be read"):
        write_table(spec, (spec.root, ""))
