"""ReNom's vocabulary for new code: `import striate.renom as rm`."""

from __future__ import annotations

from .dialects.importer import publish

publish(__name__, "renom", "renom")
