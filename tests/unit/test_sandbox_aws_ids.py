"""MiniStack's ids and dates of answers are what they were."""

from __future__ import annotations

import base64
import uuid
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from sandbox import aws_ids


def test_ids_are_random_uuids_and_no_two_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(uuid, "uuid4", uuid.uuid4)  # as it was when the test is over
    app = SimpleNamespace(formatdate=formatdate)

    # when
    aws_ids.mend(app)
    ids, others = [uuid.uuid4() for _ in range(1000)], [app.os.urandom(48) for _ in range(1000)]

    # then
    assert {(each.version, each.variant) for each in ids} == {(4, uuid.RFC_4122)}
    assert (len({*ids}), len({*others})) == (1000, 1000)
    assert {len(base64.b64encode(each)) for each in others} == {64}


def test_another_process_has_other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uuid, "uuid4", uuid.uuid4)
    ids = []

    for _ in range(2):
        aws_ids.mend(SimpleNamespace(formatdate=formatdate))
        ids.append(uuid.uuid4())

    assert ids[0] != ids[1]


@pytest.mark.parametrize("usegmt", [True, False])
def test_a_date_is_that_of_now(*, usegmt: bool) -> None:
    # given
    moments = [1795485221.02, 1795485221.99, 1795485222.0, 1795485221.5]
    left = iter(moments)

    # when
    written = aws_ids.written_once(formatdate, lambda: next(left))

    # then
    assert [written(usegmt=usegmt) for _ in moments] == [formatdate(int(now), usegmt=usegmt) for now in moments]
