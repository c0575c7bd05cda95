"""The folder of a run: what was asked, the machine, the results and the model, with hashes."""

from __future__ import annotations

import csv
import io
import json
import platform
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from typing_extensions import Self

from ..core.layer import Layer
from ..errors import StoreError, nearest
from . import epochs, model_file
from .files import MANIFEST, manifest, read, verify, write_atomic
from .repository import changes, repository

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MODEL = "model.striate"
CHANGES, MOST_CHANGES = "changes.diff", 4 * 2**20


class Run:
    """A folder of plain files that hold everything about one training.

    `config.json` (what was asked), `environment.json` and `changes.diff` (what of one's own Git
    repository was not committed, up to 4 MB), `metrics.jsonl` and `history.csv` (one line
    an epoch), `results.json`, `report.md`, the model (`model.striate`, and its parts `model.json`
    and `weights.safetensors`), `epochs` (the weights of a small network after each epoch), and
    `MANIFEST.sha256`, written last.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.epochs: list[dict[str, float]] = []

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.path.name

    @classmethod
    def create(cls, root: str | Path = "runs", name: str = "run") -> Self:
        """Make a new folder: `name`, or `name-2`, `name-3`... if it is there already.

        Raises: StoreError for a name that is no plain folder name, or if the folder cannot be made.
        """
        if not NAME.fullmatch(name):
            raise StoreError(
                f"run {name!r}",
                "is not a name for a run",
                need="small letters, digits, - and _, at most 64, beginning with a letter or digit",
                fix=re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:64] or "run",
            )
        number = 1
        while True:
            path = Path(root) / (name if number == 1 else f"{name}-{number}")
            try:
                Path(root).mkdir(parents=True, exist_ok=True)
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            except OSError as error:
                raise StoreError(
                    str(path), "cannot be made", got=error.strerror, fix="another folder for runs"
                ) from None
            return cls(path)

    @classmethod
    def open(cls, path: str | Path, root: str | Path = "runs") -> Self:
        """Return a finished run, by path or by name, after verifying every file.

        Raises: StoreError if there is no such run, it is not finished, or a file was changed.
        """
        folder = Path(path) if Path(path).is_dir() else Path(root) / str(path)
        if not folder.is_dir():
            known = [run.name for run in list_runs(root)]
            raise StoreError(
                str(path),
                "there is no such run",
                need=f"a folder, or one of the runs in {root}: " + (", ".join(known) or "none yet"),
                fix=nearest(Path(path).name, known) or "striate train mnist",
            )
        run = cls(folder)
        if not (folder / MANIFEST).is_file():
            raise StoreError(
                str(folder),
                "the run was not finished: it has no manifest",
                got=", ".join(sorted(item.name for item in folder.iterdir())) or "an empty folder",
                fix="train again; metrics.jsonl has the epochs that were done",
            )
        lines = read(folder / MANIFEST)
        listed = [line[66:] for line in lines.decode("utf-8", "replace").splitlines() if line]
        places = {name: _place(folder, name) for name in listed}
        present = {name: place for name, place in places.items() if place.is_file()}
        verify(str(folder), lines, {name: read(place) for name, place in present.items()})
        return run

    def write(self, name: str, content: Any) -> Path:
        """Write a file of the run: bytes, text, or anything else as JSON."""
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = (json.dumps(content, indent=1) + "\n").encode()
        return write_atomic(self.path / name, content)

    def read(self, name: str) -> Any:
        """Return a JSON file of the run."""
        try:
            return json.loads(read(self.path / name))
        except ValueError as error:
            raise StoreError(str(self.path / name), "is not JSON", got=str(error)) from None

    @property
    def results(self) -> dict[str, Any]:
        """What came of the run; nothing for that of a script, which keeps it to itself."""
        found = self.read("results.json") if (self.path / "results.json").is_file() else {}
        return found if isinstance(found, dict) else {}

    @property
    def input_range(self) -> tuple[float, float] | None:
        """The smallest and the largest value that a script trained on, if it did on numbers."""
        found = self.read("config.json") if (self.path / "config.json").is_file() else {}
        span = found.get("input_range") if isinstance(found, dict) else None
        return (float(span[0]), float(span[1])) if span else None

    def classes(self, count: int) -> list[str]:
        """Return the names of the classes; their numbers where the run has none."""
        return [str(name) for name in self.results.get("classes") or range(count)]

    def log(self, epoch: int, logs: dict[str, float]) -> None:
        """Add an epoch's numbers to metrics.jsonl and history.csv."""
        row = {"epoch": epoch + 1, **logs}
        self.epochs.append(row)
        lines = "".join(json.dumps(line) + "\n" for line in self.epochs)
        self.write("metrics.jsonl", lines)
        columns = list(dict.fromkeys(name for line in self.epochs for name in line))
        table = io.StringIO()
        writer = csv.DictWriter(table, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.epochs)
        self.write("history.csv", table.getvalue())

    def describe_machine(self) -> dict[str, Any]:
        """Write and return what the result depends on beside what was asked."""
        machine, changed = environment(), changes()
        self.write("environment.json", machine)
        if 0 < len(changed) <= MOST_CHANGES:
            self.write(CHANGES, changed)
        return machine

    def finish(self, model: Layer) -> None:
        """Write the model and, last, the manifest of everything in the folder."""
        for name, data in model_file.contents(model).items():
            self.write(name, data)
        model_file.save(model, self.path / MODEL)
        files = {
            item.relative_to(self.path).as_posix(): read(item)
            for folder in (self.path, self.path / epochs.FOLDER)
            for item in (sorted(folder.iterdir()) if folder.is_dir() else ())
            if item.is_file() and item.name != MANIFEST
        }
        self.write(MANIFEST, manifest(files))


def _place(folder: Path, name: str) -> Path:
    """Return where a file of a manifest is: in the run's folder, or in that of its epochs."""
    inner = Path(name).parent.name == epochs.FOLDER
    return (folder / epochs.FOLDER if inner else folder) / Path(name).name


def list_runs(root: str | Path = "runs") -> list[Path]:
    """Return the folders of the finished runs, oldest first."""
    found = Path(root).glob(f"*/{MANIFEST}") if Path(root).is_dir() else []
    return [item.parent for item in sorted(found, key=lambda item: (item.stat().st_mtime_ns, item))]


def environment() -> dict[str, Any]:
    """Return the versions, the processor and the threads that a result depends on.

    With `git_commit` and `git_changes` where the folder one works in is a Git repository's.
    """
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        cpu = models[0] if models else cpu
    return {
        "striate": vars(sys.modules[__package__.partition(".")[0]])["__version__"],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": cpu,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.is_available(),
        **repository(),
    }
