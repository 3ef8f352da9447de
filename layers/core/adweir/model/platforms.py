"""A platform's name, as it is stored in every key, message and event.

Only the registry (`adweir.platforms`) knows which platforms exist. This type accepts any well-formed name, so rows of a
platform that this version does not know can still be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Self

from pydantic_core import CoreSchema, core_schema

_PATTERN = r"^[a-z][a-z0-9_]{1,39}$"
_NAME = re.compile(_PATTERN)


class Platform(str):
    """A stored platform name: lower-case letters, digits and `_`, 2 to 40 characters. Raises ValueError for others."""

    __slots__ = ()

    def __new__(cls, name: str) -> Self:
        if not _NAME.match(name) or name.endswith("\n"):
            raise ValueError(f"not a platform's name: {name[:40]!r}")
        return super().__new__(cls, name)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(pattern=_PATTERN), serialization=core_schema.to_string_ser_schema()
        )
