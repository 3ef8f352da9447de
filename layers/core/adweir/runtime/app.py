"""The composition root. The only place that puts the rooms' parts together, out of `runtime.resources`.

Functions and routes take what they use from `App`. Each part is made, and its room imported, on first use, so that a
cold start pays for what the function uses and no more.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adweir.runtime.finders import Finders
from adweir.runtime.memory import collect_seldom
from adweir.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adweir.insight.aggregates import Aggregator
    from adweir.insight.anomalies.watch import AnomalyWatch
    from adweir.insight.anomalies.watched import WatchSettings
    from adweir.insight.curated.curator import Curator
    from adweir.insight.mmm.fitting import MixFitter
    from adweir.insight.mmm.publish import Publisher
    from adweir.intake.collect.claim import Claims
    from adweir.intake.collect.collector import Collector
    from adweir.intake.collect.gate import Gate
    from adweir.intake.collect.outcomes import Outcomes
    from adweir.intake.collect.planner import Coverage
    from adweir.intake.collect.poller import Poller
    from adweir.intake.collect.worker import Timing
    from adweir.intake.doors.campaign_book import CampaignBook
    from adweir.intake.doors.receiver import Receiver
    from adweir.intake.doors.registration import Registration
    from adweir.intake.load.dispatch import Loader
    from adweir.intake.load.file_readers import ClientFiles
    from adweir.intake.load.pipeline_records import PipelineRecords
    from adweir.model.entities import Credential
    from adweir.model.errors import AdweirError
    from adweir.model.flows import StageKind
    from adweir.model.messages import RunMessage
    from adweir.model.platforms import Platform
    from adweir.pipeline.account_work import AccountWork
    from adweir.pipeline.engine import Engine
    from adweir.pipeline.held_replays import HeldReplays
    from adweir.pipeline.jobs.fired import FiredJobs
    from adweir.pipeline.jobs.manage import ScheduledJobs
    from adweir.pipeline.replays import Replayer
    from adweir.pipeline.watch import SweepView
    from adweir.platforms.connector import Connector
    from adweir.quality.data_looks import DataLooks
    from adweir.quality.days import DayScorer
    from adweir.quality.monitor import Monitor
    from adweir.runtime.aside import Aside
    from adweir.runtime.consumer import Consumer, M, Remaining
    from adweir.runtime.memory import MemoryWatch
    from adweir.runtime.stream_batches import StreamBatches
    from adweir.store.findings.breaches import KeptBreach


class App(Finders):
    """Everything a function works with."""

    whole: App | None = None
    """The app that this one is limited of (`limited_to`)."""

    def limited_to(self, accounts: frozenset[str]) -> App:
        """This app for a key of these accounts: its catalog, and all that reads through it, has nothing of others."""
        from adweir.store.catalog.limited import LimitedCatalog
        from adweir.store.dynamo import tables

        tables.bind(*self.settings.tables)
        limited = App(self.settings, self.clock, self.rng, service=self.service, platforms=self.platforms)
        shared = ("ledger", "metrics", "findings", "raw", "secrets", "queues", "logger", "meter", "calls")
        limited.__dict__.update({name: getattr(self, name) for name in shared})
        limited.__dict__["catalog"] = LimitedCatalog(self.clock, accounts)
        limited.accounts, limited.whole = accounts, self
        return limited

    # --- what functions and routes use

    @cached_property
    def outcomes(self) -> Outcomes:
        """What becomes of a task that cannot go on; its `settle` is the hook of collect and poll_reports."""
        from adweir.intake.collect.outcomes import Outcomes

        return Outcomes(self.ledger, self.catalog, self.queues, self.bus)

    @cached_property
    def collector(self) -> Collector:
        from adweir.intake.collect.collector import Collector

        return Collector(self._claims, self._gate, self.raw, self.queues, self._timing, self.platforms.datasets)

    @cached_property
    def poller(self) -> Poller:
        from adweir.intake.collect.poller import Poller

        return Poller(self._claims, self._gate, self.raw, self.queues, self._timing, self.platforms.datasets)

    @cached_property
    def loader(self) -> Loader:
        """What `validate` runs: a loader per prefix of the bucket."""
        from adweir.intake.load.commit import Committer
        from adweir.runtime import loading

        limit, margin = self.settings.quality_threshold, self._timing.margin
        stores = self.metrics, self.findings, self.ledger.unfollowed
        committer = Committer(stores, self.bus, self.clock, limit, margin)
        return loading.loader(self, committer)

    @cached_property
    def file_readers(self) -> ClientFiles:
        """How dropped files are read."""
        from adweir.intake.load.file_mappings import FileMappings
        from adweir.intake.load.file_readers import ClientFiles

        return ClientFiles(self.catalog, self.platforms, FileMappings(self.catalog, self.raw).find)

    @cached_property
    def pipeline_records(self) -> PipelineRecords:
        """Stores what calls of the API hand over. The caller has made sure whose it is: it writes for every client."""
        from adweir.intake.load.pipeline_records import PipelineRecords, RecordStores

        whole = self.whole or self
        stores = RecordStores(
            whole.raw, whole.catalog, whole.metrics, whole.registers, whole.ledger, whole.file_readers
        )
        return PipelineRecords(stores, whole.clock, whole.sleep, whole.rng)

    @cached_property
    def receiver(self) -> Receiver:
        from adweir.intake.doors.receiver import Receiver

        return Receiver(self.platforms, self.catalog, self.secrets, self.raw, self.clock)

    @cached_property
    def stream_batches(self) -> StreamBatches:
        """What `stream` runs."""
        from adweir.intake.doors.stream import StreamDoor, StreamSource
        from adweir.platforms.http import Http
        from adweir.runtime.stream_batches import StreamBatches

        spec = next(spec for spec in self.platforms.specs() if spec.stream)
        own = self.settings.platform_urls.get(spec.name, {})
        hooks, further = self.platforms.stream(spec.name), self.settings.stream_accounts
        source = StreamSource(spec.name, hooks, further, lambda route: spec.url("sns", route, own))
        door = StreamDoor(source, self.raw, Http(self.http, self.clock, self.rng), self.clock)
        return StreamBatches(door, lambda: self.aside, self.logger)

    @cached_property
    def registration(self) -> Registration:
        """Takes in and forgets credentials and accounts."""
        from adweir.intake.doors.credential_check import CredentialCheck
        from adweir.intake.doors.registration import Registration
        from adweir.platforms.connector import OwnTokens

        def connect(credential: Credential, values: Mapping[str, str]) -> Connector:
            return self._connect(credential, values, OwnTokens(self.clock))  # this role may not read the shared ones

        check = CredentialCheck(self.platforms, self.catalog, self.clock, connect)
        return Registration(self.platforms, self.catalog, self.secrets, self.queues.runs, check)

    @property
    def stage_kinds(self) -> frozenset[StageKind]:
        """The kinds of stages that this deployment has a function for."""
        from adweir.pipeline.stages import DEPLOYED

        return DEPLOYED

    @cached_property
    def engine(self) -> Engine:
        from adweir.pipeline.engine import Engine
        from adweir.pipeline.stages import RunSettings, StagePlanner

        settings = self.settings
        run_settings = RunSettings(
            history_days=settings.history_days,
            task_deadline_seconds=settings.task_deadline_seconds,
            stale_after_seconds=settings.stale_after_seconds,
            function_timeout_seconds=settings.function_timeout_seconds,
            bucket=settings.bucket,
            deployed=self.stage_kinds,
        )

        def coverage(*asked: Any) -> Coverage:
            days = self.metrics.days(*asked)  # most messages never plan: they do not pay for the metric store
            return {day: state.began for day, state in days.items()}

        planner = StagePlanner(self.catalog, coverage, self.platforms, self.clock, run_settings)
        return Engine(self.ledger, planner, self.queues, self.bus, self.clock, run_settings)

    @cached_property
    def replayer(self) -> Replayer:
        """Loads stored raw objects again."""
        from adweir.pipeline.replays import Replayer

        margin = min(15.0, self.settings.function_timeout_seconds * 0.25)
        return Replayer(self.metrics, self.raw, self.ledger, self.queues, self.platforms, margin)

    @cached_property
    def jobs(self) -> ScheduledJobs:
        """The deployment's jobs, and their schedules."""
        from adweir.pipeline.jobs.manage import ScheduledJobs

        return ScheduledJobs(self.catalog, self.schedules, self.platforms, self.clock, self.new_id)

    @cached_property
    def campaigns(self) -> CampaignBook:
        """Cross-platform campaigns and their arms."""
        from adweir.intake.doors.campaign_book import CampaignBook

        return CampaignBook(self.catalog, self.platforms.parse, self.clock, self.new_id)

    @cached_property
    def _fired_jobs(self) -> FiredJobs:
        from adweir.pipeline.jobs.fired import FiredJobs

        return FiredJobs(self.catalog, self.ledger, self.clock, self.engine.start)

    @cached_property
    def held_replays(self) -> HeldReplays:
        """Loads again what is in quarantine."""
        from adweir.pipeline.held_replays import HeldReplays

        return HeldReplays(self.findings.held, self.raw, self.ledger, self.queues)

    def orchestrate(self, message: RunMessage, remaining: Remaining) -> None:
        """One message of the runs queue."""
        if message.kind == "replay":
            self.replayer.send(message, remaining)
        elif message.kind == "job":
            self._fired_jobs.start(message)
        elif message.kind == "replay_held":
            self.held_replays.send(message)
        else:
            self.engine.handle(message, remaining)
        if message.kind == "sweep":
            self._watch()

    def _watch(self) -> None:
        """Publish what is wrong right now. What cannot be read is shown by the health, and no sweep is repeated."""
        from adweir.pipeline.late import Late
        from adweir.pipeline.watch import look, see

        try:
            seen = see(self.ledger, self.catalog)
            known = self.monitor.known()
            late = Late.of(kept.breach for kept in known.values())
            numbers = look(self.ledger, self.catalog, self.clock, seen, late)
            self._look_for_breaches(seen, known)
            self.meter.count(numbers)  # last: whatever fails before it, the alarm WatchSilent rings
        except Exception:  # the boundary
            self.logger.exception("the watch saw nothing")

    def _look_for_breaches(self, seen: SweepView, known: Mapping[str, KeptBreach]) -> None:
        """Report ad accounts that were not pulled when their schedules say so, and rows that were refused."""
        from adweir.pipeline.freshness import BuiltIn, Freshness
        from adweir.quality.refused_looks import TOLD, refused_looks

        given, at = self.settings.schedules, self.clock.now()
        is_on = given is not None and given.state == "ENABLED"
        built_in = BuiltIn(given.expressions if given else {}, given.timezone if given else "UTC", is_on)
        freshness = Freshness(
            self.catalog, self.platforms.parse, built_in, timedelta(seconds=self.settings.task_deadline_seconds)
        )
        refused, is_whole = self.findings.held.since(at - TOLD)
        looks = [*freshness.looks(seen, known, at), *refused_looks(refused, known, is_whole=is_whole)]
        self.monitor.settle(looks, known, at)
        self.monitor.forget(known)

    @cached_property
    def account_work(self) -> AccountWork:
        """What `etl`, `curate`, `detect`, `learn`, `enrich` and `features` do for stages: their kinds beside `pull`."""
        from adweir.pipeline.account_work import AccountWork
        from adweir.runtime.client_jobs import client_jobs

        hold = self.settings.function_timeout_seconds + 30
        return AccountWork(self.ledger, self.queues.runs, self.clock, hold, client_jobs(self))

    @cached_property
    def publisher(self) -> Publisher:
        """Builds and stores the media-mix datasets."""
        from adweir.insight.mmm.publish import Publisher

        return Publisher(self.catalog, self.queries, self.raw, self.clock)

    @cached_property
    def mix_fitter(self) -> MixFitter:
        """Fits the media-mix datasets, and stores what each channel brings."""
        from adweir.insight.mmm.fitting import MixFitter

        return MixFitter(self.findings.mix, self.raw, self.clock)

    @cached_property
    def aggregator(self) -> Aggregator:
        """Makes and stores sums by platform, channel, campaign and arm."""
        from adweir.insight.aggregates import Aggregator

        def channel(platform: Platform) -> str:
            return self.platforms.spec(platform).channel if platform in self.platforms else ""

        return Aggregator(self.catalog, self.queries, self.raw, channel)

    @cached_property
    def scorer(self) -> DayScorer:
        """Scores days, and looks at bills."""
        from adweir.quality.days import DayScorer
        from adweir.reporting.invoices import MonthlyBills

        bills = MonthlyBills(self.catalog, self.queries)
        return DayScorer(self.catalog, self.metrics, self.findings, self.platforms, self.clock, bills)

    @cached_property
    def anomaly_watch(self) -> AnomalyWatch:
        """Looks for anomalies in the settled days of client accounts."""
        from adweir.insight.anomalies.watch import AnomalyWatch, WatchParts

        parts = WatchParts(self.catalog, self.queries, self.findings.anomalies, self.bus, self.clock)
        return AnomalyWatch(parts, self.watch_settings())

    def watch_settings(self, threshold: float | None = None) -> WatchSettings:
        """What an anomaly has to reach here. `threshold`: deviations, in place of the detector's own."""
        from adweir.insight.anomalies.watched import WatchSettings

        set_to = self.settings
        return WatchSettings(
            set_to.anomaly_min_effect, set_to.anomaly_min_spend, set_to.anomaly_min_share, threshold=threshold
        )

    @cached_property
    def curator(self) -> Curator:
        """Makes and stores the tables for SQL."""
        from adweir.insight.curated.curator import Curator
        from adweir.runtime.curating import curator_parts

        return Curator(curator_parts(self, self.queries))

    @cached_property
    def monitor(self) -> Monitor:
        """Reports breaches."""
        from adweir.quality.breach_messages import MessageFormat
        from adweir.quality.monitor import Monitor
        from adweir.runtime.alarm_topic import AlarmTopic

        form = MessageFormat(self.settings.message_format)
        topic = AlarmTopic(lambda: self.client("sns"), self.settings.alarm_topic_arn, form)
        return Monitor(self.findings.breaches, self.bus, topic, self.clock)

    @cached_property
    def data_looks(self) -> DataLooks:
        """Looks for breaches in what is stored of a client's ad accounts."""
        from adweir.quality.data_looks import DataLooks

        return DataLooks(self.catalog, self.findings, self.monitor, self.clock)

    def health(self) -> dict[str, Any]:
        """Whether the pipeline is healthy, part by part (`pipeline.health`)."""
        from adweir.pipeline.health import health
        from adweir.runtime.probes import ask_all, probes_of

        return health(
            self.ledger,
            self.catalog,
            lambda: ask_all(probes_of(self), self.clock),
            self.clock,
            lambda: [kept.breach for kept in self.findings.breaches.all().values() if kept.breach.kind.is_fault],
        )

    # --- their parts

    @cached_property
    def _claims(self) -> Claims:
        from adweir.intake.collect.claim import Claims

        return Claims(self.ledger, self.outcomes, self.clock, self.settings.function_timeout_seconds + 30)

    @cached_property
    def _gate(self) -> Gate:
        from adweir.intake.collect.gate import Gate

        return Gate(self.catalog, self.ledger, self.platforms, self.connector)

    @property
    def _timing(self) -> Timing:
        from adweir.intake.collect.worker import Timing

        settings = self.settings
        return Timing(
            margin=min(20.0, settings.function_timeout_seconds / 5),
            poll=settings.poll_seconds,
            poll_max=settings.poll_max_seconds,
            report_timeout=settings.report_timeout_seconds,
        )

    @cached_property
    def memory(self) -> MemoryWatch:
        """Looks after the memory of this function."""
        from adweir.model.operation_metrics import OperationMetric
        from adweir.runtime.memory import MemoryWatch

        size, name = self.settings.aws_lambda_function_memory_size, OperationMetric.MEMORY_PEAK_PERCENT
        return MemoryWatch(size, lambda share: self.meter.share(name, share, function=self.service))

    def ended(self) -> None:
        """An invocation ends."""
        if "calls" in self.__dict__:
            self.calls.ended()
        self.memory.look()

    @cached_property
    def aside(self) -> Aside:
        """Where messages go that no function can work on."""
        from adweir.runtime.aside import Aside
        from adweir.store.raw.refused import RefusedMessages

        return Aside(RefusedMessages(self.raw), self.ledger.last_words, self.meter, self.clock)

    def consumer(
        self,
        *,
        parse: Callable[[str], list[M]],
        handle: Callable[[M, Remaining], None],
        settle: Callable[[M, AdweirError], None],
    ) -> Consumer[M]:
        """The queue consumer of an asynchronous function."""
        from adweir.runtime.consumer import Consumer, Work

        return Consumer(
            Work(parse, handle, settle, self.ended),
            queue_of=self.queues.of,
            aside=lambda: self.aside,
            clock=self.clock,
            rng=self.rng,
            logger=self.logger,
        )


def build(service: str) -> App:
    """The app of a deployed function, from its environment. `service` is the function's name in its logs."""
    collect_seldom()
    return App(Settings.from_environment(), service=service)
