"""Attention: each place reads from all places, as much as its query and their keys agree."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from .. import initializers
from ..core.spec import Spec, checked_count
from ..core.symbol import Symbol
from .masks import Mask, mask_of
from .words import Initial, Limit, Penalty, Worded


class HeadDense(Worded):
    """Mix the last axis into heads, or heads into the last axis: a part of MultiHeadAttention."""

    shape: tuple[int, ...]  # of the kernel
    biased: tuple[int, ...] | None
    split: bool  # whether one axis becomes heads and values
    kernel_initializer: Initial = "glorot_uniform"
    bias_initializer: Initial = "zeros"
    kernel_regularizer: Penalty = None
    bias_regularizer: Penalty = None
    kernel_constraint: Limit = None
    bias_constraint: Limit = None

    def build(self, *x: Spec) -> None:
        """Create the kernel and the bias."""
        self.kernel = self.add_worded("kernel", self.shape)
        self.bias = self.add_worded("bias", self.biased) if self.biased else None

    def forward(self, *x: Tensor) -> Tensor:
        """Mix."""
        out = torch.tensordot(x[0], self.kernel, 1 if self.split else 2)
        return out if self.bias is None else out + self.bias


class Called(Worded):
    """A layer whose calls name further inputs and settings."""

    if TYPE_CHECKING:  # of the last call
        settings: Any
        maskers: Any

    inputs_named: ClassVar[tuple[str, ...]] = ()
    takes_a_list: ClassVar[bool] = True  # of inputs, in the calls of Keras's files

    def __call__(self, *args: Any, training: Any = None, **words: Any) -> Any:
        """Call the layer; inputs go on, and settings of the call are kept for it."""
        mode = {} if training is None else {"training": training}
        if not words and self.calls and len(args) == len(self.settings["given"]):
            return super().__call__(*args, **mode)  # within the network it was called in
        given = list(args[0]) if args and isinstance(args[0], (list, tuple)) else list(args)
        order = self.inputs_named
        named = dict(zip(words.pop("given", order), given, strict=False))  # as a file says it
        settings: dict[str, Any] = {}
        for key, value in words.items():
            (named if key in order else settings)[key] = value
        named = {key: value for key, value in named.items() if value is not None}
        settings["given"] = tuple(key for key in order if key in named)
        found = {} if settings.get("mask") else self.implied(named)
        whole = {**settings, "given": (*settings["given"], *found)}
        object.__setattr__(self, "settings", whole)
        object.__setattr__(self, "maskers", {name: make for name, (_, make) in found.items()})
        inputs = [named[key] for key in order if key in named]
        out = super().__call__(*inputs, *(source for source, _ in found.values()), **mode)
        if any(isinstance(one, Symbol) for one in inputs):
            self.calls[-1].words, self.calls[-1].implied = settings, len(found)
        return out

    def implied(self, named: dict[str, Any]) -> dict[str, Mask]:
        """Return the masks that inputs bring along, by `query_mask` and `value_mask`."""
        masks = {f"{name}_mask": mask_of(named.get(name)) for name in ("query", "value")}
        return {name: mask for name, mask in masks.items() if mask is not None}

    def steps(self, given: dict[str, Tensor], name: str) -> Tensor | None:
        """Return which steps of the query or of the values count, (N, steps); None if all do."""
        source = given.get(f"{name}_mask")
        return None if source is None else self.maskers[f"{name}_mask"](source)

    def by_name(self, x: tuple[Any, ...]) -> dict[str, Any]:
        """Return the inputs of this call by their names."""
        return dict(zip(self.settings["given"], x, strict=True))


class MultiHeadAttention(Called):
    """Attend with several queries at once, and mix what they find.

    Fields: `num_heads`; `key_dim` and `value_dim`, sizes of a head; `width`, of the output, that of
    the query if None; `attention_axes`, the axes that are attended over, all but the batch and the
    last if None.

    Source: Vaswani et al., Attention Is All You Need, 2017.
    """

    if TYPE_CHECKING:  # its parts
        query_dense: Any
        key_dense: Any
        value_dense: Any
        output_dense: Any

    nests: ClassVar[bool] = True
    takes_a_list: ClassVar[bool] = False
    inputs_named: ClassVar[tuple[str, ...]] = ("query", "value", "key", "attention_mask")
    num_heads: int
    key_dim: int
    value_dim: int | None = None
    dropout: float = 0.0
    use_bias: bool = True
    width: Any = None
    attention_axes: Any = None
    kernel_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    bias_initializer: Initial = dataclasses.field(default="zeros", kw_only=True)
    kernel_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    bias_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    kernel_constraint: Limit = dataclasses.field(default=None, kw_only=True)
    bias_constraint: Limit = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check the sizes."""
        checked_count(self.where, "num_heads", self.num_heads)
        checked_count(self.where, "key_dim", self.key_dim)
        super().__post_init__()

    def build(self, *x: Spec) -> None:
        """Create the four mixes, in Keras's order."""
        specs = self.by_name(x)
        query, value = specs["query"], specs.get("value", specs["query"])
        key = specs.get("key", value)
        heads, inner = self.num_heads, self.key_dim
        values, width = self.value_dim or inner, self.width or query.shape[-1]
        width = width if isinstance(width, int) else width[0]
        for name, one, size in (("query", query, inner), ("key", key, inner),
                                ("value", value, values)):  # fmt: skip
            self.part(f"{name}_dense", (one.shape[-1], heads, size), (heads, size), True)
        self.part("output_dense", (heads, values, width), (width,), False)

    def part(self, name: str, shape: Any, bias: Any, split: bool) -> None:
        """Create one mix."""
        words = {key: v for key, v in self.config().items() if key.startswith(("kernel_", "bias_"))}
        made = HeadDense(shape, bias if self.use_bias else None, split, **words, name=name)
        made.ensure_built((Spec((shape[0],)),))
        setattr(self, name, made)

    def infer(self, *x: Spec) -> Any:
        """Return the spec of the query, of another width; with the scores where they are asked."""
        specs = self.by_name(x)
        query, value = specs["query"], specs.get("value", specs["query"])
        width = self.output_dense.shape[-1]
        out = query.reshape((*query.shape[:-1], width))
        if not self.settings.get("return_attention_scores"):
            return out
        return out, Spec((self.num_heads, *query.shape[:-1], *value.shape[:-1]))

    def forward(self, *x: Tensor) -> Any:
        """Attend."""
        given = self.by_name(x)
        query, value = given["query"], given.get("value", given["query"])
        key = given.get("key", value)
        axes = self.attention_axes
        axes = range(1, query.dim() - 1) if axes is None else axes
        axes = (axes,) if isinstance(axes, int) else axes
        axes = tuple(axis % query.dim() for axis in axes)
        free = tuple(axis for axis in range(query.dim() - 1) if axis not in axes)
        order = (*free, query.dim() - 1, *axes, query.dim())  # of an input with heads
        parts = [self.query_dense(query), self.key_dense(key), self.value_dense(value)]
        sizes = [query.shape[axis] for axis in axes]
        q, k, v = (one.permute(order).flatten(len(free) + 1, -2) for one in parts)
        scores = q @ k.mT / math.sqrt(self.key_dim)
        scores = self.hidden(scores, self.mask(given))
        weights = scores.softmax(-1)
        kept = functional.dropout(weights, self.dropout, self.training)
        out = kept @ v
        out = out.unflatten(len(free) + 1, sizes)
        back = [order.index(place) for place in range(len(order))]
        mixed = self.output_dense(out.permute(back))
        return (mixed, weights) if self.settings.get("return_attention_scores") else mixed

    def mask(self, given: dict[str, Tensor]) -> Tensor | None:
        """Return which values each query sees, (N, queries, values); None if all."""
        queries, values, asked = (
            self.steps(given, "query"), self.steps(given, "value"), given.get("attention_mask"),
        )  # fmt: skip
        parts = [
            None if queries is None else queries.unsqueeze(-1),
            None if values is None else values.unsqueeze(-2),
            None if asked is None else asked.bool(),
        ]
        several = [part for part in parts if part is not None]
        return functools.reduce(torch.logical_and, several) if several else None

    def hidden(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        """Return scores that are least where a mask, or causality, hides a place."""
        if mask is not None:
            while mask.dim() < scores.dim():
                mask = mask.unsqueeze(-3)  # the axis of heads
            scores = scores.masked_fill(~mask, -1e9)
        if self.settings.get("use_causal_mask"):
            past = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
            scores = scores.masked_fill(~past, -1e9)
        return scores


class Attention(Called):
    """Read values as much as query and key agree; by products, or by a learned sum.

    Inputs: [query, value] or [query, value, key].
    """

    inputs_named: ClassVar[tuple[str, ...]] = ("query", "value", "key")
    use_scale: bool = False
    score_mode: str = "dot"
    dropout: float = 0.0

    def build(self, *x: Spec) -> None:
        """Create the scale."""
        if self.use_scale:
            self.scale = self.add_weight("scale", (), lambda shape, **words: torch.ones(shape))
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                "concat_score_weight", (), lambda shape, **words: torch.ones(shape)
            )

    def infer(self, *x: Spec) -> Any:
        """Return the spec of the query with the values' last axis."""
        out = x[0].reshape((*x[0].shape[:-1], x[1].shape[-1]))
        if not self.settings.get("return_attention_scores"):
            return out
        return out, Spec((*x[0].shape[:-1], x[1].shape[0]))

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Return how much each query and each key agree."""
        if self.score_mode == "concat":
            both = torch.tanh(self.factor * (query.unsqueeze(-2) + key.unsqueeze(-3)))
            return self.concat_score_weight * both.sum(-1)
        return self.factor * (query @ key.mT)

    @property
    def factor(self) -> Any:
        """The scale, if there is one."""
        return self.scale if self.use_scale else 1.0

    def forward(self, *x: Tensor) -> Any:
        """Attend."""
        given = self.by_name(x)
        query, value = given["query"], given["value"]
        scores = self.scores(query, given.get("key", value))
        queries, values = self.steps(given, "query"), self.steps(given, "value")
        mask = self.settings.get("mask")
        if mask:
            queries, values = (None if one is None else one.bool() for one in (*mask, None)[:2])
        if values is not None:
            scores = scores.masked_fill(~values.unsqueeze(-2), -1e9)
        if self.settings.get("use_causal_mask"):
            past = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
            scores = scores.masked_fill(~past, -1e9)
        weights = scores.softmax(-1)
        out = functional.dropout(weights, self.dropout, self.training) @ value
        if queries is not None:
            out = out * queries.unsqueeze(-1)
        return (out, weights) if self.settings.get("return_attention_scores") else out


class AdditiveAttention(Attention):
    """Attention by the sum of tanh(query + key), with a learned scale for each feature."""

    use_scale: bool = True

    def build(self, *x: Spec) -> None:
        """Create the scale."""
        if self.use_scale:
            first = initializers.get("glorot_uniform")
            self.scale = self.add_weight("scale", (int(x[0].shape[-1] or 0),), first)

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Return the sums."""
        return (self.factor * torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))).sum(-1)
