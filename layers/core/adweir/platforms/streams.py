"""How a platform sends numbers through Amazon SNS: the hooks that its folder offers as `stream.HOOKS`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from adweir.model.datasets import Dataset
from adweir.model.metrics import Slot
from adweir.platforms.base import ProfileOptions


class HourDelta(NamedTuple):
    """What one record adds to an hour of an ad. `id` counts it once. `alias` is the ad account (`Profile.alias`).

    `start` is the beginning of the hour on the clocks of the ad account, with their offset from UTC. `amounts` are
    those of the dataset, in units of the hooks.
    """

    dataset: str
    id: str
    alias: str
    start: datetime
    campaign_id: str
    ad_group_id: str
    ad_id: str
    currency: str
    amounts: tuple[int, ...]


class ChangedLists(NamedTuple):
    """A record that says that an object has changed: the lists of its ad account and slice that have it."""

    alias: str
    datasets: tuple[Dataset, ...]
    slice: str


class StreamHooks(Protocol):
    """What the stream's door and its loader need to know about the platform that sends."""

    @property
    def products(self) -> Mapping[str, str]:
        """Each dataset whose records add to hours → the ad product that it is about."""
        ...

    def route(self, topic_arn: str, further: Collection[str]) -> str:
        """The route (region) of the platform whose topic this is; `further` are accounts that a deployment trusts too.

        Raises BadInput that says why for the topic of anybody else.
        """
        ...

    def read(self, line: bytes) -> HourDelta | ChangedLists | None:
        """A record as it was sent; None for one that brings nothing to keep. Raises ValueError (field, message)."""
        ...

    def numbers(self, dataset: str, amounts: tuple[int, ...], options: ProfileOptions, profile_kind: str) -> Slot:
        """What sums of a dataset's amounts mean under a profile's options; () are those of an hour without a record.

        What the dataset does not report is None, and so is what the options ask for and it cannot say.
        """
        ...
