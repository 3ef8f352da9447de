"""Checks that everything that names a platform is up to date: `python -m ops.platform_check`, part of `make lint`.

A platform is one folder, and five other places name it: the registry, the template, the sandbox, the examples under
events/ and the documentation. Each finding says which of them is not up to date and what to add.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adweir.model.datasets import Dataset
from adweir.platforms import REGISTRY, Platforms
from adweir.platforms.base import PlatformSpec
from adweir.runtime.settings import queue_part
from ops import dataset_table
from sandbox.platforms import stand_ins
from sandbox.platforms.base import StandIn
from sandbox.template_file import read_template

ROOT = Path(__file__).parents[1]
PLATFORMS = "layers/core/adweir/platforms"
LOOP = "Collect"
"""The loop of template.yaml that makes a collect queue, its alarms and its event source per platform."""
NOT_PLATFORMS = frozenset({"files", "described"})
"""Folders beside the platforms' that hold no platform: columns of dropped files, and the language of specs."""
GUIDE = "docs/adding-a-platform.md"


def check(root: Path, platforms: Platforms, stand_ins: Mapping[str, StandIn]) -> list[str]:
    """What is not up to date in the checkout `root`, a finding per line. `stand_ins` are the sandbox's, by name."""
    findings = [*_folders(root, platforms), *_template(root, platforms), *_sandbox(platforms, stand_ins)]
    for spec in platforms.specs():
        missing = list(_parts(spec))
        findings += [*_spec(spec, platforms), *missing, *_docs(root, spec)]
        findings += [] if missing else _events(root, platforms, spec)
    return findings


def _folders(root: Path, platforms: Platforms) -> Iterator[str]:
    """Every folder with a SPEC is in the registry."""
    registered = {spec.package.rpartition(".")[2] for spec in platforms.specs()}
    for folder in sorted(path.parent for path in (root / PLATFORMS).glob("*/__init__.py")):
        if folder.name not in registered | NOT_PLATFORMS:
            yield f"{folder.name}: {PLATFORMS}/__init__.py does not register the folder: add its line to REGISTRY"


def _spec(spec: PlatformSpec, platforms: Platforms) -> Iterator[str]:
    """Names are unique, and every dataset of metrics says how it is pulled."""
    others = [other for other in platforms.specs() if other.name != spec.name]
    taken = {name for other in others for name in (str(other.name), *other.aliases)}
    for name in sorted({str(spec.name), *spec.aliases} & taken):
        yield f"{spec.name}: another platform is called {name!r} too: choose another alias in its SPEC"
    for dataset, described in spec.datasets.items():
        if dataset is not described.dataset:
            yield f"{spec.name}: SPEC.datasets has {described.dataset} under {dataset}: build it with datasets(…)"
        if dataset.grain is not None and not described.max_window_days:
            yield f"{spec.name}: SPEC.datasets[{dataset}] does not say max_window_days"
        if dataset is Dataset.INVOICES and not described.lookback_months:
            yield f"{spec.name}: SPEC.datasets[{dataset}] does not say lookback_months"


def _parts(spec: PlatformSpec) -> Iterator[str]:
    """The folder has the files that every platform has, each with what the rooms above call."""
    parts = {"client": "connect", "normalize": "NORMALIZER"} | ({"webhook": "HOOKS"} if spec.webhook else {})
    parts |= {"invoices": "READER"} if Dataset.INVOICES in spec.datasets else {}
    for part, name in parts.items():
        if find_spec(f"{spec.package}.{part}") is None:
            yield f"{spec.name}: its folder has no {part}.py (see {GUIDE})"
        elif not hasattr(import_module(f"{spec.package}.{part}"), name):
            yield f"{spec.name}: {part}.py does not define {name} (see {GUIDE})"
    if not spec.webhook and find_spec(f"{spec.package}.webhook") is not None:
        yield f"{spec.name}: its folder has a webhook.py, but SPEC.webhook is False"


def _template(root: Path, platforms: Platforms) -> Iterator[str]:
    """The template's list of platforms is the registry's."""
    template = read_template(root / "template.yaml")
    listed = set(template["Resources"][f"Fn::ForEach::{LOOP}"][1])
    wanted = {queue_part(name): name for name in platforms}
    for name in sorted(set(wanted) - listed):
        yield f"{wanted[name]}: template.yaml is not up to date: add {name} to the loop {LOOP}"
    for name in sorted(listed - set(wanted)):
        yield f"{name}: template.yaml has it in the loop {LOOP}, but there is no such platform: remove it"


def _sandbox(platforms: Platforms, stand_ins: Mapping[str, StandIn]) -> Iterator[str]:
    """The sandbox stands in for each platform, under each base URL that its connector asks for."""
    for spec in platforms.specs():
        stand_in = stand_ins.get(spec.name)
        if stand_in is None and spec.described:
            continue  # whatever a spec describes: the sandbox's strangers (docs/sandbox.md)
        if stand_in is None:
            yield f"{spec.name}: no stand-in in the sandbox: add a package to sandbox/platforms and to its FOLDERS"
            continue
        given = {name.partition(".")[0] for name in stand_in.base_urls("http://127.0.0.1")}
        for name in sorted(spec.url_names - given):
            yield f"{spec.name}: the sandbox's base_urls lacks {name!r}, which SPEC.urls names"
        for name in sorted(given - spec.url_names):
            yield f"{spec.name}: the sandbox's base_urls has {name!r}, which SPEC.urls does not name"
    for name in sorted(set(stand_ins) - {str(name) for name in platforms}):
        yield f"{name}: the sandbox has a stand-in for it, but it is not in the registry"


def _events(root: Path, platforms: Platforms, spec: PlatformSpec) -> Iterator[str]:
    """There is an example of a task on its collect queue and, if it sends webhooks, of a delivery of its own."""
    queue = f"collect-{queue_part(spec.name)}"
    tasks = [event["Records"][0]["eventSourceARN"] for event in _examples(root / "events/collect")]
    if not any(str(arn).endswith(queue) for arn in tasks):
        yield f"{spec.name}: events/collect has no example from its queue ({queue})"
    hooks = platforms.webhook(spec.name)
    if hooks is None:
        return
    paths = {f"/webhook/{name}" for name in (spec.name, *spec.aliases)}
    ours = [event["headers"] for event in _examples(root / "events/webhooks") if event["rawPath"] in paths]
    if not any(hooks.carries({name.lower(): value for name, value in headers.items()}) for headers in ours):
        yield f"{spec.name}: events/webhooks has no example of a delivery to {' or '.join(sorted(paths))}"


def _examples(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def _docs(root: Path, spec: PlatformSpec) -> Iterator[str]:
    """README names the platform and its credential; so does docs/platforms.md, and in its section also its datasets."""
    readme, page = ((root / name).read_text() for name in ("README.md", "docs/platforms.md"))
    if spec.title not in readme:
        yield f"{spec.name}: README.md does not name {spec.title}"
    if f"\n| `{spec.name}` |" not in readme:
        yield f"{spec.name}: README.md has no row with its credential's fields"
    before, _, section = page.partition(f"\n## {spec.title}\n")
    if f"\n| {spec.title} |" not in before:
        yield f"{spec.name}: docs/platforms.md has no row under 'Getting credentials'"
    section = section.partition("\n## ")[0]
    if not section:
        yield f"{spec.name}: docs/platforms.md has no section '## {spec.title}'"
        return
    words = {*spec.aliases, spec.name, *spec.credential.model_fields, *spec.datasets}
    for word in sorted(str(word) for word in words if f"`{word}`" not in section):
        yield f"{spec.name}: its section of docs/platforms.md does not name `{word}`"


def main() -> int:
    """Print the findings of this checkout. Returns the exit code."""
    findings = check(ROOT, REGISTRY, {str(one.platform): one for one in stand_ins()})
    if not dataset_table.is_current(dataset_table.PAGE.read_text(), REGISTRY):
        findings.append("docs/platforms.md: its table of datasets is not current: run python -m ops.dataset_table")
    for finding in findings:
        print(finding)
    if not findings:
        print(f"{len(list(REGISTRY))} platforms: folder, registry, template, sandbox, events and docs agree")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
