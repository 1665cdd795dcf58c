"""The folder that a model hub expects: it is a network with the run's own embeddings, and a card that says what of."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_runs import SMALL, trained

from sandbox.data.datasets.embeddings import EmbeddingsSpec
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import spell, spell_interval
from sandbox.inference.example_images import real_images
from sandbox.inference.hub import CONFIG, WEIGHTS, load_hub, write_hub
from sandbox.inference.load import load_network
from sandbox.inference.trained import Trained, load_trained
from sandbox.runs.folder import RunFolder

from fuzz import FUZZ, changed

Made = tuple[RunFolder, Trained, np.ndarray, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    recipe = replace(SMALL, max_steps=2, evaluate=replace(SMALL.evaluate, flip=True, views=2))
    done, _ = trained(recipe, tmp_path_factory.mktemp("runs"))
    network = load_trained(done.folder)
    pixels, _ = real_images(done.folder, network, None)
    place = tmp_path_factory.mktemp("hub") / "net"
    write_hub(done.folder, network, place, pixels, "cc-by-4.0")
    return done.folder, network, pixels, place


def test_it_loads_again_with_the_same_embeddings_bit_by_bit(made: Made) -> None:
    folder, network, pixels, place = made
    again = load_network(place)
    assert np.array_equal(again.embed(pixels), network.embed(pixels))
    assert (again.digest, again.name, again.dim) == (network.digest, folder.path.name, network.dim)
    write_hub(folder, network, place, pixels, "mit")  # over its own files


def test_the_card_says_figures_data_command_and_licence(made: Made) -> None:
    folder, network, pixels, place = made
    write_hub(folder, network, place, pixels, "cc-by-4.0")
    text, report = (place / "README.md").read_text(), folder.read_json("report.json")
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    assert 'license: "cc-by-4.0"' in head and "library_name: metric-learning-sandbox" in head
    assert f"value: {report['test']['retrieval/map@r']['value']}" in head
    for split in ("val", "test"):
        entry = report[split]["retrieval/map@r"]
        assert f"{spell(entry)} | {spell_interval(entry)}" in body
    assert "a test" in body and "digits" in body and "Licence of the weights: cc-by-4.0" in body
    assert network.digest in body


def test_a_head_over_rows_is_written_as_well(tmp_path: Path) -> None:
    rows, labels = np.random.default_rng(0).normal(size=(60, 6)).astype("f4"), np.repeat(np.arange(10), 6)
    np.savez(tmp_path / "rows.npz", embeddings=rows, labels=labels)
    data = EmbeddingsSpec(name="embeddings", root=str(tmp_path / "rows.npz"))
    recipe = replace(SMALL, data=data, backbone=replace(SMALL.backbone, name="mlp"), max_steps=1)
    done, _ = trained(recipe, tmp_path / "runs")
    network = load_trained(done.folder, rows=True)
    pixels, _ = real_images(done.folder, network, None)
    write_hub(done.folder, network, tmp_path / "hub", pixels, "mit")
    assert np.array_equal(load_network(tmp_path / "hub", rows=True).embed(pixels), network.embed(pixels))
    with pytest.raises(SandboxError, match="a head over rows of numbers: it takes no images"):
        load_network(tmp_path / "hub")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "vit"}, "config.json is of a 'vit' model"),
        ({"format_version": "9"}, "is of another format version"),
        ({"digest": "0" * 12}, "is damaged: its weights and config.json are"),
        ({"flip": False}, "is damaged: its weights and config.json are"),
        ({"input": {"image_size": 10**9, "channels": 3, "head": "linear"}}, "its input is missing or cannot be"),
        ({"backbone": {"name": "conv4"}}, "its backbone is missing"),
        ({"views": 10**6}, "its views is missing"),
        ({"precision": "fp8"}, "its precision is missing"),
        ({"name": None}, "its name is missing"),
    ],
)
def test_a_damaged_config_is_refused(made: Made, change: dict[str, Any], said: str, tmp_path: Path) -> None:
    place = tmp_path / "net"
    shutil.copytree(made[3], place)
    config = json.loads((place / CONFIG).read_text())
    (place / CONFIG).write_text(json.dumps({**config, **change}))
    with pytest.raises(SandboxError, match=said):
        load_hub(place)


@FUZZ
@given(data=st.data())
def test_a_config_with_turned_bytes_is_read_or_refused(data: st.DataObject, made: Made) -> None:
    config = made[3] / CONFIG
    whole = config.read_bytes()
    try:
        config.write_bytes(data.draw(changed(whole)))
        assert load_hub(made[3]).digest == made[1].digest
    except SandboxError as error:
        assert "\n" not in str(error)
    finally:
        config.write_bytes(whole)


def test_weights_of_another_network_and_a_place_that_is_taken_are_refused(made: Made, tmp_path: Path) -> None:
    folder, network, pixels, place = made
    shutil.copytree(place, tmp_path / "net")
    content = bytearray((tmp_path / "net" / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (tmp_path / "net" / WEIGHTS).write_bytes(content)
    with pytest.raises(SandboxError, match="is damaged"):
        load_hub(tmp_path / "net")
    (tmp_path / "net" / "notes.txt").touch()
    with pytest.raises(SandboxError, match=r"holds notes.txt already; --hub takes a folder that is new or empty"):
        write_hub(folder, network, tmp_path / "net", pixels, "mit")
