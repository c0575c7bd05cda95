"""Keras's vocabulary for new code: `import striate.keras as keras`, with Keras 3's defaults."""

from __future__ import annotations

from .dialects.importer import publish

publish(__name__, "keras3", "keras")
