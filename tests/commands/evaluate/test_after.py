"""--after and --figures of the evaluate command as a person types them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PEOPLE, IMAGES = 20, 5


def rows(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(PEOPLE, 12))[np.repeat(np.arange(PEOPLE), IMAGES)]
    return (x + 0.8 * rng.normal(size=x.shape)).astype(np.float32)


@pytest.fixture
def typed(command: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Types the command over faces.npz, with others.npz of other people and a list in two folds beside it."""
    y, halves = np.repeat(np.arange(PEOPLE), IMAGES), np.arange(PEOPLE * IMAGES) % 2
    marks = {"templates": 2 * y + halves, "media": np.array([f"v{one}" for one in np.arange(len(y)) % 3])}
    np.savez(tmp_path / "faces.npz", embeddings=rows(0), labels=y, **marks)
    np.savez(tmp_path / "others.npz", embeddings=rows(1), labels=y + 100)
    listed = [f"{a * IMAGES} {b * IMAGES + 1} {int(a == b)}" for a in range(PEOPLE) for b in (a, (a + 1) % PEOPLE)]
    (tmp_path / "pairs.txt").write_text("\n".join(listed))

    def type_it(text: str) -> Any:
        words = [str(tmp_path / word) if word.endswith((".npz", ".txt")) else word for word in shlex.split(text)]
        return command("evaluate.py", "--embeddings", str(tmp_path / "faces.npz"), *words)

    return type_it


def test_figures_after_the_steps_stand_beside_the_plain_ones_and_what_was_fitted_is_said(
    typed: Callable[..., Any], tmp_path: Path
) -> None:
    said = typed(f"--after 'whiten(6) + rerank(k1=9, k2=3)' --fit others.npz --json {tmp_path}/report.json")
    assert said.code == 0, said.err
    assert "note: whiten(6) was fitted on 100 rows of --fit, of 20 classes\n" in said.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["after/retrieval/map@r"]["fitted_rows"] == 100 and "fitted_rows" not in report["retrieval/map@r"]
    assert report["after/verification/auc"] != report["verification/auc"]
    for word in ("MAP@R, after", "AUC, after", "fitted on 100 rows"):
        assert word in said.out
    again = typed(f"--after 'whiten(6) + rerank(k1=9, k2=3)' --validation others.npz --json {tmp_path}/again.json")
    assert again.code == 0 and "100 rows of validation" in again.err
    same = json.loads((tmp_path / "again.json").read_text())
    assert same["after/retrieval/map@r"] == report["after/retrieval/map@r"]


def test_figures_by_other_tables_names_are_there_where_they_are_asked_for(typed: Callable[..., Any]) -> None:
    said = typed("--pairs pairs.txt --folds 2 --figures 'map, ndcg@3, precision@2, pauc@0.1, fold_tar@0.2'")
    assert said.code == 0, said.err
    for word in ("mAP", "nDCG@3", "P@2", "partial AUC@FAR=1e-1", "mean TAR over folds@FAR=2e-1", "over 2 folds"):
        assert word in said.out
    assert "mAP" not in typed("--pairs pairs.txt").out


def test_templates_are_read_from_the_file_that_says_them(typed: Callable[..., Any]) -> None:
    said = typed("--after templates")
    assert said.code == 0, said.err
    line = next(line for line in said.out.splitlines() if "MAP@R, after" in line)
    assert line.split()[-1] == str(2 * PEOPLE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--after whiten(6)", "whiten(6) of --after fits on embeddings that are in no test, and there are none: give"),
        ("--after whiten(6) --fit faces.npz", "--after is never fitted on what is scored, but"),
        ("--after whiten(13) --fit others.npz", "whiten(13) keeps 13 dimensions, but the embeddings have 12 before"),
        ("--after rerank(k1=100)", "k1 of rerank is 100, but a query is compared with 99 rows"),
        ("--after reranking", "--after is 'reranking', but there is no step named 'reranking'; did you mean 'rerank'"),
        ("--after center --fit others.npz --metric l2", "center is of unit vectors and their cosines, but the metric"),
        ("--fit others.npz", "--fit changes nothing without --after"),
        ("--after templates --gallery others.npz", "others.npz has no 'templates'; there are 'embeddings', 'labels'"),
        ("--after templates --pairs pairs.txt", "templates stand in the place of images, but the pairs are of images"),
        ("--figures fold_tar@0.1", "--figures asks for fold_tar@0.1, which is of given pairs in folds: give --pairs"),
        ("--figures maps", "--figures is 'maps', but 'maps' is no figure; did you mean 'map'?"),
        ("--figures map --index hnsw", "map is of the whole gallery, but the index hnsw looks at a part of it"),
    ],
)
def test_a_mistake_is_one_sentence(typed: Callable[..., Any], text: str, said: str) -> None:
    found = typed(text)
    assert found.code == 2 and said in found.err
    assert found.err.splitlines()[-1].startswith("error: ") and "Traceback" not in found.err


def test_a_figure_that_the_data_have_none_of_is_said(typed: Callable[..., Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "faces.npz", embeddings=rows(0), labels=np.arange(PEOPLE * IMAGES))
    (tmp_path / "pairs.txt").write_text("0 1 1\n2 3 0\n4 5 1\n6 7 0\n")
    said = typed("--pairs pairs.txt --figures 'map, pauc@0.1'")
    assert said.code == 0, said.err
    assert "note: map of --figures was left out: no row searches another here" in said.err
    assert "partial AUC@FAR=1e-1" in said.out and "mAP" not in said.out
