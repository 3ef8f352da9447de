"""Any file that is accepted, applied again or described, changes nothing; one that broke off is completed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adweir.model.errors import Unavailable
from adweir.runtime.settings import Settings
from ops.apply.plan import FileRefused, carry_out
from ops.apply.planning import PlannedStep
from ops.apply.text import written
from support import own_dynamodb
from support.applied import EXAMPLE, SECRETS, AppliedWorld
from support.clock import FrozenClock

ENVIRON = {f"SECRET_{number}": f"{number}-secret-value-0123456789" for number in range(3)}
SECRET = st.sampled_from(sorted(ENVIRON)).map(lambda name: {"env": name})
NAMES = st.sampled_from(["Acme", "Zoë & Söhne", "no", "12:30", "007", "株式会社", "a: b", "# none"])
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def some(entries: st.SearchStrategy[Any], *key: str) -> st.SearchStrategy[list[Any]]:
    return st.lists(entries, max_size=3, unique_by=lambda each: tuple(str(each.get(name)).casefold() for name in key))


STAGES = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["etl", "reconcile", "aggregate"])},
        optional={"threshold": st.sampled_from([0, 0.5, 1]), "timeout_minutes": st.integers(1, 4320)},
    ),
    min_size=1,
    max_size=3,
).map(lambda stages: [{"name": f"s{number}", **stage} for number, stage in enumerate(stages)])
WORKFLOWS = some(
    st.fixed_dictionaries({"name": st.sampled_from(["one", "two", "on"]), "stages": STAGES}, optional={"about": WORDS}),
    "name",
)
MAPPINGS = some(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["agency", "shop"]),
            "data_type": st.sampled_from(["orders", "deals"]),
            "columns": st.lists(WORDS.filter(str.strip), min_size=1, max_size=3).map(
                lambda names: [{"field": "currency", "names": names}]
            ),
        },
        optional={"decimal": st.sampled_from([".", ","]), "empty": st.lists(WORDS, max_size=2), "timezone": ZONES},
    ),
    "source",
    "data_type",
)
WEBHOOKS = st.dictionaries(
    st.sampled_from(["meta", "google_ads"]),
    st.fixed_dictionaries({"secret": SECRET}, optional={"app_secret": SECRET}),
    max_size=2,
)
CREDENTIALS = some(
    st.fixed_dictionaries(
        {"platform": st.just("meta"), "access_token": SECRET},
        optional={"label": st.sampled_from(["eu", "us"]), "app_id": st.sampled_from(["12", 34])},
    ),
    "label",
)
ACCOUNTS = some(
    st.fixed_dictionaries(
        {"company_name": NAMES, "primary_contact_email": st.sampled_from(["a@b.example", "c@d.example"])},
        optional={
            "currency": st.sampled_from(["EUR", "USD", ""]),
            "timezone": ZONES,
            "naming": optional(campaign=st.just("{a}_{b}"), ad=st.sampled_from(["{x}", None])),
            "credentials": CREDENTIALS,
            "webhooks": WEBHOOKS,
            "mappings": MAPPINGS,
        },
    ),
    "company_name",
)
SCHEDULES = st.sampled_from(
    [
        {"type": "hourly"},
        {"type": "daily", "at": "12:30"},
        {"type": "weekly", "weekday": "mon", "at": "05:30"},
        {"type": "interval", "every": "6 hours"},
        {"type": "cron", "cron": "0 6 ? * MON-FRI *"},
    ]
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """A file in which jobs name workflows and companies of the same file."""
    found: dict[str, Any] = {"version": 1, "accounts": draw(ACCOUNTS), "workflows": draw(WORKFLOWS)}
    companies = [account["company_name"] for account in found["accounts"]]
    flows = ["daily", "hourly", *(flow["name"] for flow in found["workflows"])]
    fields = {"name": st.sampled_from(["j1", "j2", "true"]), "workflow": st.sampled_from(flows), "schedule": SCHEDULES}
    named = {
        "accounts": st.lists(st.sampled_from(companies), unique=True, max_size=2) if companies else st.just([]),
        "platforms": st.lists(st.sampled_from(["meta", "google_ads"]), unique=True, max_size=2),
        "timezone": ZONES,
        "state": st.sampled_from(["active", "paused"]),
    }
    found["jobs"] = draw(some(st.fixed_dictionaries(fields, optional=named), "name"))
    return found | draw(optional(webhooks=WEBHOOKS, mappings=MAPPINGS))


class Worlds:
    """Makes empty deployments; each has the tables for itself until the next is made."""

    def __init__(self, of: tuple[Settings, FrozenClock], patch: pytest.MonkeyPatch) -> None:
        self.of = of
        self._patch = patch

    def __call__(self) -> AppliedWorld:
        own_dynamodb.answer_in_place_of_moto(self.of[0].tables, self._patch)
        return AppliedWorld(*self.of)


@pytest.fixture
def worlds(tables: None, settings: Settings, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    return Worlds((settings, clock), monkeypatch)


EXAMPLES = settings(max_examples=5, suppress_health_check=list(HealthCheck))


@given(first=files(), second=files(), prune=st.booleans())
@EXAMPLES
def test_applied_twice_or_described_it_changes_nothing(
    worlds: Worlds, first: dict[str, Any], second: dict[str, Any], *, prune: bool
) -> None:
    world = worlds()
    for file in (first, second):
        # given a file on top of what there is, when it is applied, then all of it is done
        text = written(file)
        assert world.apply(text, ENVIRON, prune=prune).failed == []
        # and then neither it nor what describes the deployment changes anything, whether the secrets are known or not
        assert world.plan(text, ENVIRON, prune=prune).steps == []
        assert world.plan(text, prune=prune).steps == []
        for ids in (True, False):
            assert world.plan(world.describe(ids=ids), prune=True).steps == []


@given(file=files(), survives=st.integers(0, 12))
@EXAMPLES
def test_one_that_broke_off_anywhere_is_completed(worlds: Worlds, file: dict[str, Any], survives: int) -> None:
    text, whole = written(file), worlds()
    whole.apply(text, ENVIRON)
    wanted = whole.describe(ids=False)
    world = worlds()
    plan = world.plan(text, ENVIRON)

    def broken(_: PlannedStep) -> str:
        raise Unavailable("gone")

    steps = [step if number < survives else _replaced(step, broken) for number, step in enumerate(plan.steps)]
    outcome = carry_out(steps, lambda _step, _found: None)
    assert len(outcome.done) == min(survives, len(plan.steps))

    assert world.apply(text, ENVIRON).failed == []

    assert world.describe(ids=False) == wanted


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0.5, "", "x", [], {}, [None], ["a"], [["a"]], [{}], {"a": 1}, {"env": "X"}]
)


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_a_file_with_anything_in_any_place_is_refused_or_planned(worlds: Worlds, data: st.DataObject) -> None:
    world = AppliedWorld(*worlds.of)
    file = yaml.safe_load(EXAMPLE.read_text())
    place = file
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        inner = place[key]
        if not inner or not isinstance(inner, (dict, list)) or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(JUNK)

    with suppress(FileRefused):
        assert world.plan(written(file), SECRETS, prune=True).steps


def _replaced(step: PlannedStep, write: Any) -> PlannedStep:
    return PlannedStep(step.verb, step.kind, step.name, step.fields, lambda: write(step), step.account_id, step.names)
