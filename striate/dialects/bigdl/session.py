"""The state of a BigDL script: the names it gave, and where its log goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.progress import say
from ..session import Session


@dataclass
class BigdlSession(Session):
    """The state of a script; `log_path` is where `redire_spark_logs` sends the log ("": stderr)."""

    log_path: str = ""
    shows_info: bool = True
    saved: dict[Path, Any] = field(default_factory=dict)  # networks that hold code, by their files

    def created(self, kind: str) -> None:
        """Print the line that BigDL prints for each object that it makes."""
        print(f"creating: create{kind}")  # noqa: T201  the script's own output

    def name(self, kind: str) -> str:
        """Return a name that no other module has."""
        self.counted[kind] += 1
        return f"{kind}{self.counted[kind]:08x}"

    def info(self, where: str, text: str) -> None:
        """Write a line of the log, as Spark's logger lays it out."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} INFO  {where} - {text}"
        if self.log_path:
            with Path(self.log_path).open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        if not self.log_path or self.shows_info:
            say(line)
