"""Code that changes tensors in place: whether what it changes is seen in another way than by it."""

from __future__ import annotations

import operator
from typing import Any

from torch import nn

SAME_MEMORY = {
    "view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "ravel", "permute",
    "transpose", "t", "movedim", "swapaxes", "unsqueeze", "squeeze", "chunk", "split",
    "tensor_split", "unbind", "narrow", "select", "getitem", "getattr", "expand", "expand_as",
    "detach", "contiguous", "to", "float", "double", "type", "cpu", "cuda", "data",
    "dropout", "dropout2d", "alpha_dropout",
}  # fmt: skip
PASSING = (nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout2d, nn.AlphaDropout)
NO_CHANGE = {"requires_grad_", "retain_grad", "share_memory_"}
AUGMENTED = {  # and what means the same where nobody else sees the tensor that is changed
    getattr(operator, f"i{word}"): getattr(operator, word)
    for word in ("add", "sub", "mul", "truediv", "pow")
}


def seen_elsewhere(graph: Any, module: nn.Module) -> bool:
    """Return whether torch.fx's graph changes a tensor that it, or somebody else, sees elsewhere.

    Elsewhere are the input and what the network holds, and what later lines use under another name
    or through another view of the same memory.
    """
    order = {line: number for number, line in enumerate(graph.nodes)}
    memory: dict[Any, set[Any]] = {}  # the lines whose tensors share memory with that of a line
    for line in graph.nodes:
        changes, shares = _changes(line, module), _shares(line, module)
        source = line.args[0] if line.args and line.args[0] in order else None
        group = memory[source] if source is not None and (changes or shares) else set()
        if changes and source is not None:
            if any(one.op in ("placeholder", "get_attr") for one in group):
                return True
            used = (user for one in group for user in one.users)
            if any(order[user] > order[line] for user in used):
                return True
        elif line.kwargs.get("out") is not None:
            return True
        group.add(line)
        memory[line] = group
    return False


def _changes(line: Any, module: nn.Module) -> bool:
    """Return whether a line changes its first tensor."""
    if line.op == "call_module":
        return getattr(module.get_submodule(line.target), "inplace", False) is True
    if line.op not in ("call_method", "call_function") or _word(line) in NO_CHANGE:
        return False
    ends = _word(line).endswith("_") and not _word(line).endswith("__")
    return ends or line.target in AUGMENTED or line.kwargs.get("inplace") is True


def _shares(line: Any, module: nn.Module) -> bool:
    """Return whether a line may give a tensor in the memory of its first one."""
    if line.op == "call_module":
        return isinstance(module.get_submodule(line.target), PASSING)
    return line.op in ("call_method", "call_function") and _word(line) in SAME_MEMORY


def _word(line: Any) -> str:
    return line.target if line.op == "call_method" else getattr(line.target, "__name__", "")
