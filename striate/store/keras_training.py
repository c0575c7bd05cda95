"""What a Keras file says of training, as `compile` takes it, and the way back."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from .. import losses, optimizers
from ..core.layer import Layer
from ..errors import ConfigError
from ..losses import Loss
from ..optimizers.rules import NAMES
from ..optimizers.schedules import InverseTimeDecay
from .keras_state import State
from .keras_words import plain

Words = dict[str, Any]
Rules = Mapping[str, Any]
LABELS = ("name", "name_scope")  # what a schedule is called in a graph
REDUCTIONS = ("sum", "mean_with_sample_weight")
SCHEDULES = (  # those that Keras 3 has too
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("PiecewiseConstantDecay", "PolynomialDecay"),
)


@dataclasses.dataclass
class Found:
    """A model read from a file; `training` what it was compiled with, as Keras wrote it;
    `notes` what of the file has no counterpart here; `state` what its optimizer has kept.
    """

    model: Layer
    training: Mapping[str, Any]
    notes: list[str]
    state: State | None = None


def compile_words(training: Mapping[str, Any], rules: Rules = NAMES) -> Words:
    """Return the arguments of `compile` for what a file says, of any version.

    `rules` are the optimizers by their names in lower case.

    Raises: ConfigError for an optimizer, loss or metric that is not known here.
    """
    given = training.get("optimizer_config") or training.get("optimizer") or "sgd"
    return {
        "optimizer": _optimizer(given, rules),
        "loss": _each(training.get("loss"), _loss),
        "metrics": _metrics(training.get("metrics")),
        "loss_weights": training.get("loss_weights"),
        "weighted_metrics": _metrics(training.get("weighted_metrics")) or None,
    }


def _optimizer(given: Any, rules: Rules) -> optimizers.Optimizer:
    if isinstance(given, str):
        return optimizers.get(given)
    kind = str(given.get("class_name", given.get("name", ""))).rpartition(">")[2]
    if kind.lower() not in rules:
        return optimizers.get(kind)
    config = plain(given.get("config", {}))
    config.setdefault("learning_rate", config.pop("lr", None))
    config.setdefault("epsilon", config.pop("eps", None))
    known = {item.name for item in dataclasses.fields(rules[kind.lower()])}
    fields = {key: value for key, value in config.items() if key in known and value is not None}
    if isinstance(fields.get("learning_rate"), dict):  # a schedule
        inner = fields["learning_rate"]
        words = {key: one for key, one in inner["config"].items() if key not in LABELS}
        fields["learning_rate"] = {"name": inner["class_name"], **words}
    decay = config.get("decay") or 0.0
    if decay and isinstance(fields.get("learning_rate"), float):
        fields["learning_rate"] = InverseTimeDecay(fields["learning_rate"], 1, float(decay))
    made: optimizers.Optimizer = rules[kind.lower()](**fields)
    return made


def _loss(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return losses.get(given).name if isinstance(given, str) else given
    kind, config = given.get("class_name", given.get("name")), dict(given.get("config", {}))
    if kind == "function":
        return losses.get(given["config"]).name
    known = {item.name for cls in losses.NAMES.values() if cls.__name__ == kind
             for item in dataclasses.fields(cls)}  # fmt: skip
    kept = {key: value for key, value in config.items() if key in known}
    return losses.get({"name": kind, **kept})


def _metrics(given: Any) -> Any:
    """Return names; Keras 2 keeps one list for each output, and objects in the place of names."""
    if isinstance(given, Mapping):
        return {key: _metrics(value) for key, value in given.items()}
    if isinstance(given, str):
        return [given]
    found = [_metric(item) for item in given or ()]
    return found[0] if len(found) == 1 and isinstance(found[0], list) else found


def _metric(given: Any) -> Any:
    if isinstance(given, Sequence) and not isinstance(given, str):
        return [_metric(item) for item in given]
    if isinstance(given, Mapping):
        config = given.get("config", {})
        given = (
            config.get("name", given.get("class_name")) if isinstance(config, Mapping) else config
        )
    if not isinstance(given, str):
        raise ConfigError("metrics", "a metric of the file has no name", got=repr(given))
    return given


def _each(given: Any, convert: Any) -> Any:
    if isinstance(given, Mapping) and "class_name" not in given:
        return {key: convert(value) for key, value in given.items()}
    return [convert(item) for item in given] if isinstance(given, list) else convert(given)


def training_words(setup: Any, rules: Rules = NAMES) -> Words:
    """Return what a compiled model is trained with in Keras 3's words; empty if these lack one.

    `rules` are the optimizers that Keras has, by their names in lower case.
    """
    if setup is None or not setup.losses or not isinstance(setup.optimizer, optimizers.Optimizer):
        return {}
    metrics, weighted = (
        [[_measured(item) for item in each] for each in several]
        for several in (setup.metrics, setup.weighted_metrics)
    )
    spelt = [_spelt(item) for item in setup.losses]
    config = setup.optimizer.get_config()
    name = config.pop("name")
    rate = config["learning_rate"]
    if name.lower() not in rules or None in spelt:
        return {}
    if isinstance(rate, Mapping):
        if rate["name"] not in SCHEDULES:
            return {}
        config["learning_rate"] = _object("optimizers.schedules", dict(rate))
    elif not isinstance(rate, float):
        return {}
    config.pop("exclude_from_weight_decay", None)
    optimizer = _object("optimizers", {"name": name, **config})
    single = len(spelt) == 1
    shares = setup.loss_weights if any(one != 1 for one in setup.loss_weights) else None
    return {
        "optimizer": optimizer, "loss": spelt[0] if single else spelt, "loss_weights": shares,
        "metrics": metrics[0] if single else metrics,
        "weighted_metrics": (weighted[0] if single else weighted) if any(weighted) else None,
    }  # fmt: skip


def _measured(metric: Any) -> Any:
    """Return a metric by its name, or as an object where a Keras script has said more of it."""
    if told := getattr(metric, "told", None):
        return told
    given = getattr(metric, "given", None)
    if given is None or getattr(metric, "kind", None) is None:
        return metric if isinstance(metric, str) else metric.name
    if not all(
        isinstance(one, (int, float, str, bool, list, type(None))) for one in given.values()
    ):
        return metric.name
    made = _object("metrics", {"name": type(metric).__name__, **given})
    made["config"]["name"] = metric.name
    return made


def _inner(loss: Any) -> Any:
    """Return what a loss of a Keras script reduces to one number in a way of its own."""
    return loss.loss if hasattr(loss, "reduction") else loss


def _spelt(given: Any) -> Any:
    """Return a loss by its name, or as an object where it is not as it is by default.

    One that Keras or a script has, and no native name, says itself what it is (`told`). None is
    what a file cannot say.
    """
    loss, reduction = _inner(given), getattr(given, "reduction", "")
    reduction = reduction if reduction in REDUCTIONS else "sum_over_batch_size"
    if told := getattr(loss, "told", None):
        told = copy.deepcopy(told)
        if isinstance(told["config"], dict):
            told["config"]["reduction"] = reduction
        return told
    if not isinstance(loss, Loss) or loss.name not in set(losses.NAMES) - {"crossentropy"}:
        return None
    config = loss.get_config()
    if config == type(loss)().get_config() and reduction == "sum_over_batch_size":
        return loss.name
    made = _object("losses", config)
    made["config"] |= {"name": loss.name, "reduction": reduction}
    return made


def _object(module: str, config: Words) -> Words:
    """Return an object of Keras as its files have it; `name` is its class."""
    name = config.pop("name")
    return {"module": f"keras.{module}", "class_name": name, "config": config,
            "registered_name": name}  # fmt: skip
