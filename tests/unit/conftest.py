"""Fixtures that several files share: a server that answers as scripted, and clients of the sandbox's platforms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import PlatformServer
from support.amazon_caller import AmazonCaller
from support.graph import Client, graph
from support.platform_server import running
from support.stub_http import StubServer, serving


@pytest.fixture
def stub() -> Iterator[StubServer]:
    """Answers as the test says."""
    with serving() as server:
        yield server


@pytest.fixture
def slept() -> list[float]:
    """The seconds that a connector slept."""
    return []


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """Halden on Meta, for tests that change nothing."""
    with graph() as client:
        yield client


@pytest.fixture
def client() -> Iterator[Client]:
    """Halden on Meta, on a server of its own."""
    with graph() as found:
        yield found


@pytest.fixture(scope="module")
def awkward() -> Iterator[Client]:
    """Kestrel on Meta."""
    with graph("kestrel", awkward=True) as found:
        yield found


@pytest.fixture(scope="module")
def _platforms() -> Iterator[PlatformServer]:
    with running(awkward=True) as started:
        yield started


@pytest.fixture
def platforms(_platforms: PlatformServer) -> Iterator[PlatformServer]:
    """All platforms with the awkward clients; what a test switches on ends with it."""
    yield _platforms
    _platforms.outside.switches.clear()


@pytest.fixture
def halden(platforms: PlatformServer) -> AmazonCaller:
    """Halden on Amazon."""
    return AmazonCaller(platforms, "halden")
