"""CallbackList: several callbacks as one, which a script's own loop calls."""

from __future__ import annotations

from typing import Any

from .callbacks import Callback
from .progress import History

MOMENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList:
    """Tells each of several callbacks of the moments of training."""

    def __init__(self, callbacks: Any = None, add_history: bool = False, add_progbar: bool = False,
                 model: Any = None, **params: Any) -> None:  # fmt: skip
        several = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
        self.callbacks = [one for one in several if one is not None]
        if add_history:
            self.callbacks.append(History())
            if model is not None:
                vars(model)["history"] = self.callbacks[-1]
        self.model, self.params = model, params
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Any) -> None:
        """Take one more."""
        self.callbacks.append(callback)

    def set_model(self, model: Any) -> None:
        """Tell all of the model."""
        self.model = model
        for one in self.callbacks:
            one.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell all of the numbers of the run."""
        self.params = params
        for one in self.callbacks:
            one.set_params(params)

    def __iter__(self) -> Any:
        return iter(self.callbacks)

    def tell(self, moment: str, *told: Any) -> None:
        """Tell all that have something for a moment."""
        for one in self.callbacks:
            if hasattr(one, moment):
                getattr(one, moment)(*told)


def _teller(moment: str) -> Any:
    numbered = "epoch" in moment or "batch" in moment

    def of_number(self: CallbackList, number: int, logs: Any = None) -> None:
        """Tell all."""
        self.tell(moment, number, logs or {})

    def plain(self: CallbackList, logs: Any = None) -> None:
        """Tell all."""
        self.tell(moment, logs or {})

    return of_number if numbered else plain


for _moment in MOMENTS:
    setattr(CallbackList, _moment, _teller(_moment))
