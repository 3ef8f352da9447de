"""What others' checkers say of adweir: `python -m contract.security [template] [sbom] [api]`, all by default.

`template`: checkov's findings in template.yaml are mended, or contract/checkov.toml says why they stay. `api`:
schemathesis finds no 5xx and no breach of the OpenAPI document on the demonstration's sandbox. `sbom`: a bill of
materials of the layers (CycloneDX) in dist/. Each tool is installed once, in an environment of its own. Ends with 1
when something is found.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from contract import api_findings, template_findings
from contract.clients import HERE
from contract.demonstrated import demonstrated
from contract.environments import NotInstalled, Tool, interpreter
from ops.layers import HASHES, LAYERS

ROOT = HERE.parent
HOME = ROOT / ".contract"
CYCLONEDX = Tool("cyclonedx-bom")
SBOM = ROOT / "dist" / "adweir.cdx.json"
_SECONDS, _SBOM_SECONDS, _MOST_SEED = 300, 120, 1 << 31


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m contract.security", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(_PARTS)}; default: all")
    parser.add_argument("--sandbox", type=Path, help="the sandbox.json of one that runs; default: the demonstration's")
    parser.add_argument("--seed", type=int, default=random.randrange(_MOST_SEED), help="schemathesis's")  # noqa: S311
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="how long schemathesis asks")
    given = parser.parse_args(arguments)
    if unknown := set(given.part) - set(_PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    codes = []
    for name, run in _PARTS.items():
        if not given.part or name in given.part:
            try:
                codes.append(run(given))
            except NotInstalled as missing:
                print(f"{name}: not checked: {missing}")
                codes.append(1)
    return max(codes)


def check_template(_given: argparse.Namespace) -> int:
    """Run checkov; 1 for what it finds beyond checkov.toml."""
    python = interpreter(template_findings.CHECKOV, HOME)
    passed, findings = template_findings.found(python, HOME / "security")
    faults = list(template_findings.faults(findings, template_findings.accepted()))
    for fault in faults:
        print(f"template: {fault}")
    print(f"template: {passed} checks passed, {len(findings)} findings, {len(faults)} faults")
    return 1 if faults else 0


def check_api(given: argparse.Namespace) -> int:
    """Run schemathesis on a sandbox; its exit code."""
    python = interpreter(api_findings.SCHEMATHESIS, HOME)
    with demonstrated(HOME / "security" / "home", given.sandbox) as door:
        print(f"api: seed {given.seed}", flush=True)
        return api_findings.asked(python, door, given.seed, given.seconds)


def write_sbom(_given: argparse.Namespace) -> int:
    """Write the bill of materials of all layers: names, versions, hashes of the wheels."""
    python = interpreter(CYCLONEDX, HOME)
    SBOM.parent.mkdir(exist_ok=True)
    command = [str(python.parent / "cyclonedx-py"), "requirements", "-", "--pyproject", str(ROOT / "pyproject.toml")]
    command += ["--output-reproducible", "--of", "JSON", "-o", str(SBOM)]
    locked = "".join((ROOT / "layers" / layer / HASHES).read_text() for layer in LAYERS)
    subprocess.run(command, input=locked, text=True, check=True, stderr=subprocess.DEVNULL, timeout=_SBOM_SECONDS)
    print(f"sbom: {len(json.loads(SBOM.read_text())['components'])} components in {SBOM.relative_to(ROOT)}")
    return 0


_PARTS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "template": check_template,
    "sbom": write_sbom,
    "api": check_api,
}

if __name__ == "__main__":
    sys.exit(main())
