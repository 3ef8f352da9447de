"""Leads at the webhooks' doors: whose they are, what is kept of them, and that nothing else knows a person."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest

from adweir.intake.doors.receiver import Receipt
from adweir.intake.load.leads import LeadCounter, LeadDay
from adweir.model.deliveries import LeadDelivery, StatedLead, read_delivery
from adweir.model.entities import Ad, AdCampaign, PlatformObject, Profile, own_profile_id
from adweir.model.errors import Unavailable, UnreadableItem, Unverified
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.money import MICRO
from adweir.model.platforms import Platform
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.reporting.query import Queries
from adweir.reporting.records import RecordRequest, StoredRecords
from adweir.store.folds import Delta, Folded
from adweir.store.metrics.brought import PullRows
from adweir.store.raw.store import RawStore
from sandbox.deliveries import push_delivery
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.door import ACCOUNT_SECRET, APP_SECRET, Door, objects, put
from support.load_world import META, LoadWorld

GOOGLE, TIKTOK = Platform("google_ads"), Platform("tiktok_ads")
KEY, OLD_KEY, TOKEN = "the key of the forms", "the key before it", "the-token-of-the-callback"
PERSON = ("Ada Example", "ada@example.com", "+49 30 901820")
SUBMITTED = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    world = LoadWorld(clock, "adweir-data")
    world.catalog.create_account("rival", "Rival", "a@b.example")
    for owner, profile_id, campaign in (("acme", "5", "70"), ("rival", "6", "80")):
        for platform in (GOOGLE, TIKTOK):
            named = {"platform": platform, "profile_id": profile_id}
            profile = Profile(**named, account_id=owner, name="n", currency="EUR", timezone="UTC")
            put(world, profile, AdCampaign(**named, id=campaign))
    return world


@pytest.fixture
def door(world: LoadWorld) -> Door:
    door = Door(world)
    for account in ("", "/acme"):
        for key in (OLD_KEY, KEY):
            door.secrets.put(f"adweir/webhook/google{account}", {"google_key": key})
        door.secrets.put(f"adweir/webhook/tiktok{account}", {"callback_token": TOKEN})
    return door


def google(door: Door, account: str = "acme", *, key: str = KEY, **changes: Any) -> Receipt:
    """A lead of Google's; a field that is `...` is left out."""
    answers = [{"column_id": name, "string_value": value} for name, value in zip("NEP", PERSON, strict=True)]
    lead = {
        "lead_id": "L1", "campaign_id": 70, "google_key": key, "user_column_data": answers,
        "lead_submit_time": "2026-11-20T11:30:00Z",
    }  # fmt: skip
    body = {name: value for name, value in (lead | changes).items() if value is not ...}
    return door.receiver.receive("google", account, {}, json.dumps(body).encode())


def tiktok(
    door: Door, *entries: Mapping[str, Any], account: str = "acme", kind: int = 1, token: str = TOKEN
) -> Receipt:
    lead: dict[str, Any] = {
        "id": "T1", "advertiser_id": "5", "campaign_id": "70", "create_time": int(SUBMITTED.timestamp()),
        "changes": [{"field": "email", "value": PERSON[1]}, {"field": "name", "value": PERSON[0]}],
    }  # fmt: skip
    told = {
        "request_id": str(len(objects(door.world))),
        "object": kind,
        "time": 1,
        "entry": [lead | dict(each) for each in entries],
    }
    return door.receiver.receive("tiktok", account, {}, json.dumps(told).encode(), {"token": token})


def meta(door: Door, *values: Mapping[str, Any], account: str = "acme") -> Receipt:
    value: dict[str, Any] = {"leadgen_id": 1, "page_id": 2, "form_id": 3, "created_time": int(SUBMITTED.timestamp())}
    changes = [{"field": "leadgen", "value": value | dict(each)} for each in values]
    body = json.dumps({"object": "page", "entry": [{"id": "2", "time": 1, "changes": changes}]}).encode()
    signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, sha256).hexdigest()
    return door.receiver.receive("meta", account, {"x-hub-signature-256": signature}, body)


def told(world: LoadWorld, receipt: Receipt) -> tuple[StatedLead, ...]:
    """What is loaded of a delivery."""
    delivery = read_delivery(world.raw.get_bytes(receipt.key))
    assert isinstance(delivery, LeadDelivery)
    return delivery.leads


def owners(world: LoadWorld, receipt: Receipt) -> list[tuple[str, str, str]]:
    return [(lead.account_id, lead.profile_id, lead.campaign_id) for lead in told(world, receipt)]


# -- whose it is -------------------------------------------------------------------------------------------------------


def test_a_lead_of_google_s_is_its_campaign_s(world: LoadWorld, door: Door) -> None:
    for account in ("acme", ""):
        receipt = google(door, account)
        assert (receipt.stored, receipt.silent, receipt.unknown) == (True, True, 0)
        name = sha256(b"lead\x1fL1").hexdigest()
        assert receipt.key == f"webhooks/google_ads/{account or 'deployment'}/{name}"
        (lead,) = told(world, receipt)
        hashed = sha256(b"google_ads\x1fL1").hexdigest()
        assert lead == StatedLead(lead=hashed, account_id="acme", profile_id="5", campaign_id="70", at=SUBMITTED)


def test_a_campaign_that_is_not_listed_is_the_client_s_whose_address_it_is(world: LoadWorld, door: Door) -> None:
    assert owners(world, google(door, campaign_id=9999)) == [("acme", "", "9999")]
    assert owners(world, google(door, campaign_id=80, lead_id="L2")) == [("acme", "", "80")]
    assert owners(world, google(door, campaign_id=..., lead_id="L3")) == [("acme", "", "")]


def test_what_could_be_anybody_s_is_kept_and_not_counted_unless_there_is_one_client(
    world: LoadWorld, door: Door
) -> None:
    receipt = google(door, "", campaign_id=9999)
    assert (receipt.stored, receipt.unknown) == (True, 1)
    name = sha256(b"lead\x1fL1").hexdigest()
    assert objects(world) == [receipt.key] == [f"leads/google_ads/deployment/{name}"]
    world.catalog.delete_account("rival")
    assert owners(world, google(door, "", campaign_id=9999, lead_id="L2")) == [("acme", "", "9999")]


def test_a_lead_of_tiktok_s_is_its_ad_account_s_and_those_of_others_are_left_out(world: LoadWorld, door: Door) -> None:
    receipt = tiktok(door, {}, {"id": 2, "advertiser_id": 6}, {"id": 3, "campaign_id": 0})
    assert owners(world, receipt) == [("acme", "5", "70"), ("acme", "5", "")]
    assert receipt.unknown == 1
    both = tiktok(door, {}, {"id": 2, "advertiser_id": 6}, account="")
    assert owners(world, both) == [("acme", "5", "70"), ("rival", "6", "70")]


def test_leads_of_ad_accounts_that_are_not_known_are_kept_and_not_counted(world: LoadWorld, door: Door) -> None:
    receipt = tiktok(door, {"advertiser_id": "6"})
    assert (receipt.stored, receipt.unknown) == (True, 1)
    assert [key.rpartition("/")[0] for key in objects(world)] == ["leads/tiktok_ads/acme"]


def test_a_lead_of_meta_s_is_its_ad_s_and_one_without_an_ad_is_the_address_s(world: LoadWorld, door: Door) -> None:
    put(world, Ad(platform=META, profile_id="1", id="700", ad_group_id="8", campaign_id="7"))
    values: list[dict[str, Any]] = [{"ad_id": 700}, {"leadgen_id": "2", "adgroup_id": "700"}, {"leadgen_id": 3}]
    values.append({"leadgen_id": 4, "ad_id": 9})
    assert owners(world, meta(door, *values)) == [
        ("acme", "1", "7"),
        ("acme", "1", "7"),
        ("acme", "", ""),
        ("acme", "", ""),
    ]
    assert not [key for key in objects(world) if key.startswith("leads/")]


def test_a_lead_counts_when_it_was_sent_and_where_that_cannot_be_when_it_came(world: LoadWorld, door: Door) -> None:
    expected = {
        "2026-11-20T12:05:00Z": "2026-11-20T12:05:00Z",
        "2026-11-20T12:05:01Z": "2026-11-20T12:00:00Z",
        "2026-10-21T12:00:00Z": "2026-10-21T12:00:00Z",
        "2026-10-21T11:59:59Z": "2026-11-20T12:00:00Z",
        ...: "2026-11-20T12:00:00Z",
    }
    for sent, counted_at in expected.items():
        (lead,) = told(world, google(door, lead_id=str(sent), lead_submit_time=sent))
        assert lead.at == datetime.fromisoformat(counted_at)


@at_the_bound("MAX_PUSH_QUERIES", as_if=4)
def test_the_ads_of_leads_that_are_looked_up(world: LoadWorld, door: Door, size: int, fits: bool) -> None:
    """One ad account, so as many ads; the leads of further ones are counted without their campaign."""
    ads: list[PlatformObject] = [
        Ad(platform=META, profile_id="1", id=str(700 + n), ad_group_id="8", campaign_id="7") for n in range(size)
    ]
    put(world, *ads)
    leads: list[dict[str, Any]] = [{"leadgen_id": n + 1, "ad_id": 700 + n} for n in range(size)]
    found = owners(world, meta(door, *leads))
    assert [campaign for _, _, campaign in found] == ["7"] * (size if fits else size - 1) + ([] if fits else [""])


# -- once, and by whom -------------------------------------------------------------------------------------------------


def test_a_lead_that_comes_twice_is_stored_once(world: LoadWorld, door: Door) -> None:
    first, again = google(door), google(door, lead_stage="new", gcl_id="x")
    assert [(each.key, each.stored) for each in (first, again)] == [(first.key, True), (first.key, False)]
    assert len(objects(world)) == 2
    first, again = tiktok(door, {}), tiktok(door, {})
    assert [(each.key, each.stored) for each in (first, again)] == [(first.key, True), (first.key, False)]


def test_a_lead_whose_delivery_was_not_stored_is_taken_when_it_is_repeated(world: LoadWorld, door: Door) -> None:
    """Google repeats what was answered with 5xx."""
    put_once = RawStore.put_once

    def broken(raw: RawStore, key: str, *given: Any, **more: Any) -> bool:
        if key.startswith("webhooks/"):
            raise Unavailable("S3 is down")
        return put_once(raw, key, *given, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(RawStore, "put_once", broken)
        with pytest.raises(Unavailable):
            google(door)
    assert google(door).stored
    assert len(objects(world)) == 2


def test_the_current_and_the_previous_key_are_taken_and_no_other(world: LoadWorld, door: Door) -> None:
    assert google(door, key=OLD_KEY).stored
    for key in ("", "x", KEY.upper(), ...):
        with pytest.raises(Unverified):
            google(door, key=key, lead_id="L2")  # type: ignore[arg-type]
    with pytest.raises(Unverified):
        google(door, "rival")
    with pytest.raises(Unverified):
        tiktok(door, {}, token="x")
    assert len(objects(world)) == 2


def test_a_test_lead_is_answered_and_dropped(world: LoadWorld, door: Door) -> None:
    assert google(door, is_test=True) == ("", False, 1, True)
    assert objects(world) == []


def test_a_push_with_the_id_of_a_lead_does_not_hide_the_lead(world: LoadWorld, door: Door) -> None:
    """Who pushes the numbers of a lead may well give the push the lead's id."""
    door.secrets.put("adweir/webhook/google/acme", {"google_key": KEY, "secret": ACCOUNT_SECRET})
    metric = {"campaign_id": "70", "timestamp": iso(world.clock.now()), "impressions": 1}
    body = json.dumps({"metrics": [metric]}).encode()
    signed = push_delivery(body, ACCOUNT_SECRET, message_id="L1", at=world.clock.now().timestamp())
    pushed = door.receiver.receive("google", "acme", signed.headers, signed.body)
    lead = google(door)
    assert (pushed.stored, lead.stored) == (True, True)
    assert pushed.key != lead.key


# -- persons -----------------------------------------------------------------------------------------------------------


def test_only_the_body_under_leads_knows_the_person_and_no_object_knows_the_key(world: LoadWorld, door: Door) -> None:
    for account in ("acme", ""):
        google(door, account)
        tiktok(door, {"id": "T" + account}, account=account)
    stored = {key: world.raw.get_bytes(key) for key in objects(world)}
    bodies = {key for key in stored if key.startswith("leads/")}
    assert len(bodies) == 4
    assert len(stored) == 8
    knows = {key for key, body in stored.items() for word in PERSON if word.encode() in body}
    assert knows == bodies
    assert not [key for key, body in stored.items() if KEY.encode() in body or b"google_key" in body]
    assert not [key for key, body in stored.items() if b"L1" in body and key not in bodies]


# -- what TikTok says beside leads -------------------------------------------------------------------------------------


def test_a_review_and_a_changed_report_of_tiktok_s_cause_targeted_pulls(world: LoadWorld, door: Door) -> None:
    group = {"adgroup_id": "8", "campaign_id": "70"}
    receipt = tiktok(door, {"ad_id": "700"} | group, {"advertiser_id": 6} | group, kind=3)
    again = tiktok(door, {"ad_id": "700"} | group, {"advertiser_id": 6} | group, kind=3)
    assert (receipt.stored, receipt.unknown, again.key, again.stored) == (True, 1, receipt.key, False)
    report = tiktok(door, {"changed_metrics_values": {"5": {"spend": 1}}}, kind=11)
    for each in (receipt, report):
        world.arrive(each.key)
    scopes = [(message.scope.profiles, message.scope.slice) for message in world.queues.runs.messages]
    assert scopes == [(("5",), "all"), (("5",), "all")]


# -- counts ------------------------------------------------------------------------------------------------------------


def counted(world: LoadWorld, platform: Platform = GOOGLE, account: str = "acme") -> dict[tuple[str, str], int]:
    """(day, campaign) → leads, as they are stored."""
    series = Series(platform, own_profile_id(account), Level.LEAD, Grain.DAY)
    rows = list(world.metrics.read(series, Window(date(2026, 10, 1), date(2026, 11, 30))))
    assert {row.source for row in rows} <= {Source.PUSH}
    return {(row.day, row.campaign_id): (row.slot[2] or 0) // MICRO for row in rows}


def load(world: LoadWorld, *receipts: Receipt) -> None:
    for receipt in receipts:
        world.arrive(receipt.key)


def test_leads_are_counted_by_day_and_campaign_and_read_as_the_data_type_leads(world: LoadWorld, door: Door) -> None:
    """Given leads of two campaigns, one of nobody's and one before midnight in the client's time zone, New York."""
    world.catalog.update_account("acme", timezone="America/New_York")
    load(
        world,
        google(door),
        google(door, lead_id="L2"),
        google(door, lead_id="L3", campaign_id=9999),
        google(door, lead_id="L4", lead_submit_time="2026-11-20T04:59:59Z"),
        google(door, lead_id="L5", campaign_id=...),
    )
    expected = {("2026-11-20", "70"): 2, ("2026-11-20", "9999"): 1, ("2026-11-19", "70"): 1, ("2026-11-20", ""): 1}
    assert counted(world) == expected

    queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
    asked = RecordRequest("leads", {"date_range": {"start": "2026-11-20", "end": "2026-11-20"}, "campaign_id": "70"})
    (record,) = StoredRecords(world.catalog, queries).retrieve(asked, world.clock.now()).records
    shown = {name: record[name] for name in ("source", "platform", "campaign_id", "conversions", "account_id")}
    assert shown == {
        "source": "google_ads", "platform": "google_ads", "campaign_id": "70", "conversions": 2, "account_id": "direct",
    }  # fmt: skip


def test_a_lead_counts_once_in_any_order_at_any_address_and_however_often_it_is_loaded(
    world: LoadWorld, door: Door
) -> None:
    first, second = google(door), google(door, lead_id="L2")
    load(world, second, first, second, google(door, ""), first)
    assert counted(world) == {("2026-11-20", "70"): 2}
    ads = [{"leadgen_id": number} for number in (1, 2, 3)]
    load(world, meta(door, *ads[:2]), meta(door, *ads[1:]), meta(door, ads[0], account=""))
    assert counted(world, META) == {("2026-11-20", ""): 3}


def test_a_lead_that_was_counted_stays_on_its_day_when_the_client_moves_to_another_time_zone(
    world: LoadWorld, door: Door
) -> None:
    world.catalog.update_account("acme", timezone="UTC")
    for number, hour in enumerate((3, 20)):
        load(world, google(door, lead_id=f"L{number}", lead_submit_time=f"2026-11-20T{hour:02d}:00:00Z"))
    deliveries = [key for key in objects(world) if key.startswith("webhooks/")]
    for zone in ("America/New_York", "Asia/Tokyo", "America/New_York"):
        world.catalog.update_account("acme", timezone=zone)
        for key in deliveries:
            world.arrive(key)
    assert counted(world) == {("2026-11-20", "70"): 2}


def test_a_lead_without_a_time_counts_once_at_two_addresses_around_midnight(world: LoadWorld, door: Door) -> None:
    world.catalog.update_account("acme", timezone="UTC")
    world.clock.advance(12 * 3600 - 60)
    load(world, google(door, lead_submit_time=...))
    world.clock.advance(120)
    load(world, google(door, "", lead_submit_time=...))
    assert counted(world) == {("2026-11-20", "70"): 1}


def test_a_lead_counts_once_when_two_workers_put_it_on_different_days_at_the_same_time(
    world: LoadWorld, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a lead without a time that arrived at two addresses around midnight
    world.catalog.update_account("acme", timezone="UTC")
    world.clock.advance(12 * 3600 - 60)
    before = google(door, lead_submit_time=...)
    world.clock.advance(120)
    after = google(door, "", lead_submit_time=...)
    # when one worker counts it while the other is about to
    add, others = world.folds.add, [after]

    def overtaken(key: str, deltas: Iterable[Delta]) -> Folded:
        load(world, *[others.pop() for _ in others])
        return add(key, deltas)

    monkeypatch.setattr(world.folds, "add", overtaken)
    load(world, before)
    # then one of them decides
    assert others == []
    assert list(counted(world).values()) == [1]
    load(world, after, before)
    assert list(counted(world).values()) == [1]


def test_a_lead_without_a_time_counts_once_though_it_comes_again_days_later(world: LoadWorld, door: Door) -> None:
    load(world, google(door, lead_submit_time=...))
    world.clock.advance(3 * 86_400)
    load(world, google(door, "", lead_submit_time=...))
    assert counted(world) == {("2026-11-20", "70"): 1}


def test_a_lead_of_which_the_day_cannot_be_read_is_not_counted_and_the_object_is_named(
    world: LoadWorld, door: Door
) -> None:
    receipt = google(door)
    next(count(world, receipt))
    (said,) = (each.key for each in world.raw.list("folds/leads/acme/google_ads/days/"))
    world.raw.put(said, b"\xff")
    with pytest.raises(UnreadableItem, match=said):
        next(count(world, receipt))


def test_leads_of_two_clients_in_one_delivery_are_each_its_own(world: LoadWorld, door: Door) -> None:
    load(world, tiktok(door, {}, {"id": 2, "advertiser_id": 6}, {"id": 3}, account=""))
    assert counted(world, TIKTOK) == {("2026-11-20", "70"): 2}
    assert counted(world, TIKTOK, "rival") == {("2026-11-20", "70"): 1}


def test_what_was_counted_and_not_stored_is_stored_by_the_next_load(world: LoadWorld, door: Door) -> None:
    """Given a worker that died between the two, when the same delivery is loaded again."""
    first, second = google(door), google(door, lead_id="L2")
    for receipt in (first, second):
        next(count(world, receipt))
    assert counted(world) == {}
    load(world, first)
    assert counted(world) == {("2026-11-20", "70"): 2}


def count(world: LoadWorld, receipt: Receipt) -> Iterator[LeadDay]:
    delivery = read_delivery(world.raw.get_bytes(receipt.key))
    assert isinstance(delivery, LeadDelivery)
    return LeadCounter(world.catalog, world.folds, world.clock).count(delivery, receipt.key)


def test_an_older_sum_never_replaces_a_newer_one(world: LoadWorld, door: Door) -> None:
    """Given a worker that counted a lead and stored it last, after another had counted one more."""
    first, second = google(door), google(door, lead_id="L2")
    slow = next(count(world, first))
    load(world, second)
    rows = PullRows()
    with Quarantine() as quarantine:
        loop = RowLoop(slow.pull, ["2026-11-20"], rows, quarantine)
        loop.take(slow.rows, ())
        loop.finish()
    world.metrics.load(slow.pull, rows)
    assert counted(world) == {("2026-11-20", "70"): 2}


def test_leads_of_a_client_that_was_deleted_are_left_out(world: LoadWorld, door: Door) -> None:
    receipt = google(door)
    world.catalog.delete_account("acme")
    load(world, receipt)
    assert (counted(world), world.bus.events) == ({}, [])


@at_the_bound("MAX_COUNTED_LEAD_AGE_DAYS")
def test_the_age_of_a_lead_that_is_counted(world: LoadWorld, door: Door, size: int, fits: bool) -> None:
    receipt = google(door, lead_submit_time="2026-11-20T12:00:00Z")
    world.clock.advance(size * 86_400)
    load(world, receipt)
    assert counted(world) == ({("2026-11-20", "70"): 1} if fits else {})
