"""Graph versions: those that the Marketing API still answers, deprecated ones, and words that are none."""

from __future__ import annotations

import re

from sandbox.platforms.meta.errors import GraphError, unknown_path

_LATEST = 26
_OLDEST = 23
"""Since v23.0 a version of the Marketing API lives about a year after the next one (Platform Changelog)."""


def check_version(version: str, path: str) -> None:
    """Raise Meta's error for a version that has ended, or one that never was.

    A version that Graph does not know is read as a part of the path: `/v99.0/me` is "Unknown path components: /me".
    """
    found = re.fullmatch(r"v(\d+)\.(\d+)", version)
    major, minor = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= major <= _LATEST or (major > 3 and minor):  # until v3.3 there were minor versions
        raise unknown_path(path)
    if major < _OLDEST:
        text = (
            f"You are calling a deprecated version of the Ads API. Please update to the latest version: v{_LATEST}.0."
        )
        raise GraphError(f"(#2635) {text}", 2635)
