"""What a figure depends on besides the code: the machine, its load, and the version measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
VECTORS = {"avx512bf16": "avx512_bf16", "avx512": "avx512f", "avx2": "avx2"}  # and Linux's words


def vectors() -> str:
    """Return the best instruction set for vectors that this processor has."""
    flags = re.search(r"^flags\s*:(.*)$", _text("/proc/cpuinfo"), re.MULTILINE)
    found = flags[1].split() if flags else []
    return next((name for name, flag in VECTORS.items() if flag in found), platform.machine())


def describe() -> dict[str, str]:
    """Return the processor, memory, system, load, date, and the commit that is checked out."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", _text("/proc/meminfo"), re.MULTILINE)
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return {
        "cpu": f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores",
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "memory": f"{int(memory[1]) >> 20} GiB" if memory else "unknown",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "nice": str(os.nice(0)),
        "load": f"{os.getloadavg()[0]:.1f}",
        "date": time.strftime("%Y-%m-%d"),
        "striate": commit.stdout.strip() or "no checkout",
    }


def line(machine: dict[str, str]) -> str:
    """Return it as one sentence, without the load, which changes from minute to minute."""
    threads = f" (OMP_NUM_THREADS={machine['threads']})" if machine["threads"] else ""
    nice = machine.get("nice", "0")
    return (
        f"{machine['cpu']}{threads}, {machine['memory']}, {machine['system']}"
        f"{'' if nice == '0' else f', niceness {nice}'}; "
        f"{machine['date']}, striate {machine['striate']}."
    )


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).is_file() else ""
