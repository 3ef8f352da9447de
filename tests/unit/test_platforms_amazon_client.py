"""The Amazon connector on real wire traffic to a loopback server: tokens, paging, reports, and every error."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    NotApplicable,
    OutOfRetention,
    ReportFailed,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads.client import AmazonConnector
from adweir.platforms.connector import ReportState
from adweir.platforms.guarded import Guarded
from adweir.platforms.http import Http
from support.amazon_stub import SECRET, AmazonStub, Answer, MemoryTokens, amazon_stub, connected, task
from support.clock import FrozenClock
from support.platforms import AMAZON_ADS, wiring


@pytest.fixture
def stub() -> Iterator[AmazonStub]:
    with amazon_stub() as server:
        yield server


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        yield made


@pytest.fixture
def amazon(stub: AmazonStub, session: requests.Session, clock: FrozenClock) -> AmazonConnector:
    return connected(stub, session, clock)


class TestTokens:
    def test_one_refresh_serves_all_calls_and_is_form_encoded(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        list(amazon.profiles())
        list(amazon.profiles())
        (refresh,) = stub.requests("/auth/o2/token")
        assert refresh.headers["content-type"] == "application/x-www-form-urlencoded"
        assert b"grant_type=refresh_token" in refresh.body
        assert b"refresh_token=Atzr%7C1" in refresh.body

    def test_an_access_token_that_died_early_is_refreshed_once(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        list(amazon.profiles())
        stub.valid_tokens.clear()
        assert [page.status for page in amazon.profiles()] == [200]
        assert stub.tokens_given == 2

    def test_many_workers_share_one_refresh(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        with ThreadPoolExecutor(4) as workers:
            list(workers.map(lambda _: list(amazon.profiles()), range(8)))
        assert stub.tokens_given == 1

    @pytest.mark.parametrize(("status", "error"), [(400, "invalid_grant"), (401, "invalid_client")])
    def test_a_dead_credential_is_auth_expired(
        self, amazon: AmazonConnector, stub: AmazonStub, status: int, error: str
    ) -> None:
        stub.script("/auth/o2/token", Answer(status, {"error": error, "error_description": "no"}))
        with pytest.raises(AuthExpired, match=error):
            list(amazon.profiles())

    def test_other_answers_of_the_token_endpoint(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.script("/auth/o2/token", Answer(400, {"error": "invalid_request"}))
        with pytest.raises(RequestRejected):
            list(amazon.profiles())
        stub.script("/auth/o2/token", Answer(429, {}))
        with pytest.raises(Throttled):
            list(amazon.profiles())
        for odd in (b"<html>", {"access_token": "Atza|\u20ac"}, {"access_token": "Atza|\n"}):
            stub.script("/auth/o2/token", Answer(200, odd))
            with pytest.raises(Transient):
                list(amazon.profiles())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(400, {"code": "400", "detail": "unknown column"}), RequestRejected),
        (Answer(403, {"code": "UNAUTHORIZED", "details": "no"}), AccessDenied),
        (Answer(404, {"code": "404"}), RequestRejected),
        (Answer(415, {"code": "415"}), RequestRejected),
        (Answer(500, {"code": "500"}), Transient),
        (Answer(503, b"busy"), Transient),
        (Answer(200, b"<html>a proxy</html>"), Transient),
    ],
)
def test_each_row_of_the_error_table(
    amazon: AmazonConnector, stub: AmazonStub, answer: Answer, error: type[AdweirError]
) -> None:
    stub.script("/sp/campaigns/list", *[answer] * 5)
    with pytest.raises(error):
        list(amazon.pages(task(Dataset.CAMPAIGNS)))


def test_short_server_faults_are_retried_in_place(amazon: AmazonConnector, stub: AmazonStub) -> None:
    stub.script("/sp/campaigns/list", Answer(502), Answer(504))
    assert len(list(amazon.pages(task(Dataset.CAMPAIGNS)))) == 1


@pytest.mark.parametrize("body", [{"message": "Unauthorized"}, {"code": "UNAUTHORIZED", "details": "HTTP 401"}])
def test_a_401_that_says_nothing_of_permission_passes(
    amazon: AmazonConnector, stub: AmazonStub, body: dict[str, str]
) -> None:
    report_id = amazon.create_report(task()).id
    path = f"/reporting/reports/{report_id}"
    # once: the access token is renewed and the question repeated
    stub.script(path, Answer(401, body))
    assert amazon.report(task(), report_id).state is ReportState.PENDING
    # twice: not the credential's fault, Login with Amazon has just accepted it
    stub.script(path, Answer(401, body), Answer(401, body))
    with pytest.raises(Transient):
        amazon.report(task(), report_id)
    stub.script("/v2/profiles", Answer(401, body), Answer(401, body))
    with pytest.raises(Transient):
        list(amazon.profiles())
    # then again, with a refresh token that is dead
    stub.script("/auth/o2/token", Answer(400, {"error": "invalid_grant"}))
    stub.script(path, Answer(401, body))
    with pytest.raises(AuthExpired):
        amazon.report(task(), report_id)


def test_a_lasting_401_stops_the_profile_but_on_profiles_the_credential(
    amazon: AmazonConnector, stub: AmazonStub
) -> None:
    refused = Answer(401, {"code": "UNAUTHORIZED", "details": "Not authorized to access scope 123"})
    stub.script("/sp/campaigns/list", refused, refused)
    with pytest.raises(AccessDenied, match="scope 123"):
        list(amazon.pages(task(Dataset.CAMPAIGNS)))
    assert stub.tokens_given == 2
    stub.script("/v2/profiles", refused, refused)
    with pytest.raises(AuthExpired):
        list(amazon.profiles())


def test_429_waits_as_asked_or_guesses(amazon: AmazonConnector, stub: AmazonStub) -> None:
    stub.script("/reporting/reports", Answer(429, {}, {"Retry-After": "17"}), Answer(429, {}))
    with pytest.raises(Throttled) as caught:
        amazon.create_report(task())
    with pytest.raises(Throttled) as guessed:
        amazon.create_report(task())
    assert (caught.value.retry_after, caught.value.guessed) == (17, False)
    assert (guessed.value.retry_after, guessed.value.guessed) == (2, True)


def test_the_limit_on_reports_is_the_region_s_and_others_are_the_profile_s(
    amazon: AmazonConnector, stub: AmazonStub
) -> None:
    stub.script("/reporting/reports", Answer(429, {}))
    stub.script("/sp/campaigns/list", Answer(429, {}))
    with pytest.raises(Throttled) as reports:
        amazon.create_report(task())
    with pytest.raises(Throttled) as lists:
        list(amazon.pages(task(Dataset.CAMPAIGNS)))
    assert (reports.value.scope, lists.value.scope) == (ThrottleScope.REGION, ThrottleScope.PROFILE)


@pytest.mark.parametrize("product", ["Display", "Brands"])
def test_an_ad_product_that_the_advertiser_does_not_use_is_not_applicable(
    amazon: AmazonConnector, stub: AmazonStub, product: str
) -> None:
    said = {"code": "403", "details": f"Advertiser is not authorized for Sponsored {product}."}
    stub.script("/reporting/reports", Answer(403, said), Answer(403, {"code": "403", "details": "Not authorized"}))
    with pytest.raises(NotApplicable, match=product):
        amazon.create_report(task(slice_="sd"))
    with pytest.raises(AccessDenied):
        amazon.create_report(task(slice_="sd"))


def test_an_author_of_books_has_no_brands(amazon: AmazonConnector, stub: AmazonStub) -> None:
    said = {"code": "400", "details": "KDP authors do not have access to Sponsored Brands functionality"}
    stub.script("/sb/v4/campaigns/list", Answer(400, said))
    with pytest.raises(NotApplicable, match="KDP"):
        list(amazon.pages(task(Dataset.CAMPAIGNS, "sb")))


def test_a_window_before_the_retention_is_clamped_to_what_amazon_says(
    amazon: AmazonConnector, stub: AmazonStub
) -> None:
    said = "startDate (2026-10-01) must be equal to or after report type data retention start date (2026-10-03)"
    stub.script("/reporting/reports", Answer(400, {"code": "400", "detail": said}))
    with pytest.raises(OutOfRetention) as refused:
        amazon.create_report(task(slice_="sb", window="2026-10-01..2026-10-31"))
    assert refused.value.oldest == date(2026, 10, 3)
    stub.script("/reporting/reports", Answer(400, {"code": "400", "detail": said.replace("10-03", "99-99")}))
    with pytest.raises(RequestRejected):
        amazon.create_report(task(slice_="sb", window="2026-10-01..2026-10-31"))


class TestReports:
    @pytest.mark.parametrize(
        ("slice_", "kind", "group"),
        [
            ("sp", "spAdvertisedProduct", "advertiser"),
            ("sb", "sbAds", "ads"),
            ("sd", "sdAdvertisedProduct", "advertiser"),
        ],
    )
    def test_it_is_named_by_the_task_and_dated_before_asking(
        self, amazon: AmazonConnector, stub: AmazonStub, slice_: str, kind: str, group: str
    ) -> None:
        asked = task(slice_=slice_)
        report = amazon.create_report(asked)
        (seen,) = stub.requests("/reporting/reports")
        body = seen.json()
        assert (body["name"], body["startDate"], body["endDate"]) == (asked.id, "2026-11-01", "2026-11-07")
        assert (body["configuration"]["reportTypeId"], body["configuration"]["groupBy"]) == (kind, [group])
        assert (body["configuration"]["timeUnit"], body["configuration"]["format"]) == ("DAILY", "GZIP_JSON")
        assert report.as_of == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        assert not report.adopted

    def test_a_duplicate_is_adopted_with_its_own_creation_time(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        first = amazon.create_report(task())
        again = amazon.create_report(replace(task(), run_id="r2", id=""))
        assert (again.id, again.adopted) == (first.id, True)
        assert again.as_of == datetime(2026, 11, 20, 11, 59, tzinfo=UTC)

    @pytest.mark.parametrize("key", ["detail", "details"])
    def test_the_duplicates_id_is_found_in_either_spelling(
        self, amazon: AmazonConnector, stub: AmazonStub, key: str
    ) -> None:
        known = amazon.create_report(task())
        stub.script("/reporting/reports", Answer(425, {"code": "425", key: f"is a duplicate of : {known.id}"}))
        assert amazon.create_report(task(window="2026-10-01..2026-10-02")).id == known.id

    def test_a_duplicate_without_an_id_is_tried_again_later(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.script("/reporting/reports", Answer(425, {"code": "425", "detail": "duplicate"}))
        with pytest.raises(Transient):
            amazon.create_report(task())

    def test_more_than_31_days_are_split_before_asking(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        with pytest.raises(TooMuchData):
            amazon.create_report(task(window="2026-10-01..2026-11-01"))
        assert amazon.create_report(task(window="2026-10-01..2026-10-31")).id

    def test_states(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        report_id = amazon.create_report(task()).id
        stub.reports[report_id]["status"] = "PROCESSING"
        assert amazon.report(task(), report_id).state is ReportState.PENDING
        stub.reports[report_id].update(status="FAILED", failureReason="internal")
        assert amazon.report(task(), report_id)[1:4:2] == (ReportState.FAILED, "internal")
        stub.put_file(report_id, [])
        assert amazon.report(task(), report_id).state is ReportState.READY
        assert amazon.report(task(), "forgotten").state is ReportState.FAILED
        with pytest.raises(RequestRejected):
            amazon.report(task(), "../v2/profiles")

    def test_the_download_carries_none_of_our_headers_and_no_signature_is_kept(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        report_id = amazon.create_report(task()).id
        path = stub.put_file(report_id, [{"adId": 1}])
        assert amazon.report(task(), report_id).state is ReportState.READY
        (page,) = amazon.report_pages(task(), report_id)
        (seen,) = stub.requests(path)
        assert not {name for name in seen.headers if name.startswith(("authorization", "amazon"))}
        assert (page.last, page.content()) == (True, gzip.decompress(stub.files[path]))
        assert page.url == f"{stub.base}{path}"

    def test_an_expired_url_is_asked_for_again(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        report_id = amazon.create_report(task()).id
        path = stub.put_file(report_id, [])
        amazon.report(task(), report_id)
        del stub.files[path]
        fresh = stub.put_file(report_id, [{"adId": 2}])
        (page,) = amazon.report_pages(task(), report_id)
        assert page.content() == gzip.decompress(stub.files[fresh])

    def test_a_url_that_stays_expired_fails_the_report(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        report_id = amazon.create_report(task()).id
        del stub.files[stub.put_file(report_id, [])]
        with pytest.raises(ReportFailed):
            list(amazon.report_pages(task(), report_id))

    def test_a_file_over_the_limit_is_split(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        report_id = amazon.create_report(task()).id
        stub.put_file(report_id, [])
        stub.reports[report_id]["fileSize"] = 1 << 30
        with pytest.raises(TooMuchData):
            list(amazon.report_pages(task(), report_id))

    @pytest.mark.parametrize(
        "url",
        [
            "http://169.254.169.254/latest/meta-data",
            "https://reports.example/x",
            "https://[::1/x",
            "https://x.execute-api.us-east-1.amazonaws.com/x",
            "https://x.s3.us-east-1.vpce.amazonaws.com/x",
        ],
    )
    def test_a_url_that_is_not_amazon_s_is_refused(self, amazon: AmazonConnector, stub: AmazonStub, url: str) -> None:
        report_id = amazon.create_report(task()).id
        stub.put_file(report_id, [])
        stub.reports[report_id]["url"] = url
        with pytest.raises(RequestRejected, match="neither in Amazon S3 nor on the API"):
            list(amazon.report_pages(task(), report_id))

    @pytest.mark.parametrize(
        "host",
        [
            "offline-report-storage-us-east-1-prod.s3.amazonaws.com",
            "offline-report-storage-eu-west-1-prod.s3.eu-west-1.amazonaws.com",
            "offline-report-storage.s3.dualstack.us-west-2.amazonaws.com",
        ],
    )
    def test_a_url_in_amazon_s3_is_asked_for(
        self, amazon: AmazonConnector, host: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url, asked = f"https://{host}/report.json.gz?X-Amz-Signature=1", list[str]()

        def download(_http: Http, url: str, *, max_bytes: int) -> Iterator[bytes]:
            asked.append(url)
            yield b"x" * min(max_bytes, 2)

        monkeypatch.setattr(Http, "download", download)
        assert b"".join(amazon.api.file(url) or ()) == b"xx"
        assert asked == [url]

    def test_a_report_that_is_not_ready_has_no_file(self, amazon: AmazonConnector) -> None:
        with pytest.raises(ReportFailed):
            list(amazon.report_pages(task(), amazon.create_report(task()).id))


class TestConnecting:
    def _connect(
        self, secret: dict[str, str], session: requests.Session, clock: FrozenClock, *, route: str = "", **urls: str
    ) -> Any:
        credential = Credential(account_id="acme", platform=AMAZON_ADS, secret_id="s")
        wired = wiring(AMAZON_ADS, session, clock, urls=urls, tokens=MemoryTokens(), route=route)
        made = REGISTRY.connect(credential, secret, wired)
        assert isinstance(made, Guarded)
        return made.inner

    @pytest.mark.parametrize(
        ("region", "api", "token"),
        [
            ({}, "https://advertising-api.amazon.com", "https://api.amazon.com/auth/o2/token"),
            ({"region": "na"}, "https://advertising-api.amazon.com", "https://api.amazon.com/auth/o2/token"),
            ({"region": "EU"}, "https://advertising-api-eu.amazon.com", "https://api.amazon.co.uk/auth/o2/token"),
            ({"region": "fe"}, "https://advertising-api-fe.amazon.com", "https://api.amazon.co.jp/auth/o2/token"),
        ],
    )
    def test_the_region_decides_the_hosts(
        self, region: dict[str, str], api: str, token: str, session: requests.Session, clock: FrozenClock
    ) -> None:
        made = self._connect(SECRET | region, session, clock)
        assert (made.api.hosts.api, made.api.hosts.token) == (api, token)

    def test_a_profile_s_route_goes_before_the_credential_s_region(
        self, session: requests.Session, clock: FrozenClock
    ) -> None:
        made = self._connect(SECRET | {"region": "na"}, session, clock, route="eu")
        assert made.api.hosts.api == "https://advertising-api-eu.amazon.com"

    def test_settings_point_elsewhere(self, session: requests.Session, clock: FrozenClock) -> None:
        made = self._connect(SECRET, session, clock, api="http://127.0.0.1:1/", token="http://127.0.0.1:1/t")
        assert (made.api.hosts.api, made.api.hosts.token) == ("http://127.0.0.1:1", "http://127.0.0.1:1/t")

    @pytest.mark.parametrize("change", [{"region": "moon"}, {"refresh_token": ""}])
    def test_a_secret_that_cannot_work_is_a_dead_credential(
        self, change: dict[str, str], session: requests.Session, clock: FrozenClock
    ) -> None:
        with pytest.raises(AuthExpired):
            self._connect(SECRET | change, session, clock)

    def test_a_new_credential_does_not_share_the_old_ones_token(
        self, session: requests.Session, clock: FrozenClock
    ) -> None:
        old = self._connect(SECRET, session, clock)
        new = self._connect(SECRET | {"refresh_token": "Atzr|2"}, session, clock)
        assert old.api.token_key != new.api.token_key

    def test_the_registry_knows_its_normalizer(self) -> None:
        assert hasattr(REGISTRY.normalizer(Platform("amazon_ads")), "metric_batches")
