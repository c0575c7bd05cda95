"""Networks of a script natively: a call of the outermost module goes through a plan where it can.

The module's own code is followed once. It is called as ever where a kernel is missing, where it has
hooks, where its code changes something beside the output or draws at random, where only a part of
it is in training, and in evaluation with gradients.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...engine.taped_plan import Within
from ...layers import foreign
from ...layers.wrap import TorchCall
from ...model import Model
from ..dialect import Patch
from ..session import Script, Session
from . import deferred
from .deferred import Deferred
from .known import LARGEST, MOST_TURNS, Again, Followed, Known, Same, hooked, plain
from .trained import parallel, start, trained
from .twins import Twin

HOOKING = ("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
           "register_full_backward_pre_hook", "register_backward_hook")  # fmt: skip


class Caller:
    """Decides for each call of a module, and remembers what it has found out about it."""

    def __init__(self, script: Script, original: Callable[..., Any]) -> None:
        self.script, self.original = script, original
        self.known: weakref.WeakKeyDictionary[nn.Module, Known] = weakref.WeakKeyDictionary()
        self.within: dict[int, list[weakref.ref[nn.Module]]] = {}  # the networks, by a part's id
        self.here = threading.local()

    def __call__(self, module: nn.Module, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        """Return what the module gives."""
        if getattr(self.here, "inside", False) or _transformed():
            return self.original(module, *args, **words)
        if args and type(args[0]) is Deferred:
            if type(module) in deferred.MODULES and not words and not hooked([module]):
                loss = deferred.loss_of(module, args)
                if loss is not None:
                    return loss
            elif len(args) == 1:
                args[0].made.fill(args[0])
        self.here.inside = True
        try:
            x = args[0] if len(args) == 1 and not words else None
            if isinstance(x, Tensor):
                out = self._native(module, x)
                if out is not None:
                    self.script.native_is_running()
                    return out
            if (
                module.training
                and (module._modules or module._parameters)
                and torch.is_grad_enabled()
                and any(True for _ in module.parameters())
            ):
                self.script.torch_is_running()
                if not isinstance(x, Tensor) and _of_data((*args, *words.values())):
                    net = _inside(module)
                    before: Any = self.script.trained.get(id(net))
                    self.script.trains(net, trained(net, (), self.script, before))
            return self.original(module, *args, **words)
        finally:
            self.here.inside = False

    def _native(self, module: nn.Module, x: Tensor) -> Tensor | None:
        known = self.known.get(module)
        last = known and known.last
        if not last or not last.holds(x):
            return self._anew(_inside(module), x)
        if not last.training:
            return last.followed.evaluate(x)
        self._trains(module, x)
        return last.followed.train(x)

    def _trains(self, module: nn.Module, x: Tensor) -> None:
        before: Any = self.script.trained.get(id(module))
        self.script.trains(module, trained(module, tuple(x.shape[1:]), self.script, before))
        if x.device.type == "cpu":
            self.script.saw(x)

    def _anew(self, module: nn.Module, x: Tensor) -> Tensor | None:
        if torch.is_autocast_enabled("cpu"):
            return None  # of other numbers than a plan's
        parts = _parts(module)
        if not all(isinstance(part, nn.Module) for part in parts):
            return None  # a function has been put into the place of a layer
        weights = [one for part in parts for one in part._parameters.values() if one is not None]
        if not weights:
            return None
        training, grad = module.training, torch.is_grad_enabled()
        if training and grad:
            self._trains(module, x)
        if not plain(x) or weights[0].device.type != "cpu":
            return None
        if (training and len(x) > LARGEST) or (grad and not training):
            return None
        if any(part.training is not training for part in parts):
            return None  # a normalisation that is frozen, say
        if hooked(parts):
            return None
        key = (tuple(x.shape[1:]), training, tuple(map(id, parts)),
               tuple((id(one), one.requires_grad) for one in weights))  # fmt: skip
        with foreign.FOLLOWING:
            known = self.known.setdefault(module, Known())
            if key not in known.ways:
                if not known.settled() or not all(isinstance(one, nn.Parameter) for one in weights):
                    return None
                again = self._again(module) if training else None
                known.ways[key] = follow(module, key[0], again, self._quiet)
                for part in parts:
                    if id(part) not in self.within:
                        self.within[id(part)] = []
                        weakref.finalize(part, self.within.pop, id(part), None).atexit = False
                    self.within[id(part)].append(weakref.ref(module))
            followed = known.ways[key]
        if followed is None:
            return None
        if followed.taped is not None and followed.taped.foreign:
            self.script.torch_is_running()
        known.last = Same(followed, x, parts)
        return followed.train(x) if training else followed.evaluate(x)

    def _again(self, module: nn.Module) -> Again:
        """Return a function that calls a module by its own code, and leaves its statistics."""
        held = weakref.ref(module)

        def again(x: Tensor, weights: dict[int, Tensor]) -> Tensor:
            module = held()
            assert module is not None
            self.script.note(
                "create_graph=True: gradients of gradients are those of torch's autograd, and the "
                "network is computed by it from now on"
            )
            self.known[module].turns = MOST_TURNS
            self.known[module].ways.clear()
            self.known[module].last = None
            kept = [(buffer, buffer.clone()) for buffer in module.buffers()]
            named = module.named_parameters(remove_duplicate=False)
            try:
                given = {name: weights.get(id(one), one) for name, one in named}
                with self._quiet():
                    y: Tensor = torch.func.functional_call(module, given, (x,))
            finally:
                for buffer, values in kept:
                    buffer.data.copy_(values)
            return y

        return again

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Have modules called as they are written."""
        before, self.here.inside = getattr(self.here, "inside", False), True
        try:
            yield
        finally:
            self.here.inside = before

    def touched(self, part: nn.Module) -> None:
        """Look anew at the networks that a module is a part of."""
        deferred.settle()  # an evaluation sees the statistics of the call before
        for held in self.within.get(id(part), ()):
            module = held()
            known = None if module is None else self.known.get(module)
            if known is not None:
                known.last = None

    def changed(self, part: nn.Module) -> None:
        """Forget how the networks are computed that a module with a new attribute is a part of."""
        with foreign.FOLLOWING:
            for held in self.within.get(id(part), ()):
                module = held()
                known = Known() if module is None else self.known[module]
                known.turns += any(known.ways.values())
                known.ways = {key: way for key, way in known.ways.items() if way is None}
                known.last = None


def _of_data(given: Sequence[Any]) -> bool:
    """Return whether a call is given tensors that nothing trained has made: it is no loss's."""
    tensors = [one for one in given if isinstance(one, Tensor)]
    return bool(tensors) and not any(one.requires_grad for one in tensors)


def _transformed() -> bool:
    """Return whether torch itself follows what is called, or makes another function of it.

    Its profiler does: a script that measures torch's operations shall find them.
    """
    if torch.autograd.profiler._is_profiler_enabled:
        return True
    return bool(torch._C._get_tracing_state() or torch._C._functorch.peek_interpreter_stack())


def _inside(module: nn.Module) -> nn.Module:
    """Return the module in one that only says how it is to be run: in parts, or compiled."""
    divided = parallel(module) and not module.device_ids
    if not divided and type(module).__name__ != "OptimizedModule":
        return module
    within = module._modules.get("module" if divided else "_orig_mod")
    return module if within is None or hooked([module]) else within


def _parts(module: nn.Module) -> list[nn.Module]:
    """Return a module and all modules in it, each once, many times faster than `modules()`."""
    found, waiting = {id(module): module}, [module]
    while waiting:
        for part in waiting.pop()._modules.values():
            if part is not None and id(part) not in found:
                found[id(part)] = part
                if isinstance(part, nn.Module):
                    waiting.append(part)
    return [*found.values()]


def follow(
    module: nn.Module,
    shape: tuple[int, ...],
    again: Again | None,
    within: Within = contextlib.nullcontext,
) -> Followed | None:
    """Return the native model of a module's code, or None where it must run as it is written."""
    tensors = [*module.parameters(), *module.buffers()]
    if any(one.is_floating_point() and one.dtype is not torch.float32 for one in tensors):
        return None
    if any(one.is_inference() for one in tensors):  # whose changes are not counted
        return None
    if any(isinstance(one, _BatchNorm) and one.momentum is None for one in module.modules()):
        return None
    try:
        twin = Twin(module)
        symbol = start(shape)
        with twin.watched():
            outputs = foreign.followed(twin.module, (symbol,))
        if twin.changed or len(outputs) != 1 or outputs[0].node is None:
            return None
        model = Model(symbol, outputs[0])
        if any(_in_another_mode(node.layer, module.training) for node in model.graph.nodes):
            return None
        followed = Followed(model, again, within)
    except Exception:  # whatever its code does where it is followed
        return None
    mine, theirs = ({id(one) for one in net.parameters()} for net in (followed.model, module))
    norms = {id(one) for one in twin.module.modules() if isinstance(one, _BatchNorm)}
    if norms != set(map(id, followed.norms)):  # one of which nothing comes out counts all the same
        return None
    if mine != theirs or (followed.taped is not None and followed.taped.why_not):
        return None
    return followed


def _in_another_mode(layer: nn.Module, training: bool) -> bool:
    """Return whether a function is called in a mode that the code itself gives."""
    return isinstance(layer, TorchCall) and layer.kwargs.get("training", training) is not training


def patches(session: Session) -> Sequence[Patch]:
    """Let calls of modules go through a Caller, and tell it of what is put into modules."""
    caller, change = Caller(session.script, nn.Module.__call__), nn.Module.__setattr__
    convert: Any = nn.Module._apply

    def call(self: nn.Module, *args: Any, **words: Any) -> Any:
        return caller(self, args, words)

    def set_attribute(self: nn.Module, name: str, value: Any) -> None:
        before = vars(self).get(name, caller)
        change(self, name, value)
        if before is not value and id(self) in caller.within:
            (caller.touched if name == "training" else caller.changed)(self)

    def apply(self: nn.Module, *args: Any, **words: Any) -> nn.Module:
        before = [*self._buffers.values()]
        convert(self, *args, **words)
        if any(one is not other for one, other in zip(before, self._buffers.values(), strict=True)):
            caller.changed(self)  # `half`, `double`, `to`
        return self

    return (
        (nn.Module, "__call__", call),
        (nn.Module, "__setattr__", set_attribute),
        (nn.Module, "_apply", apply),
        *((nn.Module, name, _telling(getattr(nn.Module, name), caller)) for name in HOOKING),
    )


def _telling(original: Callable[..., Any], caller: Caller) -> Callable[..., Any]:
    """Return a method of modules after which networks are looked at anew."""

    @functools.wraps(original)
    def method(self: nn.Module, *args: Any, **words: Any) -> Any:
        caller.touched(self)
        return original(self, *args, **words)

    return method
