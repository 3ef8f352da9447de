"""Anomalies: numbers of settled days that left their expected range, and what people say of them."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from adweir.model import limits
from adweir.model.errors import NotFound, Unprocessable
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import PAGE_ITEMS, AccountId, Day, Given, Instant, Limit, NextToken, PageToken, PlatformName, Shown
from routes.large import bounds
from routes.profiles import ad_account

if TYPE_CHECKING:
    from adweir.insight.anomalies.arms import EntityKey
    from adweir.insight.anomalies.incidents import Incident
    from adweir.model.entities import Profile
    from adweir.model.metrics import Slot

_DAYS = 90
_MOST = limits.MAX_MICROS // 10**6
AnomalyId = Annotated[str, Field(examples=["ano_202610155f0c1d2e3b4a5968"])]
AnomalyPath = Annotated[str, Path(max_length=limits.MAX_PATH_ID_CHARS, description="The anomaly's id, ano_….")]


Measured = Annotated[Decimal, Field(ge=-_MOST, le=_MOST, decimal_places=6)]


class AnomaliesQuery(Given):
    """Which anomalies; what is left out leaves none out."""

    account_id: str = Field(default="", max_length=limits.MAX_PATH_ID_CHARS, description="Of a client company.")
    platform: str = Field(default="", max_length=limits.MAX_WORD_CHARS, description="Of a platform or an alias of it.")
    profile_id: str = Field(default="", max_length=limits.MAX_OBJECT_ID_CHARS, description="Of an ad account.")
    entity_id: str = Field(
        default="",
        max_length=limits.MAX_OBJECT_ID_CHARS,
        description="Of a campaign, an ad (`ad_group_id~id`) or an arm: its own, and those whose parts name it.",
    )
    severity: Literal["", "info", "warning", "critical"] = ""
    state: Literal["", "open", "over", "expected", "withdrawn"] = ""
    start: Day | None = Field(None, description="That began on this day or later; without it 90 days.")
    end: Day | None = Field(None, description="That began on this day or before; without it today.")


class AnomalyFinding(Shown):
    """A metric on the day that it was furthest off; numbers are texts of decimals, amounts in `currency`."""

    metric: str = Field(examples=["spend"])
    date: str
    value: str
    expected: str | None
    z: str = Field(description="The distance from what was expected, in deviations.")
    threshold: str
    basis: str = Field(description="zscore: there was little history; robust: level and weekday were known.")
    severity: str


class AnomalyPart(AnomalyFinding):
    """A part of the whole that shows the same."""

    level: str
    entity_id: str


class AnomalyBudget(Shown):
    """A campaign's budget that was changed just before, the way that spend went; texts of decimals, in `currency`."""

    campaign_id: str
    name: str
    listed: str = Field(description="The day (UTC) of the first list of campaigns with it.", examples=["2026-10-16"])
    before: str
    after: str


class AnomalyFeedback(Shown):
    """What somebody said of it."""

    expected: bool
    at: Instant
    who: str
    note: str


class AnomalyAnswer(Shown):
    """One cause, in all metrics and days that it shows in."""

    id: AnomalyId
    account_id: AccountId
    platform: str
    profile_id: str
    level: str = Field(description="account, campaign, ad or arm", examples=["campaign"])
    entity_id: str
    name: str
    currency: str
    first_day: str
    last_day: str
    days: list[str]
    severity: str
    state: str = Field(description="open, over, expected, or withdrawn: its days were restated.")
    says: str
    metrics: list[AnomalyFinding]
    parts: list[AnomalyPart]
    parts_total: int
    left_out: int = Field(
        description="Incidents that began on its first day, too, and are not kept: the least far off."
    )
    budgets: list[AnomalyBudget]
    feedback: AnomalyFeedback | None
    detected_at: Instant
    run_id: str


class AnomalyList(Shown):
    """One page, the newest first; it may have fewer than `limit`, and even none, before the last."""

    anomalies: list[AnomalyAnswer]
    next_token: NextToken


class FeedbackForm(Given):
    """What is said of an anomaly."""

    expected: bool = Field(description="Whether it was meant to be so.")
    note: str = Field(default="", max_length=limits.MAX_REASON_CHARS, description="Why.")


class CheckForm(Given):
    """Numbers of an entity as they arrive: amounts in the ad account's currency. The entity is named by `platform`,
    `profile_id` and, below the ad account, `level` and `entity_id`; an arm by `arm_id`."""

    platform: PlatformName | None = Field(None, description="Needed without `arm_id`.")
    profile_id: str = Field(
        default="",
        max_length=limits.MAX_OBJECT_ID_CHARS,
        description="The ad account. Needed without `arm_id`, and for an arm that is bound in several.",
    )
    level: Literal["account", "campaign", "ad"] = "account"
    entity_id: str = Field(default="", max_length=limits.MAX_OBJECT_ID_CHARS, description="Empty: the ad account.")
    arm_id: str = Field(
        default="",
        max_length=limits.MAX_PATH_ID_CHARS,
        description="An arm of a campaign across platforms, arm_…, in place of `level` and `entity_id`.",
    )
    date: Day | None = Field(None, description="The day that they are of, which nothing learned yet; without it today.")
    metrics: dict[Literal["impressions", "clicks", "conversions", "spend", "revenue"], Measured] = Field(
        min_length=1, max_length=5
    )
    lookback_days: int | None = Field(
        None,
        ge=14,
        le=limits.MAX_COMPARED_DAYS,
        description="Compare with the last so many settled days before `date`; without it with all that was learned.",
    )
    threshold: float | None = Field(None, gt=0, le=100, description="Deviations; without it those of `detect`.")


class CheckedMetric(Shown):
    """A number beside what was expected."""

    metric: str
    value: str
    expected: str | None
    z: str
    score: float = Field(description="0 to 1; from 0.5 on it is an anomaly.")
    anomaly: bool
    note: str | None = Field(description="Why it is not scored, or not an anomaly: insufficient_history, ...")


class CheckAnswer(Shown):
    """What the numbers would be. Nothing is stored."""

    provisional: Literal[True] = Field(default=True, description="The day is not settled: its numbers may change.")
    date: str
    learned_through: str | None = Field(description="The last settled day that they are compared with.")
    compared_with: Literal["learned", "lookback", "rebuilt", "nothing"] = Field(
        description="All that `detect` learned; the days asked for; the newest settled days, because what was learned"
        " cannot be read until `detect` has learned it anew; or nothing: the entity is not watched."
    )
    results: list[CheckedMetric]


anomalies = Resource("Anomalies", "Numbers of settled days that left their expected range")


@anomalies.route("GET", "/api/v1/anomalies", "List anomalies, newest first", limited=True)
def list_anomalies(
    app: Here, asked: Annotated[AnomaliesQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> AnomalyList:
    """A stage of the kind `detect` finds them, on settled days only: days that their platform does not restate any
    more. One cause is one anomaly."""
    from adweir.insight.anomalies.kept import incident_of, shown_incident

    platform = str(app.platforms.parse(asked.platform)) if asked.platform else ""
    last = asked.end or app.clock.now().date()
    first = asked.start or last - timedelta(days=_DAYS)
    wanted = {"account_id": asked.account_id, "platform": platform, "profile_id": asked.profile_id}
    wanted |= {"severity": asked.severity, "state": asked.state}
    scanned, more = app.findings.anomalies.page(first, last, limits.MAX_ANOMALY_SCAN, next_token)
    found: list[dict[str, Any]] = []
    following = scanned[-1][0] if more and scanned else None
    for place, (token, body) in enumerate(scanned):
        shown = shown_incident(incident_of(body))
        is_theirs = not app.accounts or shown["account_id"] in app.accounts
        is_of = not asked.entity_id or asked.entity_id in {each["entity_id"] for each in (shown, *shown["parts"])}
        if is_theirs and is_of and all(not value or shown[name] == value for name, value in wanted.items()):
            found.append(shown)
        if len(found) == limit:
            following = token if more or place + 1 < len(scanned) else None
            break
    return AnomalyList.model_validate({"anomalies": found, "next_token": following})


@anomalies.route("GET", "/api/v1/anomalies/{anomaly_id}", "Show an anomaly", limited=True, errors=(404, 422))
def show_anomaly(app: Here, anomaly_id: AnomalyPath) -> AnomalyAnswer:
    """With the metrics and parts that show it."""
    from adweir.insight.anomalies.kept import shown_incident

    return AnomalyAnswer.model_validate(shown_incident(_theirs(app, anomaly_id)))


@anomalies.route(
    "POST",
    "/api/v1/anomalies/{anomaly_id}/feedback",
    "Say whether an anomaly was expected",
    limited=True,
    scope="write",
    errors=(404, 409, 422),
)
def say_expected(app: Here, caller: Caller, anomaly_id: AnomalyPath, body: FeedbackForm) -> AnomalyAnswer:
    """Where it was, its series alarm later from the next day on: each such anomaly raises their threshold by a quarter,
    to twice at most. `expected: false` takes it back."""
    from adweir.insight.anomalies.kept import give_feedback, shown_incident

    store = app.findings.anomalies
    said = {"expected": body.expected, "at": iso(app.clock.now()), "who": caller, "note": body.note}
    incident = give_feedback(store, _theirs(app, anomaly_id), said)
    about = "expected" if body.expected else "not expected"
    note_change(app, caller, "say expected", anomaly_id, about, kind="anomaly", account_id=incident.account_id)
    return AnomalyAnswer.model_validate(shown_incident(incident))


@anomalies.route(
    "POST", "/api/v1/anomalies/check", "Score numbers as they arrive", limited=True, errors=(404, 413, 422)
)
def check_numbers(app: Here, body: CheckForm) -> CheckAnswer:
    """Beside what the settled days of the entity let expect; rates and costs follow from the numbers given."""
    from adweir.insight.anomalies.compared import Comparisons
    from adweir.insight.anomalies.sources import ProfileDays
    from adweir.insight.anomalies.watched import shown

    profile, key = _asked_entity(app, body)
    queries, settings = app.queries.within(bounds(app)).in_one_look(), app.watch_settings(body.threshold)
    days = ProfileDays(queries, app.catalog, profile)
    day = body.date or app.clock.now().date()
    comparisons = Comparisons(app.findings.anomalies, days, settings, queries.check_time)
    compared = comparisons.of(key, day, body.lookback_days)
    results = [
        {
            "metric": metric,
            "value": shown(each.value),
            "expected": shown(each.expected),
            "z": shown(each.z),
            "score": round(each.score, 6),
            "anomaly": each.anomaly,
            "note": each.note,
        }
        for metric, each in compared.state.check(day, _slot_of(body), settings).scores.items()
    ]
    about = {"date": day.isoformat(), "learned_through": compared.through or None, "compared_with": compared.by}
    return CheckAnswer.model_validate(about | {"results": results})


def _asked_entity(app: App, body: CheckForm) -> "tuple[Profile, EntityKey]":
    """Whose numbers are asked about, in which ad account. Raises NotFound, Unprocessable."""
    from adweir.model.metrics import Level

    if body.arm_id:
        return _account_of_arm(app, body), (Level.ARM, body.arm_id)
    if body.platform is None or not body.profile_id:
        raise _refused("profile_id" if body.platform else "platform", "is needed where no arm_id is given")
    profile = ad_account(app, app.platforms.parse(body.platform), body.profile_id)
    return profile, (Level(body.level), body.entity_id or body.profile_id)


def _account_of_arm(app: App, body: CheckForm) -> "Profile":
    """The ad account in which an arm is asked about."""
    if body.entity_id or body.level != "account":
        raise _refused("entity_id" if body.entity_id else "level", "is not for arms: arm_id is enough")
    try:
        _, arm = app.campaigns.arm(body.arm_id)
    except NotFound:
        message = f"there is no arm {body.arm_id[:64]}: GET /api/v1/campaigns lists what there is"
        raise NotFound(message, [{"field": "arm_id", "message": "is unknown"}]) from None
    if body.platform is not None and app.platforms.parse(body.platform) != arm.platform:
        raise _refused("platform", f"is not the arm's, {arm.platform}")
    bound = sorted({each.profile_id for each in arm.bindings})
    asked = [each for each in bound if body.profile_id in {"", each}]
    if not bound:
        raise _refused("arm_id", "is of an arm that is bound to nothing: what is pushed to it covers no whole day")
    if not asked:
        raise _refused("profile_id", "is of an ad account of which the arm has nothing")
    if len(asked) > 1:
        raise _refused("profile_id", f"is needed: the arm is bound in {len(asked)} ad accounts, such as {asked[0]}")
    return ad_account(app, arm.platform, asked[0])


def _refused(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", [{"field": field, "message": message}])


def _slot_of(body: CheckForm) -> "Slot":
    from adweir.model.metrics import METRICS
    from adweir.model.money import to_micros

    said: dict[str, Decimal] = {str(name): value for name, value in body.metrics.items()}
    for name in METRICS[:2]:
        if name in said and said[name] != int(said[name]):
            raise _refused(f"metrics.{name}", "is a count: a whole number")
    given = [said.get(name) for name in METRICS]
    counts = [None if value is None else int(value) for value in given[:2]]
    amounts = [None if value is None else to_micros(value) for value in given[2:]]
    return counts[0], counts[1], amounts[0], amounts[1], amounts[2]


def _theirs(app: App, anomaly_id: str) -> "Incident":
    """An anomaly of the accounts that the key may see. Raises NotFound: a key of others learns nothing of it."""
    from adweir.insight.anomalies.kept import anomaly_of, unknown

    found = anomaly_of(app.findings.anomalies, anomaly_id)
    if app.accounts and found.account_id not in app.accounts:
        raise unknown(anomaly_id)
    return found
