"""What is done for client companies, by kind of stages."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Protocol

from adweir.model.errors import NotFound
from adweir.model.flows import StageKind, SumGrain, SumLevel
from adweir.model.log import log

if TYPE_CHECKING:
    from adweir.insight.ad_features.recorder import FeatureRecorder
    from adweir.insight.agents.learner import Learner
    from adweir.insight.aggregates import Aggregator
    from adweir.insight.anomalies.watch import AnomalyWatch
    from adweir.insight.curated.curator import Curator
    from adweir.insight.enrichment.enricher import Enricher
    from adweir.insight.mmm.fitting import MixFitter
    from adweir.insight.mmm.publish import Publisher
    from adweir.model.runs import Run
    from adweir.model.tasks import AccountTask
    from adweir.model.times import Clock
    from adweir.pipeline.account_work import AccountJob
    from adweir.quality.data_looks import DataLooks
    from adweir.quality.days import DayScorer
    from adweir.quality.monitor import Monitor
    from adweir.runtime.consumer import Remaining
    from adweir.runtime.settings import Settings
    from adweir.store.ledger import Ledger


class ClientParts(Protocol):
    """What the jobs work with, each made when it is first asked for: `runtime.app.App` has them."""

    settings: Settings
    clock: Clock

    @property
    def ledger(self) -> Ledger: ...
    @property
    def scorer(self) -> DayScorer: ...
    @property
    def data_looks(self) -> DataLooks: ...
    @property
    def publisher(self) -> Publisher: ...
    @property
    def mix_fitter(self) -> MixFitter: ...
    @property
    def aggregator(self) -> Aggregator: ...
    @property
    def curator(self) -> Curator: ...
    @property
    def anomaly_watch(self) -> AnomalyWatch: ...
    @property
    def learner(self) -> Learner: ...
    @property
    def enricher(self) -> Enricher: ...
    @property
    def feature_recorder(self) -> FeatureRecorder: ...
    @property
    def monitor(self) -> Monitor: ...


def client_jobs(app: ClientParts) -> Mapping[StageKind, AccountJob]:
    """The jobs of functions that work for client companies. Each makes its parts when it is first done."""

    def score(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        scored = app.scorer.score(task.account_id, remaining, app.settings.margin_seconds)
        app.data_looks.look(task.account_id)
        return {"days_scored": scored}

    def publish(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        from adweir.insight.mmm.fitting import FitTime
        from adweir.insight.mmm.gather import MixAsked
        from adweir.insight.mmm.steps import MixSteps

        scope = _run_of(app, task).scope
        begun, whole = remaining(), float(app.settings.function_timeout_seconds)
        steps = MixSteps(app.clock.monotonic)
        made = app.publisher.publish(task.account_id, MixAsked(scope.campaign, scope.mix_days), steps)
        time = FitTime(remaining, app.settings.margin_seconds, whole, begun)
        with steps.of("fit"):
            fits = app.mix_fitter.fit(made, time, task.run_id)
        log.info("etl of %s: %s", task.account_id, steps.counts())
        return {
            **steps.counts(),
            **fits,
            "datasets": len(made),
            "tables_ready": sum(one["ready"] for m in made for one in m["tables"].values()),
        }

    def sum_up(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        from adweir.pipeline.flow_forms import flow_of

        stage = flow_of(_run_of(app, task)).stage(task.stage)
        asked = product(stage.levels or SumLevel, stage.grains or SumGrain)
        return app.aggregator.aggregate(task.account_id, asked, remaining, app.settings.margin_seconds)

    def curate(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        made = app.curator.curate(task.account_id, remaining, app.settings.margin_seconds)
        counted = {"months": "months_curated", "objects": "objects_changed", "left_out": "profiles_left_out"}
        return {counted[name]: count for name, count in made.items()}

    def detect(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        at, margin = app.clock.now(), app.settings.margin_seconds
        found = app.anomaly_watch.look(task.account_id, remaining, margin, task.run_id)
        app.monitor.settle(found.looks, app.monitor.known(), at)
        counts = {"days_learned": found.days, "anomalies": found.anomalies}
        return counts | ({"anomalies_left_out": found.left_out} if found.left_out else {})

    return {
        StageKind.RECONCILE: score,
        StageKind.ETL: publish,
        StageKind.AGGREGATE: sum_up,
        StageKind.CURATE: curate,
        StageKind.DETECT: detect,
        StageKind.LEARN: _learning(app),
        StageKind.ENRICH: _enriching(app),
        StageKind.FEATURES: _recording(app),
    }


def _run_of(app: ClientParts, task: AccountTask) -> Run:
    run = app.ledger.get_run(task.run_id)
    if run is None:
        raise NotFound(f"run {task.run_id} is gone")
    return run


def _learning(app: ClientParts) -> AccountJob:
    def learn(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        found = app.learner.learn(task.account_id, remaining, app.settings.margin_seconds, task.run_id)
        return {"arms_learned": found["arms"], "states_stored": found["stored"], "states_outdated": found["outdated"]}

    return learn


def _enriching(app: ClientParts) -> AccountJob:
    def enrich(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        found = app.enricher.enrich(task.account_id, remaining, app.settings.margin_seconds)
        counts = {"ads_seen": found["ads"], "copies_enriched": found["stored"]}
        return counts | ({"copies_left_out": found["left_out"]} if found["left_out"] else {})

    return enrich


def _recording(app: ClientParts) -> AccountJob:
    def record(task: AccountTask, remaining: Remaining) -> Mapping[str, int]:
        found = app.feature_recorder.record(task.account_id, remaining, app.settings.margin_seconds)
        counts = {"features_recorded": found.recorded, "features_mended": found.mended}
        return counts | {
            name: count
            for name, count in (("features_outdated", found.outdated), ("ads_left_out", found.left_out))
            if count
        }

    return record
