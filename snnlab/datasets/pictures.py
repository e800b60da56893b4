"""One image file as the picture that a viewer shows: upright, over white where it is transparent, in 8 bits a channel.

Only the formats of photographs are opened, by their contents and not by their names: PIL knows others, some of which
run programs.
"""

import stat
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from snnlab.files import place
from snnlab.neurons.door import door

FORMATS = ("JPEG", "PNG", "PPM", "BMP", "DIB", "TIFF", "WEBP", "GIF")
MOST_PIXELS = 2**26
"""Of an image; a larger one is refused before it is decoded."""


@door
def picture(file: str | Path) -> Any:
    """An image as PIL's, RGB.

    Raises: OSError, SyntaxError or ValueError for what is no picture: a pipe, another format, too many pixels, values
        that have no brightness of their own.
    """
    from PIL import Image, ImageOps

    file = place(file)
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError("it is a device, a pipe or a socket")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.init()  # TIFF and WebP are not known before
            image = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(f"it has more than {MOST_PIXELS:,} pixels") from None
    with image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"it has {image.width} x {image.height} pixels, more than {MOST_PIXELS:,}")
        return _in_colour(ImageOps.exif_transpose(_in_bytes(image)))


def _in_bytes(image: Any) -> Any:
    """With 8 bits a channel: 16 bits of grey are divided by 257; other numbers have no white of their own."""
    from PIL import Image

    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        grey = (np.asarray(image).astype(np.float64) / 257).round().clip(0, 255).astype(np.uint8)
        orientation = image.getexif()
        image = Image.fromarray(grey)
        image.getexif().update(orientation)
    if image.mode in ("I", "F", "LAB", "HSV"):
        raise ValueError(
            f"its pixels are of mode {image.mode!r}, which viewers show in different ways; save it as RGB or grey, "
            "with 8 or 16 bits"
        )
    return image


def _in_colour(image: Any) -> Any:
    from PIL import Image

    if image.mode in ("La", "RGBa"):  # premultiplied
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
