"""What there is to score of a finished run."""

from __future__ import annotations

import io
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from sandbox.errors import SandboxError
from sandbox.inference.export import export
from sandbox.inference.trained import load_trained
from sandbox.pipeline import run as experiment
from sandbox.pipeline.events import Done
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe
from sandbox.runs.folder import RunFolder
from sandbox.scoring.from_run import of_bin, of_run
from sandbox.scoring.inputs import Options
from sandbox.scoring.score import score

Tensors = dict[str, torch.Tensor]


def trained(data: DataSpec, out: Path) -> Path:
    recipe = Recipe(
        data=data,
        backbone=BackboneSpec(embedding_dim=16),
        batch=BatchSpec(size=16),
        max_steps=2,
        threads=1,
        precision="float32",
    )
    *_, last = experiment.run(recipe, out=out, command="a test", pictures=False)
    assert isinstance(last, Done)
    return last.folder.path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on unseen classes."""
    return trained(DataSpec(name="digits", split="class"), tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def test_the_test_split_comes_with_validation_of_other_people(run: Path) -> None:
    judged = of_run(run, "test")
    kept = load_file(run / "embeddings.safetensors")
    np.testing.assert_array_equal(judged.probe.x, kept["test/embeddings"].numpy())
    assert judged.validation is not None and not judged.closed
    assert not {*judged.probe.labels.tolist()} & {*judged.validation.labels.tolist()}
    for part, name in ((judged.probe, "test"), (judged.validation, "val")):
        same = kept[f"{name}/labels"].numpy()
        np.testing.assert_array_equal(part.labels - part.labels.min(), same - same.min())
        assert len(part.classes) == part.labels.max() + 1


def test_every_look_at_the_test_split_is_counted(run: Path) -> None:
    def looks() -> int:
        return int(json.loads((run / "run.json").read_text())["test_evaluations"])

    assert looks() == 1
    of_run(run, "val")
    assert looks() == 1
    of_run(run, "test")
    of_run(run, "test")
    assert looks() == 3


def test_scored_again_it_gives_the_run_s_own_report(run: Path) -> None:
    own = json.loads((run / "report.json").read_text())
    ask = Options(far=(1e-1, 1e-2, 1e-3, 1e-4))
    for split in ("val", "test"):
        figures = json.loads(json.dumps(score(of_run(run, split), ask).figures))
        assert {key: figures[key] for key in own[split]} == own[split]
    assert "verification/balanced_accuracy@validation" in own["test"]


def test_a_closed_set_says_so(tmp_path: Path) -> None:
    path = trained(DataSpec(name="digits", split="sample"), tmp_path)
    judged = of_run(path, "test")
    assert judged.closed and judged.validation is not None and of_run(path, "val").closed
    assert {*judged.probe.labels.tolist()} == {*judged.validation.labels.tolist()}
    found = score(judged, Options())
    assert "identities-in-both" not in {finding.rule for finding in found.findings}
    assert not any(key.startswith("identification/") for key in found.figures)


def test_a_run_that_kept_no_state_claims_no_unseen_people(run: Path) -> None:
    kept = load_file(run / "embeddings.safetensors")
    save_file(kept, run / "embeddings.safetensors")
    assert of_run(run, "test").closed


def test_kept_pairs_are_read_with_their_folds(run: Path) -> None:
    kept = load_file(run / "embeddings.safetensors")
    table = torch.tensor([[0, 1, 1, 1], [0, 300, 0, 1], [2, 3, 1, 2], [4, 301, 0, 2]])
    save_file({**kept, "test/pairs": table, "val/pairs": table[:, :3].contiguous()}, run / "embeddings.safetensors")
    judged = of_run(run, "test")
    assert judged.pairs is not None and judged.validation_pairs is not None
    assert judged.pairs.fold is not None and judged.pairs.fold.tolist() == [1, 1, 2, 2]
    assert judged.pairs.same.tolist() == [True, False, True, False] and judged.pairs.right[1] == 300
    assert judged.validation_pairs.fold is None


CHANGES: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "no test": (lambda t: {k: v for k, v in t.items() if "test" not in k}, "without looking at it"),
    "no labels": (lambda t: {k: v for k, v in t.items() if k != "test/labels"}, "there is no test/labels"),
    "no val": (lambda t: {k: v for k, v in t.items() if "val" not in k}, "there is no val/embeddings"),
    "short": (lambda t: t | {"test/labels": t["test/labels"][1:].clone()}, "of test do not fit"),
    "negative": (lambda t: t | {"test/labels": t["test/labels"] - 9}, "of test do not fit"),
    "float labels": (lambda t: t | {"val/labels": t["val/labels"].float()}, "of val do not fit"),
    "nan": (lambda t: t | {"test/embeddings": t["test/embeddings"] * float("nan")}, "of test do not fit"),
    "narrow": (lambda t: t | {"val/embeddings": t["val/embeddings"][:, :3].clone()}, "val has 3 dimensions, test 16"),
    "bad pairs": (lambda t: t | {"test/pairs": torch.zeros(3, 2, dtype=torch.int64)}, "the pairs of test are"),
    "far pairs": (lambda t: t | {"test/pairs": torch.full((3, 3), 10**6)}, "images that are not there"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_damaged_embeddings_are_refused_and_not_counted_as_a_look(run: Path, name: str) -> None:
    change, words = CHANGES[name]
    save_file(change(load_file(run / "embeddings.safetensors")), run / "embeddings.safetensors")
    with pytest.raises(SandboxError, match=words) as error:
        of_run(run, "test")
    assert "\n" not in str(error.value)
    assert json.loads((run / "run.json").read_text())["test_evaluations"] == 1


def test_a_count_that_is_no_number_is_damage(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "test_evaluations": "many"}))
    with pytest.raises(SandboxError, match="damaged"):
        of_run(run, "test")


def picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    return stream.getvalue()


def bin_of(file: Path, numbers: list[int], same: list[bool]) -> Path:
    file.write_bytes(pickle.dumps(([picture(number) for number in numbers], same), protocol=4))
    return file


def test_a_verification_set_is_embedded_once_for_each_distinct_image(run: Path, tmp_path: Path) -> None:
    file = bin_of(tmp_path / "set.bin", [0, 1, 2, 3, 1, 4, 0, 5], [True, False, True, False])
    judged = of_bin(run, file)
    assert judged.pairs is not None and judged.pairs.fold is None and not judged.retrieve
    assert judged.pairs.left.tolist() == [0, 2, 1, 0] and judged.pairs.right.tolist() == [1, 3, 4, 5]
    assert judged.pairs.same.tolist() == [True, False, True, False]
    y = judged.probe.labels
    assert y[0] == y[1] == y[4] and len({*y.tolist()}) == 4  # 0 = 1 and 1 = 4, so that all three are one person's
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(picture(number)))) for number in range(6)])
    np.testing.assert_allclose(judged.probe.x, load_trained(RunFolder(run)).embed(pixels), atol=1e-6)


def test_an_onnx_file_stands_in_for_its_run(run: Path, tmp_path: Path) -> None:
    network = load_trained(RunFolder(run))
    noise = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 1), dtype=np.uint8)
    export(network, noise, onnx=tmp_path / "net.onnx", program=None)
    file = bin_of(tmp_path / "set.bin", [0, 1, 2, 3, 1, 4, 0, 5], [True, False, True, False])
    judged, own = of_bin(tmp_path / "net.onnx", file), of_bin(run, file)
    np.testing.assert_allclose(judged.probe.x, own.probe.x, atol=1e-4)
    np.testing.assert_array_equal(judged.probe.labels, own.probe.labels)
    assert judged.pairs is not None and own.pairs is not None
    np.testing.assert_array_equal(judged.pairs.right, own.pairs.right)
    with pytest.raises(SandboxError, match="damaged or no ONNX file"):
        of_bin(Path(shutil.copy(file, tmp_path / "set.onnx")), file)


def test_a_verification_set_with_pairs_enough_is_cut_into_ten_folds(run: Path, tmp_path: Path) -> None:
    file = bin_of(tmp_path / "set.bin", list(range(48)), [number % 2 == 0 for number in range(24)])
    judged = of_bin(run, file)
    assert judged.pairs is not None and judged.pairs.fold is not None
    assert {*judged.pairs.fold.tolist()} == set(range(1, 11))
    figures = score(judged, Options()).figures
    assert figures["verification/accuracy@10-fold"]["n"] == 24


def test_an_image_that_cannot_be_decoded_is_named_as_the_file_numbers_it(run: Path, tmp_path: Path) -> None:
    images = [picture(0), picture(1), picture(0), picture(1), picture(0), b"no image"]
    (tmp_path / "set.bin").write_bytes(pickle.dumps((images, [True, False, True]), protocol=4))
    with pytest.raises(SandboxError, match="the first is image 5, right of pair 2"):
        of_bin(run, tmp_path / "set.bin")
