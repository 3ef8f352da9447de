"""Keeps `curated/` what is stored: finds the months of a client's ad accounts that changed, and makes these anew.

What a month was made of is known without reading it: the newest load of each of its partitions, its scores, what its ad
account says of itself, and the names of the objects in it. So a run costs some twenty requests per ad account, and what
has changed since the run before. It may stop anywhere: what it had in hand is made again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from adweir.insight.curated import entities
from adweir.insight.curated.account import AccountCurator
from adweir.insight.curated.entities import parquet_of
from adweir.insight.curated.layout import ENTITIES, OTHER, STATE, tables
from adweir.insight.curated.months import CuratedAccount, forget
from adweir.insight.curated.parts import CuratingTime, CuratorParts, by_turns
from adweir.insight.curated.state import OPEN, AccountState, MonthPart, state_key
from adweir.insight.parquet import engine
from adweir.model.campaigns import OWN, alone_profile
from adweir.model.entities import Account, Profile
from adweir.model.errors import TooLarge, UnreadableItem
from adweir.model.platforms import Platform
from adweir.model.times import is_zone

_Asked = tuple[Profile, Collection[MonthPart]]
"""An ad account, and its late months where these are meant."""


@dataclass(slots=True)
class _Done:
    """What an invocation has done: months that were looked at anew, objects that changed."""

    months: int = 0
    objects: int = 0
    not_made: list[TooLarge | UnreadableItem] = field(default_factory=list)


class Curator:
    """Makes and stores the tables of clients."""

    def __init__(self, parts: CuratorParts) -> None:
        self._parts = parts
        self._platforms = tuple(sorted(parts.platforms))
        self._tables = tables(self._platforms)

    def curate(self, account_id: str, remaining: Callable[[], float], margin: float) -> dict[str, int]:
        """Have the tables of a client be what is stored: counts of `months` that were looked at anew, of `objects` that
        changed, and of ad accounts that are `left_out` since their time zone is unknown.

        Raises NotReady when less than `margin` seconds are left (the same call goes on), NotFound for a client that is
        gone, TooLarge when an ad account is, UnreadableItem where the state of one cannot be read (both after all
        others), Unavailable.
        """
        catalog, time = self._parts.catalog, CuratingTime(remaining, margin)
        account = catalog.account(account_id)
        states = list(self._parts.objects.states(STATE))  # before the ad accounts: one that comes now is none too many
        every = catalog.profiles()
        alone = alone_profile(account.account_id, catalog.terms(account))
        mine = sorted((each for each in every if each.account_id == account.account_id), key=lambda each: each.key)
        done = _Done()
        late = self._make([(each, ()) for each in (*mine, alone) if is_zone(each.timezone)], account, time, done)
        # A month that is late may take all the time: no other one waits for it, of whichever ad account.
        self._make(by_turns(late, self._parts.queries.now.date()), account, time, done)
        done.objects += self._campaigns(account)
        done.objects += self._forget({state_key(each.platform, each.profile_id) for each in every}, states)
        if done.not_made:
            raise done.not_made[0]
        left_out = sum(not is_zone(each.timezone) for each in mine)
        return {"months": done.months, "objects": done.objects, "left_out": left_out}

    def _make(self, asked: Sequence[_Asked], account: Account, time: CuratingTime, done: _Done) -> list[_Asked]:
        """Make the tables of ad accounts, and count what is done: those whose late months were left out, with these."""
        left = list[_Asked]()
        for profile, late in asked:
            made = AccountCurator(self._parts, self._tables, self._of(profile, account.company_name), time)
            try:
                with tempfile.TemporaryDirectory() as folder:
                    made.curate(Path(folder), late)
            except (TooLarge, UnreadableItem) as error:  # the other ad accounts have their tables all the same
                done.not_made.append(error)
            if made.left and not late:
                left.append((profile, made.left))
            done.months, done.objects = done.months + made.months, done.objects + made.changed
        return left

    def _of(self, profile: Profile, client_name: str) -> CuratedAccount:
        return CuratedAccount(
            profile,
            client_name,
            self._platforms,
            self._parts.reported(profile.platform),
            is_listed=profile.platform != OWN,
        )

    def _campaigns(self, account: Account) -> int:
        """The client's cross-platform campaigns."""
        table, objects, changed = self._tables["entities"], self._parts.objects, 0
        rows = entities.campaign_rows(self._parts.catalog.campaigns_of(account.account_id))
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            with engine(place) as connection:
                for dataset, found in rows.items():
                    file, key = place / f"{dataset}.csv", table.key((OTHER, dataset), account.account_id)
                    entities.staged(found, account.company_name, table.columns, file)
                    changed += objects.keep(key, parquet_of(connection, table, file) if found else None).is_new
        return changed

    def _forget(self, known: Collection[str], states: Collection[str]) -> int:
        """Delete what is there of ad accounts that are in no catalog any more."""
        changed, objects = 0, self._parts.objects
        for key in states:
            platform, _, name = key.removeprefix(STATE).partition("/")
            if key in known or platform == OWN:
                continue
            ids = {"platform": Platform(platform), "profile_id": unquote(name)}
            account = self._of(Profile(**ids, account_id="", name="", currency="", timezone="UTC"), "")
            document, tag = objects.state(key)
            state = AccountState.of(document)
            for part in state.parts:
                state.open(part)
            state.entities = dict.fromkeys(ENTITIES, OPEN)
            if not objects.swap_state(key, state.document, tag):  # else one that comes back would seem to be made
                continue
            for part, made in state.parts.items():
                changed += forget(account, objects, self._tables, MonthPart.named(part), made.levels)
            table = self._tables["entities"]
            for dataset in ENTITIES:
                changed += objects.keep(table.key((account.partition, dataset), account.name), None).is_new
            objects.forget_state(key)
        return changed
