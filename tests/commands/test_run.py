"""The run command as a person types it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apart import ended, needs_fork, started
from killed import type_run

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    *"--data.name digits --data.image_size 8 --backbone.name conv4 --backbone.embedding_dim 16".split(),
    *"--max_steps 4 --batch.size 16 --threads 1".split(),
)
BY_CLASS = "--data.name digits --data.image_size 8 --data.split class --evaluate.episodes".split()


def test_it_trains_and_ends_with_a_table_a_folder_and_the_next_command(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    said = command("run.py", "--loss", "triplet", "--miner", "hard", *QUICK, "--out", str(tmp_path))
    assert said.code == 0
    for word in ("validation", "test", "MAP@R", "AUC", "raw pixels", "untrained", "run folder:", "next: python"):
        assert word in said.out
    assert "MRR" not in said.out and "validation: 269 images of the 10 classes trained on" in said.out
    (folder,) = tmp_path.iterdir()
    assert json.loads((folder / "run.json").read_text())["status"] == "done"


def test_all_shows_every_figure(command: Callable[..., Any], tmp_path: Path) -> None:
    said = command("run.py", "--loss", "triplet", *QUICK, "--no_pictures", "--all", "--out", str(tmp_path))
    assert said.code == 0, said.err
    for word in ("MAP@R", "MRR", "R-precision", "TAR@FAR=1e-4", "balanced", "@validation"):
        assert word in said.out


def test_seeds_run_in_turn_and_share_a_digest(command: Callable[..., Any], tmp_path: Path) -> None:
    said = command(
        "run.py", "--loss", "arcface", *QUICK, "--seeds", "2", "--seed", "3", "--no_pictures", "--out", str(tmp_path)
    )
    assert said.code == 0, said.err
    facts = [json.loads((folder / "run.json").read_text()) for folder in sorted(tmp_path.iterdir())]
    assert sorted(fact["seed"] for fact in facts) == [3, 4]
    assert len({fact["digest"] for fact in facts}) == 1


def test_another_objective_is_trained_on_the_same_seeds_and_compared(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    words = ("--loss", "triplet", "--miner", "hard", *QUICK, "--no_pictures", "--out", str(tmp_path))
    said = command("run.py", *words, "--seeds", "2", "--against", "arcface")
    assert said.code == 0, said.err
    facts = [json.loads((folder / "run.json").read_text()) for folder in sorted(tmp_path.iterdir())]
    made = {(fact["objective"], fact["seed"]): fact for fact in facts}
    assert made.keys() == {(name, seed) for name in ("triplet_margin(miner=batch_hard)", "arcface") for seed in (0, 1)}
    assert len({fact["split"] for fact in facts}) == 1
    assert "A: triplet_margin(miner=batch_hard)\nB: arcface\nseeds 0, 1 of each" in said.out
    again = said.out.splitlines()[-1].removeprefix("again: python experiments/table.py ").split()
    assert again[1:3] == [made["triplet_margin(miner=batch_hard)", 0]["digest"], made["arcface", 0]["digest"]]
    assert "n = 2 paired seeds" in command("table.py", *again).out


def test_a_mistake_in_the_other_objective_is_said_before_anything_trains(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    words = (*QUICK, "--out", str(tmp_path / "runs"))
    for more, sentence in (
        (("--against", "contrastve"), "did you mean 'contrastive'"),
        (("--against", "triplet"), "is the objective of --loss itself"),
        (("--against", ""), "--against is empty"),
        (("--against", "arcface", "--resume", str(tmp_path)), "--against has no place beside --resume"),
        (("--against", "arcface", "--seeds", "0"), "--seeds is 0"),
    ):
        said = command("run.py", "--loss", "triplet", *words, *more)
        assert said.code == 2 and sentence in said.err and said.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_run_keeps_its_tags_which_are_in_no_digest(command: Callable[..., Any], tmp_path: Path) -> None:
    words = ("run.py", "--loss", "contrastive", *QUICK, "--no_pictures", "--out", str(tmp_path))
    said = command(*words, "--tag", "pilot", "二")
    assert said.code == 0, said.err
    assert command(*words).code == 0
    facts = [json.loads((folder / "run.json").read_text()) for folder in tmp_path.iterdir()]
    assert sorted(str(fact.get("tags")) for fact in facts) == ["None", "['pilot', '二']"]
    assert len({fact["digest"] for fact in facts}) == 1


def test_a_recipe_file_is_read_and_flags_go_over_it(command: Callable[..., Any], tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'loss = "contrastive"\nmax_steps = 3\n[data]\nname = "digits"\n[backbone]\nname = "conv4"\n[batch]\nsize = 16\n'
    )
    said = command(
        "run.py", "--recipe", str(recipe), "--max_steps", "2", "--no_pictures", "--out", str(tmp_path / "runs")
    )
    assert said.code == 0, said.err
    (folder,) = (tmp_path / "runs").iterdir()
    facts = json.loads((folder / "run.json").read_text())
    assert facts["objective"] == "contrastive" and facts["steps"] == 2


def test_the_recipe_that_a_run_keeps_makes_the_same_run_again(command: Callable[..., Any], tmp_path: Path) -> None:
    for place, words in (("a", ("--loss", "contrastive", *QUICK)), ("b", ())):
        given = ("--recipe", str(next((tmp_path / "a").iterdir()) / "recipe.toml")) if place == "b" else words
        assert command("run.py", *given, "--no_pictures", "--out", str(tmp_path / place)).code == 0
    first, second = (json.loads((next((tmp_path / p).iterdir()) / "report.json").read_text()) for p in "ab")
    assert first == second


@pytest.mark.parametrize("what", ["losses", "miners", "data", "backbones"])
def test_catalogues_are_printed(command: Callable[..., Any], what: str) -> None:
    from sandbox.backbones.catalog import own_backbones
    from sandbox.data.catalog import data_sets
    from sandbox.objectives.catalog import catalog

    said = command("run.py", "--list", what)
    names = {"losses": catalog("loss"), "miners": catalog("miner"), "data": data_sets(), "backbones": own_backbones()}
    assert said.code == 0
    assert all(name in said.out for name in names[what])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--loss", "tripplet"), "did you mean 'triplet'"),
        (("--loss", "triplet(margn=1)"), "did you mean 'margin'"),
        (("--loss", "triplet(margin='x')"), "takes a number"),
        (("--loss", "triplet("), "cannot read"),
        (("--loss", "arcface", "--miner", "hard"), "nothing to do"),
        (("--loss", "triplet(margin=tune(0.1, 0.5))"), "tune.py"),
        (("--optimizer.lrr", "1"), "did you mean '--optimizer.lr'"),
        (("--optimizer.lr", "fast"), "--optimizer.lr"),
        (("--optimizer.name", "adamm"), "adamw"),
        (("--loss",), "--loss"),
        (("triplet",), "'triplet'"),
        (("--recipe", "nothing"), "no recipe named 'nothing'"),
        (("--recipe", "nothing.toml"), "nothing.toml"),
        (("--seeds", "0"), "--seeds"),
        (("--seed", "-1"), "seed"),
        (("--data.name", "folder"), "root"),
        (("--data.name", "folder", "--data.root", "no/such/place"), "no/such/place"),
        (("--backbone.name", "resnet_smal"), "did you mean 'resnet_small'"),
        (("--backbone.name", "torchvision:resnet19"), "did you mean 'resnet18'"),
        (("--backbone.weights", "net.bin"), "no weights at net.bin"),
        (("--device", "gpu"), "device"),
        (("--recipe", ""), "--recipe is empty"),
        (("--loss", "triplet", "--loss", "arcface"), "given twice"),
        (("--loss", "nt_xent(temperature=0)"), "no finite number"),
        (("--evaluate.episodes", "5-way"), "evaluate.episodes is '5-way', but names ways and shots"),
        (("--evaluate.episode_count", "600"), "evaluate.episode_count is 600, but changes nothing without episodes"),
        (("--evaluate.monitor", "fewshot/accuracy@5-way-1-shot"), "but evaluate.episodes asks for none"),
        ((*BY_CLASS, "4w1s"), "4-way 1-shot draws 4 classes of at least 16 images (1 known, 15 asked for) each, but 3"),
        ((*BY_CLASS, "2w900s"), "but the largest of 3 classes of test has"),
        (("--list", "looses"), "losses"),
        (("--tag", "two words"), "'two words' is no tag: letters, digits, - _ and . make one"),
        (("--tag", "a" * 65), "has 65 characters, but has at most 64"),
        (("--tag",), "no value stands behind --tag"),
        (("--tag", "a", "--tag", "b"), "several values stand behind one: --tag A B"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    command: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    said = command("run.py", *words, "--out", str(tmp_path / "runs"))
    assert said.code == 2
    assert sentence in said.err and "Traceback" not in said.err
    assert said.err.startswith("error: ") and said.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_recipe_with_a_key_that_does_not_exist_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text("[optimizer]\nlearning_rate = 1\n")
    said = command("run.py", "--recipe", str(recipe))
    assert said.code == 2 and "optimizer.learning_rate" in said.err


def test_a_place_that_cannot_be_written_is_said(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = command("run.py", *QUICK, "--out", str(tmp_path / "file"))
    assert said.code == 2 and "file" in said.err


def test_help_answers_without_torch() -> None:
    for name in ("run.py", "tune.py", "table.py", "benchmark.py"):
        code = (
            f"import sys, runpy; sys.argv = ['{name}', '--help']\n"
            f"try: runpy.run_path('experiments/{name}', run_name='__main__')\n"
            "except SystemExit as end: assert end.code == 0\n"
            "heavy = {'torch', 'optuna', 'pandas', 'seaborn', 'sklearn', 'faiss'} & set(sys.modules)\n"
            "assert not heavy, heavy"
        )
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_a_folder_of_images_trains_and_says_what_it_left_out(command: Callable[..., Any], tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for person in range(8):
        base = rng.integers(0, 255, (16, 16))
        (tmp_path / "faces" / f"p{person}").mkdir(parents=True)
        for number in range(5 if person else 1):
            noisy = np.clip(base + rng.normal(0, 20, base.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(tmp_path / "faces" / f"p{person}" / f"{number}.png")
    (tmp_path / "faces" / "p3" / "broken.jpg").write_bytes(b"no image")
    words = ("--data.name", "folder", "--data.root", str(tmp_path / "faces"), "--data.image_size", "16")
    said = command("run.py", *words, "--max_steps", "3", "--no_pictures", "--out", str(tmp_path / "runs"))
    assert said.code == 0, said.err
    assert "broken.jpg" in said.err


def test_resume_refuses_what_it_cannot_continue(command: Callable[..., Any], tmp_path: Path) -> None:
    assert "no run folder" in command("run.py", "--resume", str(tmp_path)).err
    assert command("run.py", "--loss", "triplet", *QUICK, "--no_pictures", "--out", str(tmp_path)).code == 0
    (folder,) = tmp_path.iterdir()
    assert "finished" in command("run.py", "--resume", str(folder)).err
    assert "no place beside --resume" in command("run.py", "--resume", str(folder), "--loss", "arcface").err
    assert "--tag has no place beside --resume" in command("run.py", "--resume", str(folder), "--tag", "a").err
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**facts, "status": "interrupted"}))
    recipe = (folder / "recipe.toml").read_text()
    (folder / "recipe.toml").write_text(recipe.replace("max_steps = 4", "max_steps = 3"))
    said = command("run.py", "--resume", str(folder))
    assert said.code == 2 and "was changed since" in said.err


@needs_fork
def test_a_signal_ends_the_command_as_schedulers_expect(command: Callable[..., Any], tmp_path: Path) -> None:
    words = [*QUICK, "--loss", "triplet", "--no_pictures", "--out", str(tmp_path / "runs")]
    words[words.index("--max_steps") + 1] = "100000"
    run = started(type_run, words)
    while not [*tmp_path.glob("runs/*/log.jsonl")]:
        time.sleep(0.01)
    (folder,) = (tmp_path / "runs").iterdir()
    refused = command("run.py", "--resume", str(folder))
    assert refused.code == 2 and f"is being worked on by process {run.pid} on " in refused.err
    run.terminate()  # by SIGTERM
    assert ended(run) == 143
    assert json.loads((folder / "run.json").read_text())["status"].startswith("interrupted by SIGTERM at step ")
    table = command("table.py", str(tmp_path / "runs"))
    assert "no finished run" in table.err


def test_ctrl_c_while_modules_load_leaves_no_traces() -> None:
    code = (
        "import os, signal, sys\n"
        "class Meddler:\n"
        "    def find_spec(self, name, *more):\n"
        "        if name == 'tyro': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Meddler())\n"
        "import runpy; sys.argv = ['experiments/run.py', '--help']\n"
        "runpy.run_path('experiments/run.py', run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGINT and ended.stderr == ""  # a shell says 130
