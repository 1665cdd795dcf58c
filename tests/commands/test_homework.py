"""A homework by the commands, as a person types them: what is wrong with lists, runs, weights and stages."""

from __future__ import annotations

import csv
import json
import pickle
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

Command = Callable[..., Any]
VAL, TEST = "verification_pairs_val.txt", "verification_pairs_test.txt"
LEARN = (
    *("--loss", "cross_entropy", "--backbone.name", "conv4", "--backbone.embedding_dim", "8"),
    *("--evaluate.monitor", "classification/top@1", "--no_pictures", "--threads", "1", "--data.image_size", "8"),
    *("--batch.size", "8", "--max_steps", "2", "--evaluate.every", "2"),
)


def face(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)


def write_pairs(root: Path, names: list[str]) -> None:
    pairs = list(combinations(names, 2))
    (root / VAL).write_text("".join(f"{a} {b} {at % 2}\n" for at, (a, b) in enumerate(pairs)))
    (root / TEST).write_text("".join(f"{a} {b}\n" for a, b in pairs[::-1]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tree of F21, whose test images have no labels."""
    base = tmp_path / "hw"
    for part, images in (("train_data", 5), ("val_data", 4)):
        for person in range(3):
            for number in range(images):
                face(
                    base / "classification_data" / part / f"n{person}" / f"{number}.png",
                    100 * person + 10 * images + number,
                )
    for number in range(4):
        face(base / "classification_data" / "test_data" / f"{number}.png", 5000 + number)
    names = [f"verification_data/{number}.png" for number in range(5)]
    for number, name in enumerate(names):
        face(base / name, 6000 + number)
    write_pairs(base, names)
    return base


@pytest.fixture
def learn(command: Command, tmp_path: Path) -> Command:
    """Trains on a homework for two steps."""

    def run(root: Path, *words: str) -> Any:
        given = ("--data.name", "homework", "--data.root", str(root), "--out", str(tmp_path / "runs"))
        return command("run.py", *given, *LEARN, *words)

    return run


def only_run(tmp_path: Path) -> Path:
    (folder,) = (tmp_path / "runs").iterdir()
    return folder


def refused(said: Any, *parts: str) -> None:
    """One sentence, exit code 2, no traceback."""
    lines = said.err.splitlines()
    assert said.code == 2, said.err
    assert "Traceback" not in said.err and lines[-1].startswith("error: ")
    assert sum(line.startswith("error: ") for line in lines) == 1
    for part in parts:
        assert part in lines[-1], lines[-1]


def test_a_tree_that_is_none_says_what_was_looked_for(learn: Command, tmp_path: Path) -> None:
    (tmp_path / "pets" / "cats").mkdir(parents=True)
    refused(learn(tmp_path / "pets"), "holds no homework", "train_data/ with val_data/", "were looked for", "cats")
    refused(learn(tmp_path / "petz"), "no folder at data.root", "did you mean 'pets'?")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("train_data", "neither val_data/ beside it (F20 to F21) nor validation_classification/"),
        ("train", "dev/ nor val/"),
    ],
)
def test_a_tree_without_validation_says_so(learn: Command, root: Path, given: str, missing: str) -> None:
    base = root / "classification_data"
    shutil.rmtree(base / "val_data")
    if given != "train_data":
        (base / "train_data").rename(base / given)
    refused(learn(root), f"{base / given} is there to train on, but neither ", missing)


LISTS = {
    "an absent image": (
        lambda text: text.replace("/3.png", "/33.png"),
        "names 1 image that is not in",
        "33.png (line 3)",
    ),
    "two words": (lambda text: text + "\n\na.png b.png\n", "line 13 must read 'a b 1'", "not 'a.png b.png'"),
    "four words": (lambda text: "a b c 1\n" + text, "line 1 must read 'a b 1'"),
    "a label of 2": (lambda text: text.replace(" 1\n", " 2\n", 1), "line 2 must say 1 for a same pair or 0", "not '2'"),
    "a label of yes": (lambda text: text.replace(" 0\n", " yes\n", 1), "line 1 must say 1", "not 'yes'"),
    "one kind": (lambda text: text.replace(" 1\n", " 0\n"), "holds 0 same and 10 different pairs"),
    "nothing": (lambda text: "", "is empty; it must hold pairs"),
    "blank lines": (lambda text: "\n \n\t\n", "is empty; it must hold pairs"),
    "another encoding": (lambda text: text.encode("utf-16"), "not a list of pairs in UTF-8 text"),
    "a training image": (
        lambda text: text + "classification_data/train_data/n0/0.png verification_data/0.png 1\n",
        "1 image is in both train and",
        "n0/0.png",
    ),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_that_cannot_be_is_one_sentence(learn: Command, root: Path, what: str) -> None:
    change, *parts = LISTS[what]
    changed = change((root / VAL).read_text())
    (root / VAL).write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    refused(learn(root), *([] if what == "a training image" else [VAL]), *parts)


def test_a_list_may_come_from_windows(learn: Command, root: Path, tmp_path: Path, command: Command) -> None:
    assert learn(root).code == 0
    plain = only_run(tmp_path)
    for name in (VAL, TEST):
        text = (root / name).read_text()
        (root / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    said = command("evaluate.py", "--run", str(plain), "--submit", str(tmp_path / "answers"))
    assert said.code == 0, said.err
    shutil.move(plain, tmp_path / "plain")
    assert learn(root).code == 0
    reports = [json.loads((folder / "report.json").read_text()) for folder in (tmp_path / "plain", only_run(tmp_path))]
    assert reports[0] == reports[1]
    rows = list(csv.reader((tmp_path / "answers" / "verification.csv").open(newline="")))
    assert [row[0] for row in rows[1:]] == text.splitlines()


def test_a_list_under_a_longer_name_is_taken_and_two_are_refused(
    learn: Command, root: Path, tmp_path: Path, command: Command
) -> None:
    for name in (VAL, TEST):
        (root / name).rename(root / name.replace(".txt", "_new.txt"))
    said = learn(root)
    assert said.code == 0 and f"{VAL.replace('.txt', '_new.txt')} is cut in two" in " ".join(said.err.split())
    submit = ("evaluate.py", "--run", str(only_run(tmp_path)), "--submit", str(tmp_path / "answers"))
    assert command(*submit).code == 0
    shutil.copy(root / "verification_pairs_test_new.txt", root / "verification_pairs_test_old.txt")
    refused(command(*submit), "verification_pairs_test_new.txt and ", "verification_pairs_test_old.txt may both be")
    shutil.copy(root / "verification_pairs_test_new.txt", root / TEST)  # a list by its own name goes before
    assert command(*submit).code == 0


def test_a_submission_refuses_lists_and_trees_that_lack_something(
    learn: Command, root: Path, tmp_path: Path, command: Command
) -> None:
    assert learn(root).code == 0
    submit = ("evaluate.py", "--run", str(only_run(tmp_path)), "--submit", str(tmp_path / "answers"))
    text = (root / TEST).read_text()
    for changed, *parts in (
        ("", "holds no lines; they read like 'a.jpg b.jpg'"),
        (text.replace("\n", " 1\n"), "line 1 must read like 'a.jpg b.jpg'"),
        (text + "a.png b.png\n", "names 2 images that are not in", "a.png (line 11), b.png (line 11)"),
    ):
        (root / TEST).write_text(changed)
        refused(command(*submit), TEST, *parts)
    (root / TEST).write_text(text)
    (root / "verification_data" / "4.png").write_bytes(b"no image")
    refused(command(*submit), "asks for 1 image that cannot be read", "4.png")
    (root / "verification_data" / "4.png").unlink()
    refused(command(*submit), "names 1 image that is not in", "4.png (line 1)")
    shutil.rmtree(root)
    refused(command(*submit), f"no folder at {root}")


def test_what_a_run_cannot_answer_is_left_out_and_said(root: Path, tmp_path: Path, command: Command) -> None:
    plain = (
        "--data.name",
        "homework",
        "--data.root",
        str(root),
        "--data.image_size",
        "8",
        "--out",
        str(tmp_path / "runs"),
    )
    words = ("--backbone.name", "conv4", "--batch.size", "8", "--max_steps", "2", "--no_pictures", "--threads", "1")
    assert command("run.py", "--loss", "triplet", *plain, *words).code == 0
    submit = ("evaluate.py", "--run", str(only_run(tmp_path)), "--submit", str(tmp_path / "answers"))
    said = command(*submit)
    assert said.code == 0 and "note: no classification.csv, since no loss of" in said.err
    assert [file.name for file in (tmp_path / "answers").iterdir()] == ["verification.csv"]
    (root / TEST).unlink()
    refused(command(*submit), "no classification.csv, since no loss of")


def small_tree(root: Path) -> Path:
    """The tree of S20, with two sets of people."""
    for seed, part in enumerate(("medium", "large")):
        for person in range(3):
            for number in range(8):
                folder = "train_data" if number < 6 else "validation_classification"
                face(root / folder / part / f"{part[0]}{person}" / f"{number}.png", 1000 * seed + 10 * person + number)
    for number in range(3):
        face(root / "test_classification" / "medium" / f"{number}.png", 5000 + number)
    for part in ("validation", "test"):
        for number in range(5):
            face(root / f"{part}_verification" / f"{number}.png", 6000 + number + 10 * (part == "test"))
    (root / "test_order_classification.txt").write_text("2.png\n0.png\n2.png\n1.png\n")
    pairs = list(combinations([f"{number}.png" for number in range(5)], 2))
    lines = "".join(f"{a} {b} {at % 2}\n" for at, (a, b) in enumerate(pairs))
    (root / "validation_trials_verification.txt").write_text(lines)
    (root / "test_trials_verification_student.txt").write_text("".join(f"{a} {b}\n" for a, b in pairs))
    return root


def test_people_whom_no_test_image_shows_are_verified_alone(learn: Command, tmp_path: Path, command: Command) -> None:
    root = small_tree(tmp_path / "hw")
    assert learn(root, "--data.part", "large").code == 0
    submit = ("evaluate.py", "--run", str(only_run(tmp_path)), "--submit", str(tmp_path / "answers"))
    said = command(*submit)
    assert said.code == 0, said.err
    assert "note: no classification.csv" in said.err and "shows nobody whom" in said.err
    assert [file.name for file in (tmp_path / "answers").iterdir()] == ["verification.csv"]
    # Of people whom the large set shares with the medium one, those alone are answered.
    shutil.rmtree(tmp_path / "runs")
    for folder in ("train_data", "validation_classification"):
        (root / folder / "large" / "l1").rename(root / folder / "large" / "m1")
    assert learn(root, "--data.part", "large").code == 0
    submit = ("evaluate.py", "--run", str(only_run(tmp_path)), "--submit", str(tmp_path / "answers"))
    assert command(*submit).code == 0
    rows = list(csv.reader((tmp_path / "answers" / "classification.csv").open()))
    assert rows == [["id", "label"], *([name, "m1"] for name in ("2.png", "0.png", "2.png", "1.png"))]


def test_a_class_needs_a_second_image_somewhere(learn: Command, root: Path, tmp_path: Path) -> None:
    for person in range(3):
        for number in (1, 2, 3):
            (root / "classification_data" / "val_data" / f"n{person}" / f"{number}.png").unlink()
    refused(learn(root), "each of the 3 classes of the validation split has a single image")
    assert not (tmp_path / "runs").exists()


def test_odd_names_and_formats_are_read(learn: Command, root: Path, tmp_path: Path, command: Command) -> None:
    base, name = root / "classification_data", 'Zoë, "李"'
    for part in ("train_data", "val_data"):
        (base / part / "n1").rename(base / part / name)
        for number, ending in enumerate(("webp", "BMP", "PGM", "JPEG", "Tiff")):
            face(base / part / "n0" / f"é{number}.png", 7000 + number + 10 * (part == "val_data"))
            Image.open(base / part / "n0" / f"é{number}.png").convert("L").save(
                base / part / "n0" / f"é{number}.{ending}"
            )
            (base / part / "n0" / f"é{number}.png").unlink()
    for place in (root, base, base / "train_data"):
        face(place / "loose.PNG", 8000)
    said = learn(root)
    assert said.code == 0, said.err
    facts = json.loads((only_run(tmp_path) / "run.json").read_text())
    assert facts["data"]["train"] == {"images": 20, "classes": 3}
    assert command("evaluate.py", "--run", str(only_run(tmp_path)), "--submit", str(tmp_path / "out")).code == 0
    rows = list(csv.reader((tmp_path / "out" / "classification.csv").open(newline="", encoding="utf-8")))
    assert [row[0] for row in rows] == ["id", "0.png", "1.png", "2.png", "3.png"]
    assert {row[1] for row in rows[1:]} <= {"0", "1", "2"}


class Evil:
    """What runs code where it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_an_earlier_run_that_is_none_of_this_network_is_refused(learn: Command, root: Path, tmp_path: Path) -> None:
    assert learn(root).code == 0
    run = shutil.move(only_run(tmp_path), tmp_path / "earlier")
    earlier = ("--resume_from", str(run))
    assert learn(root, *earlier).code == 0
    shutil.rmtree(tmp_path / "runs")
    for place in ("nowhere", str(tmp_path), str(run / "run.json")):
        refused(learn(root, "--resume_from", place), f"--resume_from '{place}' is no run folder")
    weights, model, mark = load_file(run / "model.safetensors"), run / "model.safetensors", tmp_path / "mark"
    trunk, head = "backbone.layers.0.weight", next(key for key in sorted(weights) if key.startswith("head."))
    assert trunk in weights
    for changed, *parts in (
        ({key: value for key, value in weights.items() if key != trunk}, f"1 missing ({trunk})", "recipe.toml names"),
        (weights | {"backbone.more": torch.zeros(2)}, "1 unexpected (backbone.more)"),
        (weights | {"more": torch.zeros(2)}, "1 unexpected (more)"),
        (weights | {trunk: torch.zeros(2)}, f"1 of another shape ({trunk})"),
        (weights | {trunk: weights[trunk] * np.nan}, f"holds NaN or infinite values in {trunk}"),
        (weights | {head: weights[head] * np.nan}, f"holds NaN or infinite values in {head}"),
    ):
        save_file(changed, model)
        refused(learn(root, *earlier), *parts)
        if "head" not in parts[0] and "more)" not in parts[0]:
            refused(learn(root, "--backbone.weights", str(model)), *parts)
    model.write_bytes(pickle.dumps(Evil(mark)))
    refused(learn(root, *earlier), "model.safetensors is damaged")
    refused(learn(root, "--backbone.weights", str(model)), "model.safetensors is damaged")
    model.with_suffix(".pth").write_bytes(pickle.dumps(Evil(mark)))
    refused(learn(root, "--backbone.weights", str(model.with_suffix(".pth"))), "model.pth", "refused")
    save_file(weights, model)
    classes = run / "objective.safetensors"
    tensors = load_file(classes)
    for state in ("[]", "{}", '{"names": 3}', '{"names": [["a"]]}'):
        save_file(tensors, classes, metadata={"state": state})
        refused(learn(root, *earlier), "objective.safetensors does not name the losses that its tensors belong to")
    broken = {key: value * np.nan for key, value in tensors.items()}
    save_file(broken, classes, metadata={"state": json.dumps({"names": ["cross_entropy"], "classes": []})})
    refused(learn(root, *earlier), "what cross_entropy learnt in the run", "holds NaN")
    classes.write_bytes(pickle.dumps(Evil(mark)))
    refused(learn(root, *earlier), "objective.safetensors is damaged")
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "status": "interrupted"}))
    refused(learn(root, *earlier), "is not finished: its status is 'interrupted'")
    (run / "run.json").write_text("{")
    refused(learn(root, *earlier), "run.json cannot be read")
    assert not mark.exists() and not (tmp_path / "runs").exists()


def test_another_network_is_refused_with_its_keys(learn: Command, root: Path, tmp_path: Path, command: Command) -> None:
    assert learn(root).code == 0
    run = only_run(tmp_path)
    words = tuple("resnet_small" if word == "conv4" else word for word in LEARN)
    given = ("--data.name", "homework", "--data.root", str(root), "--resume_from", str(run))
    said = command("run.py", *given, *words, "--out", str(tmp_path / "other"))
    refused(said, "missing (backbone.blocks.0", "unexpected (backbone.layers.0.weight", "recipe.toml names the network")


def test_a_pickled_checkpoint_is_not_resumed(learn: Command, root: Path, tmp_path: Path, command: Command) -> None:
    assert learn(root).code == 0
    run, mark = only_run(tmp_path), tmp_path / "mark"
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "status": "interrupted"}))
    for data in (pickle.dumps(Evil(mark)), b"", (run / "model.safetensors").read_bytes()[:-8]):
        (run / "checkpoint.safetensors").write_bytes(data)
        refused(command("run.py", "--resume", str(run)), "checkpoint.safetensors is damaged")
    assert not mark.exists()


BASE = 'loss = "cross_entropy"\nmax_steps = 1\n[data]\nname = "digits"\nsplit = "sample"\n'
TWO = '[[stages]]\nname = "pretrain"\n[[stages]]\nname = "continue"\n'


@pytest.mark.parametrize(
    ("text", "words", "parts"),
    [
        (BASE + TWO, ("--stage", "pretrian"), ("no stage named 'pretrian'; did you mean 'pretrain'?",)),
        (BASE + TWO, ("--stage", ""), ("--stage is empty",)),
        (BASE + TWO + "optimizer = { lr = -1.0 }\n", (), ("optimizer.lr is -1.0",)),
        (BASE + TWO + 'loss = "arcfase"\n', (), ("did you mean 'arcface'?",)),
        (BASE + TWO + 'evaluate = { monitor = "map@r" }\n', (), ("evaluate.monitor 'map@r' is no report key",)),
        (BASE + TWO, ("--stage", "x"), ("no stage named 'x'; there are continue, pretrain",)),
        (BASE, ("--stage", "pretrain"), ("no recipe with stages is given",)),
        ("stages = []\n" + BASE, (), ("mine.toml: stages is empty",)),
        ("stages = 'all'\n" + BASE, (), ("stages are tables, each under a line [[stages]]",)),
        (BASE + TWO.replace("continue", "pretrain"), (), ("has two stages named 'pretrain'",)),
        (BASE + TWO + "epoch = 3\n", (), ("stage 'continue' has the key 'epoch'", "did you mean 'epochs'?")),
        (BASE + TWO + "optimizer = { lrr = 3 }\n", (), ("stage 'continue' has the key 'optimizer.lrr'",)),
        (BASE + TWO + "optimizer = 3\n", (), ("stage 'continue': 'optimizer' is a table of settings, not 3",)),
        (BASE + "[[stages]]\nepochs = 2\n", (), ("stage 1 has no name",)),
        (BASE + '[[stages]]\nname = " "\n', (), ("stage 1 has no name",)),
        (BASE + "[optimizer]\nlr = 1" + "0" * 400, (), ("'optimizer.lr' is larger than any number",)),
        ("seed = 1" + "0" * 5000 + "\n" + BASE, (), ("is not valid TOML",)),
    ],
)
def test_a_mistake_in_stages_is_said_before_anything_trains(
    command: Command, tmp_path: Path, text: str, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    (tmp_path / "mine.toml").write_text(text)
    refused(command("run.py", "--recipe", str(tmp_path / "mine.toml"), *words, "--out", str(tmp_path / "runs")), *parts)
    assert not (tmp_path / "runs").exists()
