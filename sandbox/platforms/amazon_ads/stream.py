"""Marketing Stream: what changed since the last burst, sent to the queues of active subscriptions, and what it sums to.

Records are deltas. There is no back-fill: of the hours before a subscription became active, corrections alone are sent,
so that its first days may be negative. A burst is sent when the outside world is told to (`POST /_world/stream`); it
brings what the world knows now and the subscription has not sent yet. Records come in any order, some of them twice,
and sp-conversion has rows of the other programs among them (a known bug of Amazon's).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from sandbox.outside import BadQuestion, Outside
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.platforms.amazon_ads.stream_cells import (
    CLICK_WINDOWS,
    CONVERSION,
    RESTATED_DAYS,
    TRAFFIC,
    Counts,
    add,
    cell_of,
    known,
    minus,
    pieces,
)
from sandbox.platforms.amazon_ads.stream_records import budget_usage, objects, performance
from sandbox.platforms.amazon_ads.stream_subscriptions import (
    ACTIVE,
    SUBSCRIPTIONS,
    SUSPENDED,
    Subscription,
    Subscriptions,
)
from sandbox.queues import NoQueue
from sandbox.world import WorldProfile
from sandbox.world.counting import DEFAULT
from sandbox.world.draw import mix, seed_of
from sandbox.world.world import Moment

_PERFORMANCE: Final = {f"{program}-{kind}": program for program in RESTATED_DAYS for kind in (TRAFFIC, CONVERSION)}
_OBJECTS: Final = ("campaigns", "adgroups", "ads", "targets")
_TWICE_ONE_IN: Final = 10
_STRANGERS: Final = 4
"""Rows of other programs in a burst of sp-conversion."""
_STEP: Final = 5
"""Per cent of a budget after which its use is told again."""
_REMEMBERED_DAYS: Final = 60
"""Sums of older days are forgotten: nothing is sent of them any more."""
_SIZES: Final = {TRAFFIC: 3, CONVERSION: 2 * len(CLICK_WINDOWS) + 2}
"""How many numbers a cell has."""
_NUMBERS: Final = {
    TRAFFIC: ("impressions", "clicks", "spend_micros"),
    CONVERSION: ("conversions_micros", "revenue_micros"),
}
"""What a truth row has of each."""
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Wish(NamedTuple):
    """What the outside world is told to send; see docs/sandbox.md."""

    profile_id: str
    datasets: frozenset[str]
    days: int
    times: int
    in_order: bool
    wrapped: bool

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Wish:
        """Raises BadQuestion for a member that it does not know."""
        if unknown := sorted(set(body) - set(cls._fields)):
            raise BadQuestion(f"unknown: {', '.join(unknown)}; known: {', '.join(cls._fields)}")
        return cls(
            str(body.get("profile_id", "")),
            frozenset(body.get("datasets", ())),
            int(body.get("days", max(RESTATED_DAYS.values()))),
            int(body.get("times", 1)),
            bool(body.get("in_order")),
            bool(body.get("wrapped")),
        )


def send_burst(outside: Outside, body: dict[str, Any]) -> dict[str, Any]:
    """Send each active subscription what it lacks. The answer says what was sent, by subscription."""
    wish, sent = Wish.of(body), []
    subscriptions = Subscriptions(outside)
    with outside.kept(PLATFORM) as kept:
        for id_, one in kept.get(SUBSCRIPTIONS, {}).items():
            dataset, profile = one["asked"]["dataSetId"], _profile(outside, one)
            if subscriptions.status(one) != ACTIVE or wish.profile_id not in ("", profile.id):
                continue
            if wish.datasets and dataset not in wish.datasets:
                continue
            about = {"subscription_id": id_, "profile_id": profile.id, "dataset": dataset}
            sent.append(about | _send(outside, one, profile, wish, subscriptions.topic(one)))
    outside.save()
    return {"sent": sent}


class _Burst(NamedTuple):
    """A burst of one subscription. `number`: the same again when sending failed, so that the records have their ids."""

    outside: Outside
    one: Subscription
    profile: WorldProfile
    wish: Wish
    number: int

    @property
    def dataset(self) -> str:
        return str(self.one["asked"]["dataSetId"])

    @property
    def now(self) -> Moment:
        return self.outside.world.moment(self.profile)


def _send(outside: Outside, one: Subscription, profile: WorldProfile, wish: Wish, topic: str) -> dict[str, Any]:
    """Send a burst, and remember what was sent once all of it was."""
    if outside.switches.take("access_denied", PLATFORM, profile.id) is not None:
        one["status"] = SUSPENDED
        return {"records": 0, "messages": 0}
    burst = _Burst(outside, one, profile, wish, one.get("burst", 0) + 1)
    oldest = (burst.now.today - timedelta(days=_REMEMBERED_DAYS)).isoformat()
    ledger = {key: tuple(told) for key, told in one.get("sent", {}).items() if key >= oldest}
    states = dict(one.get("states", {}))
    records = list(_records(burst, ledger, states))
    bodies = [_ENCODER.encode(record).decode() for record in records]
    if not wish.in_order:
        bodies = _shaken(bodies, seed_of("order", topic, one["token"], burst.number))
    if wish.wrapped:
        bodies = [json.dumps({"Type": "Notification", "TopicArn": topic, "Message": body}) for body in bodies]
    try:
        outside.queues.send(one["destination"]["sqsDestination"]["queueArn"], bodies * wish.times)
    except NoQueue:
        one["status"] = SUSPENDED
        return {"records": 0, "messages": 0}
    one |= {"sent": ledger, "states": states, "burst": burst.number}
    return {"records": len(records), "messages": len(bodies) * wish.times}


def _shaken(bodies: list[str], luck: int) -> list[str]:
    """Some of them twice, and all in another order."""
    twice = [*bodies, *(body for place, body in enumerate(bodies) if mix(luck, place) % _TWICE_ONE_IN == 0)]
    order = sorted(range(len(twice)), key=lambda place: mix(luck, len(bodies) + place))
    return [twice[place] for place in order]


def _records(burst: _Burst, ledger: dict[str, Counts], states: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The records of a burst, which are noted in `ledger` or `states`."""
    if burst.dataset in _PERFORMANCE:
        yield from _deltas(burst, ledger)
        if burst.dataset == "sp-conversion":
            yield from _strangers(burst)
    elif burst.dataset == "budget-usage":
        yield from _budgets(burst, states)
    elif burst.dataset in _OBJECTS:
        yield from _changes(burst, states)


def _deltas(burst: _Burst, ledger: dict[str, Counts]) -> Iterator[dict[str, Any]]:
    """What is known now, less what was known when the subscription began (of earlier hours), less what was sent."""
    world, profile, now = burst.outside.world, burst.profile, burst.now
    program, kind = _PERFORMANCE[burst.dataset], burst.dataset.rpartition("-")[2]
    since = now.today - timedelta(days=min(burst.wish.days, RESTATED_DAYS[program]) - 1)
    began = datetime.fromisoformat(burst.one["start"]).astimezone(ZoneInfo(profile.timezone))
    then = Moment(began.date(), began.hour)
    before = known(world, profile, program, kind, (since, then.today), then) if since <= then.today else {}
    after = known(world, profile, program, kind, (since, now.today), now)
    gone = {key for key in (*ledger, *before) if key not in after and key >= since.isoformat()}
    nothing = (0,) * _SIZES[kind]
    for key, (cell, counts) in [*after.items(), *((key, (cell_of(profile, key), nothing)) for key in sorted(gone))]:
        told, base = ledger.get(key, nothing), before[key][1] if key in before else nothing
        delta = minus(minus(counts, base), told)
        if not any(delta):
            continue
        ledger[key] = add(told, delta)
        luck = seed_of("delta", profile.id, burst.dataset, key, burst.number)
        for place, piece in enumerate(pieces(delta, luck)):
            id_ = str(UUID(int=mix(luck, place) << 64 | mix(luck, 50 + place)))
            yield performance(profile, burst.dataset, cell, piece, idempotency_id=id_, luck=mix(luck, 90 + place))


def _strangers(burst: _Burst) -> Iterator[dict[str, Any]]:
    """Conversions of other programs' campaigns, which belong to no total of Sponsored Products."""
    world, profile, now = burst.outside.world, burst.profile, burst.now
    days = (now.today - timedelta(days=1), now.today)
    others = [c for program in ("sb", "sd") for c in known(world, profile, program, CONVERSION, days, now).values()]
    for cell, counts in [found for found in others if any(found[1])][:_STRANGERS]:
        luck = seed_of("stranger", profile.id, cell.key, burst.number)
        id_ = str(UUID(int=luck << 64 | mix(luck, 1)))
        yield performance(profile, burst.dataset, cell, counts, idempotency_id=id_, luck=luck)


def _budgets(burst: _Burst, states: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each campaign's use of today's budget, where it has passed another step since it was last told."""
    world, now = burst.outside.world, burst.now
    for row in world.rows(burst.profile, "campaign", now.today, now.today, moment=now):
        campaign = row.campaign
        assert campaign is not None  # noqa: S101 - a campaign's row has one
        per_cent = row.numbers.spend * 100 // campaign.budget_minor // _STEP * _STEP if campaign.budget_minor else 0
        state = {"day": now.today.isoformat(), "per_cent": per_cent}
        told = states.get(campaign.id, {})
        if campaign.id and per_cent and {name: told.get(name) for name in state} != state:
            states[campaign.id] = state | {"at": f"{world.now:%Y-%m-%dT%H:%M:%S}.000Z"}
            yield budget_usage(burst.profile, campaign, per_cent, world.now)


def _changes(burst: _Burst, states: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object at first, and since then those that changed, with a higher version; the one before comes again."""
    at = f"{burst.outside.world.now:%Y-%m-%dT%H:%M:%S}.000Z"
    for id_, content in objects(burst.profile, burst.dataset):
        plain = json.loads(_ENCODER.encode(content))
        told = states.get(id_)
        if told is not None and told["content"] == plain:
            continue
        version = told["record"]["version"] + 1 if told else 1
        created = told["record"]["audit"]["creationDateTime"] if told else at
        record = plain | {"version": version, "audit": {"creationDateTime": created, "lastUpdatedDateTime": at}}
        if told:
            yield told["record"]
        states[id_] = {"content": plain, "record": record}
        yield record


def _profile(outside: Outside, one: Subscription) -> WorldProfile:
    profile = outside.world.profile(PLATFORM, one["profile_id"])
    assert profile is not None  # noqa: S101 - ad accounts never go
    return profile


# -- truth ------------------------------------------------------------------------------------------------------------


def stream_truth(outside: Outside, query: Mapping[str, str]) -> dict[str, Any]:
    """What each ad account's records sum to now: `rows` of a `level` (ad, campaign) by hour, and the states.

    `profile_id`, `start` and `end` (local days) narrow it. Of several destinations, it is the newest subscription's.
    """
    level = query.get("level", "ad")
    if level not in ("ad", "campaign"):
        raise BadQuestion(f"unknown level {level!r}")
    start, end = (date.fromisoformat(query[name]) if name in query else None for name in ("start", "end"))
    rows: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    with outside.kept(PLATFORM) as kept:
        held = [one for one in kept.get(SUBSCRIPTIONS, {}).values() if "start" in one]
        for profile in outside.world.profiles:
            if profile.platform == PLATFORM and query.get("profile_id", profile.id) == profile.id:
                own = [one for one in held if one["profile_id"] == profile.id]
                arn = own[-1]["destination"] if own else {}
                own = [one for one in own if one["destination"] == arn]
                rows += _rows(profile, own, level)
                states += _states(profile, own)
    rows = [row for row in rows if (start or date.min) <= date.fromisoformat(row["date"]) <= (end or date.max)]
    return {"as_of": outside.world.now.isoformat(), "level": level, "rows": rows, "states": states}


def _rows(profile: WorldProfile, own: list[Subscription], level: str) -> list[dict[str, Any]]:
    """Sums over the subscriptions of one destination. What no dataset was subscribed for is null."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    subscribed = {str(one["asked"]["dataSetId"]) for one in own}
    products = {campaign.id: campaign.product for campaign in profile.campaigns}
    for one in own:
        kind, began = one["asked"]["dataSetId"].rpartition("-")[2], datetime.fromisoformat(one["start"])
        for key, told in one.get("sent", {}).items():
            text, campaign_id, group_id, ad_id = key.split("|")
            product = products[campaign_id]
            ids = (campaign_id, "", "") if level == "campaign" else (campaign_id, group_id, ad_id)
            row = found.setdefault((*ids, text), {})
            if not row:
                told_of = [names for each, names in _NUMBERS.items() if f"{product}-{each}" in subscribed]
                row |= _blank(profile, ids, text) | {"ad_product": product}
                row |= dict.fromkeys((name for names in told_of for name in names), 0)
            row["before_start"] |= datetime.fromisoformat(text) < began
            for name, value in _measured(profile, product, kind, tuple(told)).items():
                row[name] += value
    return sorted(found.values(), key=lambda row: (row["time_window_start"], row["entity_id"]))


def _blank(profile: WorldProfile, ids: tuple[str, str, str], text: str) -> dict[str, Any]:
    campaign_id, group_id, ad_id = ids
    return {
        "platform": profile.platform,
        "profile_id": profile.id,
        "entity_id": f"{group_id}~{ad_id}" if ad_id else campaign_id,
        "campaign_id": campaign_id,
        "ad_group_id": group_id,
        "ad_id": ad_id,
        "date": text[:10],
        "hour": int(text[11:13]),
        "time_window_start": text,
        "before_start": False,
        **dict.fromkeys(name for names in _NUMBERS.values() for name in names),
        "currency": profile.currency,
    }


def _measured(profile: WorldProfile, product: str, kind: str, counts: Counts) -> dict[str, int]:
    """Conversions as Amazon counts the ad product's by itself."""
    if kind == TRAFFIC:
        impressions, clicks, spend = counts
        return {"impressions": impressions, "clicks": clicks, "spend_micros": spend * profile.minor_micros}
    window, views = DEFAULT.windows(profile, product)
    place = CLICK_WINDOWS.index(window)
    bought = counts[place] + (counts[-2] if views else 0)
    worth = counts[len(CLICK_WINDOWS) + place] + (counts[-1] if views else 0)
    return {"conversions_micros": bought * 1_000_000, "revenue_micros": worth * profile.minor_micros}


def _states(profile: WorldProfile, own: list[Subscription]) -> Iterator[dict[str, Any]]:
    """The newest state of each budget, and the newest version of each object."""
    for one in own:
        dataset = one["asked"]["dataSetId"]
        for id_, state in one.get("states", {}).items():
            about = {"profile_id": profile.id, "dataset": dataset, "id": id_}
            yield about | (state if dataset == "budget-usage" else {"version": state["record"]["version"]})
