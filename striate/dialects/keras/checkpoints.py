"""`tf.train.Checkpoint` and its manager: weights, variables and optimizers in files by a number."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import caller
from ..table import DialectError
from .optimizers import Optimizer
from .tf_objects import Anything

DATA, INDEX, STATE = ".data-00000-of-00001", ".index", "checkpoint"


class Checkpoint:
    """Objects by their names, whose numbers are written to files and read again.

    A network that is not built yet, or an optimizer before its first step, takes them when it is.
    """

    def __init__(self, root: Any = None, **parts: Any) -> None:
        self.save_counter = torch.zeros((), dtype=torch.int64)
        self.parts = {**({"root": root} if root is not None else {}), **parts}
        vars(self).update(parts)

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write files of exactly this name."""
        path = Path(str(file_prefix))
        path.parent.mkdir(parents=True, exist_ok=True)
        held = {name: _numbers(part) for name, part in self.parts.items()}
        torch.save({"counter": int(self.save_counter), "parts": held}, f"{path}{DATA}")
        Path(f"{path}{INDEX}").write_text(json.dumps(sorted(held)))
        return str(file_prefix)

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write files of this name with the next number behind it."""
        self.save_counter += 1
        path = self.write(f"{file_prefix}-{int(self.save_counter)}")
        told(Path(path).parent, [path])
        return path

    def restore(self, save_path: Any, options: Any = None) -> Anything:
        """Read files; None is no checkpoint, as in a first run."""
        if save_path is None:
            return Anything()
        path = Path(f"{save_path}{DATA}")
        if not path.is_file():
            raise DialectError(
                "tf.train.Checkpoint", "there are no files of this checkpoint",
                got=str(path), need="a path that save() or write() returned",
                fix="tf.train.latest_checkpoint(folder), or CheckpointManager.latest_checkpoint",
                at=caller(),
            )  # fmt: skip
        found = torch.load(path, weights_only=True)
        self.save_counter.fill_(found["counter"])
        for name, part in self.parts.items():
            if name in found["parts"]:
                _give(part, found["parts"][name])
        return Anything()

    read = restore


class CheckpointManager:
    """The last checkpoints of a folder."""

    def __init__(self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None = 5,
                 checkpoint_name: str = "ckpt", **words: Any) -> None:  # fmt: skip
        self.checkpoint, self.directory = checkpoint, str(directory)
        self.most, self.name = max_to_keep, checkpoint_name
        self.checkpoints = known(self.directory)

    @property
    def latest_checkpoint(self) -> str | None:
        """Path of the last one, None where there is none yet."""
        return self.checkpoints[-1] if self.checkpoints else None

    def save(self, checkpoint_number: Any = None, **words: Any) -> str:
        """Write the next one, and remove the oldest beyond `max_to_keep`."""
        own = self.checkpoint
        own.save_counter += 1
        number = int(own.save_counter if checkpoint_number is None else checkpoint_number)
        path = own.write(os.path.join(self.directory, f"{self.name}-{number}"))  # noqa: PTH118
        kept = [*(one for one in self.checkpoints if one != path), path]
        for one in kept[: -self.most] if self.most else []:
            for ending in (DATA, INDEX):
                Path(f"{one}{ending}").unlink(missing_ok=True)
        self.checkpoints = kept[-self.most :] if self.most else kept
        told(Path(self.directory), self.checkpoints)
        return path

    def restore_or_initialize(self) -> str | None:
        """Read the last one, if there is one."""
        self.checkpoint.restore(self.latest_checkpoint)
        return self.latest_checkpoint


def told(folder: Path, paths: list[str]) -> None:
    """Write which checkpoints of a folder there are, as TensorFlow does."""
    rows = [f'all_model_checkpoint_paths: "{Path(path).name}"' for path in paths]
    rows.insert(0, f'model_checkpoint_path: "{Path(paths[-1]).name}"')
    (folder / STATE).write_text("\n".join(rows) + "\n")


def known(folder: str) -> list[str]:
    """Return the checkpoints that a folder says it has, the last one at the end."""
    file = Path(folder) / STATE
    rows = file.read_text().splitlines() if file.is_file() else []
    names = [row.split('"')[1] for row in rows if row.startswith("all_") and row.count('"') == 2]
    paths = [os.path.join(folder, name) for name in names]  # noqa: PTH118  "./a" stays "./a"
    return [path for path in paths if Path(f"{path}{DATA}").is_file()]


def _numbers(part: Any) -> Any:
    """Return what a file holds of an object."""
    if isinstance(part, nn.Module):
        return [weight.detach().clone() for weight in _weights(part)]
    if isinstance(part, Tensor):
        return part.detach().clone()
    if isinstance(part, Checkpoint):
        return {name: _numbers(one) for name, one in part.parts.items()}
    if isinstance(part, Optimizer):
        return [state for state, _ in vars(part)["states"].values()]
    return [_numbers(one) for one in part] if isinstance(part, (list, tuple)) else None


def _give(part: Any, numbers: Any) -> None:
    """Give an object what a file holds of it, at once or when it is ready."""
    if isinstance(part, nn.Module):
        weights = list(_weights(part))
        if len(weights) == len(numbers):
            _fill(weights, numbers)
        else:
            _when_built(part, numbers)
    elif isinstance(part, Tensor):
        part.data.copy_(numbers)
    elif isinstance(part, Checkpoint):
        for name, one in part.parts.items():
            _give(one, numbers[name])
    elif isinstance(part, Optimizer):
        vars(part)["restored"] = list(numbers)
        vars(part)["states"].clear()
    elif isinstance(part, (list, tuple)):
        for one, held in zip(part, numbers, strict=False):
            _give(one, held)


def _weights(part: nn.Module) -> Iterator[Tensor]:
    yield from part.parameters()
    yield from part.buffers()


@torch.no_grad()
def _fill(weights: list[Tensor], numbers: list[Tensor]) -> None:
    for weight, value in zip(weights, numbers, strict=True):
        weight.copy_(value)


def _when_built(part: nn.Module, numbers: list[Tensor]) -> None:
    """Fill a network after the first call, which builds it, and call it again."""

    def filled(module: nn.Module, args: Any, words: Mapping[str, Any], out: Any) -> Any:
        hook.remove()
        weights = list(_weights(module))
        if len(weights) != len(numbers):
            raise DialectError(
                "tf.train.Checkpoint", "the checkpoint is that of another network",
                got=f"{len(numbers)} weights for {len(weights)}", need="the network that was saved",
                at=caller(),
            )  # fmt: skip
        _fill(weights, numbers)
        return module(*args, **words)

    hook = part.register_forward_hook(filled, with_kwargs=True)
