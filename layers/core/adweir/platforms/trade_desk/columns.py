"""Which columns of a report are read: found by name, in any order, among any others.

The number of a conversion column comes first: `01 - Click Conversion`, `01 - View Through Conversion Revenue`. Other
templates name them by the pixel: `<tag> - <id> - <model> - Click Conversion`, older ones `<tag> [<model>] - Click
Conversion`. Totals of the parts (`Total Click + View Conversions`, `Conversion Touch`, `Time Weighted Decay ...`) are
never read: added to the parts they would count twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import Level
from adweir.platforms.trade_desk.options import CreditedTo, TradeDeskOptions

DATE, ADVERTISER, CURRENCY = "Date", "Advertiser ID", "Advertiser Currency Code"
CAMPAIGN, GROUP, CREATIVE = "Campaign ID", "Ad Group ID", "Creative ID"
IMPRESSIONS, CLICKS = "Impressions", "Clicks"
COST = "Advertiser Cost (Adv Currency)"
"""The only column that is spend: media, platform and partner cost are other amounts, and USD is another currency."""

_KEYS = {
    Level.AD: (CAMPAIGN, GROUP, CREATIVE),
    Level.AD_GROUP: (CAMPAIGN, GROUP),
    Level.CAMPAIGN: (CAMPAIGN,),
}
_LABELS = {
    "country": ("Country",),
    "region": ("Region", "Metro"),
    "device": ("Device Type",),
    "placement": ("Site",),
}
"""By breakdown, the columns that split the rows: of several the first that a report has. A metro is a market."""
_SHARED_NAMES = frozenset({"Region", "Metro"})
"""Columns in which places of different countries may have one name; their rows are added up."""
_PARTS = r"(?P<part>Click Conversion|View Through Conversion)(?P<revenue> Revenue)?"
_NUMBERED = re.compile(rf"(?P<number>\d\d) - {_PARTS}")
_BY_PIXEL = re.compile(rf"(?P<tag>.+?)(?: - (?P<id>[^\s-]+) - (?P<model>[^\[\]-]+)| \[(?P<old>[^\]]+)\]) - {_PARTS}")
_PART_OF = {"Click Conversion": "click", "View Through Conversion": "view"}
_KNOWN = frozenset(
    {
        DATE, ADVERTISER, CURRENCY, CAMPAIGN, GROUP, CREATIVE, IMPRESSIONS, CLICKS, COST, "Advertiser", "Campaign",
        "Ad Group", "Creative", "Partner ID", "Partner", "Bids", "Advertiser Cost (USD)", "TTD Cost (Adv Currency)",
        "Partner Cost (Adv Currency)", "Media Cost (Adv Currency)", "Partner Currency Code", "Player Starts",
        "Player 25% Complete", "Player 50% Complete", "Player 75% Complete", "Player Completed Views",
        "All Last Click + View Conversions",
    }
)  # fmt: skip
"""Columns that do not split an ad's day into several rows, beside those of conversions."""
_NUMBER = re.compile(r"\d\d")
_CREDITED = {
    CreditedTo.CLICK: {"click"},
    CreditedTo.VIEW: {"view"},
    CreditedTo.CLICK_OR_VIEW: {"click", "view"},
}
_CONVERSIONS = re.compile(r"\d\d - .+|.+ - (?:Click|View Through) Conversion(?: Revenue)?|.+ Conversions")


class DeskCounted(NamedTuple):
    """Where the conversions and the revenue are; None: the report does not have them."""

    conversions: tuple[int, ...] | None
    revenue: tuple[int, ...] | None


class ByTag(NamedTuple):
    """A choice of pixels in a report that numbers its columns: where each number's are, and the pixels' names or ids.

    Which numbers are a pixel's is a campaign's own, and changes from a day on (`platforms.trade_desk.tags`).
    """

    tags: frozenset[str]
    numbered: Mapping[str, DeskCounted]


class Plan(NamedTuple):
    """The places of what is read, -1 where absent. `keys`: the ids, outermost first; `label`: a breakdown's value.

    `splits`: a column may split an ad's day into several rows, which have to be added up first.
    """

    width: int
    date: int
    keys: tuple[int, ...]
    label: int
    advertiser: int
    currency: int
    impressions: int
    clicks: int
    cost: int
    counted: DeskCounted
    by_tag: ByTag | None
    splits: bool

    @property
    def places(self) -> tuple[int, ...]:
        """Every place that is read, each once."""
        each = [self.counted, *(self.by_tag.numbered.values() if self.by_tag else ())]
        counted = [place for one in each for place in (*(one.conversions or ()), *(one.revenue or ()))]
        single = (self.date, *self.keys, self.impressions, self.clicks, self.cost, *counted)
        optional = (place for place in (self.label, self.advertiser, self.currency) if place >= 0)
        return tuple(dict.fromkeys((*single, *optional)))


def plan_of(header: Sequence[str], dataset: Dataset, options: TradeDeskOptions) -> Plan:
    """The plan of a header row. Raises BadInput that names a missing column, one given twice, or a choice to make."""
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    keys, labels = _KEYS.get(dataset.level, ()), _LABELS.get(dataset.breakdown, ())
    if not keys or (dataset.breakdown and not labels):
        raise BadInput(f"trade_desk has no report {dataset}")
    label = next((name for name in labels if name in names), next(iter(labels), ""))
    needed = (DATE, *keys, *([label] if label else []), IMPRESSIONS, CLICKS, COST)
    missing = [name for name in needed if name not in names]
    if missing or twice:
        faults = [{"field": name[:100], "rule": "columns", "message": "is missing"} for name in missing]
        faults += [{"field": name[:100], "rule": "columns", "message": "is given twice"} for name in twice]
        told = ", ".join(f"{fault['field']} {fault['message']}" for fault in faults[:10])
        raise BadInput(f"the report's columns are wrong: {told}", faults)
    at = {name: place for place, name in enumerate(names)}
    extra = set(at) - _KNOWN - {label}
    coarser = {GROUP, CREATIVE} & set(names) - set(keys)
    return Plan(
        width=len(names),
        date=at[DATE],
        keys=tuple(at[name] for name in keys),
        label=at.get(label, -1),
        advertiser=at.get(ADVERTISER, -1),
        currency=at.get(CURRENCY, -1),
        impressions=at[IMPRESSIONS],
        clicks=at[CLICKS],
        cost=at[COST],
        counted=_counted(names, options),
        by_tag=_by_tag(names, options),
        splits=bool(coarser) or label in _SHARED_NAMES or not all(_CONVERSIONS.fullmatch(name) for name in extra),
    )


class _ConversionColumn(NamedTuple):
    """A conversion column: of which pixel or number, by which cross-device model, after what."""

    place: int
    names: frozenset[str]
    model: str
    part: str
    revenue: bool


def _found(names: Sequence[str]) -> Iterator[_ConversionColumn]:
    for place, name in enumerate(names):
        match = _NUMBERED.fullmatch(name)
        if match:
            called, model = frozenset({match["number"]}), ""
        else:
            match = _BY_PIXEL.fullmatch(name)
            if match is None:
                continue
            called = frozenset(part.strip() for part in (match["tag"], match["id"]) if part)
            model = (match["model"] or match["old"]).strip()
        yield _ConversionColumn(place, called, model, _PART_OF[match["part"]], bool(match["revenue"]))


def _counted(names: Sequence[str], options: TradeDeskOptions) -> DeskCounted:
    """The columns that the options choose. Raises BadInput where a pixel has several models and none is chosen."""
    wanted, parts = frozenset(options.conversions), _CREDITED[options.basis]
    chosen = [column for column in _found(names) if column.names & wanted and column.part in parts]
    models = {column.model for column in chosen if column.model}
    if options.cross_device and models:
        chosen = [column for column in chosen if column.model in ("", options.cross_device)]
    elif len(models) > 1:
        choices = ", ".join(sorted(models))
        raise BadInput(f"the report has the chosen pixels by several cross-device models, choose one: {choices}")
    return _places(chosen)


def _by_tag(names: Sequence[str], options: TradeDeskOptions) -> ByTag | None:
    """How pixels are found that are chosen by name or id, where the columns have numbers instead."""
    tags = frozenset(name for name in options.conversions if not _NUMBER.fullmatch(name))
    found = [column for column in _found(names) if column.part in _CREDITED[options.basis]]
    numbered = sorted({number for column in found for number in column.names if _NUMBER.fullmatch(number)})
    if not tags or not numbered or any(not column.names <= {*numbered} for column in found):
        return None
    chosen = {number: _places([column for column in found if number in column.names]) for number in numbered}
    return ByTag(frozenset(options.conversions), chosen)


def _places(chosen: Sequence[_ConversionColumn]) -> DeskCounted:
    numbers = tuple(column.place for column in chosen if not column.revenue)
    amounts = tuple(column.place for column in chosen if column.revenue)
    return DeskCounted(numbers or None, amounts or None)
