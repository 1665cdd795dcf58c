"""Workers as jobs of a cluster, through submitit where it is installed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.wording import reason


@dataclass
class Worker:
    """One worker as a job: the command of a search, stopped in good order and queued again before its time is up."""

    words: list[str]
    folder: str
    """That the command is typed in."""
    _process: Any = field(default=None, repr=False)

    def __call__(self) -> int:
        """Search until nothing is left; the command's exit code."""
        self._process = subprocess.Popen(self.words, cwd=self.folder)
        code = self._process.wait()
        if code:
            raise RuntimeError(f"{' '.join(self.words)} ended with exit code {code}")
        return code

    def checkpoint(self) -> Any:
        """What submitit asks for when the job's time is up, or its place is needed: the same worker again."""
        import submitit

        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        return submitit.helpers.DelayedSubmission(Worker(self.words, self.folder))


def read_options(text: str) -> dict[str, Any]:
    """Options of submitit, such as ``timeout_min=240 gpus_per_node=1``; whole numbers are numbers.

    Raises:
        SandboxError: a word is no NAME=VALUE.
    """
    options: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise SandboxError(f"--launch '{text}': '{word}' is no NAME=VALUE, such as timeout_min=240")
        options[name] = int(value) if re.fullmatch(r"\d+", value) else value
    return options


def launch(
    words: Sequence[str], workers: int, *, folder: Path, options: dict[str, Any], cluster: str = ""
) -> list[str]:
    """Hand so many workers to the cluster; the names of their jobs.

    Args:
        words: the command of one worker.
        workers: how many.
        folder: where submitit keeps what the jobs print.
        options: of submitit's executor.
        cluster: slurm, local or debug; what submitit finds where empty.

    Raises:
        SandboxError: submitit is not installed, or refuses an option.
    """
    try:
        import submitit
    except ImportError:
        raise SandboxError("--launcher submitit needs a package that is not installed: pip install submitit") from None
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=cluster or None)
        executor.update_parameters(**{"name": "tune", "timeout_min": 240, **options})
        with executor.batch():
            jobs = [executor.submit(Worker(list(words), str(Path.cwd()))) for _ in range(workers)]
    except (ValueError, TypeError, NameError, OSError, RuntimeError) as error:
        raise SandboxError(f"submitit refuses: {reason(error)}") from None
    return [str(job.job_id) for job in jobs]
