"""Features as of a moment are what was known then, online and offline alike, whatever is restated or dies later."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adweir.insight.ad_features.entity import Row
from adweir.insight.ad_features.recorder import FeatureCounts
from adweir.model.entities import Ad, AdCampaign, Status
from adweir.model.errors import NotReady, Unavailable
from adweir.model.feature_columns import COLUMNS
from adweir.store.findings.features import AdFeatures
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.features_world import KEY, FeaturesWorld, Known, ago, delivered
from support.reading_world import ACCOUNT, AD, LOSSY, account, ad

pytestmark = pytest.mark.usefixtures("tables")
STEADY = delivered("a1", [10] * 28)
OWN, FIRST, SECOND = ("account", "p1"), ("ad", "g1~a1"), ("ad", "g1~a2")
NEW = delivered("a2", [4, 0, 6])


def recorded(world: FeaturesWorld) -> Known:
    world.record()
    return world.online


def test_a_row_as_of_a_moment_is_the_online_item_of_that_moment_after_restatements_deliveries_and_days() -> None:
    world, known, rng = FeaturesWorld(), dict[str, Known](), random.Random(14)
    for step in range(4):
        spends = [rng.randint(0, 40) for _ in range(28)]
        world.ran(delivered("a1", spends), NEW if step else [], delivered("a3", [7] * 20, until=5))
        known[world.moment] = recorded(world)
        world.record()  # a message that came twice
        world.pass_by(hours=7)

    assert len({str(each[FIRST]["spend_28"]) for each in known.values()}) == 4
    for moment, online in known.items():
        assert world.offline(moment) == online
    last = world.online
    assert all(each.keys() == COLUMNS.keys() for each in last.values())


def test_the_same_days_give_no_new_row_and_no_object() -> None:
    world = FeaturesWorld()
    world.ran(STEADY)
    assert world.record() == FeatureCounts(recorded=2)
    before, puts = world.online, len(world.bucket.puts)

    world.pass_by(hours=1)

    assert world.record() == FeatureCounts()
    assert (world.online, len(world.bucket.puts)) == (before, puts)


def test_the_next_day_is_another_row_and_older_ones_stay() -> None:
    world = FeaturesWorld()
    world.ran(STEADY)
    first, at = recorded(world), world.moment

    world.pass_by(days=1)

    assert world.record().recorded == 2
    row = world.online[FIRST]
    assert (row["through"], row["known_days_7"], row["spend_7"], row["days_since_launch"]) == ("2026-11-20", 6, 60, 28)
    assert world.offline(at) == first


def test_who_read_earlier_replaces_nothing_and_adds_nothing() -> None:
    world = FeaturesWorld()
    world.ran(STEADY)
    late = world.now
    world.pass_by(hours=2)
    before, content = recorded(world), world.content
    world.ran(STEADY, NEW)

    assert world.record(at=late) == FeatureCounts(outdated=1)

    assert (world.online, world.content) == (before, content)


STEPS = ("begin", "add", "put", "finish")


def dies(world: FeaturesWorld, step: str, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a worker die at a step."""
    crash, store = Crash(1, after=after), AdFeatures(FrozenClock(world.now))
    if step == "add":
        world.bucket.crash = crash
    else:
        crash.watch(store, step, put=monkeypatch.setattr)
    with pytest.raises(Killed):
        world.record(online=store)


KILLS = [(step, after, False) for step in STEPS for after in (False, True)]


@pytest.mark.parametrize(
    ("step", "after", "is_restated"), [*KILLS, ("begin", True, True), ("add", True, True), ("put", True, True)]
)
def test_what_a_killed_worker_leaves_is_mended_to_the_rows_that_were_decided(
    step: str, after: bool, is_restated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = FeaturesWorld()
    world.ran(STEADY)
    first, begun = recorded(world), world.moment
    world.pass_by(hours=1)
    world.ran(STEADY, NEW)
    died = world.moment
    dies(world, step, after=after, monkeypatch=monkeypatch)
    is_decided = step in {"put", "finish"} or (step == "add" and after)
    world.pass_by(hours=1)
    if is_restated:
        world.ran(delivered("a1", [9] * 28), NEW)

    counts = world.record()

    is_done = step == "finish" and after
    assert counts.mended == (3 if is_decided and not is_done else 0)
    assert counts.recorded == (3 if is_restated or not is_decided else 0)
    assert world.offline(begun) == first
    assert world.offline(world.moment) == world.online
    if is_decided:
        rows = world.offline(died)
        assert {row["as_of"] for row in rows.values()} == {died}
        if not is_restated:
            assert world.online == rows
    assert world.record() == FeatureCounts()


def test_a_worker_that_stalled_adds_no_rows_behind_those_of_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world = FeaturesWorld()
    world.ran(STEADY)
    stalled = AdFeatures(FrozenClock(world.now))
    begin = stalled.begin

    def stalls(*given: Any) -> bool:
        held = begin(*given)
        world.pass_by(hours=1)
        world.record()
        return held

    monkeypatch.setattr(stalled, "begin", stalls)

    with pytest.raises(NotReady):
        world.record(online=stalled)

    assert world.offline(world.moment) == world.online
    assert {row["as_of"] for row in world.online.values()} == {world.moment}


def test_a_day_that_was_not_pulled_is_unknown_and_one_without_a_row_is_zero() -> None:
    world = FeaturesWorld()
    world.pull(AD, *delivered("a1", [10, 10, 0, 10], until=3), days=(ago(6), ago(3)))
    world.pull(ACCOUNT, *(account(10, ago(day)) for day in (6, 5, 3)), days=(ago(6), ago(3)))

    row = recorded(world)[FIRST]

    assert (row["known_days_7"], row["delivery_days_7"], row["known_days_28"]) == (4, 3, 4)
    assert (row["spend_7"], row["spend_mean_7"], row["spend_share_28"]) == (30, Decimal("7.5"), 1.0)
    assert (row["cpc_7"], row["ctr_7"], row["acos_28"]) == (1.0, 0.1, 0.5)
    assert (row["launch_known"], row["days_since_launch"], row["days_since_delivery"]) == (False, 5, 2)
    assert (row["ctr_slope_28"], row["ctr_slope_28_days"], row["seasonality_index"]) == (None, 3, None)


def test_an_unknown_number_is_left_out_and_its_ratios_say_nothing() -> None:
    world = FeaturesWorld()
    rows = [ad("a1", 10, ago(2), revenue=None), ad("a1", 10, ago(1))]
    world.pull(AD, *rows, days=(ago(2), ago(1)))

    row = recorded(world)[FIRST]

    assert (row["revenue_7"], row["revenue_mean_7"], row["roas_7"], row["cpa_7"]) == (20, 20, None, 1.0)


def test_what_is_known_of_files_alone_counts_on_their_days() -> None:
    world = FeaturesWorld()
    world.file(AD, ad("a1", 5, ago(2)), days=(ago(2), ago(2)))

    assert recorded(world)[FIRST]["known_days_7"] == 1


def test_money_of_another_currency_makes_a_day_unknown() -> None:
    world = FeaturesWorld()
    world.pull(AD, ad("a1", 5, ago(25), currency="EUR"), days=(ago(25), ago(25)))
    world.pull(AD, ad("a1", 7, ago(1)), days=(ago(1), ago(1)))

    row = recorded(world)[FIRST]

    assert (row["currency"], row["spend_28"], row["known_days_28"]) == ("USD", 7, 1)


def test_an_ad_whose_windows_became_empty_says_so_once() -> None:
    world = FeaturesWorld()
    world.ran(delivered("a1", [10] * 3, until=27), delivered("a2", [1] * 28))
    assert recorded(world)[FIRST]["delivery_days_28"] == 2
    world.pass_by(days=2)
    world.ran(delivered("a2", [1] * 30))

    row = recorded(world)[FIRST]

    assert (row["through"], row["delivery_days_28"], row["spend_28"], row["ctr_28"]) == ("2026-11-21", 0, 0, None)
    assert (row["first_delivery"], row["days_since_delivery"]) == (ago(29), None)
    world.pass_by(days=1)
    assert recorded(world)[FIRST] == row
    world.pass_by(hours=1)
    world.ran(delivered("a2", [1] * 30), delivered("a1", [3]))
    again = recorded(world)[FIRST]
    assert (again["delivery_days_28"], again["first_delivery"]) == (1, ago(29)), "what was seen once is remembered"


def test_a_launch_is_known_where_the_days_before_it_are() -> None:
    world = FeaturesWorld()
    world.ran(delivered("a1", [5] * 10), delivered("a2", [5] * 56))

    found = recorded(world)

    assert [found[each]["launch_known"] for each in (FIRST, SECOND)] == [True, False]
    assert [found[each]["days_since_launch"] for each in (FIRST, SECOND)] == [9, 55]


def listed(**budget: Any) -> Sequence[AdCampaign | Ad]:
    ids = {"platform": LOSSY, "profile_id": "p1", "status": Status.ACTIVE}
    campaigns = [
        AdCampaign(**ids, id="c1", start_date=ago(40), budget=20_000_000, budget_type="daily"),
        AdCampaign(**ids, id="c2", **{"budget": 60_000_000, "budget_type": "daily"} | budget),
    ]
    return [*campaigns, Ad(**ids, id="a2", ad_group_id="g1", campaign_id="c1", start_date="2026-11-10T00:00:00")]


def test_budgets_and_starts_are_what_platforms_list() -> None:
    world = FeaturesWorld(*listed())
    world.ran(STEADY, delivered("a2", [6] * 7), delivered("a3", [4] * 7, campaign_id="c9"))

    found = recorded(world)

    assert (found[FIRST]["budget_use_7"], found[SECOND]["budget_use_7"]) == (0.8, 0.8)
    assert (found["ad", "g1~a3"]["budget_use_7"], found[OWN]["budget_use_7"]) == (None, 0.25)
    assert [found[each]["days_since_start"] for each in (FIRST, SECOND, OWN)] == [39, 9, None]
    without = FeaturesWorld(*listed(budget_type="lifetime"))
    without.online_store = AdFeatures(FrozenClock(without.now))
    without.pass_by(hours=1)
    without.ran(STEADY, delivered("a2", [6] * 7))
    assert recorded(without)[OWN]["budget_use_7"] is None


def test_the_account_has_weekdays_settled_days_and_the_scores_of_its_days() -> None:
    world = FeaturesWorld()
    world.ran(delivered("a1", [10] * 56))
    world.scores.known = {(KEY, ago(2)): 0.9, (KEY, ago(1)): 0.7, (KEY, ago(3)): None, (KEY, ago(40)): 0.1}

    row = recorded(world)[OWN]

    assert row["quality_28"] == pytest.approx(0.8)
    assert row["seasonality_index"] == pytest.approx(1)
    assert row["settled_share_28"] == 0
    assert (row["ctr_slope_28"], row["cpc_slope_28_days"]) == (pytest.approx(0), 28)
    assert row["spend_cv_28"] == 0


def test_a_client_without_any_day_has_no_row() -> None:
    world = FeaturesWorld()

    assert world.record() == FeatureCounts()
    assert world.online == {}


def test_the_work_ends_in_time() -> None:
    world = FeaturesWorld()
    world.ran(STEADY)
    with pytest.raises(NotReady):
        world.record(lambda: 0.5)


@at_the_bound("MAX_FEATURE_ADS", as_if=2)
def test_of_too_many_ads_those_that_spent_most_have_rows(size: int, fits: bool) -> None:
    world = FeaturesWorld()
    world.ran(*(delivered(f"a{place}", [place + 1]) for place in range(size)))

    counts = world.record()

    assert counts.left_out == (0 if fits else 1)
    assert ("ad", f"g1~a{size - 1}") in world.online
    assert (("ad", "g1~a0") in world.online) is fits


def test_a_day_that_is_not_written_out_is_no_start() -> None:
    world = FeaturesWorld(*(each.model_copy(update={"start_date": "soon"}) for each in listed()))
    world.ran(STEADY)

    row: Row = recorded(world)[FIRST]

    assert row["days_since_start"] is None


def test_the_documented_join_gives_each_label_what_was_known_then() -> None:
    world, page = FeaturesWorld(), Path("docs/features.md").read_text()
    asof, newest = (each.split("```")[0] for each in page.split("```sql\n")[1:3])
    known: list[Decimal] = []
    for spend in (10, 12):
        world.ran(delivered("a1", [spend] * 28))
        known.append(recorded(world)[FIRST]["spend_7"])
        world.pass_by(days=1)
    of_labels = (
        "WITH labels AS (SELECT 'acc_a' AS client_account_id, 'meta_ads' AS platform_name, 'p1' AS account_id, "
        "'g1~a1' AS entity_id, 1 AS label, CAST(said AS TIMESTAMP) AS decided_at "
        "FROM (VALUES ('2026-11-20 11:00'), ('2026-11-20 13:00'), ('2026-11-22 01:00')) AS t(said)) "
    )

    joined = world.ask(of_labels + asof)

    assert [row["spend_7"] for row in joined] == [None, known[0], known[1]]
    assert [row["spend_28"] for row in world.ask(newest)] == [280]


class Taker:
    """Takes rows, but for the first time."""

    def __init__(self) -> None:
        self.taken: list[list[Row]] = []
        self.refuses = True

    def put(self, rows: Sequence[Row]) -> None:
        if self.refuses:
            self.refuses = False
            raise Unavailable("try again")
        self.taken.append(list(rows))


def test_a_feature_group_gets_what_it_did_not_take_before_anything_new() -> None:
    world, taker = FeaturesWorld(), Taker()
    world.taker = taker
    world.ran(STEADY)
    with pytest.raises(Unavailable):
        world.record()
    first = sorted(world.online.values(), key=lambda row: str(row["entity_id"]))
    world.pass_by(days=1)

    counts = world.record()

    assert counts == FeatureCounts(recorded=2, mended=2)
    assert sorted(taker.taken[0], key=lambda row: str(row["entity_id"])) == first
    assert [row["as_of"] for row in taker.taken[1]] == [world.moment] * 2
