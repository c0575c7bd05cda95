"""Networks of a script natively: a call of the outermost module goes through a plan where it can.

The module's own code is followed once. It is called as ever where a kernel is missing, where it has
hooks, where its code changes something beside the output or draws at random, where the gradient of
the input is wanted, where only a part of it is in training, and in evaluation with gradients.
"""

from __future__ import annotations

import contextlib
import copy
import io
import random
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.modules.batchnorm import _BatchNorm

from ...core.layer import snake
from ...core.symbol import Input, Symbol
from ...engine.taped import Taped
from ...errors import StriateError
from ...layers import foreign
from ...layers.wrap import Opaque
from ...model import Model
from ...store import model_file
from ..dialect import Patch
from ..session import Script, Session
from .port import ported

LARGEST = 512  # samples of a call in training: more would take too much memory at once
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Followed:
    """A module whose code could be followed for one shape of input: as a native model."""

    def __init__(self, model: Model, module: nn.Module, training: bool) -> None:
        self.model = model
        self.weights = list(model.parameters())
        self.norms = [one for one in module.modules() if isinstance(one, _BatchNorm)]
        self.taped = Taped(model) if training else None

    def train(self, x: Tensor) -> Tensor:
        """Return the output, in training."""
        assert self.taped is not None
        for norm in self.norms:
            if norm.training and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
        return self.taped(x, self.weights)

    def evaluate(self, x: Tensor) -> Tensor | None:
        """Return the output without a history, or None where there is no plan."""
        found = self.model.predictor([x.detach().numpy()])
        return None if found is None else torch.from_numpy(found[0].copy())


class Caller:
    """Decides for each call of a module, and remembers what it has found out about it."""

    def __init__(self, script: Script, original: Callable[..., Any]) -> None:
        self.script, self.original = script, original
        self.known: weakref.WeakKeyDictionary[nn.Module, dict[Any, Followed | None]] = (
            weakref.WeakKeyDictionary()
        )
        self.here, self.lock = threading.local(), threading.Lock()

    def __call__(self, module: nn.Module, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        """Return what the module gives."""
        if getattr(self.here, "inside", False) or torch._C._get_tracing_state():
            return self.original(module, *args, **words)
        self.here.inside = True
        try:
            x = args[0] if len(args) == 1 and not words else None
            if isinstance(x, Tensor):
                out = self._native(_inside(module), x)
                if out is not None:
                    self.script.native_is_running()
                    return out
            return self.original(module, *args, **words)
        finally:
            self.here.inside = False

    def _native(self, module: nn.Module, x: Tensor) -> Tensor | None:
        parts = _parts(module)
        weights = [one for part in parts for one in part._parameters.values() if one is not None]
        if not weights:
            return None
        training, grad = module.training, torch.is_grad_enabled()
        if training and grad:
            self.script.trains(module, Trained(module, tuple(x.shape[1:]), self.script))
            self.script.saw(x)
        if not _plain(x) or (training and len(x) > LARGEST) or (grad and not training):
            return None
        modes = tuple(part.training for part in parts)
        if any(mode is not training for mode in modes):
            return None  # a normalisation that is frozen, say
        if _hooked(parts):
            return None
        key = (tuple(x.shape[1:]), modes, tuple((id(one), one.requires_grad) for one in weights))
        with self.lock:  # while its code is followed, its weights hold no numbers
            kept = self.known.setdefault(module, {})
            if key not in kept:
                kept[key] = follow(module, tuple(x.shape[1:]), training)
            followed = kept[key]
        if followed is None:
            return None
        return followed.train(x) if training else followed.evaluate(x)


def _inside(module: nn.Module) -> nn.Module:
    """Return the module in one that only says how it is to be run: in parts, or compiled."""
    parallel = isinstance(module, nn.DataParallel) and not module.device_ids
    if not parallel and type(module).__name__ != "OptimizedModule":
        return module
    within = module._modules.get("module" if parallel else "_orig_mod")
    return module if within is None or _hooked([module]) else within


def _parts(module: nn.Module) -> list[nn.Module]:
    """Return a module and all modules in it, each once, many times faster than `modules()`."""
    found, waiting = {id(module): module}, [module]
    while waiting:
        for part in waiting.pop()._modules.values():
            if part is not None and id(part) not in found:
                found[id(part)] = part
                waiting.append(part)
    return [*found.values()]


def _hooked(parts: Sequence[nn.Module]) -> bool:
    return any(vars(torch_module).get(f"_global{kind}") for kind in HOOKS) or any(
        part._forward_hooks
        or part._forward_pre_hooks
        or part._backward_hooks
        or part._backward_pre_hooks
        for part in parts
    )


def _plain(x: Tensor) -> bool:
    plain = x.dtype is torch.float32 and x.device.type == "cpu" and x.is_contiguous()
    return plain and type(x) is Tensor and not x.requires_grad and x.ndim in (2, 4) and len(x) > 0


def follow(module: nn.Module, shape: tuple[int, ...], training: bool) -> Followed | None:
    """Return the native model of a module's code, or None where it must run as it is written."""
    tensors = [*module.parameters(), *module.buffers()]
    if any(one.is_floating_point() and one.dtype is not torch.float32 for one in tensors):
        return None
    if any(isinstance(one, _BatchNorm) and one.momentum is None for one in module.modules()):
        return None
    try:
        with _watched(module) as watch:
            symbol = start(shape)
            outputs = foreign.trace(module, (symbol,))
        node = outputs[0].node
        if watch.changed or len(outputs) != 1 or node is None or isinstance(node.layer, Opaque):
            return None
        followed = Followed(Model(symbol, outputs[0]), module, training)
    except (StriateError, RuntimeError, TypeError, ValueError):
        return None
    mine, theirs = ({id(one) for one in net.parameters()} for net in (followed.model, module))
    if mine != theirs or (followed.taped is not None and followed.taped.why_not):
        return None
    return followed


def start(shape: tuple[int, ...]) -> Symbol:
    """Return the input of a network for samples of this shape."""
    return Input(shape, data_format="channels_first") if len(shape) == 3 else Input(shape)


class _Watch:
    changed = False


@contextlib.contextmanager
def _watched(module: nn.Module) -> Iterator[_Watch]:
    """Find out whether code that is followed changes the module, draws, or prints; undo it."""
    watch, said = _Watch(), io.StringIO()
    before = [(one, dict(vars(one))) for one in module.modules()]
    draws = _draws()
    with contextlib.redirect_stdout(said):
        try:
            yield watch
        finally:
            for one, values in before:
                now = vars(one)
                if now.keys() != values.keys() or any(now[key] is not values[key] for key in now):
                    watch.changed = True
                    now.clear()
                    now.update(values)
    watch.changed = watch.changed or bool(said.getvalue()) or draws != _draws()


def _draws() -> tuple[Any, ...]:
    """Return where the generators are."""
    numpy = np.random.get_state()  # noqa: NPY002  what scripts draw from
    return random.getstate(), numpy[1].tobytes(), numpy[2], torch.get_rng_state().numpy().tobytes()  # type: ignore[index]


class Trained:
    """An outermost module that a loop of the script's own has trained."""

    def __init__(self, module: nn.Module, shape: tuple[int, ...], script: Script) -> None:
        self.module, self.shape, self.script = module, shape, script

    @property
    def name(self) -> str:
        """Name of the class."""
        return snake(type(self.module).__name__)

    def kept(self, run: Any, stem: str) -> Model | None:
        """Write the weights into the folder of a run; return the network where it can be kept."""
        file = f"{stem or 'state_dict'}.safetensors"
        run.write(file, model_file.pack(self.module.state_dict()))
        if len(self.shape) not in (1, 3):
            return None
        try:
            return self._in_layers(copy.deepcopy(self.module).eval())
        except (StriateError, RuntimeError, TypeError, ValueError) as error:
            why = f"{error.where} {error.what}" if isinstance(error, StriateError) else str(error)
            why = why.partition("\n")[0].partition(". ")[0]
            self.script.note(f"the run keeps the weights alone, {file}: {why}")
            return None

    def _in_layers(self, module: nn.Module) -> Model:
        """Return the network in native layers, or else in those of torch."""
        symbol = start(self.shape)
        with contextlib.suppress(StriateError, RuntimeError, TypeError, ValueError):
            outputs = foreign.trace(module, (symbol,))
            found = ported(Model(symbol, outputs[0]), start(self.shape))
            if found is not None:
                return found
        return Model.from_torch(module, self.shape).in_layers()


def patches(session: Session) -> Sequence[Patch]:
    """Let calls of modules go through a Caller."""
    caller = Caller(session.script, nn.Module.__call__)

    def call(self: nn.Module, *args: Any, **words: Any) -> Any:
        return caller(self, args, words)

    return ((nn.Module, "__call__", call),)
