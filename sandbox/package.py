"""Zips of the functions and layers as the sandbox deploys them: the code without its dependencies.

MiniStack runs Python functions with its own interpreter, so the dependencies come from the virtual environment. The
bytecode is packed too (unchecked, since the zip never changes), so that a worker starts without compiling. Nothing is
compressed: it stays on this machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import marshal
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNCHECKED_HASH = 0b01
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
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts or path.name in _LEFT_OUT:
                continue
            name = prefix + path.relative_to(folder).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
            for entry, body in _entries(path, name):
                archive.writestr(zipfile.ZipInfo(entry, _EPOCH), body)
        if not archive.namelist():
            archive.writestr(zipfile.ZipInfo(f"{prefix}EMPTY", _EPOCH), b"")
    return Package(f"{digest.hexdigest()}.zip", buffer.getvalue())


def _entries(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    source = path.read_bytes()
    yield name, source
    if path.suffix == ".py":
        yield importlib.util.cache_from_source(name), _bytecode(source, name)


def _bytecode(source: bytes, name: str) -> bytes:
    """What `py_compile` writes into a file for its UNCHECKED_HASH (PEP 552)."""
    code = SourceFileLoader(name, name).source_to_code(source, name)
    head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    return head + marshal.dumps(code)
