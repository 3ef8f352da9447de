"""Thirty questions to an assistant's tools, each with the answer that the sandbox's platforms have.

They are about two ad accounts of one currency on given days, which adweir has pulled. The truth is summed here from the
platforms' own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

NUMBERS = ("impressions", "clicks", "conversions", "spend", "revenue")
TrueRows = Callable[[str, str], list[dict[str, Any]]]
"""An ad account and a level → the platform's rows by day."""
_MILLIONTH = Decimal("0.000001")
_WEEK = 7


class Question(NamedTuple):
    """What is asked, by which tool, which part of the answer counts, and what it has to be."""

    text: str
    tool: str
    arguments: dict[str, Any]
    part: Callable[[Mapping[str, Any]], Any]
    expected: Any

    def fault(self, answer: Mapping[str, Any]) -> str:
        """What is wrong with an answer; "" where nothing is."""
        try:
            found = self.part(answer)
        except (LookupError, ValueError) as error:
            found = f"{type(error).__name__} in {str(answer)[:300]}"
        return "" if found == self.expected else f"{self.text} {found}, not {self.expected}"


@dataclass(frozen=True)
class Truth:
    """The platforms' rows of two ad accounts from the day `start` to `end`."""

    meta: str
    amazon: str
    start: date
    end: date
    rows: TrueRows

    @property
    def days(self) -> dict[str, str]:
        """The range as the tools take it."""
        return {"start_date": self.start.isoformat(), "end_date": self.end.isoformat()}

    def of(self, profile: str, level: str = "account", **where: str) -> list[dict[str, Any]]:
        """The rows of an ad account and level on these days, with these values."""
        return [
            row
            for row in self.rows(profile, level)
            if self.days["start_date"] <= row["date"] <= self.days["end_date"]
            and all(row[name] == value for name, value in where.items())
        ]

    def by(self, profile: str, name: str, metric: str, level: str = "account") -> dict[str, Decimal]:
        """A number by the values of a field; those of nothing are left out."""
        found: dict[str, Decimal] = {}
        for row in self.of(profile, level):
            found[row[name]] = found.get(row[name], Decimal(0)) + number(row, metric)
        return {key: value for key, value in found.items() if value}

    def part(self, first: date, last: date) -> Truth:
        """The same of fewer days."""
        return Truth(self.meta, self.amazon, first, last, self.rows)


def number(row: Mapping[str, Any], metric: str) -> Decimal:
    """A number of a true row, in units."""
    return Decimal(row[metric]) if metric in NUMBERS[:2] else Decimal(row[f"{metric}_micros"]) / 1_000_000


def total(rows: Iterable[Mapping[str, Any]], metric: str) -> Decimal:
    """The sum of a number."""
    return sum((number(row, metric) for row in rows), Decimal(0))


def questions(truth: Truth) -> list[Question]:
    """All thirty."""
    return [*_totals(truth), *_ratios(truth), *_by_time(truth), *_by_object(truth), *_periods(truth), *_standing(truth)]


def _query(truth: Truth, profile: str, metric: str, *dimensions: str, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"metrics": [metric], "dimensions": list(dimensions), "filters": {"account_id": [profile]}}
    return asked | truth.days | more


def _only(answer: Mapping[str, Any], metric: str) -> Any:
    (found,) = answer["totals"]
    return found[metric]


def column(answer: Mapping[str, Any], key: str, value: str) -> dict[Any, Any]:
    """Two columns of the rows, one by the other; nothing is nothing."""
    at, of = (answer["columns"].index(name) for name in (key, value))
    return {row[at]: row[of] for row in answer["rows"] if row[of]}


def _totals(truth: Truth) -> list[Question]:
    found = []
    for name, profile in (("Meta", truth.meta), ("Amazon", truth.amazon)):
        for metric in NUMBERS:
            text = f"{metric} of {name} in all?"
            expected = total(truth.of(profile), metric)
            found.append(
                Question(text, "query", _query(truth, profile, metric), partial(_only, metric=metric), expected)
            )
    both = {"account_id": [truth.meta, truth.amazon]}
    clicks = total(truth.of(truth.meta), "clicks") + total(truth.of(truth.amazon), "clicks")
    asked = _query(truth, "", "clicks") | {"filters": both}
    found.append(Question("Clicks of both?", "query", asked, partial(_only, metric="clicks"), clicks))
    return found


def _ratios(truth: Truth) -> list[Question]:
    found = []
    for metric, above, below, profile in (
        ("ctr", "clicks", "impressions", truth.meta),
        ("cpc", "spend", "clicks", truth.meta),
        ("cpa", "spend", "conversions", truth.meta),
        ("roas", "revenue", "spend", truth.amazon),
    ):
        rows = truth.of(profile)
        expected = (total(rows, above) / total(rows, below)).quantize(_MILLIONTH)
        found.append(
            Question(f"{metric}?", "query", _query(truth, profile, metric), partial(_only, metric=metric), expected)
        )
    return found


def _by(metric: str, key: str) -> Callable[[Mapping[str, Any]], Any]:
    return partial(column, key=key, value=metric)


def _by_time(truth: Truth) -> list[Question]:
    meta, amazon, day = truth.meta, truth.amazon, truth.end.isoformat()
    weeks: dict[str, Decimal] = {}
    for when, value in truth.by(meta, "date", "impressions").items():
        monday = date.fromisoformat(when) - timedelta(days=date.fromisoformat(when).weekday())
        weeks[monday.isoformat()] = weeks.get(monday.isoformat(), Decimal(0)) + value
    last = {"start_date": day, "end_date": day}
    found = [
        Question(
            f"Spend of {name} by day?",
            "query",
            _query(truth, profile, "spend", "date"),
            _by("spend", "date"),
            truth.by(profile, "date", "spend"),
        )
        for name, profile in (("Meta", meta), ("Amazon", amazon))
    ]
    asked = _query(truth, meta, "impressions", "week")
    found.append(Question("Impressions of Meta by week?", "query", asked, _by("impressions", "week"), weeks))
    asked = _query(truth, amazon, "conversions") | last
    expected = total(truth.of(amazon, date=day), "conversions")
    part = partial(_only, metric="conversions")
    return [*found, Question("Conversions of Amazon on the last day?", "query", asked, part, expected)]


def _by_object(truth: Truth) -> list[Question]:
    def whole(answer: Mapping[str, Any]) -> Any:
        at = answer["columns"].index("spend")
        return sum(row[at] or 0 for row in answer["rows"]) + sum(row["spend"] for row in answer.get("left_out", []))

    meta, amazon = truth.meta, truth.amazon
    best = {profile: truth.by(profile, "campaign_id", "spend", "campaign") for profile in (meta, amazon)}
    return [
        Question(
            "Spend of Meta by campaign?",
            "query",
            _query(truth, meta, "spend", "campaign"),
            lambda answer: {key: value for key, value in column(answer, "campaign", "spend").items() if key},
            best[meta],
        ),
        Question(
            "Which campaign of Meta spent the most?",
            "query",
            _query(truth, meta, "spend", "campaign", limit=1),
            lambda answer: answer["rows"][0][answer["columns"].index("campaign")],
            max(best[meta], key=lambda key: best[meta][key]),
        ),
        Question(
            "The three campaigns of Amazon that spent the most?",
            "query",
            _query(truth, amazon, "spend", "campaign", limit=3),
            lambda answer: column({**answer, "rows": answer["rows"][:3]}, "campaign", "spend"),
            dict(sorted(best[amazon].items(), key=lambda pair: -pair[1])[:3]),
        ),
        Question(
            "The most clicks of an ad of Meta?",
            "query",
            _query(truth, meta, "clicks", "ad", limit=1),
            lambda answer: answer["rows"][0][answer["columns"].index("clicks")],
            max(truth.by(meta, "ad_id", "clicks", "ad").values()),
        ),
        Question(
            "Do the ads of Meta and what is unattributed add up?",
            "query",
            _query(truth, meta, "spend", "date", "ad"),
            whole,
            total(truth.of(meta), "spend"),
        ),
    ]


def _periods(truth: Truth) -> list[Question]:
    now = truth.part(truth.end - timedelta(days=_WEEK - 1), truth.end)
    before = truth.part(now.start - timedelta(days=_WEEK), now.start - timedelta(days=1))
    spend = total(now.of(truth.meta), "spend") - total(before.of(truth.meta), "spend")
    clicks, earlier = (total(each.of(truth.amazon), "clicks") for each in (now, before))
    return [
        Question(
            "How much more did Meta spend in the last week than in the one before?",
            "compare",
            _query(now, truth.meta, "spend"),
            partial(_only, metric="spend_difference"),
            spend,
        ),
        Question(
            "By which share did the clicks of Amazon change?",
            "compare",
            _query(now, truth.amazon, "clicks"),
            partial(_only, metric="clicks_change"),
            ((clicks - earlier) / earlier).quantize(_MILLIONTH),
        ),
    ]


def _standing(truth: Truth) -> list[Question]:
    def row(answer: Mapping[str, Any]) -> dict[str, Any]:
        (found,) = answer["rows"]
        return dict(zip(answer["columns"], found, strict=True))

    with_data = len(truth.by(truth.meta, "date", "impressions"))
    of_meta = {"account_id": truth.meta, **truth.days}
    return [
        Question(
            "How many days of Meta have data?",
            "accounts",
            of_meta,
            lambda answer: row(answer)["days_with_data"],
            with_data,
        ),
        Question("Is a day of Meta missing?", "quality", of_meta, lambda answer: row(answer)["days_missing"], 0),
        Question(
            "What is the spend of Meta made of?",
            "explain",
            _query(truth, truth.meta, "spend"),
            lambda answer: answer["adjustments"][0]["spend"]["shown"],
            total(truth.of(truth.meta), "spend"),
        ),
        Question("What does roas mean?", "fields", {}, lambda answer: answer["metrics"]["roas"], "revenue / spend"),
    ]
