"""Loads stored webhook deliveries: metric pushes → hourly metrics, notifications → targeted re-pulls, leads → counts.

The door read and resolved them (`model.deliveries`); here they are merged. Loading one again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from adweir.intake.load.commit import Allowance, Committer, Origin, named_task
from adweir.intake.load.holding import HeldBack
from adweir.intake.load.repulls import Repulls
from adweir.model import trace
from adweir.model.datasets import Dataset
from adweir.model.deliveries import DELIVERIES, MetricPush, Notification, Repull, StatedSeries, read_delivery
from adweir.model.errors import AdweirError
from adweir.model.messages import ObjectArrived, Scope
from adweir.model.metrics import Grain, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.ports import Queue
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows

if TYPE_CHECKING:
    from adweir.intake.load.leads import LeadCounter
    from adweir.store.raw.store import RawStore

PREFIX = DELIVERIES
"""An object is pulled again at most once in this time."""
_CHANGEABLE = (
    Dataset.CAMPAIGNS,
    Dataset.AD_GROUPS,
    Dataset.ADS,
    Dataset.CAMPAIGN_DAILY,
    Dataset.AD_GROUP_DAILY,
    Dataset.AD_DAILY,
    Dataset.ACCOUNT_DAILY,
)
"""What a notification may have changed: a status is the object's, a delivery problem shows in the numbers.

Account totals are pulled where the whole ad account is: they have no part of one campaign.
"""


class DeliveryLoader:
    """Loads one stored delivery."""

    def __init__(self, raw: RawStore, committer: Committer, runs: Queue, leads: LeadCounter) -> None:
        self._raw = raw
        self._committer = committer
        self._repulls = Repulls(runs, "webhook")
        self._leads = leads

    def load(self, message: ObjectArrived, remaining: Callable[[], float]) -> None:
        """Load a delivery. Raises BadInput for an object that is not one, Throttled, NotReady, Unavailable."""
        delivery = read_delivery(self._raw.get_bytes(message.key, message.version_id))
        trace.add(account_id=delivery.account_id, platform=delivery.platform)
        if isinstance(delivery, MetricPush):
            held = HeldBack()
            for series in delivery.series:
                held = held.plus(self._merge(delivery, series, message, Allowance(remaining)))
            self._hold(message, delivery.account_id, str(delivery.platform), held)
        elif isinstance(delivery, Notification):
            for repull in delivery.repulls:
                self._pull_again(delivery, repull)
        else:
            for pull, rows in self._leads.count(delivery, message.key):
                task_id = pull.stamp.task_id
                trace.add(account_id=pull.account_id, profile_id=pull.profile_id, task_id=task_id)
                origin = Origin("leads", task_id, message.key, load=message.load)
                self._store(pull, rows, origin, Allowance(remaining))

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """Report an object that cannot be loaded; it stays. Raises `error` when its key is not a delivery's."""
        _, _, rest = message.key.partition(PREFIX)
        platform, _, rest = rest.partition("/")
        account_id, _, name = rest.partition("/")
        if not name:
            raise error
        origin = Origin("delivery", named_task(message.key), message.key, platform=platform, account_id=account_id)
        self._committer.breach(origin, f"{error.code}: {error.message}")
        self._committer.not_moved(message, error)

    def _hold(self, message: ObjectArrived, account_id: str, platform: str, held: HeldBack) -> None:
        origin = Origin("push", named_task(message.key), message.key, load=message.load)
        self._committer.hold(replace(origin, account_id=account_id, platform=platform), held)

    def _merge(self, push: MetricPush, series: StatedSeries, message: ObjectArrived, allowance: Allowance) -> HeldBack:
        """Store the hours of one profile and level; each replaces what an older push stated for it."""
        key = message.key
        task_id = named_task(f"{key}\x1f{series.profile_id}\x1f{series.level}")
        trace.add(account_id=series.account_id, profile_id=series.profile_id, task_id=task_id)
        days = sorted({hour.date for hour in series.hours})
        pull = Pull(
            platform=Platform(series.platform) if series.platform else push.platform,
            profile_id=series.profile_id,
            level=series.level,
            grain=Grain.HOUR,
            source=Source.PUSH,
            slice=ALL,
            window=Window(date.fromisoformat(days[0]), date.fromisoformat(days[-1])),
            stamp=Stamp.of(push.as_of, task_id),
            complete=False,
            currency=series.currency,
            timezone=series.timezone,
            account_id=series.account_id,
        )
        return self._store(pull, _rows(series), Origin("push", task_id, key, load=message.load), allowance)

    def _store(self, pull: Pull, found: list[MetricRow], origin: Origin, allowance: Allowance) -> HeldBack:
        rows = PullRows()
        with Quarantine() as quarantine:
            loop = RowLoop(pull, sorted({row.day for row in found}), rows, quarantine)
            loop.take(found, ())
            loop.finish()
            quarantine_key = quarantine.store(self._raw, origin.quarantine_key)
            held = HeldBack.of(quarantine, quarantine_key)
        self._committer.store(pull, rows, loop, origin, quarantine_key, allowance)
        return held

    def _pull_again(self, notification: Notification, repull: Repull) -> None:
        """Start a run for one object and its numbers."""
        scope = Scope(
            accounts=(repull.account_id,),
            platforms=(str(notification.platform),),
            profiles=(repull.profile_id,),
            datasets=tuple(dataset.value for dataset in _CHANGEABLE),
            slice=repull.slice,
        )
        profile_key = f"{notification.platform}#{repull.profile_id}"
        self._repulls.start(scope, notification.as_of, profile_key, (repull.level, repull.object_id))


def _rows(series: StatedSeries) -> list[MetricRow]:
    return [
        MetricRow(
            entity_id=hour.entity_id,
            day=hour.date,
            impressions=hour.impressions,
            clicks=hour.clicks,
            conversions=hour.conversions,
            spend=hour.spend,
            revenue=hour.revenue,
            campaign_id=hour.campaign_id,
            ad_group_id=hour.ad_group_id,
            hour=hour.hour,
            currency=series.currency,
            ad_product=hour.ad_product,
            line=number,
        )
        for number, hour in enumerate(series.hours, 1)
    ]
