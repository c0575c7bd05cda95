"""Symbol and Node: the two records of a traced call; they know no layer class."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ..errors import ConfigError, caller, one_of
from .spec import Shape, Spec, checked_layout, checked_shape

DTYPES = (
    *("float32", "float64", "float16", "bfloat16"),
    *("uint8", "int8", "int16", "int32", "int64", "bool"),
)
_clock = itertools.count()  # call order; it only grows, and nobody reads it but `sorted`


Operator = Callable[["Symbol", Any], "Symbol"]


@dataclass(eq=False, slots=True)
class Node:
    """One call of a layer on symbols: what was called, on what, giving what, and where.

    Fields: `implied`, how many of the last inputs the layer has found by itself, as it will again;
    `words`, what the call said beside its inputs.
    """

    layer: Any
    inputs: tuple[Symbol, ...]
    outputs: tuple[Symbol, ...] = ()
    at: str = ""
    order: int = field(default_factory=lambda: next(_clock))
    implied: int = 0
    words: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> tuple[Symbol, ...]:
        """The inputs that the call was given."""
        return self.inputs[: len(self.inputs) - self.implied]


@dataclass(eq=False, slots=True)
class Symbol:
    """A tensor of a network that is being defined: its spec, and the call that gives it.

    Layers take symbols and give symbols; `+`, `-`, `*`... are those of `layers/operators.py`.
    """

    spec: Spec
    node: Node | None = None
    index: int = 0
    name: str = ""

    __array_ufunc__: ClassVar[None] = None  # NumPy arrays leave `array + symbol` to the symbol

    if TYPE_CHECKING:  # attached where the merging layers are defined
        __add__: ClassVar[Operator]
        __radd__: ClassVar[Operator]
        __sub__: ClassVar[Operator]
        __rsub__: ClassVar[Operator]
        __mul__: ClassVar[Operator]
        __rmul__: ClassVar[Operator]
        __truediv__: ClassVar[Operator]
        __rtruediv__: ClassVar[Operator]
        __floordiv__: ClassVar[Operator]
        __rfloordiv__: ClassVar[Operator]
        __mod__: ClassVar[Operator]
        __rmod__: ClassVar[Operator]
        __pow__: ClassVar[Operator]
        __rpow__: ClassVar[Operator]
        __matmul__: ClassVar[Operator]
        __neg__: ClassVar[Callable[[Symbol], Symbol]]
        __abs__: ClassVar[Callable[[Symbol], Symbol]]
        __getitem__: ClassVar[Callable[[Symbol, Any], NoReturn]]

    @property
    def shape(self) -> Shape:
        """Shape with None for the batch, as in Keras: (None, 28, 28, 1)."""
        return (None, *self.spec.shape)

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.spec.dtype

    def __repr__(self) -> str:
        made = f"from {self.node.layer.name}" if self.node else "input"
        return f"<Symbol {self.name or ''}{self.shape} {made}>"

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> NoReturn:
        """Torch functions need values; say how to make a layer of one."""
        name = getattr(func, "__name__", str(func))
        raise ConfigError(
            f"torch.{name}",
            "a torch function was called on a symbol, which has a shape but no values",
            got=", ".join(str(arg.shape) for arg in args if isinstance(arg, Symbol)),
            need="a layer",
            fix=f"L.Lambda(torch.{name})(x), or L.TorchModule(module)(x), or subclass st.Model",
            at=caller(),
        )


def ends(where: str, given: Any) -> tuple[Symbol, ...]:
    """Return where a network begins or ends: one symbol, or several."""
    several = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    for symbol in several:
        if not isinstance(symbol, Symbol):
            raise ConfigError(
                where,
                f"{type(symbol).__name__} is not an input or output of a network",
                got=repr(symbol),
                need="symbols: what L.Input and calls of layers return",
                fix="x = L.Input((28, 28, 1)); y = layer(x); st.Model(x, y)",
                at=caller(),
            )
    return several


def ancestors(symbols: tuple[Symbol, ...]) -> Iterator[Node]:
    """Yield the calls that `symbols` depend on, each once, nearest first."""
    seen: set[int] = set()
    todo = [symbol.node for symbol in symbols]
    while todo:
        node = todo.pop()
        if node is not None and id(node) not in seen:
            seen.add(id(node))
            yield node
            todo += [symbol.node for symbol in node.inputs]


def Input(  # noqa: N802  (a constructor in the words of Keras)
    shape: Shape,
    dtype: str = "float32",
    *,
    data_format: str = "channels_last",
    name: str = "",
) -> Symbol:
    """Return the symbol where a network begins.

    `shape` is that of one sample, without the batch; None stands for a size known only at run time.
    `data_format` says where the channels are and travels with the tensors.

    Example:
        >>> Input((28, 28, 1)).shape
        (None, 28, 28, 1)
    """
    where = f"{name or 'input'} (Input)"
    checked_layout(where, data_format)
    one_of(where, "dtype", dtype, DTYPES)
    return Symbol(Spec(checked_shape(where, shape), dtype, data_format), name=name)
