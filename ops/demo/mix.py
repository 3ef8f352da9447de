"""Compares media-mix coefficients with what drives the sales of a company in the sandbox's world.

The company hands over, in files, a year of what each campaign spent before it was pulled, what it sold in one country,
and when it had promotions and holidays there. What each channel truly brought has to lie in the 90 % intervals.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from adweir.model.metrics import METRICS
from adweir.model.money import MICRO
from ops.client import Api
from ops.demo.river import DemoFailed, Show, patience
from ops.demo.world import WorldDoors, known_as

COUNTRY, CURRENCY = "DE", "EUR"
"""Where the second client advertises on five platforms' ad accounts of one currency."""
DAYS = 365
_DOLLARS_PER_MILLE = 1100
"""Of a euro: the world's fixed rate (`sandbox.world.mix.USD_PER_MILLE`). Its truth is in dollars."""
_LEAST_INSIDE = 0.75
"""Of the channels: of twelve that are each inside with a chance of 90 %, fewer than nine are in 1 of 39 worlds."""

Put = Callable[[str, bytes], object]


class HeldChannel(NamedTuple):
    """What a channel truly brought, and the interval that was told; in whole units of the currency."""

    channel: str
    truth: float
    low: float
    high: float

    @property
    def is_inside(self) -> bool:
        return self.low <= self.truth <= self.high


@dataclass(frozen=True)
class HeldMix:
    """What came of a comparison."""

    channels: Sequence[HeldChannel] = ()
    reason: str = ""

    @property
    def inside(self) -> int:
        return sum(each.is_inside for each in self.channels)

    @property
    def right(self) -> bool:
        """Nothing was asked for, or as many truths lie inside as intervals of 90 % promise."""
        return not self.reason and self.inside >= _LEAST_INSIDE * len(self.channels)

    @property
    def text(self) -> str:
        """In one line."""
        if self.reason:
            return f"Media mix: {self.reason}"
        count, brought = len(self.channels), sum(each.truth for each in self.channels)
        return (
            f"Media mix: {self.inside} of {count} channels have what they truly brought in their 90 % intervals, "
            f"{brought:,.0f} {CURRENCY} together."
        )

    @property
    def lines(self) -> list[str]:
        """What lies outside, one line each; nothing where it is right."""
        if self.right:
            return []
        outside = (each for each in self.channels if not each.is_inside)
        return [f"{each.channel}: {each.truth:,.0f}, told {each.low:,.0f} to {each.high:,.0f}" for each in outside]


class CompanyMix:
    """Hands over what a company knows, has the media mix fitted, and compares it. `put` stores a file in drops/."""

    def __init__(self, api: Api, world: WorldDoors, client: Mapping[str, Any], put: Put, show: Show) -> None:
        self._api = api
        self._world = world
        self._client = client
        self._put = put
        self._show = show
        self._span = world.day(DAYS), world.day(1)
        described = world.get("mix", account=client["key"])["mix"][client["key"]]
        self._channels = [each for each in described["channels"] if each["country"] == COUNTRY]
        self._promotions = described["promotions"]
        self._sold = self._sales()

    def hand_over(self) -> None:
        """Files of sales, of promotions and holidays and of the year's days, and what counts as a channel."""
        account = self._client["account_id"]
        rules = list(self._rules())
        mix = {"channels": rules, "kpi": {"revenue": "turnover"}}
        self._api.patch(f"/api/v1/accounts/{account}", {"media_mix": mix})
        files = {
            "shop/kpi_series/sales.csv": _csv(("name", "date", "value", "currency"), self._turnover()),
            "shop/controls/days.csv": _csv(("name", "date", "value"), self._occasions()),
            "before.csv": self._history(),
        }
        for name, content in files.items():
            self._put(f"{account}/{name}", content)
        for done, name in enumerate(files, start=1):
            self._await_receipt(f"drops/{account}/{name}")
            self._show("a year of the media mix", done, len(files))

    def compared(self) -> HeldMix:
        """What the newest fit says, beside the truth. Ask for it when the dataset was made."""
        found = self._api.get(f"/api/v1/accounts/{self._client['account_id']}/mmm")
        fits = [each for each in found["coefficients"] if (each["currency"], each["kpi"]) == (CURRENCY, "revenue")]
        if not fits:
            return HeldMix(reason=f"nothing was fitted: {[each['reason'] for each in found['looks']]}")
        (fit,) = fits
        days = [each for each in self._sold if fit["first"] <= each["date"] <= fit["last"]]
        truth: dict[str, int] = {}
        for each in self._channels:
            brought = sum(day["contribution_micros"][each["channel"]] for day in days)
            name = self._named(each)
            truth[name] = truth.get(name, 0) + brought
        told = {each["channel"]: each["contribution"] for each in fit["channels"]}
        if told.keys() != truth.keys():
            return HeldMix(reason=f"channels {sorted(told)} were fitted, not {sorted(truth)}")
        held = (
            HeldChannel(name, _euros(micros) / MICRO, float(told[name]["low"]), float(told[name]["high"]))
            for name, micros in truth.items()
        )
        return HeldMix(tuple(held))

    def _sales(self) -> list[dict[str, Any]]:
        first, last = self._span
        asked = {"account": self._client["key"], "start": first.isoformat(), "end": last.isoformat()}
        found: list[dict[str, Any]] = self._world.get("sales", **asked)["sales"][self._client["key"]]
        return found

    def _named(self, channel: Mapping[str, Any]) -> str:
        """A channel's name in the dataset: its platform's, unless that has several."""
        alone = sum(each["platform"] == channel["platform"] for each in self._channels) == 1
        return str(channel["platform"]) if alone else f"{channel['platform']}_{channel['name']}"

    def _rules(self) -> Iterable[dict[str, Any]]:
        """Which campaigns are of which channel: what they are for has the channel's name."""
        campaigns = list(self._api.records("campaigns", {"client_account_id": self._client["account_id"]}))
        for channel in self._channels:
            name = self._named(channel)
            if name == channel["platform"]:
                continue
            mine = (each for each in campaigns if each["platform"] == channel["platform"])
            objectives = {each["objective"] for each in mine if _plain(each["objective"]) == _plain(channel["name"])}
            yield {"channel": name, "platform": channel["platform"], "objective": sorted(objectives)}

    def _turnover(self) -> Iterable[tuple[str, ...]]:
        for day in self._sold:
            regions = day["region_micros"].items()
            micros = _euros(sum(value for code, value in regions if code.startswith(f"{COUNTRY}-")))
            yield "turnover", day["date"], _units(micros), CURRENCY

    def _occasions(self) -> Iterable[tuple[str, ...]]:
        first, last = self._span
        for each in self._promotions:
            day = max(first, date.fromisoformat(each["first"]))
            while day <= min(last, date.fromisoformat(each["last"])):
                yield each["name"], day.isoformat(), "1"
                day += timedelta(days=1)
        for sold in self._sold:
            if COUNTRY in sold["holidays"]:
                yield "holiday", sold["date"], "1"

    def _history(self) -> bytes:
        """Campaigns by day, as the company's last tool kept them, of all its ad accounts of this currency. Days that
        were pulled stay what they are: a pull counts before a file."""
        first, last = self._span
        profiles = self._api.get("/api/v1/profiles", account_id=self._client["account_id"])["profiles"]
        rows: list[tuple[str, ...]] = []
        for profile in profiles:
            if profile["currency"] == CURRENCY and profile["status"] == "active":
                rows += self._days_of(profile, first, last)
        header = ("platform", "profile_id", "level", "campaign_id", "date", *METRICS)
        return _csv(header, rows)

    def _days_of(self, profile: Mapping[str, Any], first: date, last: date) -> Iterable[tuple[str, ...]]:
        about = profile["platform"], profile["profile_id"]
        asked = {"start": first.isoformat(), "end": last.isoformat(), "level": "campaign"}
        rows = self._world.get("truth", **known_as(profile), **asked)["rows"]
        for row in rows:
            amounts = (_units(row[f"{name}_micros"]) for name in METRICS[2:])
            counts = (str(row[name]) for name in METRICS[:2])
            yield (*about, "campaign", row["campaign_id"], row["date"], *counts, *amounts)
        if not rows:  # an ad account that is idle says so
            for number in range((last - first).days + 1):
                yield (*about, "account", "", (first + timedelta(days=number)).isoformat(), *("0" for _ in METRICS))

    def _await_receipt(self, key: str) -> None:
        for _ in patience(f"the receipt of {key}"):
            receipts = self._api.get("/api/v1/receipts", account_id=self._client["account_id"])["receipts"]
            mine = [each for each in receipts if each["key"] == key]
            if mine and mine[0]["state"] != "loaded":
                raise DemoFailed(f"{key} ended {mine[0]['state']}: {mine[0].get('reason')}")
            if mine:
                return


NO_MIX = HeldMix()
"""Nothing was asked for."""


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _euros(dollars: int) -> int:
    return dollars * 1000 // _DOLLARS_PER_MILLE


def _units(micros: int) -> str:
    return f"{micros // MICRO}.{micros % MICRO:06d}"
