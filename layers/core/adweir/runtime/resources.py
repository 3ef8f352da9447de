"""Clients, stores, clock and chance: what the composition root makes its parts of (`runtime.app`).

Each is made, and its room imported, on first use, so that a cold start pays for what the function uses and no more.
"""

from __future__ import annotations

import random
import time
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adweir.model import trace
from adweir.model.log import log
from adweir.runtime.clock import SystemClock
from adweir.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests
    from aws_lambda_powertools import Logger
    from botocore.session import Session

    from adweir.model.entities import Credential
    from adweir.platforms import Platforms
    from adweir.platforms.addresses import AllowedHosts
    from adweir.platforms.connector import Connector, TokenCache
    from adweir.reporting.query import Queries
    from adweir.runtime.calls import Requests
    from adweir.runtime.job_schedules import JobSchedules
    from adweir.runtime.meter import Meter
    from adweir.runtime.outbound import EventBus, SqsQueues
    from adweir.runtime.platform_calls import PlatformCalls
    from adweir.store.athena import Athena
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings import Findings
    from adweir.store.folds import Folds
    from adweir.store.ledger import Ledger
    from adweir.store.metrics.store import MetricStore
    from adweir.store.raw.feeds import SourceObjects
    from adweir.store.raw.store import RawStore
    from adweir.store.registers import Registers
    from adweir.store.secrets import SecretStore


class Resources:
    """What all parts are made of. Tests build one with their own settings, clock, chance and sleep."""

    def __init__(
        self,
        settings: Settings,
        clock: Any = None,
        rng: random.Random | None = None,
        *,
        service: str = "adweir",
        platforms: Platforms | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self._platforms = platforms
        self.service = service
        self.clock = clock or SystemClock()
        self.rng = rng or random.Random()  # noqa: S311  jitter, not secrets
        self.sleep = sleep
        self.accounts: frozenset[str] | None = None
        """The accounts that the key of a request is limited to; None for all."""

    @cached_property
    def platforms(self) -> Platforms:
        """The platforms that this deployment knows."""
        if self._platforms is not None:
            return self._platforms
        from adweir.platforms import REGISTRY

        return REGISTRY

    def new_id(self) -> str:
        """A fresh random id, 32 hex digits."""
        return uuid.UUID(int=self.rng.getrandbits(128), version=4).hex

    @cached_property
    def _session(self) -> Session:
        from botocore.session import get_session

        from adweir.store.dynamo.descriptions import share

        return share(get_session())

    def client(self, service: str) -> Any:
        """A client with limits: connect 2 s, read 10 s, 4 attempts with jitter (standard mode).

        It is botocore's, as boto3 hands it out too: nothing here uses what boto3 adds, and importing it costs 25 ms.
        Links to objects are signed with version 4: buckets made since 2020 and keys of KMS refuse the older signature,
        which botocore takes for links in some regions.
        """
        from botocore.config import Config

        config = Config(
            connect_timeout=2,
            read_timeout=10,
            retries={"mode": "standard", "max_attempts": 4},
            signature_version="s3v4" if service == "s3" else None,
        )
        return self._session.create_client(service, config=config)

    @cached_property
    def logger(self) -> Logger:
        from aws_lambda_powertools import Logger

        logger = Logger(service=self.service, level=self.settings.log_level)
        logger.addFilter(trace.mark)
        log.handlers, log.propagate = logger.handlers, False
        log.filters = [trace.mark]
        log.setLevel(self.settings.log_level)
        return logger

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def ledger(self) -> Ledger:
        from adweir.store.dynamo import tables
        from adweir.store.ledger import Ledger

        tables.bind(*self.settings.tables)
        return Ledger(self.clock, self.sleep, self.service)

    @cached_property
    def catalog(self) -> Catalog:
        from adweir.store.catalog.store import Catalog
        from adweir.store.dynamo import tables

        tables.bind(*self.settings.tables)
        return Catalog(self.clock)

    @cached_property
    def metrics(self) -> MetricStore:
        from adweir.store.dynamo import tables
        from adweir.store.metrics.store import MetricStore, Patience

        tables.bind(*self.settings.tables)
        lease_seconds = self.settings.function_timeout_seconds + 30
        patience = Patience(self.clock, lease_seconds, self.sleep, self.rng)
        return MetricStore(patience, self.ledger, self.raw, slices=self.platforms.slices)

    @cached_property
    def folds(self) -> Folds:
        from adweir.store.folds import Folds
        from adweir.store.swaps import Swaps

        return Folds(self.raw, self.clock, Swaps(self.sleep, self.rng))

    @cached_property
    def registers(self) -> Registers:
        from adweir.store.registers import Registers
        from adweir.store.swaps import Swaps

        return Registers(self.raw, self.clock, Swaps(self.sleep, self.rng))

    @cached_property
    def findings(self) -> Findings:
        from adweir.store.dynamo import tables
        from adweir.store.findings import Findings

        tables.bind(*self.settings.tables)
        return Findings(self.clock)

    @cached_property
    def queries(self) -> Queries:
        from adweir.reporting.query import Queries

        return Queries(self.catalog, self.metrics, self.platforms, self.clock)

    @cached_property
    def raw(self) -> RawStore:
        from adweir.store.raw.store import RawStore

        return RawStore(self.s3, self.settings.bucket)

    @cached_property
    def athena(self) -> Athena | None:
        """Queries over the tables of `curated/`; None where this function was given no database."""
        given = self.settings
        if not (given.athena_database and given.athena_work_group):
            return None
        from adweir.store.athena import Athena

        return Athena(self.client("athena"), given.athena_database, given.athena_work_group)

    @cached_property
    def secrets(self) -> SecretStore:
        from adweir.store.secrets import SecretStore

        given = self.settings
        return SecretStore(self.client("secretsmanager"), given.secret_prefix, self.clock, given.secrets_key_arn)

    @cached_property
    def http(self) -> requests.Session:
        """The session that connectors share: keep-alive, no cookies, no retries of its own (the connectors decide)."""
        from adweir.platforms.session import new_session

        return new_session()

    @cached_property
    def source_hosts(self) -> AllowedHosts:
        """The hosts that specs may name."""
        from adweir.model.platforms import Platform
        from adweir.platforms.addresses import AllowedHosts

        own = [
            url
            for name, urls in self.settings.platform_urls.items()
            if name in self.platforms and self.platforms.spec(Platform(name)).described
            for url in urls.values()
        ]
        return AllowedHosts(self.settings.source_hosts, own)

    @cached_property
    def _guarded_http(self) -> requests.Session:
        """The session for hosts that people name."""
        from adweir.platforms.addresses import guarded_session

        return guarded_session(self.source_hosts)

    @cached_property
    def feeds(self) -> SourceObjects:
        """The buckets that specs may read."""
        from adweir.store.raw.feeds import SourceObjects

        return SourceObjects(lambda: self.s3, self.settings.source_buckets)

    @cached_property
    def calls(self) -> PlatformCalls:
        """Takes the calls of platforms for the API log. Whoever ends an invocation calls its `ended`."""
        from adweir.runtime.platform_calls import PlatformCalls

        return PlatformCalls(lambda: self.ledger.api_log, self.settings.call_log_days, self.logger)

    @cached_property
    def requests(self) -> Requests:
        """Takes the requests that were answered."""
        from adweir.runtime.calls import Requests

        return Requests(self.ledger, self.settings.call_log_days, self.clock, self.logger)

    @cached_property
    def _paces(self) -> dict[str, float]:
        return {}

    @cached_property
    def bus(self) -> EventBus:
        from adweir.runtime.outbound import EventBus

        return EventBus(self.client("events"), self.settings.bus_name, self.meter.measure)

    @cached_property
    def schedules(self) -> JobSchedules:
        from adweir.runtime.job_schedules import JobSchedules

        return JobSchedules(lambda: self.client("scheduler"), self.settings.job_schedules)

    @cached_property
    def meter(self) -> Meter:
        from aws_lambda_powertools import Metrics

        from adweir.runtime.meter import Meter

        return Meter(Metrics(namespace="adweir", service="adweir"))

    @cached_property
    def queues(self) -> SqsQueues:
        from adweir.runtime.outbound import SqsQueues

        return SqsQueues(self.sqs, self.settings, self.platforms)

    def connector(self, credential: Credential, route: str = "") -> Connector:
        """The platform's API for one credential and a profile's route, with the shared token cache.

        A replaced credential keeps its secret's name, so its values are read again: the platform refuses the old ones.
        """
        values = self.secrets.get(credential.secret_id, str(credential.version))
        return self._connect(credential, values, self.ledger.tokens, route)

    def _connect(
        self, credential: Credential, values: Mapping[str, str], tokens: TokenCache, route: str = ""
    ) -> Connector:
        from adweir.platforms.connector import Wiring

        spec = self.platforms.spec(credential.platform)
        own = self.settings.platform_urls.get(spec.name, {})
        wiring = Wiring(
            urls=lambda name, at: spec.url(name, at, own),
            session=self._guarded_http if spec.described else self.http,
            clock=self.clock,
            rng=self.rng,
            tokens=tokens,
            route=route,
            spec=self.catalog.spec_text,
            sleep=self.sleep,
            paces=self._paces,
            stream_queue=self.settings.stream_queue_arn,
            feeds=self.feeds,
            calls=self.calls if self.settings.call_log_days else None,
        )
        return self.platforms.connect(credential, values, wiring)
