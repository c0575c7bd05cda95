"""tf.keras's vocabulary for new code: `import striate.tf as tf`, then `tf.keras.layers`..."""

from __future__ import annotations

from .dialects.importer import publish

publish(__name__, "tf", "tensorflow")
