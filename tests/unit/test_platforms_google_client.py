"""Google's connector on real wire traffic to a loopback server: tokens, headers, streams, pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    ReportFailed,
    RequestRejected,
    Throttled,
    TooMuchData,
    Transient,
)
from adweir.model.times import Window
from adweir.platforms.connector import Mode, Page
from adweir.platforms.google_ads import SPEC
from adweir.platforms.google_ads.client import GoogleConnector
from support.clock import FrozenClock
from support.google_wire import CUSTOMER, SECRET, GoogleStub, batch, connected, failed, page, query_of, quota, row, task
from support.stub_http import Answer, Call, StubServer


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        yield made


@pytest.fixture
def wire(stub: StubServer) -> GoogleStub:
    return GoogleStub(stub)


@pytest.fixture
def google(wire: GoogleStub, session: requests.Session, clock: FrozenClock) -> GoogleConnector:
    return connected(wire.stub, session, clock)


def bodies(pages: Iterator[Page]) -> list[Any]:
    return [json.loads(one.content()) for one in pages]


class TestTokens:
    def test_a_refresh_is_form_encoded_and_serves_all_calls(self, google: GoogleConnector, wire: GoogleStub) -> None:
        list(google.pages(task()))
        list(google.pages(task()))
        (refresh,) = wire.tokens
        assert refresh.form == {**SECRET, "grant_type": "refresh_token"}
        assert refresh.headers["Content-Type"] == "application/x-www-form-urlencoded"

    @pytest.mark.parametrize("dataset", [Dataset.AD_DAILY, Dataset.CAMPAIGNS])
    def test_a_token_that_ended_is_refreshed_once(
        self, google: GoogleConnector, wire: GoogleStub, dataset: Dataset
    ) -> None:
        wire.route = lambda _: Answer(200, [batch([row()])] if dataset.grain else page([row()]))
        list(google.pages(task(dataset)))
        wire.given += 1  # the token that it holds is no longer the newest
        assert len(list(google.pages(task(dataset)))) == 1
        assert len(wire.tokens) == 2

    @pytest.mark.parametrize("dataset", [Dataset.AD_DAILY, Dataset.CAMPAIGNS])
    def test_a_fresh_token_that_is_refused_is_a_dead_credential(
        self, google: GoogleConnector, wire: GoogleStub, dataset: Dataset
    ) -> None:
        refused = failed(401, "UNAUTHENTICATED", {"authenticationError": "OAUTH_TOKEN_EXPIRED"})
        wire.route = lambda _: Answer(401, [refused] if dataset.grain else refused)
        with pytest.raises(AuthExpired):
            list(google.pages(task(dataset)))
        assert len(wire.tokens) == 2

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (Answer(400, {"error": "invalid_grant", "error_description": "Token has been revoked."}), AuthExpired),
            (Answer(401, {"error": "invalid_client"}), AuthExpired),
            (Answer(400, {"error": "invalid_request"}), RequestRejected),
            (Answer(429, b""), Throttled),
            (Answer(200, b"<html>"), Transient),
            (Answer(200, {"access_token": "ya29.\u20ac"}), Transient),
        ],
    )
    def test_other_answers_of_the_token_endpoint(
        self, google: GoogleConnector, wire: GoogleStub, answer: Answer, error: type[Exception]
    ) -> None:
        wire.token_answers = [answer]
        with pytest.raises(error):
            list(google.pages(task()))
        assert wire.calls == []


class TestRequests:
    def test_a_question_names_the_customer_the_days_and_all_metrics(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        list(google.pages(task()))
        (call,) = wire.calls
        assert (call.method, call.path) == ("POST", f"/v26/customers/{CUSTOMER}/googleAds:searchStream")
        assert call.headers["Content-Type"] == "application/json"
        assert json.loads(call.body) == {"query": query_of(call)}
        assert query_of(call) == (
            "SELECT campaign.id, ad_group.id, segments.date, ad_group_ad.ad.id, metrics.impressions, metrics.clicks,"
            " metrics.interactions, metrics.cost_micros, metrics.conversions, metrics.conversions_value,"
            " metrics.all_conversions, metrics.all_conversions_value, metrics.view_through_conversions"
            " FROM ad_group_ad WHERE segments.date BETWEEN '2026-11-01' AND '2026-11-07'"
            " PARAMETERS omit_unselected_resource_names=true"
        )

    def test_a_manager_is_named_in_a_header_and_a_developer_token_only_where_there_is_one(
        self, wire: GoogleStub, session: requests.Session, clock: FrozenClock
    ) -> None:
        list(connected(wire.stub, session, clock).pages(task()))
        list(connected(wire.stub, session, clock, route="55").pages(task()))
        own = connected(wire.stub, session, clock, login_customer_id="123-456-7890", developer_token="abcdefgh-123")
        list(own.pages(task()))
        sent = [(call.headers.get("Login-Customer-Id"), call.headers.get("Developer-Token")) for call in wire.calls]
        assert sent == [(None, None), ("55", None), ("1234567890", "abcdefgh-123")]
        assert own.route == "1234567890"

    def test_a_campaign_s_slice_is_a_condition(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.route = lambda call: Answer(200, [batch([])] if call.path.endswith("Stream") else page([]))
        list(google.pages(task(Dataset.KEYWORD_DAILY, slice="campaign=111")))
        list(google.pages(task(Dataset.KEYWORDS, slice="campaign=111")))
        numbers, keywords = map(query_of, wire.calls)
        assert "BETWEEN '2026-11-01' AND '2026-11-07' AND campaign.id = 111 PARAMETERS" in numbers
        assert keywords.endswith(
            "WHERE ad_group_criterion.type = 'KEYWORD' AND ad_group_criterion.negative = FALSE AND campaign.id = 111"
        )

    @pytest.mark.parametrize(
        "asked",
        [
            task(Dataset.AD_HOURLY),
            task(Dataset.TARGETS),
            task(Dataset.CREATIVES, slice="campaign=111"),
            task(slice="campaign=1 OR 1"),
            task(slice="sp"),
            task(Dataset.ACCOUNT_DAILY, slice="campaign=111"),
            task(window=None),
            task(profile_id="1/../2"),
        ],
    )
    def test_what_google_does_not_have_is_not_asked_for(
        self, google: GoogleConnector, wire: GoogleStub, asked: Any
    ) -> None:
        with pytest.raises(RequestRejected):
            list(google.pages(asked))
        assert wire.calls == []

    def test_every_dataset_of_the_spec_is_asked_for_without_a_filter_on_status(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        wire.route = lambda call: Answer(200, [batch([])] if call.path.endswith("Stream") else page([]))
        for dataset in SPEC.datasets:
            if dataset not in {Dataset.PROFILES, Dataset.INVOICES}:  # invoices: of the setups that there are
                assert [one.last for one in google.pages(task(dataset))][-1]
        asked = list(map(query_of, wire.calls))
        assert not any(".status" in query.partition(" WHERE ")[2] for query in asked)
        assert all(
            "metrics.cost_micros" in query for query in asked if "segments.date" in query and "action" not in query
        )

    def test_an_asset_group_s_numbers_are_asked_for_beside_those_of_ad_groups(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        pages = list(google.pages(task(Dataset.AD_GROUP_DAILY)))
        assert [(one.label, one.last, one.resume) for one in pages] == [("", False, "1:"), ("asset_groups", True, "")]
        assert [" FROM ad_group WHERE" in query_of(call) for call in wire.calls] == [True, False]
        assert [one.label for one in google.pages(task(Dataset.AD_GROUP_DAILY), "1:")] == ["asset_groups"]


class TestStreams:
    def test_a_stream_s_batches_are_pages_and_its_end_is_the_end(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        sent = [batch([row()] * 3), batch([row()]), {"fieldMask": "x", "requestId": "r"}]
        for text in (json.dumps(sent), json.dumps(sent, indent=2).replace("},", "}\n,\r\n")):
            wire.answers = [Answer(200, text.encode())]
            pages = list(google.pages(task()))
            assert [json.loads(one.content()) for one in pages] == sent
            assert [one.last for one in pages] == [False, False, True]

    def test_an_empty_array_is_whole(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.answers = [Answer(200, b"[]")]
        assert [(one.content(), one.last) for one in google.pages(task())] == [(b"{}", True)]

    @pytest.mark.parametrize(
        "body",
        [
            json.dumps([batch([row()])] * 3).encode()[:-1],
            json.dumps([batch([row()])] * 3).encode()[:-40],
            b"<html>a proxy</html>",
            b"",
            b'["text"]',
            json.dumps(batch([row()])).encode(),
            json.dumps([batch([row()])]).encode() + b" more",
        ],
    )
    def test_what_is_not_a_closed_array_of_batches_is_no_end(
        self, google: GoogleConnector, wire: GoogleStub, body: bytes
    ) -> None:
        wire.answers = [Answer(200, body)]
        seen: list[Page] = []
        with pytest.raises(Transient):
            seen += google.pages(task())
        assert not any(one.last for one in seen)

    def test_a_connection_that_breaks_is_no_end(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.answers = [Answer(200, json.dumps([batch([row()] * 5000)] * 4).encode(), hang_up=True)]
        with pytest.raises(Transient):
            list(google.pages(task()))

    def test_an_error_after_batches_of_rows_is_an_error(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.answers = [Answer(200, [batch([row()]), quota("0.900s", "ACCOUNT")])]
        seen: list[Page] = []
        with pytest.raises(Throttled) as caught:
            seen += google.pages(task())
        assert caught.value.retry_after == 0.9
        assert not any(one.last for one in seen)

    def test_a_refused_stream_says_why_as_an_array_and_as_an_object(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        error = failed(400, "INVALID_ARGUMENT", {"queryError": "UNRECOGNIZED_FIELD"})
        for body in (error, [error]):
            wire.answers = [Answer(400, body)]
            with pytest.raises(RequestRejected, match="UNRECOGNIZED_FIELD"):
                list(google.pages(task()))

    def test_a_row_that_no_decoder_takes_costs_itself_only(self, google: GoogleConnector, wire: GoogleStub) -> None:
        for odd in ('{"campaign":{"name":"\\ud83d"}}', '{"campaign":NaN}', "[" * 1200 + "]" * 1200):
            body = json.dumps([batch([row(), "ODD"]), batch([row()])]).replace('"ODD"', odd)
            wire.answers = [Answer(200, body.encode())]
            assert [one.last for one in google.pages(task())] == [False, True]

    def test_a_broken_server_is_asked_again(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.answers = [Answer(503, b"busy"), Answer(200, [batch([row()])])]
        assert len(list(google.pages(task()))) == 1


class TestPages:
    def test_a_list_is_paged_with_the_same_question_and_without_a_size(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        wire.answers = [Answer(200, page([row()], "p2")), Answer(200, page([row()], "p3")), Answer(200, page([]))]
        pages = list(google.pages(task(Dataset.CAMPAIGNS)))
        first, second, third = (json.loads(call.body) for call in wire.calls)
        assert wire.calls[0].path == f"/v26/customers/{CUSTOMER}/googleAds:search"
        assert set(first) == {"query"}
        assert second == first | {"pageToken": "p2"}
        assert third == first | {"pageToken": "p3"}
        assert [(one.last, one.resume) for one in pages] == [(False, "0:p2"), (False, "0:p3"), (True, "")]

    def test_a_pull_goes_on_behind_the_page_it_had(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.answers = [Answer(200, page([row()]))]
        assert [one.last for one in google.pages(task(Dataset.CAMPAIGNS), "0:p2")] == [True]
        assert json.loads(wire.calls[0].body)["pageToken"] == "p2"

    @pytest.mark.parametrize("code", ["EXPIRED_PAGE_TOKEN", "INVALID_PAGE_TOKEN"])
    def test_a_page_token_that_ended_begins_the_question_anew(
        self, google: GoogleConnector, wire: GoogleStub, code: str
    ) -> None:
        ended = Answer(400, failed(400, "INVALID_ARGUMENT", {"requestError": code}))
        wire.answers = [ended, Answer(200, page([row()]))]
        assert len(list(google.pages(task(Dataset.CAMPAIGNS), "0:p2"))) == 1
        assert "pageToken" not in json.loads(wire.calls[1].body)
        wire.answers = [ended]
        with pytest.raises(RequestRejected):
            list(google.pages(task(Dataset.CAMPAIGNS)))

    def test_a_page_that_names_itself_is_not_followed(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.route = lambda _: Answer(200, page([row()], "p2"))
        with pytest.raises(Transient):
            list(google.pages(task(Dataset.CAMPAIGNS)))
        assert len(wire.calls) == 2

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"results":'])
    def test_a_page_that_is_none_is_transient(self, google: GoogleConnector, wire: GoogleStub, body: bytes) -> None:
        wire.answers = [Answer(200, body)]
        with pytest.raises(Transient):
            list(google.pages(task(Dataset.CAMPAIGNS)))

    def test_a_list_that_times_out_is_tried_again_because_it_cannot_be_narrowed(
        self, google: GoogleConnector, wire: GoogleStub, clock: FrozenClock
    ) -> None:
        late = failed(504, "DEADLINE_EXCEEDED", {"internalError": "DEADLINE_EXCEEDED"})
        wire.route = lambda _: Answer(504, late)
        with pytest.raises(Transient):
            list(google.pages(task(Dataset.CAMPAIGNS)))
        with pytest.raises(TooMuchData):
            list(google.pages(task()))


class TestNarrower:
    def test_a_window_is_halved_and_a_day_is_asked_for_by_pages(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        error = TooMuchData("too slow")
        assert [part.window.length for part in google.narrower(task(), error) if part.window] == [3, 4]
        day = task(window=Window(date(2026, 11, 1), date(2026, 11, 1)))
        (paged,) = google.narrower(day, error)
        assert (paged.mode, paged.window) == (Mode.PAGES, day.window)
        assert not google.narrower(paged, error)
        assert not google.narrower(day, ReportFailed("there are none"))
        assert not google.narrower(task(Dataset.ADS), error)
        wire.answers = [Answer(200, page([row()], "p2")), Answer(200, page([row()]))]
        pages = list(google.pages(paged))
        assert [one.resume for one in pages] == ["0:p2", ""]
        assert wire.calls[0].path.endswith(":search")


class TestProfiles:
    def listing(self, wire: GoogleStub, roots: dict[str, dict[str, Any]], trees: dict[str, list[Any]]) -> None:
        """Serve these directly accessible customers, and the accounts of those that are managers."""

        def answer(call: Call) -> Answer:
            if call.method == "GET":
                assert call.path == "/v26/customers:listAccessibleCustomers"
                return Answer(200, {"resourceNames": [f"customers/{root}" for root in roots]})
            customer = call.path.split("/")[3]
            if query_of(call).endswith("FROM customer_client"):
                assert call.headers["Login-Customer-Id"] == customer
                return Answer(200, page([{"customerClient": each} for each in trees[customer]]))
            found = roots[customer]
            return Answer(403, found) if "error" in found else Answer(200, page([{"customer": found}]))

        wire.route = answer

    def test_each_manager_is_expanded_whatever_the_depth(self, google: GoogleConnector, wire: GoogleStub) -> None:
        self.listing(
            wire,
            {"3": {"id": "3"}, "1": {"id": "1", "manager": True}},
            {"1": [{"id": "1", "manager": True}, {"id": "4", "level": "3"}]},
        )
        pages = list(google.profiles())
        assert [(one.label, one.last) for one in pages] == [
            ("", False),
            ("", False),
            ("login-customer-id=1", True),
        ]
        assert not any("level <" in query_of(call) for call in wire.calls if call.method == "POST")

    def test_with_a_manager_in_the_credential_only_its_accounts_are_listed(
        self, wire: GoogleStub, session: requests.Session, clock: FrozenClock
    ) -> None:
        self.listing(wire, {"9": {"id": "9", "manager": True}}, {"9": [{"id": "4"}]})
        google = connected(wire.stub, session, clock, login_customer_id="9")
        assert [one.label for one in google.profiles()] == ["login-customer-id=9"] * 2
        assert not any(call.method == "GET" for call in wire.calls)

    def test_an_account_that_cannot_be_read_costs_itself_only(self, google: GoogleConnector, wire: GoogleStub) -> None:
        cancelled = failed(403, "PERMISSION_DENIED", {"authorizationError": "CUSTOMER_NOT_ENABLED"})
        self.listing(wire, {"3": cancelled, "5": {"id": "5"}}, {})
        assert [one.last for one in google.profiles()] == [True]
        self.listing(wire, {"3": cancelled}, {})
        with pytest.raises(AccessDenied):
            list(google.profiles())

    def test_a_listing_breaks_off_when_google_does(self, google: GoogleConnector, wire: GoogleStub) -> None:
        self.listing(wire, {"3": {"id": "3"}}, {})
        lists = wire.route
        wire.route = lambda call: lists(call) if call.method == "GET" else Answer(429, quota())
        with pytest.raises(Throttled):
            list(google.profiles())

    def test_a_user_without_accounts_lists_none(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.route = lambda _: Answer(200, {})
        assert [(one.content(), one.last) for one in google.profiles()] == [(b"{}", True)]
        assert [one.last for one in google.pages(replace(task(Dataset.PROFILES), profile_id=""))] == [True]
