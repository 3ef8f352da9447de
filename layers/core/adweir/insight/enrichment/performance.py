"""How ads did, beside the client's other ads of their kind and the benchmarks that the client dropped.

All of it is derived when it is read, from the sums of the days that are asked for (`reporting.ads`): of each ad its
click rate and its conversion rate, drawn towards those of the client's ads of the same platform, objective and format
as far as its own numbers are few. Industry's numbers are those of the client's `benchmarks`, never made up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.enrichment.rates import Judged, RatePrior, Tries, judged, percentile, prior_of
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import SHOWN_OWN, AdCampaign, own_profile_id
from adweir.model.errors import AdweirError
from adweir.model.platforms import Platform

if TYPE_CHECKING:
    from adweir.model.ports import PlatformParser
    from adweir.store.catalog.store import Catalog

RATES: Mapping[str, tuple[str, str]] = {"ctr": ("clicks", "impressions"), "cvr": ("conversions", "clicks")}
"""Rate → what counts as a hit, and what as a trial."""
LEAST: Mapping[str, int] = {"ctr": 1000, "cvr": 100}
"""Trials that an ad needs to be ranked."""
_SAME = {"cvr": ("cvr", "conversion_rate")}
_DIGITS = 6
_Record = Mapping[str, Any]


class AdKind(NamedTuple):
    """The ads that are compared with each other: those of a client, of a platform, an objective and a format."""

    client: str
    platform: str
    objective: str
    format: str


class _KindRates(NamedTuple):
    """What is known of a kind's rates."""

    ads: int
    priors: dict[str, RatePrior | None]
    ranked: dict[str, list[float]]


class Performances:
    """How ads did. `portfolio`: all ads of the clients and platforms that are asked about, with their sums."""

    def __init__(self, catalog: Catalog, parse: PlatformParser, portfolio: Iterable[_Record]) -> None:
        self._catalog = catalog
        self._parse = parse
        self._objectives: dict[tuple[str, ...], dict[str, str]] = {}
        self._benchmarks: dict[str, list[dict[str, Any]]] = {}
        by_kind: dict[AdKind, list[_Record]] = defaultdict(list)
        self._ads: dict[tuple[Any, ...], _Record] = {}
        for ad in portfolio:
            by_kind[self._kind(ad)].append(ad)
            self._ads[_key(ad)] = ad
        self._groups = {kind: _group(ads) for kind, ads in by_kind.items()}

    def of(self, ad: _Record) -> dict[str, Any]:
        """How an ad did; the rates that nothing is known of are null."""
        kind = self._kind(ad)
        group, own = self._groups.get(kind, _group([])), self._ads.get(_key(ad), ad)
        return {
            "compared_with": {
                "platform": kind.platform, "objective": kind.objective or None, "format": kind.format, "ads": group.ads
            },
            **{name: self._rate(name, own, group, kind) for name in RATES},
        }  # fmt: skip

    def _rate(self, name: str, ad: _Record, group: _KindRates, kind: AdKind) -> dict[str, Any] | None:
        tries, prior = _tries(name, ad), group.priors.get(name)
        found = judged(tries, prior) if tries else None
        if tries is None or found is None:
            return None
        ranked = group.ranked[name] if tries.trials >= LEAST[name] and name in group.ranked else []
        return {
            "rate": _exact(found.rate),
            "low": _exact(found.low),
            "high": _exact(found.high),
            "trials": _exact(tries.trials),
            "hits": _exact(tries.hits),
            "prior": None if prior is None else {"mean": _exact(prior.mean), "strength": _exact(prior.strength)},
            "percentile": _exact(percentile(found.rate, ranked)) if len(ranked) > 1 else None,
            "ranked": len(ranked),
            "benchmarks": self._beside(name, found, kind),
        }

    def _beside(self, name: str, found: Judged, kind: AdKind) -> list[dict[str, Any]]:
        """The client's newest benchmarks of a rate, one per source, publisher, industry and region."""
        if kind.client not in self._benchmarks:
            self._benchmarks[kind.client] = list(self._read(kind.client))
        newest: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in self._benchmarks[kind.client]:
            fits = row["metric"] in _SAME.get(name, (name,)) and row["platform"] in {None, kind.platform}
            place = tuple(row[each] or "" for each in ("source", "publisher", "industry", "geo", "platform"))
            if fits and (place not in newest or (row["date"] or "") > (newest[place]["date"] or "")):
                newest[place] = row
        shown = [newest[place] for place in sorted(newest)][: limits.MAX_SHOWN_BENCHMARKS]
        said = ("source", "publisher", "industry", "geo", "platform", "date", "value")
        rate = _exact(found.rate)
        return [{**{each: row[each] for each in said}, "ratio": round(rate / row["value"], _DIGITS)} for row in shown]

    def _read(self, client: str) -> Iterable[dict[str, Any]]:
        """The benchmarks of a client that can be compared with: a value above 0."""
        for row in self._catalog.references(client, "benchmarks"):
            value = Decimal(row.cells["value"])
            if value > 0:
                named = ("publisher", "industry", "geo", "platform", "date")
                cells = {name: row.cells.get(name) or None for name in named}
                cells["platform"] = self._platform(cells["platform"])
                yield {**cells, "metric": row.cells["metric"].lower(), "value": value, "source": str(row.source)}

    def _platform(self, name: str | None) -> str | None:
        """A benchmark's platform; a name that is none known stays as it is."""
        try:
            return str(self._parse(name)) if name else None
        except AdweirError:
            return name

    def _kind(self, ad: _Record) -> AdKind:
        account = ad["platform"], ad["account_id"], ad["client_account_id"]
        if account not in self._objectives:
            profile_id = own_profile_id(ad["client_account_id"]) if account[1] == SHOWN_OWN else account[1]
            found = self._catalog.objects(Platform(account[0]), profile_id, Dataset.CAMPAIGNS)
            self._objectives[account] = {each.id: each.objective for each in found if isinstance(each, AdCampaign)}
        objective = self._objectives[account].get(ad["campaign_id"], "")
        return AdKind(ad["client_account_id"], ad["platform"], objective, _format(ad))


def _group(ads: Sequence[_Record]) -> _KindRates:
    priors: dict[str, RatePrior | None] = {}
    ranked: dict[str, list[float]] = {}
    for name in RATES:
        tries = [each for ad in ads if (each := _tries(name, ad))]
        priors[name] = prior = prior_of(tries)
        rates = (judged(each, prior) for each in tries if each.trials >= LEAST[name])
        ranked[name] = [each.rate for each in rates if each]
    return _KindRates(len(ads), priors, ranked)


def _tries(name: str, ad: _Record) -> Tries | None:
    """None where the platform does not say it."""
    hits, trials = (ad[each] for each in RATES[name])
    return None if hits is None or trials is None else Tries(float(hits), float(trials))


def _format(ad: _Record) -> str:
    if ad["video_url"]:
        return "video"
    return "image" if ad["image_url"] else "text"


def _key(ad: _Record) -> tuple[Any, ...]:
    return tuple(ad[name] for name in ("platform", "account_id", "ad_group_id", "ad_id", "currency"))


def _exact(number: float) -> Decimal:
    return round(Decimal(number), _DIGITS).normalize() + 0
