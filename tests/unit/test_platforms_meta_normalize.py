"""Meta's pages in our vocabulary."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Profile, Status
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.money import rounded, to_micros
from adweir.platforms.meta.normalize import NORMALIZER
from adweir.platforms.meta.numbers import micros
from adweir.platforms.meta.objects import budget
from adweir.platforms.rounding import SPEND, Rounding
from adweir.quality.quarantine import Quarantine
from support.meta_wire import AS_OF, context, insight, page, stored


def read(body: Any, **changes: Any) -> tuple[list[MetricRow], list[BadRow]]:
    batches = list(NORMALIZER.metric_batches(stored(body), context(**changes)))
    return [row for batch in batches for row in batch.rows], [row for batch in batches for row in batch.bad]


def read_objects(items: list[Any], dataset: Dataset, **changes: Any) -> tuple[list[Any], list[BadRow]]:
    batches = list(NORMALIZER.object_batches(stored(page(items)), context(dataset, **changes)))
    return [o for batch in batches for o in batch.objects], [b for batch in batches for b in batch.bad]


def test_an_insights_row_becomes_a_metric_row() -> None:
    rows, bad = read(page([insight()]))
    assert rows == [
        MetricRow(
            entity_id="222~333",
            day="2026-11-01",
            impressions=1200,
            clicks=34,
            conversions=3_000_000,
            spend=45_670_000,
            revenue=310_750_000,
            campaign_id="111",
            ad_group_id="222",
            currency="USD",
            line=1,
        )
    ]
    assert bad == []


def test_what_is_absent_is_zero() -> None:
    changes = dict.fromkeys(("impressions", "clicks", "spend", "actions", "action_values", "account_currency"))
    rows, _ = read(page([insight(**changes)]), currency="EUR")
    assert rows[0].slot == (0, 0, 0, 0, 0)
    assert rows[0].currency == "EUR"


def test_a_row_with_impressions_and_without_spend_lacks_it_and_has_not_spent_nothing() -> None:
    rows, bad = read(page([insight(spend=None), insight(spend=None, impressions=None, clicks=None)]))
    assert [row.spend for row in rows] == [0]
    assert [(one.errors[0]["field"], one.slot) for one in bad] == [
        ("spend", (1200, 34, 3_000_000, None, 310_750_000)),
    ]


@pytest.mark.parametrize(
    ("actions", "values", "expected"),
    [
        ({"purchase": "2"}, {"purchase": "20"}, (2, 20)),
        ({"offsite_conversion.fb_pixel_purchase": "1"}, {}, (1, 0)),
        (
            {"purchase": "2", "offsite_conversion.fb_pixel_purchase": "9"},
            {"omni_purchase": "5", "purchase": "7"},
            (2, 7),
        ),
        ({"omni_purchase": "2.5"}, {"purchase": "7"}, ("2.5", 0)),
        ({"link_click": "2"}, {"purchase": "7"}, (0, 7)),
        ({"link_click": "2"}, {"add_to_cart": "7"}, (0, 0)),
        ({}, {"omni_purchase": "1.005"}, (0, "1.005")),
    ],
)
def test_one_action_type_stands_for_purchases(actions: Any, values: Any, expected: tuple[Any, Any]) -> None:
    def listed(pairs: dict[str, str]) -> list[dict[str, str]] | None:
        return [{"action_type": kind, "value": value} for kind, value in pairs.items()] or None

    rows, _ = read(page([insight(actions=listed(actions), action_values=listed(values))]))
    assert (rows[0].conversions, rows[0].revenue) == tuple(to_micros(value) for value in expected)


@given(st.decimals(0, 10**11, allow_nan=False, places=2) | st.text("0123456789.-+e_ ٣²", max_size=18))
def test_fast_money_is_exactly_slow_money(value: Decimal | str) -> None:
    text, rounding = str(value), Rounding()
    try:
        expected: tuple[int, Decimal] | None = rounded(text)
    except ValueError:
        expected = None
    try:
        found = micros(text, SPEND, rounding)
    except ValueError as error:
        assert expected is None, error  # noqa: PT017  both must refuse
        return
    assert expected is not None
    assert (found, [delta for _, delta in rounding.added]) == (expected[0], [expected[1]] if expected[1] else [])


def test_more_than_six_decimals_are_rounded_and_the_difference_is_kept() -> None:
    purchase = [{"action_type": "purchase", "value": "1.00000051"}]
    rows, bad = read(page([insight(spend="0.0000005", actions=purchase, action_values=purchase), insight()]))
    assert bad == []
    assert [row.spend for row in rows] == [0, 45_670_000]
    assert (rows[0].conversions, rows[0].revenue) == (1_000_001, 1_000_001)
    assert [str(delta) for delta in rows[0].rounding or ()] == ["0", "0", "0.49", "-0.5", "0.49"]
    assert rows[1].rounding is None


def test_a_row_that_cannot_be_stored_says_the_numbers_that_could_be_read() -> None:
    _, bad = read(page([insight(clicks="1.5"), insight(spend="x", ad_id="y"), insight(actions="none")]))
    assert [row.slot for row in bad] == [
        (1200, None, 3_000_000, 45_670_000, 310_750_000),
        (1200, 34, 3_000_000, None, 310_750_000),
        (1200, 34, None, 45_670_000, None),
    ]


def test_a_row_that_cannot_be_stored_says_its_parents_where_they_could_be_read() -> None:
    odd: list[Any] = ["x", 111, None, "1" * 201, "\u0661"]
    _, bad = read(page([insight(spend="x"), *(insight(spend="x", campaign_id=campaign) for campaign in odd)]))
    assert [(row.entity_id, row.campaign_id, row.ad_group_id) for row in bad] == [
        ("222~333", "111", "222"),
        *[("222~333", "", "222")] * len(odd),
    ]


def poisoned(value: bytes) -> bytes:
    """A page whose second row of three has this value in a field that is not ours."""
    row = json.dumps(insight())
    return b'{"data":[%s,%s,%s],"paging":{"cursors":{"after":"x"}}}' % (
        row.encode(),
        row.replace("{", '{"ad_name": "?", ', 1).encode().replace(b'"?"', value),
        row.replace("333", "334").encode(),
    )


@pytest.mark.parametrize(
    "value",
    [
        b'"\\ud800"',
        b'"\\ud800 and text"',
        b'"\x01"',
        b'"\\x"',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"nonsense",
        b"NaN",
    ],
    ids=["surrogate", "in text", "control", "escape", "deep list", "deep object", "no value", "NaN"],
)
def test_a_poisoned_row_costs_itself_and_not_its_page(value: bytes) -> None:
    rows, bad = read(poisoned(value))
    assert [row.entity_id for row in rows] == ["222~333", "222~334"]
    assert [entry.line for entry in bad] == [2]
    with Quarantine() as quarantine:
        quarantine.add(bad[0])
    objects = list(NORMALIZER.object_batches(stored(poisoned(value)), context(Dataset.ADS)))
    assert [entry.line for batch in objects for entry in batch.bad] == [1, 2, 3]


@pytest.mark.parametrize("value", [b'["\xed\xa0\x80"]', rb'[{"action_type":"\ud800"}]'])
def test_actions_that_are_not_unicode_cost_their_row_only(value: bytes) -> None:
    body = json.dumps(page([insight(), insight(actions="?", ad_id="334")])).encode().replace(b'"?"', value)
    rows, bad = read(body)
    assert [row.entity_id for row in rows] == ["222~333"]
    assert [(entry.line, entry.entity_id) for entry in bad] == [(2, "222~334")]


def test_a_text_without_an_end_is_refused_in_time() -> None:
    with pytest.raises(BadInput):
        read(b'{"data":[{"x":"\\ud800"},{"name":"' + rb"\"" * 300_000)


@pytest.mark.parametrize("value", [b"1E99999999999999999999", b"9" * 400, b"9" * 5000, b'"' + b"9" * 5000 + b'"'])
@pytest.mark.parametrize("field", ["spend", "impressions", "clicks", "ad_id", "actions"])
def test_an_absurd_number_costs_its_row_only(field: str, value: bytes) -> None:
    body = json.dumps(page([insight(), insight(**{field: "?"}), insight(ad_id="334")])).encode()
    rows, bad = read(body.replace(b'"?"', value))
    assert [row.entity_id for row in rows] in (["222~333", "222~334"], ["222~333", "222~" + "9" * 5000, "222~334"])
    assert [entry.line for entry in bad] == [2][: 3 - len(rows)]


@pytest.mark.parametrize(
    ("changes", "field", "keyed"),
    [
        ({"spend": "12,50"}, "spend", True),
        ({"impressions": "many"}, "impressions", True),
        ({"clicks": "1.5"}, "clicks", True),
        ({"actions": [{"action_type": "purchase", "value": "x"}]}, "actions", True),
        ({"ad_id": None}, "ad_id", False),
        ({"ad_id": "33x"}, "ad_id", False),
        ({"adset_id": "٣"}, "ad_id", False),
        ({"date_start": "2026-11-31", "date_stop": "2026-11-31"}, "date_start", False),
        ({"date_stop": "2026-11-07"}, "date_stop", True),
        ({"account_id": "999"}, "account_id", False),
        ({"impressions": 1200}, "", True),
        ({"spend": None, "actions": "none"}, "", True),
        ({"date_stop": None}, "", True),
    ],
)
def test_one_bad_row_costs_only_itself(changes: dict[str, Any], field: str, keyed: bool) -> None:
    # given a page whose second row of three is wrong
    rows, bad = read(page([insight(), insight(**changes), insight(ad_id="334")]))
    # then the others are read, and it is a bad row, with its key where that can be read
    assert [row.line for row in rows] == [1, 3]
    assert [(b.line, b.errors[0]["field"], bool(b.entity_id and b.day)) for b in bad] == [(2, field, keyed)]
    assert bad[0].raw == insight(**changes)


def test_items_that_are_not_objects_are_bad_rows() -> None:
    rows, bad = read(page([insight(), 7, None, ["x"]]))
    assert (len(rows), [b.line for b in bad]) == (1, [2, 3, 4])


def test_a_negative_count_is_left_to_the_rules() -> None:
    rows, bad = read(page([insight(impressions="-5")]))
    assert (rows[0].impressions, bad) == (-5, [])


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": {}}', b'{"error": {}}', b'{"data": ['])
def test_bytes_that_are_not_a_page_are_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        read(body)
    with pytest.raises(BadInput):
        list(NORMALIZER.object_batches(stored(body), context(Dataset.ADS)))


def test_an_empty_page_is_read() -> None:
    assert read({"data": []}) == ([], [])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_a_row_is_it_becomes_a_row_or_a_bad_row(noise: Any) -> None:
    row = insight() | noise if isinstance(noise, dict) else noise
    rows, bad = read(json.dumps(page([row, insight()])).encode())
    assert len(rows) + len(bad) == 2
    for dataset in (Dataset.PROFILES, Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS):
        objects, wrong = read_objects([noise], dataset)
        assert len(objects) + len(wrong) == 1


def test_hourly_campaign_rows() -> None:
    hours = "hourly_stats_aggregated_by_advertiser_time_zone"
    rows, bad = read(
        page([insight(**{hours: "13:00:00 - 13:59:59"}), insight(**{hours: "noon"})]), dataset=Dataset.CAMPAIGN_HOURLY
    )
    assert [(row.entity_id, row.hour) for row in rows] == [("111", 13)]
    assert bad[0].errors[0]["field"] == hours


def test_the_levels_have_their_ids() -> None:
    for dataset, entity in (
        (Dataset.ACCOUNT_DAILY, "1234567890"),
        (Dataset.CAMPAIGN_DAILY, "111"),
        (Dataset.AD_GROUP_DAILY, "222"),
    ):
        assert read(page([insight()]), dataset=dataset)[0][0].entity_id == entity


def account(**changes: Any) -> dict[str, Any]:
    return {
        "id": "act_5",
        "account_id": "5",
        "name": "Acme",
        "currency": "JPY",
        "timezone_name": "Asia/Tokyo",
        "account_status": 1,
        "business_country_code": "JP",
    } | changes


def test_accounts_become_profiles() -> None:
    profiles, bad = read_objects(
        [
            account(),
            account(account_id="6", account_status=101),
            account(account_id="x"),
            account(timezone_name="Mars"),
        ],
        Dataset.PROFILES,
        profile_id="",
    )
    assert profiles[0] == Profile(
        account_id="acme",
        platform="meta_ads",
        profile_id="5",
        name="Acme",
        currency="JPY",
        timezone="Asia/Tokyo",
        country="JP",
        as_of=AS_OF,
        status_raw="1",
    )
    assert profiles[1].status == "removed"
    assert [b.errors[0]["field"] for b in bad] == ["account_id", "timezone_name"]
    assert read_objects([account(currency="YE")], Dataset.PROFILES)[1][0].entity_id == "5"


def test_campaigns_with_their_budgets_and_dates() -> None:
    node = {
        "id": "111",
        "name": "Brand",
        "objective": "OUTCOME_SALES",
        "effective_status": "ACTIVE",
        "status": "ACTIVE",
        "daily_budget": "5000",
        "lifetime_budget": "0",
        "start_time": "2026-11-01T00:00:00-0500",
        "stop_time": "2026-11-19T23:00:00-0500",
    }
    (ended, running), bad = read_objects(
        [node, node | {"id": "112", "stop_time": "", "daily_budget": "0", "lifetime_budget": "700"}, node | {"id": ""}],
        Dataset.CAMPAIGNS,
    )
    assert isinstance(ended, AdCampaign)
    assert (ended.budget, ended.budget_type, ended.campaign_id) == (50_000_000, "daily", "111")
    assert (ended.start_date, ended.end_date, ended.status) == ("2026-11-01", "2026-11-19", Status.ENDED)
    assert (running.budget, running.budget_type, running.status) == (7_000_000, "lifetime", Status.ACTIVE)
    assert bad[0].errors[0]["field"] == "id"


def test_budgets_follow_the_currency() -> None:
    assert budget("5000", "JPY") == 5_000_000_000
    assert budget("5000", "USD") == 50_000_000
    assert budget(None, "USD") is budget("0", "USD") is None
    with pytest.raises(ValueError, match="budget"):
        budget("5.5", "USD")


def test_ad_sets_have_dates_in_the_accounts_zone() -> None:
    node = {
        "id": "222",
        "campaign_id": "111",
        "effective_status": "CAMPAIGN_PAUSED",
        "start_time": "2026-11-01T02:00:00+0000",
    }
    (group,), bad = read_objects(
        [node, node | {"start_time": "2026-11-01"}, node | {"start_time": "soon"}], Dataset.AD_GROUPS
    )
    assert isinstance(group, AdGroup)
    assert (group.campaign_id, group.ad_group_id, group.start_date) == ("111", "222", "2026-10-31")
    assert (group.status, group.status_raw) == (Status.PAUSED, "CAMPAIGN_PAUSED")
    assert [(one.entity_id, one.errors[0]["field"]) for one in bad] == [("222", "start_time")] * 2


LINK = {
    "link": "https://e.com/shoes",
    "message": "Find your pair.",
    "name": "Shoes",
    "picture": "https://i/p.jpg",
    "call_to_action": {"type": "SHOP_NOW"},
}
VIDEO = {
    "title": "Shoes",
    "message": "Find your pair.",
    "image_url": "https://i/p.jpg",
    "call_to_action": {"type": "SHOP_NOW", "value": {"link": "https://e.com/shoes"}},
}
FEED = {
    "titles": [{"text": "Shoes"}],
    "bodies": [{"text": "Find your pair."}],
    "call_to_action_types": ["SHOP_NOW"],
    "images": [{"url": "https://i/p.jpg"}],
    "link_urls": [{"website_url": "https://e.com/shoes"}],
}


@pytest.mark.parametrize(
    "creative",
    [
        {"object_story_spec": {"link_data": LINK}},
        {"object_story_spec": {"video_data": VIDEO}},
        {"asset_feed_spec": FEED},
        {
            "title": "Shoes",
            "body": "Find your pair.",
            "call_to_action_type": "SHOP_NOW",
            "image_url": "https://i/p.jpg",
            "link_url": "https://e.com/shoes",
            "thumbnail_url": "https://i/t.jpg",
        },
    ],
)
def test_a_creative_is_found_wherever_it_stands(creative: dict[str, Any]) -> None:
    node = {
        "id": "333",
        "adset_id": "222",
        "campaign_id": "111",
        "effective_status": "DISAPPROVED",
        "creative": creative,
    }
    (ad,), _ = read_objects([node], Dataset.ADS)
    assert isinstance(ad, Ad)
    assert (ad.headline, ad.description, ad.cta) == ("Shoes", "Find your pair.", "SHOP_NOW")
    assert (ad.image_url, ad.landing_page_url) == ("https://i/p.jpg", "https://e.com/shoes")
    assert (ad.status, ad.ad_group_id, ad.campaign_id) == (Status.REJECTED, "222", "111")


def test_an_ad_without_a_creative_has_none() -> None:
    (ad,), _ = read_objects([{"id": "3", "adset_id": "2", "campaign_id": "1", "effective_status": "NEW"}], Dataset.ADS)
    assert (ad.headline, ad.landing_page_url, ad.status) == (None, None, Status.UNKNOWN)


def test_meta_has_no_keywords() -> None:
    with pytest.raises(BadInput):
        read_objects([], Dataset.KEYWORDS)
