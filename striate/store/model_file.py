"""The `.striate` file: the network as JSON, the weights as safetensors, a hash of each; no code."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.layer import Layer
from ..core.spec import show
from ..errors import StoreError
from . import config
from .files import MANIFEST, manifest, read, verify, write_atomic

GRAPH, WEIGHTS = "model.json", "weights.safetensors"
MAX_JSON_BYTES = 64 * 2**20
MAX_HEADER_BYTES = 16 * 2**20
MOMENT = (1980, 1, 1, 0, 0, 0)  # the same time in every file: equal models give equal bytes


def save(model: Layer, path: str | Path) -> Path:
    """Write the model, its network and its weights, to one file; return its path.

    Raises: StoreError for a layer that holds code, or where the file cannot be written.
    """
    parts = contents(model)
    parts[MANIFEST] = manifest(parts)
    return write_atomic(path, _zip(parts))


def contents(model: Layer) -> dict[str, bytes]:
    """Return the files that a model consists of, by name; of a torch module's, its layers."""
    in_layers = getattr(model, "in_layers", None)  # a Model, which this room cannot import
    model = in_layers() if in_layers else model
    document = {"striate": config.VERSION, **config.describe(model)}
    document["frozen"] = [name for name, w in model.named_parameters() if not w.requires_grad]
    text = json.dumps(document, indent=1) + "\n"
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
    except (ValueError, RecursionError) as error:
        raise StoreError(
            where, f"{GRAPH} is not JSON", got=error, fix="use an intact copy"
        ) from None
    version = document.pop("striate", None) if isinstance(document, dict) else None
    if type(version) is not int or version != config.VERSION:
        newer = isinstance(version, int) and version > config.VERSION
        older = "open it with the version that wrote it, and save it with each one that follows"
        raise StoreError(
            where,
            "is of another version of the format",
            got=f"version {version!r}",
            need=f"version {config.VERSION}",
            fix="install a newer striate" if newer else older,
        )
    tensors = unpack(where, parts[WEIGHTS])
    with torch.random.fork_rng(devices=[]):  # the first weights are drawn, and at once replaced
        with torch.device("meta"):  # shapes only: a description may ask for any amount of memory
            _expect_fit(where, config.build(document, make, custom, where), tensors)
        model = config.build(document, make, custom, where)
    kinds = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    if len(kinds) == 1:
        model.to(kinds.pop())
    _put(where, model, tensors)
    frozen = document.get("frozen")
    for name, weight in model.named_parameters():
        weight.requires_grad_(not (isinstance(frozen, list) and name in frozen))
    return model


def save_weights(model: Layer, path: str | Path) -> Path:
    """Write the weights alone, as safetensors.

    Raises: StoreError for a model that has no weights yet, or where the file cannot be written.
    """
    expect_built(model)
    return write_atomic(path, pack(model.state_dict()))


def load_weights(model: Layer, path: str | Path) -> None:
    """Replace the weights by those of a file that `save_weights` wrote.

    Raises: StoreError if the file is damaged, or names or shapes differ; nothing is changed then.
    """
    expect_built(model)
    _put(str(path), model, unpack(str(path), read(path)))


def pack(state: Mapping[str, Tensor]) -> bytes:
    """Return named tensors as safetensors, in a fixed order."""
    from safetensors.torch import save as to_bytes

    # clones: a tensor that has two names, as in a layer used by two models, is written twice
    return to_bytes(
        {name: state[name].detach().cpu().contiguous().clone() for name in sorted(state)}
    )


def unpack(where: str, data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, or raise StoreError."""
    from safetensors.torch import load as from_bytes

    header = int.from_bytes(data[:8], "little") if len(data) >= 8 else -1
    if not 0 < header <= min(MAX_HEADER_BYTES, len(data) - 8):
        raise StoreError(
            where,
            "the weights are not a safetensors file",
            got=f"{len(data)} bytes, a header of {header}",
            need=f"a header of at most {MAX_HEADER_BYTES} bytes, and no other than the file has",
            fix="st.load(path) reads a whole model"
            if data.startswith(b"PK")
            else "use an intact copy",
        )
    try:
        return from_bytes(data)
    except Exception as error:  # its own class, and those of torch for sizes that cannot be
        raise StoreError(
            where, "the weights cannot be read", got=str(error)[:200], fix="use an intact copy"
        ) from None


def _put(where: str, model: Layer, tensors: Mapping[str, Tensor]) -> None:
    _expect_fit(where, model, tensors)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            value.copy_(tensors[name])


def _expect_fit(where: str, model: Layer, tensors: Mapping[str, Tensor]) -> None:
    """Raise StoreError unless the tensors are those of the model, by names and shapes."""
    mine = model.state_dict()
    wrong = [
        f"{name}: {_shape(tensors, name)} in the file, {_shape(mine, name)} in the model"
        for name in [*mine, *(name for name in tensors if name not in mine)]
        if _shape(mine, name) != _shape(tensors, name)
    ]
    if wrong:
        raise StoreError(
            where,
            f"{len(wrong)} weight{'s do' if len(wrong) > 1 else ' does'} not fit the model",
            got="\n".join(wrong[:5]),
            need="the same names and shapes",
            fix="load it into the network that it was saved from",
        )


def _shape(tensors: Mapping[str, Tensor], name: str) -> str:
    if name not in tensors:
        return "none"
    tensor = tensors[name]
    kind = "" if tensor.is_floating_point() else str(tensor.dtype).replace("torch.", " ")
    return show(tuple(tensor.shape)) + kind


def expect_built(model: Layer) -> None:
    """Raise StoreError for a model whose weights are not made yet.

    One that is only a holder of others, whose own shapes nobody has told, has those of its parts.
    """
    parts = [part for part in model.modules() if isinstance(part, Layer) and part is not model]
    if not model.built and not (parts and all(part.built for part in parts)):
        raise StoreError(
            model.where,
            "has no weights yet: its input shape is not known",
            fix="begin the model with L.Input(shape), or call model.build(shape)",
        )


def _zip(parts: Mapping[str, bytes]) -> bytes:
    """Return the one archive of these parts: neither the time nor the machine changes a byte."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in (GRAPH, WEIGHTS, MANIFEST):
            item = zipfile.ZipInfo(name, MOMENT)
            item.create_system, item.external_attr = 3, 0o644 << 16
            archive.writestr(item, parts[name])
    return buffer.getvalue()


def _unzip(where: str, data: bytes) -> dict[str, bytes]:
    """Return the parts of an archive that is, byte for byte, the one that `_zip` makes of them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            items = archive.infolist()
            listed = sorted(item.filename for item in items)
            expected = sorted((GRAPH, WEIGHTS, MANIFEST))
            if listed != expected:
                raise StoreError(
                    where,
                    "is not a model file: it has other parts",
                    got=config.names([repr(name) for name in listed]),
                    need=", ".join(expected),
                )
            for item in items:
                limit = MAX_JSON_BYTES if item.filename != WEIGHTS else len(data)
                if item.file_size > limit or item.compress_type != zipfile.ZIP_STORED:
                    raise StoreError(where, f"{item.filename} is too large or compressed")
            parts = {item.filename: archive.read(item) for item in items}
    except StoreError:
        raise
    except Exception as error:  # zipfile raises many classes for what is no archive
        raise _damaged(where, str(error) or type(error).__name__) from None
    if _zip(parts) != data:
        raise _damaged(where, "bytes that belong to no part of it")
    return parts


def _damaged(where: str, got: str) -> StoreError:
    return StoreError(
        where,
        "is not a model file, or is damaged",
        got=got,
        need="a .striate file, whole",
        fix="use an intact copy",
    )
