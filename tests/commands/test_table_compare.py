"""`table.py compare` as a person types it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sandbox.recipe.specs import DataSpec, EvaluateSpec, OptimizerSpec, Recipe, digest
from sandbox.runs.folder import RunFolder

from compared import drawn, embedded, told

TRIPLET, CONTRASTIVE = "triplet_margin(miner=batch_hard)", "contrastive"
A_VALUES, B_VALUES = (0.52, 0.55, 0.56, 0.53, 0.57), (0.5, 0.52, 0.55, 0.51, 0.53)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two objectives with five and six seeds, known by figures alone."""
    place = tmp_path_factory.mktemp("compare") / "runs"
    for seed, (a, b) in enumerate(zip(A_VALUES, B_VALUES, strict=True)):
        told(place, Recipe(loss=TRIPLET, seed=seed), {"retrieval/map@r": a, "verification/eer": 0.4 - a / 2})
        told(place, Recipe(loss=CONTRASTIVE, seed=seed), {"retrieval/map@r": b, "verification/eer": 0.4 - b / 2})
    told(place, Recipe(loss=CONTRASTIVE, seed=5), {"retrieval/map@r": 0.1, "verification/eer": 0.4})
    return place


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two objectives with two seeds each, whose embeddings are kept; those of A stray less."""
    place = tmp_path_factory.mktemp("kept") / "runs"
    for seed in range(2):
        embedded(place, Recipe(loss=TRIPLET, seed=seed), *drawn(seed, 0.5))
        embedded(place, Recipe(loss=CONTRASTIVE, seed=seed), *drawn(seed, 0.8))
    return place


def compared(command: Callable[..., Any], *words: str) -> dict[str, Any]:
    said = command("table.py", "compare", *words, "--format", "json")
    assert said.code == 0, said.err
    return dict(json.loads(said.out))


def test_two_objectives_are_compared_on_the_seeds_that_both_have(command: Callable[..., Any], runs: Path) -> None:
    said = command("table.py", "compare", "triplet(miner=hard)", CONTRASTIVE, "--in", str(runs))
    assert said.code == 0, said.err
    assert f"A: {TRIPLET}\nB: {CONTRASTIVE}\nseeds 0 to 4 of each" in said.out
    # Differences 0.02, 0.03, 0.01, 0.02, 0.04: mean 0.024, deviation 0.0114, half 0.01416 (t, 4 degrees).
    sentence = (
        "A is better than B by 0.024 MAP@R (95 % interval 0.010 to 0.038, n = 5 paired seeds, "
        "paired t-test p = 0.0093, p = 0.019 with Holm's correction for 2 figures)."
    )
    assert sentence in said.out
    assert "A is better than B by 0.0120 EER (95 % interval 0.0049 to 0.0191, " in said.out
    assert "left out, as the other has no such seed: seed 5 of contrastive" in said.out
    assert "signed ranks (Wilcoxon) of fewer than six pairs never reach 5 %" in said.out
    assert "wins and losses of queries are left out" in said.out  # these runs keep no embeddings


def test_the_runs_of_a_table_are_compared_by_its_csv(command: Callable[..., Any], runs: Path, tmp_path: Path) -> None:
    assert command("table.py", str(runs), "--metrics", "MAP@R", "EER", "--out", str(tmp_path / "t.md")).code == 0
    words = ("triplet(miner=hard)", CONTRASTIVE, "--metrics", "MAP@R", "EER", "--in")
    by_csv, by_folders = (compared(command, *words, str(place)) for place in (tmp_path / "t.csv", runs))
    assert by_csv["figures"] == by_folders["figures"] and by_csv["figures"][0]["n"] == 5
    said = command("table.py", "compare", CONTRASTIVE, CONTRASTIVE, "--in", str(tmp_path / "t.csv"))
    assert said.code == 2 and "both names stand for the same runs" in said.err


def test_b_may_be_the_better_one_and_names_turn_round(command: Callable[..., Any], runs: Path) -> None:
    found = compared(command, CONTRASTIVE, TRIPLET, "--in", str(runs), "--metrics", "EER", "--equal", "0.001")
    (figure,) = found["figures"]
    assert figure["sentence"].startswith(f"{TRIPLET} is better than contrastive by 0.0120 EER (95 % interval 0.0049 to")
    assert figure["sentence"].endswith("The 95 % interval lies outside the 0.001 that count as equal.")
    assert figure["difference"] == pytest.approx(0.012) and figure["lower_is_better"] is True
    assert figure["p_a_better"] == 0 and figure["equal"] == "outside" and "Holm" not in figure["sentence"]


def test_what_is_not_settled_says_how_many_more_seeds_would(command: Callable[..., Any], tmp_path: Path) -> None:
    for seed, (a, b) in enumerate(((0.52, 0.5), (0.55, 0.56), (0.56, 0.53))):
        told(tmp_path, Recipe(loss=TRIPLET, seed=seed), a)
        told(tmp_path, Recipe(loss=CONTRASTIVE, seed=seed), b)
    words = (TRIPLET, CONTRASTIVE, "--in", str(tmp_path), "--equal", "0.1")
    (figure,) = compared(command, *words)["figures"]
    more = figure["seeds_needed"] - 3
    assert "does not differ measurably from contrastive in MAP@R (A - B = 0.013, 95 % interval" in figure["sentence"]
    assert f"; about {more} more seeds would settle a difference of this size" in figure["sentence"] and more > 3
    assert "They are equal within 0.1 (two one-sided t-tests at 5 %, p = 0.0" in figure["sentence"]


def test_a_name_is_a_digest_a_folder_of_runs_or_an_objective_as_it_is_typed(
    command: Callable[..., Any], runs: Path, tmp_path: Path
) -> None:
    for seed in range(2):
        told(tmp_path / "mine", Recipe(loss="arcface(margin=20)", seed=seed), 0.4 + 0.1 * seed)
    a, inside = digest(Recipe(loss=TRIPLET)), ("--in", str(runs), str(tmp_path))
    for one, other in (
        (a, str(tmp_path / "mine")),
        (a[:5], "arcface( margin = 20.0 )"),
        ("triplet_margin(miner=hard)", digest(Recipe(loss="arcface(margin=20)"))),
    ):
        found = compared(command, one, other, *inside)
        assert (found["a"]["digest"], found["b"]["name"], found["seeds"]) == (a, "arcface(margin=20)", [0, 1])


def test_recipes_of_one_objective_are_named_with_what_differs(command: Callable[..., Any], tmp_path: Path) -> None:
    for seed in range(2):
        told(tmp_path, Recipe(loss="contrastive", seed=seed), 0.5 + 0.1 * seed)
        told(tmp_path, Recipe(loss="contrastive", seed=seed, optimizer=OptimizerSpec(lr=0.5)), 0.5 + 0.11 * seed)
    said = command("table.py", "compare", "contrastive", "triplet", "--in", str(tmp_path))
    a, b = digest(Recipe(loss="contrastive")), digest(Recipe(loss="contrastive", optimizer=OptimizerSpec(lr=0.5)))
    assert said.code == 2 and f"2 recipes: {a} contrastive (optimizer.lr = 0.003; 2 seeds), {b} contrastive" in said.err
    found = compared(command, a, b, "--in", str(tmp_path))
    assert found["b"]["name"] == "contrastive (learning rate 0.5)"


def test_one_run_each_is_compared_on_its_test_images(command: Callable[..., Any], kept: Path) -> None:
    a, b = (str(next(kept.glob(f"*{name}*-s1"))) for name in ("triplet", "contrastive"))
    found = compared(command, a, b, "--metrics", "map@r", "recall@5", "auc", "d_prime")
    by_key = {figure["key"].rpartition("/")[2]: figure for figure in found["figures"]}
    assert found["kind"] == "runs" and found["identities"] == 12
    for key in ("map@r", "recall@5", "auc"):
        assert by_key[key]["low"] < by_key[key]["difference"] < by_key[key]["high"]
    report = json.loads((Path(a) / "report.json").read_text())["test"]
    assert by_key["auc"]["a"] == pytest.approx(report["verification/auc"]["value"])
    assert by_key["map@r"]["a"] == pytest.approx(report["retrieval/map@r"]["value"])
    assert by_key["d_prime"]["low"] is None and "no interval over identities for d'" in found["notes"][0]
    assert (
        "not the luck of training" in found["sentences"][-1] and "from 12 identities, and of" in found["sentences"][-1]
    )
    assert f"This network of {TRIPLET} is better than that of contrastive by" in by_key["map@r"]["sentence"]


def test_one_seed_in_common_falls_back_to_its_two_runs_and_says_so(command: Callable[..., Any], kept: Path) -> None:
    a = next(kept.glob("*triplet*-s0"))
    said = command("table.py", "compare", str(a), "contrastive", "--in", str(kept))
    assert said.code == 0 and "one seed in common: its two runs are compared on their test images" in said.out
    assert "seed 1 of contrastive" in said.out and "n = 1" not in said.out


def test_queries_and_identities_are_counted_over_shared_seeds(command: Callable[..., Any], kept: Path) -> None:
    found = compared(command, "triplet(miner=hard)", "contrastive", "--in", str(kept))
    by_map, by_first = found["served"]
    assert by_map["key"] == "test/retrieval/map@r" and by_first["key"] == "test/retrieval/recall@1"
    assert sum(by_map["queries"].values()) == 72 and sum(by_map["identities"].values()) == 12
    assert by_map["queries"]["a_better"] > by_map["queries"]["b_better"]


def test_every_format_and_the_file_that_names_its_command(
    command: Callable[..., Any], kept: Path, tmp_path: Path
) -> None:
    words = ("compare", "triplet(miner=hard)", "contrastive", "--in", str(kept))
    text = command("table.py", *words, "--format", "markdown").out
    assert "| MAP@R" in text and "**A: triplet\\_margin(miner=batch\\_hard)" in text and "nan" not in text
    assert command("table.py", *words, "--out", str(tmp_path / "t" / "a.csv")).code == 0
    lines = (tmp_path / "t" / "a.csv").read_text().splitlines()
    assert lines[0].startswith("# python experiments/table.py compare")
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert [row["key"] for row in rows][:2] == ["test/retrieval/map@r", "test/verification/auc"]
    assert float(rows[0]["difference"]) > 0 and rows[0]["n"] == "2"
    assert command("table.py", *words, "--out", str(tmp_path / "a.json"), "--format", "json").code == 0
    assert json.loads((tmp_path / "a.json").read_text())["made"][0].startswith("python experiments/table.py compare")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three objectives over eight data sets, one of them the best throughout, and a fourth that is on two."""
    place = tmp_path_factory.mktemp("sets") / "runs"
    for at, name in enumerate(("a", "b", "c", "d", "e", "f", "g", "h")):
        data = replace(DataSpec(name="folder"), split_seed=at)
        for way, loss in enumerate(("arcface", "contrastive", "triplet_margin")):
            for seed in range(2):
                value = 0.5 + 0.05 * at + 0.1 * (way == 0) + 0.01 * seed + (0.003 * at - 0.01) * (way == 1)
                told(place / name, Recipe(loss=loss, data=data, seed=seed), value, split=name)
        if at < 2:
            told(place / name, Recipe(loss="cosface", data=data), 0.5, split=name)
    return place


def test_several_over_data_sets_by_ranks_and_pairs(command: Callable[..., Any], sets: Path, tmp_path: Path) -> None:
    words = ("compare", "--over", "data.split_seed", "--in", str(sets))
    said = command("table.py", *words, "--format", "json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert [way["name"] for way in found["ways"]] == ["arcface", "contrastive", "triplet_margin"]
    assert found["ways"][0]["rank"] == 1 and found["friedman"]["p"] < 0.05 and len(found["sets"]) == 8
    first = found["pairs"][0]
    assert (first["wins"], first["losses"]) == (8, 0) and first["p"] == 2 / 2**8 and first["holm"] == 3 * 2 / 2**8
    assert any("arcface is better than contrastive (won 8 of 8 data sets" in line for line in found["sentences"])
    assert any("cosface (not on 2, 3, 4 and 3 more)" in note for note in found["notes"])
    picture = command("table.py", *words, "--out", str(tmp_path / "cd.png"))
    assert picture.code == 0 and "8/0/0" in picture.out and "mean rank" in picture.out
    with Image.open(tmp_path / "cd.png") as image:
        assert image.width > 600
    two = json.loads(command("table.py", "compare", "triplet", "contrastive", *words[1:], "--format", "json").out)
    assert two["friedman"]["p"] is None and len(two["pairs"]) == 1


def test_five_data_sets_say_what_they_cannot_show(command: Callable[..., Any], sets: Path) -> None:
    five = [str(sets / name) for name in "abcde"]
    said = command("table.py", "compare", "--over", "data.split_seed", "--in", *five)
    assert said.code == 0 and "With 5 data sets and 3 pairs no corrected p can be below 0.19" in said.out


BAD = {
    "no names": ((), "takes two names, A and B, but none is given; words after --in, --tag and --metrics"),
    "one name": (("triplet",), "but 1 are given"),
    "names after --in": (("--in", "RUNS", "triplet", "contrastive"), "words after --in, --tag and --metrics belong"),
    "three names": (
        ("triplet", "contrastive", "arcface"),
        "3 are given; several are compared over data sets by",
    ),
    "no such folder": (("no/such", "contrastive"), "there is no folder no/such"),
    "no such place": (("triplet", "contrastive", "--in", "nowhere"), "no folder nowhere"),
    "misspelt": (("tripel(miner=hard)", "contrastive", "--in", "RUNS"), "did you mean 'triplet'"),
    "not trained": (("arcface", "contrastive", "--in", "RUNS"), "no run has the objective 'arcface' in"),
    "no such digest": (("0123abc", "contrastive", "--in", "RUNS"), "no run's digest starts with 0123abc; there are "),
    "both the same": (("contrastive", "contrastive", "--in", "RUNS"), "both names stand for the same runs"),
    "unknown figure": (
        ("triplet(miner=hard)", "contrastive", "--in", "RUNS", "--metrics", "map@rr"),
        "no run has the figure 'map@rr' on test; did you mean 'map@r'",
    ),
    "several recipes": (("RUNS", "contrastive", "--in", "RUNS"), "holds 2 recipes: "),
    "equal below 0": (("triplet", "contrastive", "--equal", "-0.1"), "--equal is -0.1, but is a difference above 0"),
    "equal no number": (("triplet", "contrastive", "--equal", "nan"), "--equal is nan"),
    "a picture of two": (("triplet", "contrastive", "--out", "a.png"), "a picture is drawn of several ways"),
    "out is a folder": (("triplet", "contrastive", "--out", "RUNS"), "which is a folder; name a file"),
    "over nothing": (("--over", "data.nam", "--in", "RUNS"), "did you mean 'data.name'"),
    "over the objective": (("--over", "loss", "--in", "RUNS"), "no setting to compare over named 'loss'"),
    "over few": (("--over", "data.name", "--in", "RUNS"), "ranks over 1 data set say nothing"),
    "over with equal": (("--over", "data.name", "--equal", "0.1"), "--equal has no place beside --over"),
    "over one": (("triplet", "--over", "data.name"), "'triplet' alone is given"),
    "over two figures": (
        ("--over", "data.name", "--in", "RUNS", "--metrics", "map@r", "eer"),
        "--over ranks by one figure, but 2 are given",
    ),
    "over unknown": (("arcface", "contrastive", "--over", "data.name", "--in", "RUNS"), "no run has the objective"),
}


@pytest.mark.parametrize(("words", "sentence"), BAD.values(), ids=BAD)
def test_what_cannot_be_compared_is_one_sentence(
    command: Callable[..., Any], runs: Path, words: tuple[str, ...], sentence: str
) -> None:
    said = command("table.py", "compare", *(str(runs) if word == "RUNS" else word for word in words))
    assert said.code == 2 and said.out == "" and said.err.count("\n") == 1
    assert sentence in said.err


def refused(command: Callable[..., Any], a: RunFolder, b: RunFolder) -> str:
    said = command("table.py", "compare", str(a.path), str(b.path))
    assert said.code == 2 and said.err.count("\n") == 1
    return str(said.err)


def test_runs_that_were_not_judged_alike_are_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    x, y = drawn(0, 0.5)
    a = embedded(tmp_path, Recipe(loss=TRIPLET), x, y)
    other = replace(DataSpec(), split_seed=3)
    b = embedded(tmp_path, Recipe(loss=CONTRASTIVE, data=other), x, y, split="def")
    said = refused(command, a, b)
    assert "judged on other images than contrastive: their splits are abc and def (data.split_seed is 0 and 3)" in said
    b = embedded(tmp_path, Recipe(loss=CONTRASTIVE, evaluate=EvaluateSpec(flip=True)), x, y)
    assert "by other rules: evaluate.flip is False and True" in refused(command, a, b)
    b = embedded(tmp_path, Recipe(loss=CONTRASTIVE, seed=4), x, y)
    assert f"{TRIPLET} has seed 0 and contrastive has seed 4: none in common" in refused(command, a, b)
    b = embedded(tmp_path, Recipe(loss="arcface"), x[:-6], y[:-6])
    assert "keeps 72 test embeddings" in refused(command, a, b)
    b = embedded(tmp_path, Recipe(loss="cosface"), x, y[::-1].copy())
    assert "have other labels or pairs" in refused(command, a, b)
    b = told(tmp_path, Recipe(loss="multi_similarity"), 0.5)
    assert "has no embeddings" in refused(command, a, b) or "embeddings.safetensors" in refused(command, a, b)
    b.update(status="running")
    assert "no finished run in" in refused(command, a, b)


def test_a_damaged_run_is_named_and_the_others_are_compared(command: Callable[..., Any], tmp_path: Path) -> None:
    for seed in range(3):
        told(tmp_path, Recipe(loss=TRIPLET, seed=seed), 0.5 + 0.01 * seed)
        told(tmp_path, Recipe(loss=CONTRASTIVE, seed=seed), 0.4 + 0.02 * seed)
    (next(tmp_path.glob("*contrastive-s2")) / "report.json").write_text("[")
    said = command("table.py", "compare", TRIPLET, CONTRASTIVE, "--in", str(tmp_path))
    assert said.code == 0 and "1 run cannot be read and is left out" in said.err and "seed 2 of triplet" in said.out


def test_seeds_that_all_differ_by_the_same_give_no_interval_and_json_holds_no_nan(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    for seed in range(3):
        told(tmp_path, Recipe(loss=TRIPLET, seed=seed), 0.5 + 0.25 * seed)
        told(tmp_path, Recipe(loss=CONTRASTIVE, seed=seed), 0.25 + 0.25 * seed)
    (figure,) = compared(command, TRIPLET, CONTRASTIVE, "--in", str(tmp_path), "--equal", "0.01")["figures"]
    assert figure["low"] is figure["p"] is figure["seeds_needed"] is None and figure["equal"] == "undecided"
    assert "with each of 3 paired seeds, so that nothing tells how far another seed would stray" in figure["sentence"]


def test_figures_that_one_lacks_or_that_data_cannot_support_are_said(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    tar = "verification/tar@far=1e-4"
    for seed in range(3):
        more = {tar: 0.3 + 0.1 * seed} if seed else {}
        a = told(tmp_path, Recipe(loss=TRIPLET, seed=seed), {"retrieval/map@r": 0.5 + 0.01 * seed**2, **more})
        told(tmp_path, Recipe(loss=CONTRASTIVE, seed=seed), {"retrieval/map@r": 0.5, tar: 0.2, "retrieval/mrr": 0.5})
    report = json.loads((a.path / "report.json").read_text())
    report["test"][tar]["supported"] = False
    a.write_json("report.json", report)
    words = (TRIPLET, CONTRASTIVE, "--in", str(tmp_path), "--metrics")
    said = command("table.py", "compare", *words, "map@r", "tar@far=1e-4")
    assert said.code == 0 and "TAR@FAR=1e-4 is over seeds 1, 2 alone" in said.out
    assert "too few impostor pairs (below 30 / FAR) for TAR@FAR=1e-4 to be relied on" in said.out
    said = command("table.py", "compare", *words, "mrr")
    assert said.code == 2 and f"no run of {TRIPLET} has the figure test/retrieval/mrr; the other one has it" in said.err


def test_a_run_that_was_interrupted_is_named_with_the_line_that_goes_on(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    for seed in range(3):
        told(tmp_path, Recipe(loss=TRIPLET, seed=seed), 0.5 + 0.01 * seed**2)
        last = told(tmp_path, Recipe(loss=CONTRASTIVE, seed=seed), 0.5)
    last.update(status="interrupted by SIGINT")
    said = command("table.py", "compare", TRIPLET, CONTRASTIVE, "--in", str(tmp_path))
    assert said.code == 0 and "seeds 0, 1 of each" in said.out
    assert f"run.py --resume {last.path}" in said.err


def test_runs_that_are_verified_alone_are_compared_by_their_pairs(command: Callable[..., Any], tmp_path: Path) -> None:
    for loss, spread in ((TRIPLET, 0.5), (CONTRASTIVE, 0.9)):
        folder = embedded(tmp_path, Recipe(loss=loss), *drawn(0, spread))
        figures = json.loads((folder.path / "report.json").read_text())["test"]
        folder.write_json("report.json", {"test": {k: v for k, v in figures.items() if k.startswith("verification/")}})
    found = compared(command, TRIPLET, CONTRASTIVE, "--in", str(tmp_path), "--equal", "0.5")
    assert [figure["name"] for figure in found["figures"]] == ["AUC", "EER"] and found["served"] == []
    assert found["figures"][0]["low"] > 0 and found["figures"][0]["equal"] == "within"
    assert found["figures"][0]["tost_p"] is None and found["identities"] == 12
