"""The functions `validate` and `etl` through their handlers, with the example events, on moto's AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import duckdb
import pytest

from adweir.insight.enrichment.text import AdCopy
from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, Profile
from adweir.model.flows import StageKind
from adweir.model.messages import Scope, TaskMessage
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.runs import Run
from adweir.model.tasks import AccountTask, TaskState
from adweir.model.times import Window, iso
from adweir.platforms.connector import Page
from adweir.runtime.settings import Settings
from adweir.store.catalog.store import Catalog
from adweir.store.raw.header import PullHeader
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.empty_aws import make_bucket, make_queue
from support.functions import loaded
from support.load_world import insights
from support.pipeline import a_run

EVENTS = Path(__file__).resolve().parents[2] / "events"
CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 300_000)
META = Platform("meta_ads")
NOTHING_FAILED: dict[str, list[Any]] = {"batchItemFailures": []}
DAYS = Window.parse("2026-11-18..2026-11-19")
Function = Callable[[str], ModuleType]


def example(name: str) -> dict[str, Any]:
    return dict(json.loads((EVENTS / name).read_text()))


def record(body: Any, queue: str = "adweir-landing") -> dict[str, Any]:
    message = example("validate/raw-landed.json")["Records"][0]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{queue}"
    return {"Records": [message | {"body": json.dumps(body), "eventSourceARN": arn}]}


@pytest.fixture
def function(
    tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> Iterator[Function]:
    """Loads a function with everything that validate and etl are given, the account of the examples stored."""
    make_bucket(settings.bucket)
    boto3.client("events").create_event_bus(Name=settings.bus_name)
    names = {"RUNS_QUEUE_URL": "adweir-runs", "LANDING_QUEUE_URL": "adweir-landing", "ETL_QUEUE_URL": "adweir-etl"}
    names |= {
        "DETECT_QUEUE_URL": "adweir-detect",
        "LEARN_QUEUE_URL": "adweir-learn",
        "ENRICH_QUEUE_URL": "adweir-enrich",
        "FEATURES_QUEUE_URL": "adweir-features",
    }
    environment = {variable: make_queue(name) for variable, name in names.items()}
    environment |= {
        "CATALOG_TABLE": settings.catalog_table,
        "METRICS_TABLE": settings.metrics_table,
        "LEDGER_TABLE": settings.ledger_table,
        "FINDINGS_TABLE": settings.findings_table,
        "BUCKET": settings.bucket,
        "BUS_NAME": settings.bus_name,
    }
    catalog = Catalog(clock)
    catalog.create_account("acc_example", "Example", "a@b.example")
    profile = Profile(
        account_id="acc_example", platform=META, profile_id="1042017731", name="n", currency="USD", timezone="UTC"
    )
    catalog.put_objects([profile], iso(clock.now()))
    with ExitStack() as opened:

        def load(name: str) -> ModuleType:
            module = opened.enter_context(loaded(name, environment, monkeypatch))
            module.app.clock = clock
            return module

        yield load


def land(module: ModuleType, clock: FrozenClock) -> str:
    """The pull of the example: two days of three ads."""
    header = PullHeader(
        run_id="r",
        task_id="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        generation=0,
        account_id="acc_example",
        platform=META,
        profile_id="1042017731",
        dataset=Dataset.AD_DAILY,
        as_of=iso(clock.now()),
        window=DAYS,
        currency="USD",
    )
    rows = [row for day in DAYS.days() for row in insights(["1.25", "2.50", f"{day.day}"], day.isoformat())["data"]]
    with module.app.raw.writer(header) as writer:
        writer.write(Page(json.dumps({"data": rows}).encode(), "https://graph.example/x", 200, last=True))
        return str(writer.commit(complete=True))


def planned_work(
    etl: ModuleType,
    event: dict[str, Any],
    account_id: str,
    kind: StageKind = StageKind.ETL,
    stage: str = "etl",
    **scope: Any,
) -> AccountTask:
    """The task that an example of etl names, in the ledger; of datasets with its run, which has the scope."""
    named = TaskMessage.model_validate_json(event["Records"][0]["body"])
    task = AccountTask(named.run_id, stage, account_id, kind, 4_000_000_000, id=named.task_id)
    if kind is StageKind.ETL:
        etl.app.ledger.create_run(a_run(named.run_id, scope=Scope(accounts=(account_id,), **scope)))
    etl.app.ledger.plan(task)
    return task


def received(queue: str) -> list[str]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]


def stored(module: ModuleType) -> int:
    rows = module.app.metrics.read(Series(META, "1042017731", Level.AD, Grain.DAY), DAYS)
    return sum(row.slot[3] for row in rows)


def landed_event(key: str) -> dict[str, Any]:
    """The example without a version, as the test's bucket keeps none."""
    body = json.loads(example("validate/raw-landed.json")["Records"][0]["body"])
    body["detail"]["object"] |= {"key": key, "version-id": ""}
    return record(body)


def test_a_landed_pull_is_stored_and_its_run_advances(function: Function, clock: FrozenClock) -> None:
    validate = function("validate")
    key = land(validate, clock)

    assert validate.handler(landed_event(key), CONTEXT) == NOTHING_FAILED
    assert validate.handler(landed_event(key), CONTEXT) == NOTHING_FAILED

    assert stored(validate) == (1_250_000 + 2_500_000) * 2 + (18 + 19) * 1_000_000
    messages = boto3.client("sqs").receive_message(
        QueueUrl=validate.app.settings.runs_queue_url, MaxNumberOfMessages=10
    )["Messages"]
    assert {json.loads(message["Body"])["run_id"] for message in messages} == {"r"}


@pytest.mark.parametrize("event", ["s3-test-event", "file-dropped", "direct-s3-record"])
def test_a_test_event_and_an_object_that_is_gone_are_acknowledged(function: Function, event: str) -> None:
    text = (EVENTS / f"validate/{event}.json").read_text().replace("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "")
    assert function("validate").handler(json.loads(text), CONTEXT) == NOTHING_FAILED


def test_a_pull_whose_object_does_not_exist_is_quarantined(function: Function) -> None:
    validate = function("validate")
    assert validate.handler(example("validate/raw-landed.json"), CONTEXT) == NOTHING_FAILED
    key = "quarantine/messages/adweir-landing/7f3c1f5e-2b0a-4c8e-9a55-000000000001.json"
    assert json.loads(validate.app.raw.get_bytes(key))["reason"].startswith("not_found: no object raw/meta_ads/")


def test_a_task_of_a_run_makes_the_account_s_dataset_and_the_run_advances(
    function: Function, clock: FrozenClock
) -> None:
    validate, etl = function("validate"), function("etl")
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    event = example("etl/account-task.json")
    task = planned_work(etl, event, "acc_example")

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    ended = etl.app.ledger.get_task(task.run_id, task.id)
    counts = {"datasets": 1, "tables_ready": 0, "fits": 0, "fits_refused": 1}
    assert ended.state is TaskState.LOADED
    assert counts.items() <= ended.counts.items()
    assert (ended.counts["extract_rows"], {"fit_ms", "load_ms"} <= ended.counts.keys()) == (6, True)
    assert {look.result.value for look in etl.app.findings.mix.looks("acc_example")} == {"not_ready"}
    assert not etl.app.ledger.has_open(task.run_id, task.stage)
    assert json.loads(received("adweir-runs")[-1])["task_id"] == task.id
    manifest = json.loads(etl.app.raw.get_bytes("mmm/acc_example/USD/mmm_manifest.json"))
    assert (manifest["account_name"], manifest["first_date"]) == ("Example", "2026-11-18")
    assert manifest["files"]["ad_reporting"]["rows"] == 6


def test_a_task_of_a_run_for_the_last_days_makes_the_dataset_of_these_days_alone(
    function: Function, clock: FrozenClock
) -> None:
    validate, etl = function("validate"), function("etl")
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    event = example("etl/account-task.json")
    planned_work(etl, event, "acc_example", mix_days=1)

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    (key,) = (each.key for each in etl.app.raw.list("mmm/") if each.key.endswith("mmm_manifest.json"))
    manifest = json.loads(etl.app.raw.get_bytes(key))
    assert key == "mmm/acc_example/USD/days=1/mmm_manifest.json"
    assert (manifest["lookback_days"], manifest["first_date"], manifest["last_date"]) == (1, "2026-11-19", "2026-11-19")


def test_a_task_of_a_run_for_a_campaign_that_is_gone_makes_nothing(function: Function) -> None:
    etl = function("etl")
    event = example("etl/account-task.json")
    task = planned_work(etl, event, "acc_example", campaign="cmp_00000000000000000000")

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    assert etl.app.ledger.get_task(task.run_id, task.id).state is TaskState.SKIPPED
    assert list(etl.app.raw.list("mmm/")) == []


def test_a_deleted_account_has_no_dataset_and_stops_nothing(function: Function) -> None:
    etl = function("etl")
    event = example("etl/account-task.json")
    task = planned_work(etl, event, "acc_gone")

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    assert etl.app.ledger.get_task(task.run_id, task.id).state is TaskState.SKIPPED
    assert list(etl.app.raw.list("mmm/")) == []


# --- sums


def asked_for_sums(etl: ModuleType, **arguments: Any) -> tuple[dict[str, Any], AccountTask]:
    """The message and the task of a stored workflow's stage that sums, of a run that has begun."""
    event = example("etl/account-task.json")
    task = planned_work(etl, event, "acc_example", StageKind.AGGREGATE, "sums")
    flow = {"stages": [{"name": "sums", "kind": "aggregate", **arguments}]}
    run = Run(run_id=task.run_id, workflow="mine", scheduled_at=iso(etl.app.clock.now()), scope=Scope(), flow=flow)
    etl.app.ledger.create_run(run)
    return event, task


def spent(etl: ModuleType, level: str, grain: str, place: Path) -> list[tuple[Any, ...]]:
    """Period, spend and completeness of each row of an object."""
    place.write_bytes(etl.app.raw.get_bytes(f"aggregates/acc_example/{level}_{grain}.parquet"))
    with duckdb.connect() as reader:
        found = reader.execute("SELECT #1::TEXT, spend, covered_days, complete FROM read_parquet(?)", [str(place)])
        return found.fetchall()


def test_a_stage_sums_by_what_its_workflow_names(function: Function, clock: FrozenClock, tmp_path: Path) -> None:
    """Of a platform whose ads do not add up to their account, whose total was not pulled: no day is covered."""
    validate, etl = function("validate"), function("etl")
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    event, task = asked_for_sums(etl, levels=["campaign", "platform"], grains=["week"])

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    ended = etl.app.ledger.get_task(task.run_id, task.id)
    assert (ended.state, ended.counts) == (TaskState.LOADED, {"aggregates": 2, "aggregates_stored": 2})
    cents = Decimal(stored(validate)).scaleb(-6)
    assert spent(etl, "platform", "week", tmp_path / "a") == [("2026-11-16", cents, 0, False)]
    assert sum(row[1] for row in spent(etl, "campaign", "week", tmp_path / "b")) == cents
    assert len(list(etl.app.raw.list("aggregates/"))) == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_dies_at_any_write_leaves_whole_objects_and_the_next_one_finishes(
    function: Function, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    validate, etl = function("validate"), function("etl")
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    event, task = asked_for_sums(etl, levels=["platform", "channel"], grains=["day"])
    crash, keys = Crash(), ["aggregates/acc_example/channel_day.parquet", "aggregates/acc_example/platform_day.parquet"]
    put = etl.app.raw.put
    whole: dict[str, bytes] = {}

    def remembered(key: str, file: Any, *rest: Any) -> None:
        whole[key] = file.read()
        file.seek(0)
        put(key, file, *rest)

    monkeypatch.setattr(etl.app.raw, "put", remembered)
    crash.watch(etl.app.raw, "put", put=monkeypatch.setattr)
    for at in range(1, len(keys) + 1):
        etl.app.raw.delete(keys)
        crash.arm(at, after=after)
        with pytest.raises(Killed):
            etl.handler(event, CONTEXT)
        found = [each.key for each in etl.app.raw.list("aggregates/")]
        assert len(found) == at - (not after)
        assert all(etl.app.raw.get_bytes(key) == whole[key] for key in found)
        clock.advance(3600)  # the dead worker's hold and lease end

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    assert {each.key: etl.app.raw.get_bytes(each.key) for each in etl.app.raw.list("aggregates/")} == whole
    ended = etl.app.ledger.get_task(task.run_id, task.id)
    assert (ended.state, ended.counts["aggregates_stored"]) == (TaskState.LOADED, 1 - after)


def test_a_task_of_detect_learns_the_days_that_are_settled_and_no_others(
    function: Function, clock: FrozenClock
) -> None:
    """Given days that Meta does not restate any more, pulled since, when `detect` gets a task, it learns them; the arm
    of a cross-platform campaign with all that they have, too."""
    clock.advance(45 * 86_400)
    validate, detect = function("validate"), function("detect")
    (profile,) = validate.app.catalog.profiles(account_id="acc_example")
    validate.app.catalog.put_objects([profile.model_copy(update={"serves": {"ad_daily": {}}})], iso(clock.now()))
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    whole = Binding(platform=profile.platform, profile_id=profile.profile_id)
    arm = Arm(arm_id="arm_a", platform=profile.platform, bindings=(whole,))
    campaign = Campaign(campaign_id="cmp_a", account_id="acc_example", name="Summer", arms=(arm,))
    validate.app.catalog.create_campaign(campaign)
    event = example("detect/account-task.json")
    task = planned_work(detect, event, "acc_example", StageKind.DETECT, "detect")

    assert detect.handler(event, CONTEXT) == NOTHING_FAILED

    ended = detect.app.ledger.get_task(task.run_id, task.id)
    assert (ended.state, ended.counts) == (TaskState.LOADED, {"days_learned": 2, "anomalies": 0})
    watched = detect.app.findings.anomalies
    mark = watched.watches.get("meta_ads#1042017731")
    assert mark.through == DAYS.end.isoformat()
    learned = {one.level: one.entity_id for one in watched.entities.all("meta_ads#1042017731", mark.build)}
    assert learned.keys() >= {"account", "campaign", "arm"}
    assert learned["arm"] == "arm_a"


def test_a_task_of_enrich_enriches_the_ads_of_its_client(function: Function) -> None:
    """Given an ad of an ad account of the client, when `enrich` gets a task, then what it says is known."""
    enrich = function("enrich")
    (profile,) = enrich.app.catalog.profiles(account_id="acc_example")
    own = {"platform": profile.platform, "profile_id": profile.profile_id, "campaign_id": "c", "ad_group_id": "g"}
    enrich.app.catalog.put_objects([Ad(id="a", headline="Socks, 20% off", **own)], "2026-11-20T06:00:00.000000Z")
    event = example("enrich/account-task.json")
    task = planned_work(enrich, event, "acc_example", StageKind.ENRICH, "enrich")

    assert enrich.handler(event, CONTEXT) == NOTHING_FAILED

    ended = enrich.app.ledger.get_task(task.run_id, task.id)
    assert (ended.state, ended.counts) == (TaskState.LOADED, {"ads_seen": 1, "copies_enriched": 1})
    said = AdCopy.of({"headline": "Socks, 20% off"}).content_hash
    assert said in enrich.app.findings.enrichments.of("acc_example", [said])


def test_a_task_of_learn_learns_the_arms_of_its_client(function: Function, clock: FrozenClock) -> None:
    """Given days of Meta's ads, pulled since, when `learn` gets a task, the arm that has them all has a state."""
    clock.advance(45 * 86_400)
    validate, learn = function("validate"), function("learn")
    (profile,) = validate.app.catalog.profiles(account_id="acc_example")
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    whole = Binding(platform=profile.platform, profile_id=profile.profile_id)
    arm = Arm(arm_id="arm_a", platform=profile.platform, bindings=(whole,))
    campaign = Campaign(campaign_id="cmp_a", account_id="acc_example", name="Summer", arms=(arm,))
    validate.app.catalog.create_campaign(campaign)
    event = example("learn/account-task.json")
    task = planned_work(learn, event, "acc_example", StageKind.LEARN, "learn")

    assert learn.handler(event, CONTEXT) == NOTHING_FAILED

    ended = learn.app.ledger.get_task(task.run_id, task.id)
    counts = {"arms_learned": 1, "states_stored": 1, "states_outdated": 0}
    assert (ended.state, ended.counts) == (TaskState.LOADED, counts)
    (state,) = learn.app.findings.agents.of("cmp_a").values()
    assert (state.arm_id, state.days, state.run_id) == ("arm_a", 2, task.run_id)
    assert state.trials > 0


def test_a_task_of_features_records_what_validate_loaded_online_and_in_the_table(
    function: Function, clock: FrozenClock
) -> None:
    validate, features = function("validate"), function("features")
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    event = example("features/account-task.json")
    task = planned_work(features, event, "acc_example", StageKind.FEATURES, "features")

    assert features.handler(event, CONTEXT) == NOTHING_FAILED

    ended = features.app.ledger.get_task(task.run_id, task.id)
    (profile,) = features.app.catalog.profiles(account_id="acc_example")
    rows = [row for _, row in features.app.findings.features.rows(profile.key)]
    assert (ended.state, ended.counts) == (TaskState.LOADED, {"features_recorded": len(rows), "features_mended": 0})
    assert {row["level"] for row in rows} == {"account", "ad"}
    key = f"curated/features/platform=meta_ads/month={rows[0]['as_of'][:7]}/{profile.profile_id}.parquet"
    assert features.app.raw.get_bytes(key)[:4] == b"PAR1"
