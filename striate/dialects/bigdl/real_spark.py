"""Real pyspark behind a script's names, where it is installed; else the stand-in."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from typing import Any

from . import spark as stand_in

NAMES = ("SparkContext", "SparkConf", "RDD")
PYTHONS = ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")


def installed() -> bool:
    """Return whether pyspark is there."""
    return importlib.util.find_spec("pyspark") is not None


def names() -> dict[str, Any]:
    """Return the context, its settings and the RDD that scripts are given."""
    if not installed():
        return {name: getattr(stand_in, name) for name in NAMES}
    for word in PYTHONS:  # its workers must find Striate too
        os.environ.setdefault(word, sys.executable)
    return {name: getattr(importlib.import_module("pyspark"), name) for name in NAMES}


def rdd_like(given: Any, values: Iterable[Any]) -> Any:
    """Return values as an RDD of the kind that was given."""
    if isinstance(given, stand_in.RDD) or not hasattr(given, "getNumPartitions"):
        return stand_in.RDD(list(values))
    return given.context.parallelize(list(values), given.getNumPartitions())
