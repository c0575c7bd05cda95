"""Parts: what modules and weights a model has, as long as no model has got, lost or changed one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .node import Leaf

if TYPE_CHECKING:
    from .model import Model


class Whole:
    """A model with all parts of it, however deep: their attributes, and their own weights."""

    def __init__(self, model: Model) -> None:
        parts = [*model.iter_models()]
        self.rows = [(one, vars(one), [*one.own().values()]) for one in parts]
        self.carrying = [one for one in parts if one.carries]

    def rest(self) -> None:
        """Let what follows have no history."""
        for _, attributes, own in self.rows:
            attributes["recording"] = False
            for variable in own:
                variable.leaf = None


class Parts:
    """What is known of models, by their `id`; `version` is another one after each change."""

    def __init__(self) -> None:
        self.version = 0
        self.known: dict[int, Whole] = {}  # they hold their models, until the next one is made

    def of(self, model: Model) -> Whole:
        """Return what a model consists of."""
        whole = self.known.get(id(model))
        if whole is None:
            whole = self.known[id(model)] = Whole(model)
        return whole

    def changed(self) -> None:
        """Forget all that is known."""
        self.version += 1
        self.known = {}


PARTS = Parts()


def _told(change: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a dictionary that tells of the change."""

    def method(self: Any, *args: Any, **words: Any) -> Any:
        PARTS.changed()
        return change(self, *args, **words)

    return method


class Params(dict[str, Any]):
    """Weights of a layer by name, as keys and as attributes; there are none before the first call.

    Raises: AttributeError for a weight that is not there (yet).
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"there is no weight {name!r}: a layer makes its weights in its first call"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    __setitem__, __delitem__ = _told(dict.__setitem__), _told(dict.__delitem__)
    update, setdefault = _told(dict.update), _told(dict.setdefault)
    pop, popitem, clear = _told(dict.pop), _told(dict.popitem), _told(dict.clear)


class Recording:
    """What is computed inside of `with model.train():` is recorded with the model's weights."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __enter__(self) -> None:
        model = self.model
        if model.script is not None:
            model.script.trains(model, model)
        self.whole = whole = PARTS.of(model)
        for part, attributes, own in whole.rows:
            attributes["recording"] = recording = part.updating  # past __setattr__
            for variable in own:
                variable.leaf = Leaf(variable) if recording and variable.auto_update else None
        for one in whole.carrying:
            one.carry_on()

    def __exit__(self, *failed: object) -> None:
        now = PARTS.of(self.model)
        now.rest()
        if now is not self.whole:  # parts that the model has no more, and weights
            self.whole.rest()
