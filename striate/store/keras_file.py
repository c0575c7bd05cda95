"""Keras's files, read and written without Keras: `.keras` archives, `.h5` models and weights."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..core.layer import Layer
from ..errors import StoreError
from . import keras_graph, keras_state, keras_weights, model_file
from .config import Make
from .files import read as read_bytes, write_atomic
from .hdf5 import Archive, pack
from .keras_description import describe
from .keras_training import Found
from .keras_words import Words
from .renom_file import is_renom, put_renom

VERSION = "3.0.0"  # of Keras whose words these files use
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MOMENT = (1980, 1, 1, 0, 0, 0)
MAX_JSON_BYTES = 64 * 2**20
MOST = 100  # times the archive's own size: what its parts may come to


def read_model(
    path: str | Path, make: Make, custom: Mapping[str, Any] | None = None,
    functions: Mapping[str, Any] | None = None,
) -> Found:  # fmt: skip
    """Return the model of a `.keras` or `.h5` file; `make` constructs it.

    `custom` gives classes of the user's: {"Scale": Scale}, `functions` those of `keras.ops` that
    the file may name. No code is taken from the file.

    Raises: StoreError for a file that is damaged, has other links than to itself, holds weights
    alone, or a layer that is not known.
    """
    where, data = str(path), read_bytes(path)
    if data[:2] == b"PK":
        parts = _unzip(where, data)
        document = _json(where, CONFIG, parts[CONFIG])
        version = _major(str(_json(where, METADATA, parts[METADATA]).get("keras_version", "3")))
        archive = Archive(where, parts[WEIGHTS])
        training = document.get("compile_config") or {}
    else:
        archive = Archive(where, data)
        text = archive.text("", "model_config")
        if not text:
            raise StoreError(
                where,
                "has weights, but no network",
                got="no attribute model_config",
                need="a file of Keras's model.save",
                fix="build the network in code, then model.load_weights(path)",
            )
        document = _json(where, "model_config", text.encode())
        version = _major(archive.text("", "keras_version") or "1")
        training = _json(where, "training_config", text.encode()) if (
            text := archive.text("", "training_config")) else {}  # fmt: skip
    words = Words(where, version, custom or {}, functions)
    reader = keras_graph.Reader(words, make)
    kind, config = _network(where, document)
    with torch.random.fork_rng(devices=[]):  # the first weights are drawn, and at once replaced
        with torch.device("meta"):  # shapes only: a description may ask for any amount of memory
            _expect_room(archive, reader.network(kind, config))
        words.notes.clear()
        model = reader.network(kind, config)
    notes = list(dict.fromkeys([*words.notes, *_put(archive, model)]))
    return Found(model, training, notes, keras_state.find(archive, version))


def from_description(
    where: str, document: Mapping[str, Any], make: Make, custom: Mapping[str, Any] | None = None
) -> Layer:
    """Return the network that Keras's `to_json` describes, with weights that are drawn anew."""
    kind, config = _network(where, document)
    version = _major(str(document.get("keras_version", "1")))
    return keras_graph.Reader(Words(where, version, custom or {}), make).network(kind, config)


def read_weights(
    path: str | Path, model: Layer, by_name: bool = False, trained: Any = None
) -> list[str]:
    """Replace a model's weights by those of a `.h5`, `.weights.h5` or `.keras` file, or of ReNom's.

    Layers are found by their names where the file has all of them, else by their order. With
    `by_name`, the layers that the file does not have keep theirs. Where the model has made steps,
    its optimizer goes on from the file's. `trained` is what has the setup, if not the model.
    Returns notes.

    Raises: StoreError where numbers or shapes differ; nothing is changed then.
    """
    where, data = str(path), read_bytes(path)
    archive = Archive(where, _unzip(where, data)[WEIGHTS] if data[:2] == b"PK" else data)
    model_file.expect_built(model)
    notes = _put(archive, model, by_name)
    trained = trained or model
    state = keras_state.find(archive, 3)
    if state and getattr(getattr(trained, "setup", None), "state", None):
        notes += [] if keras_state.restore(state, model, trained) else [keras_state.LOST]
    return list(dict.fromkeys(notes))


def write_model(
    model: Layer, path: str | Path, training: Mapping[str, Any] | None = None, trained: Any = None
) -> Path:
    """Write a `.keras` or `.h5` file that Keras 3 loads; return its path.

    `training` is what the model is compiled with, in Keras's words, and `trained` what has the
    optimizer's state, if not the model. Without `training`, the network and its weights are all.

    Raises: StoreError for a layer that Keras does not have, or where the file cannot be written.
    """
    path = Path(path)
    kind, config = describe(model)
    state = keras_state.arrays(model, trained or model) if training else {}
    if path.suffix == ".keras":
        return write_atomic(path, _zip(kind, config, model, training, state))
    arrays, attributes = keras_weights.groups(model)
    inner = {f"model_weights/{name}".rstrip("/"): value for name, value in attributes.items()}
    about = {"keras_version": VERSION, "backend": "tensorflow",
             "model_config": json.dumps({"class_name": kind, "config": config})}  # fmt: skip
    if training:
        renamed = {"optimizer_config": training["optimizer"], **training}
        about["training_config"] = json.dumps({k: renamed[k] for k in renamed if k != "optimizer"})
    named = {f"model_weights/{name}": array for name, array in arrays.items()}
    if state:
        inner[keras_state.GROUP] = {"weight_names": list(state)}
        named |= {f"{keras_state.GROUP}/{name}": array for name, array in state.items()}
    return write_atomic(path, pack(named, {"": about, **inner}))


def write_weights(model: Layer, path: str | Path, trained: Any = None) -> Path:
    """Write the weights alone: `.weights.h5` as Keras 3 does, other `.h5` as Keras 2 did.

    The former has the optimizer's state too; `trained` is what has it, if not the model.
    """
    model_file.expect_built(model)
    if not str(path).endswith(".weights.h5"):
        return write_atomic(path, pack(*keras_weights.groups(model)))
    arrays, attributes = keras_weights.tree(model)
    state = keras_state.arrays(model, trained or model)
    return write_atomic(path, pack({**arrays, **_numbered(state)}, attributes))


def _numbered(state: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{keras_state.TREE}/{at}": array for at, array in enumerate(state.values())}


def _network(where: str, document: Mapping[str, Any]) -> tuple[str, Any]:
    kind = str(document.get("class_name", ""))
    if kind not in keras_graph.NETWORKS:
        raise StoreError(
            where,
            f"holds a {kind or 'thing without a class'}, which is written as code",
            need="a Sequential, or a Model of inputs and outputs",
            fix="build the network in code, then model.load_weights(path)",
        )
    return kind, document.get("config")


def _expect_room(archive: Archive, model: Layer) -> None:
    """Raise StoreError for a network of more numbers than the file has."""
    need = sum(weight.numel() for weight in model.weights)
    have = sum(array.size for array in archive.arrays.values())
    if need > have:
        raise StoreError(
            archive.where,
            "has fewer numbers than its network has weights",
            got=f"{have:,} numbers",
            need=f"{need:,}",
            fix="use an intact copy",
        )


def _put(archive: Archive, model: Layer, by_name: bool = False) -> list[str]:
    """Give the model the weights of the file; return notes."""
    if is_renom(archive):
        put_renom(archive, model)
        return []
    root = "model_weights" if "model_weights" in archive.groups else ""
    legacy = root or {"layer_names", "layer_names0", "nb_layers"} & set(archive.attributes[""])
    if legacy:
        return keras_weights.put_groups(archive, root, model, by_name)
    keras_weights.put_tree(archive, model)
    return []


def _zip(kind: str, config: Any, model: Layer, training: Any, state: Mapping[str, Any]) -> bytes:
    module = "keras" if kind == "Sequential" else "keras.src.models.functional"
    document = {"module": module, "class_name": kind, "config": config, "registered_name": kind}
    if training:
        document["compile_config"] = training
    arrays, attributes = keras_weights.tree(model)
    parts = {
        METADATA: json.dumps({"keras_version": VERSION, "date_saved": ""}).encode(),
        CONFIG: json.dumps(document).encode(),
        WEIGHTS: pack({**arrays, **_numbered(state)}, attributes),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), data)
    return buffer.getvalue()


def _unzip(where: str, data: bytes) -> dict[str, bytes]:
    """Return the three parts of a `.keras` archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [item.filename for item in archive.infolist()]
            missing = [n for n in (CONFIG, METADATA, WEIGHTS) if names.count(n) != 1]
            if missing:
                raise StoreError(
                    where,
                    "is not a .keras file: " + ", ".join(missing) + " is missing",
                    got=", ".join(names[:6]) or "an empty archive",
                    need=f"{CONFIG}, {METADATA} and {WEIGHTS}, each once",
                    fix="use an intact copy",
                )
            sizes = [archive.getinfo(n).file_size for n in (CONFIG, METADATA, WEIGHTS)]
            if sum(sizes) > MOST * len(data) or max(sizes[:2]) > MAX_JSON_BYTES:
                raise StoreError(where, "grows too much when it is unpacked",
                                 got=f"{sum(sizes)} bytes from {len(data)}",
                                 need=f"at most {MOST} times its size")  # fmt: skip
            return {n: archive.read(n) for n in (CONFIG, METADATA, WEIGHTS)}
    except StoreError:
        raise
    except Exception as error:  # zipfile raises many classes for what is no archive
        raise StoreError(where, "is not a .keras file, or is damaged", got=str(error)[:120],
                         fix="use an intact copy") from None  # fmt: skip


def _json(where: str, part: str, data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data) if len(data) <= MAX_JSON_BYTES else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise StoreError(where, f"{part} is not a JSON object", fix="use an intact copy")
    return document


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdigit() else 1
