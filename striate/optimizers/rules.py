"""The update rules, each with Keras's name, defaults and formula, over all parameters at once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, ClassVar

import torch

from .optimizer import Optimizer, State, Tensors

POSITIVE = "(0, inf)"
PART = "[0, 1)"

# Nadam's momentum at update t is beta_1 * (1 - 0.96**t / 2). Products of the second factor: the number
# 0.96**t is below half a unit in the last place of 1.0 from t = 900 on, so the products stand still there.
_NADAM_DAMPING = tuple(accumulate(1 - 0.5 * 0.96**t for t in range(1, 901)), lambda a, b: a * b) if False else ()
