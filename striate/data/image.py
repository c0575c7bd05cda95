"""Image files and PIL images as samples of a model's own size and channels."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
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


def decoded(
    source: Path | BytesIO,
    where: str,
    formats: Sequence[str] = FORMATS,
    max_pixels: int | None = None,
) -> Any:
    """Return the PIL image of a file, upright; see `stored`."""
    from PIL import ImageOps

    image = stored(source, where, formats, max_pixels)
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # as damaged as the rest of a file can be
        raise _unread(where, error, formats) from None


def stored(
    source: Path | BytesIO,
    where: str,
    formats: Sequence[str] = FORMATS,
    max_pixels: int | None = None,
) -> Any:
    """Return the PIL image of a file as it lies there; of an animated one its first picture.

    `where` is what a message calls it. The size in pixels is read from the file's head, before any
    of it is decoded.

    Raises: DataError for too many pixels, another format, and a file that is damaged or cut off.
    """
    from PIL import Image

    most = MAX_PIXELS if max_pixels is None else max_pixels
    try:
        with Image.open(source, formats=tuple(formats)) as image:
            if image.width * image.height > most:
                raise DataError(
                    where,
                    "has too many pixels",
                    got=f"{image.width:,} x {image.height:,}",
                    need=f"at most {most:,} pixels",
                )
            image.load()
            return image.copy()
    except DataError:
        raise
    except Exception as error:  # a damaged file raises anything
        raise _unread(where, error, formats) from None


def _unread(where: str, error: Exception, formats: Sequence[str]) -> DataError:
    from PIL import UnidentifiedImageError

    known = not isinstance(error, UnidentifiedImageError)
    said = str(error).splitlines() or [type(error).__name__]
    return DataError(
        where,
        "is not an image that can be read",
        got=said[0][:100] if known else "its bytes are of none of these formats",
        need=", ".join(formats),
    )


def coloured(image: Any, channels: int) -> Any:
    """Return a PIL image in grey (1 channel) or colour (3), transparent pixels black.

    Of 16 bits the upper 8 are kept.
    """
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        black = Image.new("RGBA", layer.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, layer)
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image, np.int64) >> 8).clip(0, 255).astype(np.uint8))
    return image.convert("L" if channels == 1 else "RGB")


def pixels(image: Any, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Return a PIL image as (height, width, channels): brought to that size by bilinear filtering.

    The sides change apart: the proportions are those of the size that is asked for.
    """
    from PIL import Image

    image = coloured(image, channels)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)


def _load(item: Any, spec: Spec) -> NDArray[np.uint8]:
    image = _open(Path(item)) if isinstance(item, (str, Path)) else item
    if spec.channels not in (1, 3) or len(spec.spatial) != 2:
        raise DataError(
            "image",
            "the model does not take grey or colour images",
            need=f"an array of shape {show(spec.shape)}",
            fix="model.predict(array)",
        )
    height, width = (size or own for size, own in zip(spec.spatial, image.size[::-1], strict=True))
    found = pixels(image, height, width, spec.channels)
    return found if spec.data_format == "channels_last" else np.moveaxis(found, -1, 0)


def _open(path: Path) -> Any:
    if not path.is_file():
        raise DataError(str(path), "there is no such image file", fix="check the path")
    check_bytes(path)
    return decoded(path, str(path))


def check_bytes(path: Path) -> None:
    """Raise DataError for a file that has more bytes than an image of ours can have."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(
            str(path),
            "the image file is too large",
            got=f"{size:,} bytes",
            need=f"at most {MAX_BYTES:,} bytes",
        )
