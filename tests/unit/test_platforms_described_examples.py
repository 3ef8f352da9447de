"""The specs of docs/specs against servers that answer as the documents of these APIs say.

Sources: developers.snap.com "Measurement", "Ad Accounts"; developers.criteo.com "Campaign Statistics", "Authorization
code setup"; learn.microsoft.com/linkedin "Reporting", "Account Access Controls"; Outbrain "Amplify API".
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdGroup
from adweir.model.errors import AuthExpired, Throttled, Transient
from adweir.model.platforms import Platform
from adweir.platforms.described.language import checked_spec
from support.described_api import GENERIC, SPECS, DescribedApi, example
from support.stub_http import Answer, Call, StubServer

NAMES = sorted(path.stem for path in SPECS.glob("*.json"))


def answers(stub: StubServer, **routes: Any) -> None:
    """Answer a call by the end of its path; tokens are given for the asking."""

    def route(call: Call) -> Answer:
        name = call.path.strip("/").split("/")[-1]
        if name in {"access_token", "accessToken", "token"}:
            return Answer(200, {"access_token": "made-token-1", "expires_in": 1800})
        found = routes.get(name, Answer(404, {"error": name}))
        found = found(call) if callable(found) else found
        return found if isinstance(found, Answer) else Answer(200, found)

    stub.route = route


@pytest.mark.parametrize("name", NAMES)
def test_every_example_can_be_stored(name: str) -> None:
    spec = checked_spec(example(name))

    assert spec.title
    assert bool(spec.credential_fields()) is not bool(spec.bucket), "a bucket is read by the functions' own role"


# -- Snapchat: nested time series, micros, day borders with the zone's offset, next links -----------------------------


def snapchat(stub: StubServer) -> DescribedApi:
    hosts = {"https://adsapi.snapchat.com": stub.url, "https://accounts.snapchat.com": stub.url}
    return DescribedApi(example("snapchat"), hosts)


def test_snapchats_numbers_stand_below_their_campaign(stub: StubServer) -> None:
    stats = {"impressions": 10, "swipes": 2, "spend": 1_234_567, "conversion_purchases": 1}
    point = {"start_time": "2026-11-01T00:00:00.000-04:00", "end_time": "2026-11-02T00:00:00.000-05:00", "stats": stats}
    of = [{"id": "c-1", "type": "CAMPAIGN", "granularity": "DAY", "timeseries": [point]}]
    stat = {"id": "77", "type": "AD_ACCOUNT", "granularity": "DAY", "breakdown_stats": {"campaign": of}}
    answers(stub, stats={"request_status": "SUCCESS", "timeseries_stats": [{"timeseries_stat": stat}]})

    rows, bad = snapchat(stub).read(Dataset.CAMPAIGN_DAILY)

    assert not bad
    assert [(row.entity_id, row.day, row.impressions, row.clicks, row.spend, row.conversions) for row in rows] == [
        ("c-1", "2026-11-01", 10, 2, 1_234_567, 1_000_000)
    ]
    assert rows[0].revenue is None, "not reported is not 0"
    asked = stub.calls[-1].query
    assert asked["start_time"] == "2026-11-01T00:00:00-04:00", "summer time until this day"
    assert asked["end_time"] == "2026-11-08T00:00:00-05:00", "the end is exclusive"
    assert stub.calls[0].form == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-12345678",
        "client_id": "client-12345678",
        "client_secret": "secret-12345678",
    }
    assert stub.calls[-1].headers["Authorization"] == "Bearer made-token-1"


def test_snapchats_lists_go_on_by_links_and_ads_find_their_parents(stub: StubServer) -> None:
    def ads(call: Call) -> Any:
        page = {"request_status": "SUCCESS", "ads": [{"ad": {"id": "a-2", "ad_squad_id": "s-1", "status": "PAUSED"}}]}
        if "cursor" in call.query:
            return page
        first = {"request_status": "SUCCESS", "ads": [{"ad": {"id": "a-1", "ad_squad_id": "s-1", "status": "ACTIVE"}}]}
        return first | {"paging": {"next_link": f"{stub.url}/v1/adaccounts/77/ads?cursor=abc&limit=500"}}

    point = {"start_time": "2026-11-02T00:00:00.000-05:00", "stats": {"impressions": 1, "swipes": 0, "spend": 0}}
    stat = {"breakdown_stats": {"ad": [{"id": "a-1", "timeseries": [point]}, {"id": "a-9", "timeseries": [point]}]}}
    answers(stub, ads=ads, stats={"timeseries_stats": [{"timeseries_stat": stat}]})
    api = snapchat(stub)

    listed = api.objects(Dataset.ADS)
    api.known = [
        Ad(platform=GENERIC, profile_id="api~77", id="a-1", ad_group_id="s-1"),
        AdGroup(platform=GENERIC, profile_id="api~77", id="s-1", ad_group_id="s-1", campaign_id="c-1"),
    ]
    rows, bad = api.read(Dataset.AD_DAILY)

    assert [(one.id, one.ad_group_id, one.status) for one in listed] == [
        ("a-1", "s-1", "active"),
        ("a-2", "s-1", "paused"),
    ]
    assert [(row.entity_id, row.campaign_id) for row in rows] == [("s-1~a-1", "c-1"), ("unknown~a-9", "")]
    assert not bad


def test_snapchats_ad_accounts_are_listed_within_organizations(stub: StubServer) -> None:
    account = {"id": "77", "name": "Shop", "currency": "USD", "timezone": "America/Los_Angeles", "status": "ACTIVE"}
    organizations = [{"organization": {"ad_accounts": [account]}}, {"organization": {"id": "without"}}]
    answers(stub, organizations={"request_status": "success", "organizations": organizations})

    found = snapchat(stub).objects(Dataset.PROFILES)

    assert [(one.profile_id, one.timezone, one.platform) for one in found] == [
        ("api~77", "America/Los_Angeles", Platform("generic"))
    ]


def test_snapchats_error_in_a_good_answer_is_no_empty_one(stub: StubServer) -> None:
    answers(stub, stats={"request_status": "ERROR", "debug_message": "try again"})

    with pytest.raises(Transient, match="ERROR"):
        snapchat(stub).pull(Dataset.CAMPAIGN_DAILY)


# -- Criteo: client credentials, a question as JSON, a CSV with semicolons --------------------------------------------


def test_criteos_csv_is_read_by_column(stub: StubServer) -> None:
    metrics = ["Displays", "Clicks", "AdvertiserCost", "SalesClientAttribution", "RevenueGeneratedClientAttribution"]
    header = ";".join(["CampaignId", "Day", "Currency", *metrics])
    lines = [
        header,
        "9;2026-11-01;USD;2534;35;12.3456789;2;250.5",
        '8;2026-11-02;USD;"1";0;0;0;0',
        "7;2026-11-02;USD;1",
    ]
    answers(stub, report=Answer(200, "\ufeff".encode() + "\r\n".join(lines).encode()))
    api = DescribedApi(example("criteo"), {"https://api.criteo.com": stub.url})

    rows, bad = api.read(Dataset.CAMPAIGN_DAILY)

    assert [(row.entity_id, row.day, row.impressions, row.spend, row.revenue, row.currency) for row in rows] == [
        ("9", "2026-11-01", 2534, 12_345_679, 250_500_000, "USD"),
        ("8", "2026-11-02", 1, 0, 0, "USD"),
    ]
    assert rows[0].rounding is not None, "rounding is accounted for"
    assert [row.line for row in bad] == [4]
    token, question = stub.calls
    assert token.form["grant_type"] == "client_credentials"
    assert json.loads(question.body) == {
        "advertiserIds": "77", "startDate": "2026-11-01", "endDate": "2026-11-07", "format": "csv",
        "dimensions": ["CampaignId", "Day"], "timezone": "America/New_York", "currency": "USD",
        "metrics": metrics,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, b"<html>maintenance</html>"), Transient),
        (Answer(401, {"error": "no"}), AuthExpired),
        (Answer(429, {}, {"x-ratelimit-reset": "12"}), Throttled),
    ],
)
def test_criteos_refusals_are_no_files(stub: StubServer, answer: Answer, error: type[Exception]) -> None:
    answers(stub, report=answer)
    api = DescribedApi(example("criteo"), {"https://api.criteo.com": stub.url})

    with pytest.raises(error):
        api.pull(Dataset.CAMPAIGN_DAILY)


# -- LinkedIn: a query in its own notation, dates in parts, URNs ------------------------------------------------------


def test_linkedins_notation_is_sent_as_it_is_written(stub: StubServer) -> None:
    day = {"year": 2026, "month": 11, "day": 3}
    element = {
        "pivotValues": ["urn:li:sponsoredCampaign:123"], "dateRange": {"start": day, "end": day}, "impressions": 7,
        "clicks": 1, "costInLocalCurrency": "0.1234567", "externalWebsiteConversions": 0,
        "conversionValueInLocalCurrency": "0.0",
    }  # fmt: skip
    answers(stub, adAnalytics={"elements": [element], "paging": {"start": 0, "count": 10, "links": []}})
    hosts = {"https://api.linkedin.com": stub.url, "https://www.linkedin.com": stub.url}

    rows, bad = DescribedApi(example("linkedin"), hosts).read(Dataset.AD_GROUP_DAILY)

    assert [(row.entity_id, row.day, row.spend, row.conversions) for row in rows] == [("123", "2026-11-03", 123_457, 0)]
    assert not bad
    call = stub.calls[-1]
    assert call.query["dateRange"] == "(start:(year:2026,month:11,day:1),end:(year:2026,month:11,day:7))"
    assert call.query["accounts"] == "List(urn:li:sponsoredAccount:77)"
    assert call.headers["Linkedin-Version"] == "202610"


# -- Outbrain: a login, results within campaigns, pages by offset -----------------------------------------------------


def test_outbrains_login_gives_the_token_of_its_own_header(stub: StubServer) -> None:
    result = {"metadata": {"fromDate": "2026-11-05"}, "metrics": {"impressions": 5, "clicks": 1, "spend": 0.1}}
    offsets: list[str] = []

    def campaigns(call: Call) -> Any:
        offsets.append(call.query["offset"])
        ids = ["c1", "c2"] if call.query["offset"] == "0" else ["c3"]
        return {"totalCount": 3, "campaigns": [{"id": each, "enabled": each != "c2"} for each in ids]}

    report = {"campaignResults": [{"campaignId": "c1", "results": [result]}, {"campaignId": "c2", "results": []}]}
    answers(stub, login={"OB-TOKEN-V1": "ob-token-12345678"}, campaigns=campaigns, periodic=report)
    api = DescribedApi(example("outbrain"), {"https://api.outbrain.com": stub.url})

    rows, _ = api.read(Dataset.CAMPAIGN_DAILY)
    listed = api.objects(Dataset.CAMPAIGNS)

    assert [(row.entity_id, row.spend) for row in rows] == [("c1", 100_000)], "a JSON number is no float"
    assert [(one.id, one.status, one.status_raw) for one in listed] == [
        ("c1", "active", "true"), ("c2", "paused", "false"), ("c3", "active", "true"),
    ]  # fmt: skip
    assert offsets == ["0", "2"]
    assert [call.path for call in stub.calls].count("/amplify/v0.1/login") == 1, "two an hour are allowed"
    assert stub.calls[0].headers["Authorization"].startswith("Basic ")
    assert stub.calls[-1].headers["Ob-Token-V1"] == "ob-token-12345678"
    assert api.slept[:1] == [6.0], "ten requests a minute"
