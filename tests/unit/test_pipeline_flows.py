"""What a workflow may be: each refusal names its field and the reason; and its fluent form."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adweir import Workflow
from adweir.model.errors import Unprocessable
from adweir.model.flows import StageKind, SumGrain, SumLevel
from adweir.model.messages import Scope
from adweir.model.platforms import Platform
from adweir.pipeline.flow_forms import form_of, read, warnings
from adweir.pipeline.workflows import WORKFLOWS
from adweir.platforms import REGISTRY
from support.bounds import at_the_bound, refuses
from support.documents import blocks
from support.template import ROOT


def pull(name: str = "a", *datasets: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "kind": "pull", "datasets": list(datasets) or ["ad_daily"], **fields}


def etl(name: str, *after: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "kind": "etl", "after": list(after), **fields}


def sums(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"name": name, "kind": "aggregate", **fields}


def faults(*stages: Any, name: str = "mine", **fields: Any) -> dict[str, str]:
    with pytest.raises(Unprocessable) as refused:
        read(name, {"stages": list(stages), **fields}, REGISTRY.parse)
    return {each["field"]: each["message"] for each in refused.value.details}


@pytest.mark.parametrize(
    ("stages", "field", "reason"),
    [
        ([], "stages", "at least 1 item"),
        ([etl("A")], "stages.0.name", "does not match"),
        ([etl("a#b")], "stages.0.name", "does not match"),
        ([etl("a"), etl("a")], "stages.1.name", "there are two stages a"),
        ([{"name": "a", "kind": "dance"}], "stages.0.kind", "'pull', 'reconcile'"),
        ([etl("a", "b")], "stages.0.after", "there is no stage 'b'; there are a"),
        ([etl("a", "a")], "stages", "wait for each other: a after a"),
        ([etl("a", "c"), etl("b", "a"), etl("c", "b")], "stages", "wait for each other"),
        ([pull("a", "dogs")], "stages.0.datasets", "'dogs' is not one of account_daily"),
        ([{"name": "a", "kind": "pull"}], "stages.0.datasets", "names at least one"),
        ([pull("a", "profiles", "ads")], "stages.0.datasets", "by a stage of their own"),
        ([pull("a", platforms=["myspace"])], "stages.0.platforms", "myspace"),
        ([etl("a", datasets=["ads"])], "stages.0.datasets", "belongs to pull; a stage of the kind etl has none"),
        ([etl("a", reach="whole")], "stages.0.reach", "belongs to pull"),
        ([etl("a", levels=["campaign"])], "stages.0.levels", "belongs to aggregate; a stage of the kind etl has none"),
        ([pull("a", grains=["day"])], "stages.0.grains", "belongs to aggregate"),
        ([sums(datasets=["ads"])], "stages.0.datasets", "belongs to pull; a stage of the kind aggregate has none"),
        ([sums(levels=["ad"])], "stages.0.levels", "'ad' is not one of platform, channel, campaign, arm"),
        ([sums(grains=["day", "year"])], "stages.0.grains", "'year' is not one of day, week, month"),
        ([pull("a", reach="far")], "stages.0.reach", "'fresh', 'settling', 'whole' or 'missing'"),
        ([etl("a", threshold=1.1)], "stages.0.threshold", "less than or equal to 1"),
        ([etl("a", threshold=-0.1)], "stages.0.threshold", "greater than or equal to 0"),
        ([etl("a", timeout_minutes=0)], "stages.0.timeout_minutes", "greater than or equal to 1"),
        ([etl("a", on_failure="cry")], "stages.0.on_failure", "'stop', 'go_on' or 'skip'"),
        ([etl("a", colour="red")], "stages.0.colour", "Extra inputs"),
        ([pull("a"), pull("b")], "stages.1.datasets", "stage a pulls ad_daily too"),
        ([pull("a"), pull("b", platforms=["meta"])], "stages.1.datasets", "name different platforms"),
        (
            [pull("a", platforms=["facebook"]), pull("b", platforms=["meta"])],
            "stages.1.datasets",
            "a run pulls it once",
        ),
    ],
)
def test_a_workflow_that_cannot_be_run_is_refused_with_the_reason(stages: list[Any], field: str, reason: str) -> None:
    assert reason in faults(*stages)[field]


def test_a_refusal_names_every_fault() -> None:
    found = faults(etl("A", "b"), pull("a", "dogs"), name="daily")

    assert set(found) == {"name", "stages.0.name", "stages.0.after", "stages.1.datasets"}
    assert "built-in" in found["name"]


def test_branches_of_different_platforms_may_pull_the_same_dataset() -> None:
    flow = read("mine", {"stages": [pull("a", platforms=["meta"]), pull("b", platforms=["google"])]}, REGISTRY.parse)

    assert [stage.platforms for stage in flow.stages] == [("meta",), ("google",)]


@at_the_bound("MAX_WORKFLOW_STAGES")
def test_a_workflow_has_an_end(size: int, *, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        read("mine", {"stages": [etl(f"s{number}") for number in range(size)]})


@at_the_bound("MAX_STAGE_TIMEOUT_MINUTES")
def test_a_time_out_has_an_end(size: int, *, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        read("mine", {"stages": [etl("a", timeout_minutes=size)]})


@at_the_bound("MAX_WORKFLOW_FAULTS", as_if=3)
def test_a_refusal_has_an_end(size: int, *, fits: bool) -> None:
    stages = [etl(f"s{number}", "nobody") for number in range(size)]

    assert (len(faults(*stages)) == size) is fits


@pytest.mark.parametrize("name", [name for name in WORKFLOWS if name not in {"daily", "sync"}])
def test_a_built_in_workflow_is_the_same_data(name: str) -> None:
    flow = WORKFLOWS[name]

    copy = read("copy", form_of(flow))

    assert [(stage.name, stage.after, stage.datasets, stage.reach) for stage in copy.stages] == [
        (stage.name, stage.after, stage.datasets, stage.reach) for stage in flow.stages
    ]


def test_what_is_stored_is_read_as_the_same_workflow() -> None:
    stages = [etl("c", "a", "b", timeout_minutes=9), pull("b", "ads", on_failure="skip"), pull("a", threshold=0.25)]
    flow = read("mine", {"about": "x", "stages": stages}, REGISTRY.parse)

    assert read("mine", form_of(flow)) == flow
    assert [stage.name for stage in flow.stages].index("c") == 2
    assert flow.behind({"a"}) == {"c"}


def test_a_stage_that_sums_keeps_what_it_was_told() -> None:
    told = sums(levels=["channel", "platform", "channel"], grains=["week"])
    flow = read("mine", {"stages": [told, sums("b")]}, REGISTRY.parse)

    assert read("mine", form_of(flow)) == flow
    assert (flow.stage("a").levels, flow.stage("a").grains) == ((SumLevel.CHANNEL, SumLevel.PLATFORM), (SumGrain.WEEK,))
    assert (flow.stage("b").levels, flow.stage("b").grains) == ((), ())
    assert form_of(flow)["stages"][0].keys() == form_of(flow)["stages"][1].keys()
    assert "datasets" not in form_of(flow)["stages"][0]


def test_a_stage_pulls_what_it_names_and_no_more_than_the_scope() -> None:
    stage = read("mine", {"stages": [pull("a", "ad_daily", "account_daily", "ads")]}).stages[0]
    meta = REGISTRY.datasets(Platform("meta_ads"))

    def chosen(**scope: Any) -> list[str]:
        return [spec.dataset.value for spec in stage.choose(meta, Scope.model_validate(scope))]

    assert chosen() == ["ad_daily", "account_daily", "ads"]
    assert chosen(datasets=["ads"]) == ["ads"]
    assert chosen(slice="campaign=1") == ["ad_daily", "ads"]


def test_kinds_without_a_function_are_worth_a_warning() -> None:
    flow = read("mine", {"stages": [etl("a"), {"name": "b", "kind": "learn"}]})

    assert warnings(flow, {StageKind.ETL}) == [
        "no function for stages of the kind learn is deployed: stage b is left out"
    ]


def test_the_fluent_form_is_the_same_data() -> None:
    built = (
        Workflow.build("mine", "about")
        .stage("a", "pull", datasets=["ad_daily"], threshold=0.5)
        .stage("b", "etl", after=["a"], on_failure="go_on")
    )

    form = built.form()

    assert form == {
        "name": "mine",
        "about": "about",
        "stages": [
            {"name": "a", "kind": "pull", "after": [], "datasets": ["ad_daily"], "threshold": 0.5},
            {"name": "b", "kind": "etl", "after": ["a"], "on_failure": "go_on"},
        ],
    }
    assert read("mine", {key: form[key] for key in ("about", "stages")}).stages[1].after == ("a",)
    with pytest.raises(ValidationError, match="colour"):
        built.stage("c", "etl", colour="red").form()


def test_the_form_in_the_documents_can_be_stored() -> None:
    (block,) = [block for block in blocks(ROOT / "docs/workflows.md") if block.language == "python"]
    found: dict[str, Any] = {}

    exec(block.text, found)  # noqa: S102  what the document says

    form = {name: value for name, value in found["form"].items() if name != "name"}
    assert [stage.name for stage in read("nightly", form).stages] == ["google", "meta", "totals"]
