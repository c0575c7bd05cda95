"""Picture files as older libraries read them: their pixels as they lie there, checked first."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from ..data.image import check_bytes, stored
from ..errors import DataError


class PictureError(DataError, OSError):
    """A picture file that cannot be read: an OSError, as programs expect it of Pillow."""


def picture(source: Any) -> Any:
    """Return the PIL image of a path, of bytes, or of an open file.

    Raises: PictureError for a file that is damaged, no picture, or too large to be decoded;
    FileNotFoundError for one that is not there.
    """
    if hasattr(source, "read"):
        source = source.read()
    try:
        if isinstance(source, (bytes, bytearray)):
            return stored(BytesIO(source), "the picture")
        path = Path(source)
        with path.open("rb"):  # Python's own words for a path that is none
            check_bytes(path)
        return stored(path, str(path))
    except DataError as error:
        raise PictureError(error.where, error.what, **error.rows) from None
