"""`adweir drop`: files that would be rejected are refused before they are stored, and the result is reported."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

from adweir.model.data_types import DATA_TYPES
from adweir.runtime.settings import Settings
from ops import cli, dropping
from ops.commands import put_drop
from ops.errors import CommandFailed
from ops.target import Deployment
from support.clock import FrozenClock
from support.deployment import deployed
from support.load_world import LoadWorld

HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend\n"
GOOD = HEADER + "meta,1,campaign,2026-11-18,7,10,1,1.50\n"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    made = LoadWorld(clock, "adweir-data")
    boto3.client("s3").put_bucket_versioning(Bucket=made.bucket, VersioningConfiguration={"Status": "Enabled"})
    return made


@pytest.fixture
def deployment(world: LoadWorld, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """Commands work on moto's AWS, and every stored object is loaded at once."""
    made = deployed(settings, RunsQueueUrl="https://sqs.example/runs")
    stored = put_drop

    def put_and_load(target: Deployment, key: str, content: Path) -> str:
        receipt = stored(target, key, content)
        world.arrive(key)
        return receipt

    monkeypatch.setattr("ops.target.open_target", lambda _where: made)
    monkeypatch.setattr(dropping, "put_drop", put_and_load)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "offline.csv"
    path.write_text(GOOD)
    return path


MANY = "impressions must be a whole number, 0 or more"


def drop(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["drop", *map(str, arguments)], prog_name="adweir")


def objects(world: LoadWorld) -> list[str]:
    return [info.key for info in world.raw.list("drops/")]


def test_given_an_account_when_a_file_is_dropped_then_it_is_loaded_and_its_rows_are_counted(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # given
    file.write_text(GOOD + "meta,1,campaign,2026-11-18,8,many,1,1.50\n")

    # when
    result = drop(file, "--account", "acme")

    # then
    assert result.exit_code == 0
    first, *told = result.stdout.splitlines()
    assert first == "stored drops/acme/offline.csv"
    assert told[:-1] == ["loaded: 1 row stored, 2 read", "  refused: 1", f"    line 3: {MANY}"]
    assert told[-1].startswith("  see: adweir raw quarantine/")
    assert [row[3][3] for row in world.stored()] == [1_500_000]


@pytest.mark.parametrize(
    ("arguments", "stored"),
    [
        (("--as", "adweir/metrics"), "acme/offline.csv"),
        (("--account", "acme"), "acme/offline.csv"),
        ((), "acme/offline.csv"),
    ],
)
def test_given_one_client_when_a_file_is_dropped_then_nobody_has_to_write_a_key(
    world: LoadWorld, deployment: Deployment, file: Path, arguments: tuple[str, ...], stored: str
) -> None:
    # when
    result = drop(file, *arguments)

    # then
    assert result.exit_code == 0
    assert objects(world) == [f"drops/{stored}"]


def test_given_several_clients_when_a_file_is_dropped_for_nobody_then_they_are_named(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # given
    world.catalog.create_account("other", "Other", "o@other.example")

    # when
    result = drop(file)

    # then
    assert result.exit_code == 1
    says = "which client account? Add --account ID: acme (Acme), other (Other)"
    assert result.stderr == f"adweir: {says}\n"
    assert objects(world) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--account", "nobody"), "there is no client account nobody; known: acme (Acme)"),
        (("--as", "kpi"), "--as takes a source and a data type, such as shopify/orders: 'kpi' is not both"),
        (("--as", "ga4/kpi"), "no files of ga4/kpi are read; data types: " + ", ".join(sorted(DATA_TYPES))),
    ],
)  # fmt: skip
def test_given_what_would_be_rejected_when_it_is_dropped_then_nothing_is_stored_and_one_line_says_how(
    world: LoadWorld, deployment: Deployment, file: Path, arguments: tuple[str, ...], says: str
) -> None:
    # when
    result = drop(file, *arguments)

    # then
    assert result.exit_code == 1
    assert result.stderr == f"adweir: {says}\n"
    assert objects(world) == []


def test_given_a_name_that_would_be_rejected_when_it_is_dropped_then_nothing_is_stored(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # when
    result = drop(file.rename(file.with_suffix(".md")))

    # then
    assert result.exit_code == 1
    assert result.stderr == (
        "adweir: no format is known by the end of this name; .csv, .json, .parquet are: offline.md\n"
    )
    assert objects(world) == []


def test_given_a_file_that_cannot_be_read_when_it_is_dropped_then_the_reason_is_the_answer(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # given
    file.write_text("nonsense\n")

    # when
    result = drop(file, "--account", "acme")

    # then
    assert result.exit_code == 1
    assert result.stderr.startswith("adweir: the file was rejected: ")
    assert "adweir map" in result.stderr


def test_given_the_same_bytes_twice_when_dropped_then_the_second_says_that_nothing_changed(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # given
    first = file.with_name("first.csv")
    first.write_bytes(file.read_bytes())
    drop(first)

    # when
    result = drop(file)

    # then
    assert result.exit_code == 0
    assert "nothing changed: these bytes were loaded before (drops/acme/first.csv " in result.stdout


def test_given_no_wish_to_wait_when_a_file_is_dropped_then_it_says_where_the_receipt_will_be(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # when
    result = drop(file, "--account", "acme", "--wait", "0")

    # then
    assert result.exit_code == 0
    key = result.stdout.splitlines()[1].removeprefix("its receipt will be ")
    assert [info.key for info in world.raw.list("receipts/")] == [key]


def test_given_no_receipt_in_time_when_it_is_waited_for_then_the_command_fails_and_names_it(
    world: LoadWorld, deployment: Deployment
) -> None:
    # when
    with pytest.raises(CommandFailed, match=r"no receipts/drops/acme/slow.csv.1.json after 0 s: adweir receipts"):
        list(dropping.outcome(deployment, "drops/acme/slow.csv.1", 0))


def test_given_a_file_without_a_good_line_when_it_is_dropped_then_the_command_fails_and_says_why(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # given
    file.write_text(HEADER + "meta,1,campaign,2026-11-18,8,many,1,1.50\n" * 3)

    # when
    result = drop(file, "--account", "acme")

    # then
    assert result.exit_code == 1
    assert result.stderr == "adweir: no row was stored\n"
    assert f"    line 2: {MANY}" in result.stdout.splitlines()


def test_given_refused_lines_when_their_object_is_asked_for_then_they_are_shown_with_their_reasons(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # given
    file.write_text(GOOD + "meta,1,campaign,2026-11-18,8,many,1,1.50\n")
    key = drop(file, "--account", "acme").stdout.splitlines()[-1].removeprefix("  see: adweir raw ")

    # when
    result = CliRunner().invoke(cli.app, ["raw", key], prog_name="adweir")

    # then
    assert result.exit_code == 0
    (line,) = map(json.loads, result.stdout.splitlines())
    assert (line["line"], line["errors"][0]["field"]) == (3, "impressions")


def test_given_reference_data_when_a_file_of_it_is_dropped_then_it_is_loaded(
    world: LoadWorld, deployment: Deployment, file: Path
) -> None:
    # given
    file.write_text("date,base,quote,rate\n2026-11-18,EUR,USD,1.08\n")

    # when
    result = drop(file, "--account", "acme", "--as", "finance/rates")

    # then
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == ["loaded: 1 row stored, 1 read"]


@pytest.mark.parametrize(("line", "code"), [(GOOD, 0), (HEADER + "meta,1,campaign,2026-11-18,8,many,1,1.50\n", 1)])
def test_given_a_program_when_a_file_is_dropped_then_it_gets_the_receipt(
    world: LoadWorld, deployment: Deployment, file: Path, line: str, code: int
) -> None:
    # given
    file.write_text(line)

    # when
    result = drop(file, "--json")

    # then
    assert result.exit_code == code
    receipt = json.loads(result.stdout)
    assert receipt["key"] == "drops/acme/offline.csv"
    assert (receipt["rows_stored"], receipt["rows_quarantined"]) == (1 - code, code)
