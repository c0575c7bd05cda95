"""Idioms of older PyTorch: what torch has lost since, given back while a script runs."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import torch
import torch.utils.model_zoo
from torch import Tensor
from torch.utils import data

from ...errors import caller
from ..dialect import Patch
from ..scalars import SummaryWriter
from ..session import Session
from ..table import DialectError
from . import absent_gpu, checkpoints, exported, lost, schedules, shortened

SERIAL = {"num_workers": 0, "pin_memory": False, "persistent_workers": False,
          "prefetch_factor": None, "multiprocessing_context": None, "timeout": 0}  # fmt: skip
FEW = 4  # processors up to which the loader works in the script's own process


def patches(session: Session) -> Sequence[Patch]:
    """Return the attributes of torch that are replaced."""
    rows: list[Patch] = [
        (data.dataloader._BaseDataLoaderIter, "next", _next),
        (Tensor, "eq", _in_order(Tensor.eq)),
        (data.DataLoader, "__init__", _serial(session, data.DataLoader.__init__)),
        *lost.patches(session.version.name),
        *checkpoints.patches(),
        *_published(),
        *schedules.patches(session.version.name),
        *exported.patches(),
        *shortened.patches(session),
        *_tensorboard(session),
    ]
    if not torch.cuda.is_available():
        rows += absent_gpu.patches(session)
        rows.append((torch, "compile", _uncompiled(torch.compile)))
    if session.version.name == "pytorch0":
        rows.append((Tensor, "__getitem__", _indexed(Tensor.__getitem__)))
    return rows


def _next(self: Any) -> Any:
    """Return the next batch: `it.next()` of Python 2."""
    return next(self)


def _in_order(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def eq(self: Any, *args: Any, **words: Any) -> Any:
        """Return values that lie in their order, as up to 1.4: `correct[:k].view(-1)` of them."""
        return original(self, *args, **words).contiguous()

    return eq


def _indexed(original: Callable[..., Any]) -> Callable[..., Any]:
    def getitem(self: Tensor, key: Any) -> Any:
        """Return a part; `loss.data[0]` of a number is Python's, what has a history keeps it."""
        if self.ndim == 0 and isinstance(key, int) and key == 0:
            return self if self.requires_grad else self.item()
        return original(self, key)

    return getitem


def _uncompiled(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def prepare(model: Any = None, *, backend: Any = "inductor", mode: Any = None,
                options: Any = None, **words: Any) -> Any:  # fmt: skip
        """Follow the code as torch does, but leave it to torch's own kernels and the native ones.

        For the processor torch writes C++, which needs a compiler and more time than it saves.
        """
        if backend == "inductor":
            return original(model, backend="eager", **words)
        return original(model, backend=backend, mode=mode, options=options, **words)

    return prepare


def _serial(session: Session, original: Callable[..., None]) -> Callable[..., None]:
    names = list(inspect.signature(original).parameters)

    @functools.wraps(original)
    def begin(self: Any, *args: Any, **words: Any) -> None:
        given = {**dict(zip(names[1:], args, strict=False)), **words}
        if given.get("num_workers") and (os.cpu_count() or 1) <= FEW:
            session.note("DataLoader: num_workers=0, on so few processors that is faster")
            given |= SERIAL
        if not torch.cuda.is_available():
            given["pin_memory"] = False
        shortened.sampled(session, given.get("dataset"), given.get("sampler"))
        original(self, **given)

    return begin


def _published() -> Iterator[Patch]:
    """Say where the file of trained weights would be, where it is not and nothing is fetched."""
    original = torch.hub.load_state_dict_from_url

    @functools.wraps(original)
    def weights(url: str, model_dir: Any = None, *args: Any, **words: Any) -> Any:
        folder = Path(model_dir or Path(torch.hub.get_dir()) / "checkpoints")
        try:
            return original(url, model_dir, *args, **words)
        except URLError as error:
            name = words.get("file_name") or url.rpartition("/")[2]
            raise DialectError(
                name, "the trained weights are not on this machine, and could not be fetched",
                got=f"{url}: {error.reason}", need=f"the published file in {folder}",
                fix="begin with weights that are drawn: leave the loading out", at=caller(),
            ) from None  # fmt: skip

    yield (torch.hub, "load_state_dict_from_url", weights)
    yield (torch.utils.model_zoo, "load_url", weights)


class _Loaded:
    """All loaded modules as attributes, so that one of them can be replaced for a while."""


def _tensorboard(session: Session) -> Iterator[Patch]:
    """Serve a SummaryWriter that writes a table, where tensorboard is not installed."""
    if PathFinder.find_spec("tensorboard") is None:
        made = ModuleType("torch.utils.tensorboard")
        vars(made)["SummaryWriter"] = type("SummaryWriter", (SummaryWriter,), {"session": session})
        loaded = _Loaded()
        loaded.__dict__ = sys.modules
        yield (loaded, made.__name__, made)
        yield (torch.utils, "tensorboard", made)
