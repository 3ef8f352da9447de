"""botocore's service descriptions, parsed once a process.

Each botocore session reads its own copy of partitions, defaults and service models, megabytes of JSON: 50 ms of a cold
start for the second and every further one.
"""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader, create_loader
from botocore.session import Session


@cache
def _loader() -> Loader:
    return create_loader()


def share(session: Session) -> Session:
    """Let a session that has made no client yet read the common copy; returns it."""
    session.register_component("data_loader", _loader())
    return session
