from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe, digest
from sandbox.runs.environment import peak_memory, surroundings
from sandbox.runs.folder import RunFolder, create, finished_runs

from fuzz import FUZZ, changed, read_or_refused


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return create(tmp_path, Recipe(loss="arcface(margin=10) + 0.5*center", seed=3), "python run.py --seed 3")


def names(folder: RunFolder) -> set[str]:
    return {path.name for path in folder.path.iterdir()}


def test_a_new_folder_holds_its_recipe_and_runs(folder: RunFolder) -> None:
    assert names(folder) == {"recipe.toml", "run.json"}
    assert folder.recipe() == Recipe(loss="arcface(margin=10) + 0.5*center", seed=3)
    facts = folder.read_json("run.json")
    assert facts["status"] == "running"
    assert facts["id"] == folder.path.name
    assert facts["seed"] == 3
    assert facts["digest"] == digest(folder.recipe())
    assert (folder.path / "recipe.toml").read_text().startswith("# again: python run.py --seed 3\n")


def test_the_name_of_a_folder_says_objective_and_seed_and_needs_no_quotes(folder: RunFolder) -> None:
    label = folder.path.name.split("-", 2)[2]
    assert label == "arcface-margin-10-0.5-center-s3"
    assert all(c.isalnum() or c in "_.-" for c in folder.path.name)


def test_a_long_objective_is_cut_in_the_name(tmp_path: Path) -> None:
    made = create(tmp_path, Recipe(loss=" + ".join(["triplet(margin=0.1)"] * 30)), "x")
    assert len(made.path.name) < 100


def test_runs_that_start_together_have_folders_of_their_own(tmp_path: Path) -> None:
    made = {create(tmp_path / "deep" / "er", Recipe(), "x").path for _ in range(5)}
    assert len(made) == 5


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="file"):
        create(tmp_path / "file", Recipe(), "x")
    with pytest.raises(SandboxError, match="cannot write"):
        create(tmp_path / "file" / "below", Recipe(), "x")


def test_update_changes_facts_and_keeps_the_others(folder: RunFolder) -> None:
    folder.update(status="done", steps=7)
    facts = folder.read_json("run.json")
    assert (facts["status"], facts["steps"], facts["seed"]) == ("done", 7, 3)


def test_writing_leaves_no_parts_behind_and_replaces_whole_files(folder: RunFolder) -> None:
    folder.write_json("report.json", {"a": [1] * 1000})
    folder.write_json("report.json", {"b": 2})
    assert folder.read_json("report.json") == {"b": 2}
    assert names(folder) == {"recipe.toml", "run.json", "report.json"}


def test_a_failed_write_leaves_the_old_file(folder: RunFolder) -> None:
    folder.write_json("report.json", {"b": 2})
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.write_json("report.json", {"b": float("nan")})
    (folder.path / "taken").mkdir()
    with pytest.raises(SandboxError, match="cannot write"):
        folder.write_text("taken", "x")
    assert folder.read_json("report.json") == {"b": 2}
    assert names(folder) == {"recipe.toml", "run.json", "report.json", "taken"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to /dev/full, which this system lacks")
def test_a_log_that_cannot_be_written_is_a_sentence(folder: RunFolder) -> None:
    (folder.path / "log.jsonl").symlink_to("/dev/full")
    with pytest.raises(SandboxError, match=r"cannot write .*log\.jsonl: No space left on device"):
        folder.log({"step": 1})


def test_tensors_and_state_come_back(folder: RunFolder) -> None:
    tensors = {"a/b": torch.arange(6).view(2, 3), "c": torch.randn(2, dtype=torch.bfloat16), "empty": torch.empty(0)}
    state = {"step": 3, "nested": {"x": [1, None, 0.1]}}
    folder.write_tensors("x.safetensors", tensors, state)
    back, back_state = folder.read_tensors("x.safetensors")
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[key], value) and back[key].dtype == value.dtype for key, value in tensors.items())
    assert back_state == state
    folder.write_tensors("x.safetensors", tensors)
    assert folder.read_tensors("x.safetensors")[1] is None


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[1,", b"\0" * 100])
def test_damaged_files_are_named(folder: RunFolder, damage: bytes) -> None:
    folder.write_tensors("x.safetensors", {"a": torch.zeros(3)})
    for name in ("run.json", "x.safetensors", "recipe.toml"):
        (folder.path / name).write_bytes(damage or b"=")
    with pytest.raises(SandboxError, match=r"run\.json cannot be read"):
        folder.read_json("run.json")
    with pytest.raises(SandboxError, match=r"x\.safetensors is damaged"):
        folder.read_tensors("x.safetensors")
    with pytest.raises(SandboxError, match=r"recipe\.toml"):
        folder.recipe()


def test_a_safetensors_file_that_was_cut_is_damaged(folder: RunFolder) -> None:
    folder.write_tensors("x.safetensors", {"a": torch.zeros(300)}, {"step": 1})
    path = folder.path / "x.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SandboxError, match="is damaged"):
        folder.read_tensors("x.safetensors")


def test_missing_files_are_named(tmp_path: Path) -> None:
    empty = RunFolder(tmp_path)
    with pytest.raises(SandboxError, match=r"has no run\.json"):
        empty.read_json("run.json")
    with pytest.raises(SandboxError, match=r"has no checkpoint\.safetensors"):
        empty.read_tensors("checkpoint.safetensors")
    with pytest.raises(SandboxError, match="is no run folder"):
        empty.recipe()
    assert empty.read_log() == []


def test_the_log_reads_back_up_to_a_line_that_was_cut(folder: RunFolder) -> None:
    rows = [{"step": step, "loss": step / 3} for step in range(4)]
    for row in rows:
        folder.log(row)
    assert folder.read_log() == rows
    with (folder.path / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    assert folder.read_log() == rows


def test_the_log_survives_bytes_that_are_no_text(folder: RunFolder) -> None:
    folder.log({"step": 1})
    with (folder.path / "log.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\n")
    assert folder.read_log() == [{"step": 1}]


def test_cutting_the_log_keeps_the_lines_up_to_a_step(folder: RunFolder) -> None:
    for step in (1, 2, 2, 3):
        folder.log({"step": step})
    with (folder.path / "log.jsonl").open("a") as file:
        file.write('{"st')
    folder.cut_log(2)
    folder.log({"step": 9})
    assert [row["step"] for row in folder.read_log()] == [1, 2, 2, 9]


def run(parent: Path, status: str | None, report: bool = True) -> Path:
    parent.mkdir(parents=True)
    if status is not None:
        (parent / "run.json").write_text(json.dumps({"status": status}))
    if report:
        (parent / "report.json").write_text("{}")
    return parent


def test_only_runs_that_are_done_and_have_a_report_are_finished(tmp_path: Path) -> None:
    done = [run(tmp_path / "a", "done"), run(tmp_path / "study" / "b", "done")]
    run(tmp_path / "c", "running")
    run(tmp_path / "d", "failed: the loss is not finite")
    run(tmp_path / "e", "interrupted")
    run(tmp_path / "f", "done", report=False)
    run(tmp_path / "g", None)
    (run(tmp_path / "h", "done") / "run.json").write_text("{")
    (run(tmp_path / "i", "done") / "run.json").write_text('["done"]')
    run(tmp_path / "too" / "deep" / "j", "done")
    assert [folder.path for folder in finished_runs(tmp_path)] == done
    assert [folder.path for folder in finished_runs(done[0])] == [done[0]]
    assert finished_runs(tmp_path / "nowhere") == []


def test_the_surroundings_are_plain_data() -> None:
    facts = surroundings()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["versions"]["torch"]
    assert peak_memory() > 10**6


@pytest.mark.parametrize(
    "header",
    [
        {"__metadata__": {"state": "[" * 100_000}},
        {"__metadata__": {"state": "9" * 400}},
        {"__metadata__": {"state": '{"step": 1, "step": 2}'}},
        {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}},
        {"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F999", "shape": [2], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}},
    ],
    ids=range(8),
)
def test_a_header_that_declares_what_is_not_there_is_damage(folder: RunFolder, header: dict[str, Any]) -> None:
    text = json.dumps(header).encode()
    (folder.path / "x.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
    with pytest.raises(SandboxError, match=r"x\.safetensors is damaged"):
        folder.read_tensors("x.safetensors")


@FUZZ
@given(data=st.data())
def test_tensors_with_bytes_turned_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = RunFolder(tmp_path_factory.getbasetemp())
    folder.write_tensors("turned.safetensors", {"a": torch.zeros(3), "b": torch.ones(2, 2)}, {"step": 1})
    file = folder.path / "turned.safetensors"
    file.write_bytes(data.draw(changed(file.read_bytes())))
    read_or_refused(lambda: folder.read_tensors("turned.safetensors"))


def test_a_log_of_a_stranger_is_read_up_to_its_first_line_that_is_none(folder: RunFolder) -> None:
    folder.log({"step": 1, "loss": float("nan")})
    for line in (b"[" * 100_000, b'{"step": ' + b"9" * 400 + b"}", b"x" * 3_000_000, b"\xff\xfe"):
        whole = (folder.path / "log.jsonl").read_bytes()
        with (folder.path / "log.jsonl").open("ab") as file:
            file.write(line + b'\n{"step": 2}\n')
        assert [row["step"] for row in folder.read_log()] == [1]
        (folder.path / "log.jsonl").write_bytes(whole)


@pytest.mark.parametrize(
    ("figures", "threshold"),
    [
        ({"verification/accuracy": {"threshold": 0.25}, "verification/balanced_accuracy": {"threshold": 0.5}}, 0.25),
        ({"verification/balanced_accuracy": {"threshold": 0.5}}, 0.5),  # over all pairs
        ({"verification/accuracy": {"threshold": 0.75}}, 0.75),  # over all pairs, as reports were before
        ({"verification/accuracy": {}, "verification/balanced_accuracy": {"threshold": 0.5}}, 0.5),
        ({"verification/accuracy": {"threshold": 0.25, "test_share": 0.5, "test_threshold": 0.75}}, 0.75),
        ({"verification/accuracy": {"threshold": 0.25, "test_share": 0.01}}, None),  # test's is to reject every pair
        ({"verification/eer": {"threshold": 0.1}}, None),
    ],
)
def test_the_threshold_that_tells_apart_is_that_of_accuracy_where_it_is_reported(
    folder: RunFolder, figures: dict[str, dict[str, float]], threshold: float | None
) -> None:
    folder.write_json("report.json", {"val": figures})
    assert folder.validation_threshold() == threshold
    assert folder.validation_threshold("verification/eer") == figures.get("verification/eer", {}).get("threshold")


def test_a_folder_that_is_no_run_is_told_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"has no run.json, as the folder of a run has$"):
        RunFolder(tmp_path).read_json("run.json")
