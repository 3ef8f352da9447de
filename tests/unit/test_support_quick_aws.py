"""What the tests' botocore remembers changes no answer."""

from __future__ import annotations

import importlib.util
from copy import deepcopy
from typing import Any

import boto3
from botocore import client, endpoint_provider, hooks, loaders, model, regions, useragent
from botocore.config import Config
from moto import backend_index
from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.core.utils import get_service_model

MOTOS_OWN: Any = BaseBackend.urls.fget  # type: ignore[attr-defined]
PLACES = ("us-east-1", "us-east-1", "eu-central-1", "eu-central-1")


def test_an_event_has_the_name_that_botocore_gives_it() -> None:
    aliases = dict(hooks.EVENT_ALIASES)
    ours = hooks.EventAliaser(hooks.HierarchicalEmitter())
    botocores = hooks.EventAliaser(
        hooks.HierarchicalEmitter(), aliases
    )  # with aliases of its own, nothing is remembered
    events = [f"before-call.{name}.Anything" for name in aliases] + list(aliases)

    for event in events * 2:
        assert ours._alias_event_name(event) == botocores._alias_event_name(event)  # type: ignore[attr-defined]


def test_a_handler_is_asked_whether_it_takes_every_argument() -> None:
    def takes(**every: Any) -> None: ...
    def refuses(one: int) -> None: ...

    assert [bool(hooks.accepts_kwargs(handler)) for handler in (takes, refuses) * 2] == [True, False] * 2
    assert bool(hooks.accepts_kwargs(hooks.HierarchicalEmitter().emit))
    assert not hooks.accepts_kwargs(hooks.HierarchicalEmitter().unregister)


def test_a_description_has_one_model_which_is_botocores() -> None:
    for service in ("s3", "sqs"):
        description = deepcopy(loaders.Loader().load_service_model(service, "service-2"))
        ours = [client.ServiceModel(description, service_name=service) for _ in "ab"]
        botocores = model.ServiceModel(description, service_name=service)

        assert ours[0] is ours[1]
        assert (ours[0].service_name, ours[0].operation_names) == (service, botocores.operation_names)
        assert client.ServiceModel(dict(description), service_name=service) is not ours[0]


def test_an_address_is_the_one_that_botocore_finds() -> None:
    reader = loaders.Loader()
    given = {
        "ruleset_data": reader.load_service_model("s3", "endpoint-rule-set-1"),
        "partition_data": reader.load_data("partitions"),
    }
    ours = regions.EndpointProvider(**given)  # type: ignore[attr-defined]
    botocores = endpoint_provider.EndpointProvider(**given)

    assert regions.EndpointProvider(**given) is ours  # type: ignore[attr-defined]
    plain = {"UseFIPS": False, "UseDualStack": False, "Accelerate": False}
    for asked in ({"Region": "us-east-1"}, {"Region": "eu-central-1", "Bucket": "data"}, {"Region": "us-east-1"}):
        assert ours.resolve_endpoint(**plain, **asked) == botocores.resolve_endpoint(**plain, **asked)


def test_a_clients_methods_are_its_own_dictionary_of_the_services_functions() -> None:
    s3 = client.ServiceModel(loaders.Loader().load_service_model("s3", "service-2"), service_name="s3")
    maker = client.ClientCreator.__new__(client.ClientCreator)
    maker._event_emitter = hooks.HierarchicalEmitter()  # type: ignore[attr-defined]

    first, second = (maker._create_methods(s3) for _ in "ab")  # type: ignore[attr-defined]

    assert first == second
    assert first is not second
    assert set(first) == set(maker._create_name_mapping(s3))  # type: ignore[attr-defined]


def test_a_client_finds_its_tables_where_botocore_does(aws: None) -> None:
    one, other = (boto3.Session().client("dynamodb", region_name=region) for region in ("us-east-1", "eu-central-1"))
    get = one.meta.service_model.operation_model("GetItem")
    found = [made._resolve_endpoint_ruleset(get, {"TableName": name}, {}) for made in (one, other) for name in "ab"]

    assert [url for url, _, _ in found] == [f"https://dynamodb.{place}.amazonaws.com" for place in PLACES]


def test_a_client_says_who_it_is_and_not_who_another_is() -> None:
    first = useragent.UserAgentString.from_environment().with_client_config(Config(user_agent_extra="one/1"))
    other = first.with_client_config(Config(user_agent_extra="other/1"))

    assert [agent.to_string().rpartition(" ")[2] for agent in (first, other, first)] == ["one/1", "other/1", "one/1"]
    assert first.to_string().startswith("Botocore/")


def test_a_service_of_moto_has_the_addresses_that_moto_lists() -> None:
    services = [get_backend(name)["123456789012"]["us-east-1"] for name in ("sqs", "secretsmanager")]

    for service in services * 2:
        assert service.urls == MOTOS_OWN(service)
    assert services[0].urls.keys().isdisjoint(services[1].urls)


def test_an_address_is_of_the_service_that_moto_finds(aws: None) -> None:
    moto = importlib.util.find_spec("moto.backend_index")
    assert moto is not None
    assert moto.loader is not None
    own = importlib.util.module_from_spec(moto)
    moto.loader.exec_module(own)
    names = ("s3", "sqs", "secretsmanager", "events", "scheduler", "athena", "dynamodb", "sts", "cloudformation")
    urls = {boto3.client(name, region_name=place).meta.endpoint_url for name in names for place in PLACES}
    buckets = {f"https://adweir-data.s3.{place}.amazonaws.com" for place in PLACES} | {"https://a.s3.amazonaws.com"}

    def service(patterns: Any, url: str) -> str:
        return str(next(name for name, pattern in patterns if pattern.match(url)))

    assert backend_index.backend_url_patterns != own.backend_url_patterns
    for url in (f"{each}{path}" for each in urls | buckets for path in ("/", "/a/key.json", "/123456789012/runs")):
        assert service(backend_index.backend_url_patterns, url) == service(own.backend_url_patterns, url)


def test_what_moto_adds_to_a_description_is_not_in_botocores() -> None:
    """Both read the same files, once. moto says of SQS where its errors' names are, in what it has read."""
    # given
    motos = get_service_model("sqs")

    # when
    botocores = loaders.Loader().load_service_model("sqs", "service-2")

    # then
    assert "errorNamespace" in motos.metadata
    assert "errorNamespace" not in botocores["metadata"]
