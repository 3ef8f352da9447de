"""Versions of media-mix coefficients as a fit of two channels is published, without fitting any."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from adweir.insight.mmm.budget import stored_responses
from adweir.insight.mmm.fit.outcome import ChannelEffect, CurvePoint, Interval, MixOutcome
from adweir.insight.mmm.published import FitFacts, published
from adweir.model.times import iso
from adweir.store.findings.coefficients import Coefficients, MixCoefficients, Mixed
from support.clock import FrozenClock

MULTIPLES = (0.0, 0.5, 1.0, 1.5, 2.0)


def effect(channel: str, spend: float, roi: float, half: float = 0.5) -> ChannelEffect:
    """A channel whose response is the square root of its spend, known to plus and minus `half` of its ROI."""
    brought = spend * roi
    fields = [brought * share for share in (1, 1 - half, 1 + half)]
    around, rois = Interval(*fields), Interval(*(value / spend for value in fields))
    curve = tuple(CurvePoint(spend * at, Interval(*(value * at**0.5 for value in fields))) for at in MULTIPLES)
    drawn = tuple(tuple(brought * at**0.5 * share for at in MULTIPLES) for share in (1 - half, 1, 1 + half))
    return ChannelEffect(
        channel=channel,
        spend=spend,
        contribution=around,
        roi=rois,
        marginal_roi=Interval(*(value / 2 for value in rois)),
        beta=Interval(*(value / 50 for value in fields)),
        elasticity_at_half=Interval(0.5, 0.5, 0.8),
        adstock={"type": "geometric", "theta": 0.4, "l_max": 36, "normalize": True},
        saturation={"family": "hill", "half": 1.5, "slope": 1.0, "scale": 75.5},
        by_family={"hill": around, "logistic": around},
        curve=curve,
        drawn=(drawn, drawn),
    )


def outcome(*effects: ChannelEffect, first: date = date(2025, 11, 20), periods: int = 365) -> MixOutcome:
    """A fit of days."""
    last = first + timedelta(days=periods - 1)
    fit: dict[str, Any] = {"n_obs": periods, "r2": 0.91, "nrmse": 0.05, "cv_nrmse": 0.06, "family": "hill"}
    fit |= {"families": {"hill": {"cv_nrmse": 0.06}}, "periods": periods, "days_per_period": 1}
    fit |= {"first": first.isoformat(), "last": last.isoformat(), "input_hash": "x"}
    return MixOutcome(effects or (effect("meta_ads", 10_000.0, 3.0), effect("amazon_ads", 5_000.0, 1.0)), fit)


def put_version(
    store: MixCoefficients,
    subject: str,
    found: MixOutcome | None = None,
    *,
    table: str = "daily",
    currency: str = "USD",
    input_hash: str = "",
) -> Coefficients:
    """Store the next version of a series."""
    of = Mixed(subject, currency, table, "revenue")
    before = store.newest(of)
    number = before.version + 1 if before else 1
    hashed = input_hash or f"hash-{number}"
    facts = FitFacts(of, iso(FrozenClock().now()), hashed, f"run_{number}", settled_share=0.95)
    made = published(found or outcome(), facts, before)
    assert store.put(made.record, stored_responses(made.responses), before)
    return made.record
