"""Records of the world's Marketing Stream, read by the hooks: each once, they add up to the truth of every hour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from adweir.model.errors import BadInput
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.streams import ChangedLists, HourDelta, StreamHooks
from sandbox.platforms.amazon_ads import STAND_IN
from sandbox.platforms.amazon_ads.stream import send_burst
from sandbox.platforms.amazon_ads.stream_datasets import AWS_REGIONS, DATASETS, topic_arn
from support.platform_server import running
from support.stream_caller import StreamCaller

NUMBERED = tuple(f"{program}-{kind}" for program in ("sp", "sb", "sd") for kind in ("traffic", "conversion"))
OTHERS = ("budget-usage", "campaigns", "adgroups", "ads", "targets")
_FIGURES = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
_Sums = dict[tuple[str, str], dict[str, tuple[int, ...]]]


@pytest.fixture(scope="module")
def hooks() -> StreamHooks:
    return REGISTRY.stream(Platform("amazon_ads"))


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[StreamCaller, list[bytes]]]:
    """A stream of every dataset, and its messages of two bursts a day apart, some of them more than once."""
    with running([STAND_IN]) as server:
        stream = StreamCaller(server)
        stream.active(*NUMBERED, *OTHERS)
        for moved, days in ((timedelta(hours=6), 2), (timedelta(days=1, hours=3), 8)):
            stream.outside.move(moved)
            send_burst(server.outside, {"days": days, "times": 2})
        yield stream, [body.encode() for _, body in stream.queues.sent]


def summed(hooks: StreamHooks, messages: list[bytes], products: dict[str, str]) -> _Sums:
    """(ad, hour) → by dataset the sum of its records, once each. Other programs' rows are left out."""
    seen: set[str] = set()
    sums: _Sums = {}
    for message in messages:
        record = hooks.read(message)
        if not isinstance(record, HourDelta) or record.id in seen:
            continue
        seen.add(record.id)
        if hooks.products[record.dataset] == products[record.campaign_id]:
            of_ad = sums.setdefault((f"{record.ad_group_id}~{record.ad_id}", record.start.isoformat()), {})
            before = of_ad.get(record.dataset, (0,) * len(record.amounts))
            of_ad[record.dataset] = tuple(a + b for a, b in zip(before, record.amounts, strict=True))
    return sums


def test_records_once_each_in_any_order_are_the_truth_to_the_millionth(
    hooks: StreamHooks, told: tuple[StreamCaller, list[bytes]]
) -> None:
    # given
    stream, messages = told
    profile = stream.caller.profile
    products = {campaign.id: campaign.product for campaign in profile.campaigns}
    truth = {(row["entity_id"], row["time_window_start"]): row for row in stream.truth()["rows"]}

    # when
    sums = summed(hooks, list(reversed(messages)), products)

    # then
    assert sums.keys() == truth.keys()
    for key, datasets in sums.items():
        numbers = [0] * len(_FIGURES)
        for dataset, amounts in datasets.items():
            slot = hooks.numbers(dataset, amounts, AmazonOptions(), profile.kind)
            numbers = [a + (b or 0) for a, b in zip(numbers, slot, strict=True)]
        assert numbers == [truth[key][name] for name in _FIGURES], (key, datasets)


def test_every_record_names_its_profile_and_nothing_is_beyond_the_hooks(
    hooks: StreamHooks, told: tuple[StreamCaller, list[bytes]]
) -> None:
    # when
    stream, messages = told
    read = [(json.loads(message)["dataset_id"], hooks.read(message)) for message in messages]

    # then
    account = stream.caller.got("/v2/profiles").json()[0]["accountInfo"]
    aliases = {record.alias for _, record in read if record is not None}
    assert aliases == {f"{account['id']}@{account['marketplaceStringId']}"}
    kinds: dict[str, set[Any]] = {}
    for dataset, record in read:
        kinds.setdefault(dataset, set()).add(type(record))
    assert {dataset: kinds[dataset] for dataset in NUMBERED} == {key: {HourDelta} for key in NUMBERED}
    assert kinds["budget-usage"] == {type(None)}  # a state, which is never summed
    assert {dataset: kinds[dataset] for dataset in OTHERS[1:]} == {key: {ChangedLists} for key in OTHERS[1:]}


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_topic_of_amazon_s_is_known_and_a_stranger_s_is_not(hooks: StreamHooks, dataset: str) -> None:
    # when
    routes = {region: hooks.route(topic_arn(dataset, region), ()) for region in AWS_REGIONS}

    # then
    assert routes == {region: region.lower() for region in AWS_REGIONS}
    foreign = topic_arn(dataset, "NA").replace("us-east-1", "eu-west-1")
    for strange in ("arn:aws:sns:us-east-1:111122223333:topic", foreign):
        with pytest.raises(BadInput):
            hooks.route(strange, ())
