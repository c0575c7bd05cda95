"""Functions of arrays in the words of NumPy, as `keras.ops` has them, on tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .symbolic import kind, tensor
from .tensor_math import floating

Function = Callable[..., Any]


def _of_one(function: Function) -> Function:
    def call(x: Any, *args: Any, **words: Any) -> Any:
        return function(tensor(x), *args, **words)

    return call


def _of_reals(function: Function) -> Function:
    def call(x: Any, *args: Any, **words: Any) -> Any:
        return function(floating(x), *args, **words)

    return call


def _alike(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    a, b = tensor(x1), tensor(x2)
    return a.expand_as(a + b), b.expand_as(a + b)


def _of_two(function: Function) -> Function:
    def call(x1: Any, x2: Any) -> Any:
        return function(*_alike(x1, x2))

    return call


def _along(function: Function) -> Function:
    """Return a function that reduces axes, all of them where none is said."""

    def call(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = floating(x)
        axes = tuple(range(x.dim())) if axis is None else axis
        return function(x, dim=axes, keepdim=keepdims)

    return call


def _among(name: str) -> Function:
    """Return what gives the value that a part of the others lies under."""
    take = torch.nanquantile if name.startswith("nan") else torch.quantile

    def call(x: Any, q: Any, axis: Any = None, method: str = "linear",
             keepdims: bool = False) -> Any:  # fmt: skip
        shares = floating(q) / (100 if name.endswith("percentile") else 1)
        return take(floating(x), shares, dim=axis, keepdim=keepdims, interpolation=method)

    return call


def _window(function: Function) -> Function:
    def call(x: Any, *args: Any) -> Any:
        return function(int(x), *args, periodic=False)

    return call


def diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    """Return the differences of neighbours."""
    return torch.diff(tensor(a), n, axis)


def cross(x1: Any, x2: Any, axis: int = -1, **words: Any) -> Tensor:
    """Return the vectors that stand upright on both."""
    a, b = _alike(x1, x2)
    return torch.cross(a, b, dim=axis)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8,
            equal_nan: bool = False) -> Tensor:  # fmt: skip
    """Return where values are nearly the same."""
    return torch.isclose(floating(x1), floating(x2), rtol, atol, equal_nan)


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8,
             equal_nan: bool = False) -> bool:  # fmt: skip
    """Return whether all values are nearly the same."""
    return bool(isclose(x1, x2, rtol, atol, equal_nan).all())


def bincount(x: Any, weights: Any = None, minlength: int = 0, **words: Any) -> Tensor:
    """Return how often each number is there."""
    given = None if weights is None else tensor(weights)
    x = tensor(x).long()
    if x.dim() < 2:
        return torch.bincount(x, given, minlength)
    most = max(int(x.max()) + 1, minlength)
    rows = [torch.bincount(one, minlength=most) for one in x.reshape(-1, x.shape[-1])]
    return torch.stack(rows).reshape(*x.shape[:-1], most)


def digitize(x: Any, bins: Any) -> Tensor:
    """Return the number of the part between borders that each value is in."""
    return torch.bucketize(floating(x), floating(bins), right=True).int()


def histogram(x: Any, bins: int = 10, range: Any = None) -> tuple[Tensor, Tensor]:
    """Return counts, and the borders between them."""
    made = torch.histogram(floating(x).reshape(-1).cpu(), bins, range=range)
    return made.hist.int(), made.bin_edges


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Return parts of sizes as near as they can be."""
    return list(torch.tensor_split(tensor(x), indices_or_sections, axis))


def inner(x1: Any, x2: Any) -> Tensor:
    """Return the products over the last axes."""
    return torch.inner(tensor(x1), tensor(x2))


def tri(N: int, M: Any = None, k: int = 0, dtype: Any = "float32") -> Tensor:  # noqa: N803
    """Return ones in and under a diagonal."""
    return torch.ones(N, N if M is None else M, dtype=kind(dtype)).tril(k)


def logspace(start: float, stop: float, num: int = 50, endpoint: bool = True,
             base: float = 10.0, **words: Any) -> Tensor:  # fmt: skip
    """Return powers in equal steps of the exponent."""
    return torch.logspace(start, stop, num, base)


def geomspace(start: float, stop: float, num: int = 50, endpoint: bool = True,
              **words: Any) -> Tensor:  # fmt: skip
    """Return numbers in equal ratios."""
    parts = torch.arange(num) / max(num - 1 if endpoint else num, 1)
    return start * (stop / start) ** parts


def kaiser(x: Any, beta: float) -> Tensor:
    """Return a window whose form is between that of a rectangle and of a bell."""
    return torch.kaiser_window(int(x), periodic=False, beta=float(beta))


def vectorize(pyfunc: Function, **words: Any) -> Function:
    """Return a function of numbers as one of tensors."""

    def call(*args: Any) -> Tensor:
        several: Any = torch.broadcast_tensors(*map(tensor, args))  # type: ignore[no-untyped-call]
        flat = zip(*(one.flatten() for one in several), strict=True)
        return torch.stack([tensor(pyfunc(*one)) for one in flat]).reshape(several[0].shape)

    return call


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Tensor:
    """Return the sums of products of a row and another that moves along it."""
    a, b = floating(x1), floating(x2)
    less = min(len(a), len(b)) - 1
    long, short = (a, b) if len(a) >= len(b) else (b, a)
    full = torch.nn.functional.conv1d(long[None, None], short[None, None], padding=less).flatten()
    full = full if long is a else full.flip(0)
    size = {"full": len(full), "same": len(long), "valid": len(long) - less}[mode]
    begin = (len(full) - size) // 2
    return full[begin : begin + size]


def isin(x1: Any, x2: Any, **words: Any) -> Tensor:
    """Return where values are among others."""
    return torch.isin(tensor(x1), tensor(x2))


def segment(how: str) -> Function:
    """Return what takes together the rows that have the same number."""

    def call(data: Any, segment_ids: Any, num_segments: Any = None, **words: Any) -> Tensor:
        rows, numbers = floating(data), tensor(segment_ids).long()
        count = int(numbers.max()) + 1 if num_segments is None else int(num_segments)
        empty = {"amax": -math.inf, "amin": math.inf, "prod": 1.0, "mean": 0.0}[how]
        out = rows.new_full((count, *rows.shape[1:]), empty)
        places = numbers.reshape(-1, *(1,) * (rows.dim() - 1)).expand_as(rows)
        return out.scatter_reduce(0, places, rows, how, include_self=how != "mean")

    return call


def glu(x: Any, axis: int = -1) -> Tensor:
    """Return the first half times the sigmoid of the second."""
    return functional.glu(floating(x), axis)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """Return x where it is above a threshold, else one value."""
    return functional.threshold(floating(x), threshold, default_value)


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """Return the nearest probabilities, of which many are 0.

    Source: Martins and Astudillo 2016, "From softmax to sparsemax".
    """
    values = floating(x).movedim(axis, -1)
    ordered = values.sort(-1, descending=True).values
    sums = ordered.cumsum(-1)
    ranks = torch.arange(1, values.shape[-1] + 1, device=values.device)
    count = (1 + ranks * ordered > sums).sum(-1, keepdim=True)
    level = (sums.gather(-1, count - 1) - 1) / count
    return (values - level).relu().movedim(-1, axis)


def psnr(x1: Any, x2: Any, max_val: float) -> Tensor:
    """Return 20 log10(max) - 10 log10 of the mean square of the difference."""
    error: Tensor = (floating(x1) - floating(x2)).square().mean()
    return -10 * error.log10() + 20 * math.log10(max_val)


def rms_normalization(x: Any, scale: Any = 1, axis: Any = -1, epsilon: Any = None) -> Tensor:
    """Return x divided by the root of its mean square."""
    x = floating(x)
    size: Tensor = x.square().mean(axis, keepdim=True) + (epsilon or 1e-7)
    out: Tensor = x * size.rsqrt() * tensor(scale)
    return out


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
           stride: Any = 1) -> Tensor:  # fmt: skip
    """Return the windows of images, each as a column."""
    return functional.unfold(floating(x), kernel_size, dilation, padding, stride)


def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
         stride: Any = 1) -> Tensor:  # fmt: skip
    """Return images whose windows are columns, added where they meet."""
    return functional.fold(floating(x), output_size, kernel_size, dilation, padding, stride)


def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Return the coordinates of places in an array whose values are counted row by row."""
    return torch.unravel_index(tensor(indices).long(), tuple(shape))


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """Return x of a x = b, where a is a triangle."""
    right = floating(b)
    columns = right if right.dim() > 1 else right[:, None]
    made: Tensor = torch.linalg.solve_triangular(floating(a), columns, upper=not lower)
    return made if right.dim() > 1 else made[:, 0]


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return the parts u, s, v of a matrix, or s alone."""
    if not compute_uv:
        return torch.linalg.svdvals(floating(x))
    return tuple(torch.linalg.svd(floating(x), full_matrices))


def gaussian_blur(images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0),
                  data_format: Any = None) -> Tensor:  # fmt: skip
    """Return images, each channel smoothed by a bell."""
    x = floating(images)
    last = data_format != "channels_first"
    x = x.movedim(-1, -3) if last else x
    rows, columns = (_bell(int(side), float(s)) for side, s in zip(kernel_size, sigma, strict=True))
    sides = (len(columns) // 2, (len(columns) - 1) // 2, len(rows) // 2, (len(rows) - 1) // 2)
    flat = functional.pad(x.reshape(-1, 1, *x.shape[-2:]), sides)
    out = functional.conv2d(flat, (rows[:, None] * columns)[None, None]).reshape(x.shape)
    return out.movedim(-3, -1) if last else out


def _bell(side: int, sigma: float) -> Tensor:
    places = torch.arange(side) - (side - 1) / 2
    made = (-(places**2) / (2 * sigma**2)).exp()
    return made / made.sum()


def _nanvar(x: Tensor, dim: Any, keepdim: bool) -> Tensor:
    far = x - torch.nanmean(x, dim=dim, keepdim=True)
    return torch.nanmean(far.square(), dim=dim, keepdim=keepdim)


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """Return the area under a line through points."""
    given: dict[str, Any] = {"dx": dx} if x is None else {"x": floating(x)}
    return torch.trapezoid(floating(y), **given, dim=axis)


ONE: Mapping[str, Function] = {
    "angle": torch.angle, "argpartition": lambda x, kth, axis=-1: torch.argsort(x, axis),
    "bitwise_invert": torch.bitwise_not, "bitwise_not": torch.bitwise_not,
    "conjugate": torch.conj, "corrcoef": lambda x: torch.corrcoef(x.float()),
    "diagflat": torch.diagflat, "empty_like": torch.zeros_like, "fabs": lambda x: x.float().abs(),
    "fliplr": torch.fliplr, "flipud": torch.flipud, "get_item": lambda x, key: x[key],
    "imag": lambda x: x.imag if x.is_complex() else torch.zeros_like(x),
    "isneginf": torch.isneginf, "isposinf": torch.isposinf, "isreal": torch.isreal,
    "ptp": lambda x, axis=None, keepdims=False: (
        x.max() - x.min() if axis is None else x.amax(axis, keepdims) - x.amin(axis, keepdims)),
    "real": lambda x: x.real, "signbit": torch.signbit, "unique": lambda x, **words: (
        torch.unique(x)), "vander": torch.vander, "view_as_complex": torch.view_as_complex,
    "view_as_real": torch.view_as_real, "view": lambda x, dtype=None: x.view(kind(dtype)),
    "hsplit": torch.hsplit, "vsplit": torch.vsplit, "dsplit": torch.dsplit,
}  # fmt: skip
REALS: Mapping[str, Function] = {
    "cbrt": lambda x: x.sign() * x.abs() ** (1 / 3), "deg2rad": torch.deg2rad,
    "rad2deg": torch.rad2deg, "erfc": torch.erfc, "i0": torch.i0, "sinc": torch.sinc,
    "cholesky": lambda x, upper=False: torch.linalg.cholesky(x, upper=upper),
    "cholesky_inverse": lambda x, upper=False: torch.cholesky_inverse(x, upper=upper),
    "det": torch.linalg.det, "eig": torch.linalg.eig, "eigh": torch.linalg.eigh,
    "inv": torch.linalg.inv, "pinv": torch.linalg.pinv, "matrix_rank": torch.linalg.matrix_rank,
    "lu_factor": torch.linalg.lu_factor, "logdet": torch.logdet,
    "qr": lambda x, mode="reduced": tuple(torch.linalg.qr(x, mode)),
    "slogdet": lambda x: tuple(torch.linalg.slogdet(x)), "sparse_plus": lambda x: torch.where(
        x < -1, 0.0, torch.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: ((x + 1) / 2).clamp(0, 1),
    "nancumsum": lambda x, axis=None: _flat(x, axis).nan_to_num(0.0).cumsum(axis or 0),
    "nancumprod": lambda x, axis=None: _flat(x, axis).nan_to_num(1.0).cumprod(axis or 0),
    "nanargmax": lambda x, axis=None, keepdims=False: x.nan_to_num(-math.inf).argmax(
        axis, keepdims), "nanargmin": lambda x, axis=None, keepdims=False: x.nan_to_num(
        math.inf).argmin(axis, keepdims),
}  # fmt: skip
TWO: Mapping[str, Function] = {
    "bitwise_xor": torch.bitwise_xor, "bitwise_left_shift": torch.bitwise_left_shift,
    "bitwise_right_shift": torch.bitwise_right_shift, "left_shift": torch.bitwise_left_shift,
    "right_shift": torch.bitwise_right_shift, "fmax": torch.fmax, "fmin": torch.fmin,
    "fmod": torch.fmod, "gcd": torch.gcd, "lcm": torch.lcm, "heaviside": lambda a, b: (
        torch.heaviside(a.float(), b.float())), "hypot": lambda a, b: torch.hypot(
        a.float(), b.float()), "ldexp": torch.ldexp, "logaddexp2": torch.logaddexp2,
    "nextafter": torch.nextafter, "polar": torch.polar,
}  # fmt: skip
PAIRS: Mapping[str, Function] = {
    "kron": torch.kron, "vdot": lambda a, b: (a * b).sum(), "cdist": torch.cdist,
    "solve": torch.linalg.solve, "lstsq": lambda a, b, rcond=None: torch.linalg.lstsq(
        a, b).solution,
}  # fmt: skip
ALONG: Mapping[str, Function] = {
    "nansum": torch.nansum, "nanmean": torch.nanmean,
    "nanmax": lambda x, dim, keepdim: x.nan_to_num(-math.inf).amax(dim, keepdim),
    "nanmin": lambda x, dim, keepdim: x.nan_to_num(math.inf).amin(dim, keepdim),
    "nanvar": _nanvar,
    "nanmedian": lambda x, dim, keepdim: _in_one(
        x, dim, keepdim, lambda flat: torch.nanquantile(flat, 0.5, -1)),
    "nanprod": lambda x, dim, keepdim: _in_one(
        x.nan_to_num(1.0), dim, keepdim, lambda flat: flat.prod(-1)),
    "nanstd": lambda x, dim, keepdim: _nanvar(x, dim, keepdim).sqrt(),
}  # fmt: skip
WINDOWS: Mapping[str, Function] = {
    "bartlett": torch.bartlett_window, "blackman": torch.blackman_window,
    "hamming": torch.hamming_window, "hanning": torch.hann_window,
}  # fmt: skip


def _in_one(x: Tensor, dim: Any, keepdim: bool, function: Function) -> Tensor:
    """Return what a function of the last axis makes of several axes."""
    axes = [at % x.dim() for at in ((dim,) if isinstance(dim, int) else dim)]
    rest = [at for at in range(x.dim()) if at not in axes]
    made: Tensor = function(x.permute(*rest, *axes).flatten(len(rest)))
    for at in sorted(axes) if keepdim else ():
        made = made.unsqueeze(at)
    return made


def _flat(x: Tensor, axis: Any) -> Tensor:
    return x.reshape(-1) if axis is None else x


def _both(function: Function) -> Function:
    def call(a: Any, b: Any, *args: Any, **words: Any) -> Any:
        return function(floating(a), floating(b), *args, **words)

    return call


FUNCTIONS: dict[str, Function] = {
    **{name: _of_one(function) for name, function in ONE.items()},
    **{name: _of_reals(function) for name, function in REALS.items()},
    **{name: _of_two(function) for name, function in TWO.items()},
    **{name: _both(function) for name, function in PAIRS.items()},
    **{name: _along(function) for name, function in ALONG.items()},
    **{name: _among(name) for name in ("percentile", "nanpercentile", "nanquantile")},
    **{f"segment_{word}": segment(how) for word, how in (
        ("max", "amax"), ("min", "amin"), ("prod", "prod"))},
    **{made.__name__: made for made in (
        diff, cross, isclose, allclose, bincount, digitize, histogram, array_split, inner, isin,
        glu, threshold, sparsemax, psnr, rms_normalization, unfold, fold, unravel_index,
        solve_triangular, svd, trapezoid, correlate)},
}  # fmt: skip
MADE: dict[str, Function] = {
    **{name: _window(function) for name, function in WINDOWS.items()},
    "tri": tri,
    "logspace": logspace,
    "geomspace": geomspace,
    "kaiser": kaiser,
    "vectorize": vectorize,
}
