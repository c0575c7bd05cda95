"""Batteries of checks that Striate's own parts pass, for your parts too."""

from .battery import check_layer

__all__ = ["check_layer"]
