"""What a fit is published as: one thing in all its numbers, updated by days that left the data."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta

import pytest

from adweir.insight.mmm.fit.outcome import GeoEffect, Interval
from adweir.insight.mmm.published import FitFacts, Version, exact, in_text, published
from adweir.insight.mmm.shown import shown_version
from adweir.model import limits
from adweir.store.findings.coefficients import Coefficients, Mixed
from support.mix_versions import effect, outcome

FIRST = date(2025, 1, 1)


def version(roi: float, before: Coefficients | None = None, *, moved: int = 0, half: float = 0.5) -> Version:
    """A year of days from a day on, with a channel of this ROI."""
    facts = FitFacts(Mixed("acc_1", "USD", "daily", "revenue"), "2026-11-20", f"h{roi}", "run_1", 0.9)
    one = replace(effect("meta", 1000.0, roi, half), geos=(IN_OHIO,))
    return published(outcome(one, effect("tv", 500.0, 1.0), first=FIRST + timedelta(days=moved)), facts, before)


BROUGHT = Interval(10.0, 5.0, 15.0)
IN_OHIO = GeoEffect("Ohio", 12e6, 100.0, BROUGHT, BROUGHT, BROUGHT, Interval(1.0, 0.9, 1.1), BROUGHT)


def channel(found: Version, name: str = "meta") -> dict[str, float]:
    stored = next(each for each in found.record.channels if each["channel"] == name)
    return {key: float(value) for key, value in stored.items() if isinstance(value, str) and key not in LEFT}


LEFT = ("channel", "model_version")


def test_a_first_version_says_what_its_fit_does() -> None:
    found = channel(version(3.0))
    assert (found["roi"], found["roi_lo"], found["roi_hi"], found["carried_weight"]) == (3.0, 1.5, 4.5, 0.0)
    assert (found["contribution"], found["contribution_lo"]) == (3000.0, 1500.0)
    assert version(3.0).record.carried == {}


def test_of_days_that_are_still_in_the_data_nothing_is_counted_twice() -> None:
    """Given a window that only grew or was restated, then the new fit stands alone and its interval is its own."""
    found = version(3.0, version(2.0).record)
    assert (found.record.version, found.record.carried) == (2, {})
    assert channel(found)["roi"] == 3.0


def test_days_that_left_the_data_count_by_their_precision_and_all_numbers_follow() -> None:
    before = version(2.0, half=0.5).record

    found = version(3.0, before, moved=365, half=0.5)

    meta = channel(found)
    weight = meta["carried_weight"]
    # both are known to half of their size: precisions are as 1/2² to 1/3², of which 365 days of new data left 0.9^13
    kept = 0.9 ** (365 / 28) / 4
    assert weight == pytest.approx(kept / (kept + 1 / 9), rel=1e-6)
    assert meta["roi"] == pytest.approx(3 - weight, rel=1e-6)
    assert meta["contribution"] == pytest.approx(1000 * meta["roi"], rel=1e-6)
    assert meta["beta"] == pytest.approx(60 * meta["roi"] / 3, rel=1e-6)
    assert meta["roi_lo"] < meta["roi"] < meta["roi_hi"]
    (curve,) = (each["points"] for each in found.record.curves if each["channel"] == "meta")
    assert float(curve[2][1]) == pytest.approx(meta["contribution"], rel=1e-6)
    (drawn,) = (each.drawn[0][1][2] for each in found.responses if each.channel == "meta")
    assert drawn == pytest.approx(meta["contribution"], rel=1e-6)
    (ohio,) = shown_version(found.record)["geos"]
    assert (ohio["channel"], ohio["geo"], ohio["population"], ohio["spend"]) == ("meta", "Ohio", 12_000_000, 100)
    assert float(ohio["contribution"]["estimate"]) == pytest.approx(10 * meta["roi"] / 3, rel=1e-5)
    assert [float(each) for each in ohio["scale"].values()] == [1.0, 0.9, 1.1]
    own = next(each for each in found.record.channels if each["channel"] == "meta")
    assert own["fitted_roi"] == ["3", "1.5", "4.5"]


def test_where_earlier_days_say_something_else_the_fit_alone_counts_and_a_warning_says_so() -> None:
    before = version(30.0, half=0.1).record
    found = version(3.0, before, moved=365, half=0.1)
    assert channel(found)["roi"] == 3.0
    assert ["meta changed" in said for said in found.record.warnings] == [True]


def test_what_was_carried_goes_on_being_carried_and_fades() -> None:
    first = version(2.0).record
    second = version(2.0, first, moved=365).record
    third = version(2.0, second, moved=400).record
    assert float(third.carried["meta"]["precision"]) > 0
    assert third.carried["meta"]["until"] == str(FIRST + timedelta(days=399))


@pytest.mark.parametrize(
    ("value", "text"), [(5000.0, "5000"), (1e-7, "0.0000001"), (1.23456789012e12, "1234567890000"), (-0.5, "-0.5")]
)
def test_numbers_are_kept_as_texts_without_exponents(value: float, text: str) -> None:
    assert exact(value) == text


def test_what_is_no_number_is_null() -> None:
    assert in_text({"rhat": float("nan"), "draws": 3, "list": (1.5, "x")}) == {
        "rhat": None,
        "draws": 3,
        "list": ["1.5", "x"],
    }


def test_the_largest_version_fits_into_an_item() -> None:
    """60 regions of 30 channels, each with its curve: an item of DynamoDB has 400 kB."""
    regions = tuple(replace(IN_OHIO, geo=f"Region {n} of a country") for n in range(limits.MAX_MIX_GEOS))
    many = [replace(effect(f"channel_{n:02}", 123456.789, 3.14159), geos=regions) for n in range(30)]
    facts = FitFacts(Mixed("acc_1", "USD", "geo_weekly", "revenue"), "2026-11-20", "h", "run_1", 0.9)
    assert len(many) == limits.MAX_MIX_CHANNELS
    found = published(outcome(*many), facts, None)
    assert len(json.dumps(asdict(found.record)).encode()) < 350_000
