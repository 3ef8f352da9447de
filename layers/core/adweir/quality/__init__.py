"""Cleaning, rules, scores, quarantine.

`adweir.quality.validate` is the library's, which knows the platforms' names; scripts look for it here.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name != "validate":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("adweir.library.validating").validate
