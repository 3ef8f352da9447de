"""Taking in and forgetting what a client company hands us: its credentials, itself."""

from __future__ import annotations

from collections.abc import Mapping

from adweir.intake.receiver import secret_name
from adweir.model.entities import Credential
from adweir.model.errors import Unprocessable
from adweir.model.messages import RedriveCredential
from adweir.model.platforms import Platform, parse_platform
from adweir.model.ports import Queue
from adweir.store.catalog import Catalog
from adweir.store.secrets import SecretStore

_AMAZON_CLIENT = "amzn1."
_MAX_VALUES = 30


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

    Raises NotFound (the account), Unprocessable (the platform, no values), Unavailable.
    """
    catalog.account(account_id)
    if not platform_name and values.get("client_id", "").startswith(_AMAZON_CLIENT):
        platform = Platform.AMAZON_ADS
    elif platform_name:
        platform = parse_platform(platform_name)
    else:
        raise Unprocessable("which platform is it for?", [{"field": "platform", "message": "is required"}])
    if not values or len(values) > _MAX_VALUES:
        message = f"a credential has 1 to {_MAX_VALUES} values beside its platform"
        raise Unprocessable(message, [{"field": "body", "message": message}])
    secret_id = secrets.name("credential", account_id, platform.value)
    secrets.put(secret_id, values)
    credential = catalog.put_credential(account_id, platform, secret_id)
    if credential.version > 1:
        runs.send(RedriveCredential(account_id=account_id, platform=platform.value), group=account_id)
    return credential


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
