"""Zips of the functions and layers as the sandbox deploys them: the code without its dependencies.

MiniStack runs Python functions with its own interpreter, so the dependencies come from the virtual environment. The
bytecode is packed too (unchecked, since the zip never changes), so that a worker starts without compiling.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import py_compile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"Makefile", "requirements.txt", "hashes.txt"}


@dataclass(frozen=True)
class Package:
    """A zip named by the hash of its sources: the same code is the same object."""

    key: str
    body: bytes


def package(folder: Path, prefix: str = "") -> Package:
    """Zip a folder's files under `prefix` inside the archive."""
    buffer = io.BytesIO()
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts or path.name in _LEFT_OUT:
                continue
            name = prefix + path.relative_to(folder).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
            for entry, body in _entries(path, name):
                archive.writestr(zipfile.ZipInfo(entry, _EPOCH), body, zipfile.ZIP_DEFLATED)
        if not archive.namelist():
            archive.writestr(zipfile.ZipInfo(f"{prefix}EMPTY", _EPOCH), b"")
    return Package(f"{digest.hexdigest()}.zip", buffer.getvalue())


def _entries(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    yield name, path.read_bytes()
    if path.suffix != ".py":
        return
    with tempfile.TemporaryDirectory() as scratch:
        compiled = Path(scratch, "module.pyc")
        py_compile.compile(
            str(path),
            cfile=str(compiled),
            dfile=name,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        yield importlib.util.cache_from_source(name), compiled.read_bytes()
