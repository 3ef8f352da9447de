"""Messages of the queues: what no code of ours writes is refused when it is read, not where it is used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from adweir.model.messages import RUN_MESSAGE, ObjectArrived, Replay
from adweir.model.tasks import Cause

REPLAY: dict[str, Any] = {
    "kind": "replay",
    "replay_id": "rpl_1",
    "account_id": "acc",
    "platform": "meta_ads",
    "profile_id": "1",
    "datasets": ["ad_daily"],
    "start": "2026-11-01",
    "end": "2026-11-07",
    "load": 5,
    "cause": "options",
}


def test_a_replay_travels_as_it_was_written() -> None:
    message = Replay.model_validate(REPLAY)
    assert json.loads(message.model_dump_json()) == REPLAY | {"not_before": 0, "attempt": 0, "cursor": ""}
    assert RUN_MESSAGE.validate_json(message.model_dump_json()) == message


@pytest.mark.parametrize(
    "change",
    [
        {"platform": " "},
        {"datasets": ["nothing"]},
        {"start": "0001-01-01"},
        {"end": "9999-12-31"},
        {"load": -1},
        {"cause": "mood"},
    ],
    ids=str,
)
def test_a_replay_of_what_there_is_not_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Replay.model_validate(REPLAY | change)


def test_an_object_is_loaded_again_for_a_cause_that_is_known() -> None:
    assert ObjectArrived(bucket="b", key="raw/x", load=2, cause="replay").cause is Cause.REPLAY
    assert ObjectArrived(bucket="b", key="raw/x").cause == ""
    with pytest.raises(ValidationError):
        ObjectArrived.model_validate({"bucket": "b", "key": "raw/x", "load": 2, "cause": "mood"})


@pytest.mark.parametrize("size", [200, 201])
def test_an_id_is_no_longer_than_a_key_can_hold(size: int) -> None:
    body = json.dumps({"kind": "cancel", "run_id": "\u00e9" * size})
    if size == 200:
        assert RUN_MESSAGE.validate_json(body).kind == "cancel"
    else:
        with pytest.raises(ValidationError):
            RUN_MESSAGE.validate_json(body)


@pytest.mark.parametrize(("size", "fits"), [(200, True), (201, False)])
def test_a_slice_names_an_id_of_any_length_that_an_id_has(size: int, fits: bool) -> None:
    scope = {"slice": "campaign=" + "7" * size}
    started = {"kind": "start", "workflow": "repull", "scheduled_at": "2026-11-20T05:30:00Z", "scope": scope}
    if fits:
        assert RUN_MESSAGE.validate_python(started).kind == "start"
    else:
        with pytest.raises(ValidationError):
            RUN_MESSAGE.validate_python(started)
