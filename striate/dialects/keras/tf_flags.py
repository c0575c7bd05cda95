"""`tf.app` and `tf.flags` of TensorFlow 1, which are absl's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any


def modules() -> Mapping[str, Mapping[str, Any]]:
    """Return both modules, with flags that are one script's alone."""
    from absl import flags

    own = flags.FlagValues()

    def run(main: Any = None, argv: Any = None) -> None:
        """Read the command line, call the script's main, and end with what it returns."""
        words = own(argv or sys.argv)
        sys.exit((main or vars(sys.modules["__main__"])["main"])(words))

    define = {word: value for word, value in vars(flags).items() if word.startswith("DEFINE_")}
    names: dict[str, Any] = {
        word: partial(value, flag_values=own) for word, value in define.items()
    }
    names["FLAGS"] = own
    return {"app": {"run": run}, "app.flags": names, "flags": names}
