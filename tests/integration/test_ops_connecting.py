"""`adweir connect`: a credential is stored as the API stores one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from adweir.runtime.settings import Settings
from support.applied import AppliedWorld
from support.clock import FrozenClock
from support.command_line import commands_on


def test_a_credential_is_stored_with_the_key_and_the_hosts_of_the_function_api(
    tables: None, settings: Settings, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a deployment of which only what the API has is to be had
    world = AppliedWorld(settings, clock)
    adweir = commands_on(SimpleNamespace(app_of_api=world.app), monkeypatch)
    world.made.catalog.create_account("acc_1", "Acme", "a@acme.example")
    monkeypatch.setenv("META_ADS_ACCESS_TOKEN", "EAAB-the-token")

    adweir("connect", "meta", "--no-input")

    assert world.secrets.stored == {"adweir/credential/acc_1/meta_ads/default": {"access_token": "EAAB-the-token"}}
