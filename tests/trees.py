"""Data sets as small trees in their true shapes: what the tests of all of them read."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from PIL import Image

from sandbox.data.datasets.embeddings import EmbeddingsSpec
from sandbox.data.datasets.homework import HomeworkSpec
from sandbox.data.datasets.lfw import LfwSpec
from sandbox.data.datasets.omniglot import OmniglotSpec
from sandbox.data.datasets.table import TableSpec
from sandbox.recipe.specs import DataSpec

SIDE = 16


def face(path: Path, person: int, seed: int) -> Path:
    """Half of it is the person's own noise, half the photograph's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own, other = (np.random.default_rng(s).integers(0, 128, (SIDE, SIDE, 3)) for s in (person, 10_000 + seed))
    Image.fromarray((own + other).astype(np.uint8)).save(path)
    return path


def folders(root: Path, people: range, images: int, seed: int = 0) -> Path:
    """A folder for each person, called p00, p01 and so on."""
    for person in people:
        for number in range(images):
            face(root / f"p{person:02d}" / f"{number:02d}.png", person, seed + 100 * person + number)
    return root


def homework(root: Path) -> Path:
    """The tree of F20: three people to classify, five others to verify."""
    for seed, (part, images) in enumerate((("train_data", 8), ("val_data", 4), ("test_data", 3))):
        folders(root / "classification_data" / part, range(3), images, seed=5000 * seed)
    names = [f"verification_data/{place:02d}.png" for place in range(10)]
    for place, name in enumerate(names):
        face(root / name, 50 + place // 2, 20_000 + place)
    pairs = list(combinations(range(10), 2))
    lines = [f"{names[a]} {names[b]} {int(a // 2 == b // 2)}" for a, b in pairs]
    (root / "verification_pairs_val.txt").write_text("\n".join(lines) + "\n")
    (root / "verification_pairs_test.txt").write_text("".join(f"{names[a]} {names[b]}\n" for a, b in pairs[::3]))
    return root


def pooled(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    for place, part in enumerate(("train", "val", "test")):  # the same people in all three, to be parted anew
        folders(root / part, range(9), 2, seed=3000 * place)
    return DataSpec(name="folder", split="class"), lambda path: path.split("/")[-2]


def one_folder(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    folders(root, range(9), 3)
    return DataSpec(name="folder"), lambda path: path.split("/")[0]


def omniglot(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    for place in range(36):
        alphabet, character, drawing = place // 6, place % 6 // 2, place % 2
        around = "images_background" if alphabet < 4 else "images_evaluation"
        face(root / around / f"A{alphabet}" / f"character{character:02d}" / f"{drawing}.png", place, place)
    return OmniglotSpec(name="omniglot"), lambda path: path.split("/")[-3]


def lfw(settings: dict[str, Any]) -> Callable[[Path, int], tuple[DataSpec, Callable[[str], str]]]:
    def write(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
        rng = np.random.default_rng(seed)
        people = [f"Person_{number:02d}" for number in range(48)]
        for place, name in enumerate(people):
            for number in range(1, 4 + 6 * (place >= 40)):
                face(root / "lfw" / name / f"{name}_{number:04d}.jpg", place, 10 * place + number)

        def pairs(folds: int, each: int, among: list[str]) -> str:
            lines = [f"{folds}\t{each}" if folds > 1 else f"{each}"]
            each_fold = len(among) // folds
            for start in range(0, each_fold * folds, each_fold):
                fold = among[start : start + each_fold + 3]  # some people are in two folds
                lines += [f"{name}\t1\t{rng.integers(2, 4)}" for name in rng.choice(fold, each)]
                lines += ["{}\t1\t{}\t2".format(*rng.choice(fold, 2, replace=False)) for _ in range(each)]
            return "\n".join(lines) + "\n"

        (root / "pairs.txt").write_text(pairs(4, 6, people[:32]))
        (root / "pairsDevTest.txt").write_text(pairs(1, 6, people[:14]))
        (root / "pairsDevTrain.txt").write_text(pairs(1, 20, people[10:40]))  # some people are in both
        return LfwSpec(name="lfw", validation=0.4, **settings), lambda path: path.split("/")[-2]

    return write


def cub200(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    kinds = [1, 2, 3, 4, 100, 101, 102, 200]
    paths = [f"{kind:03d}.Bird/{number}.jpg" for kind in kinds for number in range(2)]
    for place, path in enumerate(paths):
        face(root / "CUB_200_2011" / "images" / path, place, place)
    lines = list(enumerate(paths, start=1))
    (root / "CUB_200_2011" / "images.txt").write_text("".join(f"{at} {path}\n" for at, path in lines))
    labels = "".join(f"{at} {int(path[:3])}\n" for at, path in lines)
    (root / "CUB_200_2011" / "image_class_labels.txt").write_text(labels)
    return DataSpec(name="cub200", validation=0.3), lambda path: path.split("/")[-2]


def cars196(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    for number in range(1, 11):
        for part in ("train", "test"):
            face(
                root / "car_data" / part / f"Model {number:03d}" / f"{part}.jpg", number, 2 * number + (part == "test")
            )
    for number in range(11, 104):  # the first 98 by name are trained on
        for part in ("train", "test"):
            face(root / "car_data" / part / f"Model {number:03d}" / f"{part}.jpg", number, number)
    return DataSpec(name="cars196"), lambda path: path.split("/")[-2]


def sop(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    for name, things in (("Ebay_train.txt", range(1, 8)), ("Ebay_test.txt", range(8, 12))):
        lines = ["image_id class_id super_class_id path"]
        for thing in things:
            for view in range(2):
                path = f"lamp_final/{thing:04d}_{view}.JPG"
                face(root / path, thing, 10 * thing + view)
                lines.append(f"{10 * thing + view} {thing} 1 {path}")
        (root / name).write_text("\n".join(lines) + "\n")
    return DataSpec(name="sop", validation=0.3), lambda path: path.split("/")[-1].split("_")[0]


def in_shop(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    lines = []
    for item in range(1, 10):
        for view in range(3):
            path = f"img/WOMEN/id_{item:08d}/{view}.jpg"
            face(root / path, item, 10 * item + view)
            lines.append(f"{path} id_{item:08d} {'train' if item < 6 else 'query' if view == 0 else 'gallery'}")
    text = "\n".join([str(len(lines)), "image_name item_id evaluation_status", *lines])
    (root / "list_eval_partition.txt").write_text(text + "\n")
    return DataSpec(name="in_shop", validation=0.4), lambda path: path.split("/")[-2]


def market1501(root: Path, seed: int) -> tuple[DataSpec, Callable[[str], str]]:
    """Six people to train on, four to test, two cameras; two junk images, three distractors, and what Windows adds."""
    base = root / "Market-1501-v15.09.15"

    def put(folder: str, person: int, camera: int, number: int) -> None:
        name = f"{person:04d}" if person >= 0 else "-1"
        face(base / folder / f"{name}_c{camera}s1_{number:06d}_00.jpg", person + 1, number)

    for person in range(1, 7):
        for camera in (1, 2):
            for view in range(2):
                put("bounding_box_train", person, camera, 100 * person + 10 * camera + view)
    for person in range(7, 11):
        for camera in (1, 2):
            put("query", person, camera, 100 * person + 10 * camera)
            for view in range(1, 3):
                put("bounding_box_test", person, camera, 100 * person + 10 * camera + view)
    for number in range(3):
        put("bounding_box_test", 0, 1 + number % 2, 5000 + number)
    for number in range(2):
        put("bounding_box_test", -1, 1 + number % 2, 6000 + number)
    (base / "bounding_box_test" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (base / "readme.txt").write_text("Market-1501")
    return DataSpec(name="market1501", validation=0.4), lambda path: path.split("/")[-1].split("_")[0]


READERS: dict[str, Callable[[Path, int], tuple[DataSpec, Callable[[str], str]]]] = {
    "folder": one_folder,
    "folder, pooled": pooled,
    "omniglot": omniglot,
    "lfw view 1": lfw({}),
    "lfw view 1, sample": lfw({"split": "sample", "min_images": 6}),
    "lfw view 2": lfw({"view": "view2"}),
    **{f"lfw fold {fold}": lfw({"view": "view2", "fold": fold}) for fold in (1, 4)},
    "cub200": cub200,
    "cars196": cars196,
    "sop": sop,
    "in_shop": in_shop,
    "market1501": market1501,
}


def mnist(root: Path) -> DataSpec:
    for name, count in (("train", 120), ("t10k", 50)):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        for kind, array in (("images-idx3", pixels), ("labels-idx1", (np.arange(count) % 10).astype(np.uint8))):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (root / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    return DataSpec(name="mnist")


def cifar100(root: Path) -> DataSpec:
    (root / "cifar-100-python").mkdir()

    def put(name: str, content: dict[bytes, Any]) -> None:
        (root / "cifar-100-python" / name).write_bytes(pickle.dumps(content, protocol=4))

    for name, count in (("train", 80), ("test", 30)):
        labels = [place % 10 for place in range(count)]
        files = [f"{name}_{place:06d}.png".encode() for place in range(count)]
        pixels = np.random.default_rng(count).integers(0, 256, (count, 3072), dtype=np.uint8)
        fields = {b"filenames": files, b"fine_labels": labels, b"coarse_labels": [label // 5 for label in labels]}
        put(name, fields | {b"batch_label": b"batch 1 of 1", b"data": pixels})
    names = [f"thing_{number}".encode() for number in range(10)]
    put("meta", {b"fine_label_names": names, b"coarse_label_names": [b"these", b"those"]})
    return DataSpec(name="cifar100")


def olivetti(root: Path) -> DataSpec:
    faces = np.random.default_rng(0).integers(0, 256, (400, 4096), dtype=np.uint8)
    joblib.dump(faces, root / "olivetti_py3.pkz", compress=1)
    return DataSpec(name="olivetti")


def tar(file: Path, members: dict[str, bytes]) -> Path:
    """An archive as webdataset's `TarWriter` writes it: plain files, in the order of the samples."""
    with tarfile.open(file, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


def shards(root: Path) -> DataSpec:
    for place, people in enumerate((range(4), range(4, 7), range(7, 9))):
        members: dict[str, bytes] = {}
        for person in people:
            for number in range(3):
                content = face(root / "one.jpg", person, 10 * person + number).read_bytes()
                members |= {f"{person}_{number}.jpg": content, f"{person}_{number}.cls": str(person).encode()}
        tar(root / f"set-{place:06d}.tar", members)
    return DataSpec(name="shards")


def record(label: float | list[float], content: bytes, number: int = 0) -> bytes:
    """What MXNet's `recordio.pack` makes of a label, or of several, and an encoded image."""
    if isinstance(label, list):
        further = struct.pack(f"<{len(label)}f", *label)
        return struct.pack("<IfQQ", len(label), 0.0, number, 0) + further + content
    return struct.pack("<IfQQ", 0, label, number, 0) + content


def framed(content: bytes) -> bytes:
    """What dmlc-core's `RecordIOWriter::WriteRecord` writes: parted where the content holds its magic number."""
    magic = struct.pack("<I", 0xCED7230A)
    parts, start = [], 0
    for at in range(0, len(content) // 4 * 4, 4):
        if content[at : at + 4] == magic:
            parts.append(content[start:at])
            start = at + 4
    parts.append(content[start:])
    kinds = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    return b"".join(
        magic + struct.pack("<I", kind << 29 | len(part)) + part + bytes(-len(part) % 4)
        for kind, part in zip(kinds, parts, strict=True)
    )


def write_records(root: Path, held: dict[int, bytes]) -> Path:
    """`train.rec` and `train.idx` of records by their keys."""
    whole, index = b"", ""
    for key, content in held.items():
        index += f"{key}\t{len(whole)}\n"
        whole += framed(content)
    (root / "train.rec").write_bytes(whole)
    (root / "train.idx").write_text(index)
    return root


def insightface(root: Path, people: int = 6, images: int = 3) -> dict[int, bytes]:
    """Records as InsightFace has them: record 0 says where images end, and each person is a record behind them."""
    end = people * images + 1
    held = {0: record([end, end + people], b"")}
    for person in range(people):
        for number in range(images):
            content = face(root / "one.jpg", person, 10 * person + number).read_bytes()
            key = len(held)
            held[key] = record(float(person), content, key)
    for person in range(people):
        held[len(held)] = record([1.0 + person * images, 1.0 + (person + 1) * images], b"")
    return held


def records(root: Path) -> DataSpec:
    write_records(root, insightface(root, people=7))
    (root / "property").write_text(f"7,{SIDE},{SIDE}")
    return DataSpec(name="records")


def table(root: Path) -> DataSpec:
    """As open-metric-learning's tables are, but for a part for test."""
    lines = ["label,path,split,is_query,is_gallery,category,x_1,x_2,y_1,y_2,camera"]
    for person in range(9):
        for number in range(3):
            face(root / "images" / f"{person}_{number}.png", person, 10 * person + number)
            part, role = ("train", ",") if person < 5 else ("validation", "1,1") if person < 7 else ("test", "1,1")
            box = f"{number},{SIDE},0,{SIDE - number}" if number else ",,,"
            lines.append(f"p{person},images/{person}_{number}.png,{part},{role},{'ab'[person % 2]},{box},c{number}")
    (root / "list.csv").write_text("\n".join(lines) + "\n")
    return TableSpec(name="table", root=str(root / "list.csv"))


def embeddings(root: Path) -> DataSpec:
    labels = np.repeat(np.arange(10), 8)
    rows = np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)
    np.savez(root / "rows.npz", embeddings=rows, labels=labels)
    return EmbeddingsSpec(name="embeddings", root=str(root / "rows.npz"))


TREES: dict[str, Callable[[Path], DataSpec]] = {
    "embeddings": embeddings,
    "mnist": mnist,
    "cifar100": cifar100,
    "olivetti": olivetti,
    "homework": lambda root: HomeworkSpec(name="homework", root=str(homework(root))),
    "table": table,
    "records": records,
    "shards": shards,
    "lfw": lambda root: READERS["lfw view 1"](root, 0)[0],
    **{name: lambda root, name=name: READERS[name](root, 0)[0] for name in READERS if name.isidentifier()},  # type: ignore[misc]
}
"""One small tree for each data set that is read from files, by its name."""
