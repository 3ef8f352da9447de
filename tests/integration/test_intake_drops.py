"""File drops in the bucket → stored metrics and receipts; also dropped twice, refused, and killed in between."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from adweir.model import limits
from adweir.model.errors import NotFound, Throttled, Unavailable
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.model.times import iso
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import LoadWorld, load

HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend\n"
GOOD = (HEADER + "meta,1,campaign,2026-11-18,7,10,1,1.50\n").encode()
KEY = "drops/acme/a.csv"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def test_a_drop_stores_good_lines_quarantines_bad_ones_and_leaves_a_receipt(world: LoadWorld) -> None:
    body = HEADER + "meta,1,campaign,2026-11-18,7,10,1,1.50\nmeta,2,campaign,2026-11-18,7,10,1,1\nbroken\n"
    world.arrive("drops/acme/a.csv", body.encode())
    assert [row[3][3] for row in world.stored()] == [1_500_000]
    (receipt,) = world.receipts()
    assert receipt["state"] == "loaded"
    assert (receipt["rows_read"], receipt["rows_stored"], receipt["rows_quarantined"]) == (3, 1, 2)
    assert receipt["reasons"] == {"known": 1, "fields": 1}


@pytest.mark.parametrize(("passing", "invocations"), [(1, 1), (10, 3), (13, 3)])
def test_a_file_that_is_read_slowly_is_stored_by_further_invocations(
    world: LoadWorld, passing: int, invocations: int
) -> None:
    """Given 10,000 lines and seconds that pass with every 500 of them; one load reads for half of its 300 s."""
    clocks: list[Iterator[int]] = []
    begin = world.loader.load

    def invoked(message: ObjectArrived, remaining: Callable[[], float]) -> None:
        clocks.append(itertools.count())
        begin(message, remaining)

    world.loader.load = invoked  # type: ignore[method-assign]
    world.remaining = lambda: 300 - passing * next(clocks[-1])

    found = load(world, "drops/acme/a.csv", GOOD + b"meta,1,campaign,2026-11-18,8,10,1,1\n" * 10_000)

    assert found == invocations
    (receipt,) = world.receipts()
    if passing > 10:  # a share has four fifths
        assert receipt["reason"] == "the file takes too long to read: 9500 lines until now; split it"
        assert world.stored() == []
    else:
        assert (receipt["state"], receipt["rows_read"], receipt["rows_stored"]) == ("loaded", 10_001, 2)


def test_a_file_of_too_many_lines_gets_a_receipt(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_DROP_LINES", 10)
    world.arrive("drops/acme/a.csv.gz", gzip.compress(GOOD + b"\n" * 10))
    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["reason"]) == ("rejected", "the file has more than 10 lines; split it")


def test_the_same_bytes_under_another_name_change_nothing(world: LoadWorld) -> None:
    body = (HEADER + "meta,1,campaign,2026-11-18,7,10,1,1.50\n").encode()
    world.arrive("drops/acme/a.csv", body)
    before = world.stored()
    world.arrive("drops/acme/a.csv")
    world.arrive("drops/acme/b.csv", body)
    assert world.stored() == before
    assert sorted(receipt["state"] for receipt in world.receipts()) == ["duplicate", "loaded"]


@pytest.mark.parametrize("days", [1, 91, limits.MAX_DROP_AGE_DAYS])
def test_the_same_bytes_never_undo_a_correction_however_late_they_come(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    # given a bucket whose clock is the world's
    head = world.raw.head
    monkeypatch.setattr(world.raw, "head", lambda *key: head(*key)._replace(last_modified=world.clock.now()))
    # and a file, and the correction that followed it
    first, correction = GOOD, GOOD.replace(b"1.50", b"2.00")
    world.arrive("drops/acme/a.csv", first)
    world.clock.advance(60)
    world.arrive("drops/acme/b.csv", correction)
    # when somebody drops the first one again
    world.clock.advance(days * 86_400)
    world.arrive("drops/acme/c.csv", first)
    # then the correction stays
    assert [row[3][3] for row in world.stored()] == [2_000_000]


@pytest.mark.parametrize(
    ("key", "body"), [("drops/acme/a.csv", b"nonsense"), ("drops/nobody/a.csv", HEADER.encode() + b"x\n")]
)
def test_a_file_that_cannot_be_read_gets_a_receipt_that_says_why(world: LoadWorld, key: str, body: bytes) -> None:
    world.arrive(key, body)
    (receipt,) = world.receipts()
    assert receipt["state"] == "rejected"
    assert world.stored() == []


def test_a_profile_of_another_account_gets_nothing(world: LoadWorld) -> None:
    world.catalog.create_account("rival", "Rival", "a@b.example")
    world.arrive("drops/rival/a.csv", GOOD)
    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["rows_stored"], receipt["reasons"]) == ("loaded", 0, {"known": 1})
    assert world.stored() == []
    assert world.bus.names() == ["QualityBreached"]


def test_lines_of_a_profile_in_an_unknown_time_zone_are_refused_and_the_others_are_stored(world: LoadWorld) -> None:
    world.add_profile("2", timezone="Mars/Olympus")

    world.arrive(KEY, GOOD + b"meta,2,campaign,2026-11-18,7,10,1,2.50\n")

    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["rows_stored"], receipt["reasons"]) == ("loaded", 1, {"known": 1})


def test_the_same_file_repairs_itself_once_its_profile_is_listed(world: LoadWorld) -> None:
    body = GOOD + b"meta,9,campaign,2026-11-18,7,10,1,2.50\n"
    world.arrive(KEY, body)
    assert world.receipts()[0]["reasons"] == {"known": 1}
    (known,) = [each for each in world.catalog.profiles("acme", Platform("meta_ads")) if each.profile_id == "1"]
    listed = known.model_copy(update={"profile_id": "9"})
    world.catalog.put_objects([listed], iso(world.clock.now()))

    world.arrive("drops/acme/again.csv", body)
    world.arrive("drops/acme/third.csv", body)

    states = {receipt["key"]: (receipt["state"], receipt.get("rows_stored")) for receipt in world.receipts()}
    assert states == {
        KEY: ("loaded", 1),
        "drops/acme/again.csv": ("loaded", 2),
        "drops/acme/third.csv": ("duplicate", None),
    }
    assert [row[3][3] for row in world.stored()] == [1_500_000]


def test_a_large_packed_drop_is_stored_whole(world: LoadWorld) -> None:
    lines = [f"meta,1,campaign,2026-11-{day:02},c{number},10,1,1\n" for number in range(60) for day in range(1, 11)]
    world.arrive("drops/acme/a.csv.gz", gzip.compress((HEADER + "".join(lines)).encode()))
    assert len(world.stored()) == 600


@at_the_bound("MAX_DROP_GROUPS", as_if=5)
def test_too_many_targets_are_refused_whole(world: LoadWorld, size: int, fits: bool) -> None:
    known = "meta,1,campaign,2026-11-18,7,10,1,1\n"
    unknown = [f"meta,p{number},campaign,2026-11-18,7,10,1,1\n" for number in range(size - 1)]
    world.arrive(KEY, (HEADER + known + "".join(unknown)).encode())
    assert world.receipts()[0]["state"] == ("loaded" if fits else "rejected")
    assert len(world.stored()) == (1 if fits else 0)


@at_the_bound("MAX_DROP_AGE_DAYS")
def test_how_far_back_a_file_may_reach(world: LoadWorld, size: int, fits: bool) -> None:
    day = world.clock.now().date() - timedelta(days=size)
    world.arrive(KEY, f"{HEADER}meta,1,campaign,{day},7,10,1,1\n".encode())
    assert world.receipts()[0]["rows_stored"] == (1 if fits else 0)


@pytest.mark.parametrize(("wait", "stored"), [(0, 1), (9.9 * 3600, 1), (10 * 3600, 2), (23 * 3600, 2)])
def test_a_file_has_days_up_to_the_one_that_is_the_latest_anywhere(world: LoadWorld, wait: float, stored: int) -> None:
    """From 10:00 UTC on it is tomorrow on Line Islands time; midnight comes 12 hours after the test's clock."""
    world.clock.advance(12 * 3600 + wait)
    today = world.clock.now().date()
    lines = (f"meta,1,campaign,{today + timedelta(days=ahead)},7,10,1,1\n" for ahead in (0, 1, 2))

    world.arrive(KEY, (HEADER + "".join(lines)).encode())

    (receipt,) = world.receipts()
    assert (receipt["rows_stored"], receipt["reasons"]) == (stored, {"day": 3 - stored})


@at_the_bound("MAX_DROP_REASONS", as_if=2)
def test_the_reasons_that_a_receipt_names(world: LoadWorld, size: int, fits: bool) -> None:
    good = "meta,1,campaign,2026-11-18,7,10,1,1\n"
    broken = ["broken\n", good.replace(",10,", ",-10,"), good.replace("2026", "1999")][:size]
    world.arrive(KEY, (HEADER + good + "".join(broken)).encode())
    assert (len(world.receipts()[0]["reasons"]) == size) is fits


@pytest.mark.parametrize("key", ["drops/acme/a.xlsx", "drops/a.csv", "drops//a.csv"])
def test_a_name_that_is_not_a_drop_s_is_reported_in_a_receipt(world: LoadWorld, key: str) -> None:
    world.arrive(key, GOOD)
    assert [receipt["code"] for receipt in world.receipts()] == ["bad_input"]


def test_a_file_that_is_gone_needs_no_receipt(world: LoadWorld) -> None:
    world.arrive(KEY)
    assert world.receipts() == []


@at_the_bound("MAX_DROP_BYTES", as_if=200)
def test_a_file_that_is_larger_than_may_be_is_refused_unread(world: LoadWorld, size: int, fits: bool) -> None:
    world.arrive(KEY, GOOD.ljust(size, b"\n"))
    assert [receipt.get("code") for receipt in world.receipts()] == [None if fits else "too_large"]


@at_the_bound("MAX_BUSY_WAITS")
def test_how_often_an_object_waits(world: LoadWorld, size: int, fits: bool) -> None:
    world.raw.put(KEY, GOOD)
    message = ObjectArrived(bucket=world.bucket, key=KEY, attempt=size - 1)
    busy = world.ledger.lease("metrics#meta_ads#1#campaign#day#file#2026-11", 3600)
    with busy, pytest.raises(Throttled if fits else Unavailable):
        world.loader.load(message, lambda: 300.0)


def test_a_drop_that_finds_its_month_busy_waits_and_at_last_ends(world: LoadWorld, clock: FrozenClock) -> None:
    world.raw.put(KEY, GOOD)
    patient = ObjectArrived(bucket=world.bucket, key=KEY, attempt=limits.MAX_BUSY_WAITS - 1)
    tired = patient.model_copy(update={"attempt": limits.MAX_BUSY_WAITS})
    with world.ledger.lease("metrics#meta_ads#1#campaign#day#file#2026-11", 3600):
        with pytest.raises(Throttled):
            world.loader.load(patient, lambda: 300.0)
        assert world.receipts() == []
        for _ in range(2):
            with pytest.raises(Unavailable, match="gave up"):
                world.loader.load(tired, lambda: 300.0)
        assert [receipt["state"] for receipt in world.receipts()] == ["rejected"]

    world.loader.load(tired, lambda: 300.0)  # as an operator sends it again from the dead-letter queue

    assert [receipt["state"] for receipt in world.receipts()] == ["loaded"]
    assert len(world.stored()) == 1
    (receipt,) = world.receipts()
    assert world.ledger.receipts.get(f"{KEY}.{receipt['version']}")["state"] == "loaded"  # type: ignore[index]


@pytest.mark.parametrize("step", ["quarantine", "load", "publish", "quality", "receipt", "ledger", "by bytes"])
def test_a_drop_killed_at_any_step_converges(world: LoadWorld, step: str) -> None:
    receipts = world.ledger.receipts
    owner, name, call = {
        "quarantine": (world.raw, "put", 1),
        "load": (world.metrics, "load", 1),
        "publish": (world.bus, "publish", 1),
        "quality": (world.findings, "put_quality", 1),
        "receipt": (world.raw, "put_once", 2),  # the first is the log of changes
        "ledger": (receipts, "put", 1),
        "by bytes": (receipts, "put", 2),
    }[step]
    body = GOOD + b"broken\n"
    world.raw.put(KEY, body)
    Crash(call, after=True).watch(owner, name)
    with pytest.raises(Killed):
        world.arrive(KEY)
    world.clock.advance(timedelta(minutes=1).total_seconds())
    world.arrive(KEY)
    world.arrive("drops/acme/b.csv", body)

    assert [row[3][3] for row in world.stored()] == [1_500_000]
    states = {receipt["key"]: receipt["state"] for receipt in world.receipts()}
    assert states == {KEY: "loaded", "drops/acme/b.csv": "duplicate"}
    assert len(world.findings.quality("meta_ads#1")[0]) == 1
    assert world.stored(Level.AD) == []
    with pytest.raises(NotFound):
        world.raw.get_bytes("receipts/none.json")
