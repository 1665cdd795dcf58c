"""Embeddings as a data set: each kind of file gives the same rows; damaged ones are refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.catalog import load
from sandbox.data.checks.splits import check
from sandbox.data.checks.statistics import row_lines
from sandbox.data.datasets.embeddings import EmbeddingsSpec
from sandbox.errors import SandboxError

from fuzz import FUZZ, bounded, changed

pytestmark = pytest.mark.needs("pyarrow", 'pip install -e ".[parquet]"')

Y = np.repeat(np.arange(8), 4)
X = (np.random.default_rng(0).normal(size=(32, 5)) + 3 * Y[:, None]).astype(np.float32)
PARTS = ["train", "val", "test"]
SPLIT = np.array([PARTS[0] if label < 4 else PARTS[1] if label < 6 else PARTS[2] for label in Y])


def parquet(file: Path, **columns: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), file)


def written(folder: Path, kind: str) -> Path:
    """The same rows in one of the files that are read."""
    file = folder / f"rows.{kind.split()[0]}"
    match kind:
        case "npz":
            np.savez(file, embeddings=X, labels=Y)
        case "npz compressed":
            np.savez_compressed(file, embeddings=X, labels=Y.astype(str))
        case "npz by columns":
            np.savez(file, embeddings=np.asfortranarray(X.astype(np.float64)), labels=Y)
        case "npy":
            np.save(file, X)
            np.save(folder / "rows_labels.npy", Y)
        case "npy, text":
            file = folder / "rows.npy"
            np.save(file, X)
            (folder / "labels.txt").write_text("".join(f"{label}\n" for label in Y))
        case "parquet":
            parquet(file, embedding=list(X), label=Y)
    return file


def spec(file: Path, **settings: Any) -> EmbeddingsSpec:
    return EmbeddingsSpec(name="embeddings", root=str(file), **settings)


KINDS = ["npz", "npz compressed", "npz by columns", "npy", "npy, text", "parquet"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_rows_that_were_written(kind: str, tmp_path: Path) -> None:
    splits = load(spec(written(tmp_path, kind)))
    seen = []
    for part in splits.image_sets().values():
        for place, path in enumerate(part.paths):
            row = int(path.removeprefix("row "))
            seen.append(row)
            assert np.array_equal(part.pixels[place].ravel(), X[row])
            assert part.classes[part.labels[place]] == str(Y[row])
        assert part.form == "5 numbers each"
    assert sorted(seen) == list(range(32))
    assert not set(splits.train.classes) & set(splits.test.classes)
    compressed = any("compressed" in note for note in splits.notes)
    assert compressed == (kind == "npz compressed")
    assert isinstance(splits.train.pixels.whole, np.memmap) != compressed  # type: ignore[attr-defined]


def test_the_split_of_the_file_is_taken_unless_another_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "rows.npz"
    np.savez(file, embeddings=X, labels=Y, split=np.char.upper(SPLIT))
    splits = load(spec(file))
    assert [part.classes for part in (splits.train, splits.val, splits.test)] == [tuple("0123"), ("4", "5"), ("6", "7")]
    parquet(tmp_path / "rows.parquet", embeddings=list(X), labels=Y, split=SPLIT)
    assert load(spec(tmp_path / "rows.parquet")).digest == splits.digest
    drawn = load(spec(file, split="class"))
    assert drawn.digest != splits.digest and "its own split is left aside: data.split is class" in drawn.notes
    fold = load(spec(file, val_fold="1/3"))
    assert fold.val.classes == ("0", "1") and fold.train.classes == tuple("2345")
    assert np.array_equal(np.asarray(fold.val.pixels).reshape(-1, 5), X[:8])


def test_twins_are_found_and_rows_described(tmp_path: Path) -> None:
    file, x = tmp_path / "rows.npz", X.copy()
    x[31], x[5] = x[0], 0
    np.savez(file, embeddings=x, labels=Y, split=SPLIT)
    splits = load(spec(file))
    found = {finding.rule: finding.text for finding in check(spec(file), splits).findings}
    assert "the same, number for number, as one of another split" in found["twins-across-splits"]
    assert not any("mirror" in rule for rule in found)
    assert "1 row is zero" in " ".join(row_lines(splits.train.pixels))


def bad(name: str, folder: Path) -> EmbeddingsSpec:
    """A data set that cannot be read."""
    file = folder / "rows.npz"
    match name:
        case "nan":
            x = X.copy()
            x[7, 2] = np.nan
            np.savez(file, embeddings=x, labels=Y)
        case "no labels":
            np.savez(file, embeddings=X)
        case "no rows":
            np.savez(file, features=X, labels=Y)
        case "a part of no name":
            np.savez(file, embeddings=X, labels=Y, split=np.where(np.arange(32) == 9, "dev2", SPLIT))
        case "no validation":
            np.savez(file, embeddings=X, labels=Y, split=np.where(SPLIT == "val", "train", SPLIT))
        case "no split":
            np.savez(file, embeddings=X, labels=Y)
            return spec(file, split="given")
        case "another count":
            file = folder / "rows.npy"
            np.save(file, X)
            np.save(folder / "labels.npy", Y[:30])
        case "nothing beside":
            file = folder / "rows.npy"
            np.save(file, X)
            np.save(folder / "rows_label.npy", Y)
        case "two beside":
            file = written(folder, "npy")
            np.save(folder / "labels.npy", Y)
        case "a list of another length":
            file = folder / "rows.parquet"
            parquet(file, embedding=[*map(list, X[:-1]), [1.0]], label=Y)
        case "no number":
            file = folder / "rows.parquet"
            parquet(file, embedding=[["a"]] * 32, label=Y)
        case "no label":
            file = folder / "rows.parquet"
            parquet(file, embedding=list(X), label=[None if row == 4 else int(label) for row, label in enumerate(Y)])
        case "a size":
            return replace(spec(written(folder, "npz")), image_size=32)
        case "labels of an npz":
            return spec(written(folder, "npz"), labels="labels.npy")
        case "a folder":
            return spec(written(folder, "npz").parent)
        case "absent":
            return spec(written(folder, "npz").with_name("row.npz"))
        case "another ending":
            return spec(written(folder, "npz").rename(folder / "rows.zip"))
    return spec(file)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no label", r"column 'label' in .* must hold integers or strings, and row 4 is None"),
        ("nan", r"1 of 32 rows in .* hold NaN or infinity, the first in row 7"),
        ("no labels", r"has neither 'labels' nor 'paths'"),
        ("no rows", r"no array named 'embeddings'; there are 'features', 'labels'"),
        ("a part of no name", r"says train, val \(or validation\) or test, but row 9 has 'dev2'"),
        ("no validation", r"names no row for val; name some, or let it be drawn: data.split class or sample"),
        ("no split", r"data.split is given, but .* has no 'split'"),
        ("another count", r"holds 32 rows, but .*labels.npy names 30"),
        ("nothing beside", r"neither rows_labels.npy nor labels.npy .* did you mean 'rows_label.npy'"),
        ("two beside", r"rows_labels.npy and labels.npy lie beside"),
        ("a list of another length", r"row 31 of 'embedding' in .* has 1 numbers, and the first has 5"),
        ("no number", r"must hold numbers"),
        ("a size", r"data.image_size is 32, but embeddings are rows of numbers"),
        ("labels of an npz", r"data.labels is 'labels.npy', but a file that ends in .npz holds its labels itself"),
        ("a folder", r"is a folder, but a file is needed; did you mean .*rows.npz"),
        ("absent", r"no file at data.root .*did you mean 'rows.npz'"),
        ("another ending", r"reads .npz, .npy, .parquet"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=said) as refused:
        load(bad(name, tmp_path))
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "text").mkdir()
    return {kind: written(folder / ("text" if kind == "npy, text" else ""), kind) for kind in ("npz", "npy", "parquet")}


@FUZZ
@given(data=st.data(), kind=st.sampled_from(["npz", "npy", "parquet", "labels"]))
def test_a_damaged_file_is_read_or_refused(data: st.DataObject, kind: str, files: dict[str, Path]) -> None:
    source = files["npy"].with_name("rows_labels.npy") if kind == "labels" else files[kind]
    damaged = source.parent / f"damaged{source.suffix}"
    damaged.write_bytes(data.draw(changed(source.read_bytes())))
    good = files["npy"].with_name("rows_labels.npy")
    root, labels = (files["npy"], damaged) if kind == "labels" else (damaged, good)
    with bounded():
        try:
            splits = load(spec(root, labels=str(labels) if root.suffix == ".npy" else ""))
        except SandboxError as error:
            assert "\n" not in str(error)
        else:
            assert np.isfinite(np.asarray(splits.train.pixels)).all()
