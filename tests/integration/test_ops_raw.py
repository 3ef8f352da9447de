"""`adweir raw`: what a platform answered, readable without knowing how it is stored."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from adweir.platforms.connector import Page
from adweir.runtime.settings import Settings
from adweir.store.raw.header import PullHeader
from ops import cli
from ops.target import Deployment
from support.clock import FrozenClock
from support.load_world import DAY, LoadWorld

KEY_OF_NOTHING = "raw/meta_ads/1/ad_daily/none.0.gz"


@pytest.fixture
def world(tables: None, clock: FrozenClock, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> LoadWorld:
    made = LoadWorld(clock, settings.bucket)
    deployment = Deployment({})
    monkeypatch.setattr(Deployment, "app", lambda _: SimpleNamespace(raw=made.raw))
    monkeypatch.setattr("ops.target.open_target", lambda _where: deployment)
    return made


def test_each_page_is_printed_as_the_platform_sent_it(world: LoadWorld) -> None:
    task = world.plan(window=DAY)
    with world.raw.writer(PullHeader.of(task, as_of="2026-11-20T00:00:00.000000Z")) as writer:
        writer.write(Page(b'{"data":[1]}', "https://graph.example/a?access_token=t", 200, last=False))
        writer.write(Page(iter([b'{"data":', b"[2]}"]), "https://graph.example/b", 200, last=True))
        key = writer.commit(complete=True)

    result = CliRunner().invoke(cli.app, ["raw", key])

    assert result.stdout == '{"data":[1]}\n{"data":[2]}\n'
    assert result.stderr == "page 1: 200 https://graph.example/a\npage 2: 200 https://graph.example/b\n"


@pytest.mark.parametrize(
    ("key", "said"),
    [("drops/acme/x.csv", "is not a raw object"), (KEY_OF_NOTHING, f"the bucket has no object {KEY_OF_NOTHING}")],
)
def test_a_key_that_names_no_raw_object_is_said_to(world: LoadWorld, key: str, said: str) -> None:
    result = CliRunner().invoke(cli.app, ["raw", key])
    assert result.exit_code == 1
    assert said in result.stderr
