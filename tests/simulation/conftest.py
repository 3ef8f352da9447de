"""The behaviour test's two sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulation.sides import DISK, DOUBLE, MOTO, Side, opened


@pytest.fixture(params=[DOUBLE, DISK, MOTO])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    """Clients of the doubles in memory, then the same case on disk, and with moto's."""
    mark = request.node.get_closest_marker("differs_from_moto")
    if mark is not None and request.param == MOTO:
        pytest.skip(mark.args[0])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with opened(request.param) as opened_side:
        yield opened_side
