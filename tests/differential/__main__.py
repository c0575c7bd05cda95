"""The command: `scripts/differential pytorch --seeds 0-200`."""

from __future__ import annotations

import argparse
import importlib
import sys

LANGUAGES = {
    "pytorch": ("torch_programs", "language"),
    "keras": ("keras_programs", "language"),
    "renom": ("chained", "renom"),
    "bigdl": ("chained", "bigdl"),
}


def seeds(text: str) -> range:
    """Return the numbers from one to another, both included, or one number alone."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> int:
    """Run random programs both ways; return 1 where two runs of one differ."""
    from .hunt import hunt

    parser = argparse.ArgumentParser(prog="scripts/differential", description=__doc__)
    parser.add_argument("language", choices=LANGUAGES)
    parser.add_argument("--seeds", type=seeds, default=range(100), help="0-199, or one: 17")
    given = parser.parse_args()
    module, opened = LANGUAGES[given.language]
    with getattr(importlib.import_module(f".{module}", __package__), opened)() as language:
        return int(hunt(language, given.seeds, lambda text: print(text, flush=True)) > 0)


if __name__ == "__main__":
    sys.exit(main())
