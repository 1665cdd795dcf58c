"""What several processes ask of a batch and of batch norm, which looks at all images of one."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sandbox.backbones.network import Network
from sandbox.errors import SandboxError
from sandbox.training.distributed import Ranks


def check_shares(ranks: Ranks, images: int) -> None:
    """Refuse a batch of which a process would get fewer than two images, too few for batch norm.

    Raises:
        SandboxError: names both numbers.
    """
    if ranks.count > 1 and images < 2 * ranks.count:
        raise SandboxError(
            f"a batch has {images} images, but {ranks.count} processes share it and need two each: "
            f"--batch.size is at least {2 * ranks.count}, or --nproc_per_node at most {max(1, images // 2)}"
        )


def share_statistics(network: Network, ranks: Ranks, device: torch.device, images: int) -> list[str]:
    """Let batch norm see the whole batch, where torch can do that, which is on CUDA; sentences on what is shared."""
    if ranks.count == 1:
        return []
    notes = [f"{ranks.count} processes share each batch of {images} images"]
    trained = network.head if network.frozen else network
    if not any(isinstance(module, _BatchNorm) for module in trained.modules()):
        return notes
    if device.type != "cuda":
        return [
            *notes,
            "batch norm sees each process's share of a batch and not the whole: torch shares that on CUDA only",
        ]
    convert = nn.SyncBatchNorm.convert_sync_batchnorm
    if any(type(module).__module__.startswith("timm.") for module in network.modules()):
        from timm.layers import convert_sync_batchnorm  # knows timm's own, which have an activation in them

        convert = convert_sync_batchnorm
    network.backbone, network.head = convert(network.backbone), convert(network.head)
    return notes
