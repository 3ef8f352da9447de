"""The sandbox's TikTok: envelope, tokens, advertisers, lists, files, quotas, and how it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.platforms.tiktok_ads import STAND_IN
from sandbox.platforms.tiktok_ads.answers import MESSAGES, TikTokRefusal
from sandbox.platforms.tiktok_ads.quotas import LEVELS, Quotas
from sandbox.server import PlatformServer
from support.platform_server import running
from support.tiktok_caller import PLATFORM, TikTokCaller, condition

STATUS = {"campaign/get": "CAMPAIGN_STATUS", "adgroup/get": "ADGROUP_STATUS", "ad/get": "AD_STATUS"}


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture
def halden(shared: PlatformServer) -> TikTokCaller:
    return TikTokCaller(shared, "halden")


@pytest.fixture
def kestrel(shared: PlatformServer) -> TikTokCaller:
    return TikTokCaller(shared, "kestrel")


def switched(server: PlatformServer, kind: str, **options: Any) -> None:
    server.outside.switches.turn_on({"kind": kind, "platform": PLATFORM, **options})


# -- paths and tokens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/open_api/v1.3/campaign/get", "/open_api/v1.3/no/such/", "/open_api/v1.3/"])
def test_a_path_without_its_slash_or_a_route_is_a_plain_404(halden: TikTokCaller, path: str) -> None:
    answer = requests.get(f"{halden.server.url}{path}", headers={"Access-Token": "x"}, timeout=5)
    assert (answer.status_code, answer.text) == (404, "404 page not found")


def test_a_method_that_a_path_does_not_have_is_a_plain_404(halden: TikTokCaller) -> None:
    assert halden.post("campaign/get").status_code == 404
    assert halden.ask("report/task/create").status_code == 404


def test_another_version_is_refused(halden: TikTokCaller) -> None:
    assert requests.get(f"{halden.server.url}/open_api/v1.2/campaign/get/", timeout=5).json()["code"] == 40051


def test_a_refusal_is_an_envelope_with_status_200(halden: TikTokCaller) -> None:
    answer = requests.get(f"{halden.server.url}/open_api/v1.3/campaign/get/", timeout=5)
    assert answer.status_code == 200
    assert set(answer.json()) == {"code", "message", "request_id", "data"}
    assert (answer.json()["code"], answer.json()["data"]) == (40104, {})


def test_a_token_must_be_the_company_s_and_cover_the_advertiser(halden: TikTokCaller, kestrel: TikTokCaller) -> None:
    assert halden.code("campaign/get", advertiser_id=kestrel.profile.id) == 40106
    assert halden.code("campaign/get", advertiser_id="7") == 40300
    assert halden.code("campaign/get", advertiser_id="") == 40002
    halden.secrets["access_token"] = "nobody's"
    assert halden.code("campaign/get") == 40105


def test_a_code_becomes_the_token_once_and_a_revoked_token_is_dead(server: PlatformServer) -> None:
    # given
    halden = TikTokCaller(server, "halden")
    app = {"app_id": halden.secrets["app_id"], "secret": halden.secrets["secret"]}
    given = {**app, "auth_code": f"auth-{app['app_id']}"}

    # then
    told = halden.post("oauth2/access_token", **given).json()["data"]
    assert told["access_token"] == halden.secrets["access_token"]
    assert told["advertiser_ids"] == [profile.id for profile in halden.company.on(PLATFORM)]
    assert halden.post("oauth2/access_token", **given).json()["code"] == 40110
    assert halden.post("oauth2/access_token", **(given | {"secret": "wrong"})).json()["code"] == 40101
    assert halden.post("oauth2/revoke_token", **app, access_token="other").json()["code"] == 40105
    assert halden.post("oauth2/revoke_token", **app, access_token=halden.secrets["access_token"]).json()["code"] == 0
    assert halden.code("campaign/get") == 40105


# -- advertisers ------------------------------------------------------------------------------------------------------


def test_advertisers_are_listed_even_where_the_app_may_not_read(kestrel: TikTokCaller) -> None:
    # given
    app = {"app_id": kestrel.secrets["app_id"], "secret": kestrel.secrets["secret"]}
    listed = [one["advertiser_id"] for one in kestrel.data("oauth2/advertiser/get", **app)["list"]]
    owned = [profile.id for profile in kestrel.company.on(PLATFORM)]

    # when
    partial = kestrel.ask("advertiser/info", advertiser_ids=listed).json()

    # then
    (lost,) = set(listed) - set(owned)
    assert (partial["code"], [one["advertiser_id"] for one in partial["data"]["list"]]) == (20001, owned)
    assert {one["status"] for one in partial["data"]["list"]} == {"STATUS_ENABLE", "STATUS_LIMIT"}
    assert kestrel.code("advertiser/info", advertiser_ids=[lost]) == 40001
    assert kestrel.code("campaign/get", advertiser_id=lost) == 40001
    assert kestrel.code("oauth2/advertiser/get", app_id=app["app_id"], secret="wrong") == 40101


def test_advertiser_info_has_the_asked_fields_and_a_time_zone_that_is_no_place(shared: PlatformServer) -> None:
    mori = TikTokCaller(shared, "mori")
    asked = {"advertiser_ids": [mori.profile.id], "fields": ["currency", "timezone", "display_timezone"]}
    (found,) = mori.data("advertiser/info", **asked)["list"]
    assert found == {"currency": "JPY", "timezone": "Etc/GMT-9", "display_timezone": "Asia/Tokyo"}
    assert mori.code("advertiser/info", advertiser_ids=[mori.profile.id], fields=["nonsense"]) == 40002
    assert mori.code("advertiser/info", advertiser_ids=[str(n) for n in range(101)]) == 40002


# -- lists ------------------------------------------------------------------------------------------------------------


def ids(caller: TikTokCaller, path: str, **filtering: Any) -> list[str]:
    name = {"campaign/get": "campaign_id", "adgroup/get": "adgroup_id"}.get(path, "ad_id")
    size = "100" if filtering.get("buying_types") == ["RESERVATION_TOP_VIEW"] else "1000"
    found: list[str] = [one[name] for one in caller.data(path, page_size=size, filtering=filtering)["list"]]
    return found


def known(caller: TikTokCaller, path: str) -> list[str]:
    campaigns = [campaign for campaign in caller.profile.campaigns if not campaign.apart]
    return {
        "campaign/get": [campaign.id for campaign in campaigns],
        "adgroup/get": [group.id for campaign in campaigns for group in campaign.groups],
        "ad/get": [ad.id for campaign in campaigns for group in campaign.groups for ad in group.ads],
    }[path]


@pytest.mark.parametrize("path", list(STATUS))
def test_lists_have_everything_when_deleted_things_are_asked_for(kestrel: TikTokCaller, path: str) -> None:
    every = ids(kestrel, path, primary_status="STATUS_ALL")
    shown, gone = ids(kestrel, path), ids(kestrel, path, primary_status="STATUS_DELETE")
    assert sorted(every) == sorted(known(kestrel, path)) == sorted(shown + gone)
    assert gone
    assert ids(kestrel, path, secondary_status=f"{STATUS[path]}_ALL") == every
    assert ids(kestrel, path, secondary_status=f"{STATUS[path]}_NOT_DELETE") == shown


@pytest.mark.parametrize("path", list(STATUS))
def test_a_top_view_and_a_promoted_post_are_listed_when_asked_for_alone(kestrel: TikTokCaller, path: str) -> None:
    alone = ids(kestrel, path, buying_types=["RESERVATION_TOP_VIEW"])
    promoted = kestrel.data("campaign/get", filtering={"campaign_system_origins": ["PROMOTE"]})["list"]
    assert len(alone) == 1
    assert set(alone).isdisjoint(known(kestrel, path))
    assert set(promoted[0]) == {
        "advertiser_id", "campaign_id", "create_time", "campaign_name", "operation_status", "secondary_status",
    }  # fmt: skip
    assert kestrel.code(path, filtering={"buying_types": ["AUCTION", "RESERVATION_TOP_VIEW"]}) == 40002
    asked = {"filtering": {"buying_types": ["RESERVATION_TOP_VIEW"]}, "page_size": "101"}
    assert kestrel.code("adgroup/get", **asked) == 40002


@pytest.mark.parametrize(
    "query",
    [
        {"filtering": {"nonsense": 1}},
        {"filtering": "["},
        {"filtering": {"primary_status": "STATUS_NONSENSE"}},
        {"filtering": {"secondary_status": "CAMPAIGN_STATUS_ALL"}},
        {"filtering": {"ad_ids": [str(n) for n in range(101)]}},
        {"fields": ["nonsense"]},
        {"page_size": "1001"},
        {"page": "x"},
    ],
)
def test_what_a_list_cannot_be_asked_is_40002(halden: TikTokCaller, query: dict[str, Any]) -> None:
    assert halden.code("ad/get", **query) == 40002


def test_lists_have_ten_to_a_page_and_only_the_fields_that_are_asked_for(halden: TikTokCaller) -> None:
    page = halden.data("ad/get", fields=["ad_id", "video_id"], exclude_field_types_in_response=["NULL_FIELD"], page="2")
    total = len(halden.profile.ads())
    assert page["page_info"] == {"page": 2, "page_size": 10, "total_number": total, "total_page": -(-total // 10)}
    assert {frozenset(one) for one in page["list"]} == {frozenset({"ad_id"}), frozenset({"ad_id", "video_id"})}


def test_json_text_is_read_with_or_without_spaces(halden: TikTokCaller) -> None:
    campaign, *_ = halden.profile.campaigns
    found = [
        halden.data("adgroup/get", fields=fields, filtering=filtering)["list"]
        for fields, filtering in (
            ('["adgroup_id","campaign_id"]', f'{{"campaign_ids":["{campaign.id}"]}}'),
            ('[ "adgroup_id", "campaign_id" ]', f'{{ "campaign_ids" : [ "{campaign.id}" ] }}'),
        )
    ]
    assert found[0] == found[1] != []


def test_ads_have_their_media_where_their_kind_has_them(halden: TikTokCaller) -> None:
    ads = halden.data("ad/get", page_size="1000")["list"]
    by_kind = {
        "spark": [ad for ad in ads if ad["tiktok_item_id"]],
        "catalog": [ad for ad in ads if ad["catalog_id"]],
        "carousel": [ad for ad in ads if ad["landing_page_urls"]],
        "video": [ad for ad in ads if ad["video_id"]],
    }
    assert all(by_kind.values())
    assert {ad["video_id"] for ad in by_kind["spark"] + by_kind["catalog"]} == {None}
    assert {ad["call_to_action"] for ad in by_kind["catalog"]} == {None}
    assert {ad["landing_page_url"] for ad in by_kind["carousel"]} == {None}
    smart = [ad for ad in ads if ad["campaign_automation_type"] == "UPGRADED_SMART_PLUS"]
    assert smart
    assert all("modify_time" not in ad for ad in smart)


def test_smart_plus_lists_are_of_upgraded_campaigns_only(halden: TikTokCaller) -> None:
    campaigns = [one["campaign_id"] for one in halden.data("smart_plus/campaign/get")["list"]]
    groups = [one["campaign_id"] for one in halden.data("smart_plus/adgroup/get")["list"]]
    ads = halden.data("smart_plus/ad/get", page_size="100")["list"]
    assert set(campaigns) == set(groups) == {ad["campaign_id"] for ad in ads}
    creatives = {one["smart_plus_creative_id"] for ad in ads for one in ad["creative_list"]}
    assert creatives == {ad.id for campaign, _, ad in halden.profile.ads() if campaign.id in campaigns}
    assert halden.code("smart_plus/ad/get", page_size="101") == 40002


def test_only_ads_take_a_time_of_change(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    today = f"{server.outside.world.now:%Y-%m-%d} 00:00:00"
    running_ad = next(ad for _, _, ad in halden.profile.ads() if ad.status == "ACTIVE" and ad.flight == (0, 1_000_000))
    before = ids(halden, "ad/get", modified_after=today, primary_status="STATUS_ALL")
    server.outside.happen("delete", {"profile_id": halden.profile.id, "ad_id": running_ad.id})
    after = ids(halden, "ad/get", modified_after=today, primary_status="STATUS_ALL")
    assert set(after) - set(before) == {running_ad.id}
    assert halden.code("campaign/get", filtering={"modified_after": today}) == 40002


def test_a_deleted_ad_says_so_in_its_secondary_status_alone(kestrel: TikTokCaller) -> None:
    ads = kestrel.data("ad/get", page_size="1000", filtering={"primary_status": "STATUS_DELETE"})["list"]
    assert {ad["operation_status"] for ad in ads} <= {"ENABLE", "DISABLE"}
    assert {ad["secondary_status"] for ad in ads} == {"AD_STATUS_DELETE", "AD_STATUS_CAMPAIGN_DELETE"}


def test_files_have_urls_that_expire(halden: TikTokCaller) -> None:
    ads = halden.data("ad/get", page_size="1000")["list"]
    videos = [ad["video_id"] for ad in ads if ad["video_id"]]
    images = [image for ad in ads for image in ad["image_ids"]]
    seen = halden.data("file/video/ad/info", video_ids=[*videos, "unknown"])["list"]
    assert [one["video_id"] for one in seen] == videos
    expires = datetime.strptime(seen[0]["preview_url_expire_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert expires > halden.server.outside.world.now
    assert len(halden.data("file/image/ad/info", image_ids=images)["list"]) == len(images)
    assert halden.code("file/video/ad/info", video_ids=[str(n) for n in range(61)]) == 40002
    assert halden.code("file/image/ad/info", image_ids=[]) == 40002


# -- switches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("throttle", {}, 40100),
        *(("throttle", {"code": code}, code) for code in (40016, 40132, 40133, 61000)),
        ("expired_token", {}, 40102),
        *(("revoked_credential", {"code": code}, code) for code in (40105, 40113, 40114, 40124, 40125, 41000)),
        ("access_denied", {}, 40001),
        *(("access_denied", {"code": code}, code) for code in (40003, 40119, 40130, 40300, 40301)),
        *(("server_error", {"code": code}, code) for code in (40067, 40200, 40700, 41001, 50000, 50002, 51010, 60001)),
    ],
)
def test_a_switch_refuses_with_its_code(server: PlatformServer, kind: str, options: dict[str, int], code: int) -> None:
    halden = TikTokCaller(server, "halden")
    switched(server, kind, times=1, profile_id=halden.profile.id, **options)
    found = halden.ask("ad/get").json()
    assert found["code"] == code
    assert halden.code("ad/get") == 0
    assert MESSAGES[code] == found["message"] or halden.profile.id in found["message"]


def test_the_gateway_answers_with_a_status_or_with_html(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    switched(server, "server_error", times=1)
    assert halden.ask("ad/get").status_code == 503
    switched(server, "html", times=1)
    answer = halden.ask("ad/get")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/html")


def test_a_new_status_appears(server: PlatformServer) -> None:
    switched(server, "new_value", times=1)
    found = TikTokCaller(server, "halden").data("ad/get")["list"]
    assert found[0]["secondary_status"] == "AD_STATUS_NEVER_HEARD_OF"


def test_rows_lack_a_metric_and_a_narrowed_report_is_cut_too(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    whole = halden.report()["list"]
    switched(server, "missing_column", times=1)
    without = halden.report()["list"]
    switched(server, "silent_cut", times=1, ids=1, narrowed=True)
    named = [condition("campaign_ids", halden.profile.campaigns[0].id)]
    cut = halden.report(filtering=named)["list"]
    assert without == [{**r, "metrics": {k: v for k, v in r["metrics"].items() if k != "spend"}} for r in whole]
    assert len({row["dimensions"]["ad_id"] for row in cut}) == 1


def test_one_advertiser_s_fault_leaves_the_others_alone(server: PlatformServer) -> None:
    first, second = TikTokCaller(server, "halden"), TikTokCaller(server, "halden", 1)
    switched(server, "access_denied", profile_id=first.profile.id)
    assert (first.code("ad/get"), second.code("ad/get")) == (40001, 0)


# -- quotas -----------------------------------------------------------------------------------------------------------


class Ticking:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def spent(quotas: Quotas, path: str, times: int) -> list[int]:
    codes = []
    for _ in range(times):
        try:
            quotas.spend("app", path, "")
            codes.append(0)
        except TikTokRefusal as refusal:
            codes.append(refusal.code)
    return codes


def test_a_second_s_quota_refills_and_a_minute_s_pauses_for_five(server: PlatformServer) -> None:
    # given
    clock = Ticking()
    quotas = Quotas(server.outside, clock)
    assert spent(quotas, "ad/get", 50) == [0] * 50
    switched(server, "quota", level="Basic")

    # then
    assert spent(quotas, "ad/get", 12) == [0] * 10 + [40100] * 2
    clock.now += 1.1
    assert spent(quotas, "ad/get", 1) == [0]
    for _ in range(31):
        clock.now += 1.1
        last = spent(quotas, "gmv_max/report/get", 8)
    assert last == [40133] * 8
    clock.now += 298
    assert spent(quotas, "gmv_max/report/get", 1) == [40133]
    clock.now += 3
    assert spent(quotas, "gmv_max/report/get", 1) == [0]


def test_a_path_has_a_quota_of_its_own(server: PlatformServer) -> None:
    switched(server, "quota", level="Ultimate")
    clock = Ticking()
    quotas = Quotas(server.outside, clock)
    assert spent(quotas, "report/task/create", 3) == [0, 0, 40133]
    assert spent(quotas, "ad/get", 5) == [0] * 5
    assert [LEVELS[name].second for name in ("Basic", "Advanced", "Premium", "Ultimate")] == [10, 20, 30, 50]


def test_a_day_s_quota_is_refused_until_midnight(server: PlatformServer) -> None:
    switched(server, "quota", level="Ultimate")
    clock = Ticking()
    quotas = Quotas(server.outside, clock)
    codes = set()
    for _ in range(4_501):
        clock.now += 1.5
        codes |= set(spent(quotas, "report/task/create", 1))
    assert codes == {0, 40133}
    clock.now = (clock.now // 86_400 + 1) * 86_400 - 1
    assert spent(quotas, "report/task/create", 1) == [40133]
    clock.now += 2
    assert spent(quotas, "report/task/create", 1) == [0]


def test_only_a_call_that_is_refused_was_spoiled_by_a_quota(server: PlatformServer) -> None:
    switched(server, "quota", level="Basic", times=2)

    assert spent(Quotas(server.outside, Ticking()), "ad/get", 15) == [0] * 10 + [40100] * 2 + [0] * 3


def test_a_quota_counts_real_calls(server: PlatformServer) -> None:
    body = {"kind": "quota", "platform": PLATFORM, "level": "Basic"}
    requests.post(f"{server.url}/_world/switches", json=body, timeout=5)
    halden = TikTokCaller(server, "halden")
    codes = [halden.code("campaign/get", page_size="1") for _ in range(40)]
    assert codes[:10] == [0] * 10
    assert 40100 in codes
    requests.post(f"{server.url}/_world/switches", json=body, timeout=5)
    assert halden.code("campaign/get") == 0
