"""Fourier transforms in the words of TensorFlow (complex tensors) and Keras (pairs of reals)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .symbolic import lift, tensor
from .tensor_math import floating

Function = Callable[..., Any]


def _complex(x: Any) -> Tensor:
    """Return a pair of reals as one complex tensor."""
    return torch.complex(*map(floating, x)) if isinstance(x, (tuple, list)) else tensor(x)


def _pair(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.real, x.imag


def _of_pairs(function: Function) -> Function:
    return lift(lambda x: _pair(function(_complex(x))))


def rfft(x: Any, fft_length: Any = None) -> tuple[Tensor, Tensor]:
    """Return the half of a real signal's transform that says all of it."""
    return _pair(torch.fft.rfft(floating(x), fft_length))


def irfft(x: Any, fft_length: Any = None) -> Tensor:
    """Return the real signal of half a transform."""
    signal: Tensor = torch.fft.irfft(_complex(x), fft_length)
    return signal


def _window(kind: Any, length: int) -> Tensor:
    if kind is None:
        return torch.ones(length)
    made = {"hann": torch.hann_window, "hamming": torch.hamming_window}
    return made[kind](length) if isinstance(kind, str) else floating(kind)


def stft(x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann",
         center: bool = True) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the transforms of windows over a signal, one row for each."""
    x = floating(x)
    made = torch.stft(
        x.reshape(-1, x.shape[-1]), fft_length, sequence_stride, sequence_length,
        _window(window, sequence_length), center=center, return_complex=True,
    )  # fmt: skip
    return _pair(made.mT.reshape(*x.shape[:-1], made.shape[-1], made.shape[-2]))


def tf_stft(signals: Any, frame_length: int, frame_step: int, fft_length: Any = None,
            window_fn: Any = torch.hann_window, pad_end: bool = False,
            name: Any = None) -> Tensor:  # fmt: skip
    """Return the transforms of windows over a signal, none of which leaves it."""
    x, length, step = floating(signals), int(frame_length), int(frame_step)
    if pad_end:
        more = -(-x.shape[-1] // step) * step - step + length - x.shape[-1]
        x = torch.nn.functional.pad(x, (0, max(more, 0)))
    size = int(fft_length or 2 ** (length - 1).bit_length())
    frames = x.unfold(-1, length, step)
    frames = frames if window_fn is None else frames * window_fn(length)
    found: Tensor = torch.fft.rfft(frames, size)
    return found


def tf_complex(real: Any, imag: Any, name: Any = None) -> Tensor:
    """Return real + imag i."""
    return torch.complex(floating(real), floating(imag))


PAIRED: dict[str, Function] = {
    **{name: _of_pairs(getattr(torch.fft, name)) for name in ("fft", "fft2", "ifft2", "ifft")},
    "rfft": lift(rfft), "irfft": lift(irfft), "stft": lift(stft),
}  # fmt: skip


def _length(given: Any) -> int | None:
    return None if given is None else int(tensor(given).flatten()[0])


def _of_one(function: Function, **words: Any) -> Function:
    return lift(lambda x, name=None: function(tensor(x), **words))


def _shifted(function: Function) -> Function:
    return lift(lambda x, axes=None, name=None: function(tensor(x), axes))


def _window_of(function: Function) -> Function:
    return lambda window_length, periodic=True, **words: function(
        int(window_length), periodic=periodic)  # fmt: skip


VOLUME = (-3, -2, -1)
SIGNAL: dict[str, Function] = {
    "fft": _of_one(torch.fft.fft), "ifft": _of_one(torch.fft.ifft),
    "fft2d": _of_one(torch.fft.fft2), "ifft2d": _of_one(torch.fft.ifft2),
    "fft3d": _of_one(torch.fft.fftn, dim=VOLUME), "ifft3d": _of_one(torch.fft.ifftn, dim=VOLUME),
    "rfft": lift(lambda x, fft_length=None, name=None: torch.fft.rfft(
        floating(x), _length(fft_length))), "irfft": lift(
        lambda x, fft_length=None, name=None: torch.fft.irfft(tensor(x), _length(fft_length))),
    "rfft2d": _of_one(torch.fft.rfft2), "irfft2d": _of_one(torch.fft.irfft2),
    "fftshift": _shifted(torch.fft.fftshift), "ifftshift": _shifted(torch.fft.ifftshift),
    "stft": lift(tf_stft), "hann_window": _window_of(torch.hann_window),
    "hamming_window": _window_of(torch.hamming_window),
}  # fmt: skip
PARTS: dict[str, Function] = {
    "real": _of_one(lambda x: x.real), "angle": _of_one(torch.angle), "conj": _of_one(torch.conj),
    "imag": _of_one(lambda x: x.imag if x.is_complex() else torch.zeros_like(x)),
}  # fmt: skip
