"""Profiles that no platform lists: the client's own, and ad accounts of platforms that files alone tell of."""

from __future__ import annotations

from adweir.model.entities import WITH_ADS, Account, Profile, own_profile_id
from adweir.model.errors import Conflict
from adweir.model.platforms import Platform
from adweir.model.terms import Terms, terms_among
from adweir.store.catalog.accounts import Accounts
from adweir.store.catalog.profiles import Profiles

_TRIES = 5


class OwnProfiles(Accounts, Profiles):
    """Profiles without a credential: made when they are first needed."""

    def terms(self, account: Account) -> Terms:
        """The currency and time zone of a client's own figures."""
        if account.currency and account.timezone:
            return Terms(account.currency, account.timezone)
        return terms_among(account, self.profiles(account.account_id))

    def unlisted_profile(
        self, account: Account, platform: Platform, profile_id: str, terms: Terms, *, has_ads: bool = False
    ) -> Profile | None:
        """A profile of the account that no platform lists, made unless it is there; None where it is another client's.

        The account's own (`own_profile_id`) has the account's currency and time zone, whatever they were before.
        `has_ads`: it gets ads, so that whoever asks for ads has to read it from now on.
        """
        for _ in range(_TRIES):
            item = self._stored_profile(platform, profile_id)
            stored = self._entity(Profile, item) if item is not None else None
            fresh = _fresh(account, (platform, profile_id), terms, stored, has_ads=has_ads)
            if fresh is None or fresh == stored or self._replace(item, fresh):
                return fresh
        raise Conflict(f"profile {platform}#{profile_id} keeps changing")

    def unlisted_profile_to_be(
        self, account: Account, platform: Platform, profile_id: str, terms: Terms, *, has_ads: bool = False
    ) -> Profile | None:
        """What `unlisted_profile` would give; nothing is stored."""
        item = self._stored_profile(platform, profile_id)
        stored = self._entity(Profile, item) if item is not None else None
        return _fresh(account, (platform, profile_id), terms, stored, has_ads=has_ads)


def _fresh(
    account: Account, key: tuple[Platform, str], terms: Terms, stored: Profile | None, *, has_ads: bool
) -> Profile | None:
    """The profile as it is to be stored; None where it is another client's."""
    platform, profile_id = key
    is_own = profile_id == own_profile_id(account.account_id)
    kind = {"kind": WITH_ADS} if has_ads and is_own else {}
    if stored is None:
        return Profile(
            account_id=account.account_id,
            platform=platform,
            profile_id=profile_id,
            name=account.company_name if is_own else profile_id,
            currency=terms.currency,
            timezone=terms.timezone,
            credential="",
            **kind,
        )
    if stored.account_id != account.account_id:
        return None
    return stored.model_copy(update=terms._asdict() | kind) if is_own else stored
