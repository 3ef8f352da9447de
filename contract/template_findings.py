"""checkov, unmodified, on template.yaml with its loops expanded: findings are mended, or checkov.toml has a reason."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from contract.clients import HERE
from contract.environments import Tool
from support.template import template

CHECKOV = Tool("checkov")
ACCEPTED = HERE / "checkov.toml"
_SECONDS = 300


class TemplateFinding(NamedTuple):
    """One failed check of one resource, by its logical id."""

    check: str
    resource: str
    words: str = ""


class AcceptedFinding(NamedTuple):
    """A check whose findings stay as they are on these resources (names, or patterns with `*`), and why."""

    what: str
    resources: list[str]
    reason: str


def accepted() -> dict[str, AcceptedFinding]:
    """checkov.toml: check → what stays."""
    return {check: AcceptedFinding(**about) for check, about in tomllib.loads(ACCEPTED.read_text()).items()}


def found(python: Path, folder: Path) -> tuple[int, list[TemplateFinding]]:
    """How many checks passed, and what failed. Raises CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = template()
    document = {name: part for name, part in whole.source.items() if name in {"Parameters", "Mappings", "Conditions"}}
    document |= {"AWSTemplateFormatVersion": "2010-09-09", "Resources": whole.translated}
    (folder / "template.json").write_text(json.dumps(document, default=str))
    command = [str(python.parent / "checkov"), "--file", str(folder / "template.json"), "--framework", "cloudformation"]
    command += ["--output", "json", "--compact", "--quiet", "--skip-download", "--soft-fail"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    answer = json.loads(done.stdout)
    failed = [
        TemplateFinding(each["check_id"], each["resource"].rpartition(".")[2], each["check_name"])
        for each in answer["results"]["failed_checks"]
    ]
    return int(answer["summary"]["passed"]), failed


def faults(findings: Iterable[TemplateFinding], known: Mapping[str, AcceptedFinding]) -> Iterator[str]:
    """Findings that nothing justifies, and justifications that nothing needs any more."""
    unused = {(check, resource) for check, about in known.items() for resource in about.resources}
    for finding in sorted(findings):
        fits = [each for each in _resources(known, finding.check) if fnmatchcase(finding.resource, each)]
        unused -= {(finding.check, each) for each in fits}
        if not fits:
            yield f"{finding.check} {finding.resource}: {finding.words}"
    for check, resource in sorted(unused):
        yield f"{check} finds nothing in {resource} any more: take it out of {ACCEPTED.name}"


def _resources(known: Mapping[str, AcceptedFinding], check: str) -> list[str]:
    return known[check].resources if check in known else []
