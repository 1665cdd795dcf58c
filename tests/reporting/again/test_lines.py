"""Commands in the head of a table, as words."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.reporting.again.lines import filled, for_a_shell, lacks, read_line, read_values, stands_for


@pytest.mark.parametrize(
    ("text", "program", "words"),
    [
        ("python experiments/run.py --loss 'a; b | c' --seeds 3", "run", ("--loss", "a; b | c", "--seeds", "3")),
        (
            "python3.11 /opt/sandbox/experiments/run.py --loss arcface  # RUN: 7 s; long",
            "run",
            ("--loss", "arcface"),
        ),
        ('python experiments/tune.py --loss "arcface(scale=tune())"', "tune", ("--loss", "arcface(scale=tune())")),
        ("python experiments/table.py", "table", ()),
        ("metric-sandbox run --loss 'a | b'", "run", ("--loss", "a | b")),
        ("python -m sandbox table again T.md", "table", ("again", "T.md")),
    ],
)
def test_a_command_of_ours_is_its_words(text: str, program: str, words: tuple[str, ...]) -> None:
    line = read_line(text)
    assert line and (line.program, line.words) == (program, words)


@pytest.mark.parametrize(
    "text",
    [
        "and after 10 epochs of the first:",
        "rm -rf /",
        "python experiments/run.py --loss triplet; rm -rf /",
        "python experiments/run.py --loss triplet|tee a",
        "python experiments/run.py --loss triplet > a",
        "python experiments/run.py --data.root $HOME",
        'python experiments/run.py --data.root "$(pwd)"',
        "python experiments/run.py --data.root `pwd`",
        "python experiments/run.py --loss triplet(margin=1)",
        "python experiments/run.py --loss 'triplet",
        "OMP_NUM_THREADS=1 python experiments/run.py",
        "torchrun --nproc_per_node 2 experiments/run.py",
        "python -m pytest",
        "python setup.py",
        "python",
        "",
    ],
)
def test_anything_else_is_no_command(text: str) -> None:
    assert read_line(text) is None


def test_quotes_hide_what_a_shell_would_do() -> None:
    assert not for_a_shell("""a 'b; $c' "d | e" # f; g""")
    assert for_a_shell('a "$b"') and for_a_shell("a 'b';c")


def test_a_command_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(SandboxError, match="no command named 'runn'; did you mean 'run'"):
        read_line("python experiments/runn.py --loss triplet")
    with pytest.raises(SandboxError, match="no command named 'tables'; did you mean 'table'"):
        read_line("metric-sandbox tables")


def test_capitals_stand_for_what_a_person_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    line = read_line(
        "python experiments/run.py --data.root PATH/images --seed S --resume_from RUN --loss LeNet --x FILE.npz"
    )
    assert line and stands_for(line) == ["PATH", "S", "RUN", "FILE"]
    (tmp_path / "RUN").mkdir()
    assert stands_for(line) == ["PATH", "S", "FILE"]
    (row, other) = read_values(("PATH=/data/lfw", "S=0,1"))
    assert row == {"PATH": "/data/lfw", "S": "0"} and other["S"] == "1"
    whole = filled(line, row)
    assert whole.words[:4] == ("--data.root", "/data/lfw/images", "--seed", "0")
    assert whole.text.startswith("python experiments/run.py --data.root /data/lfw/images --seed 0 ")
    assert lacks(whole) == ["/data/lfw/images"]
    assert filled(line, {}) is line


@pytest.mark.parametrize("pair", ["PATH", "PATH=", "path=/data", "=x"])
def test_a_value_is_given_as_name_and_value(pair: str) -> None:
    with pytest.raises(SandboxError, match="is no NAME=VALUE") as caught:
        read_values((pair,))
    assert str(caught.value).endswith("; names are in capitals: PATH=/data") == (pair == "path=/data")
