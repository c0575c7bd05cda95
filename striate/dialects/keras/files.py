"""Files and descriptions of a Keras script's models: Keras's own formats, read and written."""

from __future__ import annotations

import copy
import importlib
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.layer import Layer
from ...core.symbol import Symbol
from ...errors import ConfigError, StoreError, StriateError
from ...store import formats, keras_state, keras_training, model_file
from . import losses as keras_losses
from .in_files import made_by
from .initial import draw_anew
from .losses_overlap import CLASSES as OF_KERAS
from .losses_reduced import reduced
from .metrics import metric_classes
from .rules import RULES
from .session import KerasSession

KEPT = "Kept"  # the class of a description that stands for a model of this script


def save(model: Any, path: Any, session: KerasSession, *, compiled: bool = True) -> None:
    """Write a model; one that holds a script's own code is also kept for this script's run.

    Unless it is to be `compiled`, what it is trained with is left out.
    """
    session.kept.pop(str(path), None)
    training = keras_training.training_words(model.setup, RULES) if compiled else {}
    session.training[str(path)] = training
    path = inside(path)
    try:
        if getattr(model, "own", False):  # its class is known to this script alone
            session.kept[str(path)] = copy.deepcopy(model)
        formats.save(drawn(model, session), path, training, model._trained)
    except StoreError as error:
        _otherwise(model, path, session, error)


def _otherwise(model: Any, path: Path, session: KerasSession, error: StoreError) -> None:
    """Write what Keras's format cannot hold in Striate's own, or else the weights alone."""
    try:
        model_file.save(drawn(model, session), path)
        session.note(f"{path}: {error.where} {error.what}; it is in Striate's own format")
        session.kept[str(path)] = copy.deepcopy(model)  # whose classes this script knows
    except StoreError:
        what = "a file holds the weights, memory the code"
        session.note(f"{path}: {error.where} {error.what}; {what}")
        session.kept[str(path)] = copy.deepcopy(model)
        if path.suffix in (".h5", ".hdf5"):  # whose weights other networks take by their order
            save_weights(model, path, session)
        else:
            model_file.save_weights(model, path)


def pickled(model: Any, session: KerasSession) -> tuple[Any, ...]:
    """Return what pickle keeps of a model: its file, for the script's own `load_model`."""
    folder = tempfile.mkdtemp()
    path = Path(folder) / "model.keras"
    try:
        save(model, path, session)
        return unpickled, (str(path), path.read_bytes())
    finally:
        shutil.rmtree(folder)


def unpickled(path: str, held: bytes) -> Any:
    """Return the model of a file, in the words of the script that runs now, or natively."""
    found = (
        sys.modules.get(f"{root}.models") for root in ("tensorflow.keras", "keras", "tf_keras")
    )
    native = importlib.import_module("striate").load
    read = next((vars(one)["load_model"] for one in found if one is not None), native)
    place = Path(path)
    try:
        place.parent.mkdir()  # the folder that it was written in, which is gone
    except OSError:  # one of another machine, or another one's by now
        place = Path(tempfile.mkdtemp()) / place.name
    try:
        place.write_bytes(held)
        return read(place)
    finally:
        shutil.rmtree(place.parent)


def inside(path: Any) -> Path:
    """Return the file for a path: a folder such as TensorFlow's has it inside."""
    path = Path(path)
    if path.suffix or path.is_file():
        return path
    path.mkdir(parents=True, exist_ok=True)
    return path / "model.keras"


def drawn(model: Any, session: KerasSession) -> Any:
    """Return a model of symbols for one with a `call`, where that runs on symbols."""
    if not getattr(model, "own", False) or not model.runs_graph:
        return model
    made = session.classes["Model"](list(model.graph.inputs), list(model.graph.outputs),
                                    name=model.name)  # fmt: skip
    object.__setattr__(made, "setup", model.setup)
    return made


def save_weights(model: Any, path: Any, session: KerasSession) -> None:
    """Write the weights: as Keras does where the name ends with .h5, TensorFlow's names too."""
    from ...store import keras_file

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        keras_file.write_weights(model, path, model._trained)
    except (StoreError, ConfigError) as error:  # ConfigError: of a model that only holds others
        session.note(f"{path}: {error.what}; the weights are written in Striate's own format")
        model_file.save_weights(model, path)


def load_weights(model: Any, path: Any, session: KerasSession, *, by_name: bool = False) -> None:
    """Read the weights; those of a whole model in Striate's own format, by their order."""
    if _is_own(path):
        found = session.kept.get(str(path)) or formats.load(path, maker(session)).model
        model.set_weights(found.get_weights())
    elif Path(path).is_file() and _is_hdf5(path):
        from ...store import keras_file

        for note in keras_file.read_weights(path, model, by_name, model._trained):
            session.note(note)
    else:
        model_file.load_weights(model, path)


def _is_own(path: Any) -> bool:
    """Return whether a file holds a model in Striate's own format."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "model.json" in archive.namelist()


def load(path: Any, session: KerasSession, custom: Mapping[str, Any], *, compiles: bool) -> Any:
    """Return the model of a file, or the one that this script has saved under its name."""
    if Path(str(path)).is_dir():
        path = Path(str(path)) / "model.keras"
    if str(path) in session.kept and Path(str(path)).exists():
        return copy.deepcopy(session.kept[str(path)])
    found = formats.load(path, maker(session), {**session.readable, **custom}, session.functions)
    for note in found.notes:
        session.note(note)
    training = found.training or session.training.get(str(path))
    model: Any = found.model
    if compiles and training:
        try:
            known = {**session.custom, **custom}
            training = {**training, "loss": _judged(training.get("loss"), known)}
            words = keras_training.compile_words(training, RULES)
            words["loss"] = _reduced(words["loss"], training.get("loss"))
            for key in ("metrics", "weighted_metrics"):
                words[key] = _measured(session, training.get(key), words[key], known)
            model.compile(**{key: value for key, value in words.items() if value is not None})
            if found.state and not keras_state.restore(found.state, model, model._trained):
                session.note(f"{path}: {keras_state.LOST}")
        except StriateError as error:
            session.note(f"{path} is not compiled: {error.where} {error.what}")
    return model


def _judged(given: Any, custom: Mapping[str, Any]) -> Any:
    """Return the losses of a file, a script's own and those of Keras alone as objects."""
    if isinstance(given, list):
        return [_judged(one, custom) for one in given]
    own = made_by(custom, given)
    if own is not None or not isinstance(given, Mapping):
        return given if own is None else own
    if "class_name" not in given:
        return {key: _judged(one, custom) for key, one in given.items()}
    if given["class_name"] not in OF_KERAS:
        return given
    config = {key: one for key, one in given["config"].items() if key != "dtype"}
    return keras_losses.loss_classes()[given["class_name"]](**config)


def _measured(session: KerasSession, given: Any, found: Any, custom: Mapping[str, Any]) -> Any:
    """Return the metrics of a file, those that it describes as objects of the script's classes."""
    if isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
        pairs = zip(given, found, strict=True)
        return [_measured(session, *pair, custom) for pair in pairs]
    if isinstance(given, list) and len(given) == 1:  # of the one output
        return _measured(session, given[0], found, custom)
    own = made_by(custom, given)
    if own is not None:
        return own
    known = metric_classes(session)
    if not isinstance(given, Mapping) or given.get("class_name") not in known:
        return found
    config = {
        key: one for key, one in given["config"].items() if key != "dtype" and one is not None
    }
    try:
        return known[given["class_name"]](**config)
    except TypeError:  # words that another version has
        return found


def _reduced(found: Any, given: Any) -> Any:
    """Return the losses of a file, each as the file says that its numbers become one."""
    if isinstance(found, Mapping):
        return {key: _reduced(one, given[key]) for key, one in found.items()}
    if isinstance(found, list):
        return [_reduced(*pair) for pair in zip(found, given, strict=True)]
    config = given.get("config") if isinstance(given, Mapping) else None
    word = config.get("reduction") if isinstance(config, Mapping) else None
    return found if found is None else reduced(keras_losses.loss(found), str(word))


def description(model: Any, session: KerasSession) -> dict[str, Any]:
    """Return class and configuration of a network; of one with code, a number of this script's."""
    from ...store.keras_description import describe

    try:
        kind, config = describe(model)
    except StoreError as error:
        session.note(f"a description of {model.name} counts in this script alone: {error.what}")
        number = str(len(session.kept))
        session.kept[number] = copy.deepcopy(model)
        return {"class_name": KEPT, "config": {"number": number}}
    return {"class_name": kind, "config": config}


def to_json(model: Any, session: KerasSession) -> str:
    """Return the network as JSON."""
    about = {"keras_version": "3.0.0", "backend": "tensorflow"}
    return json.dumps({**description(model, session), **about})


def from_json(text: str, session: KerasSession, custom: Mapping[str, Any]) -> Any:
    """Return the network that JSON describes, with new weights."""
    return from_description(json.loads(text), session, custom)


def from_description(
    document: Mapping[str, Any], session: KerasSession, custom: Mapping[str, Any]
) -> Any:
    """Return a network of plain values, with new weights."""
    from ...store.keras_graph import Reader
    from ...store.keras_words import Words

    kind, config = document["class_name"], document["config"]
    if kind == KEPT:
        return copy.deepcopy(session.kept[config["number"]])
    version = int(str(document.get("keras_version", "3")).partition(".")[0])
    words = Words("JSON", version, {**session.readable, **custom}, session.functions)
    return Reader(words, maker(session)).network(kind, config)


def clone(model: Any, session: KerasSession) -> Any:
    """Return the same network with new weights."""
    document = description(model, session)
    made = from_description(document, session, session.custom)
    if document["class_name"] == KEPT:
        draw_anew(made)
    return made


def maker(session: KerasSession) -> Any:
    """Return what makes the models of a description: classes that have the script's verbs."""

    def make(kind: str, inputs: tuple[Symbol, ...], outputs: tuple[Symbol, ...],
             layers: list[Layer], name: str) -> Any:  # fmt: skip
        if kind != "Sequential":
            one_in, one_out = len(inputs) == 1, len(outputs) == 1
            return session.classes["Model"](inputs[0] if one_in else list(inputs),
                                            outputs[0] if one_out else list(outputs),
                                            name=name)  # fmt: skip
        model = session.classes["Sequential"](name=name or None)
        model.adopt(outputs[0], layers)
        return model

    return make


FUNCTIONS = {
    "save_weights": lambda model, filepath, overwrite=True, **words: model.save_weights(filepath),
    "load_weights": lambda model, filepath, **words: model.load_weights(filepath),
}


def _is_hdf5(path: Any) -> bool:
    with Path(path).open("rb") as file:
        head = file.read(4)
    return head == b"\x89HDF" or (head == b"PK\x03\x04" and Path(path).suffix in formats.KERAS)
