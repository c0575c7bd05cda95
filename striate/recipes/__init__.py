"""The name under which recipes are imported, wherever their files lie.

In a checkout they lie in `recipes/`, beside the package; a wheel carries them in this folder. So
`striate.recipes.mnist` is the same module everywhere. See docs/decisions/0002-recipes.md.
"""

from pathlib import Path

_checkout = Path(__file__).parents[2]
if (_checkout / "pyproject.toml").is_file():
    __path__.append(str(_checkout / "recipes"))
