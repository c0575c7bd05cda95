"""`keras.preprocessing.image`: pictures from files, and changed pictures without end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import caller
from ..table import DialectError
from . import image_batches, image_random
from .image_files import array_to_img, img_to_array, load_img, save_img
from .image_sources import Arrays, Files, Keeps, frame_of
from .image_warp import placed, warp
from .layouts import in_layout
from .sequence import Sequence as KerasSequence
from .session import LAYOUTS, KerasSession

Array = NDArray[Any]
FILLS = ("nearest", "constant", "reflect", "wrap")
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
        """Return where each pixel comes from; None where nothing moves."""
        moves = self._moves(height, width, rng)
        return placed(height, width, old=self.session.version.old, **moves)

    def _moves(self, height: int, width: int, rng: np.random.Generator) -> dict[str, float]:
        """Return an angle in degrees, shifts, a slant, and zooms."""
        theta = rng.uniform(-self.rotation, self.rotation) if self.rotation else 0.0
        tx, ty = [self._shift(one, side, rng) for one, side in zip(self.shifts, (height, width),
                                                                   strict=True)]  # fmt: skip
        shear = rng.uniform(-self.shear, self.shear) if self.shear else 0.0
        zoom = rng.uniform(self.zooms[0], self.zooms[1], 2) if self.zooms != (1, 1) else (1.0, 1.0)
        return {"theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zoom[0], "zy": zoom[1]}

    def get_random_transform(self, img_shape: Any, seed: Any = None) -> dict[str, Any]:
        """Return a change by chance, which `apply_transform` makes."""
        rng = np.random.default_rng(seed)
        high, wide = img_shape[1:] if self.layout == "channels_first" else img_shape[:2]
        bright = None if self.brightness is None else rng.uniform(*self.brightness)
        shift = rng.uniform(-self.channels, self.channels) if self.channels else None
        across, up = (one and bool(rng.random() < 0.5) for one in self.flips)
        return {**self._moves(high, wide, rng), "flip_horizontal": across, "flip_vertical": up,
                "channel_shift_intensity": shift, "brightness": bright}  # fmt: skip

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> Array:
        """Return a picture changed as a dictionary says."""
        told, out = transform_parameters, self._last(np.array(x, dtype="float32"))
        moves = {key: told[key] for key in ("theta", "tx", "ty", "shear", "zx", "zy")
                 if told.get(key) is not None}  # fmt: skip
        matrix = placed(*out.shape[:2], old=self.session.version.old, **moves)
        out = out if matrix is None else warp(out, matrix, self.fill, self.cval, self.order)
        if told.get("channel_shift_intensity") is not None:
            out = np.clip(out + told["channel_shift_intensity"], out.min(), out.max())
        out = out[:, ::-1] if told.get("flip_horizontal") else out
        out = out[::-1] if told.get("flip_vertical") else out
        if told.get("brightness") is not None:
            out = np.clip(out * told["brightness"], 0, 255)
        return self._first(out)

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
        return NumpyArrayIterator(self, Arrays(*arrays), batch_size, shuffle, seed, keeps)

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
        return DirectoryIterator(self, files, batch_size, shuffle, seed, keeps)

    def flow_from_dataframe(self, dataframe: Any, directory: Any = None, x_col: str = "filename",
                            y_col: Any = "class", weight_col: Any = None,
                            target_size: Any = (256, 256), color_mode: str = "rgb",
                            classes: Any = None, class_mode: Any = "categorical",
                            batch_size: int = 32, shuffle: bool = True, seed: Any = None,
                            save_to_dir: Any = None, save_prefix: str = "",
                            save_format: str = "png", subset: Any = None,
                            interpolation: str = "nearest", **words: Any) -> Pictures:  # fmt: skip
        """Return batches of the pictures that a table names."""
        files = frame_of(f"{self.session.version.title} flow_from_dataframe", dataframe, {
            **words, "directory": directory, "x_col": x_col, "y_col": y_col,
            "weight_col": weight_col, "target_size": target_size, "color_mode": color_mode,
            "classes": classes, "class_mode": class_mode, "interpolation": interpolation,
        })  # fmt: skip
        if files.invalid:
            self.session.note(
                f"flow_from_dataframe: {files.invalid} names of column {x_col!r} are no pictures"
            )
        files.choose(subset, self.split)
        print(files.told)  # noqa: T201
        keeps = Keeps(save_to_dir, save_prefix, save_format)
        return DataFrameIterator(self, files, batch_size, shuffle, seed, keeps)

    def _last(self, x: Array) -> Array:
        if self.layout != "channels_first":
            return x
        return np.moveaxis(x, -3, -1)

    def _first(self, x: Array) -> Array:
        return np.moveaxis(x, -1, -3) if self.layout == "channels_first" else x


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
        if self.owner.session.version.name == "keras0":  # one pass, which a script's loop ends with
            return (next(self) for _ in range(len(self)))
        return self


class NumpyArrayIterator(Pictures):
    """Batches of pictures in arrays."""


class DirectoryIterator(Pictures):
    """Batches of pictures in a folder."""


class DataFrameIterator(Pictures):
    """Batches of pictures that a table names."""


def in_order(session: KerasSession) -> dict[str, Any]:
    """Return what turns pictures into arrays and back, in the order of axes of the script."""
    several = (img_to_array, array_to_img, save_img)
    return {function.__name__: in_layout(session, function) for function in several}


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.preprocessing.image`."""
    made = type("ImageDataGenerator", (ImageDataGenerator,), {"session": session})
    return {
        "ImageDataGenerator": made, "load_img": load_img, **in_order(session),
        **image_batches.names(session),
        "NumpyArrayIterator": NumpyArrayIterator, "DirectoryIterator": DirectoryIterator,
        "DataFrameIterator": DataFrameIterator, **image_random.FUNCTIONS,
    }  # fmt: skip
