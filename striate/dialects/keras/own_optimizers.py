"""Optimizers that a script writes itself: each step of training runs their code.

Keras 1 and 2 ask for `get_updates`, whose code makes its variables anew at each call: those of the
first call are given again, and updates are made once all are known, as in one run of a graph.
TensorFlow 2 asks for `_resource_apply_dense`, later `update_step`, as Keras 3 does.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ... import optimizers as native
from ...optimizers.optimizer import State
from ..symbolic import tensor
from .session import KerasSession

STEPS = ("apply_gradients", "apply")  # of all weights together
RULES = ("get_updates", "update_step", "_resource_apply_dense")


def written(kind: type, *names: str) -> str:
    """Return the first of these methods that a class of a script's own defines."""
    for name in names:
        found = getattr(kind, name, None)
        if found is not None and not str(getattr(found, "__module__", "")).startswith("striate."):
            return name
    return ""


def steps(kind: type, folds: bool) -> bool:
    """Return whether a class of a script's own says how weights change.

    Up to Keras 2.3 (`folds`), `get_gradients` is asked too.
    """
    return bool(written(kind, *STEPS, *RULES, *(("get_gradients",) if folds else ())))


@dataclasses.dataclass(frozen=True)
class Written(native.Optimizer):
    """A rule that is code of a script's optimizer; a `learning_rate` is one that was set later."""

    learning_rate: Any = None
    script: Any = None

    def rate(self, state: State) -> float:
        """Return the learning rate."""
        return float(self.script.lr) if self.learning_rate is None else super().rate(state)

    def sees(self, loss: Tensor) -> None:
        """Let the script's code have the loss."""
        vars(self.script)["loss_now"] = loss.detach()

    def update(
        self,
        params: Sequence[Tensor],
        grads: Sequence[Tensor | None],
        state: State,
        lr: float,
        names: Sequence[str] = (),
    ) -> None:
        """Run the script's code."""
        if self.learning_rate is not None:
            self.script.told(lr)
        name = written(type(self.script), *STEPS)
        with torch.no_grad():
            if name == "apply":
                self.script.apply(list(grads), list(params))
            else:
                self.script.apply_gradients(list(zip(grads, params, strict=True)))
        state["step"] += 1


@dataclasses.dataclass
class Recall:
    """What one call of `get_updates` has made: its variables, and updates that wait."""

    made: list[Tensor] = dataclasses.field(default_factory=list)
    at: int = 0
    waiting: list[tuple[Tensor, Any]] = dataclasses.field(default_factory=list)

    def variable(self, make: Callable[[], Tensor]) -> Tensor:
        """Return a new variable in the first call, that one in others."""
        if self.at == len(self.made):
            self.made.append(make())
        self.at += 1
        return self.made[self.at - 1]


def recalled(session: KerasSession, make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes variables, known again within `get_updates`."""

    def made(*args: Any, **words: Any) -> Any:
        recall = session.recall
        return make(*args, **words) if recall is None else recall.variable(
            lambda: make(*args, **words))  # fmt: skip

    return made


def awaited(session: KerasSession, new: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return an update, `new` of a variable and an argument, that waits within `get_updates`."""

    def update(x: Any, value: Any) -> Any:
        made = new(x, value)
        if session.recall is None:
            return x.assign(made)
        session.recall.waiting.append((x, made))
        return x

    return update


class Writing:
    """What optimizers of a script's own find in the class that they derive from."""

    session: KerasSession

    def told(self, rate: float) -> None:
        """Take a learning rate that a callback has set."""
        own = vars(self)
        for name in ("lr", "learning_rate", "_learning_rate"):
            if isinstance(own.get(name), Tensor):
                own[name].assign(rate)
            elif name in own:
                own[name] = rate
        own["hyper"]["learning_rate"] = rate

    def own_step(self, grads: list[Any], weights: list[Tensor]) -> None:
        """Change weights by the script's rule."""
        own: Any = vars(self)
        known = [(g, w) for g, w in zip(grads, weights, strict=True) if g is not None]
        grads, weights = [g for g, _ in known], [w for _, w in known]
        name = written(type(self), *RULES)
        if name == "get_updates":
            self._updates(grads, weights)
        elif name == "update_step":
            if not own.get("placed"):
                own["placed"] = {id(weight): at for at, weight in enumerate(weights)}
                self.build(weights)  # type: ignore[attr-defined]
            takes = len(inspect.signature(self.update_step).parameters)  # type: ignore[attr-defined]
            for g, w in known:
                more = (tensor(float(self.lr)),) if takes > 2 else ()  # type: ignore[attr-defined]
                self.update_step(g, w, *more)  # type: ignore[attr-defined]
        else:
            if written(type(self), "_create_slots") and not own.get("placed"):
                own["placed"] = {id(weight): at for at, weight in enumerate(weights)}
                self._create_slots(weights)  # type: ignore[attr-defined]
            for g, w in known:
                self._resource_apply_dense(g, w)  # type: ignore[attr-defined]
        own["made"] = own.get("made", 0) + 1

    def _updates(self, grads: list[Tensor], weights: list[Tensor]) -> None:
        own, session = vars(self), self.session
        recall = own.setdefault("recall", Recall())
        recall.at, recall.waiting, own["grads"] = 0, [], grads
        session.recall = recall
        loss = own.pop("loss_now", torch.zeros(()))
        given = {"loss": loss, "params": weights, "constraints": {}, "cost": None}
        takes = inspect.signature(self.get_updates).parameters  # type: ignore[attr-defined]
        try:
            updates = self.get_updates(  # type: ignore[attr-defined]
                **{name: given[name] for name in takes if name in given}
            )
        finally:
            session.recall, own["grads"] = None, None
        pairs = [one for one in updates or () if isinstance(one, tuple) and len(one) == 2]
        for variable, value in (*recall.waiting, *pairs):
            variable.copy_(tensor(value).to(variable.dtype))

    # ---- words of TensorFlow 2's optimizers ------------------------------------------------------

    def add_slot(self, var: Tensor, slot_name: str, initializer: Any = "zeros",
                 **words: Any) -> Tensor:  # fmt: skip
        """Return what is kept for a weight under a name, zeros at first."""
        slots = vars(self).setdefault("slots", {})
        return slots.setdefault((id(var), slot_name), torch.zeros_like(var.detach()))

    get_slot = add_slot

    def add_variable_from_reference(
        self, reference_variable: Any = None, name: Any = None, initializer: Any = "zeros",
        **words: Any,
    ) -> Tensor:  # fmt: skip
        """Return zeros of a weight's shape."""
        like = words.get("model_variable", reference_variable)
        given = words.get("initial_value")
        return torch.zeros_like(like.detach()) if given is None else tensor(given).clone()

    def add_variable(self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None,
                     name: Any = None, **words: Any) -> Tensor:  # fmt: skip
        """Return zeros."""
        return torch.zeros(tuple(shape))

    def _get_variable_index(self, variable: Tensor) -> int:
        found: int = vars(self)["placed"][id(variable)]
        return found

    def _var_key(self, variable: Tensor) -> int:
        return id(variable)

    @property
    def _index_dict(self) -> dict[int, int]:
        found: dict[int, int] = vars(self)["placed"]
        return found

    def _set_hyper(self, name: str, value: Any) -> None:
        vars(self)["hyper"][name] = value

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        value = vars(self)["hyper"][name]
        return tensor(value() if callable(value) and not isinstance(value, Tensor) else value)

    _serialize_hyperparameter = _get_hyper

    def _decayed_lr(self, dtype: Any = None) -> Tensor:
        return tensor(float(self.lr))  # type: ignore[attr-defined]

    def _build_learning_rate(self, rate: Any) -> Any:
        return rate

    def assign(self, variable: Tensor, value: Any) -> None:
        """Set a variable."""
        variable.copy_(tensor(value))

    def assign_add(self, variable: Tensor, value: Any) -> None:
        """Add to a variable."""
        variable.add_(tensor(value))

    def assign_sub(self, variable: Tensor, value: Any) -> None:
        """Subtract from a variable."""
        variable.sub_(tensor(value))
