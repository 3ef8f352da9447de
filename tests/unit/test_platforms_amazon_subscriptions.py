"""The list of subscriptions to Amazon Marketing Stream has an end, whatever Amazon answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import cast

import pytest

from adweir.model.errors import RequestRejected, Transient
from adweir.platforms.amazon_ads import subscriptions
from adweir.platforms.amazon_ads.api import AmazonCalls
from adweir.platforms.http import Response

QUEUE = "arn:aws:sqs:us-east-1:123456789012:adweir-stream"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Listing:
    """Answers each request for the list with an empty page that names another one."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def get(self, path: str, _profile_id: str, _params: Mapping[str, str]) -> Response:
        body = json.dumps({"subscriptions": [], "nextToken": self._token()}).encode()
        return Response(200, {}, body, path)


def test_a_list_that_names_the_same_page_again_is_not_taken_for_the_whole() -> None:
    listing = cast("AmazonCalls", Listing(lambda: "again"))

    with pytest.raises(Transient, match="the same page again"):
        list(subscriptions.pages(listing, "1", ("sp-traffic",), QUEUE, "na", NOW))


def test_a_list_without_an_end_is_refused() -> None:
    tokens = map(str, count())
    listing = cast("AmazonCalls", Listing(lambda: next(tokens)))

    with pytest.raises(RequestRejected, match="more than 20 pages"):
        list(subscriptions.pages(listing, "1", ("sp-traffic",), QUEUE, "na", NOW))
