"""Recipes by name, and their settings from key=value words."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from ..errors import ConfigError, nearest, unknown
from ..store import samples
from ..store.run import Run

TELL = {"folder": "striate train images folder=FOLDER, which holds a folder for each class"}


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


def recipe_of(run: Run) -> tuple[ModuleType, Any]:
    """Return the recipe of a run and the settings that it was trained with."""
    config = run.read("config.json")
    recipe = find_recipe(config["recipe"])
    return recipe, recipe.Settings(**config.get("settings", {}))


def tested_on(run: Run) -> tuple[Any, Any, list[str]]:
    """Return (x, y, classes) that a recipe's run is tested on; those that it kept, if all are."""
    kept = samples.load(run.path).get("test")
    if kept is not None and len(kept[0]) == run.results.get("samples", {}).get("test"):
        return (*kept, run.classes(0))
    recipe, settings = recipe_of(run)
    return (*recipe.test_data(settings), list(recipe.classes(settings)))


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
        if first["type"] == "missing":
            raise ConfigError(
                where, f"{key} is missing", need=f"{key}=...", fix=TELL[key]
            ) from None
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
