"""What is stored outlasts a restart of the sandbox."""

from __future__ import annotations

from support.river import River, alive

_WORKERS = ("etl", "curate", "detect", "learn", "enrich", "features")
_TABLES = ("Catalog", "Metrics", "Ledger", "Findings")


def test_given_stored_data_when_the_sandbox_goes_down_and_up_then_key_and_data_are_the_same(
    river: River, days: tuple[str, str]
) -> None:
    mori = river.clients["mori"]
    river.quiet("runs", "collect-MetaAds", "collect-AmazonAds", "reports", "landing", *_WORKERS)
    before = {name: river.table(name) for name in _TABLES}
    description, objects = river.description, river.keys("")

    river.down()
    assert not alive(river.home.path)

    assert river.up() == description
    assert {name: river.table(name) for name in _TABLES} == before
    assert river.keys("") == objects
    assert river.holds(mori.meta, *days)
    river.ended(river.repull([mori.meta], *days), "succeeded")
    assert river.holds(mori.meta, *days)
