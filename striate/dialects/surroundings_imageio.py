"""imageio where it is not installed: pictures that are read and written, and animations of GIF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..engine.progress import say
from .dialect import Modules
from .picture_files import picture


def imread(uri: Any, *args: Any, pilmode: str | None = None, as_gray: bool = False,
           **words: Any) -> Any:  # fmt: skip
    """Return the picture of a file as an array of bytes."""
    found = picture(uri)
    if pilmode is not None or found.mode == "P":
        found = found.convert(pilmode or "RGB")
    return np.array(found.convert("F") if as_gray else found)


def imwrite(uri: Any, im: Any, *args: Any, **words: Any) -> None:
    """Write an image; floats are spread over the range of bytes."""
    _image(im).save(uri)


def mimwrite(uri: Any, ims: Sequence[Any], format: Any = None, duration: float | None = None,
             fps: float | None = None, loop: int = 0, **words: Any) -> None:  # fmt: skip
    """Write images as an animation; `duration` of each in seconds, or from 10 on milliseconds."""
    pause = 1 / fps if fps else (0.1 if duration is None else duration)
    first, *others = map(_image, ims)
    first.save(uri, save_all=True, append_images=others, loop=loop,
               duration=pause if pause >= 10 else pause * 1000)  # fmt: skip


def mimread(uri: Any, *args: Any, **words: Any) -> list[Any]:
    """Return the images of an animation."""
    with Image.open(uri) as found:
        out = []
        for number in range(getattr(found, "n_frames", 1)):
            found.seek(number)
            out.append(np.array(found.convert("RGB")))
    return out


def _image(values: Any) -> Image.Image:
    array = np.asarray(values)
    if array.dtype != np.uint8:
        least, span = array.min(), np.ptp(array)
        array = ((array - least) / (span or 1) * 255).round().astype(np.uint8)
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array)


class Writer:
    """Collects images, and writes them as one animation in the end."""

    def __init__(self, uri: Any, *args: Any, **words: Any) -> None:
        self.uri, self.images = uri, list[Any]()
        self.words = {key: words[key] for key in ("duration", "fps", "loop") if key in words}

    def append_data(self, im: Any, *args: Any) -> None:
        """Add an image."""
        self.images.append(im)

    def close(self) -> None:
        """Write the file: a GIF, whatever its name ends with, which is said."""
        path = Path(self.uri).with_suffix(".gif")
        if self.images:
            mimwrite(path, self.images, **self.words)
            if path != Path(self.uri):
                say(f"note: imageio is not installed: {self.uri} is written as {path}")

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def modules() -> Modules:
    """Return the names of each version."""
    names = {
        "imread": imread, "imwrite": imwrite, "imsave": imwrite, "mimsave": mimwrite,
        "mimwrite": mimwrite, "mimread": mimread, "get_writer": Writer,
    }  # fmt: skip
    return {"imageio": {**names, "__version__": "2.37.0"}, "imageio.v2": names, "imageio.v3": {
        **names, "imiter": mimread}}  # fmt: skip
