"""Keras models as BigDL's: `bigdl.keras.converter` and `bigdl.keras.optimization`."""

from __future__ import annotations

from typing import Any

from .containers import Loaded
from .session import BigdlSession


class OptimConverter:
    """Losses, metrics and optimizers of Keras, which BigDL's verbs take by the same words."""

    @staticmethod
    def to_bigdl_criterion(kloss: Any) -> Any:
        """Return the loss."""
        return kloss

    @staticmethod
    def to_bigdl_optim_method(koptim_method: Any) -> Any:
        """Return the optimizer."""
        return koptim_method

    @staticmethod
    def to_bigdl_metrics(metrics: Any) -> Any:
        """Return the metrics."""
        return metrics


def names(session: BigdlSession) -> dict[str, Any]:
    """Return the loaders, of a script's own session."""
    from .served import load_keras

    class DefinitionLoader:
        """Makes a network of BigDL of a description of Keras."""

        @classmethod
        def from_kmodel(cls, kmodel: Any) -> Loaded:
            """Return the network of a Keras model, with its weights."""
            return Loaded(session, getattr(kmodel, "model", kmodel))

        @classmethod
        def from_json_path(cls, json_path: str) -> Loaded:
            """Return the network of a file of JSON."""
            return load_keras(session, json_path)

    class WeightLoader:
        """Reads the weights of a Keras model into a network of BigDL."""

        @staticmethod
        def load_weights_from_json_hdf5(def_json: str, weights_hdf5: str,
                                        by_name: bool = False) -> Loaded:  # fmt: skip
            """Return the network of two files."""
            return load_keras(session, def_json, weights_hdf5, by_name)

        @staticmethod
        def load_weights_from_kmodel(bmodel: Any, kmodel: Any) -> None:
            """Give a network the weights of a Keras model."""
            bmodel.model.set_weights(kmodel.get_weights())

    return {"DefinitionLoader": DefinitionLoader, "WeightLoader": WeightLoader}
