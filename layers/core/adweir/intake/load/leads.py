"""Counts the leads that platforms report: the data type `leads` of the account's own profile, by day and campaign.

Each lead counts once, however often, in whatever order and at which address it arrived: the leads of an account, source
and day are one fold (`store.folds`), which knows them by hashes of their ids. The day on which a lead counts is said
once, before it is counted, in an object of its own: when the client's time zone has changed, or when it came without a
time at two addresses, it could be of another day, and two workers may ask at the same time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from adweir.intake.load.commit import named_task
from adweir.model import limits
from adweir.model.deliveries import LeadDelivery, StatedLead
from adweir.model.entities import own_profile_id
from adweir.model.errors import NotFound, UnreadableItem
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.money import MICRO
from adweir.model.series_ids import said_in, series_id
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Clock, Window, local_date
from adweir.store.folds import FOLDS, Delta, Fold, Folds, counted_once

if TYPE_CHECKING:
    from adweir.model.platforms import Platform
    from adweir.model.terms import Terms
    from adweir.store.catalog.store import Catalog

_ONE = (1,)


class LeadDay(NamedTuple):
    """The leads of an account and day as they are counted now, to be stored."""

    pull: Pull
    rows: list[MetricRow]


class LeadCounter:
    """Counts the leads of deliveries."""

    def __init__(self, catalog: Catalog, folds: Folds, clock: Clock) -> None:
        self._catalog = catalog
        self._folds = folds
        self._clock = clock

    def count(self, delivery: LeadDelivery, key: str) -> Iterator[LeadDay]:
        """Count the leads of the delivery under `key`, and yield each account's day with all that was counted of it.

        A delivery whose leads were all counted yields the same: whoever counted them may not have stored the sums. The
        leads of an account that was deleted are left out; so are those of a day whose fold may have gone: they were
        counted once, and nothing remembers them. Raises Throttled, TooLarge, UnreadableItem, Unavailable.
        """
        oldest = self._clock.now() - timedelta(days=limits.MAX_COUNTED_LEAD_AGE_DAYS)
        by_account = defaultdict[str, list[StatedLead]](list)
        for lead in delivery.leads:
            if lead.at >= oldest:
                by_account[lead.account_id].append(lead)
        for account_id, leads in by_account.items():
            try:
                account = self._catalog.account(account_id)
            except NotFound:
                continue
            terms = self._catalog.terms(account)
            own = own_profile_id(account_id)
            self._catalog.unlisted_profile(account, delivery.platform, own, terms)
            folder = f"{FOLDS}leads/{account_id}/{delivery.platform}"
            for day, found in self._by_day(folder, leads, terms).items():
                fold = self._folds.add(f"{folder}/{day}", [_delta(delivery.platform, lead) for lead in found]).fold
                stamp = Stamp(fold.as_of, named_task(f"{key}\x1f{account_id}\x1f{day}"))
                pull = _pull(delivery.platform, account_id, day, terms, stamp)
                yield LeadDay(pull, _rows(fold, pull))

    def _by_day(self, folder: str, leads: Iterable[StatedLead], terms: Terms) -> Mapping[date, list[StatedLead]]:
        """The leads by the day on which they count: where it was said before, that day."""
        by_day = defaultdict[date, list[StatedLead]](list)
        for lead in leads:
            key = f"{folder}/days/{counted_once(lead.lead).hex()}"
            said = self._folds.first(key, str(local_date(lead.at, terms.timezone)))
            try:
                by_day[date.fromisoformat(said)].append(lead)
            except ValueError:
                raise UnreadableItem(f"{key} is no day", key=key) from None
        return by_day


def _delta(platform: Platform, lead: StatedLead) -> Delta:
    said = {"platform": str(platform), "campaign_id": lead.campaign_id}
    return Delta(counted_once(lead.lead), series_id(said), _ONE)


def _pull(platform: Platform, account_id: str, day: date, terms: Terms, stamp: Stamp) -> Pull:
    return Pull(
        platform=platform,
        profile_id=own_profile_id(account_id),
        level=Level.LEAD,
        grain=Grain.DAY,
        source=Source.PUSH,
        slice=ALL,
        window=Window(day, day),
        stamp=stamp,
        complete=False,
        currency=terms.currency,
        timezone=terms.timezone,
        account_id=account_id,
    )


def _rows(fold: Fold, pull: Pull) -> list[MetricRow]:
    """All that the fold has: what another worker counted and did not live to store, too."""
    rows = []
    for line, entity_id in enumerate(sorted(fold.sums), 1):
        campaign_id = said_in(entity_id).get("campaign_id", "")
        (count,) = fold.amounts(entity_id)
        rows.append(
            MetricRow(
                entity_id=entity_id,
                day=pull.window.start.isoformat(),
                impressions=None,
                clicks=None,
                conversions=count * MICRO,
                spend=None,
                revenue=None,
                campaign_id=campaign_id,
                ad_product=str(pull.platform) if campaign_id else "",
                currency=pull.currency,
                line=line,
            )
        )
    return rows
