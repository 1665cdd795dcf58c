from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sandbox.errors import SandboxError
from sandbox.training.distributed import Ranks, here, joined

ROOT = Path(__file__).resolve().parents[2]


def processes(script: str, folder: Path, count: int = 2) -> subprocess.CompletedProcess[str]:
    """Run a script on several processes, as torchrun does."""
    (folder / "script.py").write_text(script)
    words = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(count), "script.py")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )


@given(rows=st.integers(0, 500), count=st.integers(1, 9))
def test_shares_are_a_partition_in_order_and_as_even_as_can_be(rows: int, count: int) -> None:
    shares = [Ranks(rank, count).share(rows) for rank in range(count)]
    assert [row for share in shares for row in range(rows)[share]] == list(range(rows))
    sizes = [share.stop - share.start for share in shares]
    assert max(sizes) - min(sizes) <= 1 and max(sizes) == -(-rows // count)
    assert [Ranks().share(rows, 0), shares[-1]] == [
        slice(0, rows),
        Ranks().share(rows, 0) if count == 1 else shares[-1],
    ]


def test_one_process_alone_changes_nothing() -> None:
    x = torch.randn(3, 2, dtype=torch.bfloat16, requires_grad=True)
    layer = nn.Linear(2, 1)
    layer(torch.ones(2)).backward()
    before = [p.grad.clone() for p in layer.parameters() if p.grad is not None]
    assert here().count == 1 and here().gather(x, 3) is x
    here().add_up(layer)
    here().spread(layer)
    assert all(torch.equal(p.grad, b) for p, b in zip(layer.parameters(), before, strict=True) if p.grad is not None)
    assert here().tell("word") == "word" and here().last_words() is None


EXACT = """
import torch
from torch import nn
from sandbox.training.distributed import here, joined

def loss(x, own):  # of the whole batch, and no sum over its rows
    return torch.pdist(x).logsumexp(0) + (x @ own).square().mean()

def layer(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.Linear(12, 5)).to(memory_format=torch.channels_last)

with joined() as ranks:
    whole, own = torch.randn(7, 2, 3, 3, generator=torch.Generator().manual_seed(5)), torch.ones(5, requires_grad=True)
    one, many = layer(0), layer(ranks.rank)  # rank 1 starts apart, until rank 0's weights are spread
    loss(one(whole), own).backward()
    alone, own.grad = own.grad, None
    ranks.spread(many)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), many.parameters()))
    mine = many(whole[ranks.share(7)])
    assert len(mine) == (3, 4)[ranks.rank]
    gathered = ranks.gather(mine, 7)
    assert torch.allclose(gathered, one(whole), atol=1e-6)
    loss(gathered, own).backward()
    assert torch.allclose(own.grad, alone, atol=1e-5)  # whole already
    ranks.add_up(many)
    for a, b in zip(one.parameters(), many.parameters()):
        assert torch.allclose(a.grad, b.grad, atol=1e-5), (a.grad, b.grad)
    assert a.grad.abs().max() > 0.01
    assert ranks.tell("of rank 0" if ranks.rank == 0 else None) == "of rank 0"
    assert not ranks.gather(torch.ones(4 - (ranks.rank == 0), 2), 7).requires_grad
    assert here() is ranks
print("exact")
assert here().count == 1
"""


def test_the_gradients_of_two_processes_are_those_of_one(tmp_path: Path) -> None:
    ended = processes(EXACT, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "exact\n"  # of rank 0 alone


FAILS = """
import os, signal
from sandbox.errors import SandboxError, exit_on_error
from sandbox.training.distributed import joined

def main():
    with joined() as ranks:
        if ranks.rank == 1:
            {last}
        ranks.gather(__import__("torch").ones(2, 2), 4)

exit_on_error(main)
"""


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        ("raise SandboxError('this file is no image')", "error: this file is no image"),
        ("[][0]", "error: process 1 of 2 failed at script.py:9: IndexError: list index out of range"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "error: another process of this run is gone without a word"),
        ("os.kill(os.getpid(), signal.SIGINT)", "interrupted"),
    ],
    ids=["mistake", "bug", "killed", "Ctrl-C"],
)
def test_rank_0_says_in_one_sentence_why_another_process_ended(last: str, sentence: str, tmp_path: Path) -> None:
    ended = processes(FAILS.format(last=last), tmp_path)
    assert ended.returncode != 0 and ended.stdout == ""
    ours = ended.stderr.partition("torch/distributed/")[0].splitlines()  # what follows is torchrun's own report
    said = [line for line in ended.stderr.splitlines() if line.startswith(sentence)]
    assert len(said) == 1, ended.stderr
    assert not any("Traceback" in line for line in ours)
    assert 'script.py", line' not in ended.stderr


def test_variables_that_lead_nowhere_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "two", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        with pytest.raises(SandboxError, match="start them with torchrun, or take these variables away"), joined():
            pass
        monkeypatch.setenv("WORLD_SIZE", "2")
        for name in ("MASTER_ADDR", "MASTER_PORT"):
            monkeypatch.delenv(name, raising=False)
