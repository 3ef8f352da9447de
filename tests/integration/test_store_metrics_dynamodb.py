"""The metric store on DynamoDB (moto) with the real ledger and S3: keys, batches, conditions, reading."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from threading import Barrier
from typing import Any

import boto3
import msgspec
import pytest

from adweir.model.errors import Throttled, Transient, Unavailable
from adweir.model.metrics import Grain, Level, Mark, MetricRow, Series, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.dynamo import tables as table_models
from adweir.store.dynamo.wire import fast_wire
from adweir.store.ledger import Ledger
from adweir.store.metrics.adjusted import AdjustedSlice, encode
from adweir.store.metrics.adjusting import AdjustedEntity
from adweir.store.metrics.buckets import LISTS, Raw, prefix
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.partitions import MetricsTable
from adweir.store.metrics.store import DayState, MetricStore, Only, Patience, PullRows, SliceState, StoredRow
from adweir.store.raw.store import RawStore
from support.clock import FrozenClock
from support.empty_aws import make_bucket
from support.metric_store import VOLATILE, Brought, expected, stored

FIRST, LAST = "2026-10-30", "2026-11-02"

ADS = Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY)


@pytest.fixture
def ledger(clock: FrozenClock, tables: None) -> Ledger:
    return Ledger(clock)


@pytest.fixture
def store(clock: FrozenClock, ledger: Ledger) -> MetricStore:
    table_models.reset()
    make_bucket("adweir-data")
    return MetricStore(Patience(clock, 330, clock.advance), ledger, RawStore(boto3.client("s3"), "adweir-data"))


def _load(store: MetricStore, brought: Brought) -> Any:
    return store.load(brought.pull, brought.rows(), accept_vanish=True)


def _items() -> dict[tuple[str, str], Any]:
    found = boto3.client("dynamodb").scan(TableName="adweir-metrics")["Items"]
    kept = ((i["pk"]["S"], i["sk"]["S"], i) for i in found if not i["sk"]["S"].startswith(LISTS))
    return {(pk, sk): {n: v for n, v in i.items() if n not in VOLATILE} for pk, sk, i in kept}


def _clear() -> None:
    client = boto3.client("dynamodb")
    for pk, sk in _items():
        client.delete_item(TableName="adweir-metrics", Key={"pk": {"S": pk}, "sk": {"S": sk}})


PULLS = [
    Brought(1, (FIRST, LAST), {("a1", "2026-10-31"): 5, ("a1", "2026-11-01"): 6, ("b1", "2026-11-01"): 7}),
    Brought(2, ("2026-11-01", LAST), {("a1", "2026-11-01"): 8}, slice="sp"),
    Brought(4, ("2026-10-31", "2026-11-01"), {("b1", "2026-10-31"): 9}, complete=False),
    Brought(6, (FIRST, "2026-11-01"), {("a2", "2026-11-01"): 1}, bad=frozenset({("b1", "2026-11-01")})),
]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_ends_in_the_same_items_and_a_replay_writes_nothing(store: MetricStore, seed: int) -> None:
    # given the pulls in order
    for pull in PULLS:
        _load(store, pull)
    straight = _items()
    _clear()
    # when they come in another order, each twice
    again = [*PULLS, *PULLS]
    random.Random(seed).shuffle(again)
    for pull in again:
        _load(store, pull)
    # then the items are the same, and another replay writes nothing
    assert _items() == straight
    assert stored(store, FIRST, LAST) == expected(PULLS)
    assert sum(_load(store, pull).write_units for pull in again) == 0


def test_an_item_is_readable_and_small(store: MetricStore) -> None:
    # given a month of one ad with wide numbers
    values = {("a1", f"2026-11-{day:02d}"): 987_654_321 for day in range(1, 31)}
    _load(store, Brought(1, ("2026-11-01", "2026-11-30"), values))
    # then it is one item of lists of whole numbers, charged as little more than a kilobyte
    item = _items()["amazon_ads#p1#ad#day#pull#2026-11", "a1"]
    assert item["d01"] == {"L": [{"N": str(n)} for n in (2962962963, 987654321, 0, 987654321, -987654321)]}
    assert item["sum"]["L"][1] == {"N": str(30 * 987_654_321)}
    assert (item["camp"], item["prod"], item["cur"]) == ({"S": "c1"}, {"S": "sp"}, {"S": "EUR"})


def test_a_busy_partition_asks_to_wait(store: MetricStore, ledger: Ledger) -> None:
    with ledger.lease("metrics#amazon_ads#p1#ad#day#pull#2026-11", 60), pytest.raises(Throttled):
        _load(store, PULLS[1])
    assert _items() == {}
    assert _load(store, PULLS[1]).slots_changed == 1


def test_more_entities_than_a_batch_and_a_partition_read_page_by_page(
    store: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given 320 ads, more than a query page, when half of them change
    days = [f"2026-11-{day:02d}" for day in (1, 2, 3)]
    window = ("2026-11-01", "2026-11-03")
    rows, later = PullRows(), PullRows()
    for ad in range(320):
        for day in days:
            rows.offer(MetricRow(f"{ad:030d}", day, 1000, 100, 0, 5_000_000, 9_000_000))
            later.offer(MetricRow(f"{ad:030d}", day, 1000 + ad % 2, 100, 0, 5_000_000, 9_000_000))
    first = store.load(Brought(1, window, {}).pull, rows)
    written: list[int] = []
    monkeypatch.setattr(store._table, "write", lambda items: written.append(len(list(items))))
    second = store.load(Brought(2, window, {}).pull, later)
    # then only their items are written
    assert first.slots_changed == 960
    assert (second.slots_changed, second.slots_unchanged, written) == (480, 480, [160])


class _Stubborn(MetricsTable):
    """DynamoDB that takes only a part of each batch."""

    takes = 10

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        if operation == "BatchWriteItem":
            ((name, batch),) = request["RequestItems"].items()
            left = batch[self.takes :]
            answer: dict[str, Any] = {}
            if batch[: self.takes]:
                answer = super()._call(operation, RequestItems={name: batch[: self.takes]})
            return answer | {"UnprocessedItems": {name: left} if left else {}}
        return super()._call(operation, **request)


class _Overheard(MetricsTable):
    """Notes each request."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock, clock.advance)
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def _ask(self, operation: str, **request: Any) -> dict[str, Any]:
        self.requests.append((operation, request))
        return super()._ask(operation, **request)


class _Charging(MetricsTable):
    """DynamoDB that charges one unit per item; moto charges one per batch."""

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        units = sum(map(len, request["RequestItems"].values()))
        return super()._call(operation, **request) | {"ConsumedCapacity": [{"CapacityUnits": units}]}


def _raws(count: int) -> Iterator[Raw]:
    for number in range(count):
        yield {"pk": {"S": "p"}, "sk": {"S": f"{number:03d}"}, "x": {"N": "1"}}


def test_unprocessed_items_are_sent_again_with_growing_pauses(clock: FrozenClock, tables: None) -> None:
    pauses: list[float] = []
    table = _Stubborn(clock, pauses.append, random.Random(1))
    table.write(_raws(60))
    assert len(list(table.query("p"))) == 60
    assert len(pauses) >= 5
    # and when nothing is taken any more, it gives up
    table.takes = 0
    with pytest.raises(Unavailable, match="left 25 items"):
        table.write(_raws(60))


def test_writes_are_paced_under_what_a_partition_takes(clock: FrozenClock, tables: None) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    table = _Charging(clock, sleep)
    table.write(_raws(100))
    assert sum(slept) == pytest.approx(100 / 900, rel=1e-3)


def test_a_fence_guards_coverage(clock: FrozenClock, tables: None) -> None:
    table = MetricsTable(clock)

    def written_under(fence: int) -> Raw:
        return {"pk": {"S": "p"}, "sk": {"S": "!coverage"}, "fence": {"N": str(fence)}}

    table.put(written_under(1), fence=0)
    with pytest.raises(Transient):
        table.put(written_under(2), fence=0)
    with pytest.raises(Transient):
        table.put(written_under(3), fence=2)
    table.put(written_under(4), fence=1)
    table.put(written_under(4), fence=1)  # sent again, because its reply was lost


def test_a_missing_table_is_unavailable(clock: FrozenClock, tables: None) -> None:
    boto3.client("dynamodb").delete_table(TableName="adweir-metrics")
    with pytest.raises(Unavailable):
        MetricsTable(clock).get("p", "s")


def _read(store: MetricStore, **options: Any) -> list[StoredRow]:
    return list(store.read(ADS, Window(date(2026, 10, 1), date(2026, 11, 30)), **options))


def test_readers_take_the_pull_then_the_file_day_by_day(store: MetricStore) -> None:
    # given a pull of one day, and a file and a push of two
    day1, day2, day3 = "2026-11-01", "2026-11-02", "2026-11-03"
    _load(store, Brought(2, (day1, day1), {("a1", day1): 1}))
    file = Brought(4, (day1, day2), {("a1", day1): 2, ("a1", day2): 2, ("b1", day1): 2, ("b1", day2): 2})
    _load(store, replace(file, source=Source.FILE))
    _load(store, Brought(6, (day2, day3), {("a1", day2): 3, ("a1", day3): 3}, source=Source.PUSH))
    # then each day has its best source; b1's first day is a true zero, for the pull answered for it
    found = [(r.entity_id, r.day, r.slot[3], r.source) for r in _read(store)]
    assert found == [
        ("a1", day1, 1, Source.PULL),
        ("a1", day2, 2, Source.FILE),
        ("a1", day3, 3, Source.PUSH),
        ("b1", day2, 2, Source.FILE),
    ]
    assert [(r.day, r.slot[3]) for r in _read(store, sources=(Source.PUSH,))] == [(day2, 3), (day3, 3)]
    assert [r.as_of for r in _read(store, only=Only(own=frozenset({"b1"})))] == [file.stamp.as_of]


def test_a_row_that_a_preferred_source_hides_is_read_on_request(store: MetricStore) -> None:
    # given a file's rows on a pulled day: one of an ad that the pull has too, one that it answers with a true zero
    day = "2026-11-01"
    _load(store, Brought(2, (day, day), {("a1", day): 1}))
    file = Brought(4, (day, day), {("a1", day): 2, ("b1", day): 3})
    _load(store, replace(file, source=Source.FILE))
    # then they come on request, marked
    assert [(r.entity_id, r.slot[3], r.source, r.mark) for r in _read(store, overridden=True)] == [
        ("a1", 1, Source.PULL, Mark.NONE),
        ("a1", 2, Source.FILE, Mark.OVERRIDDEN),
        ("b1", 3, Source.FILE, Mark.OVERRIDDEN),
    ]
    assert [(r.entity_id, r.mark) for r in _read(store)] == [("a1", Mark.NONE)]


def test_a_number_behind_a_quarantined_row_is_marked_as_held(store: MetricStore) -> None:
    day = "2026-11-01"
    first = Brought(2, (day, day), {("a1", day): 1, ("b1", day): 2})
    _load(store, first)
    _load(store, Brought(4, (day, day), {("a1", day): 3}, bad=frozenset({("b1", day)})))
    found = [(r.entity_id, r.slot[3], r.mark, r.as_of) for r in _read(store)]
    assert found[1] == ("b1", 2, Mark.HELD, first.stamp.as_of)
    assert found[0][1:3] == (3, Mark.NONE)


def test_the_state_of_a_day_names_its_slices_and_when_they_were_pulled(store: MetricStore) -> None:
    pulled = Brought(1, ("2026-11-02", "2026-11-02"), {}, slice="sp")
    _load(store, pulled)
    store.skip(Brought(2, ("2026-11-01", "2026-11-02"), {}, slice="sd", complete=False).pull)
    found = store.days(ADS, Window(date(2026, 10, 31), date(2026, 11, 2)))
    assert found == {
        date(2026, 11, 1): DayState({}, frozenset({"sd"})),
        date(2026, 11, 2): DayState({"sp": SliceState(*pulled.stamp[:2])}, frozenset({"sd"})),
    }
    assert found[date(2026, 11, 2)].known == {"sp", "sd"}


def test_adjustments_of_the_pull_that_answers_now_are_read(store: MetricStore) -> None:
    # given what two pulls of a day left of quarantined rows and cleaned numbers
    day = "2026-11-01"
    older, newer = Brought(1, (day, day), {}), Brought(2, (day, day), {}, slice="sp")
    for pull in (older, newer):
        _load(store, pull)
    none = (Decimal(0),) * 5
    entry = AdjustedEntity("a1", "c1", "", "sp", 1, (9, 1, 0, 5, None), (*none[:3], Decimal("-0.2"), *none[:1]), "USD")
    other = msgspec.structs.replace(entry, entity_id="b1", ad_product="sb")
    kept = {
        "all": AdjustedSlice(str(older.stamp), (entry, other)),
        "sp": AdjustedSlice(str(newer.stamp), (msgspec.structs.replace(entry, rows=2),)),
    }
    pk = "amazon_ads#p1#ad#day#pull#2026-11"
    coverage = Coverage.decode(store._table.get(pk, "!coverage"))
    store._table.put(encode(pk, day, kept), fence=None)
    store._table.put(replace(coverage, adjusted=frozenset({day})).encode(pk), fence=None)
    # then an entity's are those of its newest pull
    found = {a.entity_id: a for a in store.adjusted(ADS, Window(date(2026, 10, 31), date(2026, 11, 2)))}
    assert [(e, a.rows) for e, a in sorted(found.items())] == [("a1", 2), ("b1", 1)]
    assert found["b1"] == ("b1", "c1", "", "sb", day, 1, entry.quarantined, entry.cleaned, "USD")
    # and rows are read as before
    assert _read(store) == []


def test_hours_are_items_of_a_day(store: MetricStore) -> None:
    # given a pull of two hours, and a newer one with the second only
    window = Window(date(2026, 11, 19), date(2026, 11, 20))
    pull = Pull(
        Platform("meta_ads"),
        "p1",
        Level.CAMPAIGN,
        Grain.HOUR,
        Source.PULL,
        "all",
        window,
        Stamp("2026-11-20T10:00:00.000000Z", "t1"),
        complete=True,
    )
    rows, later = PullRows(), PullRows()
    rows.offer(MetricRow("c1", "2026-11-20", 1, 1, 0, 1, 1, hour=7))
    rows.offer(MetricRow("c1", "2026-11-20", 2, 1, 0, 1, 1, hour=8))
    later.offer(MetricRow("c1", "2026-11-20", 3, 1, 0, 1, 1, hour=8))
    store.load(pull, rows)
    store.load(replace(pull, stamp=Stamp("2026-11-20T11:00:00.000000Z", "t2")), later)
    # then the newer one's hour is left
    found = list(store.read(pull.series, window))
    assert [(r.day, r.hour, r.slot[0]) for r in found] == [("2026-11-20", 8, 3)]


def test_a_year_is_read_with_one_request_per_month_that_has_data(clock: FrozenClock, store: MetricStore) -> None:
    # given pulls of two months, and a file of one of them
    table = _Overheard(clock)
    reader = MetricStore(Patience(clock, 330, clock.advance), Ledger(clock), store._changes, table=table)
    for brought in (PULLS[0], replace(PULLS[1], source=Source.FILE, slice="all", complete=False)):
        _load(store, brought)
    # when a year is read
    rows = list(reader.read(ADS, Window(date(2026, 1, 1), date(2026, 12, 31))))
    # then coverage is looked up in one batch, and three partitions are read, all consistently
    assert len(rows) == 3
    assert [operation for operation, _ in table.requests] == ["BatchGetItem", "Query", "Query", "Query"]
    # and the coverage of a year is one request
    table.requests.clear()
    assert len(reader.days(ADS, Window(date(2026, 1, 1), date(2026, 12, 31)))) == 4
    assert [operation for operation, _ in table.requests] == ["BatchGetItem"]


def test_a_campaign_s_ads_are_read_by_their_keys_from_lists_that_loads_do_not_read(
    clock: FrozenClock, store: MetricStore
) -> None:
    # given two months with ads of two campaigns, and more lists than a page has
    table = _Overheard(clock)
    overheard = MetricStore(Patience(clock, 330, clock.advance), Ledger(clock), store._changes, table=table)
    for brought in PULLS[:3]:
        _load(overheard, brought)
    pk = f"{prefix(ADS, Source.PULL)}#2026-11"
    table.write({"pk": {"S": pk}, "sk": {"S": f"{LISTS}{n:04d}"}, "ids": {"SS": [f"x~{n}"]}} for n in range(320))
    table.requests.clear()
    # when a campaign is asked for, then its lists, and the items that these name, are read in a request each
    window = Window(date(2026, 1, 1), date(2026, 12, 31))
    assert {row.entity_id for row in overheard.read(ADS, window, only=Only(frozenset({"c1", "c9"})))} == {"a1"}
    assert [operation for operation, _ in table.requests] == ["BatchGetItem"] * 3
    # and for ads of unknown campaigns all lists are read, page by page
    table.requests.clear()
    rows = overheard.read(ADS, window, only=Only(own=frozenset({"b1"})))
    assert {(row.entity_id, row.day[:7]) for row in rows} == {("b1", "2026-10"), ("b1", "2026-11")}
    assert [operation for operation, _ in table.requests] == ["BatchGetItem", *["Query"] * 3, "BatchGetItem"]
    assert not [item for item in table.query(pk) if item["sk"]["S"].startswith(LISTS)]


def test_every_read_is_consistent(clock: FrozenClock, store: MetricStore) -> None:
    # given a table whose requests are overheard: coverage and slots from replicas that differ would make a false zero
    table = _Overheard(clock)
    overheard = MetricStore(Patience(clock, 330, clock.advance), Ledger(clock), store._changes, table=table)
    window = Window(date(2026, 10, 1), date(2026, 11, 30))
    for brought in PULLS:
        _load(overheard, brought)
    assert list(overheard.read(ADS, window, only=Only(own=frozenset({"a2"}))))
    assert list(overheard.read(ADS, window))
    assert overheard.days(ADS, window)
    assert list(overheard.adjusted(ADS, window))
    assert table.get("no partition", "no item") is None
    # then all that read say so
    said = [
        next(iter(request["RequestItems"].values())) if operation == "BatchGetItem" else request
        for operation, request in table.requests
        if operation in {"GetItem", "Query", "BatchGetItem"}
    ]
    assert {operation for operation, _ in table.requests} >= {"GetItem", "Query", "BatchGetItem"}
    assert all(request["ConsistentRead"] is True for request in said)


def covered(store: MetricStore, window: Window) -> dict[date, dict[str, Stamp]]:
    """Day → slice → the newest complete pull."""
    states = {day: state.slices for day, state in store.days(ADS, window).items() if state.slices}
    return {day: {name: Stamp(*each[:2]) for name, each in slices.items()} for day, slices in states.items()}


def known(store: MetricStore, window: Window) -> dict[date, frozenset[str]]:
    return {day: state.known for day, state in store.days(ADS, window).items()}


def test_coverage_by_day_and_slice(store: MetricStore) -> None:
    for pull in PULLS:
        _load(store, pull)
    found = covered(store, Window(date(2026, 10, 1), date(2026, 11, 30)))
    whole, first = PULLS[3].stamp, PULLS[0].stamp
    assert found[date(2026, 10, 30)] == {"all": whole}
    assert found[date(2026, 11, 2)] == {"all": first, "sp": PULLS[1].stamp}
    assert date(2026, 11, 3) not in found


def test_a_slice_that_is_not_applicable_is_neither_covered_nor_missing(store: MetricStore) -> None:
    # given a window over two months in which one product was pulled, and another is not applicable
    window = Window(date(2026, 10, 31), date(2026, 11, 2))
    pulled = Brought(1, ("2026-11-02", "2026-11-02"), {}, slice="sp")
    _load(store, pulled)
    absent = Brought(2, ("2026-10-31", "2026-11-02"), {}, slice="sd", complete=False)
    store.skip(absent.pull)
    # then no pull of it is missing, and none answers for it
    assert known(store, window) == {
        date(2026, 10, 31): {"sd"},
        date(2026, 11, 1): {"sd"},
        date(2026, 11, 2): {"sp", "sd"},
    }
    assert covered(store, window) == {date(2026, 11, 2): {"sp": pulled.stamp}}
    # when the profile has it after all, for one day
    later = Brought(3, ("2026-11-01", "2026-11-01"), {}, slice="sd")
    _load(store, later)
    # then that day is covered; repeating the skip changes nothing
    store.skip(absent.pull)
    assert covered(store, window)[date(2026, 11, 1)] == {"sd": later.stamp}
    assert known(store, window)[date(2026, 10, 31)] == {"sd"}


def test_two_threads_that_write_at_once_write_each_its_own(clock: FrozenClock, tables: None) -> None:
    # given two writes of which each has handed over its request before either sends it
    connection = fast_wire(table_models.connect())
    both = Barrier(2, timeout=10)
    events: Any = connection.client.meta.events
    events.register("before-parameter-build.dynamodb.BatchWriteItem", lambda **_: both.wait())

    def write(name: str) -> Any:
        put = {"PutRequest": {"Item": {"pk": {"S": name}, "sk": {"S": "1"}}}}
        return connection.dispatch("BatchWriteItem", {"RequestItems": {"adweir-metrics": [put]}})

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(write, ("one", "two")))

    assert sorted(pk for pk, _ in _items()) == ["one", "two"]
    assert [answer["ConsumedCapacity"][0]["TableName"] for answer in answers] == ["adweir-metrics"] * 2
