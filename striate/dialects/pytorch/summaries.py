"""Tables of a network: those of torchsummary and of torchinfo, where they are not installed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

MIB = 2**20


@dataclass
class Line:
    """What one call of a module gave."""

    module: nn.Module
    depth: int
    shape: list[Any]
    own: int  # weights of the module itself
    below: list[Line] = field(default_factory=list)


def _shape(out: Any) -> list[Any]:
    if isinstance(out, Tensor):
        return list(out.shape)
    parts = out.values() if isinstance(out, dict) else out
    return [_shape(one) for one in parts] if isinstance(out, (list, tuple, dict)) else []


@contextmanager
def in_evaluation(model: nn.Module) -> Iterator[None]:
    """Call a network as it predicts, without a history; afterwards it is as it was."""
    modes = [(one, one.training) for one in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for one, mode in modes:
            one.training = mode


def called(model: nn.Module, inputs: Sequence[Tensor]) -> list[Line]:
    """Return a line for each call of a module, in the order in which they begin."""
    lines: list[Line] = []
    open_lines: list[Line] = []

    def begin(module: nn.Module, given: Any) -> None:
        own = sum(weight.numel() for weight in module.parameters(recurse=False))
        lines.append(Line(module, len(open_lines), [], own))
        if open_lines:
            open_lines[-1].below.append(lines[-1])
        open_lines.append(lines[-1])

    def end(module: nn.Module, given: Any, out: Any) -> None:
        open_lines.pop().shape = _shape(out)

    with ExitStack() as stack:
        for module in model.modules():
            for hook in (module.register_forward_pre_hook(begin),
                         module.register_forward_hook(end)):  # fmt: skip
                stack.callback(hook.remove)
        with in_evaluation(model):
            model(*inputs)
    return lines


def _zeros(sizes: Any, batch: int | None) -> list[Tensor]:
    several = [sizes] if isinstance(sizes[0], int) else list(sizes)
    return [torch.zeros(*(() if batch is None else (batch,)), *size) for size in several]


def _counts(model: nn.Module) -> tuple[int, int]:
    weights = list(model.parameters())
    learnt = sum(weight.numel() for weight in weights if weight.requires_grad)
    return sum(weight.numel() for weight in weights), learnt


def keras_like(model: nn.Module, input_size: Any, batch_size: int = -1,
               device: Any = "cuda", **words: Any) -> None:  # fmt: skip
    """Print each part, its output and its number of weights, as torchsummary does."""
    inputs = _zeros(input_size, 2)
    lines = called(model, inputs)
    rule, double = "-" * 64, "=" * 64
    text = [rule, f"{'Layer (type)':>20}  {'Output Shape':>25} {'Param #':>15}", double]
    numbered = [one for one in _ended(lines) if not _holds(one.module) and one.module is not model]
    outputs = 0
    for number, line in enumerate(numbered, 1):
        shape = [batch_size, *line.shape[1:]]
        outputs += abs(math.prod(shape)) if all(isinstance(n, int) for n in shape) else 0
        name = f"{type(line.module).__name__}-{number}"
        text.append(f"{name:>20}  {shape!s:>25} {line.own:>15,}")
    total, learnt = _counts(model)
    entered = sum(one[0].numel() for one in inputs) * abs(batch_size)
    sizes = [entered * 4 / MIB, 2 * outputs * 4 / MIB, total * 4 / MIB]
    text += [
        double, f"Total params: {total:,}", f"Trainable params: {learnt:,}",
        f"Non-trainable params: {total - learnt:,}", rule, f"Input size (MB): {sizes[0]:0.2f}",
        f"Forward/backward pass size (MB): {sizes[1]:0.2f}", f"Params size (MB): {sizes[2]:0.2f}",
        f"Estimated Total Size (MB): {sum(sizes):0.2f}", rule,
    ]  # fmt: skip
    print("\n".join(text))  # noqa: T201  the script's own output


def _holds(module: nn.Module) -> bool:
    return isinstance(module, (nn.Sequential, nn.ModuleList))


def _ended(lines: list[Line]) -> list[Line]:
    """Return the lines in the order in which the calls end."""

    def after(line: Line) -> Iterator[Line]:
        for one in line.below:
            yield from after(one)
        yield line

    return list(after(lines[0]))


class Statistics:
    """What torchinfo's summary returns: printed, it is the table."""

    def __init__(self, text: str, total: int, learnt: int) -> None:
        self.text, self.total_params, self.trainable_params = text, total, learnt

    def __repr__(self) -> str:
        return self.text


def tree_like(model: nn.Module, input_size: Any = None, *, input_data: Any = None, depth: int = 3,
              verbose: int = 1, col_names: Sequence[str] = ("output_size", "num_params"),
              **words: Any) -> Statistics:  # fmt: skip
    """Print the parts as a tree, with outputs and numbers of weights, as torchinfo does."""
    if input_data is not None:
        inputs = list(input_data) if isinstance(input_data, (list, tuple)) else [input_data]
    else:
        inputs = _zeros(input_size, None) if input_size is not None else []
    lines = called(model, inputs) if inputs else []
    rule = "=" * 90
    text = [rule, f"{'Layer (type:depth-idx)':<40} {'Output Shape':<25} {'Param #':<20}", rule]
    counted: dict[int, int] = {}
    seen: set[int] = set()
    for line in lines:
        if line.depth > depth:
            continue
        counted[line.depth] = counted.get(line.depth, 0) + 1
        branch = "│    " * (line.depth - 1) + "├─" if line.depth else ""
        place = f": {line.depth}-{counted[line.depth]}" if line.depth else ""
        weights = line.own if line.depth < depth else _counts(line.module)[0]
        shown = "(recursive)" if id(line.module) in seen else f"{weights:,}" if weights else "--"
        seen.add(id(line.module))
        name = f"{branch}{type(line.module).__name__}{place}"
        text.append(f"{name:<40} {line.shape!s:<25} {shown}")
    total, learnt = _counts(model)
    text += [rule, f"Total params: {total:,}", f"Trainable params: {learnt:,}",
             f"Non-trainable params: {total - learnt:,}", rule]  # fmt: skip
    entered = sum(one.numel() for one in inputs) * 4 / 1e6
    ends = [one.shape for one in lines if not one.below and isinstance(one.shape[0], int)]
    made, kept = sum(map(math.prod, ends)) * 8 / 1e6, total * 4 / 1e6
    text += [
        f"Input size (MB): {entered:0.2f}", f"Forward/backward pass size (MB): {made:0.2f}",
        f"Params size (MB): {kept:0.2f}",
        f"Estimated Total Size (MB): {entered + made + kept:0.2f}", rule,
    ]  # fmt: skip
    found = Statistics("\n".join(text), total, learnt)
    if verbose:
        print(found)  # noqa: T201  the script's own output
    return found
