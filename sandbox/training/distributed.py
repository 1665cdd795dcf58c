"""The processes that torchrun starts, as one training: which images are whose, and what they tell each other.

A step's batch is one batch, whatever the number of processes. Each embeds its share; embeddings are gathered, so that
every process computes the loss of the whole batch, unscaled, with the same draws. The rows that a process embedded
itself are the only ones through which its gradient flows, so that the gradients of the network's weights add up over
the processes to those of one process. (`torch.distributed.nn.functional.all_gather` is deprecated, and its backward
adds what is the same on every process: a factor that an average over processes takes off again, at the price of one
more message.) The gradients of weights that a loss owns come from all rows, so they are whole on every process, and
are left alone.

Where a process dies between two messages the others hear of it over gloo; on CUDA one that dies inside a message leaves
the others waiting until torchrun ends them.

Equality with one process is not claimed under dropout, whose draws differ by process, nor for batch norm on the CPU,
which sees each process's share.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import nn

from sandbox.errors import Interrupted, SandboxError
from sandbox.training.average import Average
from sandbox.wording import reason

T = TypeVar("T")
_SILENCE = timedelta(minutes=5)
"""After which a process that says nothing in the middle of training is taken for frozen."""
_PATIENCE = timedelta(days=7)  # while rank 0 reads data or scores, the others wait
_PR_SET_PDEATHSIG = 1
_FAILED, _INTERRUPTED = "failed", "interrupted "


@dataclass(frozen=True)
class Ranks:
    """The processes of a training and which of them this one is; without torchrun, the only one."""

    rank: int = 0
    """Place of this process; 0 alone writes, prints and scores."""
    count: int = 1
    local: int | None = None
    """Place among the processes of this machine; None without torchrun."""
    board: dist.Store | None = field(default=None, repr=False)
    """Where a process leaves its last words."""
    patient: dist.ProcessGroup | None = field(default=None, repr=False)
    """The same processes, for messages that may be waited for long."""

    def share(self, rows: int, rank: int | None = None) -> slice:
        """Which of a batch's rows a process embeds: as many as the others, or one fewer; this process's by default."""
        place = self.rank if rank is None else rank
        return slice(rows * place // self.count, rows * (place + 1) // self.count)

    def gather(self, mine: torch.Tensor, rows: int) -> torch.Tensor:
        """This process's share (n, D) of `rows` embeddings to all of them (rows, D), float32, in the batch's order.

        A gradient flows to the process's own rows only.

        Raises:
            SandboxError: another process is gone.
        """
        if self.count == 1:
            return mine
        mine = mine.float()
        sent = mine.new_zeros(-(-rows // self.count), *mine.shape[1:])
        sent[: len(mine)] = mine.detach()  # messages are of one length
        parts = [torch.empty_like(sent) for _ in range(self.count)]
        with self._listening(mine.device):
            dist.all_gather(parts, sent)
        shares = [self.share(rows, rank) for rank in range(self.count)]
        whole = [part[: share.stop - share.start] for part, share in zip(parts, shares, strict=True)]
        whole[self.rank] = mine
        return torch.cat(whole)

    def add_up(self, network: nn.Module) -> None:
        """Add the gradients of the network's weights over the processes, in one message.

        Raises:
            SandboxError: another process is gone.
        """
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        if self.count == 1 or not gradients:
            return
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        with self._listening(flat.device):
            dist.all_reduce(flat)
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view(gradient.shape))

    def spread(self, *modules: nn.Module | Average) -> None:
        """Give every process rank 0's weights and buffers, and averages of them.

        Raises:
            SandboxError: another process is gone.
        """
        for module in modules if self.count > 1 else ():
            for tensor in module.state_dict().values():
                with self._listening(tensor.device):
                    dist.broadcast(tensor, src=0)

    def tell(self, value: T) -> T:
        """The value (plain data) that rank 0 gives, on every process; the others wait here for it.

        Raises:
            SandboxError: another process is gone.
        """
        if self.count == 1:
            return value
        box = [value]
        with self._listening(torch.device("cpu")):
            dist.broadcast_object_list(box, src=0, device=torch.device("cpu"), group=self.patient)
        return box[0]

    def agree(self, signal_number: int) -> int:
        """The largest of the numbers that the processes give, on every one: 0 where no signal asked for an end.

        Raises:
            SandboxError: another process is gone.
        """
        if self.count == 1:
            return signal_number
        asked = torch.tensor(signal_number)
        with self._listening(asked.device):
            dist.all_reduce(asked, op=dist.ReduceOp.MAX)
        return int(asked)

    @contextmanager
    def first(self) -> Iterator[None]:
        """Rank 0 goes through the block before the others, which find what it packed or downloaded."""
        if self.rank:
            self.tell(None)
        yield
        if not self.rank:
            self.tell(None)

    @contextmanager
    def _listening(self, device: torch.device) -> Iterator[None]:
        """Where a message fails because a process is gone, raise what that process left as its last words."""
        try:
            if device.type == "cuda":
                dist.all_reduce(torch.zeros(1))  # over gloo, which fails where NCCL would wait for ever
            yield
        except RuntimeError as error:
            raise self.last_words() or SandboxError(
                "another process of this run is gone without a word, as where memory runs out, or has stood still for "
                f"{_SILENCE.seconds // 60} minutes ({reason(error, 160)})"
            ) from None

    def last_words(self) -> BaseException | None:
        """Why another process ended, if it said so."""
        with suppress(RuntimeError):  # torchrun, which keeps the words, may be gone too
            if self.board is not None and self.board.check([_FAILED]):
                words = self.board.get(_FAILED).decode()
                number = words.removeprefix(_INTERRUPTED)
                return Interrupted(int(number)) if number != words else SandboxError(words)
        return None


_ranks = Ranks()


def here() -> Ranks:
    """The processes that this one has joined."""
    return _ranks


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes that torchrun started, for as long as the block runs; they leave it together.

    Rank 0 alone is heard: the others print nothing, and where one of them fails or is interrupted, it ends with its
    sentence left for rank 0, which raises it.

    Raises:
        SandboxError: the other processes cannot be reached, or one of them failed.
        Interrupted: one of them was interrupted.
    """
    global _ranks
    _ranks = ranks = _join()
    try:
        yield ranks
        ranks.tell(None)
    except BaseException as error:
        for kind in (signal.SIGINT, signal.SIGTERM):
            signal.signal(kind, signal.SIG_IGN)  # torchrun ends those that are left; there is a sentence to say first
        if ranks.rank:
            _leave(ranks, error)
        words = ranks.last_words() if isinstance(error, KeyboardInterrupt) else None
        if words and not isinstance(words, KeyboardInterrupt):
            raise words from None
        raise
    finally:
        _ranks = Ranks()
    dist.destroy_process_group()


def _join() -> Ranks:
    """Meet the others where the environment says, over gloo, and NCCL too where there is CUDA."""
    try:
        rank, count, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        board, _, _ = next(dist.rendezvous("env://", rank, count))
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
            store=dist.PrefixStore("messages", board),
            rank=rank,
            world_size=count,
            timeout=_SILENCE,
        )
        patient = dist.new_group(backend="gloo", timeout=_PATIENCE)
    except (ValueError, RuntimeError) as error:
        raise SandboxError(
            f"RANK, WORLD_SIZE and LOCAL_RANK are set, but the other processes cannot be reached ({reason(error)}); "
            "start them with torchrun, or take these variables away"
        ) from None
    if rank:
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")
    _end_with(os.getppid())
    assert isinstance(patient, dist.ProcessGroup)  # else it is the number of those that are left out
    return Ranks(rank, count, local, board, patient)


def _end_with(launcher: int) -> None:
    """Have Linux send SIGTERM to this process when the one that started it is gone, which could not end it then."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != launcher:  # it went in between
            os.kill(os.getpid(), signal.SIGTERM)


def _leave(ranks: Ranks, error: BaseException) -> NoReturn:
    """End a process other than rank 0, leaving its reason; at once, as messages that nobody answers would hold it."""
    if isinstance(error, SystemExit):
        os._exit(int(error.code or 0))
    words, code = str(error), 2
    if isinstance(error, KeyboardInterrupt):
        number = error.number if isinstance(error, Interrupted) else signal.SIGINT
        words, code = f"{_INTERRUPTED}{int(number)}", 128 + number
    elif not isinstance(error, SandboxError):
        at = traceback.extract_tb(error.__traceback__)[-1]
        message = reason(error, 300)
        where = f"{os.path.basename(at.filename)}:{at.lineno}"
        words = f"process {ranks.rank} of {ranks.count} failed at {where}: {type(error).__name__}: {message}"
    with suppress(RuntimeError):
        if ranks.board is not None:
            ranks.board.compare_set(_FAILED, "", words)  # the first one's: the others fail for want of it
    os._exit(code)
