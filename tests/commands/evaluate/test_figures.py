"""The evaluate command as a person types it: figures of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from score_files import IMAGES, PEOPLE, Report, read, rows, saved

from recipes import made_folder

ROOT = Path(__file__).resolve().parents[3]


def test_labels_give_retrieval_and_verification_over_all_pairs(
    scored: Callable[..., Report], command: Callable[..., Any], npz: Path
) -> None:
    from sandbox.evaluation.report import Labelled, Options, evaluate

    report = scored("--embeddings", npz)
    far = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    assert report == evaluate(Labelled(*rows()), Options(far=far)).figures
    assert report["verification/tar@far=1e-6"]["supported"] is False
    assert report["verification/tar@far=1e-1"]["supported"] is True
    assert report["verification/auc"]["n"] == PEOPLE * IMAGES * (PEOPLE * IMAGES - 1) // 2
    said = command("evaluate.py", "--embeddings", str(npz))
    assert f"{report['retrieval/map@r']['value']:.4f}" in said.out and "95 % interval" in said.out
    assert "MAP@R" in said.out and "prior 0.5" in said.out and "P@1" not in said.out and "retrieval/" not in said.out
    assert said.err == ""


@pytest.mark.parametrize("kind", ["U", "S"])
def test_the_folder_of_a_path_is_the_class(scored: Callable[..., Report], npz: Path, tmp_path: Path, kind: str) -> None:
    x, y = rows()
    paths = np.array([f"faces/Žofie {label:03d}/{place}.jpg" for place, label in enumerate(y)])
    named = np.char.encode(paths, "utf-8") if kind == "S" else paths
    file = saved(tmp_path / "paths.npz", embeddings=x, paths=named)
    assert scored("--embeddings", file) == scored("--embeddings", npz)


@pytest.mark.parametrize("kind", ["f2", "f8", "i4"])
def test_any_number_type_is_taken(scored: Callable[..., Report], tmp_path: Path, kind: str) -> None:
    x, y = rows()
    file = saved(tmp_path / "typed.npz", embeddings=(x * 100).astype(kind), labels=y)
    assert scored("--embeddings", file)["retrieval/map@r"]["value"] > 0.3


def test_a_gallery_is_searched_and_people_are_ranked(scored: Callable[..., Report], npz: Path, tmp_path: Path) -> None:
    x, y = rows(0, noise=1.6)
    gallery = saved(tmp_path / "gallery.npz", embeddings=x[::2], labels=y[::2].astype(str))  # text beside integers
    report = scored("--embeddings", npz, "--gallery", gallery, "--out", tmp_path / "out")
    assert report["retrieval/recall@1"]["n"] == report["identification/rank@1"]["n"] == PEOPLE * IMAGES
    ranks = [report[f"identification/rank@{k}"]["value"] for k in (1, 5, 10)]
    assert ranks == sorted(ranks) and ranks[0] > 0.5
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "report.json", "findings.txt", "roc.csv", "roc_det.png", "cmc.png",
    }  # fmt: skip
    assert read(tmp_path / "out" / "report.json") == report
    best = scored("--embeddings", npz, "--gallery", gallery, "--template", "best")
    assert best["identification/rank@1"] != report["identification/rank@1"]


def test_an_image_that_is_in_the_gallery_too_is_said(command: Callable[..., Any], npz: Path) -> None:
    said = command("evaluate.py", "--embeddings", str(npz), "--gallery", str(npz))
    assert said.code == 0 and "note: 100 rows are identical, byte by byte, to a row of the gallery" in said.err


def test_lfw_s_list_brings_its_folds(scored: Callable[..., Report], tmp_path: Path) -> None:
    x, y = rows()
    paths = [f"lfw/P{label}/P{label}_{place % IMAGES + 1:04d}.jpg" for place, label in enumerate(y)]
    file = saved(tmp_path / "lfw.npz", embeddings=x, paths=np.array(paths))
    lines = ["10 2"]
    for fold in range(10):
        a, b = 2 * fold, 2 * fold + 1
        lines += [f"P{a}\t1\t2", f"P{b}\t3\t5", f"P{a}\t1\tP{b}\t2", f"P{a}\t4\tP{b}\t4"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    report = scored("--embeddings", file, "--pairs", tmp_path / "pairs.txt")
    folded = report["verification/accuracy@10-fold"]
    assert folded["n"] == 40 and folded["standard_error"] >= 0 and len(folded["thresholds"]) == 2
    assert report["verification/auc"]["n"] == 40


def test_lines_and_csv_say_the_same(scored: Callable[..., Report], npz: Path, pairs: Path, tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("left,right,same\n" + pairs.read_text().replace(" ", ","))
    report = scored("--embeddings", npz, "--pairs", pairs)
    assert report == scored("--embeddings", npz, "--pairs", table)
    assert report["verification/auc"]["n"] == 100
    assert not any("fold" in key for key in report)
    assert "verification/accuracy@5-fold" in scored("--embeddings", npz, "--pairs", pairs, "--folds", "5")


def test_what_was_passed_over_in_a_list_is_told(command: Callable[..., Any], npz: Path, pairs: Path) -> None:
    lines = pairs.read_text().split("\n")[:-1]
    table = pairs.with_name("pairs.csv")
    table.write_text(",a,b,same\n" + "".join(f"{place},{line.replace(' ', ',')}\n" for place, line in enumerate(lines)))
    plain, said = (command("evaluate.py", "--embeddings", str(npz), "--pairs", str(file)) for file in (pairs, table))
    assert said.code == 0 and said.out == plain.out and plain.err == ""
    assert said.err == "note: 1 column is passed over: column 1, which has no name\n"


def test_pairs_of_people_with_one_image_each_need_no_retrieval(
    scored: Callable[..., Report], command: Callable[..., Any], pairs: Path, tmp_path: Path
) -> None:
    file = saved(tmp_path / "lone.npz", embeddings=rows()[0], labels=np.arange(PEOPLE * IMAGES))
    assert not any(key.startswith("retrieval/") for key in scored("--embeddings", file, "--pairs", pairs))
    assert "single row" not in command("evaluate.py", "--embeddings", str(file), "--pairs", str(pairs)).err


def test_validation_chooses_thresholds_and_opens_the_set(
    scored: Callable[..., Report], npz: Path, others: Path, pairs: Path
) -> None:
    whole = scored("--embeddings", npz, "--validation", others, "--enrol", "2", "--fpir", "0.2", "0.05")
    chosen = whole["verification/balanced_accuracy@validation"]
    assert chosen["value"] <= whole["verification/balanced_accuracy"]["value"] and -1 < chosen["threshold"] < 1
    for key in ("identification/dir@fpir=2e-1", "identification/dir@fpir=5e-2"):
        assert {"fpir", "strangers", "threshold", "gallery", "supported"} <= whole[key].keys()
    listed = scored("--embeddings", npz, "--validation", others, "--validation_pairs", pairs)
    assert listed["verification/balanced_accuracy@validation"]["threshold"] != chosen["threshold"]


def test_open_set_is_left_out_where_people_are_in_both(command: Callable[..., Any], npz: Path) -> None:
    said = command("evaluate.py", "--embeddings", str(npz), "--validation", str(npz))
    assert said.code == 0 and "dir@" not in said.out
    assert "note: open-set identification was left out" in said.err and "20 are in both" in said.err


@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_a_metric_is_used_throughout(scored: Callable[..., Report], pairs: Path, tmp_path: Path, metric: str) -> None:
    x, y = rows()
    long = saved(tmp_path / "long.npz", embeddings=x * np.linspace(1, 9, len(x))[:, None], labels=y)
    words = ("--embeddings", long, "--pairs", pairs, "--gallery", long)
    by_metric, by_cosine = scored(*words, "--metric", metric), scored(*words)
    for key in ("retrieval/map@r", "verification/auc", "verification/eer"):
        assert by_metric[key]["value"] != by_cosine[key]["value"]


def test_episodes_are_scored_where_they_are_asked_for(command: Callable[..., Any], npz: Path) -> None:
    words = ("--embeddings", str(npz), "--episodes", "5-way 1-shot, 20w3s", "--episode_queries", "2")
    said = command("evaluate.py", *words, "--episode_count", "600")
    assert said.code == 0 and said.err == ""
    rows = [line.split() for line in said.out.splitlines() if "-shot accuracy" in line]
    assert [row[:3] for row in rows] == [["5-way", "1-shot", "accuracy"], ["20-way", "3-shot", "accuracy"]]
    beside = "600 episodes of 2 queries a class, from 20 classes"
    assert all(0.3 < float(row[3]) < 1 and " ".join(row[7:]) == beside for row in rows)


@pytest.mark.parametrize("index", ["ivf", "hnsw"])
def test_an_approximate_index_says_its_recall(
    scored: Callable[..., Report], npz: Path, tmp_path: Path, index: str
) -> None:
    assert 0 < scored("--embeddings", npz, "--index", index)["retrieval/index_recall"]["value"] <= 1
    x, y = rows()
    few = saved(tmp_path / "few.npz", embeddings=x[3:6], labels=y[3:6])
    assert scored("--embeddings", few, "--index", index)["retrieval/recall@1"]["n"] == 2


def test_clustering_is_there_where_asked_for(scored: Callable[..., Report], npz: Path) -> None:
    assert "clustering/ami" not in scored("--embeddings", npz)
    assert scored("--embeddings", npz, "--clustering")["clustering/ami"]["value"] > 0.3


@pytest.mark.parametrize("method", ["logistic", "isotonic"])
def test_calibration_is_judged_on_other_pairs(
    scored: Callable[..., Report], npz: Path, others: Path, pairs: Path, method: str
) -> None:
    words = ("--embeddings", npz, "--pairs", pairs, "--calibrate", method)
    for more in (("--folds", "4"), ("--validation", others, "--validation_pairs", pairs)):
        report = scored(*words, *more)
        assert 0 <= report["verification/min_cllr"]["value"] <= report["verification/cllr"]["value"]


def test_what_is_drawn_is_what_was_counted(scored: Callable[..., Report], npz: Path, tmp_path: Path) -> None:
    report = scored("--embeddings", npz, "--out", tmp_path / "deep" / "out")
    out = tmp_path / "deep" / "out"
    assert not (out / "cmc.png").exists()
    with Image.open(out / "roc_det.png") as picture:
        assert picture.format == "PNG"
    header, *lines = (out / "roc.csv").read_text().splitlines()
    threshold, far, tar = np.array([line.split(",") for line in lines], float).T
    assert header == "threshold,far,tar"
    assert (np.diff(threshold) < 0).all() and (np.diff(far) >= 0).all() and (np.diff(tar) >= 0).all()
    at = report["verification/tar@far=1e-1"]
    assert tar[far <= 0.1].max() == pytest.approx(at["value"]) and far[far <= 0.1].max() == pytest.approx(at["far"])
    assert (out / "findings.txt").read_text() == "nothing was found\n"


def test_what_is_written_is_said(command: Callable[..., Any], npz: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "out", tmp_path / "r.json"
    said = command("evaluate.py", "--embeddings", str(npz), "--out", str(out), "--json", str(file))
    *_, first, second = said.out.splitlines()
    assert (first, second.partition(": ")[0]) == (f"wrote {file}", f"wrote {out}")
    assert sorted(second.partition(": ")[2].split(", ")) == sorted(each.name for each in out.iterdir())


def test_a_run_has_a_cmc_of_each_image_among_the_others(scored: Callable[..., Report], tmp_path: Path) -> None:
    run = made_folder(tmp_path / "runs", "triplet", 0)
    scored("--run", run, "--out", tmp_path / "out")
    with Image.open(tmp_path / "out" / "cmc.png") as picture:
        assert picture.format == "PNG"


def test_findings_are_kept(scored: Callable[..., Report], npz: Path, tmp_path: Path) -> None:
    file = saved(tmp_path / "long.npz", embeddings=2 * rows()[0], labels=rows()[1])
    scored("--embeddings", file, "--out", tmp_path / "out")
    assert (tmp_path / "out" / "findings.txt").read_text().startswith("not-unit-length: 100 rows are not of length 1")
