"""Nothing is lost: whatever breaks, the run ends, good rows are stored, and bad ones are kept with their reason.

The stories pull days that the daily runs did not (the world is older than the history that is kept), so that nothing
but the story itself can have stored them.
"""

from __future__ import annotations

import json

import pytest

from support.river import River, until

pytestmark = pytest.mark.usefixtures("begun")


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
    until(lambda: river.state(run_id) == "succeeded", "the parked task's return")
    assert river.run(run_id)["state"] == "succeeded"
    assert river.stored(mori.meta, start, end) == river.truth(mori.meta, start, end) != {}


def test_given_access_tokens_that_end_early_then_a_pull_gets_a_new_one_and_goes_on(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(42), river.day(41)
    with river.misbehaving("expired_token", platform="amazon_ads", profile_id=mori.amazon):
        river.ended(river.repull([mori.amazon], start, end, slice_="sp"), "succeeded")
    assert river.holds_product(mori.amazon, start, end, "sp")


def test_given_a_report_that_fails_twice_then_smaller_windows_bring_its_days(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(54), river.day(53)
    with river.misbehaving("broken_report", platform="amazon_ads", profile_id=mori.amazon, times=2):
        run_id = river.repull([mori.amazon], start, end, slice_="sp")
        run = river.ended(run_id, "succeeded")
    assert run["stages"][0]["tasks"] == {"loaded": 2, "split": 1}
    assert river.holds_product(mori.amazon, start, end, "sp")


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
    assert river.holds_product(mori.amazon, day, day, "sp")


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
    assert [error["field"] for error in bad["errors"]] == ["impressions"]
    truth = river.truth(mori.meta, start, end)
    bad_key = (bad["entity_id"], bad["day"])
    assert bad_key in truth
    assert river.stored(mori.meta, start, end) == {key: row for key, row in truth.items() if key != bad_key}

    river.ended(river.repull([mori.meta], start, end), "succeeded")
    assert river.stored(mori.meta, start, end) == truth


def test_given_poisoned_messages_then_runs_go_on_and_the_poison_is_quarantined_with_its_reason(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(48), river.day(47)
    poison = {"runs": "this is not a message", "landing": '{"kind": "nothing that is known"}'}
    for name, body in poison.items():
        river.sqs.send_message(QueueUrl=river.queue(name), MessageBody=body, MessageGroupId="poison")
    river.ended(river.repull([mori.meta], start, end), "succeeded")
    assert river.stored(mori.meta, start, end) == river.truth(mori.meta, start, end) != {}

    def quarantined() -> dict[str, str]:
        messages = river.api.get("/api/v1/quarantine")["messages"]
        found = {one["queue"]: one["body"] for one in messages if one["reason"].startswith(("unreadable", "bad_input"))}
        return found if found.keys() >= poison.keys() else {}

    assert until(quarantined, "the poison in quarantine") == poison


def test_given_dead_letters_then_a_person_reads_them_sends_one_again_and_drops_the_other(river: River) -> None:
    # given the message of a stored answer, and one that nobody can read, among the dead letters
    key = river.keys("raw/meta_ads/")[0]
    bodies = [json.dumps({"bucket": river.bucket, "key": key}), "gibberish"]
    url = river.queue("dead-letters-landing")
    load, junk = (river.sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in bodies)
    # when they are read, then each says what it is about and what comes of sending it again
    found = {one["id"]: one for one in river.api.get("/api/v1/dead-letters", queue="landing")["dead_letters"]}
    assert (found[load]["about"], found[load]["object_key"]) == (f"load {key}", key)
    assert found[junk]["again"].startswith("useless")
    # when one is sent again and the other dropped, then none is left, and the dropped one is kept
    assert river.api.post(f"/api/v1/dead-letters/{load}/send")["moved"] == [load]
    dropped = river.api.post("/api/v1/dead-letters/all/drop", {"ids": [junk], "reason": "nobody needs it"})
    assert dropped["moved"] == [junk]
    assert river.depth("dead-letters-landing") == 0
    kept = {one["id"]: one["reason"] for one in river.api.get("/api/v1/quarantine")["messages"]}
    assert kept[f"adweir-landing:{junk}"].startswith("dropped by hand: nobody needs it")
    # and what was sent again was loaded
    until(lambda: river.depth("landing") == 0, "the loading of what was sent again")
    assert river.depth("dead-letters-landing") == 0


def test_given_an_empty_200_then_stored_numbers_stay_until_an_operator_accepts_it(river: River) -> None:
    """Amazon reports no totals that could say whether an answer without rows is true."""
    mori = river.clients["mori"]
    start, end = river.day(12), river.day(4)
    before = river.stored(mori.amazon, start, end)
    with river.misbehaving("empty", platform="amazon_ads", profile_id=mori.amazon):
        run_id = river.repull([mori.amazon], start, end, slice_="sp")
        run = river.ended(run_id, "failed")
        (task,) = run["failed_tasks"]
        assert (task["state"], task["error"]["code"]) == ("quarantined", "mass_vanish")
        assert river.stored(mori.amazon, start, end) == before != {}

        river.redrive(run_id, {"task_ids": [task["task_id"]], "accept_vanish": True})
        river.ended(run_id, "succeeded")
        assert 0 < len(river.stored(mori.amazon, start, end)) < len(before), "one product of three is gone"
    river.ended(river.repull([mori.amazon], start, end, slice_="sp"), "succeeded")
    assert river.stored(mori.amazon, start, end) == before


def test_given_an_empty_200_then_a_second_pull_that_agrees_lets_it_through(river: River) -> None:
    mori = river.clients["mori"]
    start, end = river.day(12), river.day(4)
    before = river.stored(mori.amazon, start, end)
    with river.misbehaving("empty", platform="amazon_ads", profile_id=mori.amazon):
        river.ended(river.repull([mori.amazon], start, end, slice_="sp"), "failed")
        assert river.stored(mori.amazon, start, end) == before != {}
        river.ended(river.repull([mori.amazon], start, end, slice_="sp"), "succeeded")
        assert 0 < len(river.stored(mori.amazon, start, end)) < len(before), "one product of three is gone"
    river.ended(river.repull([mori.amazon], start, end, slice_="sp"), "succeeded")
    assert river.stored(mori.amazon, start, end) == before
