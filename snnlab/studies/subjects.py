"""What a benchmark runs: networks that ship and a wide one, converted, and images that need no download."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab import networks
from snnlab.converters.conversion import convert
from snnlab.converters.snn import SNN
from snnlab.training import runs

MOST_IMAGES = 256
CALIBRATION = 16


def random_vgg(images: Tensor, width: int = 64) -> nn.Module:
    """VGG-16 with random weights, settled on some images [N, 3, 32, 32]."""
    return settled(networks.vgg16(width=width, seed=0), images)


def settled(ann: nn.Module, images: Tensor) -> nn.Module:
    """A network that nobody has trained, its batch norms set by some images [N, ...], so that every layer is alive."""
    for module in ann.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        ann.train()(images)
    return ann.eval()


def photographs(count: int) -> Tensor:
    """Patches of the two photographs that come with scikit-learn, [count, 3, 32, 32], as CIFAR's images are scaled.

    So the networks see pictures, and nobody waits for a download.
    """
    from sklearn.datasets import load_sample_images

    photos = torch.stack([torch.tensor(image) for image in load_sample_images().images])
    small = F.avg_pool2d(photos.permute(0, 3, 1, 2).float() / 255, 4)  # [2, 3, 106, 160]
    patches = small.unfold(2, 32, 8).unfold(3, 32, 8).permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, 32, 32)
    order = torch.randperm(len(patches), generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(x).reshape(3, 1, 1) for x in ((0.49, 0.48, 0.45), (0.25, 0.24, 0.26)))
    return ((patches[order[:count]] - mean) / std).contiguous()


NETWORKS: dict[str, Callable[[Tensor], nn.Module]] = {
    "resnet20": lambda _: runs.shipped("resnet20-relu").ann,
    "vgg16": lambda _: runs.shipped("vgg16-relu").ann,
    "vgg16-64": random_vgg,
}
"""Name to the ANN; the images are for batch norms that nobody has trained."""


def prepared(network: str, count: int) -> tuple[nn.Module, SNN, Tensor]:
    """A network of NETWORKS, what robust_norm makes of it, and images; 16 other images calibrate."""
    images = photographs(count + CALIBRATION)
    calibration, images = images[:CALIBRATION], images[CALIBRATION:]
    ann = NETWORKS[network](calibration).to(memory_format=torch.channels_last).eval()
    return ann, convert(ann, "robust_norm", calibration, T=16, progress=False), images
