"""Files of rates, population, benchmarks and lift tests → read back as they were written."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.platforms import REGISTRY
from adweir.reporting.moments import Moments
from adweir.reporting.query import Queries
from adweir.reporting.records import RecordRequest, StoredRecords
from adweir.runtime.http import to_json
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.load_world import LoadWorld, load

RATES = """date,base,quote,rate
2026-11-01,EUR,USD,1.0845
2026-11-02,EUR,USD,1.084512345678901234567890
2026-11-02,EUR,JPY,161.9
"""
_OF = "incremental_conversions"
LIFT = f"""test_id,start_date,end_date,platform,campaign_id,{_OF},{_OF}_lower,{_OF}_upper,confidence
geo-1,2026-09-01,2026-09-28,meta_ads,7,120.5,80,161,0.9
geo-2,2026-10-01,2026-10-28,,,10,-4,24,0.9
"""


@pytest.fixture
def world(tables: None, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> LoadWorld:
    """Its bucket has the time of its clock."""
    world = LoadWorld(clock, "adweir-data")
    head = world.raw.head
    monkeypatch.setattr(world.raw, "head", lambda *key: head(*key)._replace(last_modified=clock.now()))
    return world


def records(world: LoadWorld, data_type: str, moments: Moments | None = None, **filters: Any) -> list[dict[str, Any]]:
    queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
    asked = RecordRequest(data_type, filters, moments=moments)
    return StoredRecords(world.catalog, queries).retrieve(asked, world.clock.now()).records


def receipt(world: LoadWorld) -> dict[str, Any]:
    (found,) = world.receipts()
    return found


def test_rates_keep_all_their_digits(world: LoadWorld) -> None:
    """Given rates of more than six decimals, when they are read, then no digit is lost, in the answer's text either."""
    world.arrive("drops/acme/bank/rates/rates.csv", RATES.encode())
    found = records(world, "rates", quote="USD")
    assert [(each["date"], each["rate"]) for each in found] == [
        ("2026-11-01", Decimal("1.0845")),
        ("2026-11-02", Decimal("1.084512345678901234567890")),
    ]
    assert '"rate":1.084512345678901234567890' in to_json(found)
    assert json.loads(to_json(found))[0]["source"] == "bank"
    days = {"start": "2026-11-02", "end": "2026-11-02"}
    assert [each["quote"] for each in records(world, "rates", date_range=days)] == ["JPY", "USD"]
    left = receipt(world)
    assert [left[name] for name in ("state", "rows_read", "rows_stored", "slots_changed")] == ["loaded", 3, 3, 3]
    assert left["stored_for"] == ["bank#rates"]


def test_a_file_that_is_stored_in_several_invocations_counts_what_changed_once(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given rates that are stored, and a newer file in which one of them is another
    lines = [f"2026-{month:02}-01,EUR,USD,1.08" for month in range(1, 13)]
    world.arrive("drops/acme/bank/rates/old.csv", "\n".join(["date,base,quote,rate", *lines]).encode())
    world.clock.advance(60)
    lines[2] = "2026-03-01,EUR,USD,1.09"
    # when an invocation has time for a few lines
    monkeypatch.setattr("adweir.intake.load.dropped_kept._AT_ONCE", 4)
    left = iter([300.0, 300.0, 300.0, 1.0] * 3)
    monkeypatch.setattr(world, "remaining", lambda: next(left, 300.0))
    invocations = load(world, "drops/acme/bank/rates/new.csv", "\n".join(["date,base,quote,rate", *lines]).encode())
    # then the receipt has the lines that changed, whichever invocation stored them
    assert invocations > 1
    (found,) = (each for each in world.receipts() if each["key"].endswith("new.csv"))
    assert (found["rows_stored"], found["slots_changed"]) == (12, 1)


def test_lift_tests_have_their_intervals_and_are_found_by_what_was_tested(world: LoadWorld) -> None:
    world.arrive("drops/acme/lab/lift_tests/tests.csv", LIFT.encode())
    (found,) = records(world, "lift_tests", campaign_id="7", source="lab", client_account_id="acme")
    assert (found["test_id"], found["incremental_conversions"], found["confidence"]) == (
        "geo-1",
        Decimal("120.5"),
        Decimal("0.9"),
    )
    assert (found["incremental_revenue"], found["channel"], found["account_id"]) == (None, None, "direct")
    september = {"start": "2026-09-28", "end": "2026-09-30"}
    assert [each["test_id"] for each in records(world, "lift_tests", date_range=september)] == ["geo-1"]
    assert records(world, "lift_tests", account_id="other") == []


def test_a_later_file_replaces_rows_by_their_keys_and_the_same_file_changes_nothing(world: LoadWorld) -> None:
    key = "drops/acme/bureau/population/{}.csv"
    world.arrive(key.format("a"), b"geo,age_band,population\nDE,,83\nDE,18-24,6\n")
    world.clock.advance(60)
    world.arrive(key.format("b"), b"geo,age_band,population\nDE,,84\n")
    world.arrive(key.format("c"), b"geo,age_band,population\nDE,,83\nDE,18-24,6\n")
    assert sorted(each["state"] for each in world.receipts()) == ["duplicate", "loaded", "loaded"]
    by_age = {each["age_band"]: each["population"] for each in records(world, "population")}
    assert by_age == {None: 84, "18-24": 6}


def test_rows_that_cannot_be_kept_are_quarantined_and_the_others_are_kept(world: LoadWorld) -> None:
    """Given a bad line, one that is repeated, and two that say different things of one key, then the first counts."""
    long = "é" * 200
    lines = ["retail,ctr,0.02,", "retail,ctr,0.02,", "retail,ctr,0.03,", "retail,cvr,many,", "cars,ctr,0.01,"]
    body = "\n".join(["industry,metric,value,geo", *lines, f"{long},{long},1,{long}"])
    world.arrive("drops/acme/agency/benchmarks/a.csv", body.encode())
    assert [(each["industry"], each["value"]) for each in records(world, "benchmarks")] == [
        ("cars", Decimal("0.01")),
        ("retail", Decimal("0.02")),
    ]
    left = receipt(world)
    assert (left["rows_stored"], left["duplicates"], left["reasons"]) == (2, 1, {"conflict": 1, "number": 1, "id": 1})


@at_the_bound("MAX_DROPPED_REFERENCES", as_if=3)
def test_the_lines_of_a_file_of_reference_data(world: LoadWorld, size: int, fits: bool) -> None:
    body = "geo,population\n" + "".join(f"r{n},1\n" for n in range(size))
    world.arrive("drops/acme/bureau/population/a.csv", body.encode())
    assert receipt(world)["state"] == ("loaded" if fits else "rejected")
    assert len(records(world, "population")) == (limits.MAX_DROPPED_REFERENCES if fits else 0)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"platform": "meta"}, "rates has no filter 'platform'; known: source"),
        ({"base": 1.5}, "base is a text or a list of texts"),
    ],
)
def test_what_reference_data_does_not_have_is_refused(world: LoadWorld, filters: Any, message: str) -> None:
    with pytest.raises(Unprocessable, match=message):
        records(world, "rates", **filters)


def test_reference_data_has_no_past(world: LoadWorld) -> None:
    with pytest.raises(Unprocessable, match="rates has no past"):
        records(world, "rates", Moments(world.clock.now(), changed_since=world.clock.now()))


CAMPAIGNS = b"""profile_id,campaign_id,campaign_name,status,start_date
p1,c1,Spring,ACTIVE,2026-03-01
p1,c2,Autumn,in review,
p1,c1,Spring,ACTIVE,2026-03-01
p1,,Nameless,active,
"""


def test_files_name_the_objects_of_platforms_that_nothing_lists(world: LoadWorld) -> None:
    """Given names and statuses in a file, then the lists have them, and a later file's win."""
    world.arrive("drops/acme/quora_ads/campaigns/a.csv", CAMPAIGNS)
    names = ("platform", "profile_id", "id", "name", "status", "status_raw", "start_date")
    found = records(world, "campaigns", account_id="p1")
    assert [tuple(each[name] for name in names) for each in found] == [
        ("quora_ads", "p1", "c1", "Spring", "active", "ACTIVE", "2026-03-01"),
        ("quora_ads", "p1", "c2", "Autumn", "pending", "in review", None),
    ]
    left = receipt(world)
    assert (left["rows_stored"], left["duplicates"], left["reasons"]) == (2, 1, {"required": 1})
    assert left["stored_for"] == ["quora_ads#p1#campaigns"]
    world.clock.advance(60)
    world.arrive("drops/acme/quora_ads/campaigns/b.csv", b"profile_id,campaign_id,campaign_name\np1,c2,Winter\n")
    assert [each["name"] for each in records(world, "campaigns", account_id="p1")] == ["Spring", "Winter"]


def test_ads_and_keywords_of_files_have_their_groups(world: LoadWorld) -> None:
    world.arrive("drops/acme/radio/ads/a.csv", b"ad_group_id,ad_id,ad_name\ng1,a1,Jingle\n")
    world.arrive("drops/acme/radio/keywords/a.csv", b"ad_group_id,keyword_id,keyword_text\ng1,k1,shoes\n")
    (ad,) = records(world, "ads", account_id="direct")
    assert (ad["ad_id"], ad["ad_group_id"], ad["account_id"]) == ("a1", "g1", "direct")
    (keyword,) = records(world, "keywords", account_id="direct")
    assert (keyword["id"], keyword["text"], keyword["ad_group_id"]) == ("k1", "shoes", "g1")


def test_what_a_platform_lists_is_not_named_by_files_nor_another_client_s(world: LoadWorld) -> None:
    body = b"profile_id,campaign_id,campaign_name\n1,7,Mine\n"
    world.arrive("drops/acme/meta/campaigns/a.csv", body)
    assert receipt(world)["reasons"] == {"listed": 1}
    world.arrive("drops/acme/quora_ads/campaigns/a.csv", body)
    world.catalog.create_account("rival", "Rival", "a@example.com")
    world.arrive("drops/rival/quora_ads/campaigns/a.csv", body)
    (rival,) = [each for each in world.receipts() if "rival" in each["key"]]
    assert (rival["rows_stored"], rival["reasons"]) == (0, {"known": 1})
