"""Several finished runs as one: what is read, refused, and found."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, evaluate
from sandbox.recipe.specs import DataSpec, Recipe
from sandbox.runs.embeddings import KeptSet, write_embeddings
from sandbox.runs.folder import create
from sandbox.scoring.ensemble import of_runs, score_together
from sandbox.scoring.inputs import Options

from compared import drawn

MAP = "retrieval/map@r"


def a_run(
    parent: Path,
    seed: int,
    *,
    dim: int = 8,
    split: str = "abc",
    data: DataSpec | None = None,
    pairs: Pairs | None = None,
) -> Path:
    """A finished run of 12 test classes of 6 images and 5 of validation, scattered as the seed says."""
    recipe = Recipe(data=data or DataSpec(), seed=seed)
    folder = create(parent, recipe, "a test", f"run{seed}-{dim}")
    kept = {}
    for name, classes in (("val", 5), ("test", 12)):
        x, y = drawn(seed, 1.2, identities=classes)
        x = x[:, :dim] / np.linalg.norm(x[:, :dim], axis=1, keepdims=True)
        kept[name] = KeptSet(x.astype(np.float32), y, pairs if name == "test" else None)
    write_embeddings(folder, kept, closed_set=False)
    folder.update(status="done", split=split, test_evaluations=1)
    return folder.path


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [a_run(tmp_path, seed) for seed in range(3)]


def looks(runs: list[Path]) -> list[int]:
    return [json.loads((run / "run.json").read_text())["test_evaluations"] for run in runs]


def test_members_mean_concatenation_and_average_are_those_by_hand(three: list[Path]) -> None:
    found = score_together(of_runs(three, "test"), Options())
    assert [*found.members] == ["run0-8", "run1-8", "run2-8"]
    kept = [load_file(run / "embeddings.safetensors") for run in three]
    x, y = [one["test/embeddings"].astype(float) for one in kept], kept[0]["test/labels"]
    for name, rows in zip(found.members, x, strict=True):
        own = evaluate(Labelled(rows.astype(np.float32), y)).figures
        assert found.members[name][MAP] == own[MAP]
    assert found.separated[MAP]["value"] == pytest.approx(
        np.mean([one[MAP]["value"] for one in found.members.values()])
    )
    assert found.separated[MAP]["n"] == 3
    # Side by side, cosines are the mean of the members': ranked by that, without any embedding.
    cosines = sum(rows @ rows.T for rows in x) / 3
    precision = []
    for i in range(len(y)):
        others = [j for j in np.argsort(-cosines[i], kind="stable") if j != i][:5]
        hits = y[others] == y[i]
        precision.append(sum(hits[: k + 1].mean() for k in range(5) if hits[k]) / 5)
    assert found.concatenated.figures[MAP]["value"] == pytest.approx(np.mean(precision), abs=1e-6)
    mean = sum(x)
    averaged = evaluate(Labelled((mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32), y)).figures
    assert found.averaged is not None and found.averaged[MAP]["value"] == pytest.approx(averaged[MAP]["value"])
    assert found.concatenated.figures[MAP]["value"] > found.separated[MAP]["value"] + 0.1
    assert (
        "verification/balanced_accuracy@validation" in found.concatenated.figures
    )  # at the threshold of validation, joined too


def test_every_run_counts_the_look_and_none_where_one_is_refused(three: list[Path]) -> None:
    of_runs(three, "test")
    of_runs(three, "val")
    assert looks(three) == [2, 2, 2]
    with pytest.raises(SandboxError, match="there is no folder"):
        of_runs([*three, three[0] / "none"], "test")
    assert looks(three) == [2, 2, 2]


def test_runs_of_several_lengths_are_concatenated_alone(three: list[Path], tmp_path: Path) -> None:
    ensemble = of_runs([three[0], a_run(tmp_path, 1, dim=5)], "test")
    assert ensemble.concatenated.probe.x.shape[1] == 13 and ensemble.averaged is None
    assert ensemble.notes == ("averaged embeddings were left out: the runs have 8 and 5 dimensions",)
    found = score_together(ensemble, Options())
    assert found.averaged is None and [*found.document()] == ["runs", "separated", "concatenated"]


def test_runs_of_other_images_are_refused_by_name(three: list[Path], tmp_path: Path) -> None:
    other = a_run(tmp_path, 7, split="xyz", data=DataSpec(split_seed=1))
    with pytest.raises(
        SandboxError, match=r"run0-8 was judged on other images than run7-8: their splits are abc and xy"
    ):
        of_runs([three[0], other], "test")
    with pytest.raises(SandboxError, match=r"\(data.split_seed is 0 and 1\); an ensemble needs the same"):
        of_runs([three[0], other], "val")
    other = a_run(tmp_path, 8, data=DataSpec(name="digits"))
    with pytest.raises(SandboxError, match=r"\(data.name is glyphs and digits\)"):
        of_runs([three[0], other], "test")
    assert looks(three) == [1, 1, 1]


def test_runs_in_folds_share_their_test_images_alone(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, k, split=f"s{k}", data=DataSpec(val_fold=f"{k + 1}/2")) for k in range(2)]
    with pytest.raises(SandboxError, match="other images"):
        of_runs(runs, "test")
    for run in runs:
        facts = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps({**facts, "test_images": "same"}))
    ensemble = of_runs(runs, "test")
    assert ensemble.notes == ("the runs share their test images alone, so that validation chooses no thresholds",)
    assert ensemble.concatenated.validation is None
    assert "verification/balanced_accuracy@validation" not in score_together(ensemble, Options()).concatenated.figures
    with pytest.raises(SandboxError, match="other images"):
        of_runs(runs, "val")


def test_rows_in_another_order_and_other_pairs_are_refused(three: list[Path], tmp_path: Path) -> None:
    file = three[1] / "embeddings.safetensors"
    kept = load_file(file)
    save_file({**kept, "test/labels": kept["test/labels"][::-1].copy()}, file, {"state": '{"closed_set": false}'})
    with pytest.raises(SandboxError, match="run0-8 and run1-8 have other labels"):
        of_runs(three, "test")
    ends = np.arange(4)
    pairs = Pairs(left=ends, right=ends + 1, same=np.ones(4, bool), fold=ends)
    given = a_run(tmp_path, 5, pairs=pairs)
    refolded = a_run(tmp_path, 6, pairs=Pairs(left=ends, right=ends + 1, same=np.ones(4, bool), fold=ends[::-1].copy()))
    for other in (three[0], refolded):
        with pytest.raises(SandboxError, match="were verified on other pairs"):
            of_runs([given, other], "test")


def test_a_copy_of_a_run_is_told_and_a_run_named_twice_refused(three: list[Path], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(three[0], tmp_path / "copy"))
    assert of_runs([three[0], copy], "test").notes == (
        "run0-8 and copy have the same embeddings, to the bit: one is a copy",
    )
    with pytest.raises(SandboxError, match=r"names \S+ twice"):
        of_runs([three[0], three[1], three[0] / ".." / three[0].name], "test")
    inner = Path(shutil.copytree(three[1], tmp_path / "deep" / three[0].name))
    assert of_runs([three[0], inner], "test").names == (str(three[0]), str(inner))  # one name is not two rows


def test_a_run_without_embeddings_of_the_split_is_refused(three: list[Path]) -> None:
    kept = load_file(three[2] / "embeddings.safetensors")
    save_file({key: value for key, value in kept.items() if key.startswith("val")}, three[2] / "embeddings.safetensors")
    with pytest.raises(SandboxError, match="run2-8 has no embeddings of its test split"):
        of_runs(three, "test")
    assert looks(three) == [1, 1, 1]


def test_the_command_prints_a_row_a_run_and_writes_all_of_it(
    three: list[Path], command: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = command("evaluate.py", "--run", *map(str, three), "--out", str(out))
    assert said.code == 0, said.err
    report = json.loads((out / "report.json").read_text())
    assert [*report] == ["runs", "separated", "concatenated", "averaged"] and len(report["runs"]) == 3
    rows = {line.split("  ")[0].strip(): line for line in said.out.splitlines()}
    for name, figures in (
        *report["runs"].items(), ("mean of 3", report["separated"]),
        ("concatenated", report["concatenated"]), ("averaged", report["averaged"]),
    ):  # fmt: skip
        cells = re.split(r" {2,}", rows[name].strip())
        entry, last = figures[MAP], figures["verification/balanced_accuracy@validation"]
        assert cells[1:3] == [f"{entry['value']:.4f}", f"{entry['low']:.4f} to {entry['high']:.4f}"]
        assert cells[-2] == f"{last['value']:.4f}"
    assert {path.name for path in out.iterdir()} == {"report.json", "findings.txt", "roc.csv", "roc_det.png", "cmc.png"}
    assert "their cosine" not in said.err and "concatenated" in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("A", "B", "--bin", "x.bin"), "--bin takes the network of one run, but --run names 2"),
        (("A", "B", "--submit", "answers"), "--submit takes the network of one run, but --run names 2"),
        (("A", "A"), "twice, but an ensemble is of several runs"),
        (("A", ""), "--run is empty"),
        (("A", "none"), "there is no folder none"),
        (("A", "B", "--pairs", "p.txt"), "--pairs names rows of --embeddings"),
    ],
)
def test_what_no_ensemble_can_have_is_one_sentence(
    three: list[Path], command: Callable[..., Any], words: tuple[str, ...], sentence: str
) -> None:
    places = {"A": str(three[0]), "B": str(three[1])}
    said = command("evaluate.py", "--run", *(places.get(word, word) for word in words))
    assert said.code == 2 and sentence in said.err and said.err.count("\n") == 1 and said.out == ""
