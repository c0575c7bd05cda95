"""How what a user gives as a setting, a name or a number, becomes an object or an error."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from typing_extensions import Self

from .errors import ConfigError, caller, nearest, unknown

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Setting:
    """A value object whose fields are hyper-parameters, declared once and checked when it is made.

    `ranges` gives the interval of a numeric field, as in `"[0, 1)"`, or `"int [1, inf)"` for whole
    numbers; `choices` gives the words that a field may be; `renamed` gives today's name of an
    argument of other versions. A field whose default is None may be None. A subclass adds rows to
    each table.
    """

    ranges: ClassVar[Mapping[str, str]] = {}
    choices: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    renamed: ClassVar[Mapping[str, str]] = {}

    def __new__(cls, *args: Any, **fields: Any) -> Self:
        """Name a misspelt field before the constructor refuses it."""
        names = [item.name for item in dataclasses.fields(cls) if item.init]
        for word in fields:
            if word not in names:
                today = _inherited(cls, "renamed").get(word, "")
                raise ConfigError(
                    cls.__name__,
                    f"there is no argument {word!r}",
                    got=f"{word}={fields[word]!r}",
                    need="one of " + ", ".join(names) if names else "no arguments",
                    fix=f"{today}={fields[word]!r}" if today else nearest(word, names),
                    at=caller(),
                )
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Raise ConfigError for the first field that is out of its range."""
        where = type(self).__name__
        for item in dataclasses.fields(self):
            object.__setattr__(self, item.name, plain(getattr(self, item.name)))
        ranges = _inherited(type(self), "ranges")
        choices = _inherited(type(self), "choices")
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if value is None and item.default is None:
                continue
            usual = "" if item.default in (dataclasses.MISSING, None) else item.default
            if item.name in ranges:
                check_range(where, item.name, value, ranges[item.name], usual)
            elif item.name in choices:
                check_choice(where, item.name, value, choices[item.name])
            elif item.type in ("bool", bool):
                check_truth(where, item.name, value)

    def get_config(self) -> dict[str, Any]:
        """Return the class name and the fields as plain values, which the room's `get` takes."""
        config: dict[str, Any] = {"name": type(self).__name__}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            config[item.name] = value.get_config() if isinstance(value, Setting) else value
        return config


def callable_object(given: Any) -> bool:
    """Return whether something can be called for its work, which a class only makes ready."""
    return callable(given) and not isinstance(given, type)


def resolve(room: str, kind: str, given: Any, table: Mapping[str, type[T]]) -> Any:
    """Return the object that a name, a class or a description (see `get_config`) stands for.

    Names are found in `table` in any case, with or without underscores: `GlorotUniform` and
    `glorot_uniform` are one. What is none of the three is returned as it is.
    """
    fields: Mapping[str, Any] = {}
    if isinstance(given, Mapping):
        fields = {key: value for key, value in given.items() if key != "name"}
        given = given.get("name", "")
    if isinstance(given, type) and given in table.values():
        return given(**fields)
    if not isinstance(given, str):
        return given
    known = {_plain(name): made for name, made in table.items()}
    if _plain(given) not in known:
        raise unknown(room, kind, given, table)
    return known[_plain(given)](**fields)


def plain(value: Any) -> Any:
    """Return a number of NumPy, also inside a tuple or a list, as Python's; others as they are."""
    if isinstance(value, (tuple, list)) and type(value) in (tuple, list):
        return type(value)(map(plain, value))
    single = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    return value.item() if single and hasattr(value, "item") else value


def check_range(where: str, field: str, value: Any, interval: str, usual: Any = "") -> None:
    """Raise ConfigError unless `value` is a number of the interval, as in `"(0, inf)"`."""
    whole = interval.startswith("int ")
    bounds = interval.removeprefix("int ")
    low, high = (float(bound) for bound in bounds[1:-1].split(", "))
    kind = numbers.Integral if whole else numbers.Real
    if isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value):
        number = float(value)
        above = number >= low if bounds[0] == "[" else number > low
        below = number <= high if bounds[-1] == "]" else number < high
        if above and below:
            return
    kind_of = "a whole number" if whole else "a number"
    raise ConfigError(
        where,
        f"{field}={value!r} cannot work",
        got=f"{field}={value!r}",
        need=f"{kind_of}, {_bounds(field, bounds, low, high)}"
        if math.isfinite(low)
        else "a finite number",
        fix=f"{field}={usual!r}"
        if usual != ""
        else f"give {field} {kind_of} {_in_words(bounds, low, high)}",
    )


def check_choice(where: str, field: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise ConfigError unless `value` is one of `choices`."""
    if value not in choices:
        raise ConfigError(
            where,
            f"{field}={value!r} is not known",
            got=f"{field}={value!r}",
            need=f"{field} one of " + ", ".join(repr(choice) for choice in choices),
            fix=f"{field}={choices[0]!r}",
        )


def check_truth(where: str, field: str, value: Any, at: str = "") -> None:
    """Raise ConfigError unless `value` is True or False; a text or a number says what was meant."""
    if type(plain(value)) is not bool:
        meant = str(value).lower() not in ("0", "0.0", "false", "no", "none", "")
        raise ConfigError(
            where,
            f"{field}={value!r} is neither True nor False",
            fix=f"{field}={meant}",
            at=at,
        )


def _inherited(cls: type, table: str) -> dict[str, Any]:
    """Return the table of the class, its bases' rows included."""
    rows: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        rows.update(vars(base).get(table, {}))
    return rows


def _bounds(field: str, bounds: str, low: float, high: float) -> str:
    """Return an interval as a formula: `0 <= rate < 1`."""
    if math.isinf(high):
        return f"{field} {'>=' if bounds[0] == '[' else '>'} {low:g}"
    left = f"{low:g} {'<=' if bounds[0] == '[' else '<'} "
    return f"{left}{field} {'<=' if bounds[-1] == ']' else '<'} {high:g}"


def _in_words(bounds: str, low: float, high: float) -> str:
    """Return an interval in words: `of at least 0 and less than 1`."""
    words = [f"{'of at least' if bounds[0] == '[' else 'greater than'} {low:g}"]
    if math.isfinite(high):
        words.append(f"{'at most' if bounds[-1] == ']' else 'less than'} {high:g}")
    return " and ".join(words)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
