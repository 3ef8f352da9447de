"""The layers as `make build` makes them: pinned by hashes, and the same bytes from the same sources.

`python -m ops.layers lock` writes `layers/<name>/hashes.txt`: every package of the layer with its version in
constraints.txt and the SHA-256 of its wheel for each processor. `settle` is the last step of a layer's makefile.
`build` makes every layer for each processor, twice and in different places, and compares the archives. Only the
standard library is imported: the makefiles' Python may be one without our packages.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {"core": "CoreLayer", "analytics": "AnalyticsLayer"}
"""A layer's folder → its name in template.yaml."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
HASHES = "hashes.txt"
EPOCH = 315_532_800
"""1980-01-01 UTC, the first moment that a zip can tell: what SOURCE_DATE_EPOCH is when nobody sets it."""
_PYTHON, _SECONDS = "3.13", 900
_OF_THE_BUILD = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
"""What pip notes about the installation: paths and scripts of the machine that built."""
_IN_THE_LAYER = "/opt/python"
_HEAD = "# Written by `make hashes`: what the layer is built of. A wheel with another hash is not installed.\n"


class LayerError(Exception):
    """A layer cannot be locked or built; the message says why."""


def main(words: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ops.layers", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("lock", help="write the hashes of every layer's wheels")
    verbs.add_parser("settle", help="make an installed folder the same everywhere").add_argument("folder", type=Path)
    verbs.add_parser("build", help="build every layer twice for each processor, and compare").add_argument(
        "--into", type=Path, default=ROOT / "dist" / "layers", help="where the archives go"
    )
    asked = parser.parse_args(words)
    try:
        if asked.verb == "settle":
            settle(asked.folder)
        elif asked.verb == "lock":
            for name in LAYERS:
                (ROOT / "layers" / name / HASHES).write_text(locked(name))
        else:
            return _built(asked.into)
    except LayerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def settle(folder: Path) -> None:
    """Leave in an installed folder only what follows from its sources; what is the machine's or the moment's goes.

    Bytecode is made where there is a Python of the functions' release: without times, and with the paths that the files
    have in a layer.
    """
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for found in sorted(folder.rglob("*"), reverse=True):
        if found.name == "__pycache__":
            shutil.rmtree(found)
        elif found.parent.name.endswith(".dist-info") and found.name in _OF_THE_BUILD:
            found.unlink()
    if python := _python():
        command = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(folder), "-p", _IN_THE_LAYER, str(folder)]
        _run(command, os.environ | {"PYTHONHASHSEED": "0"})
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))
    for found in [folder, *folder.rglob("*")]:
        if not found.is_symlink():
            found.chmod(0o755 if found.is_dir() or found.stat().st_mode & 0o100 else 0o644)
            os.utime(found, (moment, moment))


def packed(folder: Path) -> Iterator[tuple[str, bytes, int]]:
    """A folder's files in the order of their names: name, content, mode."""
    for path in sorted(folder.rglob("*"), key=lambda found: found.relative_to(folder).as_posix()):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes(), path.stat().st_mode


def pack(folder: Path, archive: Path) -> str:
    """Write a folder as a zip that says nothing of when and where it was made; returns its SHA-256."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as into:
        for name, body, mode in packed(folder):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (mode & 0o777) << 16
            into.writestr(entry, body, zipfile.ZIP_DEFLATED)
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def locked(name: str) -> str:
    """A layer's hashes.txt: what pip chooses for each processor within constraints.txt, and the wheels' hashes."""
    found: dict[tuple[str, str], set[str]] = {}
    for architecture in MACHINES:
        with tempfile.TemporaryDirectory() as place:
            command = ["pip", "download", "-q", "--dest", place, *_wheels(architecture)]
            given = ["-c", str(ROOT / "constraints.txt"), "-r", str(ROOT / "layers" / name / "requirements.txt")]
            _run([sys.executable, "-m", *command, *given], dict(os.environ))
            for wheel in sorted(Path(place).glob("*.whl")):
                package, version, *_ = wheel.name.split("-")
                key = _spelled(package), version
                found.setdefault(key, set()).add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    return _HEAD + "".join(f"{line}\n" for line in _lines(found))


def hashes(name: str) -> dict[str, tuple[str, list[str]]]:
    """A layer's hashes.txt as data: package → its version and the hashes of its wheels."""
    text = (ROOT / "layers" / name / HASHES).read_text().replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            package, version = line.split()[0].split("==")
            found[package] = version, re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
    return found


def _lines(found: dict[tuple[str, str], set[str]]) -> Iterable[str]:
    for (package, version), sums in sorted(found.items()):
        yield " \\\n    ".join([f"{package}=={version}", *(f"--hash=sha256:{each}" for each in sorted(sums))])


def _built(into: Path) -> int:
    """Build every layer twice for each processor, print the sums, and say whether they are equal."""
    differing = 0
    for name, logical in LAYERS.items():
        for architecture in MACHINES:
            sums = []
            for _ in range(2):
                with tempfile.TemporaryDirectory() as place:
                    _make(name, logical, architecture, Path(place))
                    archive = into / f"{name}-{architecture}.zip"
                    sums.append(pack(Path(place), archive))
            same = len(set(sums)) == 1
            differing += not same
            print(
                f"{name:<9} {architecture:<6} {archive.stat().st_size:>10} B  {'  '.join(sorted(set(sums)))}",
                flush=True,
            )
    print("each was built twice, and the bytes are the same" if not differing else f"{differing} differ")
    return 1 if differing else 0


def _make(name: str, logical: str, architecture: str, place: Path) -> None:
    command = ["make", "-s", "-C", str(ROOT / "layers" / name), f"build-{logical}", f"ARTIFACTS_DIR={place}"]
    _run([*command, f"PYTHON={sys.executable}"], os.environ | {"ADWEIR_ARCH": architecture})


def _wheels(architecture: str) -> list[str]:
    """pip's options for wheels of the functions' Python and a processor, whatever this machine has."""
    platforms = [f"{kind}_{MACHINES[architecture]}" for kind in ("manylinux2014", "manylinux_2_17", "manylinux_2_28")]
    options = ["--only-binary=:all:", "--implementation", "cp", "--python-version", _PYTHON]
    return ["--disable-pip-version-check", *options, *(word for each in platforms for word in ("--platform", each))]


def _python() -> str:
    """A Python of the functions' release on this machine; "" where there is none that runs."""
    found = shutil.which(f"python{_PYTHON}") or ""
    runs = found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0  # noqa: S603  ours
    return found if runs else ""


def _spelled(package: str) -> str:
    """As the index spells it, whatever the wheel's name has."""
    return re.sub(r"[-_.]+", "-", package).lower()


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603  our own commands
            command, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise LayerError(f"{' '.join(command[:4])} took longer than {_SECONDS} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "WARNING" not in line]
        raise LayerError(f"{' '.join(command[:4])} failed: {chr(10).join(said[-5:])}")


if __name__ == "__main__":
    sys.exit(main())
