"""What seaborn and matplotlib had: words by place, older names of plots, styles and settings."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from collections.abc import Iterator, Sequence, Sized
from typing import Any

from ..errors import caller
from .dialect import Patch
from .session import Script
from .surroundings_installed import Changes, lost
from .table import DialectError

TODAY = re.compile(r"^seaborn(?!-v)")
BY_CATEGORY = ("x", "y", "hue", "data", "order", "hue_order")
PLACES = {  # what stood at each place before 0.12; today the first is the table
    **dict.fromkeys(("countplot", "barplot", "boxplot", "violinplot", "stripplot", "swarmplot",
                     "pointplot", "boxenplot", "catplot"), BY_CATEGORY),
    "scatterplot": ("x", "y", "hue", "style", "size", "data"),
    "lineplot": ("x", "y", "hue", "size", "style", "data"),
    "regplot": ("x", "y", "data"),
    "residplot": ("x", "y", "data"),
    "lmplot": ("x", "y", "data", "hue", "col", "row"),
    "jointplot": ("x", "y", "data", "kind"),
    "pairplot": ("data",),
    "kdeplot": ("x", "y", "shade", "vertical"),
}  # fmt: skip
SIZED = ("catplot", "lmplot", "jointplot", "pairplot")  # `size` is `height` today


def _by_place(name: str, function: Any) -> Any:
    @functools.wraps(function)
    def draw(*args: Any, **words: Any) -> Any:
        if args and not (hasattr(args[0], "columns") or isinstance(args[0], dict)):
            words = {**dict(zip(PLACES[name], args, strict=False)), **words}
            args = ()
        if name in SIZED and "size" in words:
            words["height"] = words.pop("size")
        if name == "kdeplot":
            words["fill"] = words.pop("shade", words.get("fill", False))
            _across(words)
        return function(*args, **words)

    return draw


def _across(words: dict[str, Any]) -> None:
    """Draw along the other axis where that is asked for in the words of the time."""
    if words.pop("vertical", False):
        words["y"] = words.pop("x")


def _seaborn(seaborn: Any) -> Iterator[Patch]:
    for name in PLACES:
        yield seaborn, name, _by_place(name, getattr(seaborn, name))
    grid = seaborn.FacetGrid.__init__

    @functools.wraps(grid)
    def init(self: Any, *args: Any, size: Any = None, **words: Any) -> None:
        grid(self, *args, **words if size is None else {"height": size, **words})

    yield seaborn.FacetGrid, "__init__", init

    def factorplot(*args: Any, kind: str = "point", **words: Any) -> Any:
        """Draw by categories."""
        return seaborn.catplot(*args, kind=kind, **words)

    def distplot(a: Any, bins: Any = "auto", hist: bool = True, kde: bool = True, rug: bool = False,
                 color: Any = None, label: Any = None, ax: Any = None, axlabel: Any = None,
                 norm_hist: bool = False, vertical: bool = False,
                 **words: Any) -> Any:  # fmt: skip
        """Draw how values are spread: bars, their density, ticks."""
        way, drawn = "y" if vertical else "x", {"color": color, "ax": ax, "label": label}
        for wanted, draw, own in (
            (hist, seaborn.histplot, {"bins": "auto" if bins is None else bins, "alpha": 0.4,
                                      "stat": "density" if kde or norm_hist else "count"}),
            (kde, seaborn.kdeplot, {}),
            (rug, seaborn.rugplot, {}),
        ):  # fmt: skip
            if wanted:
                drawn["ax"] = draw(**{way: a}, **drawn, **own)
        if axlabel:
            getattr(drawn["ax"], f"set_{way}label")(axlabel)
        return drawn["ax"]

    def tsplot(*args: Any, **words: Any) -> Any:
        """Refuse."""
        raise DialectError("seaborn.tsplot", "seaborn has given it up",
                           fix="seaborn.lineplot(data=..., x=..., y=...)", at=caller())  # fmt: skip

    yield from lost(seaborn, {"factorplot": factorplot, "tsplot": tsplot})
    yield seaborn, "distplot", distplot  # seaborn's own warns, and goes with 0.14


def _style(style: Any) -> Iterator[Patch]:
    original = style.use

    def use(name: Any) -> None:
        """Use a style by its older name too."""
        several = [name] if isinstance(name, (str, dict)) else name
        original([TODAY.sub("seaborn-v0_8", one) if isinstance(one, str) else one
                  for one in several])  # fmt: skip

    yield style, "use", use


def _colours(cm: Any) -> Iterator[Patch]:
    def get_cmap(name: Any = None, lut: int | None = None) -> Any:
        """Return a map of colours by its name."""
        from matplotlib import pyplot

        return pyplot.get_cmap(name, lut)

    yield from lost(cm, {"get_cmap": get_cmap})


def _pyplot(pyplot: Any) -> Iterator[Patch]:
    def nothing(*args: Any, **words: Any) -> None:
        """Do nothing: each plot is added to those before, as with `hold(True)`."""

    yield from lost(pyplot, {"hold": nothing, "ishold": nothing})
    for owner, name in ((pyplot, "subplot"), (pyplot.Figure, "add_subplot")):
        yield owner, name, _three_digits(getattr(owner, name))
    yield from _saving()


def _three_digits(original: Any) -> Any:
    @functools.wraps(original)
    def place(*args: Any, **words: Any) -> Any:
        """Take "131" as 131, as up to matplotlib 3.5."""
        digits = [one for one in args if isinstance(one, str) and re.fullmatch(r"\d{3}", one)]
        if len(digits) == 1:
            args = tuple(int(one) if one is digits[0] else one for one in args)
        return original(*args, **words)

    return place


def _saving() -> Iterator[Patch]:
    """Let pictures be saved with words that say nothing of them, as up to matplotlib 3.3."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for kind in ("png", "jpg", "jpeg", "tif", "tiff", "webp"):
        plain = getattr(FigureCanvasAgg, f"print_{kind}", None)
        if plain is not None:
            yield FigureCanvasAgg, f"print_{kind}", _without_others(plain)


def _without_others(plain: Any) -> Any:
    known = inspect.signature(plain).parameters

    @functools.wraps(plain)
    def saved(self: Any, *args: Any, **words: Any) -> Any:
        return plain(self, *args, **{word: one for word, one in words.items() if word in known})

    return saved


def _axes(script: Script, module: Any) -> Iterator[Patch]:
    original = module.Axes.plot

    @functools.wraps(original)
    def plot(self: Any, *args: Any, axes: Any = None, **words: Any) -> Any:
        """Draw lines; the axes are these, whichever are named."""
        given = args if script.max_epochs is None else _as_long(args)
        return original(self, *given, **words)

    yield module.Axes, "plot", plot


def _as_long(args: Sequence[Any]) -> Sequence[Any]:
    """Return curves over no more epochs than there were: `plot(range(1, 31), losses)`."""
    given = list(args)
    for at, (x, y) in enumerate(itertools.pairwise(args)):
        sized = all(isinstance(one, Sized) and not isinstance(one, (str, dict)) for one in (x, y))
        if sized and 0 < len(y) < len(x):
            given[at] = x[: len(y)]
            break
    return given


def changes(script: Script) -> Changes:
    """Return what is changed in each module."""
    return {
        "seaborn": _seaborn,
        "matplotlib.axes": functools.partial(_axes, script),
        "matplotlib.style": _style,
        "matplotlib.pyplot": _pyplot,
        "matplotlib.cm": _colours,
    }
