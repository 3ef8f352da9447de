"""Nothing lost: whatever breaks, the run ends, what is good is stored, what is bad is kept with its reason.

The stories pull days that the daily runs did not (the world is older than the history that is kept), so that nothing
but the story itself can have stored them. The two kills and the full throttle take a time-out and a deadline to be
over: they are begun first and looked at last, each on ad accounts of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.river import River, until


@dataclass(frozen=True)
class Slow:
    """A story that was begun: its run and days."""

    run_id: str
    profile_id: str
    start: str
    end: str


# -- begun early ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def killed_puller(river: River) -> Slow:
    """A worker of `collect` is killed while a platform keeps it waiting in the middle of a pull."""
    client = river.clients["halden"]
    story = Slow("", client.meta, river.day(57), river.day(56))
    with river.misbehaving("slow_answer", platform="meta_ads", seconds=4, times=1):
        run_id = river.repull([story.profile_id], story.start, story.end)
        until(lambda: "slow_answer" not in river.switches(), "a request that is kept waiting", pause=0.05)
        time.sleep(0.3)
        assert river.kill_workers("collect")
    return Slow(run_id, story.profile_id, story.start, story.end)


@pytest.fixture(scope="module", autouse=True)
def killed_loader(river: River, killed_puller: Slow) -> Slow:
    """A worker of `validate` is killed while it holds the lease of the partition that it writes."""
    client = river.clients["halden"]
    for ago in (54, 51, 48, 45):
        story = Slow("", client.meta, river.day(ago), river.day(ago - 2))
        leases = [f"lease#metrics#meta_ads#{client.meta}#ad#day#pull#{day[:7]}" for day in (story.start, story.end)]
        run_id = river.repull([client.meta], story.start, story.end)
        until(lambda names=leases: any(held(river, name) for name in names), "a lease", pause=0.002)
        river.kill_workers("validate")
        time.sleep(0.3)
        if any(held(river, name) for name in leases):  # nobody gave it back: it was killed in the middle
            return Slow(run_id, client.meta, story.start, story.end)
    raise AssertionError("every load was over before it could be killed")


@pytest.fixture(scope="module", autouse=True)
def throttled(river: River, killed_loader: Slow) -> Iterator[Slow]:
    """One ad account is refused every single request, in a run with another one."""
    halden, mori = river.clients["halden"], river.clients["mori"]
    with river.misbehaving("throttle", platform="amazon_ads", profile_id=halden.amazon, retry_after=2):
        start, end = river.day(45), river.day(44)
        yield Slow(river.repull([halden.amazon, mori.amazon], start, end, slice_="sp"), halden.amazon, start, end)


def held(river: River, name: str) -> bool:
    key = {"pk": {"S": name}, "sk": {"S": "lease"}}
    table = river.description["stack"]["LedgerTable"]
    item = river.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return bool(item) and int(item["until"]["N"]) > 0


# -- short stories -------------------------------------------------------------------------------------------------


def test_given_a_dead_token_then_its_tasks_wait_for_a_new_credential_and_go_on_with_it(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(57), river.day(56)
    with river.misbehaving("expired_token", platform="meta_ads", profile_id=mori.meta):
        run_id = river.repull([mori.meta, mori.amazon], start, end)
        run = river.ended(run_id, "partial")
    assert [(task["profile_id"], task["state"], task["error"]["code"]) for task in run["failed_tasks"]] == [
        (mori.meta, "parked", "auth_expired")
    ]
    assert river.said("CredentialBroken", account_id=mori.account_id, platform="meta_ads")
    assert river.stored(mori.amazon, start, end) == river.truth(mori.amazon, start, end)
    assert river.stored(mori.meta, start, end) == {}

    river.api.post(f"/api/v1/accounts/{mori.account_id}/credentials", mori.description["credentials"]["meta_ads"])
    until(lambda: river.run(run_id)["state"] == "succeeded", "the parked task's return")
    assert river.stored(mori.meta, start, end) == river.truth(mori.meta, start, end) != {}


def test_given_a_report_that_fails_twice_then_smaller_windows_bring_its_days(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(54), river.day(53)
    with river.misbehaving("broken_report", platform="amazon_ads", profile_id=mori.amazon, times=2):
        run_id = river.repull([mori.amazon], start, end, slice_="sp")
        run = river.ended(run_id, "succeeded")
    assert run["stages"][0]["tasks"] == {"loaded": 2, "split": 1}
    assert products(river, mori.amazon, start, end, "sp")


def test_given_a_report_that_never_comes_then_its_task_is_listed_and_a_redrive_brings_the_truth(river: River) -> None:
    mori = river.clients["mori"]
    day = river.day(51)
    with river.misbehaving("broken_report", platform="amazon_ads", profile_id=mori.amazon, reason="out of paper"):
        run_id = river.repull([mori.amazon], day, day, slice_="sp")
        run = river.ended(run_id, "failed")
    (task,) = run["failed_tasks"]
    assert (task["state"], task["error"]["code"], task["slice"]) == ("failed", "report_failed", "sp")
    assert "out of paper" in task["error"]["message"]
    assert river.stored(mori.amazon, day, day) == {}

    river.redrive(run_id, {"task_ids": [task["task_id"]]})
    assert river.ended(run_id, "succeeded")["failed_tasks"] == []
    assert products(river, mori.amazon, day, day, "sp")


def products(river: River, profile_id: str, start: str, end: str, product: str) -> bool:
    """Whether exactly the rows of one ad product are stored, as they are in truth."""
    rows = river.world.get("truth", profile_id=profile_id, start=start, end=end)["rows"]
    wanted = {(row["entity_id"], row["date"]) for row in rows if row["ad_product"] == product}
    truth = {key: value for key, value in river.truth(profile_id, start, end).items() if key in wanted}
    return river.stored(profile_id, start, end) == truth != {}


def test_given_a_burst_of_server_errors_then_the_pull_outlasts_it(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(54), river.day(53)
    with river.misbehaving("server_error", platform="meta_ads", profile_id=mori.meta, times=2):
        river.ended(river.repull([mori.meta], start, end), "succeeded")
        assert "server_error" not in river.switches()
    assert river.stored(mori.meta, start, end) == river.truth(mori.meta, start, end) != {}


def test_given_a_bad_row_among_good_ones_then_the_good_are_stored_and_the_bad_is_kept_with_its_reason(
    river: River,
) -> None:
    mori = river.clients["mori"]
    start, end = river.day(51), river.day(50)
    with river.misbehaving("bad_row", platform="meta_ads", profile_id=mori.meta, mode="negative", times=1):
        run_id = river.repull([mori.meta], start, end)
        river.ended(run_id, "succeeded")
    (breach,) = river.said("QualityBreached", profile_id=mori.meta, reason="rows_quarantined")
    (bad,) = river.lines(breach["quarantine_key"])
    assert any("negative" in str(error).lower() or "0" in str(error) for error in bad["errors"])
    truth = river.truth(mori.meta, start, end)
    lost = {key for key in truth if key not in river.stored(mori.meta, start, end)}
    assert lost == {(bad["entity_id"], bad["day"])}
    assert river.stored(mori.meta, start, end) == {key: value for key, value in truth.items() if key not in lost}

    river.ended(river.repull([mori.meta], start, end), "succeeded")
    assert river.stored(mori.meta, start, end) == truth


def test_given_poisoned_messages_then_runs_go_on_and_the_poison_ends_in_the_dead_letter_queues(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(48), river.day(47)
    poison = {"runs": "this is no message", "landing": '{"kind": "nothing that is known"}'}
    usual = {name: visibility(river, name) for name in poison}
    try:
        for name, body in poison.items():
            visibility(river, name, "2")  # the template's would make five attempts take minutes
            river.sqs.send_message(QueueUrl=river.queue(name), MessageBody=body, MessageGroupId="poison")
        river.ended(river.repull([mori.meta], start, end), "succeeded")
        assert river.stored(mori.meta, start, end) == river.truth(mori.meta, start, end) != {}
        for name, body in poison.items():
            until(lambda name=name: river.depth(f"{name}-dead-letters"), f"the poison of {name}")
            found = river.sqs.receive_message(QueueUrl=river.queue(f"{name}-dead-letters"))["Messages"]
            assert [message["Body"] for message in found] == [body]
    finally:
        for name, seconds in usual.items():
            visibility(river, name, seconds)


def visibility(river: River, name: str, seconds: str = "") -> str:
    """A queue's visibility time-out; changed when `seconds` are given."""
    url, attribute = river.queue(name), "VisibilityTimeout"
    if seconds:
        river.sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: seconds})
    return str(river.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute])


def test_given_an_empty_200_then_stored_numbers_stay_until_an_operator_accepts_it(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(27), river.day(4)
    before = river.stored(mori.meta, start, end)
    with river.misbehaving("empty", platform="meta_ads", profile_id=mori.meta):
        run_id = river.repull([mori.meta], start, end)
        run = river.ended(run_id, "failed")
        (task,) = run["failed_tasks"]
        assert (task["state"], task["error"]["code"]) == ("quarantined", "mass_vanish")
        assert river.stored(mori.meta, start, end) == before != {}

        river.redrive(run_id, {"task_ids": [task["task_id"]], "accept_vanish": True})
        river.ended(run_id, "succeeded")
        assert not any(any(row) for row in river.stored(mori.meta, start, end).values())
    river.ended(river.repull([mori.meta], start, end), "succeeded")
    assert river.stored(mori.meta, start, end) == before


def test_given_an_empty_200_then_a_second_pull_that_agrees_lets_it_through(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(27), river.day(4)
    before = river.stored(mori.meta, start, end)
    with river.misbehaving("empty", platform="meta_ads", profile_id=mori.meta):
        river.ended(river.repull([mori.meta], start, end), "failed")
        assert river.stored(mori.meta, start, end) == before != {}
        river.ended(river.repull([mori.meta], start, end), "succeeded")
        assert not any(any(row) for row in river.stored(mori.meta, start, end).values())
    river.ended(river.repull([mori.meta], start, end), "succeeded")
    assert river.stored(mori.meta, start, end) == before


# -- looked at late ------------------------------------------------------------------------------------------------


def test_given_a_worker_killed_in_the_middle_of_a_pull_then_another_one_finishes_it(
    river: River, killed_puller: Slow
) -> None:
    assert river.ended(killed_puller.run_id, "succeeded")["tasks_done"] == 1
    assert as_in_truth(river, killed_puller)


def test_given_a_worker_killed_in_the_middle_of_a_load_then_the_load_converges(
    river: River, killed_loader: Slow
) -> None:
    assert river.ended(killed_loader.run_id, "succeeded")["tasks_done"] == 1
    assert as_in_truth(river, killed_loader)


def test_given_one_ad_account_that_is_refused_everything_then_its_task_fails_at_its_deadline_and_the_others_load(
    river: River, throttled: Slow
) -> None:
    mori = river.clients["mori"]
    until(lambda: river.run(throttled.run_id).get("tasks_done") == 1, "the other ad account's task")
    run = river.ended(throttled.run_id, "partial")
    (task,) = run["failed_tasks"]
    assert (task["profile_id"], task["state"], task["error"]["code"]) == (throttled.profile_id, "failed", "deadline")
    assert products(river, mori.amazon, throttled.start, throttled.end, "sp")
    assert river.stored(throttled.profile_id, throttled.start, throttled.end) == {}

    river.world.post("switches", {"clear": "throttle"})
    river.redrive(throttled.run_id)
    river.ended(throttled.run_id, "succeeded")
    assert products(river, throttled.profile_id, throttled.start, throttled.end, "sp")


def as_in_truth(river: River, story: Slow) -> bool:
    truth = river.truth(story.profile_id, story.start, story.end)
    return river.stored(story.profile_id, story.start, story.end) == truth != {}
