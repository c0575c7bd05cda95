"""cv2 where OpenCV is not installed: pictures that are read, changed and written, blue first."""

# ruff: noqa: N802, N803  OpenCV's own names and words
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..errors import caller
from .picture_files import picture
from .resampling import along, gaussian, mirrored, scaling, smoothing
from .surroundings_opencv_colors import CODES, converted, ratio
from .table import DialectError

SIZES = {0: "nearest", 1: "linear", 2: "cubic", 3: "area"}
CONSTANTS = {
    "IMREAD_UNCHANGED": -1, "IMREAD_GRAYSCALE": 0, "IMREAD_COLOR": 1, "IMREAD_ANYDEPTH": 2,
    "IMREAD_ANYCOLOR": 4, "INTER_NEAREST": 0, "INTER_LINEAR": 1, "INTER_CUBIC": 2, "INTER_AREA": 3,
    "INTER_LANCZOS4": 4, "BORDER_CONSTANT": 0, "BORDER_REPLICATE": 1, "BORDER_REFLECT": 2,
    "BORDER_WRAP": 3, "BORDER_REFLECT_101": 4, "BORDER_DEFAULT": 4, "THRESH_BINARY": 0,
    "THRESH_BINARY_INV": 1, "THRESH_TRUNC": 2, "THRESH_TOZERO": 3, "THRESH_OTSU": 8,
    "NORM_MINMAX": 32, "ROTATE_90_CLOCKWISE": 0, "ROTATE_180": 1, "ROTATE_90_COUNTERCLOCKWISE": 2,
    "FILLED": -1, "LINE_AA": 16, "LINE_8": 8, "FONT_HERSHEY_SIMPLEX": 0, "FONT_HERSHEY_PLAIN": 1,
    "FONT_HERSHEY_DUPLEX": 2, "FONT_HERSHEY_COMPLEX": 3, "WINDOW_NORMAL": 0, "WINDOW_AUTOSIZE": 1,
    "IMWRITE_JPEG_QUALITY": 1, "IMWRITE_PNG_COMPRESSION": 16,
}  # fmt: skip
COLORMAPS = {"COLORMAP_BONE": 1, "COLORMAP_JET": 2, "COLORMAP_RAINBOW": 4, "COLORMAP_HOT": 11,
             "COLORMAP_VIRIDIS": 16, "COLORMAP_INFERNO": 14, "COLORMAP_PLASMA": 15}  # fmt: skip
GREY = np.array([0.299, 0.587, 0.114])  # of red, green and blue
CONVERSIONS = (
    "BGR2RGB", "RGB2BGR", "BGR2GRAY", "RGB2GRAY", "GRAY2BGR", "GRAY2RGB", "BGR2HSV", "RGB2HSV",
    "HSV2BGR", "HSV2RGB", "BGRA2BGR", "RGBA2RGB", "BGRA2RGB", "RGBA2BGR", "BGR2BGRA", "RGB2RGBA",
    "BGRA2GRAY", "RGBA2GRAY", "GRAY2BGRA",
)  # fmt: skip


def like(values: Any, image: Any) -> Any:
    """Return numbers as those of an image: bytes are rounded, and stay from 0 to 255."""
    kind = np.asarray(image).dtype
    if kind.kind in "ui":
        limits = np.iinfo(kind)
        return (
            np.floor(np.clip(values, limits.min, limits.max) + 0.5)
            .clip(limits.min, limits.max)
            .astype(kind)
        )
    return np.asarray(values).astype(kind)


def imread(filename: Any, flags: int = 1) -> Any:
    """Return the picture of a file, blue first, or None where there is none."""
    if not Path(filename).is_file():
        return None
    return _decoded(filename, flags)


def imdecode(buf: Any, flags: int = 1) -> Any:
    """Return the picture of bytes, blue first."""
    return _decoded(np.asarray(buf, np.uint8).tobytes(), flags)


def _decoded(source: Any, flags: int) -> Any:
    found = picture(source)
    if flags == 0:
        return np.array(found.convert("L"))
    keeps = flags < 0 and found.mode in ("L", "I;16", "RGBA")
    array = np.array(found if keeps else found.convert("RGB"))
    return array if array.ndim == 2 else swapped(array)


def swapped(img: Any) -> Any:
    """Return an image with red and blue exchanged."""
    places = [2, 1, 0, 3][: np.asarray(img).shape[-1]]
    return np.ascontiguousarray(np.asarray(img)[..., places])


def imwrite(filename: Any, img: Any, params: Any = None) -> bool:
    """Write an image whose channels are blue, green and red."""
    array = like(img, np.uint8(0))
    array = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    Image.fromarray(array if array.ndim == 2 else swapped(array)).save(filename)
    return True


def resize(src: Any, dsize: Any = None, dst: Any = None, fx: float = 0, fy: float = 0,
           interpolation: int = 1) -> Any:  # fmt: skip
    """Return an image of another size (width, height), or of these shares of its sides."""
    image = np.asarray(src)
    if interpolation not in SIZES:
        raise _absent(f"cv2.resize(interpolation={interpolation})")
    height, width = image.shape[:2]
    wide, high = dsize if dsize else (round(width * fx), round(height * fy))
    kind = SIZES[interpolation]
    out = along(image, scaling(height, int(high), kind), scaling(width, int(wide), kind))
    return like(out[..., 0] if out.ndim == 3 and out.shape[-1] == 1 else out, image)


def cvtColor(src: Any, code: str, dst: Any = None, dstCn: int = 0) -> Any:
    """Return an image in other colours."""
    image = np.asarray(src)
    begin, end = str(code).split("2")
    if str(code) in CODES:
        out = converted(swapped(image) if begin == "BGR" else image, begin, end)
        return swapped(out) if end == "BGR" else out
    if begin == "HSV":
        return _of_hsv(image, end)
    if begin == "GRAY":
        out = np.repeat(image.reshape(*image.shape[:2], 1), 3, -1)
    elif end == "GRAY":
        weights = GREY if begin.startswith("RGB") else GREY[::-1]
        return like(image[..., :3] @ weights, image)
    elif end == "HSV":
        return _hsv(image if begin == "RGB" else swapped(image))
    else:
        out = image[..., :3] if begin[:3] == end[:3] else swapped(image[..., :3])
    if end.endswith("A"):
        light = 255 if image.dtype == np.uint8 else 1
        out = np.concatenate([out, np.full_like(out[..., :1], light)], -1)
    return np.ascontiguousarray(out)


def _hsv(image: Any) -> Any:
    """Return hue in half degrees (degrees of floats), saturation and value of red, green, blue."""
    bytes_ = image.dtype == np.uint8
    x = image / 255.0 if bytes_ else image.astype(np.float64)
    most, least = x.max(-1), x.min(-1)
    span = np.where(most > least, most - least, 1)
    red, green, blue = np.moveaxis(x, -1, 0)
    hue = np.where(most == green, 2 + (blue - red) / span, 4 + (red - green) / span)
    hue = np.where(most == red, (green - blue) / span, hue)
    hue = np.where(most > least, hue * 60 % 360, 0)
    full = np.where(most > 0, (most - least) / np.where(most > 0, most, 1), 0)
    if bytes_:
        return np.stack([like(hue / 2, image) % 180, like(full * 255, image),
                         like(most * 255, image)], -1)  # fmt: skip
    return np.stack([hue, full, most], -1).astype(image.dtype)


def _of_hsv(image: Any, end: str) -> Any:
    bytes_ = image.dtype == np.uint8
    hue, full, value = np.moveaxis(image.astype(np.float64), -1, 0)
    if bytes_:
        hue, full, value = hue * 2, full / 255, value / 255
    parts = []
    for shift in (5, 3, 1):
        at = (shift + hue / 60) % 6
        parts.append(value - value * full * np.clip(np.minimum(at, 4 - at), 0, 1))
    rgb = like(np.stack(parts, -1) * (255 if bytes_ else 1), image)
    return rgb if end == "RGB" else swapped(rgb)


def flip(src: Any, flipCode: int, dst: Any = None) -> Any:
    """Return an image upside down (0), left to right (above 0), or both (below 0)."""
    image = np.asarray(src)
    image = image[::-1] if flipCode <= 0 else image
    return np.ascontiguousarray(image[:, ::-1] if flipCode else image)


def rotate(src: Any, rotateCode: int, dst: Any = None) -> Any:
    """Return an image turned by a quarter clockwise (0), by half (1), or the other way (2)."""
    return np.ascontiguousarray(np.rot90(src, {0: -1, 1: 2, 2: 1}[rotateCode]))


def GaussianBlur(src: Any, ksize: Any, sigmaX: float = 0, dst: Any = None, sigmaY: float = 0,
                 borderType: int = 4) -> Any:  # fmt: skip
    """Return an image, blurred by a bell of (width, height) cells."""
    image = np.asarray(src)
    matrices = []
    for size, cells, sigma in zip(image.shape[:2], ksize[::-1], (sigmaY or sigmaX, sigmaX),
                                  strict=True):  # fmt: skip
        cells = cells or 2 * round(3 * sigma) + 1
        wide = sigma or 0.3 * ((cells - 1) * 0.5 - 1) + 0.8
        matrices.append(smoothing(size, gaussian(wide, cells // 2), mirrored))
    return like(along(image, *matrices), image)


def blur(src: Any, ksize: Any) -> Any:
    """Return an image of the means of (width, height) cells."""
    image = np.asarray(src)
    bells = [np.full(cells, 1 / cells) for cells in ksize[::-1]]
    matrices = [smoothing(size, bell, mirrored)
                for size, bell in zip(image.shape[:2], bells, strict=True)]  # fmt: skip
    return like(along(image, *matrices), image)


def threshold(src: Any, thresh: float, maxval: float, type: int) -> tuple[float, Any]:
    """Return the threshold, and an image of what is above of it."""
    image = np.asarray(src)
    limit = _otsu(image) if type & 8 else float(thresh)
    values: Any = {0: (maxval, 0), 1: (0, maxval), 2: (limit, image), 3: (image, 0)}
    return limit, like(np.where(image > limit, *values[type & ~8]), image)


def _otsu(image: Any) -> float:
    """Return the value between which and the others the variance is largest. Otsu, 1979."""
    counts = np.bincount(image.reshape(-1), minlength=256).astype(float)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    apart = sums / np.maximum(below, 1) - (sums[-1] - sums) / np.maximum(above, 1)
    return float(np.argmax(below * above * apart**2))


def copyMakeBorder(src: Any, top: int, bottom: int, left: int, right: int,
                   borderType: int, dst: Any = None, value: Any = 0) -> Any:  # fmt: skip
    """Return an image with a border."""
    image = np.asarray(src)
    widths = [(top, bottom), (left, right), (0, 0)][: image.ndim]
    word: Any = {1: "edge", 2: "symmetric", 3: "wrap", 4: "reflect"}.get(borderType)
    if word:
        return np.pad(image, widths, word)
    out = np.empty([side + sum(pair) for side, pair in zip(image.shape, widths, strict=True)],
                   image.dtype)  # fmt: skip
    out[...] = (
        np.asarray(value).reshape(-1)[: image.shape[2]]
        if image.ndim == 3 and np.ndim(value)
        else np.asarray(value).reshape(-1)[0]
    )
    out[top : top + image.shape[0], left : left + image.shape[1]] = image
    return out


def addWeighted(src1: Any, alpha: float, src2: Any, beta: float, gamma: float) -> Any:
    """Return the weighted sum of two images."""
    return like(np.asarray(src1) * alpha + np.asarray(src2) * beta + gamma, src1)


def normalize(src: Any, dst: Any = None, alpha: float = 1, beta: float = 0,
              norm_type: int = 32, dtype: Any = None) -> Any:  # fmt: skip
    """Return an image between two values."""
    image = np.asarray(src, np.float64)
    span = image.max() - image.min()
    scaled = (image - image.min()) / (span or 1)
    return like(scaled * (beta - alpha) + alpha if beta > alpha else scaled * alpha, src)


def getRotationMatrix2D(center: Any, angle: float, scale: float) -> Any:
    """Return the matrix (2, 3) of a turn counter-clockwise about a place (x, y)."""
    a, b = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    x, y = center
    return np.array([[a, b, (1 - a) * x - b * y], [-b, a, b * x + (1 - a) * y]])


def warpAffine(src: Any, M: Any, dsize: Any, dst: Any = None, flags: int = 1,
               borderMode: int = 0, borderValue: Any = 0) -> Any:  # fmt: skip
    """Return an image whose places are moved by a matrix (2, 3); around it is a value."""
    image = np.asarray(src, np.float64)
    image = image[..., None] if image.ndim == 2 else image
    width, height = dsize
    whole = np.linalg.inv(np.vstack([np.asarray(M, float), [0, 0, 1]]))
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    u, v = (row[0] * x + row[1] * y + row[2] for row in whole[:2])
    if flags & 7 == 0:
        u, v = np.round(u), np.round(v)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    out = np.zeros((height, width, image.shape[2]))
    for down in (0, 1):
        for along_ in (0, 1):
            row, column = top + down, left + along_
            weight = (1 - np.abs(u - column)) * (1 - np.abs(v - row))
            inside = (row >= 0) & (row < image.shape[0]) & (column >= 0) & (column < image.shape[1])
            place = image[row.clip(0, image.shape[0] - 1), column.clip(0, image.shape[1] - 1)]
            if borderMode == 0:
                place = np.where(inside[..., None], place, borderValue)
            out += place * weight[..., None]
    return like(out if np.ndim(src) == 3 else out[..., 0], src)


def applyColorMap(src: Any, colormap: int, dst: Any = None) -> Any:
    """Return a grey image in the colours of a table, blue first."""
    from matplotlib import colormaps

    name = next(word for word, number in COLORMAPS.items() if number == colormap)
    grey = np.asarray(src)
    grey = grey if grey.ndim == 2 else grey[..., 0]
    table = colormaps[name.partition("_")[2].lower()](np.arange(256))[:, :3]
    return swapped((table * 255).round().astype(np.uint8)[grey])


def _drawn(img: Any, draw: Any) -> Any:
    """Draw on an image itself; colours have the order of its channels."""
    canvas = Image.fromarray(like(img, np.uint8(0)))
    draw(ImageDraw.Draw(canvas), lambda color: tuple(map(int, np.atleast_1d(color)))[: img.ndim]
         if img.ndim == 3 else int(np.atleast_1d(color)[0]))  # fmt: skip
    img[...] = np.array(canvas)
    return img


def rectangle(img: Any, pt1: Any, pt2: Any, color: Any, thickness: int = 1,
              lineType: int = 8) -> Any:  # fmt: skip
    """Draw a rectangle; filled where the thickness is below 0."""
    box = (*map(min, pt1, pt2), *map(max, pt1, pt2))
    return _drawn(img, lambda draw, of: draw.rectangle(
        box, **({"fill": of(color)} if thickness < 0 else {"outline": of(color),
                                                           "width": thickness})))  # fmt: skip


def circle(img: Any, center: Any, radius: int, color: Any, thickness: int = 1,
           lineType: int = 8) -> Any:  # fmt: skip
    """Draw a circle; filled where the thickness is below 0."""
    (x, y), r = center, radius
    return _drawn(img, lambda draw, of: draw.ellipse(
        (x - r, y - r, x + r, y + r), **({"fill": of(color)} if thickness < 0 else
                                         {"outline": of(color), "width": thickness})))  # fmt: skip


def line(img: Any, pt1: Any, pt2: Any, color: Any, thickness: int = 1,
         lineType: int = 8) -> Any:  # fmt: skip
    """Draw a line."""
    return _drawn(img, lambda draw, of: draw.line((*pt1, *pt2), of(color), thickness))


def putText(img: Any, text: str, org: Any, fontFace: int, fontScale: float,
            color: Any, thickness: int = 1, lineType: int = 8,
            bottomLeftOrigin: bool = False) -> Any:  # fmt: skip
    """Draw a text whose lower left corner is at a place."""
    font = ImageFont.load_default(max(8, round(22 * fontScale)))
    return _drawn(img, lambda draw, of: draw.text(tuple(org), text, of(color), font, anchor="ls"))


def _nothing(*args: Any, **words: Any) -> int:
    """Show nothing: there is no screen."""
    return -1


def _absent(word: str) -> DialectError:
    return DialectError(word, "is not in the stand-in of cv2, which is not installed",
                        fix="pip install opencv-python", at=caller())  # fmt: skip


NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(imread, imdecode, imwrite, resize, cvtColor, flip, rotate, GaussianBlur, blur, threshold),
        *(copyMakeBorder, addWeighted, normalize, getRotationMatrix2D, warpAffine, applyColorMap),
        *(rectangle, circle, line, putText),
    )
} | {
    **CONSTANTS, **COLORMAPS, "__version__": "4.10.0", "error": ValueError,
    **{f"COLOR_{word}": word for word in (*CONVERSIONS, *CODES)}, "PSNR": ratio,
    **dict.fromkeys(("imshow", "waitKey", "destroyAllWindows", "namedWindow", "setNumThreads",
                     "destroyWindow", "moveWindow", "resizeWindow"), _nothing),
}  # fmt: skip
