"""How files are written so that none is ever half there, and how they are verified."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from ..errors import StoreError

MANIFEST = "MANIFEST.sha256"


def write_atomic(path: str | Path, data: bytes) -> Path:
    """Write a file under a temporary name, flush it to the disk, then give it its own name.

    Raises: StoreError with the system's reason; the old file is then still there.
    """
    path = Path(path)
    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise StoreError(
            str(path),
            "cannot be written",
            got=error.strerror or str(error),
            need=f"{len(data)} bytes of space and the right to write there",
            fix="another folder, or more space",
        ) from None
    return path


def read(path: str | Path) -> bytes:
    """Return a file's bytes, or raise StoreError with the system's reason."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise StoreError(
            str(path), "cannot be read", got=error.strerror or str(error), fix="check the path"
        ) from None


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def manifest(files: dict[str, bytes]) -> bytes:
    """Return the lines of `sha256sum` for files by name."""
    return "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(files.items())).encode()


def verify(where: str, lines: bytes, files: dict[str, bytes]) -> None:
    """Raise StoreError unless the files are those of the manifest, with its hashes."""
    wanted = {line[66:]: line[:64] for line in lines.decode("utf-8", "replace").split("\n") if line}
    for name in sorted(wanted.keys() | files.keys()):
        if name not in files or name not in wanted:
            raise StoreError(
                where,
                f"{name} is {'missing' if name in wanted else 'not in the manifest'}",
                need=", ".join(sorted(wanted)) or "a manifest",
                fix="use an intact copy",
            )
        found = sha256(files[name])
        if found != wanted[name]:
            raise StoreError(
                where,
                f"{name} was changed or damaged",
                got=f"sha256 {found}",
                need=f"sha256 {wanted[name]}",
                fix="use an intact copy",
            )


def _sync_folder(path: Path) -> None:
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
