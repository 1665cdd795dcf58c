"""The IJB protocols' lists: templates of images, and pairs of templates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_files import read, saved
from sklearn.metrics import roc_auc_score

from sandbox.errors import SandboxError
from sandbox.scoring.inputs import Options
from sandbox.scoring.score import score
from sandbox.scoring.templates import of_templates

from fuzz import FUZZ, changed, read_or_refused

PEOPLE, DIM = 6, 8


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two templates of each person with media of one to three images, and all pairs of templates."""
    root, rng = tmp_path_factory.mktemp("ijb"), np.random.default_rng(0)
    x, paths, lines = [], [], []
    own = rng.normal(size=(PEOPLE, DIM))
    for template in range(2 * PEOPLE):
        for medium in range(2):
            for _ in range(rng.integers(1, 4)):
                x.append(own[template // 2] + rng.normal(size=DIM))
                paths.append(f"loose_crop/{len(x)}.jpg")
                lines.append(f"{len(x)}.jpg {10 * template + 7} {medium + 40}")  # media of one number are not one
    order = rng.permutation(len(x))
    rows = np.asarray(x, np.float32)[order]
    saved(root / "x.npz", embeddings=rows, paths=np.array(paths)[order])
    saved(root / "bare.npz", embeddings=np.asarray(x, np.float32), labels=np.zeros(len(x), int))
    (root / "tid_mid.txt").write_text("\n".join(lines) + "\n")
    pairs = [(a, b) for a in range(2 * PEOPLE) for b in range(a)]
    (root / "pairs.txt").write_text("".join(f"{10 * a + 7} {10 * b + 7} {int(a // 2 == b // 2)}\n" for a, b in pairs))
    return root


def looped(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Scores and truth of the pairs, an image, a medium and a template after the other."""
    held = np.load(root / "x.npz")
    unit = {
        p.split("/")[1]: row / np.linalg.norm(row) for p, row in zip(held["paths"], held["embeddings"], strict=True)
    }
    media: dict[str, dict[str, list[np.ndarray]]] = {}
    for line in (root / "tid_mid.txt").read_text().splitlines():
        image, template, medium = line.split()
        media.setdefault(template, {}).setdefault(medium, []).append(unit[image])
    whole = {template: sum(np.mean(rows, 0) for rows in one.values()) for template, one in media.items()}
    pairs = [line.split() for line in (root / "pairs.txt").read_text().splitlines()]
    scores = [whole[a] @ whole[b] / np.linalg.norm(whole[a]) / np.linalg.norm(whole[b]) for a, b, _ in pairs]
    return np.array(scores), np.array([same == "1" for _, _, same in pairs])


@pytest.mark.parametrize("name", ["x.npz", "bare.npz"])
def test_pairs_of_templates_are_scored_as_by_a_loop(files: Path, name: str) -> None:
    inputs = of_templates(files / name, files / "tid_mid.txt", files / "pairs.txt")
    scores, same = looped(files)
    assert inputs.pairs is not None and (inputs.pairs.same == same).all()
    x = inputs.probe.x
    np.testing.assert_allclose((x[inputs.pairs.left] * x[inputs.pairs.right]).sum(1), scores, atol=1e-6)
    assert len(set(inputs.probe.labels.tolist())) == PEOPLE and inputs.probe.paths[1] == "17"  # type: ignore[index]
    found = score(inputs, Options()).figures
    assert found["verification/auc"]["value"] == pytest.approx(roc_auc_score(same, scores), abs=1e-6)
    assert not any(key.startswith("retrieval") for key in found)


def test_the_command_prints_them(files: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    lists = ("--templates", str(files / "tid_mid.txt"), "--pairs", str(files / "pairs.txt"))
    done = command("evaluate.py", "--embeddings", str(files / "x.npz"), *lists, "--json", str(tmp_path / "r.json"))
    assert done.code == 0 and "images are 12 templates, each the mean of its media's means" in done.err
    assert read(tmp_path / "r.json")["verification/auc"]["n"] == 66
    done = command("evaluate.py", "--embeddings", str(files / "x.npz"), *lists[:2])
    assert (done.code, done.err) == (2, "error: --templates changes nothing without --pairs\n")
    done = command("evaluate.py", "--embeddings", str(files / "x.npz"), *lists, "--gallery", str(files / "x.npz"))
    assert done.code == 2 and "--templates scores the templates of --embeddings by --pairs; leave --gallery" in done.err
    done = command("evaluate.py", "--embeddings", str(files / "x.npz"), *lists, "--by", "camera")
    assert done.code == 2 and "leave --by out" in done.err


WRONG = [
    (
        "tid_mid.txt",
        "1.jpg 7\n",
        r"line 1 must be an image, its template and its medium, such as '1\.jpg 1 69544', not",
    ),
    ("tid_mid.txt", "1.jpg 7 x\n", "line 1 must be an image, its template and its medium"),
    (
        "tid_mid.txt",
        "900.jpg 7 1\n",
        r"names 1 image that is not among the .* paths of .*, the first in line 1: '900\.j",
    ),
    ("tid_mid.txt", "\n", "is empty; a line is an image, its template and its medium"),
    (
        "pairs.txt",
        "7 17 1\n7 999 0\n",
        r"pair 2 names template 999, of which no image is listed \(nor of those of 0 oth",
    ),
    ("pairs.txt", "7 17 1\n7 27 2\n", "pair 2 ends in 2, but is 1 for one person, 0 for two"),
    ("pairs.txt", "7 17 1\n7 a 0\n", "must hold lines of two templates and 1 or 0, such as '1 11065 1': "),
    ("pairs.txt", "7 17\n7 27\n", "has 2 numbers in a line, but its lines are two templates and 1 or 0"),
    ("pairs.txt", "", "is empty, but its lines are two templates and 1 or 0"),
    ("pairs.txt", "7 17 1\n", "holds no impostor pair among 1; verification needs both kinds"),
]


@pytest.mark.parametrize(("name", "text", "said"), WRONG)
def test_lists_that_do_not_fit(files: Path, tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    lists = {other: files / other for other in ("tid_mid.txt", "pairs.txt")} | {name: tmp_path / name}
    with pytest.raises(SandboxError, match=said) as refused:
        of_templates(files / "x.npz", lists["tid_mid.txt"], lists["pairs.txt"])
    assert "\n" not in str(refused.value)


def test_embeddings_in_no_template_are_counted_and_rows_without_paths_must_be_as_many(
    files: Path, tmp_path: Path
) -> None:
    lines = (files / "tid_mid.txt").read_text().splitlines()
    (tmp_path / "few.txt").write_text("\n".join(lines[1:]))
    inputs = of_templates(files / "x.npz", tmp_path / "few.txt", files / "pairs.txt")
    assert "1 embedding is in no template of few.txt and left out" in inputs.notes
    with pytest.raises(SandboxError, match=r"names [0-9]+ images and there are [0-9]+ embeddings without paths"):
        of_templates(files / "bare.npz", tmp_path / "few.txt", files / "pairs.txt")


@FUZZ
@given(data=st.data())
def test_damaged_lists_are_read_or_refused(files: Path, data: st.DataObject) -> None:
    whole = {name: (files / name).read_bytes() for name in ("tid_mid.txt", "pairs.txt")}
    damaged = data.draw(st.sampled_from(sorted(whole)))
    lists = {name: files / f"fuzzed-{name}" for name in whole}
    for name, content in whole.items():
        lists[name].write_bytes(data.draw(changed(content)) if name == damaged else content)
    read_or_refused(lambda: of_templates(files / "x.npz", lists["tid_mid.txt"], lists["pairs.txt"]))
