"""A crowd of clients in the sandbox's world: many small ad accounts, each with credentials and numbers of its own."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from sandbox import lifecycle
from sandbox.home import Home
from sandbox.outside import Outside
from sandbox.platforms import companies, crowd_of, population, stand_ins
from sandbox.platforms.trade_desk.population import partner_of
from sandbox.world import World

ANCHOR = date(2026, 11, 20)


def test_a_crowd_has_as_many_ad_accounts_as_were_asked_for_each_with_an_id_of_its_own() -> None:
    crowd = tuple(crowd_of(7, 12, stand_ins()))

    profiles = [profile for company in crowd for profile in company.profiles]
    crowded = [stand_in.platform for stand_in in stand_ins() if stand_in.crowded]
    assert [profile.platform for profile in profiles] == [*crowded, *crowded, *crowded[:2]]
    everyone = [profile for company in (*companies(7, awkward=True), *crowd) for profile in company.profiles]
    assert len({(profile.platform, profile.id) for profile in everyone}) == len(everyone)
    assert all(len(profile.ads()) <= 6 for profile in profiles)
    secrets = [str(body) for company in crowd for body in company.credentials.values()]
    assert len(set(secrets)) == len(secrets) == 12


def test_numbers_of_two_ad_accounts_that_are_like_the_same_client_differ() -> None:
    crowd = tuple(crowd_of(7, 15, stand_ins()))
    world = World(7, ANCHOR, crowd)
    first, third = crowd[0].profiles[0], crowd[2].profiles[0]

    spends = [
        [row["spend_micros"] for row in world.truth(one, ANCHOR - timedelta(days=7), ANCHOR, "account")]
        for one in (first, third)
    ]

    assert first.name.partition(" 0")[0] == third.name.partition(" 0")[0]
    assert spends[0] != spends[1]


def test_a_partner_of_the_trade_desk_is_found_by_an_advertiser_of_the_crowd() -> None:
    ids = [company.on("trade_desk")[0].id for company in crowd_of(7, 10, stand_ins())]

    assert len({partner_of(profile_id).id for profile_id in ids}) == 2
    assert [partner_of(profile_id).seats[0].id for profile_id in ids] == ids


def test_a_world_that_was_prepared_has_its_crowd_when_it_starts(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    lifecycle.prepare_crowd(home, 7)

    world = Outside(state_path=home.world, population=population()).world
    assert sum(len(company.profiles) for company in world.companies if "-" in company.key) == 7
