"""The webhook receiver: checks who sends, that it can be, stores it; everything else happens from the stored object.

In this order: size, account, secret, signature over the raw bytes, then parsing, ids, storage. A delivery is one object
under `webhooks/`, put once; the same delivery again finds it there. What a caller without a valid signature learns is
401, whether the account exists or not.

Meta's notifications name ad accounts, and Meta repeats an unanswered delivery for 36 hours and drops a subscription
that keeps failing. A notification for an ad account that is not in the catalog (deleted here, not listed yet) carries
no numbers and can never become useful by repetition: it is acknowledged and not stored. A metric push with an unknown
id is refused as a whole (422): its sender can correct it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from adweir.intake.doors import metric_push
from adweir.intake.doors.signatures import SIGNATURE, verify
from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import AdweirError, Forbidden, NotFound, TooLarge, Unverified
from adweir.model.platforms import Platform, parse_platform
from adweir.model.times import Clock, iso

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore
    from adweir.store.secrets import SecretStore, Values

DEPLOYMENT = "deployment"
_CONTENT_TYPE = "application/json"
_T = TypeVar("_T")


class Receipt(NamedTuple):
    """What became of a delivery: its object's key ("" when there was nothing to store), and whether it was new."""

    key: str
    stored: bool


class Receiver:
    """Takes deliveries. Methods raise from the error tree; `runtime.http` says what the sender gets."""

    def __init__(self, catalog: Catalog, secrets: SecretStore, raw: RawStore, clock: Clock) -> None:
        self._catalog = catalog
        self._secrets = secrets
        self._raw = raw
        self._clock = clock

    def receive(self, platform_name: str, account_id: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Verify and store one delivery; `headers` with lower-case names, `account_id` "" for the deployment's door.

        Raises TooLarge, Unverified, BadInput, Unprocessable, Unavailable.
        """
        if len(body) > limits.MAX_BODY_BYTES:
            raise TooLarge(f"a delivery is at most {limits.MAX_BODY_BYTES} bytes")
        platform = _platform(platform_name)
        if platform is Platform.META_ADS and SIGNATURE not in headers:
            return self._notification(account_id, headers, body)
        return self._push(platform, account_id, headers, body)

    def handshake(self, platform_name: str, account_id: str, query: Mapping[str, str]) -> str:
        """The challenge to answer Meta's subscription with, as plain text. Raises NotFound, Forbidden, Unavailable."""
        from adweir.platforms.meta import webhook  # noqa: PLC0415  only Meta's deliveries pay for it

        if _platform(platform_name) is not Platform.META_ADS:
            raise NotFound("only Meta's webhooks begin with a handshake")

        def answer(versions: Sequence[Values]) -> str | None:
            answers = [webhook.handshake(query, values.get("verify_token", "")) for values in versions]
            return next((found for found in answers if found is not None), None)

        try:
            return self._checked(Platform.META_ADS, account_id, answer)
        except Unverified:
            raise Forbidden("the verify token is not ours") from None

    def health(self) -> dict[str, Any]:
        """`{"status": "healthy"}` with the state of what deliveries depend on; "degraded" when one does not answer."""
        checks: dict[str, Callable[[], object]] = {
            "catalog": lambda: self._catalog.key("health"),
            "storage": lambda: self._raw.exists("webhooks/health"),
            "secrets": self._probe_secrets,
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

    def _probe_secrets(self) -> None:
        try:
            self._secrets.get(self._secrets.name("webhook", "meta"))
        except NotFound:
            return  # it answered

    # -- pushes ------------------------------------------------------------------------------------------------------

    def _push(self, platform: Platform, account_id: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        now = self._clock.now()
        signed = self._checked(
            platform,
            account_id,
            lambda versions: verify(headers, body, [v["secret"] for v in versions if v.get("secret")], now.timestamp()),
        )
        metric_push.check(body, platform, self._profiles(platform, account_id), self._catalog, now)
        as_of = datetime.fromtimestamp(signed.timestamp, UTC)
        digest = hashlib.sha256(signed.id.encode()).hexdigest()
        return self._store(platform, account_id, digest, body, "push", as_of)

    def _profiles(self, platform: Platform, account_id: str) -> list[Profile]:
        found = self._catalog.profiles(account_id or None, platform)
        return [profile for profile in found if profile.status != "inactive"]

    # -- Meta --------------------------------------------------------------------------------------------------------

    def _notification(self, account_id: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        from adweir.platforms.meta import webhook  # noqa: PLC0415  only Meta's deliveries pay for it

        header = headers.get(webhook.SIGNATURE_HEADER.lower())
        self._checked(
            Platform.META_ADS,
            account_id,
            lambda versions: webhook.verify(body, header, [_app_secret(values) for values in versions]) or None,
        )
        changes = webhook.parse(body)
        owners = {change.owner for change in changes if change.object == "ad_account"}
        known = [self._catalog.profile(Platform.META_ADS, owner) for owner in sorted(owners)]
        ours = {p.account_id for p in known if p and p.status != "inactive" and account_id in {"", p.account_id}}
        if owners and not ours:
            return Receipt("", stored=False)
        owner = account_id or (ours.pop() if len(ours) == 1 else "")
        digest = hashlib.sha256(body).hexdigest()
        return self._store(Platform.META_ADS, account_id, digest, body, "notification", self._clock.now(), owner)

    # -- both --------------------------------------------------------------------------------------------------------

    def _checked(self, platform: Platform, account_id: str, check: Callable[[Sequence[Values]], _T | None]) -> _T:
        """What `check` makes of the current and previous secrets; on a mismatch they are read anew, but not at will.

        Raises Unverified: also when there is no such account or no secret.
        """
        secret_id = secret_name(self._secrets, platform, account_id)
        try:
            if account_id:
                self._catalog.account(account_id)
            found = check(self._secrets.versions(secret_id))
            if found is None and self._secrets.refresh(secret_id):
                found = check(self._secrets.versions(secret_id))
        except NotFound:
            found = None
        if found is None:
            raise Unverified("no valid signature")
        return found

    def _store(
        self, platform: Platform, account_id: str, digest: str, body: bytes, kind: str, as_of: datetime, owner: str = ""
    ) -> Receipt:
        key = f"webhooks/{platform}/{account_id or DEPLOYMENT}/{digest}"
        metadata = {
            "account_id": owner or account_id,
            "platform": platform.value,
            "kind": kind,
            "as_of": iso(as_of),
        }
        return Receipt(key, self._raw.put_once(key, body, metadata, _CONTENT_TYPE))


def secret_name(secrets: SecretStore, platform: Platform, account_id: str = "") -> str:
    """`<prefix>/webhook/<platform>[/<account>]`, the platform by its short name (`meta`, not `meta_ads`)."""
    short = platform.value.removesuffix("_ads")
    return secrets.name("webhook", short, account_id) if account_id else secrets.name("webhook", short)


def set_webhook_secret(
    secrets: SecretStore, platform: Platform, values: Mapping[str, str], account_id: str = ""
) -> list[str]:
    """Set or rotate webhook secrets; fields that are not given stay, the version before stays valid as the previous.

    `secret` signs pushes (and Meta's deliveries where no `app_secret` is given). Returns the names of the fields.
    """
    name = secret_name(secrets, platform, account_id)
    try:
        known = secrets.get(name)
    except NotFound:
        known = {}
    merged = known | dict(values)
    if merged != known:
        secrets.put(name, merged)
    return sorted(merged)


def _platform(name: str) -> Platform:
    """Raises NotFound: the path names no webhook of ours."""
    try:
        return parse_platform(name)
    except AdweirError:
        raise NotFound(f"no webhook {json.dumps(name[:40])}") from None


def _app_secret(values: Values) -> str:
    return values.get("app_secret") or values.get("secret", "")
