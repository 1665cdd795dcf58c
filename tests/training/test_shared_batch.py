from __future__ import annotations

import pytest
import torch
from torch import nn

from sandbox.backbones.network import Network, make_network
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec
from sandbox.training.distributed import Ranks
from sandbox.training.shared_batch import check_shares, share_statistics

TWO = Ranks(0, 2, 0)


def network(name: str, head: str = "linear_bn", *, freeze: bool = False) -> Network:
    torch.manual_seed(0)
    spec = BackboneSpec(name=name, head=head, embedding_dim=8, freeze=freeze)  # type: ignore[arg-type]
    return make_network(spec, channels=3, image_size=32, mean=[0.5] * 3, std=[0.2] * 3)


@pytest.mark.parametrize(("count", "images", "fits"), [(1, 2, True), (2, 4, True), (2, 3, False), (8, 15, False)])
def test_every_process_needs_two_images(count: int, images: int, fits: bool) -> None:
    if fits:
        check_shares(Ranks(0, count), images)
    else:
        with pytest.raises(SandboxError, match=rf"{images} images, but {count} processes .* at least {2 * count}"):
            check_shares(Ranks(0, count), images)


@pytest.mark.parametrize("name", ["conv4", "torchvision:resnet18", "timm:mobilenetv3_small_050"])
def test_on_cuda_batch_norm_is_shared_and_its_weights_stay(name: str) -> None:
    plain, shared = network(name), network(name)
    notes = share_statistics(shared, TWO, torch.device("cuda"), 16)
    assert notes == ["2 processes share each batch of 16 images"]
    kinds = [type(module) for module in shared.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert kinds and all(issubclass(kind, nn.SyncBatchNorm) for kind in kinds)
    assert shared.state_dict().keys() == plain.state_dict().keys()
    x = torch.rand(4, 3, 32, 32)
    assert torch.allclose(shared.eval()(x), plain.eval()(x), atol=1e-6)


def test_on_the_cpu_it_is_said_that_batch_norm_sees_a_share() -> None:
    shared = network("conv4")
    _, said = share_statistics(shared, TWO, torch.device("cpu"), 16)
    assert "batch norm sees each process's share" in said
    assert not any(isinstance(module, nn.SyncBatchNorm) for module in shared.modules())


@pytest.mark.parametrize(
    ("made", "ranks"),
    [(("conv4", "linear", True), TWO), (("torchvision:squeezenet1_1", "linear", False), TWO)],
    ids=["frozen", "without batch norm"],
)
def test_where_no_batch_norm_trains_nothing_is_said_of_it(made: tuple[str, str, bool], ranks: Ranks) -> None:
    name, head, freeze = made
    assert len(share_statistics(network(name, head, freeze=freeze), ranks, torch.device("cpu"), 16)) == 1


def test_one_process_changes_nothing() -> None:
    assert share_statistics(network("conv4"), Ranks(), torch.device("cuda"), 16) == []
