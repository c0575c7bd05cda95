"""Recipes by name, and their settings from key=value words."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from ..errors import ConfigError, nearest, unknown


def recipe_names() -> list[str]:
    """Return the names of the recipes that can be trained."""
    from .. import recipes

    return sorted(module.name for module in pkgutil.iter_modules(recipes.__path__))


def find_recipe(name: str) -> ModuleType:
    """Return the module of a recipe, or raise ConfigError with the nearest name."""
    names = recipe_names()
    if name not in names:
        raise unknown("striate", "recipe", name, names)
    return importlib.import_module(f"striate.recipes.{name}")


def read_settings(recipe: ModuleType, words: Sequence[str]) -> Any:
    """Return the recipe's settings with the values of `key=value` words, or raise ConfigError."""
    from pydantic import ValidationError

    where = f"train {recipe.__name__.rpartition('.')[2]}"
    fields = recipe.Settings.model_fields
    given: dict[str, str] = {}
    for index, word in enumerate(words):
        if word.startswith("-"):
            raise _option(where, word, words[index + 1 : index + 2], fields)
        key, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(where, f"{word!r} is not a setting", need="key=value", fix="epochs=3")
        if key not in fields:
            error = unknown(where, "setting", key, fields)
            meant = [name for name in fields if key and key in (_initials(name), name[: len(key)])]
            error.rows |= {"fix": f"{meant[0]}={value}"} if meant else {}
            raise error
        if key in given:
            raise ConfigError(
                where, f"{key} is given twice", got=f"{key}={given[key]} {word}", fix=word
            )
        given[key] = value
    try:
        return recipe.Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        raise ConfigError(
            where,
            f"{key}={given[key]} cannot work",
            need=first["msg"].removeprefix("Input should be "),
            fix=f"{key}={fields[key].default}" if fields[key].default is not None else "",
        ) from None


def _option(where: str, word: str, after: Sequence[str], fields: Iterable[str]) -> ConfigError:
    """Return the error for a setting that is written like an option, or for an unknown option."""
    key, equals, value = word.lstrip("-").replace("-", "_").partition("=")
    value = value if equals else next(iter(after), "")
    return ConfigError(
        where,
        f"there is no option {word!r}",
        need="settings as key=value; the options are --runs and --json",
        fix=f"{key}={value}" if key in fields and value else nearest(word, ["--runs", "--json"]),
    )


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split("_"))
