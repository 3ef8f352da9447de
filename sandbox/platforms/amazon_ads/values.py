"""Reporting v3: what stands in each column of a row.

Source of the meanings: docs/en-us/guides/reporting/v3/columns. What Amazon derives from shoppers whom the world does
not have (views of detail pages, carts, branded searches) follows from clicks and purchases here, so that every such
column sums over rows as clicks do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sandbox.platforms.amazon_ads.lines import DOUBLE, NEW, SAME, ReportLine
from sandbox.platforms.amazon_ads.portfolios import portfolio_of
from sandbox.platforms.amazon_ads.spelling import money, state
from sandbox.world import Numbers
from sandbox.world.draw import between, seed_of
from sandbox.world.numbers import WINDOWS, dust

Value = Callable[[ReportLine], Any]


def _ratio(top: int | Decimal, bottom: int | Decimal, digits: int = 6) -> Decimal | None:
    return round(Decimal(top) / Decimal(bottom), digits) if bottom else None


# -- counts: whole conversions after clicks, after views, or both -----------------------------------------------------


def _clicks(numbers: Numbers, window: int = 14) -> int:
    return numbers.halves[window] // 2


def _views(numbers: Numbers) -> int:
    return numbers.views[14] // 2


def _both(numbers: Numbers) -> int:
    return _clicks(numbers) + _views(numbers)


def _units(line: ReportLine, flags: int, count: Callable[[Numbers], int]) -> int:
    """Units of purchases with these flags; some purchases are of two units."""
    return count(line.of(flags)) + count(line.of(flags | DOUBLE))


def _sold(line: ReportLine, flags: int, window: int = 14, *, views: bool = False) -> int:
    """Sales in minor units."""
    numbers = line.of(flags)
    return numbers.revenue[window] + (numbers.view_revenue[14] if views else 0)


def _sales(flags: int, window: int = 14, *, views: bool = False) -> Value:
    return lambda line: money(line.profile, _sold(line, flags, window, views=views))


def _viewable(line: ReportLine) -> int:
    return line.all.impressions - 9 * line.all.clicks


def _page_views(numbers: Numbers) -> int:
    return numbers.clicks + 3 * _views(numbers)


def _carts(line: ReportLine) -> int:
    return 2 * _both(line.all)


def _cost(line: ReportLine) -> Decimal:
    ad = line.place.ad
    return money(line.profile, line.all.spend) + (dust(line.profile, ad) if ad else 0)


# -- who and what -----------------------------------------------------------------------------------------------------


def _campaign_columns() -> Iterator[tuple[str, Value]]:
    yield "date", lambda line: line.day.isoformat() if line.day else None
    yield "campaignId", lambda line: int(line.place.campaign.id)
    yield "campaignName", lambda line: line.place.campaign.name
    yield "campaignStatus", lambda line: state(line.place.campaign.status)
    yield "campaignBudgetAmount", lambda line: money(line.profile, line.place.campaign.budget_minor)
    yield "campaignBudgetType", lambda _: "DAILY_BUDGET"
    yield "campaignBiddingStrategy", lambda _: "legacy"
    yield "portfolioId", lambda line: int(portfolio_of(line.place.campaign) or 0) or None
    for name in ("campaignBudgetCurrencyCode", "budgetCurrency"):
        yield name, lambda line: line.profile.currency
    for name in ("costType", "campaignPriceTypeCode"):
        yield name, lambda _: "CPC"
    for name in ("Amount", "Id", "Name"):
        rule = "campaignRuleBasedBudgetAmount" if name == "Amount" else f"campaignApplicableBudgetRule{name}"
        yield rule, lambda _: None  # no campaign has a budget rule
    yield (
        "topOfSearchImpressionShare",
        lambda line: Decimal(between(seed_of("share", line.place.key, line.day), 1, 10, 9000)) / 100,
    )


def _place_columns() -> Iterator[tuple[str, Value]]:
    yield "adGroupId", lambda line: int(line.place.group.id)  # type: ignore[union-attr]
    yield "adGroupName", lambda line: line.place.group.name  # type: ignore[union-attr]
    yield "adStatus", lambda line: state(line.place.group.status)  # type: ignore[union-attr]
    yield "bidOptimization", lambda _: "clicks"
    yield "adId", lambda line: int(line.place.ad.id)  # type: ignore[union-attr]
    for name in ("advertised", "promoted"):
        yield f"{name}Asin", lambda line: line.place.ad.creative["asin"]  # type: ignore[union-attr]
        yield (
            f"{name}Sku",
            lambda line: line.place.ad.creative["sku"] if line.profile.kind == "seller" else None,  # type: ignore[union-attr]
        )
    for name in (
        "placementClassification", "searchTerm", "query", "purchasedAsin", "asinBrandHalo", "matchedTargetAsin",
    ):  # fmt: skip
        yield name, lambda line: line.place.label
    yield "attributionType", lambda line: "Promoted" if line.place.promoted else "Brand Halo"
    yield "productName", lambda line: f"Product {line.place.label}"
    yield "productCategory", lambda line: line.place.group.name.rpartition(" ")[0]  # type: ignore[union-attr]


def _target_columns() -> Iterator[tuple[str, Value]]:
    """A keyword has an id and a text; a targeting expression of Brands or Display has a target's id and texts too."""

    def keyword(read: Callable[[Any], Any], *, expressions: bool = True, keywords: bool = True) -> Value:
        def value(line: ReportLine) -> Any:
            found = line.place.keyword
            wanted = expressions if found and found.match_type.startswith("TARGETING") else keywords
            return read(found) if found and wanted else None

        return value

    yield "keywordId", keyword(lambda k: int(k.id))
    yield "keyword", keyword(lambda k: k.text)
    yield "targeting", keyword(lambda k: k.text)
    yield "keywordText", keyword(lambda k: k.text, expressions=False)
    yield "keywordType", keyword(lambda k: k.match_type)
    yield "matchType", keyword(lambda k: k.match_type)
    yield "adKeywordStatus", keyword(lambda k: k.state)
    yield "keywordStatus", keyword(lambda k: k.state)
    yield "keywordBid", lambda line: money(line.profile, line.place.keyword.bid_minor)  # type: ignore[union-attr]
    yield "targetingId", keyword(lambda k: int(k.id), keywords=False)
    yield "targetingExpression", keyword(lambda k: k.text, keywords=False)
    yield "targetingText", keyword(lambda k: k.text, keywords=False)
    yield "targetingType", keyword(lambda k: k.match_type, keywords=False)


# -- traffic ----------------------------------------------------------------------------------------------------------


def _traffic_columns() -> Iterator[tuple[str, Value]]:
    yield "impressions", lambda line: line.all.impressions
    yield "clicks", lambda line: line.all.clicks
    yield "cost", _cost
    yield "spend", _cost
    yield "costPerClick", lambda line: _ratio(_cost(line), line.all.clicks)
    yield "clickThroughRate", lambda line: _ratio(line.all.clicks, line.all.impressions)
    yield "viewableImpressions", _viewable
    yield "impressionsViews", _viewable
    yield "viewabilityRate", lambda line: _ratio(_viewable(line), line.all.impressions)
    yield "viewClickThroughRate", lambda line: _ratio(line.all.clicks, _viewable(line))
    yield "cumulativeReach", lambda line: line.all.impressions * 2 // 5
    yield "impressionsFrequencyAverage", lambda line: _ratio(line.all.impressions, line.all.impressions * 2 // 5)
    watched = {
        "video5SecondViews": 15, "videoFirstQuartileViews": 12, "videoMidpointViews": 9, "videoThirdQuartileViews": 7,
        "videoCompleteViews": 5, "videoUnmutes": 1,
    }  # fmt: skip
    for name, times in watched.items():
        yield name, lambda line, times=times: times * line.video.clicks  # type: ignore[misc]
    yield "video5SecondViewRate", lambda line: _ratio(15 * line.video.clicks, line.all.impressions)
    for name in ("addToList", "qualifiedBorrows", "royaltyQualifiedBorrows"):
        for kind in ("", "FromClicks", "FromViews"):
            yield name + kind, lambda _: 0  # of books, which nobody sells here
    for name in ("leads", "leadFormOpens", "linkOuts"):
        yield name, lambda _: 0  # of who does not sell on Amazon
    yield "kindleEditionNormalizedPagesRead14d", lambda _: 0
    yield "kindleEditionNormalizedPagesRoyalties14d", lambda _: Decimal(0)


# -- Sponsored Products, and the others' columns that end in 14d: conversions after clicks ----------------------------


def _window_columns() -> Iterator[tuple[str, Value]]:
    for window in WINDOWS:
        yield from _columns_of_window(window)
    yield "orders14d", lambda line: _clicks(line.all)  # after clicks alone, as campaigns that pay for clicks count
    yield "ordersClicks14d", lambda line: _clicks(line.all)
    yield "salesClicks14d", _sales(0)
    yield "unitsSold14d", lambda line: _units(line, 0, _clicks)
    for name in ("newToBrandPurchases", "newToBrandOrders"):
        yield f"{name}14d", lambda line: _clicks(line.of(NEW))
        yield f"{name}Percentage14d", lambda line: _ratio(100 * _clicks(line.of(NEW)), _clicks(line.all), 2)
    yield "newToBrandSales14d", _sales(NEW)
    yield "newToBrandSalesPercentage14d", lambda line: _ratio(100 * _sold(line, NEW), _sold(line, 0), 2)
    yield "newToBrandUnitsSold14d", lambda line: _units(line, NEW, _clicks)
    yield (
        "newToBrandUnitsSoldPercentage14d",
        lambda line: _ratio(100 * _units(line, NEW, _clicks), _units(line, 0, _clicks), 2),
    )


def _columns_of_window(window: int) -> Iterator[tuple[str, Value]]:
    days = f"{window}d"

    def count(numbers: Numbers) -> int:
        return _clicks(numbers, window)

    yield f"purchases{days}", lambda line: count(line.all)
    yield f"purchasesSameSku{days}", lambda line: count(line.of(SAME))
    yield f"purchasesOtherSku{days}", lambda line: count(line.all) - count(line.of(SAME))
    yield f"unitsSoldClicks{days}", lambda line: _units(line, 0, count)
    yield f"unitsSoldSameSku{days}", lambda line: _units(line, SAME, count)
    yield f"unitsSoldOtherSku{days}", lambda line: _units(line, 0, count) - _units(line, SAME, count)
    yield f"sales{days}", _sales(0, window)
    yield f"attributedSalesSameSku{days}", _sales(SAME, window)
    yield (
        f"salesOtherSku{days}",
        lambda line: money(line.profile, _sold(line, 0, window) - _sold(line, SAME, window)),
    )
    if window in (7, 14):
        yield f"acosClicks{days}", lambda line: _ratio(100 * line.all.spend, _sold(line, 0, window), 4)
        yield f"roasClicks{days}", lambda line: _ratio(_sold(line, 0, window), line.all.spend, 4)


# -- Sponsored Brands and Display: 14 days, clicks and views or clicks alone ------------------------------------------


def _brand_columns() -> Iterator[tuple[str, Value]]:
    for prefix, flags in (("purchases", 0), ("newToBrandPurchases", NEW)):
        yield prefix, lambda line, flags=flags: _both(line.of(flags))  # type: ignore[misc]
        yield f"{prefix}Clicks", lambda line, flags=flags: _clicks(line.of(flags))  # type: ignore[misc]
    for prefix, flags in (("sales", 0), ("newToBrandSales", NEW)):
        yield prefix, _sales(flags, views=True)
        yield f"{prefix}Clicks", _sales(flags)
    for prefix, flags in (("unitsSold", 0), ("newToBrandUnitsSold", NEW)):
        yield prefix, lambda line, flags=flags: _units(line, flags, _both)  # type: ignore[misc]
        yield f"{prefix}Clicks", lambda line, flags=flags: _units(line, flags, _clicks)  # type: ignore[misc]
    yield "purchasesPromoted", lambda line: _both(line.of(SAME))
    yield "purchasesPromotedClicks", lambda line: _clicks(line.of(SAME))
    yield "salesPromoted", _sales(SAME, views=True)
    yield "salesPromotedClicks", _sales(SAME)
    for name in ("Percentage", "Rate"):
        yield f"newToBrandPurchases{name}", lambda line: _ratio(100 * _clicks(line.of(NEW)), _clicks(line.all), 2)
    yield "newToBrandSalesPercentage", lambda line: _ratio(100 * _sold(line, NEW), _sold(line, 0), 2)
    yield (
        "newToBrandUnitsSoldPercentage",
        lambda line: _ratio(100 * _units(line, NEW, _clicks), _units(line, 0, _clicks), 2),
    )
    yield "longTermSales", lambda line: money(line.profile, _long_term(line))
    yield "longTermROAS", lambda line: _ratio(_long_term(line), line.all.spend, 4)
    # Of products other than the promoted one; campaigns that pay for clicks count those after clicks alone.
    for kind in ("", "Clicks"):
        yield f"conversionsBrandHalo{kind}", lambda line: _clicks(line.all)
        yield f"salesBrandHalo{kind}", _sales(0)
        yield f"unitsSoldBrandHalo{kind}", lambda line: _units(line, 0, _clicks)


def _long_term(line: ReportLine) -> int:
    return _sold(line, 0, views=True) + 3 * _sold(line, NEW, views=True)


def _interest_columns() -> Iterator[tuple[str, Value]]:
    yield "detailPageViews", lambda line: _page_views(line.all)
    yield "detailPageViewsClicks", lambda line: line.all.clicks
    yield "newToBrandDetailPageViews", lambda line: _page_views(line.of(NEW))
    for name in ("newToBrandDetailPageViewsClicks", "newToBrandDetailPageViewClicks"):
        yield name, lambda line: line.of(NEW).clicks
    yield "newToBrandDetailPageViewViews", lambda line: 3 * _views(line.of(NEW))
    yield "newToBrandDetailPageViewRate", lambda line: _ratio(_page_views(line.of(NEW)), line.all.impressions)
    yield "newToBrandECPDetailPageView", lambda line: _ratio(_cost(line), _page_views(line.of(NEW)), 4)
    yield "addToCart", _carts
    yield "addToCartClicks", lambda line: 2 * _clicks(line.all)
    yield "addToCartViews", lambda line: 2 * _views(line.all)
    yield "addToCartRate", lambda line: _ratio(_carts(line), line.all.impressions)
    yield "eCPAddToCart", lambda line: _ratio(_cost(line), _carts(line), 4)
    yield "brandedSearches", lambda line: _both(line.all)
    yield "brandedSearchesClicks", lambda line: _clicks(line.all)
    yield "brandedSearchesViews", lambda line: _views(line.all)
    yield "brandedSearchRate", lambda line: _ratio(_both(line.all), line.all.impressions)
    yield "eCPBrandSearch", lambda line: _ratio(_cost(line), _both(line.all), 4)


VALUES: dict[str, Value] = {
    name: value
    for columns in (
        _campaign_columns, _place_columns, _target_columns, _traffic_columns, _window_columns, _brand_columns,
        _interest_columns,
    )
    for name, value in columns()
}  # fmt: skip
"""Every column but the window's own, startDate and endDate."""
