"""Optimizer: the core API's trainer, over an RDD of samples or over arrays."""

from __future__ import annotations

from typing import Any

from ..table import chosen
from .judging import MAE, Loss, Top1Accuracy, Top5Accuracy, ValidationMethod
from .methods import Method
from .module import Module
from .parts import ByPart
from .samples import arrays_of
from .session import BigdlSession
from .training import Setup, Watched, optimize
from .triggers import MaxEpoch, Trigger


class Optimizer:
    """Trains a module until a trigger fires."""

    def __init__(
        self, session: BigdlSession, model: Module, training_set: Any, criterion: Any,
        end_trigger: Trigger | None = None, batch_size: int = 32, optim_method: Any = None,
    ) -> None:  # fmt: skip
        self.session, self.model, self.data = session, model, training_set
        self.criterion, self.end, self.batch_size = (
            criterion,
            end_trigger or MaxEpoch(1),
            batch_size,
        )
        if isinstance(optim_method, dict):
            optim_method = ByPart(optim_method)
        self.method = optim_method or Method.of("SGD")
        self.watched = Watched()

    def set_validation(self, batch_size: int, *data: Any, **words: Any) -> Optimizer:
        """Judge the model on further data: (batch_size, val_rdd, trigger, val_method=None), or
        (batch_size, X_val, Y_val, trigger, val_method=None).
        """
        names = ["val_rdd", "trigger", "val_method"]
        if "X_val" in words or ((data and isinstance(data[0], (list,))) or hasattr(data[0], "dtype")
                                if data else False):  # fmt: skip
            names = ["X_val", "Y_val", "trigger", "val_method"]
        given = dict(zip(names, data, strict=False)) | words
        x, y = given.get("val_rdd", given.get("X_val")), given.get("Y_val")
        if isinstance(x, tuple):
            x, y = x
        watched = self.watched
        watched.x, watched.y = self.session.script.part(list(arrays_of(x, y)))
        watched.trigger, watched.batch_size = given["trigger"], batch_size
        methods = given.get("val_method") or [Top1Accuracy()]
        several = methods if isinstance(methods, list) else [methods]
        watched.methods = [_judge(one) if isinstance(one, str) else one for one in several]
        return self

    def set_checkpoint(self, checkpoint_trigger: Trigger, checkpoint_path: str,
                       isOverWrite: bool = True) -> Optimizer:  # noqa: N803  # fmt: skip
        """Keep the model in a folder whenever the trigger fires."""
        self.watched.keep, self.watched.path = checkpoint_trigger, checkpoint_path
        self.watched.over_write = isOverWrite
        return self

    def set_train_summary(self, summary: Any) -> Optimizer:
        """Keep the numbers of each iteration."""
        self.watched.train = summary
        return self

    def set_val_summary(self, summary: Any) -> Optimizer:
        """Keep the numbers of each validation."""
        self.watched.valid = summary
        return self

    def set_gradclip_const(self, min_value: float, max_value: float) -> Optimizer:
        """Cut each gradient to a range, which lies around 0."""
        self.watched.clip = {"clipvalue": max(abs(min_value), abs(max_value))}
        return self

    def set_gradclip_l2norm(self, clip_norm: float) -> Optimizer:
        """Shorten all gradients together."""
        self.watched.clip = {"global_clipnorm": clip_norm}
        return self

    def disable_gradclip(self) -> Optimizer:
        """Leave the gradients as they are."""
        self.watched.clip = {}
        return self

    def set_end_when(self, end_when: Trigger) -> Optimizer:
        """Train until another trigger fires."""
        self.end = end_when
        return self

    def set_model(self, model: Module) -> Optimizer:
        """Train another model."""
        self.model = model
        return self

    def set_criterion(self, criterion: Any) -> Optimizer:
        """Train by another criterion."""
        self.criterion = criterion
        return self

    def set_traindata(self, training_rdd: Any, batch_size: int) -> Optimizer:
        """Train on other data."""
        self.data, self.batch_size = training_rdd, batch_size
        return self

    def optimize(self) -> Module:
        """Train; return the model."""
        x, y = arrays_of(*(self.data if isinstance(self.data, tuple) else (self.data, None)))
        setup = Setup(self.method, self.criterion, list(self.watched.methods))
        assert y is not None
        optimize(self.model, setup, x, y, self.end, self.batch_size, self.watched)
        return self.model

    def prepare_input(self) -> None:
        """Do nothing: the data are looked at when training begins."""


def _judge(name: str) -> ValidationMethod:
    """Return a method that is given by its name, as in the first releases."""
    known: dict[str, Any] = {kind.name: kind for kind in (Top1Accuracy, Top5Accuracy, Loss, MAE)}
    fix = 'val_method=["Top1Accuracy"]'
    made: ValidationMethod = chosen("BigDL 0.7 set_validation", "method", name, known, fix)()
    return made
