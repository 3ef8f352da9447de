"""`adweir export`: a folder that has what `curated/` has, brought up to date, and read by DuckDB as it stands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import boto3
import duckdb
import jinja2
import pytest
import yaml

from adweir.model.errors import Unavailable
from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings
from adweir.store.raw.store import RawStore
from ops.export.folder import MANIFEST
from support.athena import TABLES, parquet
from support.command_line import Run, commands_on
from support.empty_aws import make_bucket
from support.template import ROOT

DAY = date(2026, 11, 1)
ACCOUNT = ("meta_ads", "account", "day")


class Curated(RawStore):
    """The bucket, with the keys that were read from it."""

    def __init__(self, bucket: str) -> None:
        super().__init__(boto3.client("s3"), bucket)
        self.read: list[str] = []
        self.before: Callable[[str], None] = lambda _key: None

    def store(self, table: str, folders: tuple[str, ...], whose: str, **row: Any) -> str:
        key = TABLES[table].key(folders, whose)
        self.put(key, parquet(TABLES[table], [row]))
        return key

    def open_stream(self, key: str, version_id: str = "", begin: int = 0) -> BinaryIO:
        self.before(key)
        self.read.append(key)
        return super().open_stream(key, version_id, begin)


@pytest.fixture
def bucket(aws: None, settings: Settings) -> Curated:
    make_bucket(settings.bucket)
    found = Curated(settings.bucket)
    for month, spend in (("2026-10", 1), ("2026-11", 2)):
        found.store("metrics", (*ACCOUNT, month), "act_1", date=DAY, account_id="act_1", spend=Decimal(spend))
    found.store("metrics", ("google_ads", "account", "day", "2026-11"), "111", date=DAY, spend=Decimal("0.000001"))
    found.store("entities", ("meta_ads", "campaigns"), "act_1", id="c1", name="It's ours")
    found.store("ad_reporting__account_report", ("meta_ads", "2026-11"), "act_1", platform="facebook_ads")
    found.put("curated/state/meta_ads/act_1.json", b"{}")
    return found


@pytest.fixture
def export(bucket: Curated, monkeypatch: pytest.MonkeyPatch) -> Run:
    app = SimpleNamespace(raw=bucket, platforms=REGISTRY)
    return commands_on(SimpleNamespace(app=lambda: app), monkeypatch, "export")


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))


def test_all_tables_are_copied_and_duckdb_reads_them_by_the_views_beside_them(
    export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "export"

    done = export(str(folder))

    assert "5 files copied" in done.stdout
    assert not list(folder.rglob("*state*"))
    monkeypatch.chdir(folder)
    with duckdb.connect() as connection:
        connection.execute((folder / "views.sql").read_text())
        by_platform = (
            "SELECT platform, month, SUM(spend) FROM metrics WHERE level = 'account' GROUP BY 1, 2 ORDER BY 1, 2"
        )
        assert connection.execute(by_platform).fetchall() == [
            ("google_ads", "2026-11", Decimal("0.000001")),
            ("meta_ads", "2026-10", Decimal(1)),
            ("meta_ads", "2026-11", Decimal(2)),
        ]
        assert connection.execute("SELECT name, dataset FROM entities").fetchall() == [("It's ours", "campaigns")]
        assert connection.execute("SELECT platform FROM ad_reporting__account_report").fetchall() == [("facebook_ads",)]
        for name, table in TABLES.items():  # those without a file, too
            assert connection.view(name).columns == [*table.columns, *(key.name for key in table.keys)]


def test_a_second_export_reads_only_what_changed(export: Run, bucket: Curated, tmp_path: Path) -> None:
    export(str(tmp_path / "export"))
    changed = bucket.store("metrics", (*ACCOUNT, "2026-11"), "act_1", date=DAY, spend=Decimal(3))
    bucket.read.clear()

    done = export(str(tmp_path / "export"))

    assert bucket.read == [changed]
    assert done.stdout.startswith("1 files copied")
    assert "4 as they were" in done.stdout


def test_a_file_that_was_lost_or_cut_is_copied_again(export: Run, bucket: Curated, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    export(str(folder))
    lost, cut, *_ = (folder / name for name in files(folder))
    lost.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    bucket.read.clear()

    export(str(folder))

    assert len(bucket.read) == 2
    assert len(duckdb.read_parquet(str(cut)).fetchall()) == 1


def test_an_export_that_broke_off_goes_on_and_leaves_no_half_file(export: Run, bucket: Curated, tmp_path: Path) -> None:
    folder, google = tmp_path / "export", "google_ads"

    def breaks(key: str) -> None:
        if google in key:
            raise Unavailable("the network is gone")

    bucket.before = breaks
    assert "the network is gone" in export(str(folder), expect=1).stderr
    assert google not in "".join(files(folder))
    read = len(bucket.read)
    bucket.before = lambda _key: None

    export(str(folder))

    assert len(files(folder)) == 5
    assert len(bucket.read) == 5
    assert read == 4


def test_only_the_months_platforms_and_tables_that_are_named_are_copied(export: Run, tmp_path: Path) -> None:
    chosen = ("--platform", "meta", "--months", "2026-11..", "--table", "metrics", "--table", "entities")

    export(str(tmp_path / "export"), *chosen)

    assert files(tmp_path / "export") == [
        "entities/platform=meta_ads/dataset=campaigns/act_1.parquet",
        "metrics/platform=meta_ads/level=account/grain=day/month=2026-11/act_1.parquet",
    ]


def test_what_the_bucket_no_longer_has_is_removed_only_when_that_is_asked_for(
    export: Run, bucket: Curated, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    export(str(folder))
    bucket.delete(
        [
            TABLES["metrics"].key((*ACCOUNT, "2026-10"), "act_1"),
            TABLES["entities"].key(("meta_ads", "campaigns"), "act_1"),
        ]
    )
    (folder / "notes.txt").write_text("mine")

    assert "2 files are no longer in the bucket" in export(str(folder)).stderr
    assert len(files(folder)) == 5
    assert "1 removed" in export(str(folder), "--prune", "--table", "metrics").stdout
    assert len(files(folder)) == 4
    assert "1 removed" in export(str(folder), "--prune").stdout
    assert not (folder / "entities").exists()
    assert (folder / "notes.txt").exists()


def test_a_folder_of_others_and_one_of_another_bucket_are_left_alone(export: Run, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    (mine / "photo.jpg").touch()
    assert "has files of others" in export(str(mine), expect=1).stderr

    export(str(theirs))
    manifest = json.loads((theirs / MANIFEST).read_text())
    (theirs / MANIFEST).write_text(json.dumps(manifest | {"bucket": "another"}))
    assert "of the bucket another" in export(str(theirs), expect=1).stderr
    (theirs / MANIFEST).write_text("{")
    assert "cannot be read" in export(str(theirs), expect=1).stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--table", "metrcs"), "there is no table 'metrcs'. Tables: metrics, coverage"),
        (("--months", "2026-13"), "'2026-13' is not a month such as 2026-11"),
    ],
)
def test_what_is_not_known_is_refused(export: Run, tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    assert said in export(str(tmp_path / "export"), *given, expect=1).stderr
    assert not (tmp_path / "export").exists()


def test_a_disk_without_room_is_said_to_be_before_anything_is_copied(
    export: Run, bucket: Curated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=0))

    assert "has no room for" in export(str(tmp_path / "export"), expect=1).stderr
    assert bucket.read == []


def test_a_deployment_of_which_nothing_is_stored_yet_says_when_it_will_be(
    export: Run, bucket: Curated, tmp_path: Path
) -> None:
    bucket.delete([each.key for each in bucket.list("curated/")])

    assert "at the end of each daily run" in export(str(tmp_path / "export")).stderr


def test_the_notebook_of_the_examples_reads_an_export_and_is_stored_without_outputs(
    export: Run, bucket: Curated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an export with campaigns that leave a rest
    campaigns = ("meta_ads", "campaign", "day", "2026-11")
    bucket.store("metrics", campaigns, "act_1", date=DAY, spend=Decimal("0.5"), unattributed=True)
    export(str(tmp_path / "export"))
    monkeypatch.chdir(tmp_path / "export")
    notebook = json.loads((ROOT / "examples" / "spend_by_month.ipynb").read_text())
    cells = [each for each in notebook["cells"] if each["cell_type"] == "code"]

    # when its cells run one after another
    names: dict[str, Any] = {}
    for cell in cells:
        exec("".join(cell["source"]), names)  # noqa: S102 - the cells are ours

    # then they have the export's numbers, and none of another run was stored
    assert [row[:4] for row in names["by_month"].fetchall()] == [
        ("2026-10", "meta_ads", None, Decimal(1)),
        ("2026-11", "google_ads", None, Decimal("0.000001")),
        ("2026-11", "meta_ads", None, Decimal(2)),
    ]
    assert names["explained"].fetchall() == [("meta_ads", None, Decimal("0.5"), Decimal("0.5"))]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)
    names["connection"].close()


def test_the_dbt_models_of_the_examples_read_an_export_and_their_tests_find_nothing(
    export: Run, bucket: Curated, tmp_path: Path
) -> None:
    # given an export with a campaign that leaves a rest
    known = {"date": DAY, "account_id": "act_1", "currency": "EUR", "clicks": 4}
    bucket.store("metrics", (*ACCOUNT, "2026-11"), "act_1", **known, spend=Decimal(2))
    bucket.store("metrics", ("meta_ads", "campaign", "day", "2026-11"), "act_1", **known, spend=Decimal(2))
    export(str(tmp_path / "export"), "--platform", "meta", "--months", "2026-11..")
    project = ROOT / "examples" / "dbt"
    named = yaml.safe_load((project / "models" / "sources.yml").read_text())
    jinja = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - SQL
    jinja.globals = {"env_var": lambda _name: str(tmp_path / "export"), "ref": lambda name: name}
    (source,) = named["sources"][0]["tables"]
    place = jinja.from_string(source["config"]["external_location"]).render()
    jinja.globals["source"] = lambda _name, _table: place

    # when the models are made in DuckDB, each after those that it names
    with duckdb.connect() as connection:
        for name in ("account_days", "account_months", "campaign_months"):
            made = jinja.from_string((project / "models" / f"{name}.sql").read_text()).render()
            connection.execute(f"CREATE VIEW {name} AS {made}")

        # then they have the export's numbers, and the tests find no row
        assert connection.execute("SELECT spend, cost_per_click FROM account_months").fetchall() == [(Decimal(2), 0.5)]
        assert connection.execute("SELECT campaign_id, spend FROM campaign_months").fetchall() == [(None, Decimal(2))]
        compared = (project / "tests" / "campaigns_add_up_to_accounts.sql").read_text()
        assert connection.execute(jinja.from_string(compared).render()).fetchall() == []
        for model in named["models"]:
            for column in model["columns"]:
                lacks = f"SELECT 1 FROM {model['name']} WHERE {column['name']} IS NULL"  # noqa: S608 - names are ours
                assert connection.execute(lacks).fetchall() == []
    assert {model["name"] for model in named["models"]} == {path.stem for path in (project / "models").glob("*.sql")}
