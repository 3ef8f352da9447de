"""Taking in and forgetting what a client company hands us: its credentials, itself."""

from __future__ import annotations

from collections.abc import Mapping

from adweir.intake.doors.webhook_secrets import secret_name
from adweir.model import limits
from adweir.model.entities import Credential
from adweir.model.errors import Unprocessable
from adweir.model.messages import RedriveCredential
from adweir.model.platforms import Platform, parse_platform
from adweir.model.ports import Queue
from adweir.platforms import REGISTRY
from adweir.store.catalog.store import Catalog
from adweir.store.secrets import SecretStore

_SHOWN = 30
_AMAZON_CLIENT = "amzn1."
_REGIONS = ("na", "eu", "fe")
_FIELDS: Mapping[Platform, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Platform.META_ADS: (("access_token",), ("app_id", "app_secret")),
    Platform.AMAZON_ADS: (("client_id", "client_secret", "refresh_token"), ("region",)),
}
"""The values that each connected platform's client needs, and those it can do without."""


def register_credential(
    catalog: Catalog,
    secrets: SecretStore,
    runs: Queue,
    account_id: str,
    platform_name: str,
    values: Mapping[str, str],
) -> Credential:
    """Store a credential: its values in Secrets Manager, its metadata in the catalog. Returns the metadata.

    Without a platform a `client_id` that starts `amzn1.` means amazon_ads. One that replaces another has the tasks that
    were parked for want of it redriven. The secret is stored first: metadata never promises one that is not there.

    Raises NotFound (the account), Unprocessable (the platform, the values), Unavailable.
    """
    catalog.account(account_id)
    if not platform_name and values.get("client_id", "").startswith(_AMAZON_CLIENT):
        platform = Platform.AMAZON_ADS
    elif platform_name:
        platform = parse_platform(platform_name)
    else:
        raise Unprocessable("which platform is it for?", [{"field": "platform", "message": "is required"}])
    _check(platform, values)
    secret_id = secrets.name("credential", account_id, platform.value)
    secrets.put(secret_id, values)
    credential = catalog.put_credential(account_id, platform, secret_id)
    if credential.version > 1:
        runs.send(RedriveCredential(account_id=account_id, platform=platform.value), group=account_id)
    return credential


def _check(platform: Platform, values: Mapping[str, str]) -> None:
    """Raises Unprocessable that names each field: missing, unknown, or nothing that goes into a request's header."""
    if platform not in REGISTRY:
        message = f"{platform} is not connected yet; connected: {', '.join(sorted(REGISTRY))}"
        raise Unprocessable(message, [{"field": "platform", "message": message}])
    required, optional = _FIELDS[platform]
    faults = [{"field": name, "message": "is required"} for name in required if name not in values]
    for name, value in values.items():
        if name not in required + optional:
            faults.append({"field": name[:64], "message": f"is unknown; known: {', '.join(required + optional)}"})
        elif (
            not 0 < len(value) <= limits.MAX_CREDENTIAL_VALUE_CHARS
            or not (value.isascii() and value.isprintable())
            or " " in value
        ):
            faults.append(
                {
                    "field": name,
                    "message": f"is 1 to {limits.MAX_CREDENTIAL_VALUE_CHARS} printable ASCII characters, no spaces",
                }
            )
        elif name == "region" and value.lower() not in _REGIONS:
            faults.append({"field": name, "message": f"is one of {', '.join(_REGIONS)}"})
    if faults:
        named = ", ".join(fault["field"] for fault in faults[:_SHOWN])
        raise Unprocessable(f"the credential is refused: {named}", faults[:_SHOWN])


def delete_credential(catalog: Catalog, secrets: SecretStore, account_id: str, platform: Platform) -> None:
    """Forget a credential and its secret. Raises NotFound, Unavailable."""
    catalog.account(account_id)
    secrets.delete(catalog.delete_credential(account_id, platform).secret_id)


def delete_account(catalog: Catalog, secrets: SecretStore, account_id: str) -> None:
    """Mark an account deleted and forget its credentials and webhook secrets. Raises NotFound, Unavailable.

    The secrets go first: a failure in between leaves an account whose deletion can be asked for again.
    """
    catalog.account(account_id)
    for credential in catalog.account_credentials(account_id):
        secrets.delete(credential.secret_id)
    for platform in Platform:
        secrets.delete(secret_name(secrets, platform, account_id))
    catalog.delete_account(account_id)
