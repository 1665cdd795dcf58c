from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe
from sandbox.runs.folder import create, finished_runs, interrupted_runs
from sandbox.runs.lock import LOCK, SILENT, holder, locked

from apart import needs_fork

pytestmark = needs_fork


def holding(folder: Path) -> int:
    """A process that is at work in a folder until it is killed."""
    ready, told = os.pipe()
    child = os.fork()
    if not child:
        try:
            with locked(folder):
                os.write(told, b"1")
                time.sleep(60)
        finally:
            os._exit(1)
    os.read(ready, 1)
    return child


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_one_process_is_at_work_in_a_folder_and_the_others_hear_which(tmp_path: Path) -> None:
    child = holding(tmp_path)
    who = f"process {child} on {socket.gethostname()} since "
    assert holder(tmp_path).startswith(who)
    with pytest.raises(SandboxError, match=f"is being worked on by {who}"), locked(tmp_path):
        pass
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -9
    assert (tmp_path / LOCK).exists() and holder(tmp_path) == ""
    with locked(tmp_path):
        assert holder(tmp_path).startswith(f"process {os.getpid()} ")
    assert not (tmp_path / LOCK).exists() and holder(tmp_path) == ""


def test_not_even_one_process_twice(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(SandboxError, match="is being worked on by"), locked(tmp_path):
        pass


def test_a_folder_has_a_lock_for_each_name(tmp_path: Path) -> None:
    with locked(tmp_path, "one.db.lock"), locked(tmp_path, "other.db.lock"):
        assert str(os.getpid()) in holder(tmp_path, "one.db.lock")
        assert holder(tmp_path) == ""
        with pytest.raises(SandboxError, match="is being worked on by process"), locked(tmp_path, "one.db.lock"):
            pass
    assert not list(tmp_path.iterdir())


def test_on_another_machine_the_beat_counts(tmp_path: Path) -> None:
    lock = tmp_path / LOCK
    lock.write_text(json.dumps({"process": 7, "host": "another", "since": "yesterday"}))
    assert holder(tmp_path) == "process 7 on another since yesterday"
    os.utime(lock, (time.time() - 2 * SILENT,) * 2)
    assert holder(tmp_path) == ""


@pytest.mark.parametrize("content", ["", "[]", "{", "\0", '{"process": []}', "[" * 5000])
def test_a_lock_of_nobody_s_making_locks_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(content)
    assert holder(tmp_path) == ""
    with locked(tmp_path):
        pass


def test_a_run_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    folder = create(tmp_path, Recipe(), "x")
    child = holding(folder.path)
    assert folder.status() == "running" and not interrupted_runs(tmp_path)
    os.kill(child, signal.SIGKILL)
    ended(child)
    assert folder.read_json("run.json")["status"] == "running"
    assert folder.status() == "interrupted: its process is gone"
    assert interrupted_runs(tmp_path) == [folder] and not finished_runs(tmp_path)
    with pytest.raises(SandboxError, match="is not finished: its status is 'interrupted: its process is gone'"):
        folder.facts_of_finished()
