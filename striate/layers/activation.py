"""Activations: a table of functions by name, and layers of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from ..core.layer import Layer
from ..core.operation import Chain, Pointwise, along
from ..core.spec import Spec
from ..core.window import POINTWISE, UNKNOWN, Geometry, Mix, Window
from ..errors import ConfigError, ShapeError, unknown
from ..settings import check_range
from .axes import Axes, checked_axes, place
from .words import Initial, Limit, Penalty, Worded

Function = Callable[[Tensor], Tensor]


def sparsemax(x: Tensor) -> Tensor:
    """Return the nearest point of the probability simplex, along the last axis.

    Source: Martins and Astudillo, From Softmax to Sparsemax, ICML 2016, algorithm 1.
    """
    falling = x.sort(dim=-1, descending=True).values
    sums = falling.cumsum(-1) - 1
    rank = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
    support = (rank * falling > sums).sum(-1, keepdim=True)
    threshold = sums.gather(-1, support - 1) / support
    return functional.relu(x - threshold)


# Keras 3's names and constants. Its glu halves the channels and its threshold takes two more
# arguments, so these two are not activations here.
FUNCTIONS: dict[str, Function] = {
    "celu": functional.celu,
    "elu": functional.elu,
    "exponential": torch.exp,
    "gelu": functional.gelu,
    "hard_shrink": functional.hardshrink,
    "hard_sigmoid": functional.hardsigmoid,
    "hard_silu": functional.hardswish,
    "hard_swish": functional.hardswish,
    "hard_tanh": functional.hardtanh,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.2),
    "linear": lambda x: x,
    "log_sigmoid": functional.logsigmoid,
    "log_softmax": lambda x: functional.log_softmax(x, dim=-1),
    "mish": functional.mish,
    "relu": functional.relu,
    "relu6": functional.relu6,
    "selu": functional.selu,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
    "soft_shrink": functional.softshrink,
    "softmax": lambda x: functional.softmax(x, dim=-1),
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    "sparse_plus": lambda x: torch.where(x < 1, (x.clamp(-1, 1) + 1).square() / 4, x),
    "sparse_sigmoid": lambda x: (x.clamp(-1, 1) + 1) / 2,
    "sparsemax": sparsemax,
    "squareplus": lambda x: (x + (x.square() + 4).sqrt()) / 2,
    "swish": functional.silu,
    "tanh": torch.tanh,
    "tanh_shrink": functional.tanhshrink,
}


def hard_sigmoid_of_keras_2(x: Tensor) -> Tensor:
    """Return clip(0.2 x + 0.5, 0, 1), which Keras 1 and 2 call hard_sigmoid."""
    return torch.clamp(0.2 * x + 0.5, 0, 1)


OF_FILES = {"hard_sigmoid of Keras 2": hard_sigmoid_of_keras_2}  # functions that files may hold
SPELLINGS = {"swish": "silu", "hard_swish": "hard_silu"}
ACROSS = ("softmax", "log_softmax", "sparsemax")  # these read the whole last axis


def get(where: str, activation: str | Function | None) -> Function:
    """Return the function of an activation given by name, as a callable, or as None (linear)."""
    if activation is None:
        return FUNCTIONS["linear"]
    if isinstance(activation, str):
        if activation.lower() not in FUNCTIONS:
            raise unknown(where, "activation", activation, FUNCTIONS)
        return FUNCTIONS[activation.lower()]
    if isinstance(activation, type):
        raise ConfigError(
            where,
            f"activation={activation.__name__} is a class, not a function",
            need="an object of the class, which can be called on a tensor",
            fix=f"activation={activation.__name__}()",
        )
    if callable(activation):
        return activation
    raise ConfigError(
        where,
        f"activation={activation!r} is neither a name nor a function",
        need='a name like "relu", a function of a tensor, or None',
        fix='activation="relu"',
    )


def apply(where: str, activation: str | Function | None, x: Tensor) -> Tensor:
    """Return the activation of a tensor, or raise ConfigError where it gives none."""
    y = get(where, activation)(x)
    if y is None or isinstance(y, (bool, int, float, str, tuple, list)):
        raise ConfigError(
            where,
            "the activation does not return a tensor",
            got=f"a {type(y).__name__}",
            need="a function from a tensor to a tensor",
            fix="activation=lambda x: x * torch.sigmoid(x)",
        )
    return y


def name_of(activation: str | Function | None) -> str:
    """Return the name of an activation; empty where there is none or it has no known name."""
    name = activation if isinstance(activation, str) else getattr(activation, "activation_name", "")
    return "" if name.lower() == "linear" else str(name).lower()


def operations(activation: str | Function | None, x: Spec) -> Chain | None:
    """Return what an activation does to a value of this spec; None for functions of the user's."""
    if isinstance(activation, Elementwise):
        chain = activation.operations(x)
        return chain if chain and all(isinstance(one, Pointwise) for one in chain) else None
    if activation is not None and not isinstance(activation, str):
        return None
    name = name_of(activation or "linear")
    if not name:
        return ()
    if name in ACROSS:
        return along(x, len(x.shape) - 1, Pointwise(name))
    if name == "leaky_relu":
        return (Pointwise(name, (0.2,)),)
    return (Pointwise(SPELLINGS.get(name, name), (1.0,) if name == "elu" else ()),)


def across(x: Spec, *places: int) -> Geometry:
    """Return the geometry of a layer that reads all of these axes and keeps the others apart."""
    return tuple(Mix() if axis in places else Window() for axis in range(len(x.shape)))


class Elementwise(Layer):
    """A layer whose outputs each depend on the input at their own place; it multiplies nothing."""

    def windows(self, *x: Spec) -> Geometry:
        """Read each value on its own."""
        return POINTWISE

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        return x[0]

    def macs(self, *specs: Spec) -> int:
        """Return 0: functions of single values are not multiply-accumulates."""
        return 0


class Activation(Layer):
    """Apply a function: y = activation(x).

    Field: `activation`, a name of Keras 3 in any case ("relu", "softmax"...) or a function of a
    tensor. Functions over an axis, like softmax, are over the last one.

    Shape: that of the input, unless a function of the user's own changes it.
    Raises: ConfigError for an unknown name.

    Example:
        >>> Activation("relu")(torch.tensor([[-1.0, 2.0]]))
        tensor([[0., 2.]])
    """

    activation: str | Function | None

    def __post_init__(self) -> None:
        """Look the name up."""
        get(self.where, self.config()["activation"])

    def windows(self, *x: Spec) -> Geometry:
        """Read each value on its own, or the last axis; a function of the user's is not known."""
        given = self.config()["activation"]
        if given is not None and not isinstance(given, str):
            return UNKNOWN
        return across(x[0], len(x[0].shape) - 1) if name_of(given) in ACROSS else POINTWISE

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return operations(self.config()["activation"], x[0])

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return apply(self.where, self.config()["activation"], x[0])

    @property
    def activation_name(self) -> str:
        """Name of the activation, or an empty string for a function of the user's own."""
        return name_of(self.config()["activation"])

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return the input."""
        return x[0]


class ReLU(Elementwise):
    """Cut small values: y = x above `threshold`, else negative_slope * (x - threshold).

    Fields: `max_value`, at which y ends (None: nowhere); `negative_slope`; `threshold`; all >= 0.
    Source: Keras 3's ReLU.
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        if self.max_value is not None:
            check_range(self.where, "max_value", self.max_value, "[0, inf)", None)
        check_range(self.where, "negative_slope", self.negative_slope, "[0, inf)", 0.0)
        check_range(self.where, "threshold", self.threshold, "[0, inf)", 0.0)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        if self.max_value is None and not self.threshold:
            slope = self.negative_slope
            return (Pointwise("leaky_relu", (slope,)) if slope else Pointwise("relu"),)
        end = math.inf if self.max_value is None else self.max_value
        return (Pointwise("relu", (end, self.negative_slope, self.threshold)),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        if self.threshold:
            below = self.negative_slope * (x[0] - self.threshold)
            y = torch.where(x[0] > self.threshold, x[0], below)
        elif self.negative_slope:
            y = functional.leaky_relu(x[0], self.negative_slope)
        else:
            y = functional.relu(x[0])
        return y if self.max_value is None else y.clamp(max=self.max_value)


class LeakyReLU(Elementwise):
    """Make negative values small: y = x where x >= 0, else negative_slope * x.

    Field: `negative_slope`, >= 0. Source: Keras 3's LeakyReLU; its activation of that name has 0.2.
    """

    negative_slope: float = 0.3

    def __post_init__(self) -> None:
        """Check the slope."""
        check_range(self.where, "negative_slope", self.negative_slope, "[0, inf)", 0.3)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("leaky_relu", (self.negative_slope,)),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.leaky_relu(x[0], self.negative_slope)


class ThresholdedReLU(Elementwise):
    """Put 0 in the place of small values: y = x where x > theta, else 0.

    Field: `theta`, >= 0. Source: Konda, Memisevic and Krueger, Zero-bias autoencoders, 2014; a
    layer of Keras 2.
    """

    theta: float = 1.0

    def __post_init__(self) -> None:
        """Check theta."""
        check_range(self.where, "theta", self.theta, "[0, inf)", 1.0)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("relu", (math.inf, 0.0, self.theta)),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.threshold(x[0], self.theta, 0.0)


class PReLU(Elementwise, Worded):
    """Learn the slope of negative values: y = x where x >= 0, else alpha * x.

    Fields: words for the weight `alpha`, which has the shape of a sample; `shared_axes`, axes along
    which there is one alpha for all, counted from 1 (the batch is 0): (1, 2) gives one per channel.

    Raises: ShapeError where the size of an axis that is not shared is not known.
    Source: He et al., Delving Deep into Rectifiers, ICCV 2015; Keras 3's PReLU.
    """

    alpha_initializer: Initial = "zeros"
    alpha_regularizer: Penalty = None
    alpha_constraint: Limit = None
    shared_axes: Axes | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        if self.shared_axes is not None:
            checked_axes(self.where, self.shared_axes, several=True, field="shared_axes")

    def build(self, *x: Spec) -> None:
        """Create alpha, of size 1 along the shared axes."""
        self.alpha = self.add_worded("alpha", self._sizes(x[0]))

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        if self._sizes(x[0]) != tuple(self.alpha.shape):
            raise ShapeError(
                self.where,
                "is shared by inputs of different sizes",
                got=f"input {x[0]}",
                need=f"input {self.specs[0]}, as at its first call",
                fix="one layer for each input, or shared_axes",
            )
        return x[0]

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.relu(x[0]) - self.alpha * functional.relu(-x[0])

    def _sizes(self, x: Spec) -> tuple[int, ...]:
        given = () if self.shared_axes is None else self.shared_axes
        axes = (given,) if isinstance(given, int) else given
        usual = str(tuple(range(1, len(x.shape))))  # all but the last: one alpha per channel
        shared = {
            place(self.where, axis, x, channels=False, field="shared_axes", fix=usual)
            for axis in axes
        }
        sizes = [1 if at in shared else size for at, size in enumerate(x.shape)]
        if None in sizes:
            unknown_axes = tuple(at + 1 for at, size in enumerate(sizes) if size is None)
            raise ShapeError(
                self.where,
                "alpha has the shape of a sample, and that is not known",
                got=f"input {x}",
                need="known sizes on the axes that are not shared",
                fix=f"shared_axes={tuple(sorted({*unknown_axes, *axes}))}",
            )
        return tuple(size for size in sizes if size is not None)


class ELU(Elementwise):
    """Let negative values end in a limit: y = x where x > 0, else alpha * (exp(x) - 1).

    Field: `alpha`, >= 0. Source: Clevert et al., Exponential Linear Units, ICLR 2016.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        """Check alpha."""
        check_range(self.where, "alpha", self.alpha, "[0, inf)", 1.0)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("elu", (self.alpha,)),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.elu(x[0], self.alpha)


class SELU(Elementwise):
    """Keep mean and variance from layer to layer: y = 1.0507 * elu(x, alpha=1.6733).

    Source: Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017.
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("selu"),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.selu(x[0])


class GELU(Elementwise):
    """Weight values by how likely a normal one is smaller: y = x * Phi(x).

    Field: `approximate`, whether Phi comes from tanh instead of the error function.
    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.
    """

    approximate: bool = False

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("gelu_tanh" if self.approximate else "gelu"),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.gelu(x[0], approximate="tanh" if self.approximate else "none")


class SiLU(Elementwise):
    """Weight values by their sigmoid: y = x * sigmoid(x), also called swish."""

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("silu"),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.silu(x[0])


class Tanh(Elementwise):
    """Press values into (-1, 1): y = tanh(x)."""

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("tanh"),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return torch.tanh(x[0])


class Sigmoid(Elementwise):
    """Press values into (0, 1), each on its own: y = 1 / (1 + exp(-x))."""

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function."""
        return (Pointwise("sigmoid"),)

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return torch.sigmoid(x[0])

    @property
    def activation_name(self) -> str:
        """The word sigmoid."""
        return "sigmoid"

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return the input."""
        return x[0]


class Softmax(Elementwise):
    """Make probabilities along an axis: y = exp(x) / sum of exp(x) over the axis.

    Field: `axis`, counted from 1 (the batch is 0) or from the end; -1 is the last axis in both
    layouts, as in `activation="softmax"`.

    Raises: ShapeError for an axis that a sample does not have.
    """

    axis: int = -1

    def __post_init__(self) -> None:
        """Check the axis."""
        checked_axes(self.where, self.axis)

    def build(self, *x: Spec) -> None:
        """Raise ShapeError for an axis that is not there; there is nothing to create."""
        place(self.where, self.axis, x[0], channels=False)

    def windows(self, *x: Spec) -> Geometry:
        """Read all of the axis."""
        return across(x[0], place(self.where, self.axis, x[0], channels=False))

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        place(self.where, self.axis, x[0], channels=False)
        return x[0]

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Apply the function along the axis."""
        return along(x[0], place(self.where, self.axis, x[0], channels=False), Pointwise("softmax"))

    def forward(self, *x: Tensor) -> Tensor:
        """Apply the function."""
        return functional.softmax(x[0], dim=self.axis)

    @property
    def activation_name(self) -> str:
        """The word softmax; empty where it is not over the last axis."""
        last = self.built and place(self.where, self.axis, self.specs[0], channels=False)
        return "softmax" if self.axis == -1 or last == len(self.specs[0].shape) - 1 else ""

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return the input."""
        return x[0]
