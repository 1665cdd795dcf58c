"""Workers handed to a cluster; submitit's own local one stands for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sandbox.cli.flags import without
from sandbox.errors import SandboxError
from sandbox.tuning.search.launch import Worker, launch, read_options


def test_each_job_is_the_command_of_one_worker(tmp_path: Path) -> None:
    if not os.environ.get("METRIC_LEARNING_SANDBOX_DEMAND_ALL"):
        pytest.importorskip("submitit", reason="submitit is not installed")
    line = f"import os, pathlib; pathlib.Path(r'{tmp_path}', str(os.getpid())).touch()"
    jobs = launch([sys.executable, "-c", line], 2, folder=tmp_path / "jobs", options={}, cluster="debug")
    assert len(jobs) == 2 and all(jobs)  # they are done when they are asked for what they gave
    assert Worker([sys.executable, "-c", line], str(tmp_path))() == 0
    assert len([path for path in tmp_path.iterdir() if path.name.isdecimal()]) == 1


def test_a_worker_whose_time_is_up_is_stopped_and_handed_over_again(tmp_path: Path) -> None:
    if not os.environ.get("METRIC_LEARNING_SANDBOX_DEMAND_ALL"):
        pytest.importorskip("submitit", reason="submitit is not installed")
    import subprocess

    worker = Worker(["sleep", "60"], str(tmp_path))
    worker._process = subprocess.Popen(worker.words)
    again = worker.checkpoint()
    assert worker._process.returncode == -15
    assert again.function == Worker(["sleep", "60"], str(tmp_path))
    with pytest.raises(RuntimeError, match="exit code 3"):
        Worker([sys.executable, "-c", "raise SystemExit(3)"], str(tmp_path))()


def test_options_are_read() -> None:
    assert read_options("timeout_min=240 slurm_partition=gpu") == {"timeout_min": 240, "slurm_partition": "gpu"}
    assert read_options("") == {}
    with pytest.raises(SandboxError, match="no NAME=VALUE"):
        read_options("timeout_min 240")


def test_flags_are_taken_out_of_a_command() -> None:
    words = ["tune.py", "--workers", "8", "--loss", "a", "--launch=x=1", "--launcher", "submitit", "--trials", "3"]
    assert without(words, ("--workers", "--launcher", "--launch")) == ["tune.py", "--loss", "a", "--trials", "3"]
