"""Images that a table lists: open-metric-learning's columns, as CSV, TSV and Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sandbox.data.catalog import files_of, load, root_of
from sandbox.data.datasets.table import TableSpec
from sandbox.data.images.decode import decode
from sandbox.data.splits.roles import roles_of
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError

from fuzz import FUZZ, changed, read_or_refused

Cells = dict[str, list[Any]]
SIDE = 8


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images img/0_0.png to img/7_2.png of 12 x 10 pixels: three of each of eight classes."""
    root = tmp_path_factory.mktemp("set")
    (root / "img").mkdir()
    for number in range(24):
        noise = np.random.default_rng(number).integers(0, 256, (10, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / "img" / f"{number // 3}_{number % 3}.png")
    return root


def cells() -> Cells:
    """Five classes to train on and three to validate, as open-metric-learning's tables have them."""
    places = range(24)
    return {
        "label": [f"c{place // 3}" for place in places],
        "path": [f"img/{place // 3}_{place % 3}.png" for place in places],
        "split": ["train" if place < 15 else "validation" for place in places],
        "is_query": [None if place < 15 else place % 3 == 0 for place in places],
        "is_gallery": [None if place < 15 else place % 3 > 0 for place in places],
        "camera": [place % 3 for place in places],
    }


def write(root: Path, held: Cells, name: str = "list.csv") -> Path:
    """The table, as pandas writes it."""
    frame, file = pd.DataFrame(held), root / name
    if file.suffix == ".parquet":
        frame.to_parquet(file)
    else:
        frame.to_csv(file, index=False, sep="\t" if file.suffix == ".tsv" else ",")
    return file


def read(file: Path, **settings: Any) -> Splits:
    return load(TableSpec(name="table", root=str(file), image_size=SIDE, **settings))


def paths_of(splits: Splits) -> set[str]:
    return {*splits.train.paths, *splits.val.paths, *splits.test.paths}


@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "list.parquet"])
def test_a_table_is_read_as_open_metric_learning_has_it(images: Path, name: str) -> None:
    splits = read(write(images, cells(), name))
    assert set(splits.test.classes) == {"c5", "c6", "c7"}
    assert {*splits.train.classes, *splits.val.classes} == {"c0", "c1", "c2", "c3", "c4"}
    assert paths_of(splits) == set(cells()["path"])
    for part in (splits.train, splits.val, splits.test):
        for row, path in enumerate(part.paths):
            assert part.classes[part.labels[row]] == f"c{path[4]}" and part.columns["camera"][row] == path[6]
            np.testing.assert_array_equal(part.pixels[row], decode(images / path, SIDE, 3))
    asks = [str(int(path.endswith("0.png"))) for path in splits.test.paths]
    assert splits.test.columns["is_query"].tolist() == asks
    assert splits.train.columns["is_query"].tolist() == [""] * len(splits.train)
    assert "split" not in splits.test.columns
    said = "\n".join(splits.notes)
    assert f"{name} names no test images: the 9 that it names for validation are tested" in said
    assert "no part of the set is for validation: 3 of its 15 training images, 1 whole class" in said
    roles = roles_of(splits.test)
    assert roles is not None and (int(roles.query.sum()), int(roles.gallery.sum())) == (3, 6)


def test_all_three_parts_go_where_the_column_says(images: Path) -> None:
    held = cells()
    held["split"] = ["train"] * 12 + ["val"] * 6 + ["TEST"] * 6
    splits = read(write(images, held))
    assert [part.classes for part in (splits.train, splits.val, splits.test)] == [
        ("c0", "c1", "c2", "c3"), ("c4", "c5"), ("c6", "c7"),
    ]  # fmt: skip
    assert read(write(images, held), split="given").digest == splits.digest
    anew = read(write(images, held), split="class")
    assert anew.digest != splits.digest and "the parts that list.csv names are pooled, and parted anew" in anew.notes
    held["split"] = ["train"] * 24
    assert any("for training alone" in note for note in read(write(images, held)).notes)


def test_rows_in_another_order_are_the_same_set(images: Path) -> None:
    held, order = cells(), np.random.default_rng(0).permutation(24)
    first = read(write(images, held))
    shuffled = {name: [column[row] for row in order] for name, column in held.items()}
    assert read(write(images, shuffled)).digest == first.digest


def test_without_a_split_it_is_drawn_as_elsewhere(images: Path) -> None:
    held = {"label": [f"c{place // 3}" for place in range(24)], "path": cells()["path"]}
    assert not read(write(images, held)).closed_set and read(write(images, held)).notes == ()
    held["label"] = [f"c{place // 12}" for place in range(24)]
    assert read(write(images, held), split="sample").closed_set
    with pytest.raises(SandboxError, match=r"data\.split is 'given', but list\.csv names no image for test or valid"):
        read(write(images, held), split="given")


def test_a_box_is_what_is_seen_of_the_image(images: Path) -> None:
    held = cells()
    boxes = [(1, 2, 11, 9), None] * 12
    for place, name in enumerate(("x_1", "y_1", "x_2", "y_2")):
        held[name] = [box and box[place] for box in boxes]
    splits = read(write(images, held))
    assert "4 columns of numbers such as 3.0 taken for whole numbers: x_1, y_1, x_2, y_2" in splits.notes
    for row, path in enumerate(splits.train.paths):
        with Image.open(images / path) as image:
            image.crop((1, 2, 11, 9) if cells()["path"].index(path) % 2 == 0 else (0, 0, 12, 10)).save(images / "x.png")
        np.testing.assert_array_equal(splits.train.pixels[row], decode(images / "x.png", SIDE, 3))
    assert set(splits.train.columns["x_2"]) == {"11", ""}


def test_several_boxes_of_one_file_are_several_images(images: Path) -> None:
    held: Cells = {"label": [], "path": [], "x_1": [], "y_1": [], "x_2": [], "y_2": []}
    for number in range(24):  # two people in each photograph
        for left in (0, 6):
            row = (f"c{number % 4}{left}", f"img/{number // 3}_{number % 3}.png", left, 0, left + 6, 10)
            for name, value in zip(held, row, strict=True):
                held[name].append(value)
    spec = TableSpec(name="table", root=str(write(images, held)), image_size=SIDE)
    splits = load(spec)
    assert len(paths_of(splits)) == 48 and "img/0_0.png#6,0,12,10" in paths_of(splits)
    assert sorted(files_of(spec, splits)) == sorted((images / "img").iterdir())


def test_paths_below_another_folder_and_absolute_ones(images: Path, tmp_path: Path) -> None:
    held = cells()
    first = read(write(images, held))
    elsewhere = write(tmp_path, held)
    with pytest.raises(SandboxError, match=r"names 24 images that are not in .*: img/0_0\.png \(line 2\)"):
        read(elsewhere)
    assert read(elsewhere, images=str(images)).digest == first.digest
    held["path"] = [str(images / path) for path in held["path"]]
    spec = TableSpec(name="table", root=str(write(tmp_path, held)), images=str(images), image_size=SIDE)
    assert load(spec).digest == first.digest and root_of(spec) == images
    with pytest.raises(SandboxError, match=r"no folder at data\.images .*; did you mean 'img'\?"):
        read(elsewhere, images=str(images / "imgs"))


@pytest.mark.parametrize("sign", [";", "\t", ","])
def test_what_spreadsheets_and_pandas_write(images: Path, sign: str) -> None:
    frame = pd.DataFrame(cells())
    frame.columns = ["Label", "PATH", "Split", "Is Query", "isGallery", "lens"]
    text = frame.to_csv(sep=sign, lineterminator="\r\n").replace(f"c0{sign}", f'"c0"{sign}')  # with the index, unnamed
    (images / "sheet.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    splits, plain = read(images / "sheet.csv"), read(write(images, cells()))
    assert splits.digest == plain.digest
    assert splits.test.columns["lens"].tolist() == plain.test.columns["camera"].tolist()
    assert splits.test.columns["is_gallery"].tolist() == plain.test.columns["is_gallery"].tolist()


def test_labels_spelt_in_two_ways_and_rows_that_come_again(images: Path) -> None:
    held = cells()
    held["label"] = ["caf\u00e9" if row == 0 else "cafe\u0301" if row < 3 else held["label"][row] for row in range(24)]
    for column in held.values():
        column.append(column[4])
    splits = read(write(images, held))
    assert sum(len(part) for part in (splits.train, splits.val, splits.test)) == 24
    assert "1 row that names an image again is passed over, the first line 26" in splits.notes
    assert any("spelt in several ways and taken for one" in note for note in splits.notes)


def test_words_for_nothing_are_no_camera(images: Path) -> None:
    held = cells()
    held["camera"][15:] = ["1", "nan", "None", "", "<NA>", "2", "1", "NULL", "2"]
    held["category"] = ["hat" if row % 2 else "None" for row in range(24)]
    test = read(write(images, held)).test
    assert sorted(test.columns["camera"].tolist()) == [*[""] * 5, "1", "1", "2", "2"]
    assert set(test.columns["category"].tolist()) == {"hat", ""}
    roles = roles_of(test)
    assert roles is not None and roles.camera is not None and len(set(roles.camera.tolist())) == 7


def test_junk_counts_neither_way_where_cameras_are_known(images: Path) -> None:
    held = cells()
    held["label"][17] = held["label"][20] = -1
    splits = read(write(images, held))
    assert "2 images of label -1 left out: junk, which counts neither way" in splits.notes
    assert len(splits.test) == 7 and "-1" not in splits.test.classes
    del held["camera"]
    assert "-1" in read(write(images, held)).test.classes


def put(name: str, row: int, value: Any) -> Callable[[Cells], None]:
    def change(held: Cells) -> None:
        held[name][row] = value

    return change


def again(**values: Any) -> Callable[[Cells], None]:
    """The second row once more, with other values."""

    def change(held: Cells) -> None:
        for name, column in held.items():
            column.append(values.get(name, column[1]))

    return change


def boxed(*box: Any) -> Callable[[Cells], None]:
    def change(held: Cells) -> None:
        for name, value in zip(("x_1", "y_1", "x_2", "y_2"), box, strict=False):
            held[name] = [value if row == 3 else None for row in range(24)]
            held[name] = [None if cell is None else str(cell) for cell in held[name]]

    return change


WRONG: dict[str, tuple[Callable[[Cells], Any], str]] = {
    "no label": (put("label", 2, ""), r"list\.csv line 4 gives no label"),
    "no path": (put("path", 2, ""), r"list\.csv line 4 gives no path"),
    "absent": (put("path", 5, "img/9_9.png"), r"names 1 image that is not in .*: img/9_9\.png \(line 7\)"),
    "above": (put("path", 5, "../a.png"), r"names 1 image that is not in .*: \.\./a\.png \(line 7\)"),
    "a word for a part": (put("split", 1, "trian"), r"line 3 gives 'trian' as the split; did you mean 'train'\?"),
    "no part": (put("split", 1, None), r"line 3 gives '' as the split; it is train, validation or test"),
    "two labels": (again(label="c7"), r"lines 3 and 26 give one image, img/0_1\.png, two values of 'label': 'c0' and"),
    "two parts": (again(split="test"), r"lines 3 and 26 give one image, img/0_1\.png, two values of 'split': 'train'"),
    "another name": (again(path="./img/0_1.png", label="c7"), r"lines 3 and 26 give one image.*'label'"),
    "two cameras": (again(camera=7), r"lines 3 and 26 give one image, .*, two values of 'camera': '1' and '7'"),
    "a role": (put("is_query", 20, "maybe"), r"line 22 gives 'maybe' as is_query, but it is True, False or nothing"),
    "outside": (boxed(2, 2, 13, 5), r"line 5: the box 2,2,13,5 is not inside img/1_0\.png, which has 12 x 10 pixels"),
    "below 0": (boxed(-1, 2, 9, 5), r"line 5 gives '-1,2,9,5' as x_1,y_1,x_2,y_2, but a box is four whole numbers"),
    "not whole": (boxed(1.5, 2, 9, 5), r"line 5 gives '1\.5,2,9,5' as x_1,y_1,x_2,y_2, but a box is four whole"),
    "half a box": (boxed(1, 2, 9, None), r"line 5 gives '1,2,9,' as x_1,y_1,x_2,y_2"),
    "turned round": (boxed(9, 2, 1, 5), r"line 5 gives '9,2,1,5' .*, but x_1 is less than x_2, and y_1 than y_2"),
    "three edges": (boxed(1, 2, 9), r"list\.csv has x_1, y_1, x_2 but no y_2: a box is x_1, y_1, x_2, y_2"),
    "another name for paths": (
        lambda held: held.update(filepath=held.pop("path")),
        r"has no column 'path', but label, split, .*filepath; did you mean 'filepath'\? \(label and path are needed; s",
    ),
    "no columns": (
        lambda held: [held.pop(name) for name in ("path", "label")],
        r"no column 'label' and no column 'path'",
    ),
    "nobody to train on": (lambda held: held.update(split=["test"] * 24), "names 24 images, but none to train on"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_table_cannot_say(images: Path, case: str) -> None:
    held = cells()
    change, said = WRONG[case]
    change(held)
    with pytest.raises(SandboxError, match=said) as refused:
        read(write(images, held))
    assert "\n" not in str(refused.value)


def parquet(root: Path, kind: str) -> Path:
    """The table with the images in it, as Hugging Face's data sets keep them."""
    held = cells()
    contents = [(root / path).read_bytes() for path in held["path"]]
    rows: Any = pa.array(contents)
    if kind == "struct":
        named = [{"bytes": one, "path": path[4:]} for one, path in zip(contents, held["path"], strict=True)]
        rows = pa.array(named, pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    features = {"label": {"names": [f"c{number}" for number in range(8)], "_type": "ClassLabel"}}
    table = pa.table({"image": rows, "label": [int(label[1]) for label in held["label"]], "split": held["split"]})
    meta = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(meta), root / f"{kind}.parquet", row_group_size=5)
    return root / f"{kind}.parquet"


@pytest.mark.parametrize("kind", ["struct", "bytes"])
def test_a_parquet_file_that_holds_the_images(images: Path, kind: str) -> None:
    spec = TableSpec(name="table", root=str(parquet(images, kind)), image_size=SIDE)
    splits = load(spec)
    plain = read(write(images, {name: cells()[name] for name in ("label", "path", "split")}))
    for one, other in zip(splits.image_sets().values(), plain.image_sets().values(), strict=True):
        assert one.classes == other.classes
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert splits.test.paths[0] == ("5_0.png" if kind == "struct" else "15")
    assert root_of(spec) is None and files_of(spec, splits) == []


def test_images_in_a_parquet_file_are_unpacked_once(images: Path, cache: Path) -> None:
    file = parquet(images, "struct")
    first = read(file)
    kept = sorted((entry.name, entry.stat().st_mtime_ns) for entry in cache.iterdir())
    assert read(file).digest == first.digest and len(kept) == 2  # the pixels and what is known of them
    assert sorted((entry.name, entry.stat().st_mtime_ns) for entry in cache.iterdir()) == kept


def test_a_label_that_the_file_names_no_class_for_is_refused(images: Path) -> None:
    table = pq.read_table(parquet(images, "struct"))
    labels = pa.array([-1, *table.column("label").to_pylist()[1:]])
    pq.write_table(table.set_column(1, "label", labels), images / "unlabelled.parquet")
    with pytest.raises(SandboxError, match=r"row 0 of .* has '-1' as 'label', which is none of the 8 classes that the"):
        read(images / "unlabelled.parquet")


def test_two_columns_of_images_are_refused(images: Path) -> None:
    table = pq.read_table(parquet(images, "bytes"))
    pq.write_table(table.append_column("mask", table.column("image")), images / "two.parquet")
    with pytest.raises(SandboxError, match="holds images in 'image' and 'mask', and one column is meant"):
        read(images / "two.parquet")


CSV = b"label,path,split,x_1,y_1,x_2,y_2\n" + b"".join(
    b"%d,img/%d_%d.png,%s,0,0,9,9\n" % (n // 3, n // 3, n % 3, b"train" if n < 15 else b"validation") for n in range(24)
)


@FUZZ
@given(content=changed(CSV))
def test_damaged_tables_are_read_or_refused(images: Path, content: bytes) -> None:
    file = images / "fuzzed.csv"
    file.write_bytes(content)
    read_or_refused(lambda: read(file))


@pytest.fixture(scope="module")
def packed(images: Path) -> bytes:
    return parquet(images, "struct").read_bytes()


@FUZZ
@given(data=st.data())
def test_damaged_parquet_files_are_read_or_refused(images: Path, packed: bytes, data: st.DataObject) -> None:
    file = images / "fuzzed.parquet"
    file.write_bytes(data.draw(changed(packed)))
    read_or_refused(lambda: read(file))
