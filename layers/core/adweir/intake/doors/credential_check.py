"""Tries a credential out before it is stored: one listing of the ad accounts that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Owner, Profile
from adweir.model.errors import AccessDenied, AdweirError, AuthExpired, Unprocessable
from adweir.model.log import log
from adweir.model.slices import ALL
from adweir.model.times import Clock, iso
from adweir.platforms import Platforms
from adweir.platforms.connector import Connector, PageInHand, PullContext

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

Connect = Callable[[Credential, Mapping[str, str]], Connector]


class Seen(NamedTuple):
    """An ad account that a credential lists, and whose it is."""

    profile_id: str
    name: str
    owner: Owner


class Check(NamedTuple):
    """What the platform said. `unchecked` says why it could not be asked, "" where it was.

    `more`: the listing was longer than what somebody waits for.
    """

    seen: list[Seen]
    more: bool = False
    unchecked: str = ""


class CredentialCheck:
    """Asks a platform what a credential reaches. Nothing is stored; the next sync stores the ad accounts."""

    def __init__(self, platforms: Platforms, catalog: Catalog, clock: Clock, connect: Connect) -> None:
        self._platforms = platforms
        self._catalog = catalog
        self._clock = clock
        self._connect = connect

    def check(self, credential: Credential, values: Mapping[str, str]) -> Check:
        """List the ad accounts with these values. Raises Unprocessable when the platform refuses the credential.

        A platform that does not answer, or asks to wait, says nothing about the credential: the check says so.
        """
        from adweir.platforms.guarded import ConnectorFault  # noqa: PLC0415  most requests connect to no platform
        from adweir.platforms.session import request_seconds  # noqa: PLC0415

        within = request_seconds.set(limits.MAX_CHECK_SECONDS / 2)
        try:
            listed, more = self._listed(credential, self._connect(credential, values))
        except (AuthExpired, AccessDenied) as error:
            message = f"the platform refuses the credential, nothing was stored: {error.message}"
            raise Unprocessable(message, [{"field": "credential", "message": error.message}]) from None
        except AdweirError as error:
            return Check([], unchecked=error.message[: limits.MAX_REASON_CHARS])
        except ConnectorFault:
            log.exception("the check of a credential failed")
            return Check([], unchecked="a fault of ours in the connector; the API's log has it")
        finally:
            request_seconds.reset(within)
        owners = self._catalog.owners(listed)
        seen = [Seen(profile.profile_id, profile.name, owner) for profile, owner in zip(listed, owners, strict=True)]
        return Check(seen, more)

    def _listed(self, credential: Credential, connector: Connector) -> tuple[list[Profile], bool]:
        """The ad accounts of the first pages, and whether there are more. Raises what the connector raises."""
        begun = self._clock.monotonic()
        normalizer = self._platforms.normalizer(credential.platform)
        context = PullContext(
            account_id=credential.account_id,
            profile_id="",
            dataset=Dataset.PROFILES,
            slice=ALL,
            window=None,
            as_of=iso(self._clock.now()),
            currency="",
            timezone="",
            route=connector.route,
            spec=self._catalog.spec_text,
        )
        found: dict[str, Profile] = {}
        for number, page in enumerate(connector.profiles()):
            for batch in normalizer.object_batches(PageInHand.of(page, number), context):
                named = [each for each in batch.objects if isinstance(each, Profile)]
                found |= {each.profile_id: each.model_copy(update={"credential": credential.label}) for each in named}
            late = self._clock.monotonic() - begun > limits.MAX_CHECK_SECONDS
            if not page.last and (late or len(found) >= limits.MAX_CHECKED_PROFILES):
                return list(found.values())[: limits.MAX_CHECKED_PROFILES], True
        profiles = list(found.values())
        return profiles[: limits.MAX_CHECKED_PROFILES], len(profiles) > limits.MAX_CHECKED_PROFILES
