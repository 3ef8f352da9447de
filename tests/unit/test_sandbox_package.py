"""Packages of the sandbox: their bytecode is what an import takes without a look at the source."""

from __future__ import annotations

import io
import py_compile
import sys
import zipfile
from pathlib import Path

import pytest

from sandbox.package import package

SOURCE = 'TEXT = "größe"\n\n\ndef fail() -> None:\n    raise ValueError(TEXT)\n'


def test_bytecode_is_what_py_compile_writes(tmp_path: Path) -> None:
    # given
    folder = tmp_path / "code"
    folder.mkdir()
    module = folder / "module.py"
    module.write_text(SOURCE, encoding="utf-8")
    written = py_compile.compile(
        str(module),
        cfile=str(tmp_path / "module.pyc"),
        dfile="python/module.py",
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    assert written is not None

    # when
    with zipfile.ZipFile(io.BytesIO(package(folder, "python/").body)) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".pyc"))
        found = archive.read(name)

    # then
    expected = Path(written).read_bytes()
    assert name == f"python/__pycache__/module.{sys.implementation.cache_tag}.pyc"
    assert found[:16] == expected[:16]
    assert found == expected


def test_code_that_cannot_be_compiled_is_not_packed(tmp_path: Path) -> None:
    # given
    (tmp_path / "broken.py").write_text("def broken(:\n")

    # when, then
    with pytest.raises(SyntaxError, match=r"broken\.py"):
        package(tmp_path)
