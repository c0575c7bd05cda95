"""Repository: which commit of their own work somebody trained with, and what they had changed."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

PATIENCE_S = 3.0  # a large repository must not hold up a training


def repository(folder: str | Path = ".") -> dict[str, str]:
    """Return the commit of a folder's Git repository and what differs from it; nothing outside one.

    Fields: `git_commit`; `git_changes`, "none", or how many files differ and the SHA-256 of the
    whole difference, so that two runs of the same changes are known to be.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "diff", "--name-only", "HEAD")
    if not commit or changed is None:
        return {}
    names = changed.splitlines()
    said = "none"
    if names:
        digest = hashlib.sha256(changes(folder).encode()).hexdigest()
        more = ", ..." if len(names) > 3 else ""
        said = f"{', '.join(names[:3])}{more} ({len(names)}), SHA-256 {digest}"
    return {"git_commit": commit.strip(), "git_changes": said}


def changes(folder: str | Path = ".") -> str:
    """Return what differs from the commit, as `git apply` takes it; empty outside a repository."""
    return _git(folder, "diff", "--binary", "HEAD") or ""


def _git(folder: str | Path, *words: str) -> str | None:
    """Return what Git says; None where there is no Git, no repository, or no answer in time."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "core.fsmonitor=", "--no-optional-locks", *words],
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
