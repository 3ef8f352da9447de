"""What botocore works out for each session or request is worked out once, and says the same."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
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


def test_a_description_is_the_one_that_botocore_finds_and_an_unknown_service_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given
    ours, botocores = share(get_session()).get_component("data_loader"), Loader()
    expected = {name: botocores.load_service_model("sqs", name) for name in ("service-2", "endpoint-rule-set-1")}
    monkeypatch.setattr(Loader, "list_available_services", lambda *_: pytest.fail("all services are listed"))

    # then
    assert {name: ours.load_service_model("sqs", name) for name in expected} == expected
    for service, kind in (("nothing", "service-2"), ("sqs", "nothing-1")):
        with pytest.raises(UnknownServiceError, match=f"'{service}'"):
            ours.load_service_model(service, kind)
