"""The library over the sandbox's platforms: what its verbs yield is the world's truth, on every platform alike."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

import adweir
from adweir.library.client import Client
from adweir.library.lone import Workshop
from adweir.library.waiting import Waiting
from adweir.model.datasets import Dataset
from adweir.model.errors import AccessDenied, AdweirError, AuthExpired
from adweir.model.metrics import plus
from adweir.model.money import from_micros, to_units
from adweir.platforms import REGISTRY
from sandbox.platforms import platform_urls
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from sandbox.world.bills import Bills
from support.clock import FrozenClock
from support.platform_server import owner, running, truth

START, END = date(2026, 11, 9), date(2026, 11, 16)
RANGE = (START, END.isoformat())
PLATFORMS = sorted(str(spec.name) for spec in REGISTRY.specs() if not spec.described)


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


def connected(server: PlatformServer, platform: str) -> tuple[Client, WorldProfile]:
    """A client of the first company, and its profile. Reports take the sandbox a moment: its clock is the real one."""
    company, profile = owner(server, platform)
    workshop = Workshop(Waiting(clock=FrozenClock(), sleep=lambda _: time.sleep(0.02)))
    urls = platform_urls(server.url)[platform]
    return workshop.client(platform, company.credentials[platform], urls=urls), profile


def numbers(row: dict[str, Any], prefix: str = "") -> tuple[Any, ...]:
    return tuple(row[f"{prefix}{name}"] for name in ("impressions", "clicks", "conversions", "spend", "revenue"))


def expected(row: dict[str, Any]) -> tuple[Any, ...]:
    exact = (row[f"{name}_micros"] for name in ("conversions", "spend", "revenue"))
    return (row["impressions"], row["clicks"], *map(to_units, exact))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_a_credential_when_profiles_are_listed_then_they_are_the_ad_accounts_that_it_reaches(
    server: PlatformServer, platform: str
) -> None:
    client, profile = connected(server, platform)

    found = {row["profile_id"]: row for row in client.get_profiles()}

    assert (found[profile.id]["currency"], found[profile.id]["timezone"]) == (profile.currency, profile.timezone)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_a_range_when_ads_are_read_then_each_has_the_sums_of_the_truth_and_all_that_delivered_are_there(
    server: PlatformServer, platform: str
) -> None:
    # given
    client, profile = connected(server, platform)

    # when
    rows = list(client.get_ads(profile.id, RANGE))

    # then
    sums: dict[str, Any] = {}
    for (entity, _), row in truth(server, profile, START, END).items():
        slot = tuple(row[f"{name}_micros"] for name in ("conversions", "spend", "revenue"))
        whole = (row["impressions"], row["clicks"], *slot)
        sums[entity] = plus(sums[entity], whole) if entity in sums else whole
    found = {f"{row['ad_group_id']}~{row['ad_id']}": row for row in rows}
    assert len(found) == len(rows)
    for entity, (impressions, clicks, *rest) in sums.items():
        assert numbers(found[entity]) == (impressions, clicks, *map(to_units, rest))
    assert {entity for entity, row in found.items() if row["impressions"]} == {
        entity for entity, slot in sums.items() if slot[0]
    }
    assert all(isinstance(row["start_date"], date | None) for row in rows)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_a_range_when_account_days_are_read_then_they_are_the_platform_s_own_totals(
    server: PlatformServer, platform: str
) -> None:
    # given
    client, profile = connected(server, platform)

    # when
    rows = list(client.get_account_stats(profile.id, RANGE))

    # then
    totals = {row["date"]: row for row in truth(server, profile, START, END, "account").values()}
    ads = defaultdict(set)
    for entity, day in truth(server, profile, START, END):
        ads[day].add(entity)
    assert [row["date"].isoformat() for row in rows] == sorted(totals)
    for row in rows:
        day = row["date"].isoformat()
        assert numbers(row, "daily_") == expected(totals[day])
        assert row["ad_count"] == len(ads[day])
        assert (row["account_name"], row["currency"]) == (profile.name, profile.currency)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_a_report_asked_for_by_one_client_when_another_downloads_it_then_its_rows_are_the_truth(
    server: PlatformServer, platform: str
) -> None:
    # given
    client, profile = connected(server, platform)
    report = client.create_report_request(profile.id, RANGE)

    # when
    other, _ = connected(server, platform)
    rows = list(other.download_report(report))

    # then
    daily = {(row["entity_id"], row["date"]): expected(row) for row in truth(server, profile, START, END).values()}
    found = {(f"{row['ad_group_id']}~{row['ad_id']}", row["date"].isoformat()): numbers(row) for row in rows}
    assert found == daily
    assert len(rows) == len(daily) > 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_a_platform_when_its_campaigns_and_keywords_are_read_then_none_is_missing_or_there_twice(
    server: PlatformServer, platform: str
) -> None:
    # given
    client, profile = connected(server, platform)

    # when
    campaigns = [row["id"] for row in client.get_campaigns(profile.id) if row["reported"]]
    keywords = list(client.get_keywords(profile.id))

    # then
    assert sorted(campaigns) == sorted(campaign.id for campaign in profile.campaigns)
    served = Dataset.KEYWORDS in REGISTRY.spec(REGISTRY.parse(platform)).datasets
    assert bool(keywords) is served
    if keywords:
        one = keywords[0]
        same = list(
            client.get_keywords(
                profile.id, one["campaign_id"], one["ad_group_id"], one["status_raw"], one["match_type"]
            )
        )
        assert one["id"] in {row["id"] for row in same}
        assert {row["ad_group_id"] for row in same} == {one["ad_group_id"]}
        ids = ("campaign_id", "ad_group_id", "kind", "id")
        assert len({tuple(row[name] for name in ids) for row in keywords}) == len(keywords)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_months_when_invoices_are_read_then_they_add_up_to_what_the_world_billed(
    server: PlatformServer, platform: str
) -> None:
    client, profile = connected(server, platform)

    rows = list(client.get_invoices(profile.id, (date(2026, 9, 1), date(2026, 10, 31))))

    truth = {bill["number"]: bill for bill in Bills(server.outside.world).truth(profile, date.min, date.max)}
    served = Dataset.INVOICES in REGISTRY.spec(REGISTRY.parse(platform)).datasets
    months = {number for number, bill in truth.items() if bill["month"] in {"2026-09-01", "2026-10-01"}}
    found: dict[str, Any] = defaultdict(int)
    for row in rows:
        found[row["invoice_id"]] += row["total"]
    assert dict(found) == {number: from_micros(truth[number]["total_micros"]) for number in (months if served else ())}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_the_platform_s_own_answers_when_they_are_normalized_then_they_are_what_the_verb_yields(
    server: PlatformServer, platform: str
) -> None:
    # given
    client, profile = connected(server, platform)
    (account,) = (row for row in client.get_profiles() if row["profile_id"] == profile.id)

    # when
    raw = client.get_campaigns(profile.id, raw=True)
    rows = list(adweir.normalize(list(raw)[:1], platform, dataset="campaigns", profile=account))

    # then
    known = {row["id"]: row for row in client.get_campaigns(profile.id)}
    assert rows
    for row in rows:
        left_out = {"as_of", "ad_product"}
        assert {name: value for name, value in row.items() if name not in left_out} == {
            name: value for name, value in known[row["id"]].items() if name not in left_out
        }


@pytest.fixture
def spoiled(server: PlatformServer) -> Iterator[Callable[..., None]]:
    """Turns on a switch until the test ends."""
    yield lambda **switch: server.outside.switches.turn_on(switch)
    server.outside.switches.clear()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_given_a_platform_that_throttles_when_ads_are_read_then_they_are_whole(
    server: PlatformServer, spoiled: Callable[..., None], platform: str
) -> None:
    client, profile = connected(server, platform)
    spoiled(kind="throttle", platform=platform, times=3, skip=2)

    rows = list(client.get_ads(profile.id, RANGE, ["spend"]))

    spent = sum(row["spend_micros"] for row in truth(server, profile, START, END).values())
    assert sum(row["spend"] for row in rows) == from_micros(spent)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("kind", "error"), [("access_denied", AccessDenied), ("revoked_credential", AuthExpired)])
def test_given_a_credential_that_lost_its_rights_when_it_is_used_then_the_error_says_which(
    server: PlatformServer, spoiled: Callable[..., None], platform: str, kind: str, error: type[AdweirError]
) -> None:
    client, profile = connected(server, platform)
    (account,) = (row for row in client.get_profiles() if row["profile_id"] == profile.id)
    spoiled(kind=kind, platform=platform)

    with pytest.raises(error):
        list(client.get_campaigns(account))


def test_given_all_platforms_when_their_days_are_combined_then_every_row_is_there_once_and_says_whose_it_is(
    server: PlatformServer,
) -> None:
    # given
    rows = []
    for platform in PLATFORMS:
        client, profile = connected(server, platform)
        rows.append(list(client.get_account_stats(profile.id, RANGE, ["spend"])))

    # when
    found = list(adweir.combine([*rows, *rows]))

    # then
    assert len(found) == len({row["key"] for row in found}) == sum(map(len, rows))
    spent = sum(
        row["spend_micros"]
        for platform in PLATFORMS
        for row in truth(server, owner(server, platform)[1], START, END, "account").values()
    )
    assert sum(row["spend"] for row in found) == from_micros(spent)
