from __future__ import annotations

import os
import signal
import sys
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sandbox.errors import Interrupted, SandboxError
from sandbox.training.distributed import Ranks, _end_with, here, joined
from sandbox.training.stopping import listen

from processes import Ended, two


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Each script, run by two processes."""
    folder = tmp_path_factory.mktemp("scripts")
    scripts = {"exact": EXACT} | {
        name: FAILS.format(last=last, silence=name == "frozen") for name, (last, _) in LAST.items()
    }
    for name, script in scripts.items():
        (folder / f"{name}.py").write_text(script)
    return {name: two(str(folder / f"{name}.py"), said=folder / name) for name in scripts}


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
    assert [ranks.agree(15 * ranks.rank), ranks.agree(0)] == [15, 0]
    assert not ranks.gather(torch.ones(4 - (ranks.rank == 0), 2), 7).requires_grad
    assert here() is ranks
print("exact")
assert here().count == 1
"""


def test_the_gradients_of_two_processes_are_those_of_one(ended: dict[str, Ended]) -> None:
    assert ended["exact"].codes == [0, 0], ended["exact"].err
    assert ended["exact"].out == "exact\n"  # of rank 0 alone


FAILS = """
import os, signal, time
from datetime import timedelta
from sandbox.errors import SandboxError, exit_on_error
from sandbox.training import distributed
from sandbox.training.distributed import joined

def main():
    if {silence}:
        distributed._SILENCE = timedelta(seconds=1)
    with joined() as ranks:
        if ranks.rank == 0 and {silence}:
            time.sleep(1.5)  # the others wait for what it tells them, whatever that takes
        ranks.tell(None)
        if ranks.rank == 1:
            {last}
        ranks.gather(__import__("torch").ones(2, 2), 4)

exit_on_error(main)
"""


LAST = {
    "mistake": ("raise SandboxError('this file is no image')", "error: this file is no image"),
    "bug": ("[][0]", "error: process 1 of 2 failed at bug.py:16: IndexError: list index out of range"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "error: another process of this run is gone without a word"),
    "frozen": ("time.sleep(2)", "error: another process of this run is gone without a word, as where memory runs out"),
    "ctrl_c": ("os.kill(os.getpid(), signal.SIGINT)", "interrupted"),
}
"""What becomes of rank 1, and how rank 0 says so."""


@pytest.mark.parametrize("name", LAST)
def test_rank_0_says_in_one_sentence_why_another_process_ended(name: str, ended: dict[str, Ended]) -> None:
    said, *more = ended[name].err.splitlines()
    assert not more or name == "frozen"  # where rank 1 wakes up, the board is gone, of which torch tells at length
    assert said.startswith(LAST[name][1])
    assert ended[name].out == "" and ended[name].codes[0] == (130 if name == "ctrl_c" else 2)
    assert ended[name].codes[1] != 0


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a process that the one before it is gone")
def test_a_process_whose_launcher_is_killed_is_asked_to_end() -> None:
    reading, writing = os.pipe()

    def end_with_its_launcher() -> None:
        try:
            with listen():
                _end_with(os.getppid())
                os.write(writing, b"ready ")
                time.sleep(20)
        except Interrupted as stop:
            os.write(writing, stop.name.encode())
        finally:
            os._exit(0)

    launcher = os.fork()
    if not launcher:
        try:
            if not os.fork():
                end_with_its_launcher()
            time.sleep(20)
        finally:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 6) == b"ready "
    os.kill(launcher, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(launcher, 0)[1]) == -9 and os.read(reading, 10) == b"SIGTERM"


def test_variables_that_lead_nowhere_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "two", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        with pytest.raises(SandboxError, match="start them with torchrun, or take these variables away"), joined():
            pass
        monkeypatch.setenv("WORLD_SIZE", "2")
        for name in ("MASTER_ADDR", "MASTER_PORT"):
            monkeypatch.delenv(name, raising=False)
