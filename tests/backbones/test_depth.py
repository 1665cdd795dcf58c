from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from timm.optim import param_groups_layer_decay
from torch import nn

from sandbox.backbones.catalog import make_backbone
from sandbox.backbones.depth import layers_by_name, layers_of, shares
from sandbox.backbones.libraries import timm_layers


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "mobilenetv2_050", "legacy_seresnet18"])
def test_names_say_what_timm_says(name: str) -> None:
    with torch.device("meta"):
        network = timm.create_model(name, num_classes=0)
    assert layers_by_name(network) == timm_layers(network)


@pytest.mark.parametrize(
    ("name", "layers", "where"),
    [
        ("alexnet", 7, {"features.0.bias": 0, "features.10.weight": 4, "classifier.4.weight": 6}),
        ("vgg11_bn", 10, {"features.1.weight": 0, "features.4.weight": 1, "classifier.3.bias": 9}),
        ("resnet18", 9, {"bn1.weight": 0, "layer1.0.conv1.weight": 1, "layer2.0.downsample.0.weight": 3}),
        ("mobilenet_v2", 19, {"features.0.1.weight": 0, "features.1.conv.0.0.weight": 1, "features.18.1.bias": 18}),
        ("vit_b_32", 13, {"class_token": 0, "encoder.layers.encoder_layer_11.ln_1.bias": 12, "encoder.ln.bias": 12}),
    ],
)
def test_blocks_of_torchvision(name: str, layers: int, where: dict[str, int]) -> None:
    with torch.device("meta"):
        trunk = make_backbone(f"torchvision:{name}", channels=3, image_size=224, stem="standard", pretrained=False)
    found = layers_of(trunk)
    assert found.keys() == dict(trunk.named_parameters()).keys()
    assert sorted(set(found.values())) == list(range(layers))
    assert {key: found[f"network.{key}"] for key in where} == where


def test_a_network_of_ours_counts_its_blocks() -> None:
    conv4 = make_backbone("conv4", channels=3, image_size=32, stem="auto", pretrained=False)
    found = layers_of(conv4)
    assert found.keys() == dict(conv4.named_parameters()).keys()
    assert len({found[name] for name, weight in conv4.named_parameters() if weight.ndim > 1}) == 4


def test_each_layer_gets_the_share_that_timm_gives_it() -> None:
    """Timm counts the last layer whole, where its own head would be; here the head stands after it."""
    with torch.device("meta"):
        trunk = make_backbone("timm:test_resnet", channels=3, image_size=64, stem="standard", pretrained=False)
    network = trunk.network
    assert isinstance(network, nn.Module) and not isinstance(network, torchvision.models.ResNet)
    groups = param_groups_layer_decay(network, layer_decay=0.75)
    theirs = {id(weight): 0.75 * group["lr_scale"] for group in groups for weight in group["params"]}
    layers = layers_of(trunk)
    share = shares(layers.values(), 0.75)
    for name, weight in trunk.named_parameters():
        assert share[layers[name]] == pytest.approx(theirs[id(weight)])
