"""`build()`: the composition root. The only place that makes clients, clocks and ids; everything is made on first use.

A function imports this module and its own rooms; a property below imports a room only when it is asked for, so that a
cold start pays for what the function uses and no more.
"""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adweir.model.errors import Throttled, Unprocessable
from adweir.model.platforms import Platform
from adweir.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from aws_lambda_powertools import Logger
    from botocore.session import Session

    from adweir.intake.collect.claim import Tools
    from adweir.model.entities import Credential
    from adweir.model.errors import AdweirError
    from adweir.platforms.base import Connector
    from adweir.runtime.consumer import Consumer, M, Remaining
    from adweir.runtime.outbound import EventBus, SqsQueue
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings import Findings
    from adweir.store.ledger import Ledger
    from adweir.store.metrics.store import MetricStore
    from adweir.store.raw.store import RawStore
    from adweir.store.secrets import SecretStore


class SystemClock:
    """The real clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class App:
    """Everything a function works with. Tests build one with their own settings and clock."""

    def __init__(self, settings: Settings, clock: Any = None, rng: random.Random | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.rng = rng or random.Random()  # noqa: S311  jitter, not secrets
        self._credential_versions: dict[str, int] = {}

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
        """
        from botocore.config import Config

        return self._session.create_client(
            service,
            config=Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 4}),
        )

    @cached_property
    def logger(self) -> Logger:
        from aws_lambda_powertools import Logger

        return Logger(service="adweir", level=self.settings.log_level)

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

        tables.bind(self.settings)
        return Ledger(self.clock)

    @cached_property
    def catalog(self) -> Catalog:
        from adweir.store.catalog.store import Catalog
        from adweir.store.dynamo import tables

        tables.bind(self.settings)
        return Catalog(self.clock)

    @cached_property
    def metrics(self) -> MetricStore:
        from adweir.store.dynamo import tables
        from adweir.store.metrics.store import MetricStore

        tables.bind(self.settings)
        return MetricStore(self.clock, self.ledger, self.raw, lease_seconds=self.settings.function_timeout_seconds + 30)

    @cached_property
    def findings(self) -> Findings:
        from adweir.store.dynamo import tables
        from adweir.store.findings import Findings

        tables.bind(self.settings)
        return Findings(self.clock)

    @cached_property
    def raw(self) -> RawStore:
        from adweir.store.raw.store import RawStore

        return RawStore(self.s3, self.settings.bucket)

    @cached_property
    def secrets(self) -> SecretStore:
        from adweir.store.secrets import SecretStore

        return SecretStore(self.client("secretsmanager"), self.settings.secret_prefix, self.clock)

    @cached_property
    def http(self) -> requests.Session:
        """The session that connectors share: keep-alive, no retries of its own (the connectors decide)."""
        import requests

        return requests.Session()

    @cached_property
    def bus(self) -> EventBus:
        from aws_lambda_powertools import Metrics

        from adweir.runtime.meter import Meter
        from adweir.runtime.outbound import EventBus

        meter = Meter(Metrics(namespace="adweir", service="adweir"))
        return EventBus(self.client("events"), self.settings.bus_name, meter.measure)

    def queue(self, url: str) -> SqsQueue:
        from adweir.runtime.outbound import SqsQueue

        if not url:
            raise RuntimeError("this function was given no URL for that queue: see its environment in template.yaml")
        return SqsQueue(self.sqs, url)

    @cached_property
    def runs_queue(self) -> SqsQueue:
        return self.queue(self.settings.runs_queue_url)

    @cached_property
    def reports_queue(self) -> SqsQueue:
        return self.queue(self.settings.reports_queue_url)

    @cached_property
    def landing_queue(self) -> SqsQueue:
        return self.queue(self.settings.landing_queue_url)

    @cached_property
    def etl_queue(self) -> SqsQueue:
        return self.queue(self.settings.etl_queue_url)

    def collect_queue(self, platform: Platform) -> SqsQueue:
        """The collect queue of a platform."""
        urls = {
            Platform.META_ADS: self.settings.collect_meta_queue_url,
            Platform.AMAZON_ADS: self.settings.collect_amazon_queue_url,
        }
        if platform not in urls:
            raise Unprocessable(f"{platform} is not connected yet; connected: {', '.join(sorted(urls))}")
        return self.queue(urls[platform])

    def queue_of(self, arn: str) -> SqsQueue:
        """The queue that a record's eventSourceARN names, among those this function was given."""
        name = arn.rpartition(":")[2]
        for field in Settings.model_fields:
            url = getattr(self.settings, field)
            if field.endswith("_queue_url") and url.rpartition("/")[2] == name:
                return self.queue(url)
        raise RuntimeError(f"no queue URL in the settings is {name}")

    def connector(self, credential: Credential) -> Connector:
        """The platform's API for one credential, with the shared token cache.

        A replaced credential keeps its secret's name: its values are read anew, or the old ones would break it.
        """
        from adweir.platforms import connect

        known = self._credential_versions.get(credential.secret_id, credential.version)
        if known != credential.version and not self.secrets.refresh(credential.secret_id):
            raise Throttled("the replaced credential cannot be read yet", retry_after=10)
        self._credential_versions[credential.secret_id] = credential.version

        return connect(
            credential=credential,
            secret=self.secrets.get(credential.secret_id),
            settings=self.settings,
            session=self.http,
            clock=self.clock,
            rng=self.rng,
            tokens=self.ledger.tokens,
        )

    @cached_property
    def intake(self) -> Tools:
        """What the collector and the poller work with; `outcomes` among it settles their errors."""
        from adweir.intake.collect.claim import Tools
        from adweir.intake.collect.outcomes import Outcomes
        from adweir.platforms import specs

        settings = self.settings
        return Tools(
            ledger=self.ledger,
            catalog=self.catalog,
            raw=self.raw,
            queues=self,
            outcomes=Outcomes(self.ledger, self.catalog, self, self.bus),
            connector_for=self.connector,
            specs=specs,
            clock=self.clock,
            hold_seconds=settings.function_timeout_seconds + 30,
            margin_seconds=min(20.0, settings.function_timeout_seconds / 5),
            poll_seconds=settings.poll_seconds,
            poll_max_seconds=settings.poll_max_seconds,
            report_timeout_seconds=settings.report_timeout_seconds,
        )

    def consumer(
        self,
        *,
        parse: Callable[[str], list[M]],
        handle: Callable[[M, Remaining], None],
        settle: Callable[[M, AdweirError], None],
    ) -> Consumer[M]:
        """The queue consumer of an asynchronous function."""
        from adweir.runtime.consumer import Consumer

        return Consumer(
            parse=parse,
            handle=handle,
            settle=settle,
            queue_of=self.queue_of,
            clock=self.clock,
            rng=self.rng,
            logger=self.logger,
        )


def build() -> App:
    """The app of a deployed function, from its environment."""
    return App(Settings.from_environment())
