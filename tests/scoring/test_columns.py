"""Cameras, and a column to give figures by, in files of embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.report import Labelled, evaluate
from sandbox.evaluation.report import Options as Plain
from sandbox.evaluation.roles import Roles, stacked
from sandbox.scoring.columns import with_columns
from sandbox.scoring.inputs import Inputs, Options, read
from sandbox.scoring.score import Scored, score


def made(seed: int, count: int = 60) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 9, count)
    x = np.random.default_rng(9).normal(size=(10, 8))[labels] + rng.normal(size=(count, 8))
    return {"embeddings": x.astype(np.float32), "labels": labels, "cameras": rng.integers(1, 4, count)}


def saved(file: Path, **arrays: Any) -> Path:
    np.savez(file, **arrays)
    return file


def inputs_of(embeddings: Path, gallery: Path | None = None, by: str = "", pairs: Path | None = None) -> Inputs:
    return with_columns(read(embeddings, gallery=gallery, pairs=pairs), embeddings, gallery, by)


def judged(inputs: Inputs) -> Scored:
    return score(inputs, Options())


def test_cameras_of_one_file(tmp_path: Path) -> None:
    rows = made(0)
    scored = judged(inputs_of(saved(tmp_path / "a.npz", **rows)))
    options = Plain(roles=Roles.among_all(rows["cameras"]))
    wanted = evaluate(Labelled(rows["embeddings"], rows["labels"]), options).figures
    for key in ("retrieval/map", "retrieval/recall@1", "retrieval/map@r", "verification/auc"):
        assert scored.figures[key] == wanted[key], key
    said = [finding.text for finding in scored.findings]
    assert any(text.startswith("cameras are heeded: each of 60 images searches all others") for text in said)
    del rows["cameras"]
    plain = judged(inputs_of(saved(tmp_path / "b.npz", **rows)))
    assert "retrieval/map" not in plain.figures
    assert plain.figures["retrieval/map@r"] != scored.figures["retrieval/map@r"]
    assert not any("passed over" in finding.text for finding in plain.findings)


def test_cameras_under_another_name_are_not_passed_over_silently(tmp_path: Path) -> None:
    rows = made(0)
    rows["CamID"] = rows.pop("cameras")
    file = saved(tmp_path / "a.npz", **rows)
    said = "cameras are read from an array named 'cameras', and 'CamID' is passed over"
    assert said in [finding.text for finding in judged(inputs_of(file)).findings]
    assert said not in [finding.text for finding in judged(inputs_of(file, by="CamID")).findings]


def test_cameras_of_queries_and_gallery_with_junk_and_distractors(tmp_path: Path) -> None:
    queries, gallery = made(1, 20), made(2, 70)
    gallery["labels"][:6], gallery["labels"][6:12] = -1, 0
    scored = judged(inputs_of(saved(tmp_path / "q.npz", **queries), saved(tmp_path / "g.npz", **gallery)))
    kept = gallery["labels"] != -1
    x = np.concatenate([queries["embeddings"], gallery["embeddings"][kept]])
    y = np.concatenate([queries["labels"], gallery["labels"][kept]])
    roles = stacked(20, int(kept.sum()), queries["cameras"], gallery["cameras"][kept])
    wanted = evaluate(Labelled(x, y), Plain(roles=roles)).figures
    for key in ("retrieval/map", "retrieval/recall@1", "retrieval/recall@10", "retrieval/unmatched"):
        assert scored.figures[key] == wanted[key], key
    said = [finding.text for finding in scored.findings]
    assert "6 rows of label -1 left out: junk, which counts neither way" in said
    assert any("20 queries search a gallery of 64, the same class in the same camera left out" in text for text in said)
    assert any(text.startswith("identification was left out") for text in said)
    assert not [key for key in scored.figures if key.startswith("identification/rank")]


def test_junk_among_rows_that_search_each_other_is_no_genuine_pair(tmp_path: Path) -> None:
    rows = made(3)
    rows["labels"][::5] = -1
    kept = rows["labels"] != -1
    inputs = inputs_of(saved(tmp_path / "a.npz", **rows))
    plain = {name: array[kept] for name, array in rows.items()}
    own, wanted = judged(inputs).figures, judged(inputs_of(saved(tmp_path / "b.npz", **plain))).figures
    assert own == wanted and len(inputs.probe) == kept.sum()


def test_rows_without_a_camera_share_none(tmp_path: Path) -> None:
    rows = made(7)
    rows["cameras"] = np.array(["", "1", " 1 ", "2"])[rows["cameras"]]
    rows["cameras"][::4] = ""
    found = judged(inputs_of(saved(tmp_path / "a.npz", **rows))).figures
    x = rows["embeddings"] / np.linalg.norm(rows["embeddings"], axis=1, keepdims=True)
    cameras, labels, means = np.char.strip(rows["cameras"]), rows["labels"], []
    for query in range(60):
        junk = (labels == labels[query]) & (cameras == cameras[query]) & (cameras[query] != "")
        junk[query] = True
        order = np.argsort(-(x @ x[query])[~junk])
        right = (labels[~junk] == labels[query])[order]
        if right.any():
            places = np.flatnonzero(right) + 1
            means.append((np.arange(1, len(places) + 1) / places).mean())
    assert found["retrieval/map"]["n"] == len(means)
    assert found["retrieval/map"]["value"] == pytest.approx(np.mean(means), abs=1e-6)


def test_names_of_cameras_are_of_both_files(tmp_path: Path) -> None:
    queries, gallery = made(4, 20), made(5, 40)
    numbers = judged(inputs_of(saved(tmp_path / "q.npz", **queries), saved(tmp_path / "g.npz", **gallery))).figures
    for rows in (queries, gallery):
        rows["cameras"] = np.array([f"hall {number}" for number in rows["cameras"]])
    named = judged(inputs_of(saved(tmp_path / "q2.npz", **queries), saved(tmp_path / "g2.npz", **gallery))).figures
    assert numbers == named
    del gallery["cameras"]
    with pytest.raises(SandboxError, match=r"q2\.npz holds 'cameras' and .*g3\.npz does not; they are heeded where"):
        inputs_of(tmp_path / "q2.npz", saved(tmp_path / "g3.npz", **gallery))


def test_figures_by_an_array(tmp_path: Path) -> None:
    rows = made(6)
    rows["category"] = np.where(rows["labels"] < 5, "shirt", "dress")
    rows["category"][rows["labels"] == 8] = "hat"
    scored = judged(inputs_of(saved(tmp_path / "a.npz", **rows), by="category"))
    groups = {key.split("/")[1] for key in scored.figures if key.startswith("by/")}
    assert groups == {"category=shirt", "category=dress"}
    at = scored.figures["verification/balanced_accuracy"]["threshold"]
    assert scored.figures["by/category=shirt/verification/fmr"]["threshold"] == at
    said = [finding.text for finding in scored.findings]
    assert "1 value of category without genuine or without impostor pairs left out: hat" in said
    assert "3 groups have fewer than 10 identities: intervals say little of them" in said
    with pytest.raises(SandboxError, match="has no array named 'kind'"):
        inputs_of(tmp_path / "a.npz", by="kind")
    rows["path"] = np.array([str(number) for number in range(60)])
    with pytest.raises(SandboxError, match="--by is path, which has 60 values, but figures are given by 50 at most"):
        inputs_of(saved(tmp_path / "b.npz", **rows), by="path")
