"""Embeddings that are odd, and mistakes of a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from score_files import IMAGES, PEOPLE, Report, rows, saved

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


def test_figures_by_an_array_are_told_and_those_of_two_runs_refused(
    command: Callable[..., Any], scored: Callable[..., Report], tmp_path: Path
) -> None:
    x, y = rows()
    file = saved(
        tmp_path / "groups.npz",
        embeddings=x,
        labels=y,
        light=np.where(y % 2, "day", "night"),
        cameras=np.arange(len(y)) % 3,
    )
    report = scored("--embeddings", file, "--by", "light")
    assert {key for key in report if key.endswith("/fmr")} == {
        f"by/light={v}/verification/fmr" for v in ("day", "night")
    }
    said = command("evaluate.py", "--embeddings", str(file), "--by", "light")
    assert "FNMR, light=day" in said.out and "note: cameras are heeded: each of " in said.err
    said = command("evaluate.py", "--run", str(tmp_path), str(tmp_path), "--by", "light")
    assert said.code == 2 and "--by names a column of one run's images, or an array of --embeddings" in said.err
    said = command("evaluate.py", "--embeddings", str(file), "--by", "lights")
    assert said.code == 2 and "has no array named 'lights'" in said.err and "did you mean 'light'?" in said.err
