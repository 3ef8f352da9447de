"""Stories that last until a time-out, a deadline or a time of a schedule: begun before the others, checked after them.

They need ad accounts of their own: both of Halden's are theirs as long as they last, and those of Kestrel and Lumen
(`support.joined_stories`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from support.joined_stories import Joined, JoinedStories
from support.river import River, until


@dataclass(frozen=True)
class Story:
    """A run that was begun: of which ad account and which days."""

    run_id: str
    profile_id: str
    start: str
    end: str


@dataclass(frozen=True)
class Begun:
    """`killed_planner`: a worker of `orchestrate` died while it had the run's first messages. `lost_message`: a task's
    message vanished. `killed_puller`: a worker of `collect` died while a platform kept it waiting. `killed_loader`: one
    of `validate` died while it held the lease of the partition that it wrote. `throttled`: one of a run's two ad
    accounts is refused every request, until the switch is cleared. `joined`: runs of workflows with branches, which
    the deaths of the planner and the puller hit, too. `due`: when the job "soon" fires first."""

    killed_planner: Story
    lost_message: Story
    killed_puller: Story
    killed_loader: Story
    throttled: Story
    joined: Joined
    due: datetime


def begin(river: River) -> Begun:
    """Begin them all."""
    due, joined = _job(river), JoinedStories(river)
    lost = _lose_message(river)  # first: what others have in its queue is lost, too
    throttled = _throttle(river)
    puller, by_api = _kill_puller(river, joined)
    loader = _kill_loader(river)
    planner, by_command = _kill_planner(river, joined)
    return Begun(planner, lost, puller, loader, throttled, joined.begun(by_api, by_command), due)


def _job(river: River) -> datetime:
    """A job that fires in a minute or two, and finds nothing to pull."""
    local = datetime.now(ZoneInfo("Asia/Kathmandu")) + timedelta(seconds=70)
    fields = {"name": "soon", "workflow": "hourly", "timezone": "Asia/Kathmandu", "platforms": ["tiktok"]}
    made = river.api.post("/api/v1/jobs", fields | {"schedule": {"type": "daily", "at": f"{local:%H:%M}"}})
    return datetime.fromisoformat(made["next_runs"][0])


def _kill_planner(river: River, joined: JoinedStories) -> tuple[Story, str]:
    """Two runs begin at once, so that one worker has the first messages of both: the first two of which the second had
    not begun when it died are the stories."""
    profile_id, start, end = river.clients["halden"].meta, river.day(35), river.day(34)
    for _ in range(5):
        river.quiet("runs")
        with river.deaf("orchestrate", "runs", forgets=False):
            run_id, by_command = river.repull([profile_id], start, end), joined.ask_by_command()
        until(lambda: river.in_work("runs"), "a worker that plans", pause=0.002)
        assert river.kill_workers("orchestrate")
        if not river.run(by_command):  # nobody has read its first message
            return Story(run_id, profile_id, start, end), by_command
    raise AssertionError("every run had begun before its worker could be killed")


def _lose_message(river: River) -> Story:
    """Nothing but the sweep can find its task again, once it has stood still for the drill's 20 seconds."""
    profile_id, start, end = river.clients["halden"].meta, river.day(32), river.day(31)
    with river.deaf("collect", "collect-MetaAds"):
        run_id = river.repull([profile_id], start, end)
        until(lambda: river.depth("collect-MetaAds"), "the task's message")
    river.sweep_after(25, 35)
    return Story(run_id, profile_id, start, end)


def _kill_puller(river: River, joined: JoinedStories) -> tuple[Story, str]:
    """Both workers die that wait for an answer: a branch's, and another one."""
    profile_id, start, end = river.clients["halden"].meta, river.day(57), river.day(56)
    by_api = joined.ask_by_api()
    with river.misbehaving("slow_answer", platform="meta_ads", profile_id=profile_id, seconds=4, times=1):
        run_id = river.repull([profile_id], start, end)
        until(lambda: "slow_answer" not in river.switches(), "a request that is kept waiting", pause=0.05)
        time.sleep(0.3)
        assert river.kill_workers("collect")
    return Story(run_id, profile_id, start, end), by_api


def _kill_loader(river: River) -> Story:
    """A load takes a tenth of a second: the first that was still at work when its worker died is the story."""
    profile_id = river.clients["halden"].meta
    for ago in (54, 51, 48, 45, 42, 39):
        start, end = river.day(ago), river.day(ago - 2)
        leases = [f"lease#metrics#meta_ads#{profile_id}#ad#day#pull#{day[:7]}" for day in (start, end)]
        run_id = river.repull([profile_id], start, end)
        until(lambda names=leases: any(_held(river, name) for name in names), "a lease", pause=0.002)  # type: ignore[misc]
        river.kill_workers("validate")
        time.sleep(0.3)
        if any(_held(river, name) for name in leases):  # nobody gave it back
            return Story(run_id, profile_id, start, end)
    raise AssertionError("every load was over before it could be killed")


def _throttle(river: River) -> Story:
    """The other ad account is Mori's: it is done when this returns, and free for the stories that follow."""
    halden, mori = river.clients["halden"], river.clients["mori"]
    switch = {"kind": "throttle", "platform": "amazon_ads", "profile_id": halden.amazon, "retry_after": 2}
    river.world.post("switches", switch)
    start, end = river.day(45), river.day(44)
    run_id = river.repull([halden.amazon, mori.amazon], start, end, slice_="sp")
    until(lambda: river.run(run_id).get("tasks_done") == 1, "the other ad account's task")
    return Story(run_id, halden.amazon, start, end)


def _held(river: River, name: str) -> bool:
    key = {"pk": {"S": name}, "sk": {"S": "lease"}}
    table = river.description["stack"]["LedgerTable"]
    item = river.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return bool(item) and int(item["until"]["N"]) > 0
