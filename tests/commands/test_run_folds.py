"""`run.py --data.fold all` as a person types it, and what the other commands make of its folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.runs.folds import fold_lock
from sandbox.runs.lock import locked

import trees
from apart import ended, needs_fork, started
from killed import type_run

pytestmark = needs_fork
OF_FOLDS = r"holds the runs of 4 folds, each with a network of its own; name one of them, such as "
QUICK = (
    *"--data.name lfw --data.view view2 --data.fold all --data.image_size 8 --backbone.name conv4".split(),
    *"--backbone.embedding_dim 8 --batch.size 8 --max_steps 2 --threads 1 --no_pictures".split(),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """A command, and the folder that it made."""
    place = tmp_path_factory.mktemp("folds")
    trees.READERS["lfw view 2"](place / "tree", 0)
    words = [*QUICK, "--data.root", str(place / "tree"), "--tag", "ten", "--out", str(place / "runs")]
    assert ended(started(type_run, words)) == 0
    (folder,) = (place / "runs").iterdir()
    return words, folder


@pytest.fixture
def copied(made: tuple[list[str], Path], tmp_path: Path) -> tuple[list[str], Path]:
    words, folder = made
    runs = tmp_path / "runs"
    return [*words[:-1], str(runs)], Path(shutil.copytree(folder, runs / folder.name))


def test_the_same_command_tells_what_it_came_to(command: Callable[..., Any], made: tuple[list[str], Path]) -> None:
    words, folder = made
    said = command("run.py", *words)
    assert said.code == 0 and "is finished: this is what it came to" in said.err
    for text in (
        "accuracy@4-fold",
        "AUC",
        "raw pixels",
        "mean accuracy over 4 folds: 0.",
        "(standard error; 48 pairs); on the benchmark's results page it belongs to 'Unrestricted, Label-Free Outside",
        "AUC, EER and TAR@FAR pool the scores of networks that differ",
        "'Unrestricted, Label-Free Outside Data' where the images are aligned by software that was trained elsewhere",
        f"run folder: {folder}",
    ):
        assert text in said.out
    refused = command("run.py", "--resume", str(folder))
    assert refused.code == 2 and "is finished; there is nothing to resume" in refused.err


def test_it_is_one_row_of_a_table_and_of_its_ledger(
    command: Callable[..., Any], made: tuple[list[str], Path], tmp_path: Path
) -> None:
    _, folder = made
    said = command(
        "table.py", str(folder.parent), "--tag", "ten", "--where", "data.fold = all", "--out", f"{tmp_path}/t.md"
    )
    assert said.code == 0, said.err
    text = (tmp_path / "t.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert [row.split("|")[1].strip() for row in rows] == ["triplet_margin", "*raw pixels*", "*untrained*"]
    assert "verification accuracy@4-fold" in text and "raw pixels" in text
    assert "LFW view 2, 4 folds, unrestricted" in text and "Label-Free Outside Data" in text
    mean = json.loads((folder / "report.json").read_text())["test"]["verification/accuracy@4-fold"]
    assert f"; 48 pairs; standard error of the mean over folds {mean['standard_error']:.4f}, its 95 %" in text
    assert f"interval by t over folds {mean['low']:.4f} to {mean['high']:.4f};" in text
    again = command("table.py", str(tmp_path / "t.csv"), "--metrics", "accuracy@4-fold", "AUC", "TAR@FAR=1e-1")
    assert again.code == 0 and f"{mean['value']:.3f}" in again.out


def test_its_page_has_a_line_for_each_fold(
    command: Callable[..., Any], made: tuple[list[str], Path], tmp_path: Path
) -> None:
    _, folder = made
    said = command("table.py", "page", str(folder), "--out", str(tmp_path / "p.html"))
    assert said.code == 0, said.err
    page = (tmp_path / "p.html").read_text()
    for fold in range(1, 5):
        right = json.loads((folder / f"fold-0{fold}" / "report.json").read_text())["test"]
        cells = [f'<td class="number">{right[f"verification/{key}"]["value"]:.4f}</td>' for key in ("auc", "eer")]
        assert f'<tr><td class="number">{fold}</td>' in page and "".join(cells) in page
    assert "Label-Free Outside Data" in page and "standard error over folds" in page


def test_beside_another_process_it_does_what_is_left_and_says_who_concludes(
    command: Callable[..., Any], copied: tuple[list[str], Path]
) -> None:
    words, folder = copied
    for fold in (2, 3):
        shutil.rmtree(folder / f"fold-0{fold}")
    with locked(folder, fold_lock(2)):
        said = command("run.py", *words)
    assert said.code == 0 and "fold 3 of 4: accuracy" in said.err and "fold 2 of 4" not in said.err, said.err
    assert f"no fold is left for this process; process {os.getpid()} on" in said.out.replace("\n", " ")
    last = command("run.py", *words)
    assert last.code == 0 and "fold 2 of 4: accuracy" in last.err and "mean accuracy over 4 folds: 0." in last.out


def test_what_takes_one_network_asks_for_a_fold(
    command: Callable[..., Any], made: tuple[list[str], Path], tmp_path: Path
) -> None:
    _, folder = made
    for words in (
        ("evaluate.py", "--run", str(folder)),
        ("run.py", "--data.name", "digits", "--resume_from", str(folder), "--max_steps", "1"),
        ("export.py", str(folder), "--program", str(tmp_path / "x.pt2")),
    ):
        said = command(*words)
        assert said.code == 2 and f"{OF_FOLDS}{folder / 'fold-01'}" in said.err, words
    assert command("evaluate.py", "--run", str(folder / "fold-01")).code == 0


def test_a_part_of_the_folds_is_named_and_gone_on_with(
    command: Callable[..., Any], copied: tuple[list[str], Path], made: tuple[list[str], Path]
) -> None:
    _, folder = copied
    shutil.rmtree(folder / "fold-03")
    (folder / "report.json").unlink()
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**facts, "status": "running"}))  # as where the process was killed
    said = command("table.py", str(folder.parent))
    assert said.code == 2 and f"until all folds are done and put together: {folder} (3 of 4 folds)" in said.err
    one = command("table.py", str(folder.parent), str(made[1] / "fold-02"))
    assert one.code == 0 and "(3 of 4 folds)" in one.err and f"run.py --resume {folder}" in one.err
    said = command("run.py", "--resume", str(folder), "--no_pictures")
    assert said.code == 0, said.err
    assert "fold 2 of 4 (was done)" in said.err and "fold 3 of 4\n" in said.err
    assert (folder / "report.json").read_bytes() == (made[1] / "report.json").read_bytes()


def test_ctrl_c_leaves_all_and_says_how_to_go_on(
    command: Callable[..., Any], made: tuple[list[str], Path], tmp_path: Path
) -> None:
    words = [*made[0][:-1], str(tmp_path)]
    words[words.index("--max_steps") + 1] = "100000"

    def interrupt() -> None:
        while not [*tmp_path.glob("*/fold-01/log.jsonl")]:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    said = command("run.py", *words)
    thread.join()
    (folder,) = tmp_path.iterdir()
    assert said.code == 130
    assert said.err.count(f"interrupted; to go on: python experiments/run.py --resume {folder}") == 1
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted by SIGINT"
    assert "interrupted by SIGINT at step" in json.loads((folder / "fold-01" / "run.json").read_text())["status"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data.name", "glyphs"), "data.view and data.fold are settings of data set 'lfw'; 'glyphs' has none"),
        (("--data.name", "glyphs", "--data.view", "view1"), "data.view and data.fold are settings of data set 'lfw'"),
        (("--data.view", "view1"), "data.fold is all with data.view=view1, but takes 1 to 10, with view2"),
        (("--data.val_fold", "1/3"), "data.val_fold is '1/3', but has no place beside data.fold=all"),
        (("--against", "arcface"), "--against 'arcface' has no place beside data.fold=all"),
        (("--log", "tensorboard"), "--log tensorboard follows one run"),
        (("--keep_checkpoint", "--all"), "--keep_checkpoint is of one run"),
        (("--data.fold", "11"), "data.fold is 11 with data.view=view2, but takes 1 to 10, with view2, or all of them"),
        (("--data.root", "nowhere"), "no folder at data.root 'nowhere'"),
        (("--loss", "tripplet"), "did you mean 'triplet'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    command: Callable[..., Any], made: tuple[list[str], Path], words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    given = [*made[0][:-1], str(tmp_path / "runs")]
    for name, value in zip(words[::2], words[1::2], strict=True):
        at = given.index(name) if name in given else len(given)
        given[at : at + 2] = [name, value]
    refused = command("run.py", *given)
    assert refused.code == 2 and said in refused.err and "Traceback" not in refused.err
    assert len(refused.err.strip().splitlines()) == 1 and not (tmp_path / "runs").exists()


def test_other_commands_take_one_fold(
    command: Callable[..., Any], made: tuple[list[str], Path], tmp_path: Path
) -> None:
    root = made[0][made[0].index("--data.root") + 1]
    folds = ("--data.name", "lfw", "--data.view", "view2", "--data.fold", "all", "--data.root", root)
    tuned = command("tune.py", "--loss", "triplet(margin=tune(0.1, 0.2))", *folds, "--out", str(tmp_path / "studies"))
    assert tuned.code == 2 and "data.fold is all, but a study looks at no test" in tuned.err
    assert not (tmp_path / "studies").exists()
    looked = command("data.py", "stats", *folds)
    assert looked.code == 2 and "which run.py alone makes; give one, 1 to 10" in looked.err
