"""Data types: what a file, a push or a call can hold, and the canonical columns that each has.

Sources differ in how they call and write things; a mapping turns their columns into these. The types come in five
shapes: numbers of ads by day or hour, series that belong to no ad platform, reference data, objects, and bills.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from adweir.model.metrics import AD_LEVELS, IN_GROUP, Grain, Level


class Kind(StrEnum):
    """How the text of a canonical cell is written. An empty cell says nothing, as one that is not there.

    TEXT: printable. ID: text without `#` that does not begin with `!`. DAY: `2026-11-21`. MOMENT: a day, or a date and
    time as ISO 8601; with an offset it is a moment, whose local day counts, without one it is local. MONTH: `2026-11`.
    HOUR: 0 to 23. COUNT: a whole number, 0 or more. AMOUNT: a decimal number, 0 or more, with at most six decimals.
    NUMBER: the same of either sign. EXACT: a decimal number with any number of decimals. CURRENCY: three letters.
    FLAG: `true` or `false`.
    """

    TEXT = "text"
    ID = "id"
    DAY = "day"
    MOMENT = "moment"
    MONTH = "month"
    HOUR = "hour"
    COUNT = "count"
    AMOUNT = "amount"
    NUMBER = "number"
    EXACT = "exact"
    CURRENCY = "currency"
    FLAG = "flag"


class StoredAs(Enum):
    """How rows are stored.

    ADS: as numbers of an ad account's objects. SERIES: as numbers of the account's own profile, which no total of ads
    sums. REFERENCE: as they are written. OBJECTS: as names and statuses of campaigns, ads and keywords. BILLS: as lines
    of invoices.
    """

    ADS = auto()
    SERIES = auto()
    REFERENCE = auto()
    OBJECTS = auto()
    BILLS = auto()


class Column(NamedTuple):
    """A canonical column. `number`: which of a row's numbers it becomes (`model.metrics.METRICS`), "" for none."""

    name: str
    kind: Kind
    about: str
    required: bool = False
    number: str = ""


@dataclass(frozen=True, slots=True)
class DataType:
    """A data type. `level` and `grain` are those of its rows, None where the row says it or there is none.

    `personal`: its rows are about single persons, so files of it are kept briefly, and only mapped columns leave them.
    `adds_up`: rows of one entity and day in a file are parts of its number. `one_of`: of these columns a row needs one.
    `known_by`: the column that tells a row apart: an order that comes twice in a file counts once. `key`: the columns
    that tell reference rows apart: a newer row replaces the one with the same key.
    """

    name: str
    stored_as: StoredAs
    about: str
    columns: tuple[Column, ...]
    level: Level | None = None
    grain: Grain | None = None
    personal: bool = False
    adds_up: bool = False
    one_of: tuple[str, ...] = ()
    known_by: str = ""
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that every row needs."""
        return tuple(column.name for column in self.columns if column.required)


_DAY = Column("date", Kind.DAY, "the local day of the ad account", required=True)
_HOUR = Column("hour", Kind.HOUR, "the local hour; empty or absent: the row is a whole day")
_MOMENT = Column("date", Kind.MOMENT, "when it was; its day in the account's time zone counts", required=True)
_CURRENCY = Column("currency", Kind.CURRENCY, "of the row's amounts; the account's where absent")
_AD_ACCOUNT = (
    Column("platform", Kind.ID, "any known name; the source's where absent"),
    Column("profile_id", Kind.ID, "the ad account; where absent the client's only one on the platform"),
)
_NAMED_ACCOUNT = (
    *_AD_ACCOUNT,
    Column("profile_name", Kind.TEXT, "in place of the id, where one ad account of the client has it"),
)
_NUMBERS = (
    Column("impressions", Kind.COUNT, "impressions", number="impressions"),
    Column("clicks", Kind.COUNT, "clicks", number="clicks"),
    Column("spend", Kind.AMOUNT, "cost", number="spend"),
    Column("conversions", Kind.AMOUNT, "conversions; absent is unknown, which is not zero", number="conversions"),
    Column("revenue", Kind.AMOUNT, "value of the conversions; absent is unknown", number="revenue"),
    _CURRENCY,
    Column("ad_product", Kind.ID, "the platform's word for the kind of campaign"),
)
_CAMPAIGN = (
    Column("campaign_id", Kind.ID, "the platform's id"),
    Column("campaign_name", Kind.TEXT, "in place of the id, where one campaign of the ad account has it"),
)
_AD_GROUP = (
    *_CAMPAIGN,
    Column("ad_group_id", Kind.ID, "the platform's id"),
    Column("ad_group_name", Kind.TEXT, "in place of the id, where one ad group of the campaign has it"),
)
_AD = (
    *_AD_GROUP,
    Column("ad_id", Kind.ID, "the platform's id"),
    Column("ad_name", Kind.TEXT, "in place of the id, where one ad of the ad group has it"),
)
_KEYWORD = (
    *_AD_GROUP,
    Column("keyword_id", Kind.ID, "the platform's id"),
    Column("keyword_text", Kind.TEXT, "in place of the id, where one keyword of the ad group has it"),
)
_OBJECTS: Mapping[Level, tuple[Column, ...]] = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: _CAMPAIGN,
    Level.AD_GROUP: _AD_GROUP,
    Level.AD: _AD,
    Level.KEYWORD: _KEYWORD,
}
FIGURES = tuple(column.name for column in _NUMBERS if column.number)
ABOUT = (
    Column("platform", Kind.ID, "of the campaign that it is attributed to"),
    Column("campaign_id", Kind.ID, "the platform's id of the campaign that it is attributed to"),
    Column("utm_source", Kind.TEXT, "where it came from"),
    Column("utm_medium", Kind.TEXT, "through what it came"),
    Column(
        "utm_campaign", Kind.TEXT, "the name or id of a campaign: where one of the account has it, it is found by it"
    ),
    Column("channel", Kind.TEXT, "the source's own word for where it came from"),
    Column("geo", Kind.TEXT, "where it was: a country or region"),
)
"""What rows of orders, deals, leads and visits may say of themselves: each combination is a series of its own."""
_OUTCOME = (
    Column("conversions", Kind.NUMBER, "how many it counts as; 1 where absent", number="conversions"),
    Column("revenue", Kind.NUMBER, "what it brought, negative for a refund", number="revenue"),
    _CURRENCY,
    *ABOUT,
)
_NAMED = (
    Column("name", Kind.TEXT, "which series it is", required=True),
    _MOMENT,
    Column("value", Kind.NUMBER, "of either sign", required=True, number="conversions"),
    Column("geo", Kind.TEXT, "the region, where the series is by region"),
    Column("currency", Kind.CURRENCY, "where the value is money"),
)


def _performance(level: Level, grain: Grain) -> DataType:
    time = (_DAY,) if grain is Grain.DAY else (_DAY, _HOUR._replace(required=True, about="the local hour"))
    name = f"{level}_performance" + ("_hourly" if grain is Grain.HOUR else "")
    about = f"numbers of each {level.replace('_', ' ')} by {grain}"
    columns = (*_NAMED_ACCOUNT, *time, *_OBJECTS[level], *_NUMBERS)
    return DataType(name, StoredAs.ADS, about, columns, level, grain, one_of=FIGURES)


def _outcomes(name: str, level: Level, about: str, own: Column, *more: Column) -> DataType:
    columns = (own, _MOMENT, *more, *_OUTCOME)
    return DataType(
        name, StoredAs.SERIES, about, columns, level, Grain.DAY, personal=True, adds_up=True, known_by=own.name
    )


def _reference(name: str, about: str, *columns: Column, key: tuple[str, ...], one_of: tuple[str, ...] = ()) -> DataType:
    return DataType(name, StoredAs.REFERENCE, about, columns, key=key, one_of=one_of)


_METRICS = DataType(
    "metrics",
    StoredAs.ADS,
    "numbers of an ad account's objects, each row of the level that it names",
    (
        *(column._replace(required=True) for column in _AD_ACCOUNT),
        Column("level", Kind.TEXT, f"one of {', '.join(AD_LEVELS)}", required=True),
        _DAY,
        _HOUR,
        Column("entity_id", Kind.ID, "or the ids that it is made of"),
        *(Column(f"{level}_id", Kind.ID, "the platform's id") for level in AD_LEVELS[1:]),
        *(column._replace(required=column.name in {"impressions", "clicks", "spend"}) for column in _NUMBERS),
    ),
)


def _estimates(what: str) -> tuple[Column, ...]:
    return (
        Column(f"incremental_{what}", Kind.EXACT, f"{what} that the ads caused"),
        Column(f"incremental_{what}_lower", Kind.EXACT, "lower end of its interval"),
        Column(f"incremental_{what}_upper", Kind.EXACT, "upper end of its interval"),
    )


_STATUS = (
    Column(
        "status", Kind.TEXT, "active, paused, pending, rejected, ended, archived, removed, or the source's own word"
    ),
    Column("start_date", Kind.DAY, "its first day"),
    Column("end_date", Kind.DAY, "its last day"),
)


def _objects(name: str, level: Level) -> DataType:
    own = [f"{level}_id", *((f"{Level.AD_GROUP}_id",) if level in IN_GROUP else ())]
    columns = tuple(column._replace(required=column.name in own) for column in _OBJECTS[level])
    return DataType(name, StoredAs.OBJECTS, f"names and statuses of {name}", (*_AD_ACCOUNT, *columns, *_STATUS), level)


_ALL = (
    *(_performance(level, grain) for grain in Grain for level in AD_LEVELS),
    _METRICS,
    _outcomes(
        "orders",
        Level.ORDER,
        "orders of a shop, added up by day and by what they are attributed to",
        Column("order_id", Kind.TEXT, "the order; one that comes twice in a file counts once", required=True),
        Column("refunded", Kind.AMOUNT, "what of the revenue was given back: it is subtracted"),
    ),
    _outcomes(
        "deals",
        Level.DEAL,
        "deals that were won, added up by day and by what they are attributed to",
        Column("deal_id", Kind.TEXT, "the deal; one that comes twice in a file counts once", required=True),
        Column("won", Kind.FLAG, "a deal that was not won counts nothing; absent: it was"),
    ),
    _outcomes(
        "leads",
        Level.LEAD,
        "leads, added up by day and by what they are attributed to",
        Column("lead_id", Kind.TEXT, "the lead; one that comes twice in a file counts once", required=True),
    ),
    DataType(
        "web_analytics",
        StoredAs.SERIES,
        "visits of a website, added up by day and by what they are attributed to",
        (
            _MOMENT,
            Column("sessions", Kind.COUNT, "visits", number="clicks"),
            Column("pageviews", Kind.COUNT, "pages that were seen", number="impressions"),
            _OUTCOME[0]._replace(about="conversions, key events"),
            *_OUTCOME[1:],
        ),
        Level.WEB,
        Grain.DAY,
        adds_up=True,
        one_of=("sessions", "pageviews", "conversions", "revenue"),
    ),
    DataType("kpi_series", StoredAs.SERIES, "what the business is measured by, by day", _NAMED, Level.KPI, Grain.DAY),
    DataType("controls", StoredAs.SERIES, "what else moves the KPI, by day", _NAMED, Level.CONTROL, Grain.DAY),
    _reference(
        "population",
        "people per region",
        Column("geo", Kind.TEXT, "the region", required=True),
        Column("age_band", Kind.TEXT, "of these ages; absent: of all"),
        Column("year", Kind.COUNT, "as of which year"),
        Column("population", Kind.COUNT, "how many people", required=True),
        key=("geo", "age_band", "year"),
    ),
    _reference(
        "rates",
        "exchange rates by day",
        Column("date", Kind.DAY, "the day", required=True),
        Column("base", Kind.CURRENCY, "one unit of this currency", required=True),
        Column("quote", Kind.CURRENCY, "is worth so much of this one", required=True),
        Column("rate", Kind.EXACT, "the rate, more than 0, with as many decimals as it has", required=True),
        key=("base", "quote", "date"),
    ),
    _reference(
        "benchmarks",
        "values of others to compare with",
        Column("industry", Kind.TEXT, "of which industry", required=True),
        Column("platform", Kind.ID, "on which platform; absent: on all"),
        Column("geo", Kind.TEXT, "in which country or region; absent: in all"),
        Column("metric", Kind.TEXT, "which metric", required=True),
        Column("value", Kind.EXACT, "its value", required=True),
        Column("currency", Kind.CURRENCY, "where the value is money"),
        Column("date", Kind.DAY, "as of which day"),
        Column("publisher", Kind.TEXT, "who says so"),
        key=("industry", "platform", "geo", "metric", "currency", "date"),
    ),
    _reference(
        "lift_tests",
        "experiments that measured what ads caused",
        Column("test_id", Kind.ID, "the experiment; a part of it has an id of its own", required=True),
        Column("start_date", Kind.DAY, "its first day", required=True),
        Column("end_date", Kind.DAY, "its last day", required=True),
        Column("platform", Kind.ID, "the platform that was tested"),
        Column("channel", Kind.TEXT, "the channel that was tested"),
        Column("campaign_id", Kind.ID, "the campaign that was tested"),
        Column("geo", Kind.TEXT, "where; absent: everywhere"),
        *_estimates("conversions"),
        *_estimates("revenue"),
        Column("confidence", Kind.EXACT, "of the intervals, a fraction: 0.9"),
        Column("spend", Kind.EXACT, "what the tested ads cost"),
        Column("currency", Kind.CURRENCY, "of revenue and spend; the account's where absent"),
        key=("test_id",),
        one_of=("incremental_conversions", "incremental_revenue"),
    ),
    _objects("campaigns", Level.CAMPAIGN),
    _objects("ads", Level.AD),
    _objects("keywords", Level.KEYWORD),
    DataType(
        "invoices",
        StoredAs.BILLS,
        "lines of invoices",
        (
            *(column._replace(required=True) for column in _AD_ACCOUNT),
            Column("month", Kind.MONTH, "the month that is billed", required=True),
            Column(
                "kind", Kind.TEXT, "spend, overdelivery, invalid_traffic, credit, adjustment, fee, tax", required=True
            ),
            Column("amount", Kind.NUMBER, "before tax", required=True),
            Column("tax", Kind.NUMBER, "the tax on top of it"),
            Column("currency", Kind.CURRENCY, "the ad account's where absent"),
            Column("invoice_id", Kind.ID, "the document; absent: the lines of a month are one"),
            Column("line", Kind.ID, "what tells the line apart in its document"),
            Column("document", Kind.TEXT, "invoice, credit_memo or debit_memo"),
            Column("status", Kind.TEXT, "issued, partly_paid, paid, written_off, unknown"),
            *(Column(name, Kind.DAY, "of the document") for name in ("start_date", "end_date", "issued_on", "due_on")),
            Column("corrects", Kind.ID, "the invoice that a memo corrects"),
            Column("campaign_id", Kind.ID, "of the line"),
            Column("campaign", Kind.TEXT, "of the line"),
            Column("budget", Kind.TEXT, "of the line"),
            Column("about_month", Kind.MONTH, "of the line"),
        ),
    ),
)

DATA_TYPES: Mapping[str, DataType] = {each.name: each for each in _ALL}
"""Every data type by its name."""
OF_LEVEL: Mapping[Level, DataType] = {
    each.level: each for each in _ALL if each.stored_as is StoredAs.SERIES and each.level
}
"""The data type that shows a level that belongs to no ad platform."""
