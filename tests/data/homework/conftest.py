"""Small trees in the true shapes of each homework, as they are unpacked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

Write = Callable[..., Path]


def people(write: Write, folder: Path, names: list[str], images: int, seed: int = 0, ending: str = "jpg") -> None:
    for place, name in enumerate(names):
        for number in range(images):
            write(folder / name / f"{number:04d}_{seed}.{ending}", seed=1000 * seed + 50 * place + number, mode="RGB")


def flat(write: Write, folder: Path, names: list[str], seed: int = 0) -> None:
    for place, name in enumerate(names):
        write(folder / name, seed=77_000 + 1000 * seed + place, mode="RGB")


def pair_lines(names: list[str], count: int) -> list[str]:
    """So many pairs, none twice, that alternate between different and same."""
    pairs = list(combinations(names, 2))[:count]
    return [f"{left} {right} {at % 2}" for at, (left, right) in enumerate(pairs)]


def bare(lines: list[str]) -> list[str]:
    return [line.rsplit(" ", 1)[0] for line in lines]


def put(file: Path, lines: list[str], end: str = "\n") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + end)


def s20(root: Path, write: Write) -> Path:
    for part, names in (("medium", ["0", "1", "10", "2"]), ("large", ["20", "21", "22"])):
        people(write, root / "train_data" / part, names, 6, seed=1)
        people(write, root / "validation_classification" / part, names, 2, seed=2)
    flat(write, root / "test_classification" / "medium", [f"{number}.jpg" for number in range(5)])
    put(root / "test_order_classification.txt", ["3.jpg", "0.jpg", "4.jpg", "2.jpg", "1.jpg"])
    val, test = [f"v{number}.jpg" for number in range(6)], [f"t{number}.jpg" for number in range(5)]
    flat(write, root / "validation_verification", val, seed=1)
    flat(write, root / "test_verification", test, seed=2)
    put(root / "validation_trials_verification.txt", pair_lines(val, 12))
    put(root / "test_trials_verification_student.txt", bare(pair_lines(test, 7)), end="")
    return root


def f20(root: Path, write: Write) -> Path:
    for seed, (part, count) in enumerate((("train_data", 5), ("val_data", 3), ("test_data", 2))):
        people(write, root / "classification_data" / part, ["0", "1", "2"], count, seed)
    names = [f"verification_data/{number:08d}.jpg" for number in range(8)]
    flat(write, root, names)
    put(root / "verification_pairs_val.txt", pair_lines(names, 9))
    put(root / "verification_pairs_test.txt", bare(pair_lines(names[::-1], 6)))
    return root


def s22(root: Path, write: Write) -> Path:
    base, other = root / "classification" / "classification", root / "verification" / "verification"
    people(write, base / "train", ["n1", "n2", "n3"], 5, 1)
    people(write, base / "dev", ["n1", "n2", "n3"], 5, 2)
    flat(write, base / "test", [f"{number:06d}.jpg" for number in range(4)])
    dev, test = [f"dev/{number:06d}.jpg" for number in range(6)], [f"test/{number:06d}.jpg" for number in range(4)]
    flat(write, other, [*dev, *test], 3)
    put(other / "verification_dev.csv", ["img1,img2,match", *(line.replace(" ", ",") for line in pair_lines(dev, 8))])
    listed = bare(pair_lines(test, 5))
    put(other / "verification_test.csv", ["img1,img2", *(line.replace(" ", ",") for line in listed)])
    return root


F22_ANSWERS = ["n5", "n000000", "n6", "n6", "n000000", "n7", "n5", "n000000"]


def f22(root: Path, write: Write) -> Path:
    base, other = root / "11-785-f22-hw2p2-classification", root / "11-785-f22-hw2p2-verification"
    people(write, base / "train", ["n1", "n2", "n3"], 5, 1)
    people(write, base / "dev", ["n1", "n2", "n3"], 5, 2)
    flat(write, base / "test", [f"{number:06d}.jpg" for number in range(4)])
    people(write, other / "known", ["n5", "n6", "n7"], 1, 5)
    flat(write, other / "unknown_dev", [f"{number:06d}.jpg" for number in range(8)], 6)
    flat(write, other / "unknown_test", [f"{number:06d}.jpg" for number in range(5)], 7)
    put(other / "verification_dev.csv", ["id,label", *(f"{at},{name}" for at, name in enumerate(F22_ANSWERS))])
    return root


def f24(root: Path, write: Write) -> Path:
    for seed, (part, count) in enumerate((("train", 4), ("dev", 2), ("test", 2))):
        names = [f"{number:06d}.jpg" for number in range(3 * count)]
        flat(write, root / "cls_data" / part / "images", names, seed)
        put(root / "cls_data" / part / "labels.txt", [f"{name} {at % 3 * 7}" for at, name in enumerate(names)])
    names = [f"{number:06d}.jpg" for number in range(8)]
    flat(write, root / "ver_data", names, 9)
    put(root / "val_pairs.txt", pair_lines(names, 10))
    put(root / "test_pairs.txt", bare(pair_lines(names, 6)))
    return root


def f24_folders(root: Path, write: Write) -> Path:
    f24(root, write)
    for part in ("train", "dev", "test"):
        base = root / "cls_data" / part
        for line in (base / "labels.txt").read_text().splitlines():
            name, person = line.split()
            (base / person).mkdir(exist_ok=True)
            (base / "images" / name).rename(base / person / name)
        (base / "labels.txt").unlink()
        (base / "images").rmdir()
    return root


ERAS = {"s20": s20, "f20": f20, "s22": s22, "f22": f22, "f24": f24, "f24 by folders": f24_folders}


@pytest.fixture
def tree(tmp_path: Path, write_image: Write) -> Callable[[str], Path]:
    """Makes the tree of an era."""
    return lambda era: ERAS[era](tmp_path / "homework", write_image)
