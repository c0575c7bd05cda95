"""BigDL's vocabulary for new code: `import striate.bigdl`, then `from striate.bigdl.nn...`."""

from __future__ import annotations

from .dialects.importer import publish

publish(__name__, "bigdl", "bigdl")
