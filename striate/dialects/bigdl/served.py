"""The modules of a BigDL script by their paths, with the names in each."""

from __future__ import annotations

import copy
import glob
import json
import multiprocessing
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ... import layers as native
from ...core.symbol import Input as Begin
from ...engine.seed import seed
from ...errors import caller
from ...model import load, make
from ...store import keras_file
from ..table import DialectError
from . import containers, judging, real_spark, samples, summaries, triggers
from .containers import Container, Graph, Loaded, Table
from .core import CORE
from .core_functions import FUNCTIONS
from .core_weights import WEIGHTED
from .criterions import ROWS as CRITERIONS, Criterion
from .criterions_composed import COMPOSED
from .frames import DataFrame
from .initialization import REGULARIZERS
from .keras_kinds import KERAS, SPELLINGS, merging
from .keras_weights import KERAS_WEIGHTED
from .kind import Kind, bind
from .leaf import Leaf
from .methods import ROWS as METHODS, SCHEDULES, Method, named_method
from .module import LAYOUT, Module, Node
from .normalizing import NORMALIZING
from .optimizer import Optimizer
from .over_images import OVER_IMAGES
from .over_time import CONTAINERS_OVER_TIME, CORE_OVER_TIME, KERAS_OVER_TIME
from .session import BigdlSession
from .spark import RDD, SQLContext
from .tables import TABLES
from .topology import KerasLayer, KerasModel, KerasSequential, keras_nodes

# what star imports of BigDL's modules bring along, and scripts use without importing it
LEAKED = {
    "sys": sys, "os": os, "np": np, "glob": glob, "json": json, "tempfile": tempfile,
    "warnings": warnings, "multiprocessing": multiprocessing, "random": random,
    "JTensor": samples.JTensor, "Sample": samples.Sample,
    "EvaluatedResult": judging.EvaluatedResult, **real_spark.names(),
    **({} if real_spark.installed() else {"SQLContext": SQLContext, "DataFrame": DataFrame}),
}  # fmt: skip


class Maker:
    """A class of BigDL as scripts see it: called, it prints that it creates, and makes."""

    def __init__(self, name: str, made: Callable[..., Any], base: type | None = None) -> None:
        self.__name__, self.made, self.base = name, made, base

    def __call__(self, *args: Any, **words: Any) -> Any:
        """Make the object."""
        return self.made(*args, **words)

    def __instancecheck__(self, item: Any) -> bool:
        kind = getattr(item, "kind", type(item).__name__)
        return kind == self.__name__ or (self.base is not None and isinstance(item, self.base))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (self.base or object,)


def named(*things: Any) -> dict[str, Any]:
    """Return things by their names."""
    return {one.__name__: one for one in things}


def _plain(session: BigdlSession, *classes: type) -> dict[str, Any]:
    """Return classes that print that they are created."""

    def maker(cls: type) -> Maker:
        def made(*args: Any, **words: Any) -> Any:
            words.pop("bigdl_type", None)
            session.created(cls.__name__)
            return cls(*args, **words)

        return Maker(cls.__name__, made, cls)

    return {cls.__name__: maker(cls) for cls in classes}


def _layer(session: BigdlSession, name: str, kind: Kind, cls: type[Leaf], prefix: str) -> Maker:
    def made(*args: Any, **words: Any) -> Leaf:
        bound = bind(name, kind, args, words)
        session.created(prefix + name)
        return cls(session, name, kind, bound, words.get("name"))

    return Maker(name, made)


def core_kinds() -> dict[str, Kind]:
    """Return the tables of the core API's layers as one."""
    return {**CORE, **FUNCTIONS, **WEIGHTED, **NORMALIZING, **CORE_OVER_TIME, **OVER_IMAGES}


def core_layers(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `bigdl.nn.layer`."""
    out: dict[str, Any] = {
        name: _layer(session, name, kind, Leaf, "") for name, kind in core_kinds().items()
    }

    def table(name: str, act: Callable[..., Any]) -> Maker:
        def made(*args: Any, **words: Any) -> Table:
            label = words.pop("name", None)
            words.pop("bigdl_type", None)
            session.created(name)
            return Table(session, name, act(*args, **words), label)

        return Maker(name, made, Table)

    out |= {name: table(name, act) for name, act in TABLES.items()}

    def container(cls: type[Container]) -> Maker:
        def made(*args: Any, **words: Any) -> Container:
            words.pop("bigdl_type", None)
            session.created(cls.kind)
            return cls(session, *args, **words)

        return Maker(cls.kind, made, cls)

    kinds = (containers.Sequential, containers.Concat, containers.ConcatTable,
             containers.ParallelTable, containers.MapTable, *CONTAINERS_OVER_TIME)  # fmt: skip
    out |= {cls.kind: container(cls) for cls in kinds}

    def begin(name: str | None = None, **words: Any) -> Node:
        session.created("Input")
        return Node(Table(session, "Input", lambda x: x, name))

    graph = Maker("Model", container(Graph).made, Graph)
    _loaders(session, graph)
    base = Maker("Layer", lambda *a, **w: Module(session), Module)
    return {**out, "Input": begin, "Model": graph, "Layer": base, "Container": base, "Node": Node}


FOREIGN = {
    "load_torch": "Torch 7", "load_caffe": "Caffe", "load_caffe_model": "Caffe",
    "load_tensorflow": "frozen TensorFlow",
}  # fmt: skip


def _refused(name: str, kind: str) -> Callable[..., Any]:
    def refuse(*args: Any, **words: Any) -> Any:
        raise DialectError(
            f"BigDL 0.7 {name}",
            f"files of {kind} are not read here",
            got=str(args[0]) if args else "",
            need="a file of Keras (.h5, .keras), or one that saveModel wrote",
            fix="Model.load_keras(json_path, hdf5_path), or Model.loadModel(path)",
            at=caller(),
        )

    return refuse


def _loaders(session: BigdlSession, graph: Any) -> None:
    """Give Model its static methods."""

    def load_model(modelPath: str, weightPath: Any = None, **words: Any) -> Module:  # noqa: N803
        held = session.saved.get(Path(modelPath).resolve())
        if held is not None:
            made: Module = copy.deepcopy(held)
            return made
        kept = Path(f"{modelPath}.striate")  # as set_checkpoint names it
        return Loaded(session, load(kept if kept.exists() else modelPath))

    for name, kind in FOREIGN.items():
        setattr(graph, name, _refused(f"Model.{name}", kind))
    graph.loadModel = graph.load = load_model
    graph.load_keras = partial(load_keras, session)


def load_keras(session: BigdlSession, json_path: str | None = None, hdf5_path: str | None = None,
               by_name: bool = False) -> Loaded:  # fmt: skip
    """Return the network that files of Keras describe, with their weights."""
    if json_path is None:
        return Loaded(session, load(str(hdf5_path)))
    document = json.loads(Path(json_path).read_text(encoding="utf-8"))
    model = keras_file.from_description(json_path, document, make)
    if hdf5_path:
        keras_file.read_weights(hdf5_path, model, by_name)
    return Loaded(session, model)


def keras_layers(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `bigdl.nn.keras.layer`."""
    kinds = {
        **KERAS,
        **KERAS_WEIGHTED,
        **KERAS_OVER_TIME,
        **{name: KERAS[kind] for name, kind in SPELLINGS.items()},
    }
    out: dict[str, Any] = {
        name: _layer(session, SPELLINGS.get(name, name), kind, KerasLayer, "Keras")
        for name, kind in kinds.items()
    }

    def begin(shape: Any = None, name: str | None = None, **words: Any) -> Node:
        session.created("KerasInput")
        node = Node(Table(session, "Input", lambda x: x, name))
        node.symbol = Begin(tuple(shape), data_format=LAYOUT)
        return node

    def input_layer(input_shape: Any = None, **words: Any) -> Leaf:
        session.created("KerasInputLayer")
        kind = Kind("L.Input(shape)", {"input_shape": None},
                    lambda words, x: [native.Activation("linear")])  # fmt: skip
        return KerasLayer(session, "InputLayer", kind, {"input_shape": input_shape})

    def merge(inputs: Any, mode: str = "sum", concat_axis: int = -1, name: str | None = None,
              **words: Any) -> Node:  # fmt: skip
        session.created("KerasMerge")
        given = keras_nodes(inputs)
        table = Table(session, "Merge", lambda x: merging(mode, concat_axis)(*x), name)
        node = Node(table, given)
        symbols = [one.symbol for one in given]
        if all(symbol is not None for symbol in symbols):
            (node.symbol,) = table.connect(*symbols)  # type: ignore[arg-type]
        return node

    return {**out, "Input": begin, "InputLayer": input_layer, "merge": merge, **LEAKED}


def topology_names(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `bigdl.nn.keras.topology`."""

    def sequential(name: str | None = None, **words: Any) -> KerasSequential:
        session.created("KerasSequential")
        return KerasSequential(session, name)

    def model(input: Any, output: Any, name: str | None = None, **words: Any) -> KerasModel:
        session.created("KerasModel")
        return KerasModel(session, input, output, name)

    return {"Sequential": Maker("Sequential", sequential, KerasSequential),
            "Model": Maker("Model", model, KerasModel), **LEAKED}  # fmt: skip


def optimizer_names(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `bigdl.optim.optimizer`."""

    def method(name: str) -> Maker:
        def made(*args: Any, **words: Any) -> Method:
            found = Method.of(name, *args, **words)
            if name == "SGD" and found.words["leaningrate_schedule"] is None:
                session.created("Default")
            session.created(name)
            return found

        return Maker(name, made, Method)

    def optimizer(
        model: Any, training_rdd: Any, criterion: Any, end_trigger: Any = None,
        batch_size: int = 32, optim_method: Any = None, **words: Any,
    ) -> Optimizer:  # fmt: skip
        session.created("DistriOptimizer")
        method = named_method(optim_method, words.get("state"))
        given = (model, training_rdd, criterion, end_trigger, batch_size, method)
        return Optimizer(session, *given)

    def create(model: Any, training_set: Any, criterion: Any, end_trigger: Any = None,
               batch_size: int = 32, optim_method: Any = None, cores: Any = None,
               **words: Any) -> Optimizer:  # fmt: skip
        return optimizer(model, training_set, criterion, end_trigger, batch_size, optim_method)

    def local(X: Any, Y: Any, model: Any, criterion: Any, end_trigger: Any = None,  # noqa: N803
              batch_size: int = 32, optim_method: Any = None, cores: Any = None,
              **words: Any) -> Optimizer:  # fmt: skip
        session.created("LocalOptimizer")
        return Optimizer(session, model, (X, Y), criterion, end_trigger, batch_size, optim_method)

    made: Any = Maker("Optimizer", optimizer, Optimizer)
    made.create = create
    methods = (judging.Top1Accuracy, judging.Top5Accuracy, judging.Loss, judging.MAE)
    kept = (summaries.TrainSummary, summaries.ValidationSummary)
    return {
        **{name: method(name) for name in METHODS},
        **_plain(session, *SCHEDULES, *triggers.TRIGGERS, *methods, *kept),
        "Optimizer": made, "DistriOptimizer": made, "LocalOptimizer": local, **REGULARIZERS,
        **LEAKED,
    }  # fmt: skip


def criterion_names(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `bigdl.nn.criterion`."""

    def criterion(name: str) -> Maker:
        def made(*args: Any, **words: Any) -> Criterion:
            found = Criterion.of(name, *args, **words)
            session.created(name)
            return found

        return Maker(name, made)

    made = {name: criterion(name) for name in CRITERIONS}
    return {**made, **_plain(session, *COMPOSED), **LEAKED}


def common_names(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `bigdl.util.common`."""

    def redirect(bigdl_type: str = "float", log_path: str | None = None) -> None:
        session.log_path = log_path or str(Path.cwd() / "bigdl.log")
        session.shows_info = False

    def show(bigdl_type: str = "float") -> None:
        session.shows_info = True

    def to_sample_rdd(x: Any, y: Any, numSlices: int | None = None) -> RDD:  # noqa: N803
        pairs = zip(np.asarray(x), np.asarray(y), strict=True)
        return RDD([samples.Sample.from_ndarray(*pair) for pair in pairs], numSlices or 1)

    class RNG:
        """The generator of all draws: Torch 7's, which takes 32 bits for a number."""

        bits = np.random.RandomState()

        def set_seed(self, number: int) -> None:
            """Seed it."""
            seed(number)
            self.bits.seed(number)

        def uniform(self, a: float, b: float, size: Any) -> Any:
            """Return even numbers."""
            drawn = self.bits.randint(0, 2**32, size, "uint32") / 2.0**32
            return (a + (b - a) * drawn).astype("float32")

    nothing = dict.fromkeys(
        ("init_engine", "init_spark_on_local", "redire_output"), lambda *a, **w: None
    )
    return {
        **LEAKED, **nothing, "redire_spark_logs": redirect, "redirect_spark_logs": redirect,
        "show_bigdl_info_logs": show, "to_sample_rdd": to_sample_rdd, "RNG": RNG,
        "create_spark_conf": LEAKED["SparkConf"], "get_spark_conf": LEAKED["SparkConf"],
        "get_spark_context": lambda conf=None: LEAKED["SparkContext"].getOrCreate(conf),
        "init_executor_gateway": lambda *a, **w: None,
        "get_node_and_core_number": lambda *a, **w: (1, os.cpu_count() or 1),
        "get_dtype": lambda bigdl_type="float": "float32",
    }  # fmt: skip


def lenet_network(core: dict[str, Any], class_num: int) -> Any:
    """Return the network of `bigdl.models.lenet.lenet5`."""
    layers = [
        core["Reshape"]([1, 28, 28]), core["SpatialConvolution"](1, 6, 5, 5), core["Tanh"](),
        core["SpatialMaxPooling"](2, 2, 2, 2), core["SpatialConvolution"](6, 12, 5, 5),
        core["Tanh"](), core["SpatialMaxPooling"](2, 2, 2, 2), core["Reshape"]([12 * 4 * 4]),
        core["Linear"](12 * 4 * 4, 100), core["Tanh"](), core["Linear"](100, class_num),
        core["LogSoftMax"](),
    ]  # fmt: skip
    network = core["Sequential"]()
    for layer in layers:
        network.add(layer)
    return network
