"""The evaluate command as a person types it."""

from __future__ import annotations

import io
import json
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recipes import made_folder

ROOT = Path(__file__).resolve().parents[2]
PEOPLE, IMAGES, DIM = 20, 5, 20
QUICK = (
    *"--data.name digits --data.image_size 8 --backbone.name conv4 --backbone.embedding_dim 16".split(),
    *"--max_steps 2 --batch.size 16 --threads 1 --no_pictures".split(),
)
Report = dict[str, dict[str, Any]]


def rows(seed: int = 0, noise: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows of 20 people, 5 images each, that overlap a little."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(PEOPLE), IMAGES)
    x = rng.normal(size=(PEOPLE, DIM))[y] + noise * rng.normal(size=(len(y), DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def saved(file: Path, **arrays: Any) -> Path:
    np.savez(file, **arrays)
    return file


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    """Embeddings with labels."""
    x, y = rows()
    return saved(tmp_path / "faces.npz", embeddings=x, labels=y)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """Embeddings of other people."""
    x, y = rows(1)
    return saved(tmp_path / "others.npz", embeddings=x, labels=y + 100)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Lines `a b 1` over the rows: 40 genuine pairs and 60 of different people."""
    genuine = [(person * IMAGES, person * IMAGES + other) for person in range(PEOPLE) for other in (1, 2)]
    impostors = [(a * IMAGES, (a + step) % PEOPLE * IMAGES + step) for a in range(PEOPLE) for step in (1, 2, 3)]
    lines = [f"{a} {b} 1" for a, b in genuine] + [f"{a} {b} 0" for a, b in impostors]
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def scored(command: Callable[..., Any], tmp_path: Path) -> Callable[..., Report]:
    """Runs the command and reads its report, whose every entry must be whole."""

    def run(*words: str | Path) -> Report:
        file = tmp_path / "scored.json"
        said = command("evaluate.py", *map(str, words), "--json", str(file))
        assert said.code == 0, said.err
        assert all(line.startswith("note: ") for line in said.err.splitlines()), said.err
        return read(file)

    return run


def read(file: Path) -> Report:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    report: Report = json.loads(file.read_text(), parse_constant=refuse)
    for key, entry in report.items():
        assert {"value", "low", "high", "n"} <= entry.keys(), key
        assert entry["low"] <= entry["value"] <= entry["high"], key
        assert all(math.isfinite(value) for value in entry.values() if isinstance(value, float)), key
    return report


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


def test_a_run_has_a_cmc_of_each_image_among_the_others(scored: Callable[..., Report], tmp_path: Path) -> None:
    run = made_folder(tmp_path / "runs", "triplet", 0)
    scored("--run", run, "--out", tmp_path / "out")
    with Image.open(tmp_path / "out" / "cmc.png") as picture:
        assert picture.format == "PNG"


def test_findings_are_kept(scored: Callable[..., Report], npz: Path, tmp_path: Path) -> None:
    file = saved(tmp_path / "long.npz", embeddings=2 * rows()[0], labels=rows()[1])
    scored("--embeddings", file, "--out", tmp_path / "out")
    assert (tmp_path / "out" / "findings.txt").read_text().startswith("not-unit-length: 100 rows are not of length 1")


ODD = {
    "one class": lambda x, y: (x, y * 0),
    "two rows": lambda x, y: (x[:2], y[:2]),
    "all equal": lambda x, y: (np.ones_like(x), y),
    "all zero": lambda x, y: (np.zeros_like(x), y),
    "some zero": lambda x, y: (x * (np.arange(len(x)) % 5 > 0)[:, None], y),
    "huge": lambda x, y: (x * np.float32(1e30), y),
    "tiny": lambda x, y: (x * np.float32(1e-38), y),
    "perfect": lambda x, y: (np.eye(PEOPLE, dtype=np.float32)[y], y),
    "one dimension": lambda x, y: (x[:, :1], y),
    "names": lambda x, y: (x, np.array([f"李 {label}" for label in y])),
    "beyond int64": lambda x, y: (x, y.astype(np.uint64) + np.uint64(2**63)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("how", ["alone", "gallery", "validation"])
def test_odd_embeddings_still_give_figures(
    scored: Callable[..., Report], others: Path, tmp_path: Path, name: str, how: str
) -> None:
    x, y = ODD[name](*rows())
    file = saved(tmp_path / "odd.npz", embeddings=x, labels=y)
    beside = {"alone": (), "gallery": ("--gallery", file), "validation": ("--validation", others)}[how]
    width = rows(1)[0][:, : x.shape[1]]
    saved(others, embeddings=width, labels=np.array([f"other {label}" for label in rows(1)[1]]))
    drawn = ("--out", tmp_path / "out") if how == "alone" else ()
    report = scored("--embeddings", file, *beside, *drawn, "--recall_at", "1", "100000")
    assert report["retrieval/recall@100000"]["n"] == len(x)


@pytest.mark.parametrize("name", ["all equal", "some zero", "perfect", "one class", "huge"])
def test_odd_embeddings_still_give_figures_over_pairs(
    scored: Callable[..., Report], pairs: Path, tmp_path: Path, name: str
) -> None:
    x, y = ODD[name](*rows())
    file = saved(tmp_path / "odd.npz", embeddings=x, labels=y)
    words = ("--embeddings", file, "--pairs", pairs, "--folds", "4", "--calibrate")
    for method in ("logistic", "isotonic"):
        assert scored(*words, method)["verification/accuracy@4-fold"]["n"] == 100


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("one", "one class of people"),
        ("lone", "a class of two images"),
        ("zero", ""),
    ],
)
def test_odd_validation_costs_its_own_figures_only(
    command: Callable[..., Any], scored: Callable[..., Report], npz: Path, tmp_path: Path, kind: str, words: str
) -> None:
    x, y = rows(1)
    x, y = {"one": (x[:IMAGES], y[:IMAGES]), "lone": (x[::IMAGES], y[::IMAGES]), "zero": (0 * x, y)}[kind]
    file = saved(tmp_path / "odd.npz", embeddings=x, labels=y + 100)
    report = scored("--embeddings", npz, "--validation", file)
    assert "verification/auc" in report
    said = command("evaluate.py", "--embeddings", str(npz), "--validation", str(file))
    assert "note: balanced accuracy@validation was left out: " in said.err
    assert not any(key.endswith("@validation") for key in report)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "give either --embeddings FILE.npz or --run DIR"),
        (("--embeddings", "NPZ", "--run", "DIR"), "not both"),
        (("--embeddings", "NPZ", "--bin", "x.bin"), "--bin holds images"),
        (("--run", "DIR", "--gallery", "NPZ"), "--gallery names rows of --embeddings"),
        (("--run", "DIR"), "has no run.json"),
        (("--run", "DIR/none"), "there is no folder"),
        (("--run", "x" * 5000), "there is no folder"),
        (("--embeddings", "DIR/none.npz"), "none.npz: no such file"),
        (("--embeddings", "DIR"), "is a directory"),
        (("--embeddings", "EMPTY"), "is empty"),
        (("--embeddings", ""), "--embeddings is empty"),
        (("--embeddings", "NPZ", "--json="), "--json is empty"),
        (("--embeddings", "OBJECTS"), "Python objects"),
        (("--embeddings", "NAN"), "the first in row 7"),
        (("--embeddings", "FLAT"), "the shape (100,)"),
        (("--embeddings", "ONE"), "every class has a single image"),
        (("--embeddings", "NPZ", "--gallery", "NARROW"), "has 3 dimensions, but"),
        (("--embeddings", "NPZ", "--validation", "NARROW"), "has 3 dimensions, but"),
        (("--embeddings", "NPZ", "--gallery", "STRANGERS"), "no label of a query is in the gallery"),
        (("--embeddings", "NPZ", "--pairs", "HALF"), "half.txt line 2"),
        (("--embeddings", "NPZ", "--pairs", "ABSENT"), "absent.txt line 2 names '1000'"),
        (("--embeddings", "NPZ", "--pairs", "GENUINE"), "no impostor pair among 2"),
        (("--embeddings", "NPZ", "--pairs", "IMPOSTORS"), "no genuine pair among 2"),
        (("--embeddings", "NPZ", "--pairs", "EMPTY"), "is empty"),
        (("--embeddings", "NPZ", "--pairs", "DIR"), "is a directory"),
        (("--embeddings", "NPZ", "--pairs", "PAIRS", "--folds", "1"), "--folds is 1"),
        (("--embeddings", "NPZ", "--pairs", "PAIRS", "--folds", "700"), "700 folds need at least 700"),
        (("--embeddings", "NPZ", "--folds", "5"), "there is none"),
        (("--embeddings", "NPZ", "--pairs", "PAIRS", "--calibrate", "logistic"), "--folds or --validation_pairs"),
        (("--embeddings", "NPZ", "--calibrate", "isotonic"), "--calibrate needs --pairs"),
        (("--embeddings", "NPZ", "--validation_pairs", "PAIRS"), "--validation"),
        (("--embeddings", "NPZ", "--enrol", "2"), "--enrol changes nothing without --validation"),
        (("--embeddings", "NPZ", "--episodes", "5way"), "--episodes is '5way', but names ways and shots"),
        (("--embeddings", "NPZ", "--episodes", "5w1s"), "5-way 1-shot draws 5 classes of at least 16 images"),
        (("--embeddings", "NPZ", "--episodes", "21w1s", "--episode_queries", "4"), "but 20 of 20 classes of the"),
        (("--embeddings", "NPZ", "--episodes", "5w1s", "--episode_count", "1"), "--episode_count is 1, but lies"),
        (("--embeddings", "NPZ", "--episode_queries", "4"), "--episode_queries changes nothing without --episodes"),
        (("--run", "DIR", "--bin", "x.bin", "--episodes", "5w1s"), "--bin holds pairs of images without any"),
        (("--embeddings", "NPZ", "--split", "val"), "--split changes nothing without --run"),
        (("--embeddings", "NPZ", "--gallery", "NPZ", "--metric", "l2", "--template", "mean"), "--template mean"),
        (("--run", "DIR", "--bin", "x.bin", "--split", "val"), "--bin brings pairs"),
        (("--run", "DIR/net.onnx"), "is a network and holds no images or lists: add --bin FILE.bin"),
        (("--run", "DIR/net.onnx", "--submit", "DIR"), "is a network and holds no images or lists"),
        (("--run", "DIR/none.onnx", "--bin", "x.bin"), "there is no file"),
        (("--run", "FOREIGN", "--bin", "x.bin"), "foreign.onnx is damaged or no ONNX file"),
        (("--embeddings", "NPZ", "--far", "0"), "--far holds 0"),
        (("--embeddings", "NPZ", "--far", "0.1", "2"), "--far holds 2"),
        (("--embeddings", "NPZ", "--far", "nan"), "--far holds nan"),
        (("--embeddings", "TINY", "--metric", "dot"), "dot products of embeddings this short vanish in float32"),
        (("--embeddings", "TINY", "--metric", "l2"), "squared distances of embeddings this short vanish in float32"),
        (("--embeddings", "NPZ", "--validation", "NPZ", "--fpir", "1"), "--fpir holds 1"),
        (("--embeddings", "NPZ", "--validation", "NPZ", "--enrol", "0"), "--enrol is 0"),
        (("--embeddings", "NPZ", "--recall_at", "0"), "--recall_at"),
        (("--embeddings", "NPZ", "--recall_at", "1.5"), "--recall_at"),
        (("--embeddings", "NPZ", "--metric", "cosin"), "'cosine'"),
        (("--embeddings", "NPZ", "--metrik", "l2"), "did you mean '--metric'"),
        (("--embeddings", "HUGE", "--metric", "l2"), "beyond float32"),
        (("--embeddings", "SAME", "--clustering"), "two or more classes"),
        (("--embeddings", "NPZ", "--out", "EMPTY"), "is a file, but a folder is needed"),
        (("--embeddings", "NPZ", "--out", "EMPTY/under"), "cannot write"),
        (("--embeddings", "NPZ", "--json", "DIR"), "is a folder, but a file is needed"),
        (("--embeddings", "NPZ", "--json", "EMPTY/under.json"), "cannot write"),
        (("--embeddings", "NPZ", "--out", "x" * 5000), "cannot write"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    command: Callable[..., Any], npz: Path, pairs: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    x, y = rows()
    nan = x.copy()
    nan[7, 2] = np.nan
    (tmp_path / "empty").write_bytes(b"")
    lists = {"HALF": "0 1 1\n0 7 0.5\n", "ABSENT": "0 1 1\n0 1000 0\n", "GENUINE": "0 1 1\n0 2 1\n"}
    lists["IMPOSTORS"] = "0 9 0\n0 20 0\n"
    (tmp_path / "foreign.onnx").write_bytes(b"garbage")
    places = {
        "NPZ": npz,
        "FOREIGN": tmp_path / "foreign.onnx",
        "PAIRS": pairs,
        "DIR": tmp_path,
        "EMPTY": tmp_path / "empty",
    }
    for name, text in lists.items():
        places[name] = tmp_path / f"{name.lower()}.txt"
        places[name].write_text(text)
    arrays = {
        "OBJECTS": (x, y.astype(object)),
        "NAN": (nan, y),
        "TINY": (x * np.float32(1e-24), y),
        "FLAT": (x[:, 0], y),
        "ONE": (x[:1], y[:1]),
        "NARROW": (x[:, :3], y),
        "STRANGERS": (x, y + 1000),
        "HUGE": (x * np.float32(1e30), y),
        "SAME": (x, y * 0),
    }
    for name, (embeddings, labels) in arrays.items():
        places[name] = saved(tmp_path / f"{name.lower()}.npz", embeddings=embeddings, labels=labels)

    def filled(word: str) -> str:
        first, slash, rest = word.partition("/")
        return str(places[first]) + slash + rest if first in places else word

    said = command("evaluate.py", *map(filled, words))
    assert said.code == 2
    assert said.err.startswith("error: ") and said.err.count("\n") == 1, said.err
    assert sentence in said.err and said.out == ""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps."""
    from sandbox.pipeline import run as experiment
    from sandbox.pipeline.events import Done
    from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

    small = BackboneSpec(name="conv4", embedding_dim=16)
    data = DataSpec(name="digits", split="class", image_size=8)
    recipe = Recipe(data=data, backbone=small, batch=BatchSpec(size=16), max_steps=2, threads=1)
    *_, last = experiment.run(recipe, out=tmp_path_factory.mktemp("runs"), command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder.path


def looks(folder: Path) -> int:
    return int(json.loads((folder / "run.json").read_text())["test_evaluations"])


def test_a_run_is_scored_as_it_scored_itself(scored: Callable[..., Report], trained: Path) -> None:
    before = looks(trained)
    own = json.loads((trained / "report.json").read_text())
    far = ("--far", "1e-1", "1e-2", "1e-3", "1e-4")
    report = scored("--run", trained, *far)
    assert looks(trained) == before + 1
    assert {key: report[key] for key in own["test"]} == own["test"]
    assert any(key.startswith("identification/dir@fpir=") for key in report)
    assert scored("--run", trained, "--split", "val", *far) == own["val"]
    assert looks(trained) == before + 1


def test_a_run_embeds_a_verification_set_and_so_does_its_onnx_file(
    scored: Callable[..., Report], command: Callable[..., Any], trained: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    images = []
    for number in range(24):
        base = rng.integers(0, 256, (20, 20, 3))
        for shift in (0, 8 if number % 2 else 255):
            stream = io.BytesIO()
            Image.fromarray(((base + shift * rng.random(base.shape)) % 256).astype(np.uint8)).save(stream, "PNG")
            images.append(stream.getvalue())
    file = tmp_path / "tiny.bin"
    file.write_bytes(pickle.dumps((images, [number % 2 == 1 for number in range(24)]), protocol=4))
    before = looks(trained)
    report = scored("--run", trained, "--bin", file)
    assert looks(trained) == before
    assert command("export.py", str(trained), "--onnx", str(tmp_path / "net.onnx")).code == 0
    exported = scored("--run", tmp_path / "net.onnx", "--bin", file)
    assert exported.keys() == report.keys() and looks(trained) == before
    for key in ("verification/auc", "verification/accuracy"):
        assert exported[key]["value"] == pytest.approx(report[key]["value"], abs=0.1)  # the run may be in bfloat16
    assert report["verification/accuracy@10-fold"]["n"] == report["verification/auc"]["n"] == 24
    assert not any(key.startswith("retrieval/") for key in report)


def test_garbage_in_place_of_a_verification_set_is_refused(
    command: Callable[..., Any], trained: Path, tmp_path: Path
) -> None:
    for content in (b"", b"garbage", pickle.dumps(([b"no image"] * 4, [True, False]), protocol=4)):
        (tmp_path / "bad.bin").write_bytes(content)
        said = command("evaluate.py", "--run", str(trained), "--bin", str(tmp_path / "bad.bin"))
        assert said.code == 2 and "bad.bin" in said.err and said.err.count("\n") == 1


def test_help_answers_without_torch() -> None:
    code = (
        "import sys, runpy; sys.argv = ['evaluate.py', '--help']\n"
        "try: runpy.run_path('experiments/evaluate.py', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'numba', 'matplotlib', 'sklearn', 'faiss'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
