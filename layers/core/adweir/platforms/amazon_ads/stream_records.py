"""Records of Amazon Marketing Stream → what they add to an hour.

Traffic and conversions are differences that may be negative: a click is invalidated up to 72 hours later, a conversion
is revised up to 60 days after the click or view to whose hour it belongs. Amounts of money are kept to twelve decimals,
so that only sums are rounded. Of `sp-traffic` and the like each record is about one keyword or target and placement;
these are added up, placeholder ids among them.

Sources: Amazon Marketing Stream, "Sponsored Products / Brands / Display performance datasets", "Sponsored ads campaign
management". `view_attributed_…` counts clicks and views together; Display sends it for campaigns that pay by view only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Context, Decimal
from typing import Any, NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.metrics import NO_NUMBERS, Slot
from adweir.model.money import MICRO
from adweir.platforms import json_text
from adweir.platforms.amazon_ads import SB, SD, SP
from adweir.platforms.amazon_ads.options import AmazonOptions, CountedBy
from adweir.platforms.amazon_ads.wire import alias
from adweir.platforms.base import ProfileOptions
from adweir.platforms.streams import ChangedLists, HourDelta

_PRODUCTS = {"SPONSORED_PRODUCTS": SP, "SPONSORED_BRANDS": SB, "SPONSORED_DISPLAY": SD}
_LISTS: Mapping[str, tuple[Dataset, ...]] = {
    "campaigns": (Dataset.CAMPAIGNS,),
    "adgroups": (Dataset.AD_GROUPS,),
    "ads": (Dataset.ADS,),
    "targets": (Dataset.KEYWORDS, Dataset.TARGETS, Dataset.NEGATIVES),
}
"""What a record of a changed object has pulled again: the lists answer for objects, as reports do for numbers."""
_WINDOWS = ("1d", "7d", "14d", "30d")
_FOURTEEN = _WINDOWS.index("14d")
_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")
_UNITS = Context(prec=60)
_MONEY_PLACES = 12
_PER_MICRO = 1_000_000
_PER_WINDOW = 4
"""Amounts of a window: conversions, those of the promoted products, sales, those of the promoted products."""
_VIEWED = _PER_WINDOW * len(_WINDOWS)
"""Where conversions and sales after a click or a view stand."""
_LARGEST = 1 << limits.MAX_FIGURE_BITS


class _Named(msgspec.Struct, gc=False):
    dataset_id: str
    advertiser_id: str = ""
    marketplace_id: str = ""


class _ChangedObject(_Named, gc=False):
    campaign_product: str = msgspec.field(default="", name="adProduct")
    ad_product: str = ""

    @property
    def product(self) -> str:
        """The slice of the lists; "" where the record names none."""
        return _PRODUCTS.get(self.campaign_product or self.ad_product, "")


class _Hour(_Named, gc=False, kw_only=True):
    idempotency_id: str
    time_window_start: str
    currency: str
    campaign_id: str
    ad_group_id: str = ""
    ad_id: str = ""


class _Traffic(_Hour, gc=False):
    impressions: int = 0
    clicks: int = 0
    cost: Decimal = Decimal(0)

    @property
    def amounts(self) -> tuple[int, ...]:
        return _count("impressions", self.impressions), _count("clicks", self.clicks), _money("cost", self.cost)


def _conversion_fields() -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    for window in _WINDOWS:
        for same in ("", "_same_sku"):
            found.append((f"attributed_conversions_{window}{same}", int, 0))
            found.append((f"attributed_sales_{window}{same}", Decimal, Decimal(0)))
    found.append(("view_attributed_conversions_14d", int | None, None))
    found.append(("view_attributed_sales_14d", Decimal | None, None))
    return found


_Conversion: Any = msgspec.defstruct("_Conversion", _conversion_fields(), bases=(_Hour,), gc=False, kw_only=True)


def _converted(row: Any) -> tuple[int, ...]:
    amounts: list[int] = []
    for window in _WINDOWS:
        for of, read in (("conversions", _count), ("sales", _money)):
            for same in ("", "_same_sku"):
                name = f"attributed_{of}_{window}{same}"
                amounts.append(read(name, getattr(row, name)))
    for of, read, clicked in (("conversions", _count, 0), ("sales", _money, 2)):
        name = f"view_attributed_{of}_14d"
        viewed = getattr(row, name)
        amounts.append(amounts[_PER_WINDOW * _FOURTEEN + clicked] if viewed is None else read(name, viewed))
    return tuple(amounts)


class StreamKind(NamedTuple):
    """A dataset whose records add to hours."""

    product: str
    is_traffic: bool


KINDS: Mapping[str, StreamKind] = {
    f"{product}-{kind}": StreamKind(product, kind == "traffic")
    for product in (SP, SB, SD)
    for kind in ("traffic", "conversion")
}


def read(line: bytes) -> HourDelta | ChangedLists | None:
    """See `StreamHooks.read`. What is a state (`budget-usage`) or advice is never summed: it brings nothing."""
    try:
        named = json_text.decoded(line, _Named)
        kind = KINDS.get(named.dataset_id)
        if kind is None:
            return _changed(line, named)
        row = json_text.decoded(line, _Traffic if kind.is_traffic else _Conversion)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("", str(error)) from None
    for field in ("advertiser_id", "marketplace_id", "campaign_id", "ad_group_id", "ad_id"):
        value = getattr(row, field)
        if not _ID.fullmatch(value) and (value or not field.startswith("ad_")):
            raise ValueError(field, f"is no id: {value[:40]!r}")
    if not row.idempotency_id:
        raise ValueError("idempotency_id", "is empty")
    return HourDelta(
        dataset=row.dataset_id,
        id=f"{row.dataset_id}\x1f{row.idempotency_id}",
        alias=alias(row.advertiser_id, row.marketplace_id),
        start=_start(row.time_window_start),
        campaign_id=row.campaign_id,
        ad_group_id=row.ad_group_id,
        ad_id=row.ad_id,
        currency=row.currency,
        amounts=row.amounts if kind.is_traffic else _converted(row),
    )


def _changed(line: bytes, named: _Named) -> ChangedLists | None:
    """`campaigns` and `ads-campaign-management-campaigns` alike, whose names may be written with hyphens."""
    lists = _LISTS.get(named.dataset_id.removeprefix("ads-campaign-management-").replace("-", ""))
    who = alias(named.advertiser_id, named.marketplace_id)
    if lists is None or not who:
        return None
    return ChangedLists(who, lists, json_text.decoded(line, _ChangedObject).product or "all")


def _start(text: str) -> datetime:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("time_window_start", f"is no time: {text[:40]!r}") from None
    if start.tzinfo is None:
        raise ValueError("time_window_start", f"has no offset from UTC: {text[:40]!r}")
    return start


def _count(field: str, value: int) -> int:
    if not -_LARGEST < value < _LARGEST:
        raise ValueError(field, "is larger than any real figure")
    return value


def _money(field: str, value: Decimal) -> int:
    """Units → 10⁻¹². What has more decimals is rounded half to even: a Double has at most 17 digits.

    A record cannot be taken out of its hour's sum again, so one that no hour can be stored with is not taken in.
    """
    if not value.is_finite() or (value and value.adjusted() >= limits.MAX_COUNT_DIGITS):
        raise ValueError(field, f"is no amount: {str(value)[:40]!r}")
    amount = round(value.scaleb(_MONEY_PLACES, _UNITS))
    if abs(_micros(amount)) >> limits.MAX_FIGURE_BITS:
        raise ValueError(field, "is larger than any real figure")
    return amount


def numbers(dataset: str, amounts: tuple[int, ...], options: ProfileOptions, profile_kind: str) -> Slot:
    """See `StreamHooks.numbers`."""
    kind = KINDS[dataset]
    amounts = amounts or (0,) * (_VIEWED + 2)
    if kind.is_traffic:
        impressions, clicks, cost = amounts[:3]
        return impressions, clicks, None, _micros(cost), None
    counted = options if isinstance(options, AmazonOptions) else AmazonOptions()
    places = _places(kind.product, counted, profile_kind)
    if places is None:
        return NO_NUMBERS
    conversions, sales = (sum(sign * amounts[place] for sign, place in each) for each in places)
    return None, None, conversions * MICRO, None, _micros(sales)


_Terms = tuple[tuple[int, int], ...]
"""Amounts by sign and place."""


def _places(product: str, options: AmazonOptions, profile_kind: str) -> tuple[_Terms, _Terms] | None:
    """Which amounts are conversions and sales, as `attribution` chooses a report's columns; None where it has none."""
    promoted = options.products == "promoted"
    if product == SP:
        if options.basis not in (CountedBy.PLATFORM, CountedBy.CLICK):
            return None
        return _clicked(_WINDOWS.index(options.days(profile_kind)), promoted=promoted)
    if promoted:
        return _clicked(_FOURTEEN, promoted=True) if product == SD and options.basis in _CLICKS else None
    if options.basis is CountedBy.CLICK:
        return _clicked(_FOURTEEN)
    viewed: tuple[_Terms, _Terms] = (((1, _VIEWED),), ((1, _VIEWED + 1),))
    if options.basis is CountedBy.VIEW:
        clicked = _clicked(_FOURTEEN)
        return (*viewed[0], (-1, clicked[0][0][1])), (*viewed[1], (-1, clicked[1][0][1]))
    return viewed


_CLICKS = (CountedBy.PLATFORM, CountedBy.CLICK)


def _clicked(window: int, *, promoted: bool = False) -> tuple[_Terms, _Terms]:
    first = _PER_WINDOW * window + promoted
    return ((1, first),), ((1, first + 2),)


def _micros(amount: int) -> int:
    """10⁻¹² → millionths, rounded half to even."""
    whole, rest = divmod(amount, _PER_MICRO)
    return whole + int(2 * rest > _PER_MICRO or (2 * rest == _PER_MICRO and whole % 2 == 1))
