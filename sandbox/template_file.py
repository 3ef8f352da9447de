"""template.yaml as it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor


class _TemplateLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """SAM's own reading of CloudFormation's short forms, by libyaml where PyYAML has it: in a tenth of the time."""


_TemplateLoader.add_multi_constructor("!", intrinsics_multi_constructor)


def read_template(file: Path) -> dict[str, Any]:
    """A template in a file."""
    return parse_template(file.read_text())


def parse_template(text: str) -> dict[str, Any]:
    """A template."""
    read: dict[str, Any] = yaml.load(text, _TemplateLoader)  # noqa: S506  either is a safe one
    return read
