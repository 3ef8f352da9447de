"""What botocore works out for each session or request is worked out once, and says the same."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.session import get_session
from botocore.useragent import UserAgentString

from adweir.store.dynamo.descriptions import share


def test_a_client_says_who_asks_without_putting_it_together_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    session = share(get_session())
    client: Any = session.create_client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    said: list[str] = []

    def note(request: AWSRequest, **_: object) -> None:
        said.append(str(request.headers["User-Agent"]))

    client.meta.events.register("request-created.s3", note)
    client.meta.events.register("before-send.s3", lambda **_: pytest.fail("nothing is sent"))
    monkeypatch.setattr(UserAgentString, "_build_sdk_metadata", lambda _: pytest.fail("it is put together again"))

    # when
    with pytest.raises(pytest.fail.Exception, match="nothing is sent"):
        client.list_buckets()

    # then
    assert said == [session.user_agent()]
    assert said[0].startswith("Botocore/")
