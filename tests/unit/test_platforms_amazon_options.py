"""The options of an Amazon profile: what they accept, what they mean in words, and in columns that a report has."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from adweir.model.datasets import Dataset
from adweir.platforms.amazon_ads import SPEC
from adweir.platforms.amazon_ads.attribution import UNKNOWN, counted
from adweir.platforms.amazon_ads.options import AmazonOptions, CountedBy
from adweir.platforms.amazon_ads.reports import REPORTS

WINDOWS = get_args(AmazonOptions.model_fields["window"].annotation)


@pytest.mark.parametrize(
    "wrong",
    [{"window": "28d"}, {"basis": "impression"}, {"products": "halo"}, {"clock": "conversion"}, {"windows": "7d"}],
)
def test_what_amazon_does_not_offer_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SPEC.options.model_validate(wrong)


BOTH, AFTER = "within 14 days of a click or a view", "within 14 days of a click"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ("within 7 days (vendors: 14) of a click", f"Brands and Display: {BOTH}")),
        ({"window": "1d", "basis": "click"}, ("within 1 day of a click", f"Brands and Display: {AFTER}")),
        ({"basis": "view"}, ("unknown", "Brands and Display: within 14 days of a view")),
        ({"window": "30d", "products": "promoted"}, ("within 30 days of a click", f"Brands: {BOTH}; Display: {AFTER}")),
        (
            {"basis": "click", "products": "promoted"},
            ("within 7 days (vendors: 14) of a click", f"Brands: unknown; Display: {AFTER}"),
        ),
    ],
)
def test_the_definition_says_what_is_counted_per_product(options: dict[str, str], words: tuple[str, str]) -> None:
    bought = "purchases of the advertised products" if "products" in options else "purchases"
    told = AmazonOptions.model_validate(options).definition
    assert told == f"{bought} by the day of the click or view; Sponsored Products: {words[0]}; {words[1]}"


@pytest.mark.parametrize(
    ("window", "basis", "products", "kind"), [*product(WINDOWS, CountedBy, ("all", "promoted"), ("seller", "vendor"))]
)
def test_what_counts_is_requested_and_what_is_called_unknown_is(
    window: Any, basis: CountedBy, products: Any, kind: str
) -> None:
    options = AmazonOptions(window=window, basis=basis, products=products)
    said = options.definition.partition("; ")[2].split("; ")
    words = {"sp": said[0], "sb": said[1], "sd": said[-1]}
    for (dataset, slice_), report in REPORTS.items():
        columns = counted(report, slice_, options, kind)
        assert set(filter(None, columns)) <= set(report.columns)
        if dataset is Dataset.AD_DAILY:
            assert (columns == UNKNOWN) == words[slice_].endswith("unknown")


def test_a_seller_is_measured_by_7_days_and_a_vendor_by_14_unless_the_profile_says_otherwise() -> None:
    days = [AmazonOptions(window=window).days(kind) for kind in ("seller", "vendor") for window in ("platform", "30d")]
    assert days == ["7d", "30d", "14d", "30d"]


def test_each_metric_dataset_of_the_spec_has_its_report_for_each_slice() -> None:
    asked = {(spec.dataset, slice_) for spec in SPEC.datasets.values() for slice_ in spec.slices if spec.dataset.grain}
    assert asked == set(REPORTS)
