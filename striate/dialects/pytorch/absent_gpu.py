"""Scripts that are written for a graphics card, where there is none: all stays on the processor."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils import _device

from ..dialect import Patch
from ..session import Session

MAKERS = (
    "tensor", "as_tensor", "zeros", "ones", "empty", "full", "rand", "randn", "randint", "randperm",
    "arange", "linspace", "eye", "zeros_like", "ones_like", "empty_like", "full_like", "rand_like",
    "randn_like", "Generator",
)  # fmt: skip
TENSORS = ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
NOTHING = ("set_device", "synchronize", "reset_peak_memory_stats", "reset_max_memory_allocated")
NUMBERS = ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved",
           "memory_cached", "max_memory_cached", "current_device")  # fmt: skip
ACCELERATORS = tuple(
    kind for kind, there in (("cuda", False), ("mps", torch.backends.mps.is_available()),
                             ("xpu", torch.xpu.is_available())) if not there
)  # fmt: skip
NOTE = "cuda(): there is no GPU, all is computed on the processor"


def patches(session: Session) -> Iterator[Patch]:
    """Yield the rows by which a script's own words for a graphics card mean the processor."""

    def stay(self: Any, *args: Any, **words: Any) -> Any:
        """Return the same: there is no GPU."""
        session.note(NOTE)
        return self

    for kind in (Tensor, nn.Module):
        yield kind, "cuda", stay
        yield kind, "to", _here(session, kind.to)
    _device._device_constructors()  # torch remembers its own functions, before they are wrapped
    scripted = any(word.startswith("torch.jit") or word == "jit" for _, word, _ in
                   session.script.words)  # fmt: skip
    for name in () if scripted else MAKERS:  # torch.jit knows its own functions alone
        if isinstance(made := getattr(torch, name), type):
            yield torch, name, _generator(session)
        else:
            yield torch, name, _here(session, made)
    yield from _of_cuda()
    yield torch, "set_default_tensor_type", _default(session)
    yield torch.distributed, "init_process_group", _by_gloo(session)
    yield DistributedDataParallel, "__init__", _undivided(DistributedDataParallel.__init__)
    yield nn.parallel, "data_parallel", data_parallel


def data_parallel(
    module: nn.Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Any:
    """Return what a module gives for the whole batch, as one card would."""
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*given, **(module_kwargs or {}))


def _of_cuda() -> Iterator[Patch]:
    cuda: Any = torch.cuda
    for name in TENSORS:
        yield cuda, f"{name}Tensor", getattr(torch, f"{name}Tensor")
    for name in NOTHING:
        yield cuda, name, lambda *args, **words: None
    for name in NUMBERS:
        yield cuda, name, lambda *args, **words: 0
    yield cuda, "Event", Event
    yield cuda, "Stream", Stream
    yield cuda, "current_stream", Stream
    yield cuda, "stream", Stream
    yield cuda, "device", Stream
    yield cuda, "get_device_name", lambda *args: "cpu"
    yield cuda, "get_device_capability", lambda *args: (0, 0)
    yield cuda, "get_device_properties", lambda *args: SimpleNamespace(
        name="cpu", total_memory=0, major=0, minor=0, multi_processor_count=0)  # fmt: skip


def elsewhere(value: Any) -> bool:
    """Return whether a place is the memory of an accelerator: there is none."""
    if isinstance(value, torch.device):
        return value.type in ACCELERATORS
    return isinstance(value, str) and value.partition(":")[0] in ACCELERATORS


def _here(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function for which a graphics card is the processor."""

    @functools.wraps(original)
    def call(*args: Any, **words: Any) -> Any:
        if elsewhere(words.get("device")):
            session.note(NOTE)
            words["device"] = "cpu"
        elif len(args) > 1 and elsewhere(args[1]):
            session.note(NOTE)
            args = (args[0], "cpu", *args[2:])
        return original(*args, **words)

    return call


def _generator(session: Session) -> Any:
    """Return `torch.Generator`, whose device is the processor."""
    kind = torch.Generator

    class Known(type):
        def __instancecheck__(cls, item: object) -> bool:
            return isinstance(item, kind)

        def __call__(cls, device: Any = "cpu") -> Any:
            return kind("cpu" if elsewhere(device) else device)

    return Known("Generator", (), {})


def _default(session: Session) -> Callable[[Any], None]:
    original = torch.set_default_tensor_type

    @functools.wraps(original)
    def choose(t: Any) -> None:
        if isinstance(t, str) and ".cuda." in t:
            session.note(NOTE)
            t = t.replace(".cuda.", ".")
        original(t)

    return choose


def _by_gloo(session: Session) -> Callable[..., None]:
    original = torch.distributed.init_process_group

    @functools.wraps(original)
    def begin(backend: Any = None, *args: Any, **words: Any) -> None:
        if backend is not None and "nccl" in str(backend):
            session.note("init_process_group: nccl is for GPUs; processes speak by gloo")
            backend = "gloo"
        original(backend, *args, **words)

    return begin


def _undivided(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def begin(self: Any, module: nn.Module, device_ids: Any = None, output_device: Any = None,
              *args: Any, **words: Any) -> None:  # fmt: skip
        original(self, module, None, None, *args, **words)

    return begin


class Stream:
    """A queue of a graphics card: what is asked for is done at once."""

    def __init__(self, *args: Any, **words: Any) -> None:
        pass

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: Any) -> None:
        """Go on."""

    def synchronize(self, *args: Any) -> None:
        """Do nothing."""

    wait_stream = wait_event = record_event = synchronize


class Event:
    """A moment in such a queue."""

    def __init__(self, *args: Any, **words: Any) -> None:
        self.at = 0.0

    def record(self, stream: Any = None) -> None:
        """Note the time."""
        self.at = time.perf_counter()

    def synchronize(self) -> None:
        """Do nothing: it is over."""

    def query(self) -> bool:
        """Return that it is over."""
        return True

    def elapsed_time(self, end_event: Event) -> float:
        """Return the milliseconds until another moment."""
        return (end_event.at - self.at) * 1000
