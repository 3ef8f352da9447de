"""What botocore and moto work out anew for every client and request though it follows from their arguments alone: most
of the time that a client takes to make. `tests/unit/test_support_quick_aws.py` compares the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from os import environ
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore import auth, client, hooks, httpsession, regions, useragent, utils
from moto import backend_index
from moto.core import base_backend, models
from pynamodb.connection import base as pynamodb_base

from sandbox import quick_calls

_DECIDES = frozenset({"AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"})
_ASKED_OFTEN = ("s3", "sqs", "secretsmanager", "events", "scheduler", "athena")
_ANY = UUID(int=0)
_motos_urls: Any = base_backend.BaseBackend.urls.fget  # type: ignore[attr-defined]
_own_client: Callable[..., Any] = boto3.client


def install(patch: pytest.MonkeyPatch) -> None:
    """Have botocore remember, and moto begin with no more than it needs."""
    patch.setattr(hooks.EventAliaser, "_alias_event_name", _aliased_once(hooks.EventAliaser._alias_event_name))  # type: ignore[attr-defined]
    patch.setattr(hooks, "accepts_kwargs", _asked_once(hooks.accepts_kwargs))
    clean = lru_cache(10_000)(useragent.sanitize_user_agent_string_component)
    patch.setattr(useragent, "sanitize_user_agent_string_component", clean)
    read_moment = lru_cache(10_000, typed=True)(utils._parse_timestamp_with_tzinfo)  # type: ignore[attr-defined]
    patch.setattr(utils, "_parse_timestamp_with_tzinfo", read_moment)
    patch.setattr(client, "ServiceModel", _made_once(client.ServiceModel))
    # To make one takes a quarter of the time of a client; no test speaks TLS, and only clients of a proxy change it.
    patch.setattr(httpsession, "create_urllib3_context", cache(httpsession.create_urllib3_context))
    patch.setattr(regions, "EndpointProvider", _made_once(regions.EndpointProvider))  # type: ignore[attr-defined]
    _share_methods(patch)
    # For each method of HTTP moto adds 280 patterns that only `requests` would ask: botocore's clients ask it directly.
    patch.setattr(models, "RESPONSES_METHODS", [])
    # moto tries 400 patterns, one by one, on the address of each request: those that tests ask for most come first.
    patch.setattr(backend_index, "backend_url_patterns", _asked_first(backend_index.backend_url_patterns))
    patch.setattr(base_backend.BaseBackend, "urls", property(_listed_once(_motos_urls)))
    resolver = regions.EndpointRulesetResolver
    patch.setattr(resolver, "construct_endpoint", quick_calls.found_once(resolver.construct_endpoint))
    patch.setattr(useragent.UserAgentString, "to_string", _said_once(useragent.UserAgentString.to_string))
    # Each request has a number that only its signals have, which nobody listens to: the system is asked for its bytes.
    patch.setattr(pynamodb_base, "uuid", SimpleNamespace(uuid4=lambda: _ANY))
    patch.setattr(auth.SigV4Auth, "add_auth", _signed_where_somebody_looks(auth.SigV4Auth.add_auth))


def shared_client(service: str, **options: Any) -> Any:
    """`boto3.client`, for tests that look at AWS: one client per service and region, for moto answers beneath it.

    With anything else that decides what a client does, it is one of its own.
    """
    others = options.keys() - {"region_name"} or _DECIDES.intersection(environ)
    region = options.get("region_name") or environ.get("AWS_DEFAULT_REGION", "")
    return _own_client(service, **options) if others or not region else _client(service, region)


@cache
def _client(service: str, region: str) -> Any:
    session: Any = boto3.Session("testing", "testing", region_name=region)
    return session.client(service)


def _made_once(make: Callable[..., Any]) -> Callable[..., Any]:
    """What is made of the same descriptions is the same. They are parsed once (tests/conftest.py): the same objects."""
    known: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def made(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *(part for pair in sorted(kwargs.items()) for part in pair))
        key = tuple(id(part) if isinstance(part, dict | set) else part for part in given)
        if key not in known:
            known[key] = make(*args, **kwargs), given  # kept, so that no other object has its id
        return known[key][0]

    return made


def _signed_where_somebody_looks(sign: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A request that is answered in this process names its key and region, which moto reads, and has no signature: to
    work one out is a third of what a request to a table takes.
    """
    unsigned = quick_calls.without_signature(sign)

    def add_auth(self: Any, request: Any) -> None:
        is_answered_here = models.botocore_stubber.enabled and "AWS_ENDPOINT_URL_DYNAMODB" not in environ
        (unsigned if is_answered_here else sign)(self, request)

    return add_auth


def _asked_first(patterns: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The services that tests ask for most, before all others, each in moto's order."""
    often = {name: place for place, name in enumerate(_ASKED_OFTEN)}
    return sorted(patterns, key=lambda each: often.get(each[0], len(often)))


def _listed_once(list_urls: Any) -> Callable[[Any], dict[str, Any]]:
    """moto lists the addresses of a service, with their handlers, anew for each request: its class decides them."""
    known: dict[type, dict[str, Any]] = {}

    def urls(self: Any) -> dict[str, Any]:
        if type(self) not in known:
            known[type(self)] = list_urls(self)
        return known[type(self)]

    return urls


def _said_once(say: Callable[[Any], str]) -> Callable[[Any], str]:
    """Who asks: a client says it twice with each request. Which features its first request used stays in it."""

    def to_string(self: Any) -> str:
        config = self._client_config
        if config is None:
            return say(self)
        of, said = self.__dict__.get("_said", (None, ""))
        if of is not config:
            said = say(self)
            self.__dict__["_said"] = config, said
        return str(said)

    return to_string


def _share_methods(patch: pytest.MonkeyPatch) -> None:
    """The methods of clients of one service are the same functions; each client's class has a dictionary of its own."""
    creator = client.ClientCreator
    for name in ("_create_methods", "_create_name_mapping"):
        create, known = getattr(creator, name), dict[Any, dict[str, Any]]()

        def made(self: Any, model: Any, create: Any = create, known: dict[Any, dict[str, Any]] = known) -> Any:
            if model not in known:
                known[model] = create(self, model)
            return dict(known[model])

        patch.setattr(creator, name, made)


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
