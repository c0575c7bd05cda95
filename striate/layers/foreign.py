"""Networks written as code: followed call by call, so that they are graphs like any other."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import operator
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.layer import UNKNOWN_SIZES, Layer
from ..core.spec import Spec
from ..core.symbol import Symbol
from ..errors import StriateError
from .in_place import AUGMENTED, seen_elsewhere
from .torch_windows import MAX_POOLS
from .wrap import Batch, Held, Lambda, Opaque, Place, TorchCall, TorchModule

__all__ = ["Lambda", "TorchModule", "trace"]

AS_MODULES: dict[Any, type[nn.Module]] = {
    getattr(functional, f"{snake}{rank}d"): getattr(nn, f"{camel}{rank}d")
    for rank in (1, 2, 3)
    for snake, camel in (
        ("max_pool", "MaxPool"),
        ("avg_pool", "AvgPool"),
        ("adaptive_avg_pool", "AdaptiveAvgPool"),
        ("adaptive_max_pool", "AdaptiveMaxPool"),
    )
}
AS_MODULES |= {
    getattr(torch, f"max_pool{rank}d"): getattr(nn, f"MaxPool{rank}d") for rank in (1, 2, 3)
}
OF_MAX_POOLS = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")  # a module's differ


@dataclasses.dataclass(frozen=True)
class Traced:
    """What a line of code gives: its values in two runs, and its symbols if they are tensors.

    A number that is the same in both runs may still come of the size of the batch (`len // 4`):
    then it `varies`.
    """

    runs: tuple[Any, Any]
    symbol: Any = None
    held: str = ""
    varies: bool = False


class CannotFollowError(Exception):
    """The code cannot be followed; the network becomes one opaque node."""


UNSEEN: dict[type[nn.Module], tuple[str, ...]] = {  # words that leave the first output as it is
    nn.MultiheadAttention: ("need_weights", "average_attn_weights"),
}
NUMBERS = (int, float, operator.index)
BATCHES = (2, 3)
FOLLOWING = threading.RLock()  # one thread at a time


def trace(module: nn.Module, inputs: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """Return the outputs of a network written as code, with a node for each call in it.

    Layers are called on the symbols; torch modules become `TorchModule`, functions `TorchCall`. A
    network whose code depends on values, or does what torch.fx cannot follow, becomes one node.
    """
    try:
        return followed(module, inputs)
    except StriateError:
        raise
    except Exception:  # whatever stops torch.fx: control flow on values, layers in plain lists...
        out = Opaque(module)(*inputs)
        return out if isinstance(out, tuple) else (out,)


def followed(module: nn.Module, inputs: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """Return the outputs as `trace` does, or raise whatever stops torch.fx."""
    with FOLLOWING:
        return Follower(module, inputs).follow(_written_down(module, inputs))


def lines(module: nn.Module, inputs: tuple[Symbol, ...]) -> list[Line]:
    """Return what the code of a network does, called on these inputs: a line for each call.

    Raises whatever stops torch.fx.
    """
    found = []
    with FOLLOWING:
        nodes = _written_down(module, inputs).nodes
    for line in nodes:
        words = dict(line.kwargs)
        training = words.pop("training", None)
        found.append(Line(f"{line.op} {line.target} {line.args} {words}", training))
    return found


@dataclasses.dataclass(frozen=True)
class Line:
    """A call in the code of a network, and its argument `training`, if it has one."""

    text: str
    training: Any


def _written_down(module: nn.Module, inputs: tuple[Symbol, ...]) -> Any:
    """Return torch.fx's graph of a network; layers are not looked into.

    Where the code asks for a number while it is written down (`for size in x.shape[1:]`,
    `if x.size(1) > 3`), it gets what the lines so far give for the inputs, if no batch changes it.
    """
    from torch import fx

    if any("forward" in vars(one) for one in module.modules()):
        raise CannotFollowError  # torch.fx would follow the code of the class

    here = threading.get_ident()
    words = {f"__{function.__name__}__": _written(function) for function in AUGMENTED}
    words |= {f"__{kind.__name__}__": _asked(kind, inputs) for kind in NUMBERS}
    changed = type("Changed", (fx.Proxy,), words)  # torch.fx would write down y += x as y + x

    class Tracer(fx.Tracer):
        proxy_buffer_attributes = True
        looking = False  # at what the lines so far give: modules are called then, not written down

        def proxy(self, node: Any) -> Any:
            return changed(node, self)

        def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
            if self.looking:
                return forward(*args, **kwargs)
            if threading.get_ident() == here:
                return super().call_module(m, forward, args, kwargs)
            with FOLLOWING:  # torch.fx changes what a call of a module is, for all threads
                pass
            return m(*args, **kwargs)

        def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
            if threading.get_ident() == here and not self.looking:
                return super().getattr(attr, attr_val, parameter_proxy_cache)
            return attr_val

        def to_bool(self, obj: Any) -> bool:
            return bool(_asked(bool, inputs)(obj))

        def iter(self, obj: Any) -> Any:
            sizes = _given(obj, inputs).runs[0]
            if not isinstance(sizes, torch.Size):
                return super().iter(obj)
            return (obj[at] for at in range(len(sizes)))

        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return isinstance(m, Layer) or super().is_leaf_module(m, module_qualified_name)

    with _lengths(module, fx.Proxy, inputs):
        return Tracer().trace(module, _defaults(module, len(inputs)))


@contextlib.contextmanager
def _lengths(module: nn.Module, stand_in: type, inputs: tuple[Symbol, ...]) -> Iterator[None]:
    """Let the code of a network ask for `len(x)` inside a block: Python wants a number of it.

    That of a tensor is its first size, which the batch may change; that of sizes is a number.
    """

    def length(value: Any) -> Any:
        if not isinstance(value, stand_in):
            return len(value)
        found = _given(value, inputs).runs[0]
        return value.shape[0] if isinstance(found, Tensor) else len(found)  # type: ignore[attr-defined]

    codes = {id(code): code for part in module.modules()
             for code in [getattr(type(part).forward, "__globals__", {})]}  # fmt: skip
    changed = [code for code in codes.values() if "len" not in code]
    for code in changed:
        code["len"] = length
    try:
        yield
    finally:
        for code in changed:
            del code["len"]


def _asked(kind: Callable[[Any], Any], inputs: tuple[Symbol, ...]) -> Callable[..., Any]:
    def method(self: Any) -> Any:
        given = _given(self, inputs)
        if given.varies or not isinstance(given.runs[0], (bool, int, float)):
            raise CannotFollowError
        return kind(given.runs[0])

    return method


def _given(proxy: Any, inputs: tuple[Symbol, ...]) -> Traced:
    """Return what the line of a stand-in gives for the inputs."""
    tracer = proxy.tracer
    tracer.looking = True
    try:
        return Follower(tracer.root, inputs).result(proxy.node)
    finally:
        tracer.looking = False


def _written(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", function, (self, other), {})

    return method


class Follower:
    """Walks the lines that torch.fx has written down, on symbols and on tensors without data."""

    def __init__(self, module: nn.Module, inputs: tuple[Symbol, ...]) -> None:
        self.module = module
        self.inputs, self.waiting = inputs, list(inputs)
        self.found: dict[Any, Traced] = {}
        self.wrapped: dict[int, TorchModule] = {}

    def follow(self, graph: Any) -> tuple[Symbol, ...]:
        """Return the symbols of the outputs."""
        if seen_elsewhere(graph, self.module):
            raise CannotFollowError
        for line in graph.nodes:
            line.target = AUGMENTED.get(line.target, line.target)
            if line.op == "output":
                out = self.symbols(line.args[0])
                if self.waiting or not out:
                    raise CannotFollowError
                return out
            self.found[line] = getattr(self, line.op)(line)
        raise CannotFollowError

    def result(self, last: Any) -> Traced:
        """Return what one of the lines gives."""
        for line in last.graph.nodes if self.waiting else ():
            self.found[line] = getattr(self, line.op)(line)
            if line is last:
                return self.found[line]
        raise CannotFollowError

    def symbols(self, args: Any) -> tuple[Symbol, ...]:
        """Return the symbols of lines; all of them must be tensors."""
        several = args if isinstance(args, (tuple, list)) else (args,)
        out: list[Symbol] = []
        for line in several:
            symbol = self.found[line].symbol
            out += symbol if isinstance(symbol, tuple) else (symbol,)
        if None in out:
            raise CannotFollowError
        return tuple(out)

    def placeholder(self, line: Any) -> Traced:
        """An argument of forward."""
        if not self.waiting:
            return Traced((line.args[0], line.args[0]))
        symbol = self.waiting.pop(0)
        return Traced(tuple(_empty(symbol.spec, *at) for at in _sizes()), symbol)  # type: ignore[arg-type]

    def get_attr(self, line: Any) -> Traced:
        """A tensor that the network holds."""
        tensor = operator.attrgetter(line.target)(self.module)
        if not isinstance(tensor, Tensor):
            raise CannotFollowError
        return Traced((tensor.to("meta"),) * 2, held=line.target)

    def call_module(self, line: Any) -> Traced:
        """A call of a layer or of a torch module."""
        part = self.module.get_submodule(line.target)
        if line.kwargs.keys() - UNSEEN.get(type(part), ()):
            raise CannotFollowError
        if not isinstance(part, Layer):
            part = self.wrapped.setdefault(id(part), TorchModule(part, name=line.target))
        elif not part.name:
            part.rename(line.target)
        return self.call(part, line.args)

    def call(self, layer: Layer, args: Any) -> Traced:
        """Call a layer on symbols, and find out its sizes in both runs."""
        inputs = self.symbols(list(args))
        symbol = layer(*inputs)
        runs = []
        for run, at in enumerate(_sizes()):
            given = [self.found[line].runs[run] for line in args]
            specs = [
                dataclasses.replace(Spec.of(value), data_format=one.spec.data_format)
                for value, one in zip(given, inputs, strict=True)
            ]
            out = layer.infer(*specs)
            several = tuple(_empty(spec, *at) for spec in (out if _many(out) else (out,)))
            runs.append(several if _many(out) else several[0])
        return Traced((runs[0], runs[1]), symbol)

    def call_method(self, line: Any) -> Traced:
        """A call of a tensor's method; one that brings it to where it is gives itself."""
        if _stays(line, self.found):
            return self.found[line.args[0]]
        return self.apply(line, getattr(Tensor, line.target), line.target)

    def known(self, line: Any) -> Any:
        """Return what the code has computed of sizes: numbers that no batch changes."""
        value = _constant(self.found[line])
        if self.found[line].symbol is not None or isinstance(value, (Held, Batch)):
            raise CannotFollowError
        return value

    def call_function(self, line: Any) -> Traced:
        """A call of a function."""
        from torch.fx.node import map_arg

        if line.target in AS_MODULES:
            words = {key: value for key, value in line.kwargs.items() if key != "return_indices"}
            args, words = map_arg((line.args[1:], words), self.known)
            kind = AS_MODULES[line.target]
            if issubclass(kind, MAX_POOLS):
                args, words = (), {**dict(zip(OF_MAX_POOLS, args, strict=False)), **words}
            made = kind(*args, **words)
            return self.call(TorchModule(made, name=line.name), line.args[:1])
        if line.target is operator.getitem and _many(self.found[line.args[0]].symbol):
            whole, index = self.found[line.args[0]], line.args[1]
            return Traced((whole.runs[0][index], whole.runs[1][index]), whole.symbol[index])
        return self.apply(line, line.target, getattr(line.target, "__name__", line.name))

    def apply(self, line: Any, function: Callable[..., Any], word: str) -> Traced:
        """Call a function on tensors without data; if it gives tensors, record a `TorchCall`."""
        from torch.fx.node import map_arg

        runs = []
        for run in range(len(BATCHES)):
            args, kwargs = map_arg((line.args, line.kwargs), lambda n: self.found[n].runs[run])  # noqa: B023
            with torch.no_grad():
                runs.append(function(*args, **kwargs))
        if not all(isinstance(part, Tensor) for part in _listed(runs[0])):
            return Traced((runs[0], runs[1]), varies=runs[0] != runs[1] or self.varies(line))
        lines = [one for one in line.all_input_nodes if self.found[one].symbol is not None]
        if lines and not all(_by_samples(*one) for one in zip(*map(_listed, runs), strict=True)):
            raise CannotFollowError  # a sum over the batch, or an axis before it
        if _many(runs[0]) and len(runs[0]) == 1:
            raise CannotFollowError  # `torch.split` into one part: whose [0] is no sample
        places = {one: Place(index) for index, one in enumerate(lines)}
        args, kwargs = map_arg(
            (line.args, line.kwargs),
            lambda n: places.get(n) or _constant(self.found[n]),  # type: ignore[arg-type,return-value]
        )
        layer = TorchCall(function, args, dict(kwargs), word, name=line.name)
        object.__setattr__(layer, "network", (self.module,))
        samples = [[one.shape[0] for one in _listed(run) if one.ndim] for run in runs]
        folds = any({*run} != {batch} for run, batch in zip(samples, BATCHES, strict=True))
        object.__setattr__(layer, "folds", folds)
        for one in line.all_input_nodes:
            if self.found[one].held:
                tensor = operator.attrgetter(self.found[one].held)(self.module)
                name, own = _plain(self.found[one].held), isinstance(tensor, nn.Parameter)
                (layer.register_parameter if own else layer.register_buffer)(name, tensor)
        if not lines and any(
            (*one.shape[:1],) != (batch,)
            for run, batch in zip(runs, BATCHES, strict=True)
            for one in (run if _many(run) else (run,))
        ):
            raise CannotFollowError  # it comes of weights alone
        given = self.symbols(lines) if lines else self.inputs[:1]  # for the size of the batch
        return Traced((runs[0], runs[1]), layer(*given))

    def varies(self, line: Any) -> bool:
        """Return whether a line computes with numbers that come of the size of the batch."""
        given = [self.found[one] for one in line.all_input_nodes]
        part = line.target is operator.getitem and isinstance(given[0].runs[0], tuple)
        return not part and any(one.varies for one in given)


def _stays(line: Any, found: Mapping[Any, Traced]) -> bool:
    """Return whether a line only brings a tensor to the processor, and there is no other place."""
    from torch import fx

    if line.target not in ("to", "cpu", "cuda") or torch.accelerator.is_available():
        return False
    if line.target != "to":
        return True  # what scripts call `cuda` is nothing here
    named = [*line.args[1:], *(one for word, one in line.kwargs.items() if word == "device")]
    given = [found[one].runs[0] if isinstance(one, fx.Node) else one for one in named]
    return (
        bool(given)
        and not line.kwargs.keys() - {"device", "non_blocking"}
        and all(isinstance(one, (str, torch.device)) for one in given)
        and all(torch.device(one).type in ("cpu", "meta") for one in given)  # x.device of no data
    )


def _defaults(module: nn.Module, given: int) -> dict[str, Any]:
    """Return the defaults of forward's arguments that no input is given for."""
    arguments = list(inspect.signature(module.forward).parameters.values())[given:]
    return {one.name: one.default for one in arguments if one.default is not one.empty}


def _constant(value: Traced) -> Any:
    if value.held:
        return Held(_plain(value.held))
    found = _common(*value.runs)
    if value.varies and not isinstance(found, (tuple, Batch)):
        raise CannotFollowError
    return found


def _common(first: Any, second: Any) -> Any:
    """Return what stands for a value in both runs: itself, or a multiple of the batch's size."""
    if isinstance(first, tuple):
        return tuple(_common(one, other) for one, other in zip(first, second, strict=True))
    if first is second or (type(first) is type(second) and first == second):
        return first
    if isinstance(first, int) and first * BATCHES[1] == second * BATCHES[0]:
        return Batch(first // BATCHES[0])
    raise CannotFollowError


def _sizes() -> zip[tuple[int, int]]:
    """Return the size of the batch and what stands for an unknown size, for each run."""
    return zip(BATCHES, UNKNOWN_SIZES, strict=True)


def _empty(spec: Spec, batch: int, unknown: int) -> Tensor:
    sizes = [unknown if size is None else size for size in spec.shape]
    return torch.empty(batch, *sizes, dtype=getattr(torch, spec.dtype), device="meta")


def _listed(value: Any) -> tuple[Any, ...]:
    return value if _many(value) else (value,)


def _by_samples(first: Any, second: Any) -> bool:
    """Return whether the first axis of a value is that of the samples, or one over them."""
    if not first.ndim:
        return False
    return bool(first.shape[0] * BATCHES[1] == second.shape[0] * BATCHES[0])


def _many(value: Any) -> bool:
    return isinstance(value, tuple) and not isinstance(value, torch.Size)


def _plain(path: str) -> str:
    return "held_" + path.replace(".", "_")
