"""The webhook receiver: verifies a delivery, resolves what it says, and stores the result before it answers.

In this order: size, account and secret, signature over the raw bytes, the body's format, its ids, storage. A caller
without a valid signature gets 401, whether or not the account exists. A delivery is one object under `webhooks/`, put
once under the hash of its id: the first delivery with an id wins, and every later one is answered 200, whatever its
body says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from adweir.intake.doors.changed_objects import resolve_changes
from adweir.intake.doors.known import Acquaintances, Known, known_at
from adweir.intake.doors.push_format import read_push
from adweir.intake.doors.pushed_hours import resolve_push
from adweir.intake.doors.signatures import SIGNATURE, Signed, fault_of, verify
from adweir.intake.doors.told_leads import resolve_leads
from adweir.intake.doors.webhook_secrets import secret_name
from adweir.model import limits
from adweir.model.deliveries import (
    DELIVERIES,
    LEAD_BODIES,
    Delivery,
    LeadDelivery,
    MetricPush,
    Notification,
)
from adweir.model.errors import AdweirError, BadInput, Forbidden, NotFound, TooLarge, Unverified
from adweir.model.log import log
from adweir.model.platforms import Platform
from adweir.model.times import Clock, iso
from adweir.platforms.webhooks import Handshaking, Sent, Told

if TYPE_CHECKING:
    from adweir.platforms import Platforms
    from adweir.platforms.webhooks import Webhook
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore
    from adweir.store.secrets import SecretStore, Values

DEPLOYMENT = "deployment"
_T = TypeVar("_T")


class Receipt(NamedTuple):
    """What became of a delivery: its object's key ("" when there was nothing to store), and whether it was new.

    `unknown` counts what a platform's own delivery says about objects that are not in the catalog. `silent`: the
    platform expects an empty answer.
    """

    key: str
    stored: bool
    unknown: int = 0
    silent: bool = False


class Receiver:
    """Takes deliveries. Methods raise from the error tree; `runtime.http` maps it to answers."""

    def __init__(
        self, platforms: Platforms, catalog: Catalog, secrets: SecretStore, raw: RawStore, clock: Clock
    ) -> None:
        self._platforms = platforms
        self._catalog = catalog
        self._secrets = secrets
        self._raw = raw
        self._clock = clock
        self._known = Acquaintances(catalog, clock)

    def receive(
        self,
        platform_name: str,
        account_id: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, str] | None = None,
    ) -> Receipt:
        """Verify and store one delivery; `headers` with lower-case names, `account_id` "" for the deployment's door.

        Raises TooLarge, Unverified, BadInput, Unprocessable, Unavailable.
        """
        if len(body) > limits.MAX_BODY_BYTES:
            raise TooLarge(f"a delivery has at most {limits.MAX_BODY_BYTES} bytes")
        platform = self._platform(platform_name)
        hooks = self._platforms.webhook(platform)
        if hooks is not None and SIGNATURE not in headers and hooks.carries(headers):
            sent = Sent(headers, query or {}, body, self._clock.now().timestamp())
            return self._told(hooks, platform, account_id, sent)._replace(silent=hooks.answers_nothing)
        return self._push(platform, account_id, headers, body)

    def handshake(self, platform_name: str, account_id: str, query: Mapping[str, str]) -> str:
        """The text that confirms a platform's subscription. Raises NotFound, Forbidden, Unavailable."""
        platform = self._platform(platform_name)
        hooks = self._platforms.webhook(platform)
        if not isinstance(hooks, Handshaking):
            raise NotFound(f"{platform} has no subscription to confirm")
        try:
            return self._checked(platform, account_id, lambda versions: hooks.handshake(query, versions))
        except Unverified:
            raise Forbidden("the subscription names none of the verify tokens") from None

    def health(self) -> dict[str, Any]:
        """`{"status": "healthy"}` with the state of what deliveries depend on; "degraded" when one does not answer."""
        checks: dict[str, Callable[[], object]] = {
            "catalog": lambda: self._catalog.door(next(iter(self._platforms)), ""),
            "storage": self._raw.probe,
            "secrets": self._secrets.probe,
        }
        states = {}
        for name, check in checks.items():
            try:
                check()
                states[name] = "ok"
            except AdweirError as error:
                states[name] = error.code
        healthy = all(state == "ok" for state in states.values())
        return {
            "status": "healthy" if healthy else "degraded",
            "dependencies": states,
            "time": iso(self._clock.now()),
        }

    def _platform(self, name: str) -> Platform:
        """Raises NotFound: the path names no webhook."""
        try:
            return self._platforms.parse(name)
        except AdweirError:
            raise NotFound(f"no webhook {json.dumps(name[:40])}") from None

    def _push(self, platform: Platform, account_id: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        now = self._clock.now()

        def check(versions: Sequence[Values]) -> Signed | None:
            return verify(
                headers, body, [values["secret"] for values in versions if values.get("secret")], now.timestamp()
            )

        try:
            signed = self._checked(platform, account_id, check)
        except Unverified:
            why = fault_of(headers, now.timestamp()) or "no secret of this address fits the signature, or there is none"
            log.info("a push is refused", extra={"platform": str(platform), "account_id": account_id, "reason": why})
            raise
        key = _key(platform, account_id, signed.id.encode())
        try:
            metrics = read_push(body, {platform, *self._platforms.spec(platform).aliases}, now)
            series = self._known.ask(platform, account_id, lambda known: resolve_push(known, metrics))
        except BadInput:
            if self._raw.exists(key):
                return Receipt(key, stored=False)
            raise
        push = MetricPush(
            platform=platform,
            account_id=account_id,
            as_of=datetime.fromtimestamp(signed.timestamp, UTC),
            body_sha256=hashlib.sha256(body).hexdigest(),
            delivery_id=signed.id,
            series=series,
        )
        return self._store(key, push)

    def _told(self, hooks: Webhook, platform: Platform, account_id: str, sent: Sent) -> Receipt:
        """A platform repeats an unanswered delivery for hours, and ends a subscription that keeps failing.

        So what is unknown here (an ad account that was deleted, or is not listed yet) is acknowledged: it brings no
        numbers, and repeating it could not help.
        """
        self._checked(platform, account_id, lambda versions: hooks.verify(sent, versions) or None)
        told = hooks.parse(sent.body)
        common: dict[str, Any] = {
            "platform": platform,
            "account_id": account_id,
            "as_of": self._clock.now(),
            "body_sha256": hashlib.sha256(sent.body).hexdigest(),
        }
        key = _key(platform, account_id, told.identity or sent.body)
        if told.leads:
            return self._leads(key, known_at(self._catalog, platform, account_id), told, common)
        repulls, unknown = self._known.ask(platform, account_id, lambda known: resolve_changes(known, told.changes))
        unknown += told.beside
        if not repulls:
            return Receipt("", stored=False, unknown=max(unknown, 1))
        return self._store(key, Notification(**common, repulls=repulls))._replace(unknown=unknown)

    def _leads(self, key: str, known: Known, told: Told, common: dict[str, Any]) -> Receipt:
        """The body goes first: once the delivery is stored, a repeated one need not bring it again.

        It is kept even where nobody is known to count the leads for: nobody sends them again.
        """
        found = resolve_leads(known, common["account_id"], told.leads, common["as_of"])
        receipt = Receipt("", stored=False)
        if told.personal:
            kept = LEAD_BODIES + key.removeprefix(DELIVERIES)
            receipt = Receipt(kept, self._raw.put_once(kept, told.personal, {}, "application/json"))
        if found.leads:
            receipt = self._store(key, LeadDelivery(**common, leads=found.leads))
        return receipt._replace(unknown=found.unclaimed + told.beside)

    def _checked(self, platform: Platform, account_id: str, check: Callable[[Sequence[Values]], _T | None]) -> _T:
        """What `check` finds with the current and the previous secret.

        A secret that the API set or revoked is known at once. One that somebody changed in Secrets Manager is read
        again when nothing is found, at most every 10 s. Raises Unverified, also for an unknown account or a missing
        secret.
        """
        secret_id = secret_name(self._secrets, platform, account_id)
        stamp = self._catalog.door(platform, account_id)
        found = None
        if stamp is not None:
            found = check(self._versions(secret_id, stamp))
            if found is None and self._secrets.refresh(secret_id):
                found = check(self._versions(secret_id, stamp))
        if found is None:
            raise Unverified("no valid signature")
        return found

    def _versions(self, secret_id: str, stamp: str) -> Sequence[Values]:
        try:
            return self._secrets.versions(secret_id, stamp)
        except NotFound:
            return []

    def _store(self, key: str, delivery: Delivery) -> Receipt:
        return Receipt(key, self._raw.put_once(key, delivery.model_dump_json().encode(), {}, "application/json"))


def _key(platform: Platform, account_id: str, identity: bytes) -> str:
    return f"{DELIVERIES}{platform}/{account_id or DEPLOYMENT}/{hashlib.sha256(identity).hexdigest()}"
