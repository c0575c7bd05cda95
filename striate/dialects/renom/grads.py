"""Grads: the gradients of one loss, and the update of what it reached."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ...errors import caller
from ..table import DialectError
from .awaited import SHARES, AwaitedLoss
from .node import Node, Variable, tensor_of
from .steps import Delayed, delayed, delayed_behind, let_go, settle

_MISSING = object()


class Grads:
    """What `loss.grad()` returns: the gradient of each variable that was recorded.

    Raises: DialectError where an earlier `grad` has let go of a part of the history.
    """

    def __init__(
        self, loss: Node, initial: Any = None, detach: bool = True, decay: float | None = None
    ) -> None:
        self.decay = decay
        self.initial = None if initial is None else tensor_of(initial).reshape(loss.shape)
        self.found: dict[int, tuple[Variable, Tensor]] = {}
        self.delayed: Delayed | None = None
        if detach and loss.slope is not None and initial is None:
            self.delayed = delayed_behind(*loss.slope)
        self._made = loss.made
        if self._made is None or self.delayed is None:
            self.root = loss.tensor
        if detach and self.delayed is None and self._plain():
            self.delayed = delayed(self.root, self._start())
        if self.delayed is None:
            leaves = list(_leaves(self.root))
            found = self._backward(leaves, keep=not detach) if leaves else ()
            self.found = {
                id(leaf.variable): (leaf.variable, value)  # type: ignore[attr-defined]
                for leaf, value in zip(leaves, found, strict=True)
            }
        if detach:
            loss.detach_graph()

    @classmethod
    def of_awaited(cls, loss: AwaitedLoss, decay: float | None) -> Grads:
        """Return the gradients of a loss that is not computed yet."""
        grads = cls.__new__(cls)
        grads.decay, grads.initial, grads.found = decay, None, {}
        grads._made, grads.delayed = loss.history, Delayed(loss.scores.output, loss, SHARES)
        return grads

    @functools.cached_property
    def root(self) -> Tensor:
        """The loss, with its history."""
        assert self._made is not None
        return self._made()

    @property
    def storage(self) -> dict[int, tuple[Variable, Tensor]]:
        """The gradients by the `id` of their variable, with it."""
        if self.delayed is not None:
            self.found, self.delayed = dict(self.delayed.storage), None
        return self.found

    def _plain(self) -> bool:
        return self.root.requires_grad and self.root.grad_fn is not None

    def _start(self) -> Tensor:
        return torch.ones_like(self.root) if self.initial is None else self.initial

    def _backward(self, targets: Sequence[Tensor], *, keep: bool) -> tuple[Tensor, ...]:
        try:
            return torch.autograd.grad(
                self.root, targets, self._start(), retain_graph=keep, allow_unused=True
            )
        except RuntimeError as error:
            if "second time" not in str(error):
                raise
            raise let_go() from None

    @property
    def variables(self) -> dict[int, Any]:
        """The gradients by the `id` of their variable; those that are set there count."""
        return Slopes(self)

    def get(self, node: Node, default: Any = _MISSING) -> Any:
        """Return the gradient of a node, or the default where the loss does not depend on it.

        That of a node between asks for `detach_graph=False`.
        """
        if id(node) in self.storage:
            return Node.of(self.storage[id(node)][1])
        if not isinstance(node, Variable) and node.tensor.requires_grad and self.root.requires_grad:
            found = self._backward([node.tensor], keep=True)[0]
            if found is not None:
                return Node.of(found)
        if default is not _MISSING:
            return default
        raise DialectError(
            "grads.get",
            "Node not found. Ensure that _update_diff was properly called on the node first.",
            got=f"a {type(node).__name__} of shape {node.shape}",
            need="a variable that was recorded: rm.Variable(x), or one of a model inside of "
            "`with model.train():`",
            fix="grads.get(node, None) where it may be missing",
            at=caller(),
        )

    def set(self, node: Variable, diff: Any) -> None:
        """Replace the gradient of a variable."""
        self.storage[id(node)] = (node, tensor_of(diff).detach())

    def update(self, opt: Callable[..., Any] | None = None, models: Sequence[Any] = ()) -> None:
        """Change the variables by what the optimizer makes of the gradients; `models` alone.

        Without an optimizer the gradient itself is subtracted. Where nothing was recorded,
        nothing is changed.
        """
        only = {id(variable) for model in models for variable in model.variables()}
        if not models and self.delayed is not None and self.delayed.step(opt, self.decay):
            return
        for key, (variable, gradient) in self.storage.items():
            if not models or key in only:
                self.update_node(variable, opt, gradient)

    def update_node(
        self,
        variable: Variable,
        opt: Callable[..., Any] | None = None,
        gradient: Tensor | None = None,
    ) -> None:
        """Change one variable."""
        if not variable.auto_update:
            return
        slope = self.storage[id(variable)][1] if gradient is None else gradient
        settle()
        if variable.weight_decay is not None:
            decay = variable.weight_decay or self.decay or 0.0
            slope = slope.add(variable.value, alpha=decay) if decay else slope
        step = slope if opt is None else opt(Node.of(slope), variable)
        variable.value.sub_(tensor_of(step).reshape(slope.shape))


class Slopes(dict[int, Any]):
    """Gradients by the `id` of their variable, as arrays."""

    def __init__(self, grads: Grads) -> None:
        super().__init__({key: Node.of(value) for key, (_, value) in grads.storage.items()})
        self.grads = grads

    def __setitem__(self, key: int, diff: Any) -> None:
        super().__setitem__(key, diff)
        self.grads.set(self.grads.storage[key][0], diff)


def _leaves(root: Tensor) -> Iterator[Tensor]:
    """Yield what stands for variables in the history of a tensor."""
    if root.grad_fn is None:
        if hasattr(root, "variable"):
            yield root
        return
    waiting, seen = [root.grad_fn], {root.grad_fn}
    while waiting:
        made = waiting.pop()
        leaf = getattr(made, "variable", None)
        if isinstance(leaf, Tensor) and hasattr(leaf, "variable"):
            yield leaf
        for before, _ in made.next_functions:
            if before is not None and before not in seen:
                seen.add(before)
                waiting.append(before)
