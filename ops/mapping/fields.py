"""Which column is which field of a data type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adweir.model.data_types import DATA_TYPES, Kind
from ops.mapping import words
from ops.mapping.matching import EXACT, LEAST, LIKELY, NEAR, Label, is_ratio, nearness, object_of
from ops.mapping.shapes import CellShape, Looks

NOT_NEEDED = "not needed"
_OF_ADS = ("campaign", "ad_group", "ad", "keyword")
_OF_PERFORMANCE: tuple[str, ...] = (
    "impressions", "clicks", "spend", "conversions", "revenue", "currency", "date", "hour", "platform"
)  # fmt: skip
_MEASURED = frozenset(
    {"impressions", "clicks", "spend", "conversions", "revenue", "refunded", "sessions", "pageviews", "date"}
)
"""Fields whose columns often have further words in their names."""
_OWN = {"orders": "order", "deals": "deal", "leads": "lead"}
_NUMBERS = frozenset({Kind.COUNT, Kind.AMOUNT, Kind.NUMBER, Kind.EXACT})
_DAYS = frozenset({Kind.DAY, Kind.MOMENT})


@dataclass(slots=True)
class FileColumn:
    """A column; `left_out` says why it is not read, `doubtful` whether it might be wanted."""

    label: Label
    shape: CellShape
    left_out: str = NOT_NEEDED
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class FoundField:
    """The column of a field."""

    column: str
    nearness: float
    why: str
    sure: bool


def level_of(columns: Sequence[FileColumn]) -> str:
    """The finest level whose objects have a column; a keyword is of an ad group."""
    has = {named.object for each in columns if (named := object_of(each.label, _OF_ADS)) and named.attribute != "other"}
    if {"keyword", "ad_group"} <= has:
        return "keyword"
    return next((level for level in ("ad", "ad_group", "campaign") if level in has), "account")


def fields_of(data_type: str, columns: Sequence[FileColumn]) -> dict[str, FoundField]:
    """By field its column. What is left out gets its reason."""
    kinds = {column.name: column.kind for column in DATA_TYPES[data_type].columns}
    ratios = data_type in {"rates", "benchmarks", "lift_tests"}
    offers: dict[str, list[tuple[float, FileColumn, str]]] = {}
    for column in columns:
        if not ratios and is_ratio(column.label):
            column.left_out = "follows from other columns, or cannot be added up"
            continue
        best: tuple[float, str, str] = (0.0, "", "")
        for near, field, why in _candidates(data_type, column):
            if field in kinds and near > best[0] and _suits(kinds[field], column.shape, near):
                best = (near, field, why)
        if best[0] >= LEAST:
            offers.setdefault(best[1], []).append((best[0], column, best[2]))
    found = {field: _chosen(field, each) for field, each in offers.items()}
    _count_sales(found, offers.get("revenue", []))
    _add_days(kinds, columns, found)
    _add_value(data_type, columns, found)
    if data_type.removesuffix("_hourly").endswith("_performance") and "revenue" not in found:
        _add_revenue(columns, found)
    return found


def _count_sales(found: dict[str, FoundField], offers: Sequence[tuple[float, FileColumn, str]]) -> None:
    """Sales are a number or an amount: whole ones beside fractions of money are a number."""
    whole = [each for each in offers if each[1].shape.whole and each[1].label.tokens & words.SALES]
    money = [each for each in offers if not each[1].shape.whole]
    if whole and money and "conversions" not in found:
        near, column, _ = max(whole, key=lambda each: each[0])
        found["conversions"] = FoundField(column.label.column, near, "whole numbers beside the revenue", sure=False)
        found["revenue"] = _chosen("revenue", money)


def _chosen(field: str, offers: list[tuple[float, FileColumn, str]]) -> FoundField:
    """The nearest; that the others are not it is doubtful where they are as near as it is."""
    near, column, why = max(offers, key=lambda each: each[0])
    for other_near, other, _ in offers:
        if other is not column:
            other.left_out = f"{column.label.column[:30]} is the {field}"
            other.doubtful = other_near >= EXACT - 0.01 and near < EXACT
    return FoundField(column.label.column, near, why, sure=near >= LIKELY)


def _candidates(data_type: str, column: FileColumn) -> Iterator[tuple[float, str, str]]:
    """What a column may be: how near, the field, and why."""
    label = column.label
    canonical = label.words.replace(" ", "_")
    yield (EXACT + 1, canonical, "its own name")
    performance = data_type.removesuffix("_hourly").endswith("_performance")
    if performance or data_type in {"campaigns", "ads", "keywords", "metrics"}:
        yield from _objects(column)
        series = _OF_PERFORMANCE
    else:
        if (label.tokens & words.PERSONAL and not label.tokens & words.PLACES) or column.shape.looks is Looks.EMAIL:
            column.left_out = "of a person: never read"
            return
        yield from _of_series(data_type, column)
        label = _without_own(data_type, label)
        series = tuple(words.FIELDS)
    if column.shape.looks is Looks.CURRENCY and set(words.plain(label.column).split()) & words.CURRENCIES:
        yield (NEAR, "currency", "codes of currencies")
    for field in series:
        if performance or field not in {"impressions", "spend"}:
            near = nearness(label, words.FIELDS[field])
            yield (near if near >= NEAR or field in _MEASURED else 0.0, field, "its name")


def _objects(column: FileColumn) -> Iterator[tuple[float, str, str]]:
    """Ids and names of ads' objects, and of the ad account."""
    named = object_of(column.label, (*_OF_ADS[1:2], "campaign", "keyword", "profile", "ad"))
    if named is None or column.shape.looks is Looks.DAY:
        return
    if named.attribute == "other":
        return
    what = named.attribute or ("id" if column.shape.like_ids else "name")
    if named.object == "keyword" and what == "name":
        what = "text"
    if column.shape.is_number and what != "id" and not column.shape.like_ids and column.shape.distinct > 1:
        return
    yield (named.nearness, f"{named.object}_{what}", f"names the {named.object.replace('_', ' ')}")


def _without_own(data_type: str, label: Label) -> Label:
    """`Deal - Won time` in a file of deals is `won time`."""
    own = {word for phrase in words.OBJECTS.get(_OWN.get(data_type, ""), ()) for word in phrase.split()}
    kept = [word for word in label.words.split() if word not in own]
    return label._replace(words=" ".join(kept)) if kept else label


def _of_series(data_type: str, column: FileColumn) -> Iterator[tuple[float, str, str]]:
    label = column.label
    for each, less in ((label, 0.0), (_without_own(data_type, label), 0.2)):
        if data_type in words.MOMENTS:
            yield (nearness(each, words.MOMENTS[data_type]) - less, "date", "its name, and days")
        if data_type in words.AMOUNTS:
            yield (nearness(each, words.AMOUNTS[data_type]) - 0.5 - less, "revenue", "its name, and amounts")
    own = _OWN.get(data_type)
    if own:
        named = object_of(label, (own,))
        if named and named.attribute == "id":
            yield (EXACT, f"{own}_id", f"the id of the {own}")
        if named and named.attribute in {"", "name"} and column.shape.looks is Looks.TEXT:
            yield (LIKELY - 1, f"{own}_id", f"names the {own}")
    campaign = object_of(label, ("campaign",))
    if campaign and campaign.attribute == "id":
        yield (EXACT, "campaign_id", "the id of a campaign")
    if campaign and campaign.attribute in {"", "name"}:
        yield (EXACT - 1, "utm_campaign", "names a campaign")


def _suits(kind: Kind, shape: CellShape, near: float) -> bool:
    """Whether cells can be of a field; empty ones can be of any whose name is near."""
    if shape.looks is Looks.EMPTY:
        return near >= NEAR
    if kind in _NUMBERS:
        return shape.is_number and not shape.percent and (shape.whole or kind is not Kind.COUNT)
    if kind in _DAYS:
        return shape.looks is Looks.DAY
    looks = {
        Kind.HOUR: shape.is_number and shape.hours,
        Kind.CURRENCY: shape.looks is Looks.CURRENCY,
        Kind.FLAG: shape.looks is Looks.FLAG or (shape.is_number and shape.distinct <= 2),
        Kind.TEXT: shape.looks is not Looks.DAY,
    }
    return looks.get(kind, True)


def _add_days(kinds: dict[str, Kind], columns: Sequence[FileColumn], found: dict[str, FoundField]) -> None:
    """Days without a name that says so; or the first and last day of a range."""
    if "date" not in kinds or "date" in found:
        return
    taken = {each.column for each in found.values()}
    days = [each for each in columns if each.shape.looks is Looks.DAY and each.label.column not in taken]
    starts = [each for each in days if each.label.tokens & words.STARTS]
    ends = [each for each in days if each.label.tokens & words.ENDS]
    if len(starts) == 1 and len(ends) == 1:
        found["range_start"] = FoundField(starts[0].label.column, NEAR, "the first day of a row", sure=True)
        found["range_end"] = FoundField(ends[0].label.column, NEAR, "the last day of a row", sure=True)
        return
    for each in days:
        each.left_out, each.doubtful = "a date, but not which one", len(days) > 1
    spans = words.ENDS if "value" in kinds else words.PERIODS | words.ENDS
    plain = [each for each in days if not each.label.tokens & spans]
    if len(plain) == 1:
        found["date"] = FoundField(plain[0].label.column, LIKELY, "the only column of days", sure=len(days) == 1)


def _add_revenue(columns: Sequence[FileColumn], found: dict[str, FoundField]) -> None:
    """A number that calls itself a value, where nothing else is the revenue."""
    taken = {each.column for each in found.values()}
    for each in columns:
        is_value = each.label.tokens & words.VALUES and each.shape.is_number and not each.shape.percent
        if is_value and each.label.column not in taken and not is_ratio(each.label):
            found["revenue"] = FoundField(each.label.column, LEAST, "calls itself a value", sure=False)
            return


def _add_value(data_type: str, columns: Sequence[FileColumn], found: dict[str, FoundField]) -> None:
    """The only number of a series, whatever its name."""
    if data_type not in {"kpi_series", "controls"} or "value" in found:
        return
    taken = {each.column for each in found.values()}
    numbers = [each for each in columns if each.shape.is_number and each.label.column not in taken]
    numbers = [each for each in numbers if not is_ratio(each.label)] or numbers
    for each in numbers[1:]:
        each.left_out, each.doubtful = "a number, but a series has one", True
    if numbers:
        found["value"] = FoundField(numbers[0].label.column, LIKELY, "a number by day", sure=len(numbers) == 1)
