"""Which number format and device the network runs on."""

from __future__ import annotations

import torch

from sandbox.errors import SandboxError


def choose_device(name: str, local: int | None = None) -> torch.device:
    """The device a person named, or the fastest there is for `auto`.

    Args:
        name: auto, cpu, cuda, cuda:N or mps.
        local: place of this process among those that torchrun started here, each of which has a GPU of its own.

    Raises:
        SandboxError: no such device on this machine, or fewer GPUs than processes.
    """
    if local is not None:
        on_cpu = name == "cpu" or (name == "auto" and not torch.cuda.is_available())
        return torch.device("cpu") if on_cpu else _own_gpu(name, local)
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SandboxError(f"no device named '{name}'; there are auto, cpu, cuda, cuda:N and mps") from None
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise SandboxError(f"device '{name}' is not here; this machine has {torch.cuda.device_count()} CUDA devices")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SandboxError("device 'mps' is not on this machine")
    if device.type not in ("cpu", "cuda", "mps"):
        raise SandboxError(f"device '{name}' is not supported; there are auto, cpu, cuda, cuda:N and mps")
    return device


def _own_gpu(name: str, local: int) -> torch.device:
    if name not in ("auto", "cuda"):
        choose_device(name)  # a name of nothing is refused as ever
        raise SandboxError(f"device is '{name}', but torchrun gives each process a GPU of its own: auto, cuda or cpu")
    if local >= torch.cuda.device_count():
        raise SandboxError(
            f"torchrun started more processes than this machine has CUDA devices, {torch.cuda.device_count()}; "
            "give it that --nproc_per_node, or --device cpu"
        )
    device = torch.device("cuda", local)
    torch.cuda.set_device(device)
    return device


def choose_autocast(precision: str, device: torch.device) -> torch.dtype | None:
    """bfloat16 where asked for, or with `auto` where the processor multiplies it in hardware; None for float32."""
    if precision == "bf16":
        return torch.bfloat16
    if precision == "float32":
        return None
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else None
