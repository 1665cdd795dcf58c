"""The checkpoints of a run: the newest and the one before it, each with a checksum over all that it holds.

checkpoint.safetensors   checkpoint-before.safetensors
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch

from sandbox.errors import SandboxError
from sandbox.files import sweep_parts, sync_folder
from sandbox.runs.folder import RunFolder
from sandbox.wording import reason

NEWEST, BEFORE = "checkpoint.safetensors", "checkpoint-before.safetensors"
_NEXT = "checkpoint-next.safetensors"  # for as long as it takes to rename the others


def write_checkpoint(folder: RunFolder, tensors: Mapping[str, torch.Tensor], state: dict[str, Any]) -> None:
    """Keep a checkpoint, and the one before it under another name.

    `read_checkpoint` finds the newest whatever step of this a crash falls upon.

    Args:
        folder: the run.
        tensors: by name.
        state: plain data.

    Raises:
        SandboxError: it cannot be written, or the disk is full; the newest of before is still the newest.
    """
    whole = {**state, "checksum": _checksum(tensors, state)}
    newest = folder.path / NEWEST
    folder.write_tensors(_NEXT, tensors, whole)
    try:
        if newest.is_file():
            newest.replace(folder.path / BEFORE)
        (folder.path / _NEXT).replace(newest)
    except OSError as error:
        raise SandboxError(f"cannot write {newest}: {reason(error)}") from None
    sync_folder(folder.path)


def read_checkpoint(folder: RunFolder) -> tuple[dict[str, torch.Tensor], dict[str, Any], str] | None:
    """The newest checkpoint that is whole: tensors, state, and a sentence where it is not the newest of all.

    Returns:
        None where the run was cut off before its first.

    Raises:
        SandboxError: there are some, and all are damaged.
    """
    names = [name for name in (NEWEST, _NEXT, BEFORE) if (folder.path / name).is_file()]
    damage: list[str] = []
    for name in names:
        try:
            tensors, state = _read(folder, name)
        except SandboxError as error:
            damage.append(str(error))
            continue
        why = f"{damage[0]}; going on from the checkpoint before it" if damage else ""
        return tensors, state, why
    if damage:
        raise SandboxError(f"{damage[0]}{', and so is the one before it' if len(damage) > 1 else ''}; start a new run")
    return None


def remove_checkpoints(folder: RunFolder, *, but_newest: bool = False) -> None:
    """Take away what a run needs only while it trains, or all of it but the last state."""
    for name in (_NEXT, BEFORE) if but_newest else (NEWEST, _NEXT, BEFORE):
        with suppress(OSError):
            (folder.path / name).unlink()
    sweep_parts(folder.path)


def _read(folder: RunFolder, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors, state = folder.read_tensors(name)
    if not isinstance(state, dict):
        raise SandboxError(f"{folder.path / name} is damaged: it has no state")
    told = state.pop("checksum", None)
    if told is not None and told != _checksum(tensors, state):  # runs of before have none
        raise SandboxError(f"{folder.path / name} is damaged: what it holds is not what was written")
    return tensors, state


def _checksum(tensors: Mapping[str, torch.Tensor], state: dict[str, Any]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, and the state."""
    digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode())
    for key in sorted(tensors):
        tensor = tensors[key].contiguous()
        digest.update(f"\0{key}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        if tensor.numel():
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
