"""Pages of metric rows in which some rows are faulty, and all that a load makes of them."""

from __future__ import annotations

import io
import json
from datetime import date
from random import Random
from typing import Any, BinaryIO, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import Grain, Source
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads.options import AmazonOptions, CountedBy
from adweir.platforms.base import ProfileOptions
from adweir.platforms.connector import PullContext
from adweir.platforms.meta.options import AttributionWindow, Basis, MetaOptions
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows

AS_OF = "2026-11-03T06:00:00.000000Z"
WINDOW = Window(date(2026, 11, 1), date(2026, 11, 2))
GOOD_DAYS = ("2026-11-01", "2026-11-02")
BAD_DAYS = ("2026-10-31", "20261101", "2026-11-01 ", "2026-11-1", "", "yesterday")


class Stored(NamedTuple):
    """A page as the raw store hands it out."""

    number: int
    stream: BinaryIO
    label: str = ""
    media: str = "json"


class Case(NamedTuple):
    """A pull's pages, and what is needed to read them."""

    pull: Pull
    context: PullContext
    bodies: list[bytes]


class Odds(NamedTuple):
    """Which share of a page's values is faulty, and which is rare but right."""

    faulty: float
    rare: float

    @classmethod
    def of(cls, rng: Random) -> Odds:
        return cls(rng.choice((0.0, 0.0, 0.01, 0.1)), rng.choice((0.0, 0.05)))


class Field(NamedTuple):
    """Values that a field has in good rows, in faulty ones, and rarely."""

    good: tuple[Any, ...]
    faulty: tuple[Any, ...]
    rare: tuple[Any, ...] = ()

    def of(self, rng: Random, odds: Odds) -> Any:
        if rng.random() < odds.faulty:
            return rng.choice(self.faulty)
        return rng.choice(self.rare if self.rare and rng.random() < odds.rare else self.good)


MISSING = object()
LONG = "9" * 30
COUNTS = Field(("0", "7", "100", "5000"), ("-3", "", "1_0", "٣", " 5", "1.5", LONG, "9" * 16, 5, None, MISSING))
AMOUNTS = Field(
    ("0", "1", "12.34", "0.5", "1234.567891", "7.00"),
    ("-1.5", "", "x", "1.2.3", "1_0", LONG, "٣", "0" * 70 + "1", "NaN", 3, MISSING),
    ("0.12345678", "1.2345678", "1e3", ".5", "5."),
)
KINDS = ("link_click", "omni_purchase", "purchase", "onsite_conversion.lead_grouped")
META = {
    "account_id": Field(("1234567890",), ("", "999", MISSING)),
    "account_currency": Field(("USD",), ("usd", "EUR", " USD", "", MISSING)),
    "campaign_id": Field(("100", "101"), (" 100", "", "c", MISSING)),
    "adset_id": Field(("10", "11"), ("", "~", " 10", "٣", MISSING)),
    "ad_id": Field(tuple(map(str, range(1, 9))), ("", "x", "1 ", 5, MISSING)),
    "impressions": Field(("5000", "90000"), COUNTS.faulty + COUNTS.good),
    "clicks": Field(("7", "100", "0"), COUNTS.faulty + COUNTS.good),
    "spend": AMOUNTS,
    "date_start": Field(GOOD_DAYS, (*BAD_DAYS, "2026-11-02\ud800")),
    "hourly_stats_aggregated_by_advertiser_time_zone": Field(
        ("03:00:00 - 03:59:59", "23:00:00 - 23:59:59"), ("", "24:00:00 - 24:59:59", MISSING)
    ),
    "age": Field(("25-34", "65+"), ("", " 18-24", MISSING)),
    "gender": Field(("female", "unknown"), ("", MISSING)),
}
META_LISTS = ("actions", "action_values", "conversions", "conversion_values")
NUMBERS = Field(
    ("0", "1", "12.34", "0.5", "3.00"),
    ("null", '"12.5"', "-1", "1E+400", "[1]", '"a,b"', LONG),
    ("59.980000000000004", "1e3", "0.0000000001", "1E-7"),
)
COLUMNS = ("purchases", "sales", "purchasesSameSku", "attributedSalesSameSku")
AMAZON = {
    "date": Field(tuple(f'"{day}"' for day in GOOD_DAYS), tuple(map(json.dumps, BAD_DAYS))),
    "campaignId": Field(("100", "101"), ('" 100"', '""', "null", "1.5", '"100"')),
    "adGroupId": Field(("10", "11"), ('"10 "', "null", '"~"')),
    "adId": Field(tuple(map(str, range(1, 9))), ('"x"', '"1"', "null", '"7~"')),
    "impressions": Field(("5000", "90000"), ("-1", "3", "1.0", "null", LONG, '"5"')),
    "clicks": Field(("7", "100", "0"), ("-1", "1000000", "2.5")),
    "cost": NUMBERS,
    "campaignBudgetCurrencyCode": Field(('"USD"',), ('"usd"', '"EUR"', "null")),
}


def outcome(case: Case) -> dict[str, Any]:
    """Everything that a load knows after reading the pages."""
    rows, quarantine = PullRows(), Quarantine()
    with quarantine:
        loop = RowLoop(case.pull, [day.isoformat() for day in case.pull.window.days()], rows, quarantine)
        normalizer = REGISTRY.normalizer(case.pull.platform)
        error = ""
        try:
            for number, body in enumerate(case.bodies, 1):
                for batch in normalizer.metric_batches(Stored(number, io.BytesIO(body)), case.context):
                    loop.take(batch.rows, batch.bad, number)
        except BadInput as unreadable:
            error = unreadable.message
        loop.finish()
        kept = _Kept()
        quarantine.store(kept, "q")  # type: ignore[arg-type]
    return {
        "error": error,
        "slots": sorted(rows),
        "size": rows.size,
        "parents": {entity_id: rows.parents(entity_id) for entity_id in rows.entities()},
        "currency": rows.currency,
        "incomplete": rows.incomplete,
        "holes": {day: sorted(rows.holes(day)) for day in sorted(rows.days())},
        "adjusted": {day: rows.adjusting.of(day) for day in GOOD_DAYS},
        "tally": (loop.tally.read, loop.tally.stored, loop.tally.duplicates, sorted(loop.tally.failures.items())),
        "cleaning": (loop.cleaning.summary(), loop.cleaning.samples),
        "rejected": loop.rejected,
        "quarantine": (quarantine.rows, kept.bytes),
    }


class _Kept:
    """Takes what a quarantine puts into the raw store."""

    bytes = b""

    def put(self, _key: str, file: BinaryIO, _metadata: dict[str, str], _kind: str, *_: Any) -> None:
        self.bytes = file.read()


def meta_case(rng: Random) -> Case:
    """Pages of Meta's, of any dataset and options."""
    datasets = (
        Dataset.AD_DAILY,
        Dataset.AD_DAILY,
        Dataset.AD_HOURLY,
        Dataset.AD_BY_AGE_GENDER_DAILY,
        Dataset.CAMPAIGN_DAILY,
    )
    options = rng.choice(
        (
            MetaOptions(),
            MetaOptions(),
            MetaOptions(conversions=("leads", "purchases")),
            MetaOptions(basis=Basis.CLICK_OR_VIEW, windows=(AttributionWindow.CLICK_7D, AttributionWindow.VIEW_1D)),
        )
    )
    bodies = []
    for _ in range(rng.randint(1, 3)):
        odds = Odds.of(rng)
        rows = [_meta_row(rng, odds) for _ in range(rng.randint(0, 12))]
        bodies.append(json.dumps({"data": rows}).encode())
    return _case("meta_ads", rng.choice(datasets), ALL, options, bodies, rng)


def amazon_case(rng: Random) -> Case:
    """Amazon's reports, of any options."""
    options = rng.choice((AmazonOptions(), AmazonOptions(basis=CountedBy.VIEW), AmazonOptions(products="promoted")))
    odds = Odds.of(rng)
    rows = [_amazon_row(rng, odds) for _ in range(rng.randint(0, 25))]
    dataset = rng.choice((Dataset.AD_DAILY, Dataset.AD_DAILY, Dataset.CAMPAIGN_DAILY))
    body = ("[" + ",".join(rows) + "]").encode()
    return _case("amazon_ads", dataset, rng.choice(("sp", "sp", "sb", "sd")), options, [body], rng)


def _case(name: str, dataset: Dataset, slice_: str, options: ProfileOptions, bodies: list[bytes], rng: Random) -> Case:
    platform, grain = Platform(name), dataset.grain or Grain.DAY
    currency = rng.choice(("USD", "USD", "usd ", ""))
    pull = Pull(
        platform,
        "1234567890",
        dataset.level,
        grain,
        Source.PULL,
        slice_,
        WINDOW,
        Stamp(AS_OF, "t"),
        complete=True,
        currency=currency,
    )
    about = PullContext("acme", "1234567890", dataset, slice_, WINDOW, AS_OF, "USD", "UTC", "seller", options=options)
    return Case(pull, about, bodies)


def _meta_row(rng: Random, odds: Odds) -> Any:
    if rng.random() < odds.faulty / 20:
        return rng.choice((None, 5, [], {"date_start": GOOD_DAYS[0]}, "\ud800"))
    row = {name: field.of(rng, odds) for name, field in META.items()}
    row["date_stop"] = rng.choice(BAD_DAYS) if rng.random() < odds.faulty else row["date_start"]
    for name in META_LISTS:
        if rng.random() < (0.5 if "action" in name else odds.faulty):
            row[name] = [
                {key: AMOUNTS.of(rng, odds) for key in ("value", "7d_click") if rng.random() < 1 - odds.faulty}
                | {"action_type": kind}
                for kind in rng.sample(KINDS, rng.randint(1, 3))
            ]
    return _without_missing(row)


def _without_missing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_missing(each) for name, each in value.items() if each is not MISSING}
    return [_without_missing(each) for each in value] if isinstance(value, list) else value


def _amazon_row(rng: Random, odds: Odds) -> str:
    if rng.random() < odds.faulty / 20:
        return rng.choice(("null", "5", "{}", '{"date":"\\ud800"}'))
    fields = {name: field.of(rng, odds) for name, field in AMAZON.items()}
    for column in COLUMNS:
        for ending in ("", "Clicks", "7d", "14d"):
            if rng.random() >= odds.faulty / 4:
                fields[column + ending] = NUMBERS.of(rng, odds)
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"
