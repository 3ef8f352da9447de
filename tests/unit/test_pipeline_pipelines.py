"""Pipelines: which arguments they take, and which stages and pulls these make."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.intake.collect.planner import Frame, Reach, profile_tasks
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.flows import KINDS, StageKind
from adweir.model.messages import Scope, StartRun
from adweir.model.platforms import Platform
from adweir.pipeline.engine import blank, run_id_of
from adweir.pipeline.flow_forms import definition_of, flow_of, warnings
from adweir.pipeline.pipelines import PIPELINES, Destination, described, flow_with, from_text, read, with_defaults
from adweir.pipeline.workflows import WORKFLOWS, Workflow, in_order
from adweir.platforms import REGISTRY
from adweir.platforms.base import DatasetSpec
from support.bounds import at_the_bound, refuses

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RANGE = {"start": "2026-11-01", "end": "2026-11-07"}
PLATFORMS = [spec.name for spec in REGISTRY.specs()]


def faults(name: str, args: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Unprocessable) as refused:
        read(name, args)
    return {each["field"]: each["message"] for each in refused.value.details}


def pulled(flow: Workflow, platform: Platform, **scope: Any) -> list[tuple[str, list[str]]]:
    """The datasets of a platform, by stage."""
    served = REGISTRY.datasets(platform)
    return [
        (stage.name, [spec.dataset.value for spec in stage.choose(served, Scope.model_validate(scope))])
        for stage in flow.stages
        if stage.kind is StageKind.PULL
    ]


def last_days(batch_days: int, days: int, most: int = 31) -> list[int]:
    """How many days each pull of a range has."""
    end = NOON.date() - timedelta(days=1)
    scope = Scope(start=(end - timedelta(days=days - 1)).isoformat(), end=end.isoformat())
    frame = Frame("r", "ads", NOON, scope, Reach.WHOLE, 60, 0, batch_days)
    profile = Profile(
        account_id="a", platform=Platform("meta_ads"), profile_id="1", name="n", currency="EUR", timezone="UTC"
    )
    tasks = profile_tasks(frame, profile, DatasetSpec(Dataset.AD_DAILY, max_window_days=most), {})
    return [task.window.length for task in tasks if task.window]


# --- what is refused


@pytest.mark.parametrize(
    ("args", "field", "reason"),
    [
        ({"colour": "red"}, "args.colour", "is no argument of ad; known: source_platform, account_id, date_range"),
        ({"source_platform": 7}, "args.source_platform", "valid string"),
        ({"source_platform": ""}, "args.source_platform", "at least 1 character"),
        ({"account_id": ["acc_1"]}, "args.account_id", "valid string"),
        ({"date_range": "2026-11"}, "args.date_range", "an object"),
        ({"date_range": {"start": "2026-11-01"}}, "args.date_range.end", "required"),
        ({"date_range": RANGE | {"days": 7}}, "args.date_range.days", "not permitted"),
        ({"date_range": {"start": "today", "end": "2026-11-07"}}, "args.date_range.start", "valid date"),
        ({"date_range": {"start": "2026-11-08", "end": "2026-11-07"}}, "args.date_range", "end is before start"),
        ({"validate": "yes"}, "args.validate", "valid boolean"),
        ({"validate": 1}, "args.validate", "valid boolean"),
        ({"enrich": None}, "args.enrich", "valid boolean"),
        ({"destination": "lake"}, "args.destination", "'database', 'feature_store' or 'model_store'"),
        ({"batch_size": 0}, "args.batch_size", "greater than or equal to 1"),
        ({"batch_size": 1.5}, "args.batch_size", "valid integer"),
        ({"batch_size": True}, "args.batch_size", "valid integer"),
    ],
)
def test_an_argument_that_a_pipeline_does_not_take_is_refused_with_the_reason(
    args: dict[str, Any], field: str, reason: str
) -> None:
    found = faults("ad", args)

    assert set(found) == {field}
    assert reason in found[field]


def test_every_fault_is_named_at_once() -> None:
    # the first fault hides no other, not even one that only the others together make
    years = {"start": "2024-01-01", "end": "2026-01-01"}

    found = faults("platform", {"date_range": years, "batch_size": 1, "validate": "no", "a.b": 1, "x" * 99: 2})

    assert set(found) == {"args.batch_size", "args.validate", "args.a.b", "args." + "x" * limits.MAX_WORD_CHARS}
    assert found["args.batch_size"] == "732 days need batches of at least 2"


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [nested(250), "\ud800"], ids=["nesting", "half of a surrogate pair"])
def test_arguments_that_cannot_be_read_at_all_are_refused(value: Any) -> None:
    found = faults("ad", {"batch_size": 7, "enrich": value})

    assert list(found) == ["args"]
    assert found["args"].startswith("cannot be read: Invalid JSON")


@pytest.mark.parametrize("name", [name for name in WORKFLOWS if name not in PIPELINES])
def test_other_workflows_take_no_arguments(name: str) -> None:
    assert faults(name, {"validate": True}) == {
        "args.validate": f"workflow {name} takes no arguments; these do: ad, account, platform"
    }
    assert flow_with(name, {}) is WORKFLOWS[name]
    assert (described(name), with_defaults(name, {})) == ([], {})


@at_the_bound("MAX_BATCH_DAYS")
def test_a_batch_has_an_end(size: int, *, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        read("ad", {"batch_size": size})


@at_the_bound("MAX_RANGE_BATCHES")
def test_a_range_is_cut_into_so_many_batches(size: int, *, fits: bool) -> None:
    end = date(2026, 11, 1)
    days = {"start": (end - timedelta(days=3 * size - 1)).isoformat(), "end": end.isoformat()}
    with refuses(Unprocessable, fits=fits):
        read("ad", {"date_range": days, "batch_size": 3})


# --- what they make


@given(
    name=st.sampled_from(PIPELINES),
    validate=st.booleans(),
    enrich=st.booleans(),
    destination=st.sampled_from(Destination),
    days=st.sampled_from([None, RANGE]),
    deployed=st.sets(st.sampled_from(StageKind)),
)
def test_arguments_make_the_stages_that_they_say(
    name: str, validate: bool, enrich: bool, destination: Destination, days: Any, deployed: set[StageKind]
) -> None:
    args = {"validate": validate, "enrich": enrich, "destination": destination.value, "date_range": days}

    flow = flow_with(name, args)

    kinds = [stage.kind for stage in flow.stages if stage.kind is not StageKind.PULL]
    behind = {"feature_store": [StageKind.FEATURES], "model_store": [StageKind.ETL, StageKind.LEARN]}
    assert kinds == [
        *([StageKind.RECONCILE] if validate else []),
        *([StageKind.ENRICH] if enrich else []),
        *behind.get(destination, []),
    ]
    # one after the other, pulls first
    assert in_order(flow.stages) == flow.stages
    assert [stage.after for stage in flow.stages] == [(), *((stage.name,) for stage in flow.stages[:-1])]
    pulls = [stage for stage in flow.stages if stage.kind is StageKind.PULL]
    assert list(flow.stages[: len(pulls)]) == pulls
    assert {stage.reach for stage in pulls} == {Reach.WHOLE if days else Reach.FRESH}
    # each kind without a function is worth a warning
    assert len(warnings(flow, deployed)) == sum(stage.kind not in deployed for stage in flow.stages)
    # no stage pulls what another one pulls
    for platform in PLATFORMS:
        every = [dataset for _, datasets in pulled(flow, platform) for dataset in datasets]
        assert len(every) == len(set(every))
    # a run goes on as it began: by its arguments, with the defaults
    message = StartRun(workflow=name, scheduled_at=NOON, args=with_defaults(name, args), run_id="r")
    assert flow_of(blank(message)) == flow
    assert definition_of(flow) is None


@pytest.mark.parametrize(
    ("platform", "finest", "coarsest"),
    [
        ("meta_ads", ["ad_daily", "ads"], "account_daily"),
        ("amazon_ads", ["ad_daily", "ads"], "campaign_daily"),
        ("trade_desk", ["ad_daily", "ads"], "campaign_daily"),
        ("google_ads", ["ad_daily", "ads"], "account_daily"),
    ],
)
def test_ad_pulls_the_finest_level_and_account_the_coarsest(platform: str, finest: list[str], coarsest: str) -> None:
    name, off = REGISTRY.parse(platform), {"validate": False}

    assert pulled(flow_with("ad", off), name) == [("profiles", ["profiles"]), ("ads", finest)]
    assert pulled(flow_with("account", off), name) == [("profiles", ["profiles"]), ("totals", [coarsest])]


def test_a_platform_without_ads_brings_what_is_finest() -> None:
    served = {each: DatasetSpec(each) for each in (Dataset.CAMPAIGN_DAILY, Dataset.CAMPAIGNS, Dataset.ACCOUNT_DAILY)}
    served[Dataset.AD_DAILY] = DatasetSpec(Dataset.AD_DAILY, on_request=True)
    stage = WORKFLOWS["ad"].stage("ads")

    assert [spec.dataset for spec in stage.choose(served, Scope())] == [Dataset.CAMPAIGN_DAILY, Dataset.CAMPAIGNS]
    assert [spec.dataset for spec in stage.choose(served, Scope(), ["ad_daily"])] == [
        Dataset.AD_DAILY,
        Dataset.CAMPAIGNS,
    ]


def test_what_is_reconciled_is_a_level_and_then_newer_totals() -> None:
    meta, amazon = REGISTRY.parse("meta"), REGISTRY.parse("amazon")

    assert pulled(flow_with("ad", {}), meta)[-2:] == [("ads", ["ad_daily", "ads"]), ("totals", ["account_daily"])]
    assert pulled(flow_with("account", {}), meta)[1:] == [
        ("campaigns", ["campaign_daily"]),
        ("totals", ["account_daily"]),
    ]
    assert pulled(flow_with("account", {}), amazon)[1:] == [("campaigns", ["campaign_daily"]), ("totals", [])]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_platform_pulls_what_sync_pulls(platform: Platform) -> None:
    assert pulled(flow_with("platform", {}), platform) == pulled(WORKFLOWS["sync"], platform)


def test_an_account_s_part_is_pulled_at_a_level_that_has_it() -> None:
    off = flow_with("account", {"validate": False})

    assert pulled(off, REGISTRY.parse("meta"), slice="campaign=1")[1] == ("totals", ["campaign_daily"])


@pytest.mark.parametrize(
    ("batch", "days", "most", "lengths"),
    [
        (0, 70, 31, [31, 31, 8]),
        (7, 20, 31, [7, 7, 6]),
        (90, 70, 31, [31, 31, 8]),
        (30, 70, 0, [30, 30, 10]),
        (1, 3, 0, [1, 1, 1]),
    ],
)
def test_a_batch_is_the_most_days_of_a_pull(batch: int, days: int, most: int, lengths: list[int]) -> None:
    assert last_days(batch, days, most) == lengths


# --- how they are shown, written and told apart


def test_arguments_are_described_with_their_defaults() -> None:
    found = {each["name"]: (each["type"], each["default"]) for each in described("platform")}

    assert found == {
        "source_platform": ("string", None),
        "account_id": ("string", None),
        "date_range": ("{start, end}", None),
        "validate": ("boolean", True),
        "enrich": ("boolean", False),
        "destination": ("database | feature_store | model_store", "database"),
        "batch_size": ("integer", None),
    }
    assert all(each["about"] for each in described("ad"))
    assert {stage.kind for name in PIPELINES for stage in flow_with(name, {}).stages} <= set(KINDS)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("validate", "False", False),
        ("enrich", "true", True),
        ("enrich", "maybe", "maybe"),
        ("batch_size", "7", 7),
        ("batch_size", "-7", "-7"),
        ("date_range", "2026-11-01..2026-11-07", RANGE),
        ("date_range", "2026-11-01", "2026-11-01"),
        ("source_platform", "true", "true"),
        ("account_id", "1042017731", "1042017731"),
    ],
)
def test_an_argument_is_written_as_text(name: str, text: str, value: Any) -> None:
    assert from_text(name, text) == value


def test_the_id_of_a_run_follows_from_its_arguments_too() -> None:
    plain = StartRun(workflow="ad", scheduled_at=NOON)

    other = plain.model_copy(update={"args": {"enrich": True}})

    assert run_id_of(other) == run_id_of(other) != run_id_of(plain)
