"""Layers of Keras 3 that change pictures: colours, sharpness, places; by chance, while training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..symbolic import tensor
from ..table import Row
from ..tensor_numpy import gaussian_blur
from . import tf_colors
from .session import KerasSession

GREY = (0.2989, 0.587, 0.114)
Change = Callable[[Any, Tensor], Tensor]
Made = dict[str, tuple[Row, Any]]


def _between(factor: Any, low: float = 0.0) -> tuple[float, float]:
    """Return the ends of what is drawn: two numbers, or from `low` to one."""
    return tuple(factor) if isinstance(factor, (tuple, list)) else (low, float(factor))


def _drawn(x: Tensor, factor: Any, low: float = 0.0) -> Tensor:
    """Return a number for each picture of a batch (N, rows, columns, channels)."""
    first, last = _between(factor, low)
    return torch.rand(len(x), 1, 1, 1, device=x.device) * (last - first) + first


def _mixed(a: Tensor, b: Tensor, part: Tensor) -> Tensor:
    """Return a where the part is 0, b where it is 1, and lines through both beyond."""
    return a + (b - a) * part


def _grey(x: Tensor) -> Tensor:
    shares = x.new_tensor(GREY)
    return (x * shares).sum(-1, keepdim=True).expand_as(x)


def _sometimes(x: Tensor, changed: Tensor, share: float) -> Tensor:
    return torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < share, changed, x)


def _hue(self: Any, x: Tensor) -> Tensor:
    high = self.high
    turned: Tensor = tf_colors.rgb_to_hsv(x / high)
    hue = (turned[..., :1] + _drawn(x, self.factor) * self.sign(x) * 0.5) % 1.0
    return tf_colors.hsv_to_rgb(torch.cat([hue, turned[..., 1:]], -1)) * high


def _saturation(self: Any, x: Tensor) -> Tensor:
    share = _drawn(x, self.factor)
    return _mixed(_grey(x), x, share / (1 - share + 1e-7)).clamp(0, self.high)


def _degenerated(self: Any, x: Tensor) -> Tensor:
    return _mixed(x, _grey(x), _drawn(x, self.factor))


def _sharpness(self: Any, x: Tensor) -> Tensor:
    kernel = x.new_tensor(((1, 1, 1), (1, 5, 1), (1, 1, 1))) / 13
    channels = x.movedim(-1, 1)
    weight = kernel.expand(channels.shape[1], 1, 3, 3)
    inside = functional.conv2d(channels, weight, groups=channels.shape[1])
    smooth = channels.clone()
    smooth[:, :, 1:-1, 1:-1] = inside
    return _mixed(smooth.movedim(1, -1), x, _drawn(x, self.factor) * 2).clamp(0, self.high)


def _posterized(self: Any, x: Tensor) -> Tensor:
    step = 2.0 ** (8 - int(_between(self.factor)[1]))
    return ((x * (255 / self.high)) / step).floor() * step * (self.high / 255)


def _solarized(self: Any, x: Tensor) -> Tensor:
    more = _drawn(x, self.words["addition_factor"]) * self.high
    limit = self.high - _drawn(x, self.words["threshold_factor"]) * self.high
    shifted = (x + more).clamp(0, self.high)
    return torch.where(shifted < limit, shifted, self.high - shifted)


def _stretched(self: Any, x: Tensor) -> Tensor:
    low, high = x.amin((1, 2), keepdim=True), x.amax((1, 2), keepdim=True)
    return torch.where(high > low, (x - low) / (high - low).clamp(min=1e-7) * self.high, x)


def _equalized(self: Any, x: Tensor) -> Tensor:
    flat = (x * (255 / self.high)).clamp(0, 255).round().long().movedim(-1, 1).flatten(2)
    counts = functional.one_hot(flat, 256).sum(2).cumsum(-1)
    first = counts.masked_fill(counts == 0, int(flat.shape[-1])).amin(-1, keepdim=True)
    table = (counts - first).clamp(min=0) * 255 // (flat.shape[-1] - first).clamp(min=1)
    out = table.gather(-1, flat).unflatten(2, x.shape[1:3]).movedim(1, -1)
    return out.to(x.dtype) * (self.high / 255)


def _blurred(self: Any, x: Tensor) -> Tensor:
    low, high = _between(self.words["sigma"])
    size = self.words["kernel_size"]
    sides = (size, size) if isinstance(size, int) else tuple(size)
    spread = max(low + (high - low) * float(torch.rand(())), 1e-3)
    return _sometimes(x, gaussian_blur(x, sides, (spread, spread)), _between(self.factor)[1])


def _erased(self: Any, x: Tensor) -> Tensor:
    rows, columns = x.shape[1:3]
    share = _drawn(x, self.words["scale"]).sqrt()
    places = [torch.rand(len(x), 1, 1, 1) * (1 - share) for _ in range(2)]
    y = torch.linspace(0, 1, rows).reshape(1, -1, 1, 1)
    z = torch.linspace(0, 1, columns).reshape(1, 1, -1, 1)
    inside = (y >= places[0]) & (y < places[0] + share) & (z >= places[1]) & (z < places[1] + share)
    fill = self.words["fill_value"]
    new = torch.rand_like(x) * self.high if fill is None else torch.full_like(x, float(fill))
    chosen = torch.rand(len(x), 1, 1, 1) < _between(self.factor)[1]
    return torch.where(inside & chosen, new, x)


def _sheared(self: Any, x: Tensor) -> Tensor:
    count = len(x)
    moved = torch.eye(2, 3).repeat(count, 1, 1)
    for axis, word in enumerate(("x_factor", "y_factor")):
        low, high = _between(self.words.get(word, 0.0))
        moved[:, axis, 1 - axis] = torch.rand(count) * (high - low) + low
    channels = x.movedim(-1, 1)
    grid = functional.affine_grid(moved, list(channels.shape), align_corners=False)
    out = functional.grid_sample(channels, grid, padding_mode="reflection", align_corners=False)
    return out.movedim(1, -1)


def _inverted(self: Any, x: Tensor) -> Tensor:
    return _sometimes(x, self.high - x, _between(self.factor)[1])


def _greyed(self: Any, x: Tensor) -> Tensor:
    return _sometimes(x, _grey(x), _between(self.factor)[1])


# name: the change, the factor where none is given, further arguments in their order
CHANGES: dict[str, tuple[Change, Any, tuple[str, ...]]] = {
    "RandomHue": (_hue, 0.5, ()), "RandomSaturation": (_saturation, 0.5, ()),
    "RandomColorDegeneration": (_degenerated, 0.5, ()), "RandomSharpness": (_sharpness, 0.5, ()),
    "RandomPosterization": (_posterized, 4, ()), "RandomInvert": (_inverted, 1.0, ()),
    "RandomGrayscale": (_greyed, 0.5, ()),
    "RandomGaussianBlur": (_blurred, 1.0, ("kernel_size", "sigma")),
    "RandomErasing": (_erased, 1.0, ("scale", "fill_value")),
    "RandomShear": (_sheared, 0.0, ("x_factor", "y_factor")),
    "Solarization": (_solarized, 0.0, ("addition_factor", "threshold_factor")),
    "AutoContrast": (_stretched, 0.0, ()), "Equalization": (_equalized, 0.0, ()),
}  # fmt: skip
ALWAYS = ("AutoContrast", "Equalization", "Solarization")  # also where nothing trains
NO_FACTOR = (*ALWAYS, "RandomShear")


def rows(session: KerasSession, base: Any) -> Made:
    """Return rows and classes by the names that a script knows them by."""

    class Changed(base):  # type: ignore[misc]
        """Pictures, changed."""

        change: Change
        start: Any = 0.0
        always = False

        def __init__(self, factor: Any = None, value_range: Any = (0, 255),
                     data_format: Any = None, scale: Any = (0.02, 0.33), fill_value: Any = None,
                     kernel_size: Any = 3, sigma: Any = 1.0, x_factor: Any = 0.0,
                     y_factor: Any = 0.0, addition_factor: Any = 0.0,
                     threshold_factor: Any = 0.0) -> None:  # fmt: skip
            base.__init__(self)
            self.factor = self.start if factor is None else factor
            self.high = float(value_range[1])
            self.words = {
                "scale": scale, "fill_value": fill_value, "kernel_size": kernel_size,
                "sigma": sigma, "x_factor": x_factor, "y_factor": y_factor,
                "addition_factor": addition_factor, "threshold_factor": threshold_factor,
            }  # fmt: skip
            self.first = (data_format or session.layout) == "channels_first"

        def sign(self, x: Tensor) -> Tensor:
            """Return 1 or -1 for each picture."""
            return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, 1.0, -1.0)

        def call(self, inputs: Any, training: Any = None) -> Any:
            """Change each picture while training."""
            if not (training or self.always):
                return inputs
            x = tensor(inputs).float()
            x, one = (x[None], True) if x.dim() == 3 else (x, False)
            out = type(self).change(self, x.movedim(1, -1) if self.first else x)
            out = out.movedim(-1, 1) if self.first else out
            return out[0] if one else out

    made: Made = {}
    for name, (change, start, words) in CHANGES.items():
        body = {"change": staticmethod(change), "start": start, "always": name in ALWAYS,
                "__doc__": change.__name__.strip("_")}  # fmt: skip
        order = words if name in NO_FACTOR else ("factor", *words)
        row = Row(name, (name,), order, dropped=("seed", "interpolation", "fill_mode"))
        made[name] = (row, type(name, (Changed,), body))
    return made
