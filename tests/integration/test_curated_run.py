"""What a run leaves under curated/ says to DuckDB what the API says, to the cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from adweir.insight.curated.layout import PREFIX, tables
from adweir.platforms import REGISTRY
from adweir.reporting.totals import UNATTRIBUTED
from ops.export.folder import ExportFolder
from ops.export.views import views
from sandbox.playground import playground
from support.local_system import quick

METRICS = ["impressions", "clicks", "conversions", "spend", "revenue"]


def test_given_a_sync_when_its_tables_are_exported_then_sql_and_the_api_agree_on_each_campaign_and_day(
    tmp_path: Path,
) -> None:
    # given
    with playground() as served, quick("memory", urls=served.urls) as system:
        system.connect("google", company="Halden", **served.credential("google_ads"))
        system.sync(platforms=["google"])
        today = datetime.now(UTC).date()  # not in all time zones: a range reaches beyond what was pulled
        told = system.report(METRICS, ["date", "account", "campaign"], (today - timedelta(90), today))["data"]

        # when
        raw = system._here.app.raw
        found = {each.key.removeprefix(PREFIX): each for each in raw.list(PREFIX) if "/state/" not in each.key}
        folder = ExportFolder(tmp_path / "warehouse", raw.bucket)
        folder.take(found, raw.open_stream)

    # then
    with duckdb.connect(config={"threads": 1, "file_search_path": str(folder.path)}) as reader:
        reader.execute(views(tables(tuple(sorted(REGISTRY))), folder.tables()))
        rows = reader.execute(
            f"SELECT CAST(date AS VARCHAR), account_id, campaign_id, {', '.join(METRICS)} FROM metrics "  # noqa: S608
            "WHERE platform = 'google_ads' AND level = 'campaign' AND grain = 'day'"
        ).fetchall()
    assert {row[:3]: row[3:] for row in rows} == {
        (row["date"], row["account"], None if row["campaign"] == UNATTRIBUTED else row["campaign"]): tuple(
            row[name] for name in METRICS
        )
        for row in told
    }
    assert len(rows) == len(told) > 0
