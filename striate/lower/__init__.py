"""From a model's graph to a plan of kernel calls, and the door to the library that runs it.

Called, the room asks the model: `st.lower(model)` is `model.lower()`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, model: Any, *given: Any, **words: Any) -> Any:
        return model.lower(*given, **words)


sys.modules[__name__].__class__ = _Room
