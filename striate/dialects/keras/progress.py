"""What training in a Keras script shows and tells: lines on stdout, logs, history, callbacks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ...engine.hooks import Hook
from .metrics import LONG
from .session import KerasSession

PAIRS = {"acc": "accuracy", **LONG}
PAIRS |= {f"val_{old}": f"val_{new}" for old, new in PAIRS.items()}
PAIRS |= {new: old for old, new in PAIRS.items()}


class Numbers(dict[str, Any]):
    """Numbers by name that answer to both spellings of some metrics, and list one."""

    def __missing__(self, key: str) -> Any:
        other = PAIRS.get(key, "")
        if other in self:
            return self[other]
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(PAIRS.get(str(key), key))

    def get(self, key: str, default: Any = None) -> Any:
        """Return a number, or the default."""
        return self[key] if key in self else default  # noqa: SIM401  dict's get would not look twice


class Told(Hook):
    """Passes the moments on to a script's callback, in Keras's words.

    `owner` is the script's model, `rename` gives the names of numbers as the script knows them.
    """

    def __init__(self, callback: Any, owner: Any, rename: Any = None, size: int = 0,
                 given: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        self.callback, self.owner, self.given = callback, owner, given or {}
        self.rename, self.size = rename or (lambda logs: logs), size

    def set_model(self, model: Any) -> None:
        """Give the callback the script's model, whatever stands in for it."""
        self.model, held = model, self.owner
        if not type(self.callback).__module__.startswith("striate."):
            held = vars(held).get("known_as", held)  # a Graph of Keras 0
        if hasattr(self.callback, "set_model"):
            self.callback.set_model(held)
        else:
            self.callback.model = held

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell the numbers of the run."""
        self.params = params
        known = {**params, "nb_epoch": params["epochs"], "batch_size": self.size,
                 "do_validation": params.get("validates", False), **self.given}  # fmt: skip
        if self.owner.setup is not None and not self.owner.session.version.steps:
            names = list(self.owner.metrics_names)
            valid = [f"val_{name}" for name in names] if known["do_validation"] else []
            known["metrics"] = names + valid
        if hasattr(self.callback, "set_params"):
            self.callback.set_params(known)
        self.callback.params = known

    def tell(self, moment: str, *args: Any) -> None:
        """Call a moment of the callback, if it has it, and see whether it ends training."""
        function = getattr(self.callback, moment, None)
        if function is not None:
            function(*args)
        if self.owner.stop_training or getattr(self.callback, "stopped", ""):
            self.stop(getattr(self.callback, "stopped", "") or "a callback asked for it")

    def on_train_begin(self, logs: Any = None) -> None:
        """Training begins."""
        self.tell("on_train_begin", Numbers())

    def on_train_end(self, logs: Any = None) -> None:
        """Training has ended."""
        self.tell("on_train_end", Numbers())

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins."""
        self.tell("on_epoch_begin", epoch, Numbers())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """An epoch has ended."""
        self.tell("on_epoch_end", epoch, self.rename(logs or {}))


class ToldBatches(Told):
    """Passes the moments of every batch on too, which costs the steps that go in one call."""

    def counts(self, batch: int) -> dict[str, int]:
        """Return what the logs of a batch have beside its numbers."""
        keras3 = self.owner.session.version.name == "keras3"
        return {} if keras3 else {"batch": batch, "size": self.size}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A step begins."""
        for moment in ("on_batch_begin", "on_train_batch_begin"):
            self.tell(moment, batch, Numbers(self.counts(batch)))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A step has ended."""
        numbers = self.rename(self.owner.numbers_so_far())
        for moment in ("on_batch_end", "on_train_batch_end"):
            self.tell(moment, batch, Numbers({**numbers, **self.counts(batch)}))


BATCH_MOMENTS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


def hears(callback: Any, moments: Iterable[str]) -> bool:
    """Return whether a callback has something to do at one of these moments."""
    own = getattr(type(callback), "idle", ())
    return any(
        moment in vars(callback)
        or any(moment in vars(cls) for cls in type(callback).__mro__ if cls not in own)
        for moment in moments
    )


def told(callback: Any, owner: Any, rename: Any = None, size: int = 0,
         given: Mapping[str, Any] | None = None) -> Told:  # fmt: skip
    """Return the hook for a script's callback, one that is told of batches only where it asks.

    `given` is what it finds in its `params` besides.
    """
    return (ToldBatches if hears(callback, BATCH_MOMENTS) else Told)(
        callback, owner, rename, size, given
    )


class Shown(Hook):
    """Prints each epoch as the version does, once it has ended."""

    def __init__(self, session: KerasSession, samples: int, steps: int, verbose: int,
                 rename: Any = None, source: Any = None) -> None:  # fmt: skip
        self.version, self.samples, self.steps, self.verbose = (
            session.version, samples, steps, verbose,
        )  # fmt: skip
        self.source = source  # which knows its batches once they have passed
        self.rename = rename or (lambda logs: logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Print the head."""
        self.began = time.monotonic()
        print(f"Epoch {epoch + 1}/{self.params['epochs']}")  # noqa: T201  the script's own output

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Print the numbers."""
        seconds = time.monotonic() - self.began
        count: Any = self.steps if self.version.steps else self.samples
        count = count or self.params.get("steps") or getattr(self.source, "passed", 0)
        print(line(self.version.name, count, seconds, self.rename(logs or {}), self.verbose))  # noqa: T201


def line(version: str, count: int, seconds: float, logs: Any, verbose: int = 1) -> str:
    """Return the last state of a progress bar, or the one line of verbose=2."""
    numbers = "".join(f" - {name}: {_number(value)}" for name, value in logs.items())
    each = seconds / max(count, 1)
    spent = f"{each * 1e6:.0f}us" if each < 1e-3 else f"{each * 1e3:.0f}ms"
    if version == "keras3":
        ordered = "".join(f" - {name}: {_number(logs[name])}" for name in sorted(logs))
        bar, gap = (" - ", " - ") if verbose == 2 else (f" {'━' * 20} ", " ")
        return f"{count}/{count}{bar}{seconds:.0f}s{gap}{spent}/step{ordered}"
    if verbose == 2:
        if version != "tf":
            return f" - {seconds:.0f}s{numbers}"
        whole = f"{seconds:.0f}s" if seconds >= 1 else f"{seconds * 1e3:.0f}ms"
        return f"{count}/{count} - {seconds:.0f}s{numbers} - {whole}/epoch - {spent}/step"
    rate = f" {spent}/step" if version in ("keras2", "keras23", "tf") else ""
    done = f"{count}/{count} " if count else ""
    return f"{done}[{'=' * 30}] - {seconds:.0f}s{rate}{numbers}"


def _number(value: Any) -> str:
    value = float(value)
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"


class History:
    """What fit returns: numbers of each epoch by name."""

    __module__ = "keras.callbacks"

    def __init__(self) -> None:
        self.history: Any = Numbers()
        self.epoch: list[int] = []
        self.params: dict[str, Any] = {}
        self.model: Any = None
        self.seen, self.totals = 0, {}  # type: int, dict[str, float]  # as Keras 0 keeps them

    def set_model(self, model: Any) -> None:
        """Remember the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Remember the numbers of the run."""
        self.params = params

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Append the numbers."""
        self.epoch.append(epoch)
        self.seen = int(self.params.get("nb_sample") or self.params.get("samples") or 0)
        self.totals = {name: float(value) * self.seen for name, value in (logs or {}).items()
                       if not name.startswith("val_")}  # fmt: skip
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
