"""What botocore works out anew for every client and request though it follows from its arguments alone: half of the
time that a client takes to make. `tests/unit/test_support_quick_aws.py` compares the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import pytest
from botocore import hooks, useragent, utils


def install(patch: pytest.MonkeyPatch) -> None:
    """Have botocore remember."""
    patch.setattr(hooks.EventAliaser, "_alias_event_name", _aliased_once(hooks.EventAliaser._alias_event_name))  # type: ignore[attr-defined]
    patch.setattr(hooks, "accepts_kwargs", _asked_once(hooks.accepts_kwargs))
    clean = lru_cache(10_000)(useragent.sanitize_user_agent_string_component)
    patch.setattr(useragent, "sanitize_user_agent_string_component", clean)
    read_moment = lru_cache(10_000, typed=True)(utils._parse_timestamp_with_tzinfo)  # type: ignore[attr-defined]
    patch.setattr(utils, "_parse_timestamp_with_tzinfo", read_moment)


def _aliased_once(work_out: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    """The name of an event under botocore's own aliases, which every client shares."""
    known: dict[str, str] = {}

    def alias(self: hooks.EventAliaser, event: str) -> str:
        if self._event_aliases is not hooks.EVENT_ALIASES:  # type: ignore[attr-defined]
            return work_out(self, event)
        name = known.get(event)
        if name is None:
            name = known[event] = work_out(self, event)
        return name

    return alias


def _asked_once(accepts: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Whether a handler takes `**kwargs`: a method's function says it, so that no client is kept alive."""
    known = cache(accepts)
    return lambda handler: known(getattr(handler, "__func__", handler)) if _lasts(handler) else accepts(handler)


def _lasts(handler: Any) -> bool:
    """Whether it is a function of a module or a class, and not one that was made for a client."""
    function = getattr(handler, "__func__", handler)
    return "<locals>" not in getattr(function, "__qualname__", "<locals>")
