"""Reports of what has a name or a status, and with names beside ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from adweir.model.entities import Ad, AdCampaign, Keyword, Profile, Status
from adweir.model.errors import Unprocessable
from adweir.model.metrics import Level, Series, Source
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.reporting.query import Queries
from adweir.reporting.ranges import parse_range
from adweir.reporting.reports import MetricReport, ReportRequest, report
from adweir.store.metrics.store import StoredRow
from support.clock import FrozenClock
from support.listed import ListedCatalog, ListedMetrics

META, AMAZON = Platform("meta_ads"), Platform("amazon_ads")
_CLOCK = FrozenClock()
SPAN = parse_range("2026-11-01", "2026-11-30", _CLOCK.now().date())


def _profile(platform: Platform, id_: str, name: str) -> Profile:
    return Profile(
        account_id="acc_a", platform=platform, profile_id=id_, name=name, currency="EUR", timezone="Europe/Berlin"
    )


PROFILES = [_profile(META, "1", "Shop"), _profile(META, "2", "Outlet"), _profile(AMAZON, "3", "Shop")]
"""Each has campaigns c1 and c2 and ads a1 and a2; what they are called differs."""


def _campaign(profile: Profile, id_: str, name: str, **more: Any) -> AdCampaign:
    return AdCampaign(
        platform=profile.platform, profile_id=profile.profile_id, id=id_, campaign_id=id_, name=name, **more
    )


OBJECTS = [
    _campaign(PROFILES[0], "c1", "Brand DE", status=Status.ACTIVE),
    _campaign(PROFILES[0], "c2", "Generic", status=Status.PAUSED),
    _campaign(PROFILES[1], "c1", "Generic", status=Status.ACTIVE, end_date="2026-10-01"),
    _campaign(PROFILES[1], "c2", "BRAND FR", status=Status.REMOVED),
    _campaign(PROFILES[2], "c2", "=HYPERLINK(1)", status=Status.ACTIVE),
    Ad(platform=META, profile_id="1", id="a1", campaign_id="c1", ad_group_id="g1", name="Blue", status=Status.ACTIVE),
    Ad(platform=META, profile_id="2", id="a1", campaign_id="c1", ad_group_id="g1", name="Red", status=Status.ACTIVE),
    Keyword(platform=AMAZON, profile_id="3", id="k1", campaign_id="c1", ad_group_id="g1", text="red boots"),
]


class OwnCatalog(ListedCatalog):
    """Objects of the profile that is asked for only."""

    def objects(self, platform: Any, profile_id: str, dataset: Any) -> Iterator[Any]:
        found = super().objects(platform, profile_id, dataset)
        return (item for item in found if (item.platform, item.profile_id) == (platform, profile_id))


def _rows(series: Series, _: Sequence[Source]) -> Iterator[StoredRow]:
    """On 2 November each campaign has spent its number, with one ad of that number, per profile times ten."""
    for number in (1, 2):
        slot = (0, 0, 0, number * 10 ** int(series.profile_id) * 1_000_000, 0)
        ids = {
            Level.CAMPAIGN: (f"c{number}", "", ""),
            Level.AD: (f"g1~a{number}", f"c{number}", "g1"),
            Level.KEYWORD: (f"g1~k{number}", f"c{number}", "g1"),
        }
        if series.level in ids:
            yield StoredRow(*ids[series.level], "", "", "2026-11-02", -1, slot, Source.PULL, None)


def made(*dimensions: str, segments: Sequence[dict[str, Any]] = (), **more: Any) -> MetricReport:
    queries = Queries(OwnCatalog(PROFILES, OBJECTS), ListedMetrics(_rows), REGISTRY, _CLOCK)
    return report(queries, ReportRequest("r", SPAN, ["spend"], dimensions, segments, **more))


def spent(*segments: dict[str, Any]) -> int:
    """The sum in which each digit is that of a profile: 1 or 2 for a campaign, 3 for both."""
    totals = made("campaign", segments=segments).totals
    return int(totals[0]["spend"]) if totals else 0


@pytest.mark.parametrize(
    ("segment", "sum_"),
    [
        ({"name": "campaign_name", "contains": "brand"}, 10 + 200),
        ({"name": "campaign_name", "contains": ["brand de", "HYPER"]}, 10 + 2000),
        ({"name": "campaign_name", "values": ["Generic"]}, 20 + 100),
        ({"name": "campaign_name", "values": ["brand de"]}, 0),
        ({"name": "campaign_status", "values": ["active"]}, 10 + 2000),
        ({"name": "campaign_status", "values": ["ended", "removed"]}, 300),
        ({"name": "account_name", "contains": "shop"}, 30 + 3000),
        ({"name": "ad_name", "values": ["Red"]}, 100),
        ({"name": "ad_status", "values": ["ended"]}, 100),
        ({"name": "keyword_name", "contains": ["boots"]}, 1000),
    ],
)
def test_a_segment_chooses_what_is_called_so_of_each_ad_account(segment: dict[str, Any], sum_: int) -> None:
    """An id that another ad account has, too, is not chosen there. An ad whose campaign is over has ended."""
    dims = {"ad": ("ad",), "keyword": ("keyword",)}.get(segment["name"].partition("_")[0], ("campaign",))
    totals = made(*dims, segments=[segment]).totals
    assert (int(totals[0]["spend"]) if totals else 0) == sum_


def test_segments_of_names_narrow_each_other_and_others() -> None:
    active = {"name": "campaign_status", "values": ["active"]}
    assert spent(active, {"name": "campaign_name", "contains": "brand"}) == 10
    assert spent(active, {"name": "platform", "values": ["amazon"]}) == 2000
    assert spent(active, {"name": "campaign", "values": ["c1"]}) == 10
    assert spent(active, {"name": "account_name", "values": ["Outlet"]}) == 0


def test_names_stand_beside_ids() -> None:
    found = made("account", "campaign", "client", names=True)

    assert found.columns == (
        "account", "account_name", "campaign", "campaign_name", "client", "client_name", "currency", "spend"
    )  # fmt: skip
    names = {(row["account"], row["campaign"]): (row["account_name"], row["campaign_name"]) for row in found.rows}
    assert names == {
        ("1", "c1"): ("Shop", "Brand DE"),
        ("1", "c2"): ("Shop", "Generic"),
        ("2", "c1"): ("Outlet", "Generic"),
        ("2", "c2"): ("Outlet", "BRAND FR"),
        ("3", "c1"): ("Shop", None),  # its platform lists it no more
        ("3", "c2"): ("Shop", "=HYPERLINK(1)"),
    }


def test_an_id_of_several_objects_has_a_name_where_they_have_one() -> None:
    names = {row["campaign"]: row["campaign_name"] for row in made("campaign", names=True).rows}
    assert names == {"c1": None, "c2": None}
    meta = made("platform", "ad", names=True, segments=[{"name": "account", "values": ["1"]}]).rows
    assert [(row["ad"], row["ad_name"]) for row in meta] == [("a1", "Blue"), ("a2", None)]


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        ({"name": "campaign_status", "values": ["running"]}, "unknown status 'running'; known: active"),
        ({"name": "campaign_status", "contains": ["act"]}, 'a segment campaign_status is {"name", "values"}$'),
        ({"name": "campaign_name", "contains": []}, 'or {"name", "contains"}'),
        ({"name": "campaign_name", "values": [7]}, 'or {"name", "contains"}'),
        ({"name": "campaign_name"}, 'or {"name", "contains"}'),
        ({"name": "campaign_colour", "values": ["red"]}, "unknown filter 'campaign_colour'"),
    ],
)
def test_a_segment_that_says_nothing_is_refused(segment: dict[str, Any], said: str) -> None:
    with pytest.raises(Unprocessable, match=said) as refused:
        made("campaign", segments=[segment])
    assert refused.value.details[0]["field"].startswith("segments[0]")
