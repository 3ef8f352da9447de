"""`adweir.quality.validate`: the system's schema language on rows of any origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adweir.platforms import REGISTRY
from adweir.quality import schema as language
from adweir.runtime.clock import SystemClock


def validate(data: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Check rows against a schema of field → rules → `{"valid", "errors", "warnings", …}` (`quality.schema`).

    In a field `platform` any name of a platform stands for it. Raises Unprocessable that names each wrong rule.
    """
    return language.validate(data, schema, SystemClock().now(), REGISTRY.parse)
