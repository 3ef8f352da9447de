"""How each platform writes the rows that bench/load.py loads, and how DuckDB is told to read them.

The rows are those of daily ad numbers with every field that the connector asks for, in the platform's own form.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec

from adweir.platforms.json_array import read_array

Row = Callable[[int, str, int], Any]
"""From an ad's number, a day and a seed to a row."""


class Format(NamedTuple):
    """A platform's pages, or its one file.

    `page`: rows per page, 0 for a file. `written`: some rows as a page; `whole`: all rows as a file, piece by piece.
    `split`: the undecoded rows of a body; None: DuckDB reads the file itself. `columns`, `key`, `figures` are DuckDB's:
    typed columns, what an ad and day are grouped by, what is summed; `micros`: the sums that are millionths already.
    `most`: rows at most. `floor`: the least share of DuckDB's rate.
    """

    row: Row
    columns: dict[str, str]
    key: str
    figures: tuple[str, ...]
    page: int = 0
    written: Callable[[list[Any]], bytes] = bytes
    whole: Callable[[Iterable[Any]], Iterator[bytes]] = iter
    split: Callable[[BinaryIO], Iterator[Sequence[msgspec.Raw]]] | None = None
    slice: str = "all"
    label: str = ""
    media: str = "json"
    micros: frozenset[int] = frozenset()
    most: int = 1 << 40
    floor: float = 0.5


AMOUNT = "DECIMAL(18,6)"


def compact(value: Any) -> bytes:
    """JSON without spaces, as the platforms send it."""
    return json.dumps(value, separators=(",", ":")).encode()


def split_by(page: type, rows: Callable[[Any], Sequence[msgspec.Raw]]) -> Callable[[BinaryIO], Iterator[Any]]:
    """Splits a page of that type, whose rows stay undecoded."""
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(page).decode

    def split(body: BinaryIO) -> Iterator[Sequence[msgspec.Raw]]:
        yield rows(decode(body.read()))

    return split


# -- Meta: pages of 500 rows of insights, about 1.1 kB each


def meta_row(ad: int, day: str, seed: int) -> dict[str, Any]:
    """A row as Meta sends it with the fields that the connector and its users ask for, about 1.1 kB."""
    clicks, bought = seed % 90, seed % 4
    row: dict[str, Any] = {
        "account_id": "1234567890",
        "account_currency": "USD",
        "campaign_id": str(23850000000000000 + ad // 100),
        "campaign_name": f"Prospecting {ad // 100} | broad | conversions",
        "adset_id": str(23851000000000000 + ad // 10),
        "adset_name": f"Ad set {ad // 10} | 25-54 | feed",
        "ad_id": str(23852000000000000 + ad),
        "ad_name": f"Carousel {ad} | spring | variant {ad % 7}",
        "impressions": str(1000 + seed % 9000),
        "clicks": str(clicks),
        "inline_link_clicks": str(clicks // 2),
        "ctr": "2.833333",
        "spend": f"{seed % 300}.{seed % 100:02}",
        "reach": str(900 + seed % 8000),
        "frequency": "1.090909",
        "cpc": "1.343235",
        "cpm": "38.058333",
        "objective": "OUTCOME_SALES",
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "attribution_setting": "7d_click_1d_view",
        "engagement_rate_ranking": "AVERAGE",
        "conversion_rate_ranking": "ABOVE_AVERAGE",
    }
    if bought and clicks >= bought:
        kinds = ("link_click", "omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
        row["actions"] = [
            {"action_type": kind, "value": str(bought), "7d_click": str(bought), "1d_view": "0"} for kind in kinds
        ]
        row["action_values"] = [
            {"action_type": "omni_purchase", "value": f"{bought * 31}.75", "7d_click": f"{bought * 31}.75"}
        ]
        row["purchase_roas"] = [{"action_type": "omni_purchase", "value": "6.804248"}]
    return row | {"quality_ranking": "AVERAGE", "date_start": day, "date_stop": day}


class MetaRows(msgspec.Struct):
    data: list[msgspec.Raw]


_FIRST = "list_filter({}, lambda each: each.action_type = 'omni_purchase')[1].value"
META = Format(
    meta_row,
    {
        "adset_id": "VARCHAR",
        "ad_id": "VARCHAR",
        "date_start": "DATE",
        "impressions": "BIGINT",
        "clicks": "BIGINT",
        "spend": AMOUNT,
        "actions": f"STRUCT(action_type VARCHAR, value {AMOUNT})[]",
        "action_values": f"STRUCT(action_type VARCHAR, value {AMOUNT})[]",
    },
    "adset_id, ad_id, date_start",
    ("impressions", "clicks", _FIRST.format("actions"), "spend", _FIRST.format("action_values")),
    page=500,
    written=lambda rows: compact({"data": rows}),
    split=split_by(MetaRows, lambda page: page.data),
)


# -- Amazon: one report, a single array


def amazon_row(ad: int, day: str, seed: int) -> dict[str, Any]:
    """A row of Amazon's Sponsored Products report, with every column that is requested."""
    bought = seed % 4 if seed % 90 >= 4 else 0
    sales = {
        f"{name}{window}": bought * each
        for window in ("1d", "7d", "14d", "30d")
        for name, each in (
            ("purchases", 1),
            ("sales", 31.75),
            ("purchasesSameSku", 1),
            ("attributedSalesSameSku", 31.75),
        )
    }
    return {
        "date": day,
        "campaignId": 300000000000000 + ad // 100,
        "adGroupId": 400000000000000 + ad // 10,
        "adId": 500000000000000 + ad,
        "impressions": 1000 + seed % 9000,
        "clicks": seed % 90,
        "cost": seed % 30000 / 100,
        **sales,
        "campaignBudgetCurrencyCode": "USD",
    }


def _array(rows: Iterable[Any]) -> Iterator[bytes]:
    for number, row in enumerate(rows):
        yield (b"," if number else b"[") + json.dumps(row).encode()
    yield b"]"


def _pieces(body: BinaryIO) -> Iterator[Sequence[msgspec.Raw]]:
    for piece in read_array(body, msgspec.Raw):
        yield cast("list[msgspec.Raw]", piece.rows)


AMAZON = Format(
    amazon_row,
    {
        "adGroupId": "BIGINT",
        "adId": "BIGINT",
        "date": "DATE",
        "impressions": "BIGINT",
        "clicks": "BIGINT",
        "cost": AMOUNT,
        "purchases7d": AMOUNT,
        "sales7d": AMOUNT,
    },
    "adGroupId, adId, date",
    ("impressions", "clicks", "purchases7d", "cost", "sales7d"),
    whole=_array,
    split=_pieces,
    slice="sp",
    most=200_000,
)


# -- Google: batches of searchStream, 10,000 rows each


def google_row(ad: int, day: str, seed: int) -> dict[str, Any]:
    """A row of `ad_group_ad`, about 640 bytes: resource names come whether they are selected or not."""
    clicks = seed % 90
    bought = seed % 4 if clicks >= 4 else 0
    customer, campaign, group, own = "customers/1234567890", 18_000_000_000 + ad // 100, 150_000_000_000 + ad // 10, ad
    return {
        "campaign": {
            "resourceName": f"{customer}/campaigns/{campaign}",
            "advertisingChannelType": "SEARCH",
            "id": str(campaign),
        },
        "adGroup": {"resourceName": f"{customer}/adGroups/{group}", "id": str(group)},
        "adGroupAd": {
            "resourceName": f"{customer}/adGroupAds/{group}~{700_000_000_000 + own}",
            "ad": {
                "resourceName": f"{customer}/ads/{700_000_000_000 + own}",
                "id": str(700_000_000_000 + own),
            },
        },
        "metrics": {
            "clicks": str(clicks),
            "viewThroughConversions": str(seed % 3),
            "conversionsValue": bought * 31.75,
            "conversions": float(bought),
            "allConversions": bought + 1.5,
            "allConversionsValue": bought * 31.75 + 4.25,
            "costMicros": str(seed % 30_000 * 10_000),
            "impressions": str(1000 + seed % 9000),
            "interactions": str(clicks),
        },
        "segments": {"date": day},
    }


class GoogleRows(msgspec.Struct):
    results: list[msgspec.Raw]


GOOGLE = Format(
    google_row,
    {
        "adGroup": "STRUCT(id BIGINT)",
        "adGroupAd": "STRUCT(ad STRUCT(id BIGINT))",
        "segments": "STRUCT(date DATE)",
        "metrics": "STRUCT(impressions BIGINT, clicks BIGINT, costMicros BIGINT,"
        f" conversions {AMOUNT}, conversionsValue {AMOUNT})",
    },
    "adGroup.id, adGroupAd.ad.id, segments.date",
    (
        "metrics.impressions",
        "metrics.clicks",
        "metrics.conversions",
        "metrics.costMicros",
        "metrics.conversionsValue",
    ),
    page=10_000,
    written=lambda rows: compact({"results": rows, "requestId": "aaaaaaaaaaaaaaaaaaaaaa"}),
    split=split_by(GoogleRows, lambda page: page.results),
    micros=frozenset({3}),
)


# -- TikTok: pages of 1,000 rows


_OTHER_PURCHASES = (
    "total_purchase", "total_purchase_value", "onsite_shopping", "total_onsite_shopping_value",
    "offline_shopping_events", "offline_shopping_events_value",
)  # fmt: skip
_VIDEO = (
    "video_play_actions", "video_watched_2s", "video_watched_6s", "video_views_p25", "video_views_p50",
    "video_views_p75", "video_views_p100",
)  # fmt: skip


def tiktok_row(ad: int, day: str, seed: int) -> dict[str, Any]:
    """A row of a synchronous report, about 670 bytes: every value is text."""
    clicks = seed % 90
    bought = seed % 4 if clicks >= 4 else 0
    return {
        "dimensions": {"ad_id": str(1_700_000_000_000_000 + ad), "stat_time_day": f"{day} 00:00:00"},
        "metrics": {
            "campaign_id": str(1_500_000_000_000_000 + ad // 100),
            "adgroup_id": str(1_600_000_000_000_000 + ad // 10),
            "spend": f"{seed % 300}.{seed % 100:02}",
            "impressions": str(1000 + seed % 9000),
            "clicks": str(clicks),
            "conversion": str(bought),
            "complete_payment": str(bought),
            "total_complete_payment_rate": f"{bought * 31.75:.2f}",
            **dict.fromkeys(_OTHER_PURCHASES, "0"),
            **dict.fromkeys(_VIDEO, str(900 + seed % 8000)),
            "average_video_play": "4.37",
        },
    }


class TikTokData(msgspec.Struct):
    entries: list[msgspec.Raw] = msgspec.field(name="list")


class TikTokRows(msgspec.Struct):
    data: TikTokData


def _enveloped(rows: list[Any]) -> bytes:
    about = {"total_number": len(rows), "page": 1, "page_size": 1000, "total_page": 1}
    return compact({"message": "OK", "code": 0, "data": {"page_info": about, "list": rows}, "request_id": "2026"})


TIKTOK = Format(
    tiktok_row,
    {
        "dimensions": "STRUCT(ad_id BIGINT, stat_time_day TIMESTAMP)",
        "metrics": f"STRUCT(adgroup_id BIGINT, spend {AMOUNT}, impressions BIGINT, clicks BIGINT,"
        f" conversion {AMOUNT}, total_complete_payment_rate {AMOUNT})",
    },
    "metrics.adgroup_id, dimensions.ad_id, dimensions.stat_time_day",
    (
        "metrics.impressions",
        "metrics.clicks",
        "metrics.conversion",
        "metrics.spend",
        "metrics.total_complete_payment_rate",
    ),
    page=1000,
    written=_enveloped,
    split=split_by(TikTokRows, lambda page: page.data.entries),
)


# -- The Trade Desk: one CSV


_DESK_COLUMNS = {
    "Date": "DATE",
    **dict.fromkeys(
        (
            "Partner ID", "Partner", "Advertiser ID", "Advertiser", "Advertiser Currency Code", "Campaign ID",
            "Campaign", "Ad Group ID", "Ad Group", "Creative ID", "Creative",
        ),
        "VARCHAR",
    ),
    **dict.fromkeys(("Bids", "Impressions", "Clicks"), "BIGINT"),
    **dict.fromkeys(
        (
            "Advertiser Cost (Adv Currency)", "Media Cost (Adv Currency)", "TTD Cost (Adv Currency)",
            "Partner Cost (Adv Currency)",
        ),
        AMOUNT,
    ),
    **dict.fromkeys(("Player Starts", "Player Completed Views"), "BIGINT"),
    **dict.fromkeys(
        (
            "01 - Click Conversion", "01 - Click Conversion Revenue", "01 - View Through Conversion",
            "01 - View Through Conversion Revenue", "01 - Total Click + View Conversions",
        ),
        AMOUNT,
    ),
}  # fmt: skip
"""A template's columns with the names of objects and the usual costs, and one conversion."""


def desk_row(ad: int, day: str, seed: int) -> tuple[str, ...]:
    """A row of a report by creative, about 230 bytes."""
    clicks, spend = seed % 90, f"{seed % 300}.{seed % 100:02}"
    bought = seed % 4 if clicks >= 4 else 0
    return (
        day, "p1234567", "Example Agency", "1234567890", "Example Outdoor", "USD", f"c{ad // 100:07}",
        f"Prospecting {ad // 100} | broad", f"g{ad // 10:07}", f"Ad group {ad // 10} | 25-54", f"k{ad:07}",
        f"Banner {ad} | spring | variant {ad % 7}", str(20_000 + seed % 9000), str(1000 + seed % 9000), str(clicks),
        spend, f"{seed % 300}.10", f"{seed % 300}.31", f"{seed % 300}.42", str(seed % 500), str(seed % 300),
        str(bought), f"{bought * 31.75:.2f}", "0", "0", str(bought),
    )  # fmt: skip


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    for row in chain([tuple(_DESK_COLUMNS)], rows):
        text = io.StringIO()
        csv.writer(text).writerow(row)
        yield text.getvalue().encode()


def _quoted(*names: str) -> str:
    return ", ".join(f'"{name}"' for name in names)


TRADE_DESK = Format(
    desk_row,
    _DESK_COLUMNS,
    _quoted("Ad Group ID", "Creative ID", "Date"),
    (
        _quoted("Impressions"),
        _quoted("Clicks"),
        f"{_quoted('01 - Click Conversion')} + {_quoted('01 - View Through Conversion')}",
        _quoted("Advertiser Cost (Adv Currency)"),
        f"{_quoted('01 - Click Conversion Revenue')} + {_quoted('01 - View Through Conversion Revenue')}",
    ),
    whole=_lines,
    media="csv",
    label="Sortable US",
    floor=0.25,
)

FORMATS = {
    "meta_ads": META,
    "amazon_ads": AMAZON,
    "google_ads": GOOGLE,
    "tiktok_ads": TIKTOK,
    "trade_desk": TRADE_DESK,
}


def make(path: Path, form: Format, rows: Iterable[Any]) -> None:
    """Write the bodies: gzipped pages, each after its length, or a file."""
    with path.open("wb") as out:
        if not form.page:
            for piece in form.whole(rows):
                out.write(piece)
            return
        waiting: list[Any] = []
        for row in rows:
            waiting.append(row)
            if len(waiting) == form.page:
                _page(out, form, waiting)
                waiting = []
        if waiting:
            _page(out, form, waiting)


def _page(out: BinaryIO, form: Format, rows: list[Any]) -> None:
    packed = gzip.compress(form.written(rows), 1)
    out.write(len(packed).to_bytes(4, "big") + packed)
