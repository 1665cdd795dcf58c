"""How a command was started decides how the next one is typed and where results go."""

import sys
from pathlib import Path

import pytest

from sandbox.__main__ import WHAT
from sandbox.called import PROGRAMS, ROOT, called, prefix, results, started_by, typed

INSTALLED = ["/opt/bin/metric-sandbox", "run", "--loss", "triplet(margin=0.2)"]
MODULE = ["/opt/lib/sandbox/__main__.py", "run", "--loss", "triplet(margin=0.2)"]
SCRIPT = ["experiments/run.py", "--loss", "triplet(margin=0.2)"]


@pytest.mark.parametrize(
    ("argv", "whole", "other"),
    [
        (SCRIPT, "python experiments/run.py --loss 'triplet(margin=0.2)'", "python experiments/table.py"),
        (INSTALLED, "metric-sandbox run --loss 'triplet(margin=0.2)'", "metric-sandbox table"),
        (MODULE, "python -m sandbox run --loss 'triplet(margin=0.2)'", "python -m sandbox table"),
    ],
)
def test_a_command_is_recorded_as_it_was_typed(
    argv: list[str], whole: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert typed() == whole
    assert called("table") == other


def test_torchrun_stands_before_what_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", MODULE)
    assert typed("torchrun --nproc_per_node 2").startswith("torchrun --nproc_per_node 2 -m sandbox run --loss")
    assert called("run", "torchrun") == "torchrun -m sandbox run"
    monkeypatch.setattr(sys, "argv", [*SCRIPT[:1], "a", "experiments/run.py"])
    assert typed("torchrun") == "torchrun experiments/run.py a experiments/run.py"


def test_a_script_has_the_results_of_its_checkout_and_an_installed_command_those_beside_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", SCRIPT)
    assert results() == ROOT / "results"
    other = tmp_path / "checkout" / "experiments" / "run.py"
    other.parent.mkdir(parents=True)
    other.touch()
    monkeypatch.setattr(sys, "argv", [str(other)])
    assert results() == tmp_path / "checkout" / "results"
    monkeypatch.setattr(sys, "argv", INSTALLED)
    assert results() == Path("results")
    assert started_by("run") == [sys.executable, "-m", "sandbox", "run"]
    assert prefix() == ["metric-sandbox", "run"]


def test_every_command_is_a_script_and_a_word() -> None:
    assert {path.stem for path in (ROOT / "experiments").glob("*.py")} == {*PROGRAMS}
    assert {*WHAT} - {*PROGRAMS} == {"check", "completion"}
    bodies = {path.stem for path in (ROOT / "sandbox" / "cli" / "commands").glob("*.py")}
    assert bodies - {"__init__"} == {*PROGRAMS}
