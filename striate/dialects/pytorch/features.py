"""torchvision.models.feature_extraction: a network that gives what is inside another one."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, fx, nn

from ...errors import caller, nearest
from ..table import DialectError


class _Tracer(fx.Tracer):
    """Names each line by the module that it is in: `layer1.0.relu_1`."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = [""]
        self.names: dict[str, fx.Node] = {}

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        """Note which module is inside."""
        self.inside.append(self.path_of_module(m))
        try:
            return super().call_module(m, forward, args, kwargs)
        finally:
            self.inside.pop()

    def create_node(self, kind: str, target: Any, *args: Any, **words: Any) -> fx.Node:
        """Note the line under a name that is free."""
        node = super().create_node(kind, target, *args, **words)
        if kind not in ("get_attr", "output"):
            inside = self.inside[-1]
            word = "" if kind == "call_module" else re.sub(r"_\d+$", "", node.name)
            path = ".".join(filter(None, (inside, word)))
            found, number = path, 0
            while found in self.names:
                number += 1
                found = f"{path}_{number}"
            self.names[found] = node
        return node


def _named(model: nn.Module) -> tuple[fx.Graph, dict[str, fx.Node]]:
    tracer = _Tracer()
    graph = tracer.trace(model)
    return graph, tracer.names


def get_graph_node_names(model: nn.Module, **words: Any) -> tuple[list[str], list[str]]:
    """Return the names of what a network computes, in training and in evaluation."""
    mode, lists = model.training, []
    for training in (True, False):
        lists.append([*_named(model.train(training))[1]])
    model.train(mode)
    return lists[0], lists[1]


def create_feature_extractor(
    model: nn.Module,
    return_nodes: Any = None,
    train_return_nodes: Any = None,
    eval_return_nodes: Any = None,
    **words: Any,
) -> nn.Module:
    """Return a network with the same weights that gives a dictionary of what it computes inside."""
    wanted = return_nodes or eval_return_nodes or train_return_nodes
    named = wanted if isinstance(wanted, Mapping) else {name: name for name in wanted}
    graph, names = _named(model)
    outputs = {str(title): _found(name, names) for name, title in named.items()}
    for node in [one for one in graph.nodes if one.op == "output"]:
        graph.erase_node(node)
    graph.output(outputs)
    made = fx.GraphModule(model, graph)
    made.graph.eliminate_dead_code()
    made.recompile()
    made.delete_all_unused_submodules()
    return made


def _found(name: str, names: Mapping[str, fx.Node]) -> fx.Node:
    """Return the last line of this name, or in the module of this name."""
    inside = [node for one, node in names.items() if one == name or one.startswith(f"{name}.")]
    if not inside:
        raise DialectError(
            "torchvision.models.feature_extraction",
            f"the network computes no {name!r}",
            got=name,
            need="a name that get_graph_node_names(model) lists",
            fix=nearest(name, names),
            at=caller(),
        )
    return inside[-1]


class IntermediateLayerGetter(nn.ModuleDict):
    """Calls the children of a network one after the other, and gives what some of them give."""

    def __init__(self, model: nn.Module, return_layers: Mapping[str, str]) -> None:
        children: OrderedDict[str, nn.Module] = OrderedDict()
        waiting = set(return_layers)
        for name, module in model.named_children():
            if not waiting:
                break
            children[name] = module
            waiting.discard(name)
        if waiting:
            raise ValueError(f"return_layers: the network has no {sorted(waiting)}")
        super().__init__(children)
        self.return_layers = dict(return_layers)

    def forward(self, x: Tensor) -> OrderedDict[str, Tensor]:
        """Return what the chosen children give."""
        out: OrderedDict[str, Tensor] = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out


NAMES: dict[str, Any] = {
    "create_feature_extractor": create_feature_extractor,
    "get_graph_node_names": get_graph_node_names,
}
