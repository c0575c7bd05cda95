"""GradientTape: what a script computes inside of it can be differentiated; networks natively."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ...engine.taped import Taped
from ...errors import StriateError
from ...lower.trace import trace
from ...model import Model
from .session import KerasSession

LARGEST = 512  # samples of a call: more would take too much memory at once


class _Open(threading.local):
    """The tapes that run in this thread."""

    def __init__(self) -> None:
        self.tapes: list[GradientTape] = []


OPEN = _Open()


class GradientTape:
    """What a script computes inside of it can be differentiated."""

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent

    def __enter__(self) -> GradientTape:
        self.recording = torch.enable_grad()
        self.recording.__enter__()
        OPEN.tapes.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        OPEN.tapes.remove(self)
        self.recording.__exit__(*error)

    def watch(self, tensors: Any) -> None:
        """Differentiate with respect to these too."""
        several = tensors if isinstance(tensors, (list, tuple)) else [tensors]
        for one in several:
            if one.is_leaf and one.is_floating_point():
                one.requires_grad_(True)

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None,
                 unconnected_gradients: Any = None, **words: Any) -> Any:  # fmt: skip
        """Return the gradients of a number, or of the sum of several, one for each source."""
        alone = isinstance(sources, Tensor)
        flat = [sources] if alone else list(sources)
        several = target if isinstance(target, (list, tuple)) else [target]
        total = torch.stack([one.sum() for one in several]).sum()
        known = [one for one in flat if isinstance(one, Tensor) and one.requires_grad]
        if total.grad_fn is None:
            found: Any = [None] * len(known)
        else:
            found = torch.autograd.grad(
                total, known, retain_graph=True, allow_unused=True,
                create_graph=torch.is_grad_enabled(),
            )  # fmt: skip
        by_id = {id(source): grad for source, grad in zip(known, found, strict=True)}
        out = [by_id.get(id(source)) for source in flat]
        return out[0] if alone else out

    def stop_recording(self) -> Any:
        """Compute without being able to differentiate."""
        return torch.no_grad()

    def reset(self) -> None:
        """Do nothing: the graph belongs to the tensors."""


class Trained:
    """A model that a loop of the script's own trains."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    def seen_only(self, others: Any) -> bool:
        """Return False: what is called is told by the script."""
        return False

    def kept(self, run: Any, stem: str) -> Model:
        """Return the model, which the folder of a run keeps whole."""
        return self.model


class Caller:
    """Lets a call of a whole network go through a plan, where there is one.

    Inside of a tape, not where the tape may be differentiated in its turn, or where a layer has a
    penalty on what it gives. Outside, in inference, where nothing else makes gradients: in
    TensorFlow, or where torch records nothing.
    """

    def __init__(self, session: KerasSession) -> None:
        self.session = session
        self.known: weakref.WeakKeyDictionary[nn.Module, dict[Any, Taped | None]] = (
            weakref.WeakKeyDictionary()
        )

    def __call__(self, model: nn.Module, args: tuple[Any, ...]) -> Tensor | None:
        """Return what the network gives, or None where its layers are to be called."""
        if not OPEN.tapes:
            return self.asked(model, args)
        if not isinstance(model, Model) or len(args) != 1:
            return None
        self._note(model, args[0])
        found = self._natively(model, args[0])
        if found is None:
            self.session.script.torch_is_running()
        return found

    def _natively(self, model: Model, x: Any) -> Tensor | None:
        """Return what the network gives inside of a tape, where a plan can compute it."""
        if len(OPEN.tapes) != 1 or self.session.adds_loss:
            return None
        (tape,) = OPEN.tapes
        if tape.persistent or not torch.is_grad_enabled() or not isinstance(x, Tensor):
            return None
        parts = list(model.modules())
        if not _plain(x) or len(x) > LARGEST or not self._tells_all(model, parts):
            return None
        weights = list(model.parameters())
        key = (
            id(model._graph),
            tuple(part.training for part in parts),
            tuple((id(one), one.requires_grad) for one in weights),
        )
        kept = self.known.setdefault(model, {})
        if key not in kept:
            kept[key] = self._taped(model, all(part.training for part in parts))
        taped = kept[key]
        if taped is None:
            return None
        if taped.foreign:
            self.session.script.torch_is_running()
        self.session.script.native_is_running()
        (x,) = model._taken((x,))
        return taped(x, weights)

    def asked(self, model: nn.Module, args: tuple[Any, ...], otherwise: Any = None) -> Any:
        """Return the output of a network in inference, without a history."""
        if OPEN.tapes or not isinstance(model, Model) or len(args) != 1:
            return otherwise
        (x,), parts = args, list(model.modules())
        recorded = self.session.version.name != "tf" and torch.is_grad_enabled()
        if recorded or self.session.adds_loss or any(part.training for part in parts):
            return otherwise
        if not isinstance(x, Tensor) or not _plain(x) or x.requires_grad:
            return otherwise
        if not self._tells_all(model, parts):
            return otherwise
        found = model.predictor([x.detach().numpy()])
        return torch.from_numpy(found[0]) if found is not None and len(found) == 1 else otherwise

    def _tells_all(self, model: Model, parts: list[nn.Module]) -> bool:
        """Return whether nothing but the graph says what a call does."""
        return model._graph is not None and not any(map(self._hooked, parts))

    def _note(self, model: Model, x: Any) -> None:
        """Tell the script's run what is trained, and on which range of values."""
        script = self.session.script
        if id(model) in script.trained or any(one.requires_grad for one in model.parameters()):
            script.trains(model, Trained(model))
        if isinstance(x, Tensor) and x.is_floating_point():
            script.saw(x)

    def _hooked(self, part: nn.Module) -> bool:
        adds = self.session.of(part).activity or getattr(part, "added_symbols", ())
        return bool(part._forward_hooks or part._forward_pre_hooks or adds)

    @contextmanager
    def _nested(self) -> Iterator[None]:
        """Have layers called as from within a call: in the mode that they are in."""
        session = self.session
        before = session.inside, session.nested
        session.inside = session.nested = True
        try:
            yield
        finally:
            session.inside, session.nested = before

    def _taped(self, model: Model, training: bool) -> Taped | None:
        tensors = [*model.parameters(), *model.buffers()]
        floats = [one for one in tensors if one.is_floating_point()]
        if any(one.device.type != "cpu" or one.dtype is not torch.float32 for one in floats):
            return None
        try:
            if model.untold():
                return None
            taped = Taped(model, within=self._nested)
            still = [step.operation for step in trace(model.graph, False).steps]
        except StriateError:
            return None
        moving = [step.operation for step in taped.program.steps]
        if taped.why_not or not (training or moving == still):
            return None
        return taped


def _plain(x: Tensor) -> bool:
    """Return whether a plan takes a batch."""
    return x.dtype is torch.float32 and x.device.type == "cpu" and len(x) > 0
