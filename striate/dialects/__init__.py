"""Dialects: the vocabularies of older frameworks, translated into Striate's own by tables."""

from __future__ import annotations

from .importer import installed, serve
from .table import DialectError, Row

__all__ = ["DialectError", "Row", "installed", "serve"]
