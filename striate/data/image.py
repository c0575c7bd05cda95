"""Image files and PIL images as samples of a model's own size and channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.spec import Spec, show
from ..errors import DataError

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")


def is_image(x: Any) -> bool:
    """Return whether `x` is a path, a PIL image, or a list of them."""
    if isinstance(x, (list, tuple)):
        return bool(x) and all(is_image(item) for item in x)
    return isinstance(x, (str, Path)) or type(x).__module__.startswith("PIL.")


def load(x: Any, spec: Spec) -> NDArray[np.uint8]:
    """Return images as a uint8 batch of the model's size, grey or colour as it takes them.

    Transparent pixels become black; a size that differs is brought to the model's by bilinear
    filtering.

    Raises: DataError for a file that is missing, too large or not an image.
    """
    items: Sequence[Any] = x if isinstance(x, (list, tuple)) else [x]
    return np.stack([_load(item, spec) for item in items])


def ranged(pixels: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """Return pixels of 0 to 255 as float32 values from `low` to `high`."""
    return pixels.astype(np.float32) / 255 * (high - low) + low


def _load(item: Any, spec: Spec) -> NDArray[np.uint8]:
    from PIL import Image

    image = _open(item) if isinstance(item, (str, Path)) else item
    if spec.channels not in (1, 3) or len(spec.spatial) != 2:
        raise DataError(
            "image",
            "the model does not take grey or colour images",
            need=f"an array of shape {show(spec.shape)}",
            fix="model.predict(array)",
        )
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        black = Image.new("RGBA", layer.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, layer)
    image = image.convert("L" if spec.channels == 1 else "RGB")
    height, width = (size or own for size, own in zip(spec.spatial, image.size[::-1], strict=True))
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, dtype=np.uint8).reshape(height, width, spec.channels)
    return pixels if spec.data_format == "channels_last" else np.moveaxis(pixels, -1, 0)


def _open(path: str | Path) -> Any:
    from PIL import Image, ImageOps, UnidentifiedImageError

    path = Path(path)
    if not path.is_file():
        raise DataError(str(path), "there is no such image file", fix="check the path")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(
            str(path),
            "the image file is too large",
            got=f"{size:,} bytes",
            need=f"at most {MAX_BYTES:,} bytes",
        )
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(
                    str(path),
                    "the image has too many pixels",
                    got=f"{image.width} x {image.height}",
                    need=f"at most {MAX_PIXELS:,} pixels",
                )
            image.load()
            return ImageOps.exif_transpose(image)
    except DataError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(
            str(path),
            "is not an image that can be read",
            got=str(error).splitlines()[0][:100],
            need=", ".join(FORMATS),
        ) from None
