"""Microsoft Advertising's connector on real wire traffic to a loopback server: what it sends, and what faults mean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    ReportFailed,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.slices import of_campaign
from adweir.model.times import Window
from adweir.platforms.connector import Connector, Mode, ReportState
from adweir.platforms.microsoft_ads import SPEC, MicrosoftCredential
from support.clock import FrozenClock
from support.microsoft_wire import (
    ACCOUNT,
    CUSTOMER,
    POLL,
    SEARCH,
    SECRET,
    SUBMIT,
    TOKEN_PATH,
    MicrosoftStub,
    body,
    connected,
    fault,
    header,
    task,
    zipped,
)
from support.stub_http import Answer, serving


@pytest.fixture
def wire() -> Iterator[MicrosoftStub]:
    with serving() as stub:
        yield MicrosoftStub(stub)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        yield made


@pytest.fixture
def connector(wire: MicrosoftStub, session: requests.Session, clock: FrozenClock) -> Connector:
    return connected(wire.stub, session, clock)


# -- credential -------------------------------------------------------------------------------------------------------


def test_a_credential_is_known_by_its_client_id_and_needs_no_client_secret() -> None:
    assert SPEC.recognizes(SECRET)
    assert not SPEC.recognizes({"client_id": "amzn1.application"})
    public = {name: value for name, value in SECRET.items() if name != "client_secret"}
    assert MicrosoftCredential.read(public).tenant == "common"
    with pytest.raises(Unprocessable, match="tenant"):
        MicrosoftCredential.read(SECRET | {"tenant": "../evil"})


def test_the_access_token_is_renewed_with_the_scope_and_without_the_secret_of_a_public_application(
    wire: MicrosoftStub, session: requests.Session, clock: FrozenClock
) -> None:
    wire.answers[SEARCH] = [Answer(200, {"Accounts": []})]
    list(connected(wire.stub, session, clock).profiles())
    (asked,) = wire.calls(TOKEN_PATH)
    assert asked.form == {name: SECRET[name] for name in ("client_id", "client_secret", "refresh_token")} | {
        "grant_type": "refresh_token",
        "scope": "https://ads.microsoft.com/msads.manage offline_access",
    }
    wire.answers["/contoso.example/oauth2/v2.0/token"] = wire.answers[TOKEN_PATH]
    list(connected(wire.stub, session, clock, client_secret="", tenant="contoso.example").profiles())
    (other,) = wire.calls("/contoso.example/oauth2/v2.0/token")
    assert "client_secret" not in other.form


@pytest.mark.parametrize("error", ["invalid_grant", "interaction_required", "invalid_client"])
def test_a_refresh_token_that_is_refused_is_a_dead_credential(
    wire: MicrosoftStub, connector: Connector, error: str
) -> None:
    wire.answers[TOKEN_PATH] = [
        Answer(400, {"error": error, "error_description": f"AADSTS70000 {SECRET['refresh_token']}"})
    ]
    with pytest.raises(AuthExpired, match=f"{error}: AADSTS70000") as caught:
        list(connector.profiles())
    assert SECRET["refresh_token"] not in str(caught.value)


def test_what_microsoft_does_not_have_is_refused(connector: Connector) -> None:
    for dataset, slice_ in [(Dataset.NEGATIVES, "all"), (Dataset.ADS, "sp")]:
        with pytest.raises(RequestRejected):
            list(connector.pages(task(dataset, slice_)))
    refused = [(Dataset.AD_BY_COUNTRY_DAILY, "all"), (Dataset.AD_DAILY, "sp"), (Dataset.ACCOUNT_DAILY, "campaign=1")]
    for dataset, slice_ in refused:
        with pytest.raises(RequestRejected):
            connector.create_report(task(dataset, slice_))


# -- reports ----------------------------------------------------------------------------------------------------------


def test_a_report_asks_for_the_days_of_its_level_without_header_and_footer(
    wire: MicrosoftStub, connector: Connector
) -> None:
    assert connector.mode(task(Dataset.AD_DAILY)) is Mode.REPORT
    report = connector.create_report(task(Dataset.AD_DAILY))
    assert (report.id, report.state) == ("30000001_1", ReportState.PENDING)
    (call,) = wire.calls(SUBMIT)
    asked = body(call)["ReportRequest"]
    assert (header(call, "CustomerAccountId"), header(call, "CustomerId")) == (ACCOUNT, CUSTOMER)
    assert asked["Type"] == "AdPerformanceReportRequest"
    assert (asked["Format"], asked["FormatVersion"], asked["Aggregation"]) == ("Csv", "2.0", "Daily")
    assert (asked["ExcludeReportHeader"], asked["ExcludeReportFooter"], asked["ExcludeColumnHeaders"]) == (
        True,
        True,
        False,
    )
    assert asked["Scope"] == {"AccountIds": [ACCOUNT]}
    assert asked["Time"]["CustomDateRangeStart"] == {"Day": 1, "Month": 11, "Year": 2026}
    assert asked["Time"]["CustomDateRangeEnd"] == {"Day": 7, "Month": 11, "Year": 2026}
    assert asked["Columns"] == [
        "TimePeriod", "AccountId", "CampaignId", "AdGroupId", "AdId", "CurrencyCode", "Impressions", "Clicks", "Spend",
        "ConversionsQualified", "Revenue", "AllConversionsQualified", "AllRevenue",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "kind", "attributes"),
    [
        (Dataset.ACCOUNT_DAILY, "AccountPerformanceReportRequest", []),
        (Dataset.CAMPAIGN_HOURLY, "CampaignPerformanceReportRequest", ["CampaignId"]),
        (Dataset.AD_GROUP_DAILY, "AdGroupPerformanceReportRequest", ["CampaignId", "AdGroupId"]),
        (Dataset.KEYWORD_DAILY, "KeywordPerformanceReportRequest", ["CampaignId", "AdGroupId", "KeywordId"]),
        (Dataset.CAMPAIGN_BY_DEVICE_DAILY, "CampaignPerformanceReportRequest", ["CampaignId", "DeviceType"]),
        (
            Dataset.AD_GROUP_BY_AGE_DAILY,
            "AgeGenderAudienceReportRequest",
            ["CampaignId", "AdGroupId", "AgeGroup", "Gender"],
        ),
    ],
)
def test_no_attribute_is_asked_for_that_would_split_a_dataset_s_rows_but_one_that_microsoft_requires(
    wire: MicrosoftStub, connector: Connector, dataset: Dataset, kind: str, attributes: list[str]
) -> None:
    connector.create_report(task(dataset))
    asked = body(wire.calls(SUBMIT)[0])["ReportRequest"]
    numbers = {
        "Impressions",
        "Clicks",
        "Spend",
        "ConversionsQualified",
        "Revenue",
        "AllConversionsQualified",
        "AllRevenue",
    }
    assert asked["Type"] == kind
    assert asked["Aggregation"] == ("Hourly" if dataset is Dataset.CAMPAIGN_HOURLY else "Daily")
    assert set(asked["Columns"]) - numbers - {"TimePeriod", "AccountId", "CurrencyCode"} == set(attributes)


def test_a_report_of_one_campaign_names_it_and_one_of_too_many_days_is_split(
    wire: MicrosoftStub, connector: Connector
) -> None:
    connector.create_report(task(Dataset.AD_DAILY, of_campaign("5")))
    asked = body(wire.calls(SUBMIT)[0])["ReportRequest"]
    assert asked["Scope"] == {"Campaigns": [{"AccountId": ACCOUNT, "CampaignId": "5"}]}
    with pytest.raises(TooMuchData):
        connector.create_report(task(Dataset.AD_DAILY, window=Window.parse("2026-10-01..2026-11-01")))
    with pytest.raises(TooMuchData):
        connector.create_report(task(Dataset.CAMPAIGN_HOURLY, window=Window.parse("2026-11-01..2026-11-08")))


def test_a_report_s_state_is_microsoft_s(wire: MicrosoftStub, connector: Connector) -> None:
    wire.answers[POLL] = [
        wire.polled("Pending"),
        wire.polled("Error"),
        wire.polled("Thinking"),
        fault(2100),
        fault(2101),
    ]
    states = [connector.report(task(Dataset.AD_DAILY), "1").state for _ in range(5)]
    pending, failed = ReportState.PENDING, ReportState.FAILED
    assert states == [pending, failed, pending, failed, failed]


def test_the_file_comes_unzipped_and_no_token_goes_to_its_url(wire: MicrosoftStub, connector: Connector) -> None:
    wire.report = zipped("TimePeriod\n")
    (page,) = connector.report_pages(task(Dataset.AD_DAILY), "1")
    assert (page.content(), page.last, page.media) == ("\ufeffTimePeriod\n".encode(), True, "csv")
    assert "s3cret" not in page.url
    (download,) = wire.calls("/files/1")
    assert not header(download, "Authorization")
    assert not header(download, "DeveloperToken")


def test_a_report_without_a_url_has_no_rows(wire: MicrosoftStub, connector: Connector) -> None:
    wire.answers[POLL] = [wire.polled("Success")]
    (page,) = connector.report_pages(task(Dataset.AD_DAILY), "1")
    assert (page.content(), page.last) == (b"", True)


def test_a_url_that_has_expired_is_asked_for_anew_once(wire: MicrosoftStub, connector: Connector) -> None:
    wire.report = zipped("x")
    wire.answers["/files/1"] = [Answer(403, b"expired"), Answer(200, wire.report)]
    (page,) = connector.report_pages(task(Dataset.AD_DAILY), "1")
    assert page.content()
    assert len(wire.calls(POLL)) == 2
    wire.answers["/files/1"] = [Answer(404, b"")]
    with pytest.raises(ReportFailed, match="refused"):
        list(connector.report_pages(task(Dataset.AD_DAILY), "1"))


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (b"<html>log in", Transient),
        (b"TimePeriod,AccountId,CampaignId,Impressions\n", ReportFailed),
        (zipped("x" * 99)[:-30], ReportFailed),
    ],
)
def test_what_is_no_whole_archive_has_its_class(
    wire: MicrosoftStub, connector: Connector, file: bytes, error: type[AdweirError]
) -> None:
    wire.report = file
    with pytest.raises(error):
        [page.content() for page in connector.report_pages(task(Dataset.AD_DAILY), "1")]


@pytest.mark.parametrize(
    "url",
    ["http://download.api.bingads.microsoft.com/1", "https://evil.example/1", "https://microsoft.com.evil.example/1"],
)
def test_a_file_is_fetched_from_microsoft_only(wire: MicrosoftStub, connector: Connector, url: str) -> None:
    wire.answers[POLL] = [wire.polled("Success", url)]
    with pytest.raises(RequestRejected, match="neither on Microsoft's hosts"):
        list(connector.report_pages(task(Dataset.AD_DAILY), "1"))


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["Errors", "OperationErrors", "BatchErrors"])
@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(("code", "guessed"), [(117, False), (207, True)])
def test_too_many_calls_or_reports_let_the_credential_wait(
    wire: MicrosoftStub, connector: Connector, where: str, status: int, code: int, *, guessed: bool
) -> None:
    wire.answers[SUBMIT] = [fault(code, "CallRateExceeded", status, where)]
    with pytest.raises(Throttled) as caught:
        connector.create_report(task(Dataset.AD_DAILY))
    assert (caught.value.retry_after, caught.value.guessed) == (60, guessed)
    assert caught.value.scope is ThrottleScope.CREDENTIAL
    assert len(wire.calls(SUBMIT)) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (fault(106, "UserIsNotAuthorized"), AccessDenied),
        (fault(2003, "ReportingServiceAccountNotAuthorized", where="OperationErrors"), AccessDenied),
        (fault(0, "InternalError", 500), Transient),
        (fault(123, "WorkIdentityNotAvailable"), AuthExpired),
        (fault(2015, "ReportingServiceRequiredColumnsNotSelected", 500), RequestRejected),
        (fault(2009, "ReportingServiceInvalidCustomDateRangeStart"), RequestRejected),
        (Answer(503, b"busy"), Transient),
        (Answer(429, b"", {"Retry-After": "7"}), Throttled),
        (Answer(200, b"<html>"), Transient),
        (Answer(200, {"ReportRequestId": None}), Transient),
    ],
)
def test_a_fault_has_its_class(
    wire: MicrosoftStub, connector: Connector, answer: Answer, error: type[AdweirError]
) -> None:
    wire.answers[SUBMIT] = [answer]
    with pytest.raises(AdweirError) as caught:
        connector.create_report(task(Dataset.AD_DAILY))
    assert type(caught.value) is error


@pytest.mark.parametrize("refusal", [fault(109, "AuthenticationTokenExpired", 401), fault(105), Answer(401, b"")])
def test_an_access_token_that_is_refused_is_renewed_once(
    wire: MicrosoftStub, connector: Connector, refusal: Answer
) -> None:
    wire.answers[TOKEN_PATH] = [Answer(200, {"access_token": token}) for token in ("old-token", "new-token")]
    wire.answers[SUBMIT] = [refusal, *wire.answers[SUBMIT]]
    assert connector.create_report(task(Dataset.AD_DAILY)).id
    assert [header(call, "Authorization") for call in wire.calls(SUBMIT)] == ["Bearer old-token", "Bearer new-token"]


def test_invalid_credentials_of_one_account_are_a_lost_permission_and_of_the_user_a_dead_credential(
    wire: MicrosoftStub, connector: Connector
) -> None:
    wire.answers[SUBMIT] = [fault(105, "InvalidCredentials")]
    with pytest.raises(AccessDenied):
        connector.create_report(task(Dataset.AD_DAILY))
    wire.answers["/CustomerManagement/v13/User/Query"] = [fault(105, "InvalidCredentials")]
    with pytest.raises(AuthExpired):
        connector.create_report(task(Dataset.AD_DAILY))
    with pytest.raises(AuthExpired):
        list(connector.profiles())


def test_a_report_is_not_asked_for_twice_when_the_server_breaks_and_a_poll_is(
    wire: MicrosoftStub, connector: Connector
) -> None:
    wire.answers[SUBMIT] = [Answer(502, b"")]
    with pytest.raises(Transient):
        connector.create_report(task(Dataset.AD_DAILY))
    assert len(wire.calls(SUBMIT)) == 1
    wire.answers[POLL] = [Answer(502, b""), wire.polled("Pending")]
    assert connector.report(task(Dataset.AD_DAILY), "1").state is ReportState.PENDING
