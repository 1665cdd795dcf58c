"""The families of networks that a study of architectures names, by their papers, and where they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Networks of one paper."""

    name: str
    line: str
    citation: str
    networks: tuple[str, ...]
    """Some of them, as ``--backbone.name`` takes them, the smallest first."""
    beginnings: tuple[str, ...] = ()
    """How the libraries' names of all of them begin; none where these are no rule."""

    def holds(self, network: str) -> bool:
        """Whether a network is of this family, by the beginning of its name."""
        return network in self.networks or network.partition(":")[2].startswith(self.beginnings)


FAMILIES = (
    Family(
        "AlexNet",
        "five convolutions and three linear layers",
        "Krizhevsky et al., NeurIPS 2012; as in Krizhevsky, arXiv 1404.5997",
        ("torchvision:alexnet",),
    ),
    Family(
        "VGG",
        "3x3 convolutions between poolings, and three linear layers",
        "Simonyan and Zisserman, ICLR 2015",
        ("torchvision:vgg11", "torchvision:vgg11_bn", "torchvision:vgg16"),
        ("vgg",),
    ),
    Family(
        "ResNet",
        "blocks that add to their input",
        "He et al., CVPR 2016",
        ("timm:resnet10t", "torchvision:resnet18", "torchvision:resnet50"),
        ("resnet1", "resnet2", "resnet3", "resnet5"),
    ),
    Family(
        "DenseNet",
        "layers that read the outputs of all before them",
        "Huang et al., CVPR 2017",
        ("torchvision:densenet121",),
        ("densenet",),
    ),
    Family(
        "MobileNetV2",
        "inverted residuals of depthwise convolutions",
        "Sandler et al., CVPR 2018",
        ("timm:mobilenetv2_050", "torchvision:mobilenet_v2"),
        ("mobilenetv2",),
    ),
    Family(
        "ResNeXt",
        "residual blocks of grouped convolutions",
        "Xie et al., CVPR 2017",
        ("timm:resnext26ts", "torchvision:resnext50_32x4d"),
        ("resnext",),
    ),
    Family(
        "SENet",
        "residual blocks whose channels are weighed by what the whole map holds",
        "Hu et al., CVPR 2018",
        ("timm:legacy_seresnet18", "timm:seresnet50", "timm:legacy_senet154"),
        ("legacy_se", "seresnet"),
    ),
    Family(
        "EfficientNet",
        "depth, width and resolution scaled together",
        "Tan and Le, ICML 2019",
        ("timm:efficientnet_lite0", "timm:tf_efficientnet_lite0", "torchvision:efficientnet_b0"),
        ("efficientnet", "tf_efficientnet"),
    ),
    Family(
        "RegNet",
        "widths of stages by a quantised line",
        "Radosavovic et al., CVPR 2020",
        ("timm:regnetx_002", "torchvision:regnet_y_400mf"),
        ("regnet",),
    ),
    Family(
        "ResNeSt",
        "residual blocks whose groups of channels attend to each other",
        "Zhang et al., CVPR workshops 2022",
        ("timm:resnest14d", "timm:resnest26d", "timm:resnest50d"),
        ("resnest",),
    ),
    Family(
        "NFNet",
        "residual blocks without batch norm, of scaled and standardised weights",
        "Brock et al., ICML 2021",
        ("timm:eca_nfnet_l0", "timm:nfnet_l0", "timm:dm_nfnet_f0"),
        ("dm_nfnet", "nfnet", "eca_nfnet"),
    ),
    Family(
        "ViT",
        "a transformer over patches",
        "Dosovitskiy et al., ICLR 2021",
        ("timm:vit_tiny_patch16_224", "torchvision:vit_b_16"),
        ("vit_b_", "vit_l_", "vit_h_"),
    ),
    Family(
        "DINOv2",
        "vision transformers as DINOv2 trains them, with patches of 14 pixels and scaled layers",
        "Oquab et al., TMLR 2024",
        ("timm:vit_small_patch14_dinov2", "timm:vit_small_patch14_reg4_dinov2"),
    ),
)


def family_of(network: str) -> Family | None:
    """The family of a network by its name, as ``--backbone.name`` takes it; None where it is of none of these."""
    return next((family for family in FAMILIES if family.holds(network)), None)
