"""Differential tests: random programs by the real framework and by Striate, and where they differ.

A program is a text that is made of rows with alternatives; what the real framework refuses is left
out of it. `scripts/differential` runs many; the tests here run a few.
"""
