"""Refused rows are listed, looked at and tried again: after a repair those that are valid then move, and no others."""

from __future__ import annotations

from datetime import date, timedelta
from types import ModuleType
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.errors import AdweirError, BadInput, Conflict, NotFound
from adweir.model.metrics import Level
from adweir.model.times import Window
from adweir.pipeline.held_replays import HeldReplays
from adweir.quality.quarantine import held_lines
from adweir.store.catalog.mappings import StoredMapping
from adweir.store.findings.held_rows import KEEP, HeldObject, HeldRows
from support.api import Call
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import LoadWorld, insights

KEY = "drops/acme/agency/campaign_performance/a.csv"
FILE = b"Camp,When,Shown,Spent\n7,2026-11-16,9,k.A.\n7,2026-11-17,9,1.50\n7,2026-11-18,9,far too much\n"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def use(world: LoadWorld, *empty: str) -> None:
    """Store a mapping by which these texts mean that a cell is empty."""
    fields = {"campaign_id": "Camp", "date": "When", "impressions": "Shown", "spend": "Spent"}
    columns = [{"field": field, "names": [name]} for field, name in fields.items()]
    said = {"source": "agency", "data_type": "campaign_performance", "columns": columns, "empty": list(empty)}
    body = said | {"constants": {"platform": "meta"}}
    world.catalog.put_mapping(StoredMapping("acme", "agency", "campaign_performance", body))


def replays(world: LoadWorld) -> HeldReplays:
    return HeldReplays(world.findings.held, world.raw, world.ledger, world.queues)


def only(world: LoadWorld) -> HeldObject:
    (found,), _ = world.findings.held.page(10)
    return found


def work(world: LoadWorld) -> None:
    """Handle what waits in the queues of runs and of landed objects."""
    for message in world.queues.runs.take():
        if message.kind == "replay_held":
            replays(world).send(message)
    for message in world.queues.landing.take():
        try:
            world.loader.load(message, world.remaining)
        except AdweirError as error:
            world.loader.settle(message, error)


def again(world: LoadWorld) -> HeldObject:
    """Replay the only entry; what it is then."""
    replays(world).request(only(world).id, "key_1")
    assert only(world).state == "replaying"
    work(world)
    return only(world)


def days(world: LoadWorld) -> list[str]:
    return [row[1] for row in world.stored()]


def test_a_corrected_mapping_moves_the_rows_that_are_valid_then_and_a_second_replay_none(world: LoadWorld) -> None:
    # given a file of which two rows are refused
    use(world)
    world.arrive(KEY, FILE)
    found = only(world)
    assert (found.rows, found.state, found.source_key, found.account_id) == (2, "held", KEY, "acme")
    assert [line["line"] for line in held_lines(world.raw, found.keys, 9)] == [2, 4]
    # when the mapping is corrected for one of them
    use(world, "k.A.")
    found = again(world)
    # then that one is stored, and the other one stays
    assert days(world) == ["2026-11-16", "2026-11-17"]
    assert (found.rows, found.moved, found.state, found.asked_by) == (1, 1, "held", "key_1")
    assert [line["line"] for line in held_lines(world.raw, found.keys, 9)] == [4]
    assert (world.receipts()[0]["rows_stored"], world.receipts()[0]["slots_changed"]) == (2, 1)
    # and once more, nothing moves
    found = again(world)
    assert (found.rows, found.moved, days(world)) == (1, 0, ["2026-11-16", "2026-11-17"])
    # and with the last one corrected, nothing is left
    use(world, "k.A.", "far too much")
    found = again(world)
    assert (found.rows, found.moved, found.state, found.keys) == (0, 1, "cleared", ())
    assert len(days(world)) == 3


def test_the_same_mapping_reads_the_file_again_since_a_rule_may_have_been_mended(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(world, "k.A.", "far too much")
    with monkeypatch.context() as strict:
        strict.setattr(limits, "MAX_FIGURE_BITS", 20)  # 1.50 is too much
        world.arrive(KEY, FILE)
    assert (only(world).reasons, only(world).rows) == ({"bound": 1}, 1)

    found = again(world)

    assert (found.state, found.moved, len(days(world))) == ("cleared", 1, 3)
    # and dropped once more, the bytes are known
    world.arrive(KEY.replace("a.csv", "b.csv"), FILE)
    assert {each["state"] for each in world.receipts()} == {"loaded", "duplicate"}


def pulled(world: LoadWorld, monkeypatch: pytest.MonkeyPatch, spends: list[str]) -> str:
    """A pull of ads of which those that spent more than 2.00 are refused; returns its key."""
    task = world.plan()
    key = world.land(task, insights(spends))
    with monkeypatch.context() as strict:
        strict.setattr(limits, "MAX_FIGURE_BITS", 21)
        world.arrive(key)
    return key


def spent(world: LoadWorld) -> dict[str, int]:
    return {row[0]: row[3][3] for row in world.stored(Level.AD)}


def test_a_mended_rule_moves_the_rows_of_a_pull_and_leaves_the_others_alone(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = pulled(world, monkeypatch, ["1.00", "5.00"])
    assert (only(world).rows, only(world).reasons, spent(world)) == (1, {"bound": 1}, {"8~0": 1_000_000})
    assert (only(world).source_key, only(world).start, only(world).end) == (key, "2026-11-18", "2026-11-18")

    found = again(world)

    assert (found.state, found.rows, found.moved) == ("cleared", 0, 1)
    assert spent(world) == {"8~0": 1_000_000, "8~1": 5_000_000}
    (report, _), _ = world.findings.quality("meta_ads#1")
    assert report["slots_changed"] == 1
    assert again(world).moved == 0


def test_what_a_newer_pull_brought_stays(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled(world, monkeypatch, ["1.00", "5.00"])
    world.clock.advance(3600)
    world.pull(world.plan(run_id="later"), insights(["1.00", "7.00"]))

    again(world)

    assert spent(world) == {"8~0": 1_000_000, "8~1": 7_000_000}


@pytest.mark.parametrize(
    ("spends", "day", "state"),
    [
        (["1.00", "7.00"], "2026-11-18", "superseded"),
        (["1.00"], "2026-11-18", "superseded"),
        (["1.00", "far too much"], "2026-11-18", "held"),
        (["1.00", "7.00"], "2026-11-17", "held"),
    ],
)
def test_a_newer_pull_without_a_fault_leaves_nothing_to_do(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch, spends: list[str], day: str, state: str
) -> None:
    """Given refused rows of a pull, when a newer one brings their days faultless, then nobody need look at them."""
    pulled(world, monkeypatch, ["1.00", "5.00"])
    first = only(world)
    world.clock.advance(3600)

    window = Window(date.fromisoformat(day), date.fromisoformat(day))
    world.pull(world.plan(window=window, run_id="later"), insights(spends, day))

    assert (world.findings.held.get(first.id).state, first.state) == (state, "held")


def test_a_newer_pull_that_dies_amid_its_counts_leaves_nothing_to_do_when_it_comes_again(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled(world, monkeypatch, ["1.00", "5.00"])
    world.clock.advance(3600)
    later = world.land(world.plan(run_id="later"), insights(["1.00", "7.00"]))
    killer = Crash(1, after=False)
    killer.watch(world.findings.held, "supersede")
    with pytest.raises(Killed):
        world.arrive(later)

    world.clock.advance(3600)
    world.arrive(later)

    assert only(world).state == "superseded"


def test_an_older_pull_supersedes_nothing_nor_does_one_of_another_dataset(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = world.plan(run_id="older")
    key = world.land(older, insights(["1.00", "7.00"]))
    world.clock.advance(3600)
    pulled(world, monkeypatch, ["1.00", "5.00"])
    world.arrive(key)
    assert only(world).state == "held"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, 9))
def test_a_replay_that_is_killed_at_any_write_ends_the_same(world: LoadWorld, write: int, after: bool) -> None:
    use(world)
    world.arrive(KEY, FILE)
    use(world, "k.A.")
    killer = Crash(write, after=after)
    for owner, name in (
        (world.findings.held, "_put"),
        (world.findings, "put_quality"),
        (world.ledger.receipts, "put"),
        (world.ledger.replays, "_put"),
        (world.queues.runs, "send"),
        (world.queues.landing, "send"),
        (world.metrics, "load"),
        (world.raw, "put"),
    ):
        killer.watch(owner, name)
    try:
        replays(world).request(only(world).id, "key_1")
        messages = world.queues.runs.take()
        for message in messages:
            replays(world).send(message)
        landed = world.queues.landing.take()
        for message in landed:
            world.loader.load(message, world.remaining)
    except Killed:
        # whoever asked asks again; a message is received again
        world.clock.advance(61)
        replays(world).request(only(world).id, "key_1")
        work(world)

    found = only(world)
    assert (found.rows, found.state, days(world)) == (1, "held", ["2026-11-16", "2026-11-17"])
    assert [line["line"] for line in held_lines(world.raw, found.keys, 9)] == [4]


def test_a_replay_that_is_received_twice_and_late_changes_nothing(world: LoadWorld) -> None:
    use(world)
    world.arrive(KEY, FILE)
    use(world, "k.A.")
    replays(world).request(only(world).id, "key_1")
    (asked,) = world.queues.runs.take()
    replays(world).send(asked)
    (early,) = world.queues.landing.take()
    world.loader.load(early, world.remaining)
    use(world, "k.A.", "far too much")
    assert again(world).state == "cleared"
    use(world)

    world.loader.load(early, world.remaining)

    assert (only(world).state, len(days(world))) == ("cleared", 3)


def test_a_file_that_cannot_be_read_at_all_any_more_says_so_and_its_rows_stay(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(world)
    world.arrive(KEY, FILE)

    def misread(*_: Any) -> None:
        raise BadInput("no such column")

    monkeypatch.setattr("adweir.intake.load.files.DropLoader._result", misread)
    found = again(world)

    assert (found.state, found.rows, found.reason) == ("held", 2, "bad_input: no such column")


def test_an_object_that_is_gone_is_a_conflict_and_an_unknown_entry_is_not_found(world: LoadWorld) -> None:
    use(world)
    world.arrive(KEY, FILE)
    world.s3.delete_object(Bucket=world.bucket, Key=KEY)
    with pytest.raises(Conflict, match="is gone"):
        replays(world).request(only(world).id, "key_1")
    with pytest.raises(NotFound):
        replays(world).request("qrn_unknown", "key_1")


def entry(number: int, **fields: Any) -> HeldObject:
    values: dict[str, Any] = {"account_id": "acme", "platform": "meta_ads", "profile_id": "1", "dataset": "ad_daily"}
    values |= {"task_id": "t", "keys": ("quarantine/t.0.jsonl.gz",), "rows": 1, "reasons": {"id": 1}}
    return HeldObject(source_key=f"raw/{number}", **values | fields)


def test_entries_are_listed_newest_first_by_account_and_expire(world: LoadWorld) -> None:
    held = world.findings.held
    for number, account in enumerate(("acme", "rival", "acme")):
        held.hold(entry(number, account_id=account))
        world.clock.advance(1)

    assert [each.source_key for each in held.page(9)[0]] == ["raw/2", "raw/1", "raw/0"]
    assert [each.source_key for each in held.page(9, "", ["rival"])[0]] == ["raw/1"]
    first, token = held.page(1, "", (), {"account_id": "acme"})
    second, _ = held.page(9, token, (), {"account_id": "acme"})
    assert [each.source_key for each in first + second] == ["raw/2", "raw/0"]
    world.clock.advance(KEEP.total_seconds())
    assert held.page(9) == ([], "")


def test_a_load_that_is_older_than_what_is_noted_says_nothing(world: LoadWorld) -> None:
    held = world.findings.held
    for load, rows in ((0, 3), (2, 1), (1, 3)):
        held.hold(entry(1, load=load, rows=rows))
    assert (only(world).rows, only(world).moved) == (1, 2)


def test_two_workers_that_note_the_same_object_leave_one_entry(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, other = world.findings.held, HeldRows(world.clock)
    killer = Crash(1, after=True)  # the place is put, the entry is not
    killer.watch(held, "_put")
    with pytest.raises(Killed):
        held.hold(entry(1))
    world.clock.advance(5)
    other.hold(entry(1))
    held.hold(entry(1))
    assert only(world).source_key == "raw/1"


@at_the_bound("MAX_HELD_READ", as_if=3)
def test_a_page_looks_at_so_many_entries(size: int, fits: bool, world: LoadWorld) -> None:
    for number in range(size):
        world.findings.held.hold(entry(number, state="held", account_id="rival"))
    found, token = world.findings.held.page(1, "", ["acme"])
    assert (found, bool(token)) == ([], not fits)


def loaded(api: ModuleType, account_id: str, text: bytes, kind: str = "agency/campaign_performance") -> HeldObject:
    """A dropped file of an account, through the API's own app; its entry."""
    app = api.app
    profile: dict[str, Any] = {
        "account_id": account_id,
        "platform": "agency",
        "profile_id": "",
        "dataset": kind.partition("/")[2],
    }
    key = f"drops/{account_id}/{kind}/a.csv"
    app.raw.put(key, text)
    app.raw.put("quarantine/t.0.jsonl.gz", text)
    found = HeldObject(
        source_key=key, task_id="t", keys=("quarantine/t.0.jsonl.gz",), rows=2, reasons={"id": 2}, **profile
    )
    app.findings.held.hold(found)
    return found


LINES = b"".join(b'{"line":%d,"page":0,"row":"7,x","errors":[{"field":"id","rule":"id","message":"7,x is none"}],'
                 b'"entity_id":"","day":""}\n' % number for number in (2, 4))  # fmt: skip


def packed(lines: bytes) -> bytes:
    import gzip

    return gzip.compress(lines)


def test_the_quarantine_is_listed_inspected_and_replayed_through_the_api(
    call: Call, api: ModuleType, account_id: str
) -> None:
    found = loaded(api, account_id, packed(LINES))
    (listed,) = call("GET", "/api/v1/quarantine")["objects"]
    assert (listed["id"], listed["rows"], listed["state"]) == (found.name, 2, "held")
    assert call("GET", "/api/v1/quarantine", state="cleared")["objects"] == []
    seen = call("GET", f"/api/v1/quarantine/{found.name}")
    assert [(row["line"], row["row"], row["errors"][0]["rule"]) for row in seen["refused"]] == [
        (2, "7,x", "id"), (4, "7,x", "id"),
    ]  # fmt: skip
    done = call("POST", f"/api/v1/quarantine/{found.name}/replay", {})
    assert (done["id"], done["by"]) == (found.name, "k1")
    assert call("GET", f"/api/v1/quarantine/{found.name}")["state"] == "replaying"
    deeds = call("GET", "/api/v1/audit")["deeds"]
    assert [deed["subject"] for deed in deeds if deed["action"] == "replay quarantine"] == [found.name]
    call("GET", "/api/v1/quarantine/qrn_unknown", expect=404)
    call("POST", "/api/v1/quarantine/qrn_unknown/replay", {}, expect=404)


def test_of_personal_data_only_the_faults_are_shown(call: Call, api: ModuleType, account_id: str) -> None:
    found = loaded(api, account_id, packed(LINES), "shop/orders")
    first = ({"line": 2, "field": "id", "rule": "id"},)
    api.app.findings.held.hold(HeldObject(**{**_fields(found), "personal": True, "load": 1, "first": first}))
    shown = call("GET", f"/api/v1/quarantine/{found.name}")["refused"][0]
    assert (shown["row"], shown["errors"]) == (None, [{"field": "id", "rule": "id"}])


def _fields(found: HeldObject) -> dict[str, Any]:
    return {name: getattr(found, name) for name in HeldObject.__dataclass_fields__}


@at_the_bound("MAX_HELD_SHOWN", as_if=1)
def test_an_answer_shows_so_many_rows(size: int, fits: bool, call: Call, api: ModuleType, account_id: str) -> None:
    found = loaded(api, account_id, packed(LINES[: len(LINES) // 2] * size))
    seen = call("GET", f"/api/v1/quarantine/{found.name}")
    assert (len(seen["refused"]), seen["more"]) == (1, not fits)


def test_pages_go_from_objects_to_messages(call: Call, api: ModuleType, account_id: str, clock: FrozenClock) -> None:
    from adweir.store.raw.refused import RefusedMessage, RefusedMessages

    loaded(api, account_id, packed(LINES))
    for name in "ab":
        RefusedMessages(api.app.raw).put(RefusedMessage("adweir-runs", name, "{}", "why", "2026-11-20T00:00:00Z"))
    found, token = [], ""
    for _ in range(5):
        page = call("GET", "/api/v1/quarantine", limit="1", next_token=token)
        found += [each["id"] for each in page["objects"] + page["messages"]]
        token = page["next_token"] or ""
        if not token:
            break
    assert [name[:4] for name in found] == ["qrn_", "adwe", "adwe"]


def test_dropped_again_later_a_file_is_another_object(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    head = world.raw.head
    use(world)
    world.arrive(KEY, FILE)
    later = world.clock.now() + timedelta(hours=1)
    monkeypatch.setattr(world.raw, "head", lambda *key: head(*key)._replace(last_modified=later))
    world.arrive(KEY, FILE.replace(b"k.A.", b"nothing"))
    assert len(world.findings.held.page(9)[0]) == 2
