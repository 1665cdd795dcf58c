from __future__ import annotations

import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.training.device import choose_autocast, choose_device


def test_cpu_is_always_there_and_auto_finds_something() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "cpu cuda", "meta", "xpu", "cuda:4096"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match=r"auto, cpu, cuda|CUDA devices"):
        choose_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(SandboxError, match="this machine has 0 CUDA devices"):
        choose_device("cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_a_process_of_several_has_a_gpu_of_its_own_or_the_cpu() -> None:
    assert choose_device("cpu", 1) == choose_device("auto", 1) == torch.device("cpu")
    with pytest.raises(SandboxError, match="more processes than this machine has CUDA devices, 0"):
        choose_device("cuda", 0)
    with pytest.raises(SandboxError, match="no device named 'gpu'"):
        choose_device("gpu", 0)


def test_the_number_format_that_is_asked_for_is_taken() -> None:
    cpu = torch.device("cpu")
    assert choose_autocast("bf16", cpu) is torch.bfloat16
    assert choose_autocast("float32", cpu) is None
    assert choose_autocast("auto", cpu) in (None, torch.bfloat16)
