"""torchvision's vocabulary for new code: `from striate.torchvision import datasets, transforms`."""

from __future__ import annotations

from .dialects.importer import RUNNING, place
from .dialects.pytorch import VERSIONS
from .dialects.pytorch.served import vision
from .dialects.session import Script, Session

place(__name__, "torchvision", vision(Session(VERSIONS["pytorch"], RUNNING.get() or Script())))
