"""The `.striate` file: the network as JSON, the weights as safetensors, a hash of each; no code."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..core.layer import Layer
from ..core.spec import show
from ..errors import StoreError
from . import config
from .files import MANIFEST, manifest, read, verify, write_atomic

if TYPE_CHECKING:
    from ..model import Model

GRAPH, WEIGHTS = "model.json", "weights.safetensors"
MAX_JSON_BYTES = 64 * 2**20
MAX_HEADER_BYTES = 2**20
MOMENT = (1980, 1, 1, 0, 0, 0)  # the same time in every file: equal models give equal bytes


def save(model: Model, path: str | Path) -> Path:
    """Write the model, its network and its weights, to one file; return its path.

    Raises: StoreError for a layer that holds code, or where the file cannot be written.
    """
    parts = contents(model)
    parts[MANIFEST] = manifest(parts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), data)
    return write_atomic(path, buffer.getvalue())


def contents(model: Model) -> dict[str, bytes]:
    """Return the files that a model consists of, by name."""
    document = {"striate": config.VERSION, **config.describe(model)}
    text = json.dumps(document, indent=1, sort_keys=False) + "\n"
    return {GRAPH: text.encode(), WEIGHTS: pack(model.state_dict())}


def load(path: str | Path, make: config.Make, custom: Mapping[str, Any] | None = None) -> Layer:
    """Return the model of a `.striate` file; `make` constructs it, `custom` names further classes.

    Raises: StoreError for a file that is damaged, of another version, or holds unknown layers.
    """
    where = str(path)
    parts = _unzip(where, read(path))
    verify(where, parts.pop(MANIFEST), parts)
    return assemble(where, parts, make, custom)


def assemble(
    where: str, parts: dict[str, bytes], make: config.Make, custom: Mapping[str, Any] | None = None
) -> Layer:
    """Return the model whose files are `parts`."""
    try:
        document = json.loads(parts[GRAPH])
    except ValueError as error:
        raise StoreError(where, f"{GRAPH} is not JSON", got=str(error)) from None
    version = document.pop("striate", None) if isinstance(document, dict) else None
    if version != config.VERSION:
        newer = isinstance(version, int) and version > config.VERSION
        raise StoreError(
            where,
            "is of another version of the format",
            got=f"version {version!r}",
            need=f"version {config.VERSION}",
            fix="install a newer striate" if newer else "save it again with the version that wrote it",
        )
    model = config.build(document, make, custom, where)
    _put(where, model, unpack(where, parts[WEIGHTS]))
    return model


def save_weights(model: Model, path: str | Path) -> Path:
    """Write the weights alone, as safetensors."""
    return write_atomic(path, pack(model.state_dict()))


def load_weights(model: Model, path: str | Path) -> None:
    """Replace the weights by those of a file that `save_weights` wrote.

    Raises: StoreError if the file is damaged, ShapeError-like rows if names or shapes differ.
    """
    _put(str(path), model, unpack(str(path), read(path)))


def pack(state: Mapping[str, Tensor]) -> bytes:
    """Return named tensors as safetensors, in a fixed order."""
    from safetensors.torch import save as to_bytes

    return to_bytes({name: state[name].detach().cpu().contiguous() for name in sorted(state)})


def unpack(where: str, data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, or raise StoreError."""
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    header = int.from_bytes(data[:8], "little") if len(data) >= 8 else -1
    if not 0 < header <= min(MAX_HEADER_BYTES, len(data) - 8):
        raise StoreError(
            where,
            "the weights are not a safetensors file",
            got=f"{len(data)} bytes, a header of {header}",
            need=f"a header of at most {MAX_HEADER_BYTES} bytes",
            fix="use an intact copy",
        )
    try:
        return from_bytes(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise StoreError(
            where, "the weights cannot be read", got=str(error)[:200], fix="use an intact copy"
        ) from None


def _put(where: str, model: Layer, tensors: Mapping[str, Tensor]) -> None:
    mine = model.state_dict()
    wrong = [
        f"{name}: {_shape(tensors, name)} in the file, {_shape(mine, name)} in the model"
        for name in [*mine, *(name for name in tensors if name not in mine)]
        if _shape(mine, name) != _shape(tensors, name)
    ]
    if wrong:
        raise StoreError(
            where,
            f"{len(wrong)} weights do not fit the model",
            got="\n".join(wrong[:5]),
            need="the same names and shapes",
            fix="load it into the network that it was saved from",
        )
    with torch.no_grad():
        for name, value in mine.items():
            value.copy_(tensors[name])


def _shape(tensors: Mapping[str, Tensor], name: str) -> str:
    return show(tuple(tensors[name].shape)) if name in tensors else "none"


def _unzip(where: str, data: bytes) -> dict[str, bytes]:
    """Return the members of the archive: those expected, no others, of sane sizes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {item.filename: item for item in archive.infolist()}
            expected = {GRAPH, WEIGHTS, MANIFEST}
            if members.keys() != expected or len(archive.infolist()) != len(expected):
                raise StoreError(
                    where,
                    "is not a model file: it has other parts",
                    got=config.names(sorted(members)),
                    need=", ".join(sorted(expected)),
                )
            for name, item in members.items():
                limit = MAX_JSON_BYTES if name != WEIGHTS else len(data)
                if item.file_size > limit or item.compress_type != zipfile.ZIP_STORED:
                    raise StoreError(where, f"{name} is too large or compressed")
            return {name: archive.read(name) for name in members}
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            where,
            "is not a model file, or is damaged",
            got=str(error) or type(error).__name__,
            need="a .striate file, whole",
            fix="use an intact copy",
        ) from None
