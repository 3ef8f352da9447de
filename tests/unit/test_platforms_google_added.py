"""Google's answers that are added up: regions, conversions by action, conversions by their own day."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, TooMuchData, Transient
from adweir.model.metrics import BadRow, Slot
from adweir.platforms.base import ProfileOptions
from adweir.platforms.connector import Mode
from adweir.platforms.google_ads import SPEC, added, queries
from adweir.platforms.google_ads.client import GoogleConnector
from adweir.platforms.google_ads.normalize import NORMALIZER
from adweir.platforms.google_ads.options import GoogleOptions
from sandbox.platforms.google_ads.facts import RESOURCES
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.google_wire import GoogleStub, batch, connected, context, page, query_of, row, task
from support.meta_wire import StoredPage
from support.stub_http import Answer, Call, StubServer

REGIONS = Dataset.CAMPAIGN_BY_REGION_DAILY
BY_ACTION, BY_DATE = "by_action", "by_conversion_date"
PURCHASES = GoogleOptions(actions=("Purchase",))
DATED = GoogleOptions(clock="conversion")
Found = tuple[dict[tuple[str, str], Slot], list[BadRow]]


@pytest.fixture
def wire(stub: StubServer) -> GoogleStub:
    return GoogleStub(stub)


@pytest.fixture
def google(wire: GoogleStub, clock: FrozenClock) -> Iterator[GoogleConnector]:
    with requests.Session() as session:
        yield connected(wire.stub, session, clock)


def read(dataset: Dataset, label: str, *parts: tuple[str, list[Any]], options: Any = None) -> Found:
    """The rows of a page of these parts, by entity and day, and the bad ones."""
    body = b"".join(added.written((name, msgspec.json.encode(batch(rows))) for name, rows in parts))
    asked = context(dataset, options=options or GoogleOptions())
    found = list(NORMALIZER.metric_batches(StoredPage(1, io.BytesIO(body), label), asked))
    rows = [each for one in found for each in one.rows]
    named = {(each.entity_id, each.day): each.slot for each in rows}
    assert len(named) == len(rows)
    return named, [bad for one in found for bad in one.bad]


def region(number: str, **changes: Any) -> dict[str, Any]:
    segments = {"date": "2026-11-01"} | ({"geoTargetRegion": f"geoTargetConstants/{number}"} if number else {})
    return row(segments=segments, **changes)


def place(number: str, name: str) -> dict[str, Any]:
    return {"geoTargetConstant": {"resourceName": f"geoTargetConstants/{number}", "name": name}}


def action(name: str, conversions: float, number: str = "7", day: str = "2026-11-01", **named: Any) -> dict[str, Any]:
    segments = {
        "date": day,
        "conversionAction": f"customers/1/conversionActions/{number}",
        "conversionActionName": name,
        "conversionActionCategory": named.pop("category", "PURCHASE"),
    }
    metrics = {"conversions": conversions, "conversionsValue": 10 * conversions, "allConversions": 9}
    return row(segments=segments, metrics=dict.fromkeys(("impressions", "clicks", "costMicros")) | metrics, **named)


class TestRegions:
    def test_rows_of_a_region_are_added_up_and_named(self) -> None:
        rows = [region("21137"), region("21137"), region("21138"), region("21139"), region("")]
        names = [place("21137", "California"), place("21138", "California"), place("1", "Elsewhere")]
        found, bad = read(REGIONS, "+places", ("", rows[:2]), ("", rows[2:]), ("places", names))
        assert found == {
            ("111~California", "2026-11-01"): (3600, 102, 7_500_000, 137_010_000, 932_250_000),
            ("111~21139", "2026-11-01"): (1200, 34, 2_500_000, 45_670_000, 310_750_000),
        }
        assert bad == []

    def test_a_sum_that_lacks_a_part_is_none(self) -> None:
        rows = [region("21137"), region("21137", metrics={"clicks": "x"}), region("2")]
        found, bad = read(REGIONS, "+places", ("", rows), ("places", [place("21137", "California")]))
        assert list(found) == [("111~2", "2026-11-01")]
        assert [each.entity_id for each in bad] == [""]  # so the pull answers for no region that it did not bring

    def test_an_unknown_part_makes_the_sum_unknown(self) -> None:
        rows = [region("21137", metrics={"conversions": None}), region("21137")]
        assert read(REGIONS, "+places", ("", rows))[0]["111~21137", "2026-11-01"][2] is None

    def test_rows_that_somebody_else_fetched_are_added_up_too(self) -> None:
        body = NORMALIZER.page_of([region("7"), region("7")], context(REGIONS))
        (found,) = NORMALIZER.metric_batches(StoredPage(1, io.BytesIO(body), ""), context(REGIONS))
        assert [(each.entity_id, each.clicks) for each in found.rows] == [("111~7", 68)]

    def test_what_is_no_part_is_bad_input_and_half_a_character_is_read(self) -> None:
        for body in (b'[{"part":""}]', b"[1]", b'[{"part":"","answer":{}}'):
            with pytest.raises(BadInput):
                list(NORMALIZER.metric_batches(StoredPage(1, io.BytesIO(body), "+places"), context(REGIONS)))
        good = json.dumps(region("7"))
        half = good.replace('"7"', '"7","name":"\\ud83d"')
        text = f'[{{"part":"","answer":{{"results":[{good},{half},{{"campaign":NaN}}]}}}}]'
        found = list(NORMALIZER.metric_batches(StoredPage(1, io.BytesIO(text.encode()), "+places"), context(REGIONS)))
        assert [len(each.bad) for each in found] == [1, 0]
        assert [each.clicks for each in found[1].rows] == [68]

    @pytest.mark.parametrize("mode", ["", Mode.PAGES])
    def test_the_answer_and_the_names_of_its_regions_are_one_page(
        self, google: GoogleConnector, wire: GoogleStub, mode: str
    ) -> None:
        rows, names = [region("21137"), region("21138"), region("")], [place("21137", "California")]

        def answer(call: Call) -> Answer:
            if "geo_target_constant" in query_of(call):
                return Answer(200, page(names))
            return Answer(200, page(rows) if mode else [batch(rows), batch(rows)])

        wire.route = answer
        (only,) = google.pages(task(REGIONS, mode=mode))
        parts = json.loads(only.content())
        assert (only.label, only.last, only.resume) == ("+places", True, "")
        assert [part["part"] for part in parts] == ["", "places"] if mode else ["", "", "places"]
        assert [part["answer"]["results"] for part in parts[-2:]] == [rows, names]
        assert "FROM user_location_view" in query_of(wire.calls[0])
        assert query_of(wire.calls[1]).endswith(
            "resource_name IN ('geoTargetConstants/21137', 'geoTargetConstants/21138')"
        )
        assert len(wire.calls) == 2

    def test_without_regions_no_names_are_asked_for(self, google: GoogleConnector, wire: GoogleStub) -> None:
        (only,) = google.pages(task(REGIONS))
        assert json.loads(only.content()) == [{"part": "", "answer": batch([])}]
        assert len(wire.calls) == 1

    def test_an_answer_that_breaks_off_is_no_page(self, google: GoogleConnector, wire: GoogleStub) -> None:
        wire.route = lambda _: Answer(200, json.dumps([batch([region("7")])] * 3).encode()[:-40])
        (only,) = google.pages(task(REGIONS))
        with pytest.raises(Transient):
            only.content()

    @at_the_bound("MAX_KNOWN_ENTITIES", as_if=2)
    def test_as_many_regions_as_there_may_be(self, size: int, *, fits: bool) -> None:
        seen = added.Regions()
        with refuses(TooMuchData, fits=fits):
            seen.see(json.dumps([region(str(number)) for number in range(1, size + 1)]).encode())
            assert list(seen.groups(1)) == [[f"geoTargetConstants/{n}"] for n in range(1, size + 1)]


class TestActions:
    def test_named_actions_are_asked_for_beside_the_numbers_only_where_they_are_chosen(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        list(google.pages(task(Dataset.CAMPAIGN_DAILY)))
        (only,) = google.under(PURCHASES).pages(task(Dataset.CAMPAIGN_DAILY))
        assert (only.label, only.last) == ("+by_action", True)
        assert [part["part"] for part in json.loads(only.content())] == ["", BY_ACTION]
        plain, own, beside = map(query_of, wire.calls)
        assert plain == own
        assert beside == (
            "SELECT campaign.id, campaign.advertising_channel_type, segments.date, segments.conversion_action,"
            " segments.conversion_action_name, segments.conversion_action_category, metrics.conversions,"
            " metrics.conversions_value, metrics.all_conversions, metrics.all_conversions_value FROM campaign"
            " WHERE segments.date BETWEEN '2026-11-01' AND '2026-11-07' PARAMETERS omit_unselected_resource_names=true"
        )
        assert google.under(ProfileOptions()).pages(task(Dataset.CAMPAIGN_DAILY))

    def test_each_question_of_a_pull_has_one_beside_it(self, google: GoogleConnector, wire: GoogleStub) -> None:
        pages = list(google.under(PURCHASES).pages(task(Dataset.AD_GROUP_DAILY)))
        assert [(one.label, one.last, one.resume) for one in pages] == [
            ("+by_action", False, "1:"),
            ("asset_groups+by_action", True, ""),
        ]
        bodies = [one.content() for one in pages]
        assert len(wire.calls) == 2 * len(bodies)

    @pytest.mark.parametrize(
        ("chosen", "conversions"),
        [
            (["Purchase"], 2_000_000),
            (["8"], 500_000),
            (["SIGNUP", "Purchase"], 2_500_000),
            (["purchase"], 0),
            (["Other"], 0),
        ],
    )
    def test_what_the_chosen_actions_brought_counts(self, chosen: list[str], conversions: int) -> None:
        parts = ("", [row()]), (BY_ACTION, [action("Purchase", 2), action("Sign-up", 0.5, "8", category="SIGNUP")])
        found, _ = read(Dataset.AD_DAILY, "+by_action", *parts, options=GoogleOptions(actions=tuple(chosen)))
        assert found == {("222~333", "2026-11-01"): (1200, 34, conversions, 45_670_000, 10 * conversions)}

    def test_the_same_bytes_have_the_column_of_all_actions_too(self) -> None:
        parts = ("", [row()]), (BY_ACTION, [action("Purchase", 2)])
        assert read(Dataset.AD_DAILY, "+by_action", *parts)[0] == {
            ("222~333", "2026-11-01"): (1200, 34, 2_500_000, 45_670_000, 310_750_000)
        }
        every = GoogleOptions(conversions="all_conversions", actions=("Purchase",))
        assert next(iter(read(Dataset.AD_DAILY, "+by_action", *parts, options=every)[0].values()))[2] == 9_000_000

    def test_days_that_were_pulled_without_actions_have_unknown_conversions(self) -> None:
        (found,) = NORMALIZER.metric_batches(
            StoredPage(1, io.BytesIO(msgspec.json.encode(batch([row()]))), ""),
            context(Dataset.AD_DAILY, options=PURCHASES),
        )
        assert found.rows[0].slot == (1200, 34, None, 45_670_000, None)
        dated = read(Dataset.AD_DAILY, "+by_action", ("", [row()]), (BY_ACTION, []), options=DATED)[0]
        assert dated["222~333", "2026-11-01"][2] is None

    def test_an_action_s_row_that_cannot_be_read_costs_the_day_of_its_object(self) -> None:
        parts = ("", [row(), row(segments={"date": "2026-11-02"})]), (BY_ACTION, [action("Purchase", "x")])  # type: ignore[arg-type]
        found, bad = read(Dataset.AD_DAILY, "+by_action", *parts, options=PURCHASES)
        assert [day for _, day in found] == ["2026-11-02"]
        assert [(each.entity_id, each.day) for each in bad] == [("222~333", "2026-11-01")]

    def test_the_breakdown_by_action_shows_each_action_whichever_are_chosen(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        by_action = Dataset.CAMPAIGN_BY_CONVERSION_ACTION_DAILY
        (only,) = google.under(PURCHASES).pages(task(by_action))
        assert (only.label, len(wire.calls)) == ("", 1)
        body = msgspec.json.encode(batch([action("Sign-up", 2)]))
        (found,) = NORMALIZER.metric_batches(StoredPage(1, io.BytesIO(body), ""), context(by_action, options=PURCHASES))
        assert found.rows[0].slot == (None, None, 2_000_000, None, 20_000_000)
        (dated,) = google.under(GoogleOptions(actions=("7",), clock="conversion")).pages(task(by_action))
        assert dated.label == "+by_conversion_date"

    def test_hours_have_no_conversions_by_action(self, google: GoogleConnector, wire: GoogleStub) -> None:
        (only,) = google.under(PURCHASES).pages(task(Dataset.CAMPAIGN_HOURLY))
        assert (only.label, len(wire.calls)) == ("", 1)
        body = msgspec.json.encode(batch([row(segments={"date": "2026-11-01", "hour": 3})]))
        for options in (PURCHASES, DATED):
            asked = context(Dataset.CAMPAIGN_HOURLY, options=options)
            (found,) = NORMALIZER.metric_batches(StoredPage(1, io.BytesIO(body), ""), asked)
            assert found.rows[0].slot == (1200, 34, None, 45_670_000, None)


class TestDays:
    def test_a_day_with_conversions_only_is_a_day(self) -> None:
        dated = {"conversionsByConversionDate": 4, "conversionsValueByConversionDate": 40.5}
        later = row(segments={"date": "2026-11-05"}, metrics=dated)
        found, _ = read(Dataset.AD_DAILY, "+by_conversion_date", ("", [row()]), (BY_DATE, [later]), options=DATED)
        assert found == {
            ("222~333", "2026-11-01"): (1200, 34, 0, 45_670_000, 0),
            ("222~333", "2026-11-05"): (0, 0, 4_000_000, 0, 40_500_000),
        }

    def test_conversions_by_their_own_day_are_a_question_of_their_own(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        for options in (DATED, GoogleOptions(clock="conversion", actions=("7",))):
            (only,) = google.under(options).pages(task(Dataset.AD_DAILY))
            assert only.label == f"+{options.part}"
            only.content()
        dated, by_both = query_of(wire.calls[1]), query_of(wire.calls[3])
        assert "metrics.conversions_by_conversion_date, metrics.conversions_value_by_conversion_date" in dated
        assert "metrics.cost_micros" not in dated + by_both
        assert "metrics.conversions," not in dated + by_both
        assert ("conversion_action" in dated, "conversion_action" in by_both) == (False, True)

    def test_what_google_does_not_date_by_the_conversion_is_unknown(
        self, google: GoogleConnector, wire: GoogleStub
    ) -> None:
        (only,) = google.under(DATED).pages(task(Dataset.AD_GROUP_BY_AGE_DAILY))
        assert (only.label, len(wire.calls)) == ("", 1)


def test_every_question_beside_another_may_be_asked_by_google_s_own_list() -> None:
    asked = [query for dataset in SPEC.datasets if dataset.grain == "day" for query in queries.questions(dataset)]
    for part in (BY_ACTION, BY_DATE, f"{BY_ACTION}_{BY_DATE}"):
        for query in asked:
            beside = queries.beside(query, part)
            for name in beside.fields if beside else ():
                kind, _, field = name.partition(".")
                if kind in ("metrics", "segments"):
                    assert RESOURCES[query.resource].has(kind, field), (query.resource, name)


def test_options_say_in_google_s_words_what_counts() -> None:
    chosen = GoogleOptions(conversions="all_conversions", actions=("7", "PURCHASE"), clock="conversion")
    assert chosen.definition == (
        "all_conversions and all_conversions_value of the actions 7, PURCHASE by the day of the conversion"
    )
    assert GoogleOptions().part == ""
    with pytest.raises(ValueError, match="twice"):
        GoogleOptions(actions=("7", "7"))
