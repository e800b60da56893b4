"""Training images moved, mirrored, covered and recoloured, each in its own way, from a generator of their own.

References:
  1) Crop and flip: He et al. 2016, CVPR, section 4.2
  2) Cutout: DeVries & Taylor 2017, arXiv 1708.04552; here the square lies wholly inside the image
  3) AutoAugment, the CIFAR-10 policy: Cubuk et al. 2019, CVPR, by torchvision
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from snnlab.neurons.door import door


@door
def augment(images: Tensor, names: Sequence[str], generator: Generator) -> Tensor:
    """Images [B, C, H, W] to as many, of the same shape; names as Settings.augment has them, in one fixed order.

    AutoAugment draws from PyTorch's global random state: seed that too.
    """
    if images.ndim != 4:
        raise ValueError(f"images have shape {list(images.shape)}, but they must be [B, C, H, W]")
    if "autoaugment" in names:
        images = _recolored(images)
    if "crop" in names:
        images = _cropped(images, generator)
    if "flip" in names:
        mirrored = torch.rand(len(images), generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return _covered(images, generator) if "cutout" in names else images


def _cropped(images: Tensor, generator: Generator) -> Tensor:
    """Each image moved by up to an eighth of its height; zeros come in from outside."""
    count, channels, height, width = images.shape
    margin = height // 8
    down, right = torch.randint(0, 2 * margin + 1, (2, count, 1), generator=generator)
    rows, columns = down + torch.arange(height), right + torch.arange(width)
    padded = F.pad(images, (margin,) * 4)
    index = torch.arange(count)[:, None, None, None], torch.arange(channels)[None, :, None, None]
    return padded[index[0], index[1], rows[:, None, :, None], columns[:, None, None, :]]


def _covered(images: Tensor, generator: Generator) -> Tensor:
    """A square of half the side set to zero in each image."""
    count, _, height, width = images.shape
    side = height // 2
    top = torch.randint(0, height - side + 1, (count, 1, 1, 1), generator=generator)
    left = torch.randint(0, width - side + 1, (count, 1, 1, 1), generator=generator)
    rows, columns = torch.arange(height)[None, None, :, None], torch.arange(width)[None, None, None, :]
    hidden = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)
    return images.masked_fill(hidden, 0.0)


def _recolored(images: Tensor) -> Tensor:
    """torchvision's policy takes bytes: the range of the batch is put on 0 to 255, and back."""
    from torchvision.transforms import v2

    policy = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
    low, high = images.aminmax()
    scale = 255 / (high - low).clamp(min=1e-12)
    levels = ((images - low) * scale).round().to(torch.uint8)
    return torch.stack([policy(image) for image in levels]).to(images.dtype) / scale + low
