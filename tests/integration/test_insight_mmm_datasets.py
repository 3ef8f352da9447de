"""Datasets with what clients say of them: channels, KPIs, controls, regions; of one campaign, of the last days."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adweir.insight.mmm.gather import MixAsked
from adweir.model.campaigns import Binding, Campaign
from adweir.model.entities import AdCampaign, Profile, own_profile_id
from adweir.model.errors import NotFound
from adweir.model.media_mix import MediaMix
from adweir.model.metrics import Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.series_ids import series_id
from adweir.model.times import Window
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.catalog.references import ReferenceRow
from adweir.store.metrics.store import PullRows
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.empty_aws import make_bucket
from support.mmm_story import AMAZON, META, WINDOW, StoryCatalog, ad_day, of_ads, publisher_of, pull, two_platforms

SHOP = Profile(
    account_id="acme",
    platform=Platform("shop"),
    profile_id=own_profile_id("acme"),
    name="",
    currency="USD",
    timezone="Europe/Berlin",
)
BY_REGION = {"options": {"datasets": ["campaign_by_region_daily"]}}
DAYS = range(1, 20)


@pytest.fixture
def app(tables: None, settings: Settings) -> App:
    app = App(settings, FrozenClock())
    make_bucket(settings.bucket)
    return app


def said(app: App, level: Level, name: str, values: dict[int, str], *, geo: str = "", currency: str = "") -> None:
    """A dropped series: November's day → value."""
    loaded = PullRows()
    for day, value in values.items():
        named = series_id({"name": name, "geo": geo, "currency": currency})
        number = int(Decimal(value).scaleb(6))
        loaded.offer(MetricRow(named, f"2026-11-{day:02}", None, None, number, None, None, currency=currency))
    file = replace(of_ads(SHOP, "all", WINDOW), level=level, source=Source.FILE, complete=False)
    app.metrics.load(file, loaded)


def rows_of(app: App, files: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(app.raw.get_bytes(files["csv"]["key"]).decode().splitlines()))


def errors(table: dict[str, Any]) -> list[str]:
    return [each["message"] for each in table["findings"] if each["severity"] == "error"]


def campaign_day(campaign: str, day: int, spend: int, product: str = "") -> MetricRow:
    return MetricRow(campaign, f"2026-11-{day:02}", 100 * day, 10, 1_000_000 * day, spend, 0, ad_product=product)


def by_products(app: App) -> StoryCatalog:
    """Amazon's campaigns of two products, and a part of the account that no campaign explains."""
    for product, factor in (("sp", 2), ("sb", 3)):
        rows = [campaign_day(f"c-{product}", day, day * factor * 1_000_000, product) for day in DAYS]
        loaded = PullRows()
        for row in rows:
            loaded.offer(row)
        app.metrics.load(replace(of_ads(AMAZON, product, WINDOW), level=Level.CAMPAIGN), loaded)
    app.metrics.load(replace(of_ads(AMAZON, "sd", WINDOW), level=Level.CAMPAIGN), PullRows())
    totals = PullRows()
    for day in DAYS:  # on odd days the account has less than its campaigns
        more = 500_000 if day % 2 else -1_000_000
        totals.offer(MetricRow("22", f"2026-11-{day:02}", 200 * day, 20, 2_000_000 * day, day * 5_000_000 + more, 0))
    app.metrics.load(replace(of_ads(AMAZON, "all", WINDOW), level=Level.ACCOUNT), totals)
    return StoryCatalog(AMAZON)


def test_channels_finer_than_a_platform_add_up_to_it_and_none_is_below_zero(app: App) -> None:
    catalog = by_products(app)
    rules = [{"channel": f"amazon_{word}", "platform": "amazon_ads", "ad_product": [word]} for word in ("sp", "sb")]
    catalog.mix = MediaMix.model_validate({"channels": rules})

    (manifest,) = publisher_of(app, catalog).publish("acme")

    daily = manifest["tables"]["daily"]
    assert errors(daily) == []
    assert daily["channels"] == ["amazon_ads", "amazon_sb", "amazon_sp"]
    for row, day in zip(rows_of(app, daily["files"]), DAYS, strict=True):
        rest, brands, products = (Decimal(row[f"{channel}_spend"]) for channel in daily["channels"])
        more = Decimal("0.5") if day % 2 else Decimal(-1)
        assert rest + brands + products == day * 5 + more
        assert (rest, products) == (max(more, Decimal(0)), Decimal(day * 2))
    assert manifest["channel_rules"][0]["channel"] == "amazon_sp"
    # another rule makes another dataset of the same numbers
    catalog.mix = MediaMix.model_validate({"channels": rules[:1]})
    (other,) = publisher_of(app, catalog).publish("acme")
    assert other["inputs"] != manifest["inputs"]
    assert other["tables"]["daily"]["channels"] == ["amazon_ads", "amazon_sp"]


def test_campaigns_are_told_apart_by_the_names_that_their_lists_have(app: App) -> None:
    catalog = by_products(app)
    facts: dict[str, Any] = {"platform": AMAZON.platform, "profile_id": AMAZON.profile_id}
    catalog.listed = [
        AdCampaign(id="c-sp", name="US | Brand", **facts),
        AdCampaign(id="c-sb", name="US | Shoes", **facts),
    ]
    catalog.mix = MediaMix.model_validate({"channels": [{"channel": "brand", "name": ["*brand*"]}]})
    (manifest,) = publisher_of(app, catalog).publish("acme")
    rows = rows_of(app, manifest["tables"]["daily"]["files"])
    assert [Decimal(row["brand_spend"]) for row in rows] == [2 * day for day in DAYS]


def test_a_kpi_and_controls_that_were_dropped_are_in_the_table_with_their_clock(app: App) -> None:
    two_platforms(app)
    said(app, Level.KPI, "Orders", {day: str(40 + day) for day in range(2, 20)})
    said(app, Level.KPI, "Turnover", {day: str(900 + day) for day in DAYS}, currency="USD")
    said(app, Level.CONTROL, "Price index", {day: f"{100 + day}.5" for day in DAYS})
    said(app, Level.CONTROL, "Black Friday", {7: "1", 8: "1"})
    said(app, Level.CONTROL, "VAT", dict.fromkeys(DAYS, "19"))
    catalog = StoryCatalog(META, AMAZON, SHOP)
    catalog.mix = MediaMix.model_validate({"kpi": {"conversions": "orders", "revenue": "shop/Turnover"}})

    (manifest,) = publisher_of(app, catalog).publish("acme")

    daily = manifest["tables"]["daily"]
    assert errors(daily) == []
    assert (daily["first"], daily["rows"]) == ("2026-11-02", 18)  # the orders begin on the second
    assert daily["controls"] == ["black_friday_control", "price_index_control"]
    row = rows_of(app, daily["files"])[5]
    assert (row["conversions"], row["revenue"], row["price_index_control"]) == ("47", "907", "107.5")
    assert (row["black_friday_control"], row["revenue_per_conversion"]) == ("1", str(round(Decimal(907) / 47, 6)))
    assert manifest["kpi"]["conversions"]["timezone"] == "Europe/Berlin"
    assert manifest["controls"]["price_index"] == {"source": "shop", "timezone": "Europe/Berlin"}
    (clocks,) = (each for each in daily["findings"] if each["gate"] == "clocks")
    assert clocks["message"] == "the KPI keeps days of Europe/Berlin, the ad accounts keep days of UTC"
    assert {each["channel"] for each in daily["dropped"]} == {"vat_control"}


def test_a_kpi_that_lacks_a_day_or_is_not_there_stops_the_tables(app: App) -> None:
    two_platforms(app)
    catalog = StoryCatalog(META, AMAZON, SHOP)
    catalog.mix = MediaMix.model_validate({"kpi": {"conversions": "orders"}})
    (manifest,) = publisher_of(app, catalog).publish("acme")
    assert "the series orders has no value in USD from 2026-11-01 to 2026-11-19" in errors(manifest["tables"]["daily"])

    said(app, Level.KPI, "orders", {day: str(40 + day) for day in DAYS if day != 9})
    (manifest,) = publisher_of(app, catalog).publish("acme")
    assert errors(manifest["tables"]["daily"]) == ["conversions have no value on 1 days: 2026-11-09"]
    assert "files" not in manifest["tables"]["daily"]


def test_reach_and_frequency_take_the_place_of_impressions(app: App) -> None:
    two_platforms(app)
    said(app, Level.CONTROL, "meta_ads_reach", {day: str(500 + day) for day in DAYS})
    said(app, Level.CONTROL, "meta_ads_frequency", {day: f"1.{day}" for day in DAYS})
    (manifest,) = publisher_of(app, StoryCatalog(META, AMAZON, SHOP)).publish("acme")
    daily = manifest["tables"]["daily"]
    assert (daily["reach"], daily["media"]) == (["meta_ads"], {"amazon_ads": "amazon_ads_impressions"})
    row = rows_of(app, daily["files"])[2]
    assert (row["meta_ads_reach"], row["meta_ads_frequency"]) == ("503", "1.3")
    assert "meta_ads_impressions" not in row


def by_region(app: App, regions: dict[str, int]) -> None:
    """Meta's campaign by region: each has so many hundredths of it."""
    whole, split = PullRows(), PullRows()
    for day in DAYS:
        whole.offer(campaign_day("c1", day, day * 100_000_000))
        for region, part in regions.items():
            row = campaign_day("c1", day, day * part * 1_000_000 + (day % 3) * part)
            row.entity_id, row.campaign_id = f"c1~{region}", "c1"
            split.offer(row)
    campaigns = replace(of_ads(META, "all", WINDOW), level=Level.CAMPAIGN)
    app.metrics.load(campaigns, whole)
    app.metrics.load(replace(campaigns, breakdown="region"), split)


def population(**people: int) -> dict[str, list[ReferenceRow]]:
    found = [(geo.replace("_", " "), number) for geo, number in people.items()]
    rows = [ReferenceRow(Platform("census"), f"{geo}~~", {"geo": geo, "population": str(n)}) for geo, n in found]
    return {"population": rows}


def test_by_region_the_table_is_a_full_grid_with_population_and_geox_has_its_file(app: App) -> None:
    by_region(app, {"BAVARIA": 50, "Berlin": 30, "Elsewhere": 5})
    catalog = StoryCatalog(META.model_copy(update=BY_REGION))
    catalog.said = population(Bavaria=13_000_000, Berlin=3_600_000)

    (manifest,) = publisher_of(app, catalog).publish("acme")

    geo = manifest["tables"]["geo_daily"]
    assert errors(geo) == []
    assert (geo["geos"], geo["rows"]) == (["Bavaria", "Berlin"], 38)
    rows = rows_of(app, geo["files"])
    assert list(rows[0])[:2] == ["geo", "time"]
    assert [(row["geo"], row["time"]) for row in rows] == sorted((row["geo"], row["time"]) for row in rows)
    assert (rows[0]["population"], rows[20]["population"]) == ("13000000", "3600000")
    assert rows[4]["meta_ads_spend"] == "250.0001"
    assert manifest["regions"]["left_out"] == ["Elsewhere"]
    assert manifest["regions"]["share_of_spend"].startswith("0.8")
    for each in rows_of(app, geo["geox"]["files"])[:1]:
        assert each == {
            "date": "2026-11-01",
            "location": "Bavaria",
            "conversions": "1",
            "spend": "50.00005",
            "meta_ads_spend": "50.00005",
        }
    weekly = manifest["tables"]["geo_weekly"]
    assert (weekly["rows"], "geox" in weekly) == (4, False)
    assert manifest["tables"]["daily"]["ready"]


def test_regions_without_a_population_make_no_table(app: App) -> None:
    by_region(app, {"Bavaria": 50, "Berlin": 30})
    (manifest,) = publisher_of(app, StoryCatalog(META.model_copy(update=BY_REGION))).publish("acme")
    assert errors(manifest["tables"]["geo_daily"]) == [
        "Meridian needs one population per region: unknown of Bavaria, Berlin"
    ]


def test_where_an_ad_account_has_no_regions_it_is_said(app: App) -> None:
    two_platforms(app)
    (manifest,) = publisher_of(app, StoryCatalog(META, AMAZON)).publish("acme")
    assert set(manifest["tables"]) == {"daily", "weekly"}
    assert manifest["regions"]["reason"].startswith("not pulled by region: amazon_ads#22, meta_ads#11")


def a_campaign(*bindings: Binding) -> Campaign:
    return Campaign(campaign_id="cmp_1", account_id="acme", name="Spring", bindings=bindings, currency="USD")


def test_a_campaign_has_a_dataset_of_what_is_bound_to_it(app: App) -> None:
    two_platforms(app)
    pull(app, META, "all", WINDOW, *(ad_day("g1~a1", day, day * 1_010_000) for day in DAYS))
    catalog = StoryCatalog(META, AMAZON)
    catalog.own_campaigns = [a_campaign(Binding(platform=META.platform, profile_id="11", campaign_id="c1"))]

    (manifest,) = publisher_of(app, catalog).publish("acme", MixAsked("cmp_1"))

    assert (manifest["campaign_id"], manifest["campaign_name"]) == ("cmp_1", "Spring")
    assert manifest["tables"]["daily"]["channels"] == ["meta_ads"], manifest["tables"]["daily"]["findings"]
    assert manifest["tables"]["daily"]["ready"], manifest["tables"]["daily"]["findings"]
    spends = [Decimal(row["meta_ads_spend"]) for row in rows_of(app, manifest["tables"]["daily"]["files"])]
    assert spends == [day * Decimal("1.01") for day in DAYS]
    assert json.loads(app.raw.get_bytes("mmm/acme/USD/campaign=cmp_1/mmm_manifest.json")) == manifest
    with pytest.raises(NotFound):
        publisher_of(app, catalog).publish("acme", MixAsked("cmp_2"))


def test_the_last_days_alone_are_a_dataset_of_their_own(app: App) -> None:
    two_platforms(app)
    catalog = StoryCatalog(META, AMAZON)
    (whole,) = publisher_of(app, catalog).publish("acme")
    (last,) = publisher_of(app, catalog).publish("acme", MixAsked(lookback_days=10))
    assert (last["first_date"], last["tables"]["daily"]["rows"]) == ("2026-11-10", 10)
    assert publisher_of(app, catalog).publish("acme") == [whole]
    assert last["files"]["ad_reporting"]["csv"]["key"] == "mmm/acme/USD/days=10/ad_reporting.csv"


def file_of(app: App, profile: Profile, *days: int) -> None:
    """A dropped file with a row per day, of campaigns."""
    loaded = PullRows()
    for day in days:
        loaded.offer(MetricRow("c1", f"2026-11-{day:02}", 500 + day, 5, 1_000_000, 3_000_000 + day, 7_000_000, "c1"))
    file = replace(of_ads(profile, "all", WINDOW), level=Level.CAMPAIGN, source=Source.FILE, complete=False)
    app.metrics.load(file, loaded)


def test_days_before_the_first_pull_are_known_where_a_file_has_them(app: App) -> None:
    """Amazon keeps weeks: its older days are dropped."""
    pull(app, META, "all", WINDOW, *(ad_day("g1~a1", day, day * 1_010_000) for day in DAYS))
    late = Window(date(2026, 11, 10), WINDOW.end)
    for product in ("sp", "sb", "sd"):
        rows = [ad_day("g1~a2", day, day * 20_000, "sp") for day in range(10, 20)] if product == "sp" else []
        pull(app, AMAZON, product, late, *rows)
    file_of(app, AMAZON, *range(3, 13))

    [manifest] = publisher_of(app, StoryCatalog(META, AMAZON)).publish("acme")

    daily = manifest["tables"]["daily"]
    assert (daily["ready"], daily["first"], daily["last"]) == (True, "2026-11-03", "2026-11-19"), daily["findings"]
    handed = {"amazon_ads#22": {"days": 7, "first": "2026-11-03", "last": "2026-11-09"}}
    assert manifest["history_handed_over"] == handed
    spend = {row["time"]: row["amazon_ads_spend"] for row in rows_of(app, daily["files"])}
    assert (spend["2026-11-03"], spend["2026-11-09"]) == ("3.000003", "3.000009")
    assert Decimal(spend["2026-11-10"]) == Decimal("0.2")  # the pull answers


def test_a_day_that_files_lack_ends_what_they_tell_of_the_past(app: App) -> None:
    pull(app, META, "all", Window(date(2026, 11, 10), WINDOW.end), *(ad_day("g1~a1", d, d) for d in range(10, 20)))
    file_of(app, META, 3, 4, 6, 7, 8, 9)

    [manifest] = publisher_of(app, StoryCatalog(META)).publish("acme")

    daily = manifest["tables"]["daily"]
    assert (daily["ready"], daily["first"]) == (True, "2026-11-06")
    assert manifest["history_handed_over"] == {"meta_ads#11": {"days": 4, "first": "2026-11-06", "last": "2026-11-09"}}


def test_an_ad_account_that_was_never_pulled_is_not_in_a_dataset_for_its_files(app: App) -> None:
    pull(app, META, "all", WINDOW, *(ad_day("g1~a1", day, day * 1_010_000) for day in DAYS))
    file_of(app, AMAZON, 3, 4)

    [manifest] = publisher_of(app, StoryCatalog(META, AMAZON)).publish("acme")

    assert manifest["profiles_left_out"] == {"amazon_ads#22": "never pulled"}
    assert manifest["history_handed_over"] == {}


def test_features_and_the_slim_file_stand_beside_a_national_table(app: App) -> None:
    two_platforms(app)
    (manifest,) = publisher_of(app, StoryCatalog(META, AMAZON)).publish("acme")
    daily = manifest["tables"]["daily"]
    assert daily["features"]["channels"]["meta_ads"]["spend"]["trend"]["direction"] == "up"
    assert len(rows_of(app, daily["features"]["files"])) == 19
    robyn = daily["robyn"]
    header = list(rows_of(app, robyn["files"])[0])
    assert header == ["time", robyn["dep_var"], *robyn["paid_media_spends"], *robyn["paid_media_vars"]]
    assert (robyn["day_interval"], robyn["interval_type"]) == (1, "day")


@at_the_bound("MAX_LISTED_LIFT_TESTS", as_if=3)
def test_the_newest_experiments_are_listed_and_the_older_ones_counted(app: App, *, size: int, fits: bool) -> None:
    two_platforms(app)
    catalog = StoryCatalog(META, AMAZON)
    ends = ["2026-11-09", "2026-11-02", "2026-11-07", "2026-11-08"][:size]
    rows = [{"test_id": f"t{place}", "start_date": "2026-11-01", "end_date": end} for place, end in enumerate(ends)]
    catalog.said = {"lift_tests": [ReferenceRow(Platform("lab"), f"test_id={row['test_id']}", row) for row in rows]}

    (manifest,) = publisher_of(app, catalog).publish("acme")

    assert [each["test_id"] for each in manifest["lift_tests"]] == (["t0", "t1", "t2"] if fits else ["t0", "t2", "t3"])
    assert manifest["lift_tests_left_out"] == (0 if fits else 1)
    findings = [each["message"] for each in manifest["tables"]["daily"]["findings"] if each["gate"] == "lift_tests"]
    assert findings == ([] if fits else ["1 older experiment is left out: the 3 that ended last are looked at"])


def test_a_worker_that_dies_at_any_write_leaves_nothing_that_counts(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    by_region(app, {"Bavaria": 50, "Berlin": 30})
    catalog = StoryCatalog(META.model_copy(update=BY_REGION))
    catalog.said = population(Bavaria=13_000_000, Berlin=3_600_000)
    writes = Crash()
    with monkeypatch.context() as patch:
        writes.watch(app.raw, "put", put=patch.setattr)
        (first,) = publisher_of(app, catalog).publish("acme")
    catalog.said = population(Bavaria=13_000_001, Berlin=3_600_000)
    for at in range(1, writes.writes + 2):
        with monkeypatch.context() as patch:
            crash = Crash(at=at, after=at % 2 == 0)
            crash.watch(app.raw, "put", put=patch.setattr)
            with pytest.raises(Killed):
                publisher_of(app, catalog).publish("acme")
        stored = json.loads(app.raw.get_bytes("mmm/acme/USD/mmm_manifest.json"))
        assert stored["inputs"] in {None, first["inputs"]} or at > writes.writes
    (second,) = publisher_of(app, catalog).publish("acme")
    assert second["inputs"] != first["inputs"]
    assert "13000001" in app.raw.get_bytes(second["tables"]["geo_daily"]["files"]["csv"]["key"]).decode()
