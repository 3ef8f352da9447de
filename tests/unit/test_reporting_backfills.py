"""How far a backfill of several ad accounts and platforms is, and when the slowest of them ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.lanes import LanePlace
from adweir.model.platforms import Platform
from adweir.model.runs import Run, RunState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import DAY, Window, iso
from adweir.reporting.backfills import Pause, progress
from adweir.reporting.pace import ENOUGH
from adweir.store.ledger import LaneRecord, Marker
from support.pipeline import a_run, a_task

BEGAN = datetime(2026, 9, 1, 6, tzinfo=UTC)
NEWEST = date(2026, 8, 29)
SPANS = 20
"""Each of ten days, in one window, which is pulled in a minute."""
OLDEST = NEWEST - timedelta(days=10 * SPANS - 1)
MINUTE = timedelta(minutes=1)
META, GOOGLE = "meta_ads", "google_ads"


def a_lane(platform: str, profile_id: str, *, left_at: str | None = None) -> LaneRecord:
    steps = {"ad_daily|all": [[span, 1, 10] for span in range(SPANS)]}
    body = {"newest": NEWEST.isoformat(), "oldest": OLDEST.isoformat(), "span_days": 10, "steps": steps}
    return LaneRecord("years", f"{platform}#{profile_id}", body, left_at)


def pulls(platform: str, profile_id: str, ended: int, still_open: int = 0, state: Any = TaskState.LOADED) -> list[Task]:
    """The windows of an ad account from the newest back, one after another."""
    found = []
    for number in range(ended + still_open):
        end, begun = NEWEST - number * 10 * DAY, BEGAN + number * MINUTE
        task = a_task(
            stage="years",
            platform=Platform(platform),
            profile_id=profile_id,
            dataset=Dataset.AD_DAILY,
            window=Window(end - 9 * DAY, end),
        )
        as_now = state if number < ended else TaskState.PLANNED
        found.append(replace(task, state=as_now, created_at=iso(begun), updated_at=iso(begun + MINUTE)))
    return found


def marker(platform: str, profile_id: str, span: int) -> Marker:
    """Where the lane of an ad account has come to."""
    place = LanePlace(span, "ad_daily", "all")
    return Marker("years", f"!lane#{platform}#{profile_id}", 0, "", str(place), f"{platform}#{profile_id}")


def shown(
    lanes: Sequence[LaneRecord],
    work: Sequence[Marker],
    tasks: Sequence[Task],
    pauses: Sequence[Pause] = (),
    run: Run | None = None,
) -> dict[str, Any]:
    run = run or a_run(workflow="backfill", started_at=iso(BEGAN))
    latest = max((task.updated_at for task in tasks if task.state.is_terminal), default=iso(BEGAN))
    found = progress(run, lanes, work, tasks, pauses, datetime.fromisoformat(latest))
    assert found is not None
    return found


def test_given_two_platforms_when_one_is_further_then_each_says_its_own_and_both_count() -> None:
    lanes = [a_lane(META, "1"), a_lane(GOOGLE, "7")]
    work = [marker(META, "1", 14), marker(GOOGLE, "7", 3)]

    found = shown(lanes, work, [*pulls(META, "1", 14), *pulls(GOOGLE, "7", 3)])

    google, meta = found["platforms"]
    assert (google["platform"], google["windows"], google["days"]) == (
        GOOGLE,
        *of(20, 3),
    )
    assert (meta["platform"], meta["windows"], meta["days"]) == (META, *of(20, 14))
    assert google["whole_since"] == str(NEWEST - 3 * 10 * DAY + DAY)
    assert meta["whole_since"] == str(NEWEST - 14 * 10 * DAY + DAY)
    assert found["windows"] == {"total": 40, "done": 17, "failed": 0}
    assert found["estimate"]["reason"] == f"no estimate before {ENOUGH} windows of google_ads have ended; 3 have"


def test_given_two_ad_accounts_of_a_platform_then_its_days_are_whole_from_where_both_are() -> None:
    lanes = [a_lane(META, "1"), a_lane(META, "2")]

    found = shown(lanes, [marker(META, "2", 5)], [*pulls(META, "1", SPANS), *pulls(META, "2", 5)])

    (meta,) = found["platforms"]
    assert meta["whole_since"] == str(NEWEST - 5 * 10 * DAY + DAY)
    assert meta["windows"] == {"total": 40, "done": 25, "failed": 0}


def test_given_ad_accounts_that_are_equally_far_then_as_many_windows_take_as_long_as_before() -> None:
    """Given 24 windows in 12 minutes, and 16 that are left, eight of each ad account."""
    lanes = [a_lane(META, "1"), a_lane(META, "2")]
    tasks = [*pulls(META, "1", 12, 1), *pulls(META, "2", 12, 1)]

    found = shown(lanes, [marker(META, "1", 13), marker(META, "2", 13)], tasks)

    assert found["estimate"]["seconds"] == 16 * 30
    assert found["estimate"]["at_least"] < 16 * 30 < found["estimate"]["at_most"]
    assert found["estimate"]["reason"] is None


def test_given_one_ad_account_that_lags_then_the_estimate_is_that_of_its_own_windows() -> None:
    """Given one with a window left and one with fifteen, of which so many are pulled at once."""
    lanes = [a_lane(META, "1"), a_lane(META, "2")]
    tasks = [*pulls(META, "1", 19), *pulls(META, "2", 5)]

    found = shown(lanes, [marker(META, "1", 19), marker(META, "2", 5)], tasks)

    at_pace = 16 * (19 * 60 / 24)
    alone = 15 * 60 / limits.MAX_PATIENT_PROFILE_TASKS
    assert found["estimate"]["seconds"] == round(max(at_pace, alone))


def test_given_platforms_of_different_pace_then_the_slower_one_decides() -> None:
    lanes = [a_lane(META, "1"), a_lane(GOOGLE, "7")]
    meta, google = pulls(META, "1", 18), pulls(GOOGLE, "7", 12)

    both = shown(lanes, [marker(META, "1", 18), marker(GOOGLE, "7", 12)], [*meta, *google])
    slow = shown(lanes[1:], [marker(GOOGLE, "7", 12)], google)

    assert slow["estimate"]["seconds"] == 8 * 60
    # six minutes later, of which google brought nothing, which counts as a pause
    assert both["estimate"]["seconds"] > slow["estimate"]["seconds"]


def test_given_a_brake_on_one_ad_account_of_a_platform_then_only_its_own_windows_wait() -> None:
    lanes = [a_lane(META, "1"), a_lane(META, "2")]
    tasks = [*pulls(META, "1", 18), *pulls(META, "2", SPANS)]
    work = [marker(META, "1", 18)]
    at = int((BEGAN + 20 * MINUTE).timestamp())
    free = shown(lanes, work, tasks)["estimate"]["seconds"]

    of_another = shown(lanes, work, tasks, [Pause(META, "the brake meta_ads:2", at + 5000, "2")])
    of_other_platforms = shown(lanes, work, tasks, [Pause(GOOGLE, "the brake google_ads", at + 5000)])
    its_own = shown(lanes, work, tasks, [Pause(META, "the brake meta_ads:1", at + 5000, "1")])
    of_all = shown(lanes, work, tasks, [Pause(META, "the brake meta_ads", at + 5000)])

    assert of_another["estimate"]["seconds"] == of_other_platforms["estimate"]["seconds"] == free
    assert its_own["estimate"]["seconds"] >= 5000
    assert of_all["estimate"]["seconds"] == free + 5000


def test_given_a_lane_that_was_given_up_then_what_it_left_is_in_the_total_and_nobody_waits_for_it() -> None:
    """Given an ad account whose permission was lost after twelve windows."""
    lane = a_lane(META, "1", left_at=str(LanePlace(12, "ad_daily", "all")))

    found = shown([lane], [], pulls(META, "1", 12))

    (meta,) = found["platforms"]
    assert (meta["windows"], meta["days"]) == of(20, 12)
    assert meta["whole_since"] == str(NEWEST - 12 * 10 * DAY + DAY)
    assert found["estimate"]["reason"] == "nothing is left to do"


def test_given_a_run_that_was_cancelled_then_there_is_no_estimate_but_what_to_do() -> None:
    run = a_run(workflow="backfill", started_at=iso(BEGAN), state=RunState.CANCELLED)

    found = shown([a_lane(META, "1")], [marker(META, "1", 14)], pulls(META, "1", 14), run=run)

    assert found["estimate"] == {
        "seconds": None,
        "at_least": None,
        "at_most": None,
        "reason": "the run is cancelled: start the backfill again for the rest",
    }


def of(total: int, done: int) -> tuple[dict[str, int], dict[str, int]]:
    """Windows, and days."""
    windows = {"total": total, "done": done, "failed": 0}
    return windows, {"total": 10 * total, "done": 10 * done, "failed": 0}
