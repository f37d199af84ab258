"""The demo's networks: torchvision's convolutions, trained on ten classes of rendered scenes."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from interpret_core.demo import NETWORKS
from interpret_core.errors import NetworkError, unknown
from interpret_core.networks.torchvision_ops import models


def build_demo(name: str, classes: int) -> nn.Module:
    """One of the demo's networks, untrained.

    AlexNet and VGG11 keep their convolutional layers as they are; global average pooling and one linear
    layer replace their heads, which hold nine tenths of the weights. ResNet18 is torchvision's own.

    Args:
        name: alexnet, vgg11 or resnet18.
        classes: outputs.
    Raises:
        NetworkError: another name.
    """
    if name not in NETWORKS:
        raise NetworkError(unknown("demo network", name, NETWORKS))
    if name == "resnet18":
        return models.resnet18(weights=None, num_classes=classes)
    features = getattr(models, name)(weights=None).features
    channels = [layer for layer in features if isinstance(layer, nn.Conv2d)][-1].out_channels
    return nn.Sequential(
        OrderedDict(
            features=features,
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(channels, classes),
        )
    )
