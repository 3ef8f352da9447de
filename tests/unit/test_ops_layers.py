"""The layers' builds: pinned by hashes, and the same bytes whoever makes them, wherever and whenever."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ops import layers

ROOT = Path(__file__).parents[2]
FUNCTIONS_PYTHON = {"python_version": "3.13", "python_full_version": "3.13.0", "extra": ""}
COMPILED = {"charset-normalizer", "duckdb", "google-re2", "msgspec", "numpy", "pydantic-core"}
"""Whose wheels differ from processor to processor."""


def spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {
        spelled(name): version
        for name, _, version in (line.partition("==") for line in lines if not line.startswith("#"))
    }


def needed(layer: str) -> set[str]:
    """The packages of a layer's requirements.txt, and all that they need on the functions' Python."""
    found, left = set[str](), (ROOT / "layers" / layer / "requirements.txt").read_text().splitlines()
    while left:
        requirement = Requirement(left.pop())
        name = spelled(requirement.name)
        applies = requirement.marker is None or requirement.marker.evaluate(FUNCTIONS_PYTHON)
        if applies and name not in found:
            found.add(name)
            left += requires(name) or ()
    return found


@pytest.mark.parametrize("layer", layers.LAYERS)
def test_given_a_layer_then_all_that_it_is_built_of_is_pinned_by_version_and_hash(layer: str) -> None:
    locked = layers.hashes(layer)

    assert set(locked) == needed(layer), "run `make hashes`"
    assert {name: version for name, (version, _) in locked.items()} == {name: pinned()[name] for name in locked}
    assert {name for name, (_, sums) in locked.items() if len(sums) == 2} == COMPILED & set(locked)
    assert all(1 <= len(set(sums)) == len(sums) <= 2 for _, sums in locked.values())
    assert "://" not in (ROOT / "layers" / layer / layers.HASHES).read_text()


def installed(folder: Path, moment: int) -> Path:
    """A folder as pip leaves it: with what is the machine's and the moment's."""
    info = folder / "six-1.0.dist-info"
    for place in (folder / "bin", folder / "six" / "__pycache__", info):
        place.mkdir(parents=True)
    for path, text in (
        (folder / "bin" / "tool", f"#!{folder}"),
        (folder / "six" / "__init__.py", "SIX = {1, 2, 3}\n"),
        (folder / "six" / "__pycache__" / "old.pyc", str(moment)),
        (info / "METADATA", "Name: six\n"),
        (info / "RECORD", f"../bin/tool,{folder}"),
        (info / "INSTALLER", "pip"),
    ):
        path.write_text(text)
        path.chmod(0o600 if moment % 2 else 0o644)
        os.utime(path, (moment, moment))
    return folder


def test_given_two_machines_at_two_moments_when_they_build_then_the_archives_are_the_same_bytes(tmp_path: Path) -> None:
    sums = []
    for number, place in enumerate(("here", "somewhere/else")):
        folder = installed(tmp_path / place, 1_700_000_000 + number)
        layers.settle(folder)
        sums.append(layers.pack(folder, tmp_path / f"{number}.zip"))
    first, second = ((tmp_path / f"{number}.zip").read_bytes() for number in range(2))

    assert first == second
    assert sums[0] == sums[1] == hashlib.sha256(first).hexdigest()
    with zipfile.ZipFile(tmp_path / "0.zip") as archive:
        names = [name for name in archive.namelist() if "__pycache__" not in name]
        assert names == ["six-1.0.dist-info/METADATA", "six/__init__.py"]


def test_given_other_sources_when_a_layer_is_built_then_its_sum_is_another(tmp_path: Path) -> None:
    folder = installed(tmp_path / "here", 1_700_000_000)
    layers.settle(folder)
    before = layers.pack(folder, tmp_path / "before.zip")
    (folder / "six" / "__init__.py").write_text("SIX = {1, 2, 4}\n")

    assert layers.pack(folder, tmp_path / "after.zip") != before


def a_wheel(folder: Path) -> str:
    """A wheel `toy` 1.0 in a folder; returns its SHA-256."""
    files = {
        "toy.py": "TOY = 1\n",
        "toy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
        "toy-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    sums = {
        name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        for name, text in files.items()
    }
    record = "".join(f"{name},sha256={digest},{len(files[name])}\n" for name, digest in sums.items())
    path = folder / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | {"toy-1.0.dist-info/RECORD": f"{record}toy-1.0.dist-info/RECORD,,\n"}).items():
            wheel.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recipe(layer: str) -> list[str]:
    """What a layer's makefile does, without what is the core's alone: its own package."""
    lines = (ROOT / "layers" / layer / "Makefile").read_text().partition("\nbuild-")[2].splitlines()[1:]
    return [line for line in lines if "cp -R adweir" not in line]


def test_given_a_wheel_of_another_hash_when_a_layer_is_built_then_the_build_fails(tmp_path: Path) -> None:
    """The core's own makefile, on a layer of one package; the other layers are built in the same way."""
    digest = a_wheel(tmp_path)
    (tmp_path / layers.HASHES).write_text(f"toy==1.0 --hash=sha256:{digest[::-1]}\n")
    command = ["make", "-s", "-C", str(tmp_path), "-f", str(ROOT / "layers/core/Makefile"), "build-CoreLayer"]
    done = subprocess.run(  # noqa: S603  our own command
        [*command, f"ARTIFACTS_DIR={tmp_path / 'built'}", f"PYTHON={sys.executable}"],
        env=os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "built/python/toy.py").exists()
    assert {tuple(recipe(layer)) for layer in layers.LAYERS} == {tuple(recipe("core"))}
