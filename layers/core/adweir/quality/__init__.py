"""Cleaning, rules, scores, quarantine.

`adweir.quality.validate` and what stands beside it are the library's, which knows the platforms' names; scripts look
for them here.
"""

from importlib import import_module
from typing import Any

_LIBRARY = {
    "check_quality": "adweir.library.quality_check",
    "clean_rows": "adweir.library.validating",
    "validate": "adweir.library.validating",
    "validate_and_clean": "adweir.library.validating",
}


def __getattr__(name: str) -> Any:
    if name not in _LIBRARY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LIBRARY[name]), name)
