"""Meta's stand-in, nodes and edges: fields, expansion, filters, pages, writes and versions as Graph has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from support.graph import WEEK, Client

# -- versions, edges and writes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("v3.0", 2635),
        ("v1.0", 2635),
        ("v22.0", 2635),
        ("v27.0", 2500),
        ("v99.0", 2500),
        ("v26.1", 2500),
        ("v0.1", 2500),
    ],
)
def test_a_version_that_has_ended_or_never_was_is_refused(shared: Client, version: str, code: int) -> None:
    assert shared.refused("me", version=version)["code"] == code


@pytest.mark.parametrize("version", ["v24.0", "v25.0", "v26.0"])
def test_living_versions_answer(shared: Client, version: str) -> None:
    assert shared.ask("me", version=version).status_code == 200


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("me/business_users", 100, "nonexisting field (business_users) on node type (User)"),
        ("me/nonsense", 100, "nonexisting field (nonsense) on node type (User)"),
        ("me?fields=nonsense", 100, "nonexisting field (nonsense)"),
        ("{act}/nonsense", 2500, "Unknown path components: /nonsense"),
        ("{act}/leads", 100, "nonexisting field (leads) on node type (AdAccount)"),
        ("{campaign}/adcreatives", 100, "nonexisting field (adcreatives) on node type (AdCampaignGroup)"),
        ("{act}/customaudiences", 3, "capability"),
        ("{act}/ads/more", 2500, "Unknown path components: /ads/more"),
        ("nobody/ads", 100, "does not exist"),
        ("777001/owned_ad_accounts", 100, "does not exist"),
        ("?ids=", 100, "ids"),
    ],
)
def test_an_edge_that_a_node_does_not_have_is_refused(shared: Client, path: str, code: int, message: str) -> None:
    error = shared.refused(path.replace("{campaign}", shared.profile.campaigns[0].id))
    assert error["code"] == code
    assert message in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "{act}/campaigns", 294),
        ("POST", "{act}", 294),
        ("POST", "{campaign}", 294),
        ("DELETE", "{campaign}", 294),
        ("DELETE", "{act}", 100),
        ("DELETE", "{act}/ads", 100),
        ("PUT", "{act}/insights", 100),
        ("DELETE", "{act}/insights", 100),
        ("POST", "{campaign}/ads", 100),
    ],
)
def test_a_token_for_reading_writes_nothing(client: Client, method: str, path: str, code: int) -> None:
    before = client.rows("{act}/campaigns")
    error = client.refused(path.replace("{campaign}", client.profile.campaigns[0].id), method=method, name="x")
    assert error["code"] == code
    assert client.rows("{act}/campaigns") == before


def test_a_post_may_be_meant_as_a_get(shared: Client) -> None:
    form = {"access_token": shared.token, "method": "get", "fields": "spend", "time_range": json.dumps(WEEK)}
    url = f"{shared.server.url}/v26.0/act_{shared.profile.id}/insights"
    assert requests.post(url, form, timeout=10).json()["data"][0]["spend"]
    assert "report_run_id" in shared.ask("{act}/insights", method="POST", fields="spend", time_range=WEEK).json()


# -- fields ----------------------------------------------------------------------------------------------------------


def test_an_unknown_field_of_an_object_is_refused(shared: Client) -> None:
    ad = shared.profile.ads()[0][2].id
    for path in ("{act}/ads", "{act}", ad, "{act}/campaigns", "{act}/adcreatives", "{act}/adimages"):
        error = shared.refused(path, fields="id,nonsense")
        assert (error["code"], "(nonsense)" in error["message"]) == (100, True)


@pytest.mark.parametrize("fields", ["name,creative{", "name}", "creative{id}x", "creative.limit", "1x"])
def test_fields_that_cannot_be_read_are_a_syntax_error(shared: Client, fields: str) -> None:
    assert shared.refused("{act}/ads", fields=fields)["code"] == 2500


@pytest.mark.parametrize("spelling", ["creative{id,title}", "creative.fields(id,title)"])
def test_a_field_is_expanded_in_both_spellings(shared: Client, spelling: str) -> None:
    rows = shared.rows("{act}/ads", fields=f"name,{spelling}")
    told = {
        ad.id: {k: ad.creative[k] for k in ("id", "title") if k in ad.creative} for _, _, ad in shared.profile.ads()
    }
    shown = {row["id"]: row["creative"] for row in rows}
    assert shown == {ad_id: told[ad_id] for ad_id in shown}
    assert shown


def test_parents_and_edges_are_expanded(shared: Client) -> None:
    # given
    delivered = shared.insights(level="ad", fields="ad_id")[0]["ad_id"]
    campaign, group, ad = next(each for each in shared.profile.ads() if each[2].id == delivered)
    insights = f"insights.time_range({json.dumps(WEEK)}).fields(spend,impressions)"

    # when
    read = shared.read(ad.id, fields=f"adset{{name,campaign{{name}}}},campaign,{insights}")
    below = shared.read(campaign.id, fields="adsets.limit(2){name,ads.limit(1){id}}")

    # then
    assert read["adset"] == {"id": group.id, "name": group.name, "campaign": {"id": campaign.id, "name": campaign.name}}
    assert read["campaign"] == {"id": campaign.id}
    (row,) = shared.rows(f"{ad.id}/insights", time_range=WEEK, fields="spend,impressions")
    assert read["insights"]["data"] == [row]
    assert [each["name"] for each in below["adsets"]["data"]] == [g.name for g in campaign.groups[:2]]
    assert below["adsets"]["data"][0]["ads"]["data"] == [{"id": campaign.groups[0].ads[0].id}]


def test_inner_fields_of_an_object_that_is_no_node_are_picked(shared: Client) -> None:
    adset = shared.profile.campaigns[0].groups[0].id
    read = shared.read(adset, fields="targeting{geo_locations},attribution_spec{window_days}")
    assert read["targeting"] == {"geo_locations": {"countries": ["US"]}}
    assert read["attribution_spec"] == [{"window_days": 7}, {"window_days": 1}]


def test_ad_accounts_name_themselves_without_fields(shared: Client) -> None:
    expected = {"account_id": shared.profile.id, "id": f"act_{shared.profile.id}"}
    assert shared.rows("me/adaccounts") == [expected]
    business = shared.read("{act}", fields="business")["business"]
    assert shared.rows("me/businesses") == [business]
    assert shared.rows(f"{business['id']}/owned_ad_accounts") == [expected]


def test_images_and_videos_of_creatives_can_be_read(shared: Client) -> None:
    # given
    creatives = shared.rows("{act}/adcreatives", fields="image_hash,video_id,asset_feed_spec")
    hashes = [c["image_hash"] for c in creatives if "image_hash" in c]
    video = next(c["video_id"] for c in creatives if "video_id" in c)

    # when
    images = shared.rows("{act}/adimages", fields="hash,url,width", hashes=hashes[:2])
    played = shared.read(video, fields="source,picture,permalink_url")

    # then
    assert {image["hash"] for image in images} == set(hashes[:2])
    assert all(image["url"].startswith("https://") for image in images)
    assert set(played) == {"id", "source", "picture", "permalink_url"}
    assert {c["video_id"] for c in creatives if "video_id" in c} == {v["id"] for v in shared.rows("{act}/advideos")}


# -- which objects are listed ----------------------------------------------------------------------------------------


def test_what_is_gone_is_listed_when_its_status_is_named(awkward: Client) -> None:
    def statuses(**params: Any) -> set[str]:
        return {row["effective_status"] for row in awkward.rows("{act}/ads", fields="effective_status", **params)}

    def where(field: str, *values: str) -> dict[str, Any]:
        return {"filtering": [{"field": field, "operator": "IN", "value": list(values)}]}

    assert statuses() == {"ACTIVE", "PAUSED"}
    assert statuses(effective_status=["DELETED", "PAUSED"]) == {"DELETED", "PAUSED"}
    assert statuses(**where("ad.effective_status", "ARCHIVED")) == {"ARCHIVED"}
    assert statuses(**where("effective_status", "DELETED", "ACTIVE")) == {"DELETED", "ACTIVE"}
    assert statuses(**where("ad.delivery_info", "deleted", "archived", "limited")) == {"DELETED", "ARCHIVED"}


def test_what_is_below_a_paused_campaign_says_so(client: Client) -> None:
    # when
    client.server.outside.happen("product", {"profile_id": client.profile.id, "product": "", "paused": True})

    # then
    def statuses(edge: str) -> set[tuple[str, str]]:
        rows = client.rows(f"{{act}}/{edge}", fields="status,effective_status")
        return {(row["status"], row["effective_status"]) for row in rows}

    assert statuses("campaigns") == {("PAUSED", "PAUSED")}
    assert statuses("adsets") == {("ACTIVE", "CAMPAIGN_PAUSED")}
    assert statuses("ads") == {("ACTIVE", "CAMPAIGN_PAUSED"), ("PAUSED", "PAUSED")}


@pytest.mark.parametrize("edge", ["campaigns", "adsets", "ads"])
def test_a_status_that_is_none_is_refused(shared: Client, edge: str) -> None:
    error = shared.refused(f"{{act}}/{edge}", effective_status=["ACTIVE", "FOO"])
    assert error["code"] == 100
    assert "effective_status[1] must be one of" in error["message"]


@pytest.mark.parametrize(
    ("field", "found"),
    [("campaign.effective_status", 48), ("adset.effective_status", 48), ("ad.delivery_info", 0), ("campaign.name", 0)],
)
def test_ads_are_filtered_by_their_parents(shared: Client, field: str, found: int) -> None:
    condition = {"field": field, "operator": "IN", "value": ["ACTIVE"]}
    assert len(shared.rows("{act}/ads", filtering=[condition])) == found


@pytest.mark.parametrize("field", ["ad.nonsense", "nonsense", "creative.name", "campaign.nonsense"])
def test_a_filter_on_what_no_ad_has_is_refused(shared: Client, field: str) -> None:
    condition = {"field": field, "operator": "EQUAL", "value": "x"}
    error = shared.refused("{act}/ads", filtering=[condition])
    assert error["code"] == 100
    assert f"Filtering field '{field}' with operation 'equal' is not supported" in error["message"]


def test_a_changed_ad_is_found_since_then(client: Client) -> None:
    # given
    ad = client.profile.ads()[0][2]
    recently = 1795132800  # 2026-11-20
    assert client.rows("{act}/ads", updated_since=str(recently)) == []

    # when
    client.server.outside.happen("archive", {"profile_id": client.profile.id, "ad_id": ad.id})

    # then
    changed = {"updated_since": str(recently), "effective_status": ["ARCHIVED"]}
    later = [{"field": "ad.updated_time", "operator": "GREATER_THAN", "value": recently}]
    assert client.rows("{act}/ads", **changed) == [{"id": ad.id}]
    assert client.rows("{act}/ads", filtering=later, effective_status=["ARCHIVED"]) == [{"id": ad.id}]


def test_objects_are_sorted(shared: Client) -> None:
    names = [row["name"] for row in shared.rows("{act}/ads", fields="name", sort=["name_descending"])]
    assert names == sorted(names, reverse=True)
    assert shared.refused("{act}/ads", sort=["nonsense_ascending"])["code"] == 100


# -- pages -----------------------------------------------------------------------------------------------------------


def test_previous_goes_back(shared: Client) -> None:
    # given
    first = shared.read("{act}/ads", limit="10")
    second = shared.read("{act}/ads", limit="10", after=first["paging"]["cursors"]["after"])

    # when
    back = requests.get(second["paging"]["previous"], timeout=10).json()
    forth = requests.get(back["paging"]["next"], timeout=10).json()

    # then
    assert "previous" not in first["paging"]
    assert back["data"] == first["data"] != second["data"]
    assert forth["data"] == second["data"]


@pytest.mark.parametrize("summary", ["true", "total_count", ["total_count"]])
def test_a_list_is_counted_when_asked_for(shared: Client, summary: Any) -> None:
    page = shared.read("{act}/ads", limit="3", summary=summary)
    assert (len(page["data"]), page["summary"]) == (3, {"total_count": len(shared.rows("{act}/ads"))})
    assert "summary" not in shared.read("{act}/ads", limit="3")
    assert shared.refused("{act}/ads", summary="nonsense")["code"] == 100


def test_a_lost_permission_may_look_like_an_account_that_does_not_exist(client: Client) -> None:
    client.server.outside.switches.turn_on({"kind": "access_denied", "code": 100, "profile_id": client.profile.id})
    error = client.refused("{act}/insights")
    assert (error["code"], error["error_subcode"]) == (100, 33)
