"""Sound: files of 16-bit samples as tensors, folders of them as data sets, and mel bands."""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...errors import caller
from ..symbolic import lift, tensor
from ..table import DialectError
from ..tensor_math import floating
from .directories import datasets_of, kind_of
from .image_sources import Files
from .tf_files import read_file
from .tf_texts import Text, raw


class Sound(NamedTuple):
    """Samples (length, channels) from -1 to 1, and how many there are in a second."""

    audio: Tensor
    sample_rate: Tensor


def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1,
               name: Any = None) -> Sound:  # fmt: skip
    """Return the samples of a WAV file, cut, or filled with zeros, to a length."""
    with wave.open(io.BytesIO(raw(contents))) as file:
        count, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
        data = file.readframes(file.getnframes())
    if width != 2:
        raise DialectError(
            "tf.audio.decode_wav", "reads samples of 16 bits", got=f"{8 * width} bits",
            fix="soundfile.write(path, samples, rate, subtype='PCM_16')", at=caller(),
        )  # fmt: skip
    samples = torch.frombuffer(bytearray(data), dtype=torch.int16).float().reshape(-1, count)
    samples = samples / 32768
    if desired_channels not in (-1, count):
        several = samples[:, :desired_channels]
        samples = torch.cat([several, several[:, -1:].expand(-1, desired_channels - several.size(
            1))], 1)  # fmt: skip
    if desired_samples >= 0:
        short = max(desired_samples - len(samples), 0)
        samples = torch.nn.functional.pad(samples[:desired_samples], (0, 0, 0, short))
    return Sound(samples, torch.tensor(rate, dtype=torch.int32))


def encode_wav(audio: Any, sample_rate: Any, name: Any = None) -> Text:
    """Return the bytes of a WAV file of 16-bit samples."""
    samples = (floating(audio) * 32768).round().clamp(-32768, 32767).to(torch.int16)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(samples.size(1))
        file.setsampwidth(2)
        file.setframerate(int(sample_rate))
        file.writeframes(samples.numpy().tobytes())
    return Text.of(out.getvalue())


class Sounds(Files):
    """WAV files in the folders of a folder."""

    suffixes = (".wav",)

    def samples(self, index: int, length: int) -> Tensor:
        """Read a sound."""
        return decode_wav(read_file(self.root / self.filenames[index]), -1, length).audio


def audio_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None,
    batch_size: int | None = 32, sampling_rate: Any = None, output_sequence_length: Any = None,
    ragged: bool = False, shuffle: bool = True, seed: int | None = None,
    validation_split: float | None = None, subset: Any = None, **words: Any,
) -> Any:  # fmt: skip
    """Return the WAV files in the folders of a folder as a data set: (samples, 1) each.

    Without `output_sequence_length` they have the length of the longest one.
    """
    kind = kind_of(labels, label_mode)
    files = Sounds(Path(directory), (0, 0), "", class_names, kind, "")
    length = output_sequence_length or max(
        (len(files.samples(place, -1)) for place in range(len(files))), default=0)  # fmt: skip
    return datasets_of(files, lambda place: files.samples(place, int(length)), batch_size, shuffle,
                       seed, validation_split, subset)  # fmt: skip


def frame(signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False,
          pad_value: float = 0, axis: int = -1, name: Any = None) -> Tensor:  # fmt: skip
    """Return windows of a signal's last axis, one after the other."""
    x, length, step = tensor(signal), int(frame_length), int(frame_step)
    if pad_end:
        count = -(-x.size(-1) // step)
        x = torch.nn.functional.pad(x, (0, (count - 1) * step + length - x.size(-1)),
                                    value=pad_value)  # fmt: skip
    return x.unfold(-1, length, step)


def _mel(hertz: Any) -> Any:
    return 1127.0 * torch.log1p(torch.as_tensor(hertz, dtype=torch.float64) / 700.0)


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20, num_spectrogram_bins: int = 129, sample_rate: float = 8000,
    lower_edge_hertz: float = 125.0, upper_edge_hertz: float = 3800.0, dtype: Any = None,
    name: Any = None,
) -> Tensor:  # fmt: skip
    """Return how much of each frequency (rows) is in each band (columns): triangles in mel."""
    bands = torch.linspace(float(_mel(lower_edge_hertz)), float(_mel(upper_edge_hertz)),
                           int(num_mel_bins) + 2, dtype=torch.float64)  # fmt: skip
    places = _mel(torch.linspace(0.0, float(sample_rate) / 2, int(num_spectrogram_bins),
                                 dtype=torch.float64))[1:, None]  # fmt: skip
    low, middle, high = bands[:-2], bands[1:-1], bands[2:]
    rising, falling = (places - low) / (middle - low), (high - places) / (high - middle)
    found = torch.minimum(rising, falling).clamp(min=0)
    return torch.nn.functional.pad(found, (0, 0, 1, 0)).float()


def dct(input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None,
        name: Any = None) -> Tensor:  # fmt: skip
    """Return the cosine transform of the second kind along the last axis."""
    x = floating(input)
    count = x.size(-1)
    steps = torch.arange(count, dtype=x.dtype)
    waves = torch.cos(math.pi / count * (steps[:, None] + 0.5) * steps)
    out = 2 * x @ waves
    if norm == "ortho":
        shares = torch.full((count,), math.sqrt(0.5 / count))
        shares[0] = math.sqrt(0.25 / count)
        out = out * shares
    return out


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: Any = None) -> Tensor:
    """Return coefficients of the logarithms of mel bands."""
    x = floating(log_mel_spectrograms)
    return dct(x) / math.sqrt(2 * x.size(-1))


AUDIO = {"decode_wav": decode_wav, "encode_wav": encode_wav}
SIGNAL = {**{made.__name__: lift(made) for made in (frame, dct, mfccs_from_log_mel_spectrograms)},
          "linear_to_mel_weight_matrix": linear_to_mel_weight_matrix}  # fmt: skip
