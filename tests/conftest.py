"""Fixtures that several rooms share: a clock that stands still, moto's AWS, the four tables."""

from __future__ import annotations

import gc
import logging
import os
import random
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import hypothesis
import pytest
from botocore.loaders import JSONFileLoader, Loader
from moto import mock_aws
from moto.core import responses, utils
from moto.core.loaders import create_loader
from moto.core.model import Shape
from moto.core.serialize import AttributePickerContext, ResponseSerializer, XFormedAttributePicker

from adweir.model import limits, trace
from adweir.model.log import log
from adweir.runtime.memory import collect_seldom
from adweir.runtime.settings import Settings
from support import own_dynamodb, quick_apps, quick_aws
from support.agreeable import agreeable
from support.clock import FrozenClock
from support.sharing_out import GivesWay, SaysLess, StoriesFirst, rewrite_share

_BOUNDS = pytest.StashKey[pytest.MonkeyPatch]()
REGION = "us-east-1"

# A sandbox that the shell points at (docs/operations.md) is not for tests to write to, nor to delete a bucket of.
os.environ.pop("AWS_ENDPOINT_URL", None)

# As template.yaml has it. numpy reads it when it is loaded: in the processes of `-n` it is, in this one it may be late.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

# An example may take any time: on a busy machine a deadline fails tests that have no fault.
hypothesis.settings.register_profile("adweir", deadline=None)
hypothesis.settings.load_profile("adweir")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are not in a test's name: packed ones have the time in them, which differs between two processes."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StoriesFirst:
    """With `-n`, one process tells all stories."""
    return StoriesFirst(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """In a process of `-n`: the one with the stories goes first, and what nobody asked to see is not sent."""
    if hasattr(config, "workerinput"):
        rewrite_share(config, sorted(Path(__file__).parent.glob("*/test_*.py")))
        config.pluginmanager.register(GivesWay())
        if not config.option.durations and not config.option.xmlpath:
            config.pluginmanager.register(SaysLess(config))


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "the tables are in `moto`, or in the DynamoDB of this endpoint, instead of the simulation's double"
    parser.addoption("--dynamodb", default="", help=about)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again, nor as often (6 % of the time)."""
    gc.collect()
    collect_seldom()


def pytest_unconfigure() -> None:
    """What is frozen is not collected at the end, either: DuckDB's module would print pages of what it has left."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _service_descriptions_read_once() -> Iterator[None]:
    """botocore parses megabytes of JSON for each new session, and every test on moto has several: parse them once.

    moto reads its own: it adds to what it has read.
    """
    listed, known = Loader.list_available_services, dict[tuple[str, ...], list[str]]()
    read = JSONFileLoader().load_file

    def services(self: Loader, type_name: str) -> list[str]:
        key = (type_name, *self.search_paths)
        if key not in known:
            known[key] = listed(self, type_name)
        return known[key]

    def motos() -> Loader:
        loader = create_loader()
        loader.file_loader.load_file = read  # type: ignore[method-assign]
        return loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", staticmethod(cache(read)))
        patch.setattr(Loader, "list_available_services", services)
        patch.setattr(utils, "create_loader", motos)
        yield


@pytest.fixture(scope="session", autouse=True)
def _names_of_an_answer_looked_up_once() -> Iterator[None]:
    """moto works out anew by which names each value of an answer may be found, and for each request what its
    service can do: a fifth of a test's time. In a dictionary the names depend on the shape alone.
    """
    slow = ResponseSerializer.get_value
    of_any = XFormedAttributePicker()
    known: dict[tuple[Shape, Shape | None, str], tuple[str, ...]] = {}

    def get_value(self: ResponseSerializer, value: Any, key: str, shape: Shape) -> Any:
        if type(value) is not dict or getattr(self._value_picker, "response_transformers", True):
            return slow(self, value, key, shape)
        about = shape, getattr(shape, "parent", None), key
        if about not in known:
            known[about] = tuple(of_any.get_possible_keys(AttributePickerContext({}, key, shape)))
        for name in known[about]:
            if name in value:
                return value[name]
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResponseSerializer, "get_value", get_value)
        patch.setattr(responses, "method_names_from_class", cache(utils.method_names_from_class))
        yield


@pytest.fixture(scope="session", autouse=True)
def _worked_out_once() -> Iterator[None]:
    """What botocore, moto, Powertools and Typer would work out anew for every client, request and command."""
    with pytest.MonkeyPatch.context() as patch:
        quick_aws.install(patch)
        quick_apps.install(patch)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """The bounds that `support.bounds.at_the_bound` lowers are as they were once the test and its fixtures ended."""
    with pytest.MonkeyPatch.context() as patch:
        item.stash[_BOUNDS] = patch
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Lower them once the fixtures stand.

    Any earlier, an application that this test is the first to import would keep the lowered bound for all later tests.
    """
    for mark in item.iter_markers("bound"):
        name, as_if = mark.args
        if as_if:
            item.stash[_BOUNDS].setattr(limits, name, as_if)


@pytest.fixture(autouse=True)
def _own_process() -> Iterator[None]:
    """A test gives the process back as it found it; one that does not fails, whichever test comes next. The keys of its
    log lines do not reach the next test, nor does what it did to a function's logger.

    One fixture for all: each costs every one of the tests a twentieth of a millisecond.
    """
    before = _process()
    sys.setrecursionlimit(1000)  # Python's own: MiniStack, which some tests import, has JSONata raise it to 10,000
    with trace.about():
        yield
    _forget_log_lines()
    if before != (after := _process()):
        assert dict(before.items() ^ after.items()) == {}


def _process() -> dict[bytes | str, bytes | str]:
    own = {**os.environ._data, "working directory": str(Path.cwd()), "sys.path": ":".join(sys.path)}  # type: ignore[attr-defined]
    own.pop(b"PYTEST_CURRENT_TEST", None)
    return own


def _forget_log_lines() -> None:
    """Powertools configures the logger of a service once per process: its handler would keep the output that the first
    test captured, which is closed with that test, and the level that this test asked for.
    """
    for logger in list(logging.Logger.manager.loggerDict.values()):
        handler = getattr(logger, "powertools_handler", None)
        if handler and isinstance(logger, logging.Logger):
            handler.stream = sys.stdout
            logger.handlers[:] = [handler]
            _ask_for_info(logger)
    log.propagate = True  # an app that was made takes the lines of the rooms below it: the next test reads them again
    _ask_for_info(log)


def _ask_for_info(logger: logging.Logger) -> None:
    """Have its level; to set it has every logger forget what it knows."""
    if logger.level != logging.INFO:
        logger.setLevel(logging.INFO)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto in process, with made-up credentials."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "client", quick_aws.shared_client)
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def agreeing() -> Iterator[dict[str, dict[str, str]]]:
    """Where the platforms are: these accept each credential."""
    with agreeable() as urls:
        yield urls


@pytest.fixture
def settings(agreeing: dict[str, dict[str, str]]) -> Settings:
    """Names as a deployed function gets them."""
    return Settings(
        platform_urls=agreeing,
        source_hosts="*.example.com",
        catalog_table="adweir-catalog",
        metrics_table="adweir-metrics",
        ledger_table="adweir-ledger",
        findings_table="adweir-findings",
        bucket="adweir-data",
        bus_name="adweir",
    )


@pytest.fixture
def tables(
    aws: None, settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The four tables, empty, in the simulation's DynamoDB (or where --dynamodb says), and the models bound to them."""
    from adweir.store.dynamo import tables as table_models

    where = request.config.getoption("--dynamodb")
    endpoint = where if "://" in where else None
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        table_models.reset()
    table_models.bind(*settings.tables)
    if not where:
        own_dynamodb.answer_in_place_of_moto(settings.tables, monkeypatch)
        yield
        return
    session = boto3.Session("testing", "testing", region_name=REGION)
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    for schema in table_models.schemas():
        dynamodb.create_table(**schema)
    yield
    if endpoint:
        for name in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=name)
        table_models.reset()
