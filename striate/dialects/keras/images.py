"""`keras.preprocessing.image`: pictures from files, and changed pictures without end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import caller
from ..table import DialectError
from .sequence import Sequence as KerasSequence
from .session import LAYOUTS, KerasSession

Array = NDArray[Any]
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff", ".gif", ".webp")
MODES = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}
METHODS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
FILLS = ("nearest", "constant", "reflect", "wrap")


def load_img(path: Any, grayscale: bool = False, color_mode: str = "rgb", target_size: Any = None,
             interpolation: str = "nearest", **words: Any) -> Image.Image:  # fmt: skip
    """Return the picture of a file; `target_size` is (height, width)."""
    image = Image.open(path).convert("L" if grayscale else MODES[color_mode])
    if target_size is not None and image.size != (target_size[1], target_size[0]):
        image = image.resize((target_size[1], target_size[0]), METHODS[interpolation])
    return image


def img_to_array(img: Any, data_format: Any = None, dim_ordering: Any = None,
                 dtype: Any = "float32") -> Array:  # fmt: skip
    """Return a picture as (height, width, channels), or channels first."""
    array = np.asarray(img, dtype=dtype)
    array = array[..., None] if array.ndim == 2 else array
    layout = LAYOUTS.get(dim_ordering or "", data_format)
    return array.transpose(2, 0, 1) if layout == "channels_first" else array


def array_to_img(x: Any, data_format: Any = None, scale: bool = True, dim_ordering: Any = None,
                 dtype: Any = None) -> Image.Image:  # fmt: skip
    """Return (height, width, channels) as a picture; `scale` spreads the values over 0 to 255."""
    array = np.asarray(x, dtype="float32")
    first = LAYOUTS.get(dim_ordering or "", data_format) == "channels_first"
    array = array.transpose(1, 2, 0) if first else array
    if scale:
        array = array - min(array.min(), 0) if array.min() < 0 else array
        high = array.max()
        array = array / high * 255 if high else array
    pixels = array.astype("uint8")
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def save_img(path: Any, x: Any, data_format: Any = None, file_format: Any = None,
             scale: bool = True, **words: Any) -> None:  # fmt: skip
    """Write an array as a picture."""
    array_to_img(x, data_format, scale).save(path, format=file_format)


CLASS_MODES = ("categorical", "binary", "sparse", "input", None)


class ImageDataGenerator:
    """Changes pictures by chance, and gives them in batches."""

    session: KerasSession

    def __init__(
        self, featurewise_center: bool = False, samplewise_center: bool = False,
        featurewise_std_normalization: bool = False, samplewise_std_normalization: bool = False,
        zca_whitening: bool = False, zca_epsilon: float = 1e-6, rotation_range: float = 0,
        width_shift_range: Any = 0.0, height_shift_range: Any = 0.0, brightness_range: Any = None,
        shear_range: float = 0.0, zoom_range: Any = 0.0, channel_shift_range: float = 0.0,
        fill_mode: str = "nearest", cval: float = 0.0, horizontal_flip: bool = False,
        vertical_flip: bool = False, rescale: float | None = None,
        preprocessing_function: Any = None, data_format: Any = None,
        validation_split: float = 0.0, dim_ordering: Any = None, interpolation_order: int = 1,
        dtype: Any = "float32",
    ) -> None:  # fmt: skip
        layout = data_format or LAYOUTS.get(dim_ordering or "", dim_ordering)
        self.layout = layout if layout and layout != "default" else self.session.layout
        self.center, self.scale = featurewise_center, featurewise_std_normalization
        self.center_each, self.scale_each = samplewise_center, samplewise_std_normalization
        self.whitens, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation, self.shear = rotation_range, shear_range
        self.shifts = (height_shift_range, width_shift_range)
        zooms = zoom_range
        self.zooms = (1 - zooms, 1 + zooms) if isinstance(zooms, (int, float)) else tuple(zooms)
        self.brightness, self.channels = brightness_range, channel_shift_range
        self.fill, self.cval, self.order = fill_mode, cval, interpolation_order
        self.flips = (horizontal_flip, vertical_flip)
        self.rescale, self.prepare = rescale, preprocessing_function
        self.split = validation_split
        self.mean: Any = None
        self.std: Any = None
        self.principal_components: Any = None
        if fill_mode not in FILLS:
            raise DialectError(
                f"{self.session.version.title} ImageDataGenerator",
                f"there is no fill_mode {fill_mode!r}",
                need="one of " + ", ".join(FILLS),
                fix='fill_mode="nearest"',
                at=caller(),
            )

    # ---- what is learned of the data -------------------------------------------------------------

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: Any = None) -> None:
        """Compute the means that featurewise settings need."""
        data = self._last(np.array(x, dtype="float32"))
        rng = np.random.default_rng(seed)
        if augment:
            data = np.stack([self._changed(one, rng) for _ in range(rounds) for one in data])
        if self.center:
            self.mean = self._first(data.mean((0, 1, 2))[None, None])
            data = data - self._last(self.mean)
        if self.scale:
            self.std = self._first(data.std((0, 1, 2))[None, None])
            data = data / (self._last(self.std) + 1e-7)
        if self.whitens:
            flat = data.reshape(len(data), -1)
            sigma = flat.T @ flat / len(flat)
            u, s, _ = np.linalg.svd(sigma)
            self.principal_components = (u / np.sqrt(s + self.zca_epsilon)) @ u.T

    def standardize(self, x: Any) -> Array:
        """Return a picture after the settings that are no chance."""
        return self._first(self._standard(self._last(np.array(x, dtype="float32"))))

    def _standard(self, x: Array) -> Array:
        x = self._last(np.asarray(self.prepare(self._first(x)))) if self.prepare else x
        x = x * self.rescale if self.rescale else x
        x = x - x.mean() if self.center_each else x
        x = x / (x.std() + 1e-7) if self.scale_each else x
        if (self.center and self.mean is None) or (self.scale and self.std is None):
            self.session.note("ImageDataGenerator: fit it on the pictures for featurewise settings")
        mean, std = map(self._broadcast, (self.mean, self.std))
        x = x - mean if self.center and mean is not None else x
        x = x / (std + 1e-7) if self.scale and std is not None else x
        if self.principal_components is not None:
            x = (x.reshape(-1) @ self.principal_components).reshape(x.shape)
        return x

    def _broadcast(self, value: Any) -> Any:
        """Return what a script may have set itself, of each channel or each pixel."""
        return self._last(value) if np.ndim(value) == 3 else value

    # ---- chance ----------------------------------------------------------------------------------

    def random_transform(self, x: Any, seed: Any = None) -> Array:
        """Return a picture changed by chance."""
        rng = np.random.default_rng(seed)
        return self._first(self._changed(self._last(np.array(x, dtype="float32")), rng))

    def _changed(self, x: Array, rng: np.random.Generator) -> Array:
        matrix = self._matrix(x.shape[0], x.shape[1], rng)
        if matrix is not None:
            x = warp(x, matrix, self.fill, self.cval, self.order)
        if self.channels:
            low, high = x.min(), x.max()
            x = np.clip(x + rng.uniform(-self.channels, self.channels, x.shape[-1]), low, high)
        if self.flips[0] and rng.random() < 0.5:
            x = x[:, ::-1]
        if self.flips[1] and rng.random() < 0.5:
            x = x[::-1]
        if self.brightness is not None:
            x = np.clip(x * rng.uniform(*self.brightness), 0, 255)
        return x

    def _matrix(self, height: int, width: int, rng: np.random.Generator) -> Any:
        """Return where each pixel comes from, about the middle; None where nothing moves."""
        theta = np.deg2rad(rng.uniform(-self.rotation, self.rotation)) if self.rotation else 0.0
        shift = [self._shift(one, side, rng) for one, side in zip(self.shifts, (height, width),
                                                                  strict=True)]  # fmt: skip
        shear = rng.uniform(-self.shear, self.shear) if self.shear else 0.0
        shear = np.deg2rad(shear) if not self.session.version.old else shear
        zoom = rng.uniform(self.zooms[0], self.zooms[1], 2) if self.zooms != (1, 1) else (1.0, 1.0)
        if not (theta or any(shift) or shear or tuple(zoom) != (1.0, 1.0)):
            return None
        cos, sin = math.cos(theta), math.sin(theta)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        move = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]])
        slant = np.array([[1, -math.sin(shear), 0], [0, math.cos(shear), 0], [0, 0, 1]])
        size = np.diag([*zoom, 1.0])
        middle = np.array([[1, 0, height / 2 - 0.5], [0, 1, width / 2 - 0.5], [0, 0, 1]])
        return middle @ turn @ move @ slant @ size @ np.linalg.inv(middle)

    def _shift(self, given: Any, side: int, rng: np.random.Generator) -> float:
        """Return a shift in pixels: of a part of the side, of pixels, or one of several."""
        if isinstance(given, (list, tuple)):
            return float(rng.choice(given)) * float(rng.choice((-1, 1)))
        if not given:
            return 0.0
        part = given < 1 or self.session.version.old
        return float(rng.uniform(-given, given) * (side if part else 1))

    # ---- batches ---------------------------------------------------------------------------------

    def flow(self, x: Any, y: Any = None, batch_size: int = 32, shuffle: bool = True,
             sample_weight: Any = None, seed: Any = None, save_to_dir: Any = None,
             save_prefix: str = "", save_format: str = "png", subset: Any = None,
             **words: Any) -> Pictures:  # fmt: skip
        """Return batches of arrays without end."""
        x = np.asarray(x)
        cut = int(len(x) * self.split)
        part = {"validation": slice(0, cut), "training": slice(cut, None)}.get(subset, slice(None))
        arrays = (x[part], None if y is None else np.asarray(y)[part],
                  None if sample_weight is None else np.asarray(sample_weight)[part])  # fmt: skip
        keeps = Keeps(save_to_dir, save_prefix, save_format)
        return Pictures(self, Arrays(*arrays), batch_size, shuffle, seed, keeps)

    def flow_from_directory(self, directory: Any, target_size: Any = (256, 256),
                            color_mode: str = "rgb", classes: Any = None,
                            class_mode: Any = "categorical", batch_size: int = 32,
                            shuffle: bool = True, seed: Any = None, save_to_dir: Any = None,
                            save_prefix: str = "", save_format: str = "png",
                            follow_links: bool = False, subset: Any = None,
                            interpolation: str = "nearest", **words: Any) -> Pictures:  # fmt: skip
        """Return batches of the pictures in the folders of a folder, one for each class."""
        if class_mode not in CLASS_MODES:
            raise DialectError(
                f"{self.session.version.title} flow_from_directory",
                f"there is no class_mode {class_mode!r}",
                need="one of " + ", ".join(map(repr, CLASS_MODES)),
                fix='class_mode="categorical", which goes with categorical_crossentropy',
                at=caller(),
            )
        files = Files(Path(directory), target_size, color_mode, classes, class_mode, interpolation)
        files.choose(subset, self.split)
        print(f"Found {len(files)} images belonging to {len(files.class_indices)} classes.")  # noqa: T201
        keeps = Keeps(save_to_dir, save_prefix, save_format)
        return Pictures(self, files, batch_size, shuffle, seed, keeps)

    def _last(self, x: Array) -> Array:
        if self.layout != "channels_first":
            return x
        return np.moveaxis(x, -3, -1)

    def _first(self, x: Array) -> Array:
        return np.moveaxis(x, -1, -3) if self.layout == "channels_first" else x


class Arrays:
    """Pictures that are in memory."""

    def __init__(self, x: Array, y: Any, weight: Any) -> None:
        self.x, self.y, self.weight = x, y, weight

    def __len__(self) -> int:
        return len(self.x)

    def picture(self, index: int) -> Array:
        """Return a picture as it is."""
        return np.array(self.x[index], dtype="float32")

    def labels(self, places: Array) -> Any:
        """Return the labels at these places, None where there are none."""
        return None if self.y is None else self.y[places]

    def weights(self, places: Array) -> Any:
        """Return the weights at these places, None where there are none."""
        return None if self.weight is None else self.weight[places]


class Files:
    """Pictures in the folders of a folder."""

    def __init__(self, root: Path, size: Any, mode: str, classes: Any, labels: Any, method: str):
        inside = sorted(path.name for path in root.iterdir() if path.is_dir())
        folders = inside if classes is None else list(classes)
        self.root, self.size, self.mode, self.kind, self.method = root, size, mode, labels, method
        self.class_indices = {name: number for number, name in enumerate(folders)}
        found = [
            (path.relative_to(root).as_posix(), number)
            for name, number in self.class_indices.items()
            for path in sorted((root / name).rglob("*"))
            if path.suffix.lower() in SUFFIXES
        ]
        self.filenames = [name for name, _ in found]
        self.classes = np.array([number for _, number in found], dtype="int32")

    def choose(self, subset: Any, split: float) -> None:
        """Keep the part of each class that is for training, or for validation."""
        if subset is None:
            return
        keep: list[int] = []
        for number in self.class_indices.values():
            places = np.flatnonzero(self.classes == number)
            cut = int(len(places) * split)
            keep += list(places[:cut] if subset == "validation" else places[cut:])
        self.filenames = [self.filenames[index] for index in keep]
        self.classes = self.classes[keep]

    def __len__(self) -> int:
        return len(self.filenames)

    def picture(self, index: int) -> Array:
        """Read a picture."""
        image = load_img(
            self.root / self.filenames[index], False, self.mode, self.size, self.method
        )
        return img_to_array(image)

    def labels(self, places: Array) -> Any:
        """Return the labels in the form that was asked for."""
        numbers = self.classes[places]
        if self.kind == "categorical":
            return np.eye(len(self.class_indices), dtype="float32")[numbers]
        if self.kind == "binary":
            return numbers.astype("float32")
        return numbers if self.kind == "sparse" else None

    def weights(self, places: Array) -> Any:
        """Return no weights."""
        return None


class Keeps:
    """Where changed pictures are also written, if asked for."""

    def __init__(self, folder: Any, prefix: str, suffix: str) -> None:
        self.folder, self.prefix, self.suffix = folder, prefix, suffix
        self.written = 0

    def write(self, batch: Array, layout: str) -> None:
        """Write a batch."""
        if self.folder is None:
            return
        for one in batch:
            name = f"{self.prefix}_{self.written}_{id(self) % 10000}.{self.suffix}"
            array_to_img(one, layout).save(Path(self.folder) / name)
            self.written += 1


class Pictures(KerasSequence):
    """Batches of changed pictures, without end; as long as one pass over the pictures."""

    def __init__(self, owner: ImageDataGenerator, source: Any, batch_size: int, shuffle: bool,
                 seed: Any, keeps: Keeps) -> None:  # fmt: skip
        self.owner, self.source, self.shuffle, self.keeps = owner, source, shuffle, keeps
        self.batch_size, self.n, self.samples = batch_size, len(source), len(source)
        self.rng = np.random.default_rng(seed if seed is not None else np.random.randint(2**31))  # noqa: NPY002
        self.order = self._drawn()
        self.at = 0
        for word in ("class_indices", "classes", "filenames"):
            if hasattr(source, word):
                setattr(self, word, getattr(source, word))
        self.num_classes = len(getattr(source, "class_indices", ()))
        self.nb_sample, self.nb_class = self.n, self.num_classes

    def _drawn(self) -> Array:
        return self.rng.permutation(self.n) if self.shuffle else np.arange(self.n)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of a picture."""
        return tuple(self[0][0].shape[1:] if isinstance(self[0], tuple) else self[0].shape[1:])

    def reset(self) -> None:
        """Begin again."""
        self.at = 0

    def on_epoch_end(self) -> None:
        """Draw another order."""
        self.order = self._drawn()

    def __len__(self) -> int:
        return math.ceil(self.n / self.batch_size)

    def __getitem__(self, index: int) -> Any:
        places = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        owner = self.owner
        files = isinstance(self.source, Files)
        pictures = []
        for place in places:
            x = self.source.picture(place)
            x = x if files else owner._last(x)
            pictures.append(owner._first(owner._standard(owner._changed(x, self.rng))))
        batch = np.stack(pictures).astype("float32")
        self.keeps.write(batch, owner.layout)
        labels, weights = self.source.labels(places), self.source.weights(places)
        labels = batch.copy() if getattr(self.source, "kind", "") == "input" else labels
        if labels is None:
            return batch
        return (batch, labels) if weights is None else (batch, labels, weights)

    def __next__(self) -> Any:
        batch = self[self.at]
        self.at += 1
        if self.at >= len(self):
            self.at = 0
            self.on_epoch_end()
        return batch

    next = __next__

    def __iter__(self) -> Iterator[Any]:
        return self


def warp(x: Array, matrix: Array, fill: str, cval: float, order: int) -> Array:
    """Return (height, width, channels) with each pixel taken from where `matrix` says.

    `order` 0 takes the nearest pixel, 1 mixes the four around; `fill` says what is outside.
    """
    height, width = x.shape[:2]
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    points = matrix[:2, :2] @ np.stack([rows.ravel(), columns.ravel()]) + matrix[:2, 2:]
    if order == 0:
        return _taken(x, np.rint(points).astype(int), fill, cval).reshape(x.shape)
    low = np.floor(points).astype(int)
    part = (points - low)[..., None]
    out = np.zeros((height * width, x.shape[2]))
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = (part[0] if down else 1 - part[0]) * (part[1] if right else 1 - part[1])
        out += share * _taken(x, low + np.array([[down], [right]]), fill, cval)
    return out.reshape(x.shape).astype("float32")


def _taken(x: Array, places: Array, fill: str, cval: float) -> Array:
    """Return the pixels at whole places."""
    sizes = x.shape[:2]
    inside = np.logical_and.reduce([(p >= 0) & (p < n) for p, n in zip(places, sizes, strict=True)])
    moved = []
    for place, size in zip(places, sizes, strict=True):
        if fill == "reflect":
            place = np.mod(place, 2 * size)
            place = np.where(place < size, place, 2 * size - 1 - place)
        elif fill == "wrap":
            place = np.mod(place, size)
        moved.append(np.clip(place, 0, size - 1))
    taken: Array = x[moved[0], moved[1]]
    return np.where(inside[:, None], taken, cval) if fill == "constant" else taken


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.preprocessing.image`."""
    made = type("ImageDataGenerator", (ImageDataGenerator,), {"session": session})
    return {
        "ImageDataGenerator": made, "load_img": load_img, "img_to_array": img_to_array,
        "array_to_img": array_to_img, "save_img": save_img, "Iterator": Pictures,
        "NumpyArrayIterator": Pictures, "DirectoryIterator": Pictures,
    }  # fmt: skip
